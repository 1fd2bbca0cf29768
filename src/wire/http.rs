//! HTTP for checks (RFC 9112): requests, the head of a reply, chunked bodies.
//!
//! Bodies are not stored here: decoded data is passed on in pieces.

use super::Malformed;

/// A request without a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request<'a> {
    pub path: &'a str,
    /// `1.0` or `1.1`.
    pub version: &'a str,
    /// Asks the server to close the connection after its reply.
    pub close: bool,
    pub host: &'a str,
}

impl Request<'_> {
    /// Lines and their order are those of keepalived: servers are configured to recognise them.
    pub fn emit(&self) -> Vec<u8> {
        let close = if self.close { "Connection: close\r\n" } else { "" };
        let agent = "\r\nUser-Agent: KeepAliveClient\r\n";
        ["GET ", self.path, " HTTP/", self.version, agent, close, "Host: ", self.host, "\r\n\r\n"]
            .concat()
            .into_bytes()
    }
}

/// Length of the head of a reply, including the empty line at its end.
///
/// The first `seen` bytes have been searched already.
pub fn head_len(bytes: &[u8], seen: usize) -> Option<usize> {
    const END: &[u8] = b"\r\n\r\n";
    let from = seen.saturating_sub(END.len() - 1).min(bytes.len());
    let found = bytes[from..].windows(END.len()).position(|w| w == END)?;
    Some(from + found + END.len())
}

/// The head of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head<'a>(&'a [u8]);

impl<'a> Head<'a> {
    /// From a complete head with its empty line, or any part of one.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub const fn bytes(self) -> &'a [u8] {
        self.0
    }

    fn lines(self) -> impl Iterator<Item = &'a [u8]> {
        self.0.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// The first line, for messages.
    pub fn status_line(self) -> &'a [u8] {
        self.lines().next().unwrap_or_default()
    }

    /// The status: three digits between the first blank and the next (RFC 9112 §4). As in
    /// keepalived, text before the first blank is ignored: some servers do not send `HTTP` there.
    pub fn status(self) -> Result<u16, Malformed> {
        let line = self.status_line();
        let blank = line.iter().position(|b| *b == b' ').ok_or(Malformed)?;
        match line.get(blank + 1..blank + 5).ok_or(Malformed)? {
            [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', b' '] => {
                Ok([a, b, c].iter().fold(0, |sum, digit| sum * 10 + u16::from(**digit - b'0')))
            }
            _ => Err(Malformed),
        }
    }

    /// The values of a field, without surrounding blanks; the name is case-insensitive (RFC 9110
    /// §5.1).
    fn values(self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.lines().skip(1).filter_map(move |line| {
            let colon = line.iter().position(|b| *b == b':')?;
            line[..colon]
                .eq_ignore_ascii_case(name.as_bytes())
                .then(|| line[colon + 1..].trim_ascii())
        })
    }

    /// `Content-Length`, unless it is missing, not a number, or given twice with different values
    /// (RFC 9112 §6.3).
    pub fn content_length(self) -> Option<u64> {
        let mut values = self.values("content-length").map(decimal);
        let first = values.next()??;
        values.all(|other| other == Some(first)).then_some(first)
    }

    /// True if the last coding of `Transfer-Encoding` is `chunked` (RFC 9112 §6.1).
    pub fn is_chunked(self) -> bool {
        let last = self.values("transfer-encoding").last().unwrap_or_default();
        let coding = last.rsplit(|b| *b == b',').next().unwrap_or_default();
        coding.trim_ascii().eq_ignore_ascii_case(b"chunked")
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    digits.iter().try_fold(0_u64, |sum, d| sum.checked_mul(10)?.checked_add(u64::from(d - b'0')))
}

/// Maximum digits of a chunk size, with leading zeros: a 64-bit number.
const SIZE_DIGITS_MAX: u8 = 16;

/// Maximum bytes of an extension, or of all trailers together.
const EXTRA_MAX: usize = 8 * 1024;

/// Decoder for a chunked body (RFC 9112 §7.1), independent of how its bytes are split.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Chunks {
    state: ChunkState,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ChunkState {
    Size {
        value: u64,
        digits: u8,
    },
    /// Extension after the size, up to the end of the line.
    Extension {
        size: u64,
        len: usize,
    },
    Data(u64),
    /// Line end after the data; true: its CR was seen.
    AfterData(bool),
    /// Trailers: length of the current line without CR, and total bytes.
    Trailer {
        line: usize,
        len: usize,
    },
    Done,
}

impl Default for ChunkState {
    fn default() -> Self {
        Self::Size { value: 0, digits: 0 }
    }
}

impl Chunks {
    pub const fn is_done(&self) -> bool {
        matches!(self.state, ChunkState::Done)
    }

    /// Decodes the next bytes and passes those of the body to `body`. Bytes after the end are
    /// ignored. After an error, every further call fails.
    pub fn received(&mut self, bytes: &[u8], mut body: impl FnMut(&[u8])) -> Result<(), Malformed> {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            match self.state {
                ChunkState::Done => return Ok(()),
                ChunkState::Data(left) => {
                    let take = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    body(&rest[..take]);
                    rest = &rest[take..];
                    let left = left - take as u64;
                    self.state = if left == 0 {
                        ChunkState::AfterData(false)
                    } else {
                        ChunkState::Data(left)
                    };
                }
                state => {
                    self.state = frame(state, byte)?;
                    rest = after;
                }
            }
        }
        Ok(())
    }
}

/// Processes one byte of the framing.
fn frame(state: ChunkState, byte: u8) -> Result<ChunkState, Malformed> {
    match state {
        ChunkState::Size { value, digits } => match char::from(byte).to_digit(16) {
            Some(_) if digits == SIZE_DIGITS_MAX => Err(Malformed),
            Some(d) => {
                Ok(ChunkState::Size { value: value << 4 | u64::from(d), digits: digits + 1 })
            }
            None if digits == 0 => Err(Malformed),
            None if byte == b'\n' => Ok(after_size(value)),
            None if matches!(byte, b'\r' | b';' | b' ' | b'\t') => {
                Ok(ChunkState::Extension { size: value, len: 0 })
            }
            None => Err(Malformed),
        },
        ChunkState::Extension { size, .. } if byte == b'\n' => Ok(after_size(size)),
        ChunkState::Extension { len: EXTRA_MAX, .. } => Err(Malformed),
        ChunkState::Extension { size, len } => Ok(ChunkState::Extension { size, len: len + 1 }),
        ChunkState::AfterData(false) if byte == b'\r' => Ok(ChunkState::AfterData(true)),
        ChunkState::AfterData(_) if byte == b'\n' => Ok(ChunkState::default()),
        ChunkState::AfterData(_) => Err(Malformed),
        ChunkState::Trailer { len: EXTRA_MAX, .. } => Err(Malformed),
        ChunkState::Trailer { line: 0, .. } if byte == b'\n' => Ok(ChunkState::Done),
        ChunkState::Trailer { line, len } => {
            let line = match byte {
                b'\n' => 0,
                b'\r' => line,
                _ => line + 1,
            };
            Ok(ChunkState::Trailer { line, len: len + 1 })
        }
        ChunkState::Data(_) | ChunkState::Done => Ok(state),
    }
}

const fn after_size(size: u64) -> ChunkState {
    if size == 0 {
        ChunkState::Trailer { line: 0, len: 0 }
    } else {
        ChunkState::Data(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(pieces: &[&[u8]]) -> Result<(Vec<u8>, bool), Malformed> {
        let mut chunks = Chunks::default();
        let mut body = Vec::new();
        for piece in pieces {
            chunks.received(piece, |b| body.extend_from_slice(b))?;
        }
        Ok((body, chunks.is_done()))
    }

    #[test]
    fn the_request_is_that_of_keepalived() {
        let request = Request { path: "/a", version: "1.0", close: false, host: "[::1]:80" };
        assert_eq!(
            request.emit(),
            b"GET /a HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: [::1]:80\r\n\r\n"
        );
        let request = Request { path: "/", version: "1.1", close: true, host: "a" };
        assert_eq!(
            request.emit(),
            b"GET / HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: a\r\n\r\n"
        );
    }

    #[test]
    fn the_head_ends_at_the_first_empty_line_for_every_split() {
        let text = b"HTTP/1.0 200 OK\r\nA: b\r\n\r\nbody\r\n\r\n";
        assert_eq!(head_len(text, 0), Some(25));
        for seen in 0..25 {
            assert_eq!(head_len(&text[..seen], 0), None);
            assert_eq!(head_len(text, seen), Some(25), "after {seen}");
        }
        assert_eq!(head_len(b"a\n\nb", 0), None);
        assert_eq!(head_len(b"ab", 9), None);
    }

    #[test]
    fn a_status_is_three_digits_between_blanks() {
        for (line, status) in [
            ("HTTP/1.1 200 OK\r\n", Some(200)),
            ("HTTP/1.1 404 \r\n", Some(404)),
            ("ICY 200 OK\r\n", Some(200)),
            ("HTTP/1.1 200\r\n", None),
            ("HTTP/1.1 20 OK", None),
            ("HTTP/1.1 2000 OK", None),
            ("HTTP/1.1  200 OK", None),
            ("HTTP/1.1 2x0 OK", None),
            ("HTTP/1.1 +20 OK", None),
            ("HTTP/1.1", None),
            ("HTTP/1.1\r\nA: 200 b", None),
            (" ", None),
            ("", None),
            ("\u{0}\u{0} 999 \u{0}", Some(999)),
        ] {
            assert_eq!(Head::new(line.as_bytes()).status().ok(), status, "{line:?}");
        }
    }

    #[test]
    fn fields_are_found_in_any_case_and_not_in_the_first_line() {
        let length = |s: &str| Head::new(s.as_bytes()).content_length();
        assert_eq!(length("X\r\nContent-Length: 12\r\n\r\n"), Some(12));
        assert_eq!(length("X\r\ncontent-length:12 \r\n\r\n"), Some(12));
        assert_eq!(length("X\r\nContent-Length: 1\r\nContent-Length: 1\r\n"), Some(1));
        assert_eq!(length("X\r\nContent-Length: 1\r\nContent-Length: 2\r\n"), None);
        assert_eq!(length("X\r\nContent-Length: -1\r\n"), None);
        assert_eq!(length("X\r\nContent-Length: 99999999999999999999\r\n"), None);
        assert_eq!(length("X\r\nContent-Length:\r\n"), None);
        assert_eq!(length("Content-Length: 1\r\n"), None);
        let chunked = |s: &str| Head::new(s.as_bytes()).is_chunked();
        assert!(chunked("X\r\nTransfer-Encoding: gzip, Chunked\r\n"));
        assert!(!chunked("X\r\nTransfer-Encoding: chunked, gzip\r\n"));
        assert!(!chunked("X\r\nTransfer-Encoding: identity\r\n"));
    }

    #[test]
    fn chunks_are_joined_for_every_split() {
        let text = b"5\r\nhello\r\n00a; x=\"y\"\r\n, world!!\n\r\n0\r\nT: v\r\n\r\nmore";
        let want = (b"hello, world!!\n".to_vec(), true);
        assert_eq!(decoded(&[text]), Ok(want.clone()));
        for cut in 0..text.len() {
            assert_eq!(decoded(&[&text[..cut], &text[cut..]]), Ok(want.clone()), "at {cut}");
        }
        let bytes: Vec<_> = text.chunks(1).collect();
        assert_eq!(decoded(&bytes), Ok(want));
    }

    #[test]
    fn malformed_chunks_are_refused() {
        for text in [
            &b"\r\n"[..],
            b"x\r\n",
            b"-1\r\n",
            b"5\r\nhello!\r\n",
            b"5\r\nhello\rX",
            b"10000000000000000\r\n",
            b"00000000000000000000",
        ] {
            assert_eq!(decoded(&[text]), Err(Malformed), "{text:?}");
        }
        let endless = [b"1;".to_vec(), vec![b'x'; 2 * EXTRA_MAX]].concat();
        assert_eq!(decoded(&[&endless]), Err(Malformed));
        let trailers = [b"0\r\n".to_vec(), b"A: b\r\n".repeat(EXTRA_MAX)].concat();
        assert_eq!(decoded(&[&trailers]), Err(Malformed));
        // The maximum size: a valid announcement.
        assert_eq!(decoded(&[b"ffffffffffffffff\r\nabc"]), Ok((b"abc".to_vec(), false)));
    }
}
