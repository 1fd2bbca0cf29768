//! Takes a reply apart as it arrives: head, body, end. Judges nothing.

use crate::model::check::Protocol;
use crate::wire::http::{head_len, Chunks, Head};

/// The longest head that is waited for, interim replies included.
const HEAD_MAX: usize = 64 * 1024;

/// The longest body that is read. A server that never stops must not keep a check for ever.
const BODY_MAX: u64 = 64 * 1024 * 1024;

/// A part of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece<'a> {
    /// The whole head, with the empty line.
    Head(Head<'a>),
    Body(&'a [u8]),
}

/// What is wrong with the form of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Broken {
    HeadTooLong,
    BodyTooLong,
    Chunks,
}

/// A reply being read.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The reply says itself where it ends. With HTTP/1.0 it is the connection that ends.
    is_framed: bool,
    /// Bytes of interim replies.
    interim: usize,
    body: u64,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Head(Vec<u8>),
    /// Until the connection ends; the rest of `Content-Length` belongs to the body.
    UntilClosed(Option<u64>),
    Length(u64),
    Chunks(Chunks),
    Complete,
}

impl Reply {
    pub fn new(protocol: Protocol) -> Self {
        let is_framed = protocol == Protocol::V1_1;
        Self { is_framed, interim: 0, body: 0, state: State::Head(Vec::new()) }
    }

    pub const fn has_head(&self) -> bool {
        !matches!(self.state, State::Head(_))
    }

    /// Nothing more belongs to the reply. Never before the connection ends with HTTP/1.0.
    pub const fn is_complete(&self) -> bool {
        matches!(self.state, State::Complete)
    }

    /// Takes bytes and hands on what they are. Bytes after the end are ignored.
    pub fn received(
        &mut self,
        mut bytes: &[u8],
        mut sink: impl FnMut(Piece<'_>),
    ) -> Result<(), Broken> {
        while let State::Head(head) = &mut self.state {
            if bytes.is_empty() {
                return Ok(());
            }
            let seen = head.len();
            let room = HEAD_MAX.saturating_sub(self.interim + seen);
            let part = &bytes[..bytes.len().min(room)];
            // Most heads come in one piece, and need not be collected.
            if let (0, Some(len)) = (seen, head_len(part, 0)) {
                bytes = &bytes[len..];
                self.on_head(Head::new(&part[..len]), len, &mut sink);
                continue;
            }
            head.extend_from_slice(part);
            let Some(len) = head_len(head, seen) else {
                return if bytes.len() > room { Err(Broken::HeadTooLong) } else { Ok(()) };
            };
            bytes = &bytes[len - seen..];
            head.truncate(len);
            let head = std::mem::take(head);
            self.on_head(Head::new(&head), head.len(), &mut sink);
        }
        self.on_body(bytes, sink)
    }

    fn on_head(&mut self, head: Head<'_>, len: usize, sink: &mut impl FnMut(Piece<'_>)) {
        let status = head.status().unwrap_or_default();
        if self.is_framed && matches!(status, 100 | 102..=199) {
            // More is to come (RFC 9110 §15.2).
            self.interim += len;
            return;
        }
        let length = head.content_length();
        self.state = match length {
            // RFC 9112 §6.3
            _ if !self.is_framed => State::UntilClosed(length),
            _ if matches!(status, 204 | 304) => State::Complete,
            _ if head.is_chunked() => State::Chunks(Chunks::default()),
            Some(0) => State::Complete,
            Some(length) => State::Length(length),
            None => State::UntilClosed(None),
        };
        sink(Piece::Head(head));
    }

    fn on_body(&mut self, bytes: &[u8], mut sink: impl FnMut(Piece<'_>)) -> Result<(), Broken> {
        self.body = self.body.saturating_add(bytes.len() as u64);
        if self.body > BODY_MAX {
            return Err(Broken::BodyTooLong);
        }
        let mut body = |bytes: &[u8]| {
            if !bytes.is_empty() {
                sink(Piece::Body(bytes));
            }
        };
        match &mut self.state {
            State::Head(_) | State::Complete => {}
            State::UntilClosed(None) => body(bytes),
            State::UntilClosed(Some(left)) => body(take(left, bytes)),
            State::Length(left) => {
                body(take(left, bytes));
                if *left == 0 {
                    self.state = State::Complete;
                }
            }
            State::Chunks(chunks) => {
                chunks.received(bytes, body).map_err(|_| Broken::Chunks)?;
                if chunks.is_done() {
                    self.state = State::Complete;
                }
            }
        }
        Ok(())
    }
}

/// As many of the bytes as are left, and fewer left.
fn take<'a>(left: &mut u64, bytes: &'a [u8]) -> &'a [u8] {
    let len = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
    *left -= len as u64;
    &bytes[..len]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(protocol: Protocol, text: &[u8], piece: usize) -> (Option<u16>, Vec<u8>, bool) {
        let mut reply = Reply::new(protocol);
        let (mut status, mut body) = (None, Vec::new());
        for bytes in text.chunks(piece) {
            reply
                .received(bytes, |piece| match piece {
                    Piece::Head(head) => status = head.status().ok(),
                    Piece::Body(bytes) => body.extend_from_slice(bytes),
                })
                .expect("well formed");
        }
        (status, body, reply.is_complete())
    }

    #[test]
    fn with_http_1_0_only_the_connection_ends_a_reply() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef";
        for piece in [1, 7, 999] {
            assert_eq!(read(Protocol::V1_0, text, piece), (Some(200), b"abc".to_vec(), false));
            assert_eq!(read(Protocol::V1_0Close, text, piece).1, b"abc");
        }
        // Chunks are an answer to HTTP/1.1 only.
        let text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n";
        assert_eq!(read(Protocol::V1_0, text, 1).1, b"1\r\na\r\n0\r\n\r\n");
    }

    #[test]
    fn with_http_1_1_a_reply_ends_where_it_says() {
        let cases: [(&[u8], &[u8], bool); 7] = [
            (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef", b"abc", true),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", b"abc", false),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nabc", b"", true),
            (b"HTTP/1.1 204 No\r\n\r\nabc", b"", true),
            (b"HTTP/1.1 200 OK\r\n\r\nabc", b"abc", false),
            (
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
                b"a",
                true,
            ),
            (b"HTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\nabc", b"abc", false),
        ];
        for (text, body, complete) in cases {
            for piece in [1, 5, 999] {
                let (_, found, is_complete) = read(Protocol::V1_1, text, piece);
                assert_eq!((&found[..], is_complete), (body, complete), "{}", text.escape_ascii());
            }
        }
    }

    #[test]
    fn heads_and_bodies_are_bounded() {
        for line in [&b"A: b\r\n"[..], b"no line end", b"HTTP/1.1 100 C\r\n\r\n"] {
            let mut reply = Reply::new(Protocol::V1_1);
            let outcome = (0..HEAD_MAX).try_for_each(|_| reply.received(line, |_| ()));
            assert_eq!(outcome, Err(Broken::HeadTooLong), "{}", line.escape_ascii());
        }
        let mut reply = Reply::new(Protocol::V1_0);
        reply.received(b"X 200 OK\r\n\r\n", |_| ()).expect("a head");
        let piece = vec![0; 1 << 20];
        let outcome = (0..BODY_MAX >> 20).try_for_each(|_| reply.received(&piece, |_| ()));
        assert_eq!(outcome, Ok(()));
        assert_eq!(reply.received(b"x", |_| ()), Err(Broken::BodyTooLong));
    }
}
