//! A page as it is, for `genhash`: fetched in the way of a check, and not judged.

use super::reply::{Broken, Piece, Reply};
use super::sending::Sending;
use crate::base::verdict::{Digest, ProbeStep, Reason, Verdict};
use crate::check::digest::Hasher;
use crate::model::check::Protocol;

/// A page being fetched.
#[derive(Clone, Debug)]
pub struct Fetch {
    request: Sending,
    reply: Reply,
    record: Record,
    verdict: Option<Verdict>,
}

/// What was received up to now.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// With the empty line; empty as long as it is not complete.
    pub head: Vec<u8>,
    /// Only if it was asked for.
    pub body: Option<Vec<u8>>,
    hasher: Hasher,
}

impl Record {
    pub fn digest(&self) -> Digest {
        self.hasher.digest()
    }
}

impl Fetch {
    pub fn new(path: &str, protocol: Protocol, host: &str, keeps_body: bool) -> Self {
        Self {
            request: Sending::new(path, protocol, host),
            reply: Reply::new(protocol),
            record: Record { body: keeps_body.then(Vec::new), ..Record::default() },
            verdict: None,
        }
    }

    pub fn record(&self) -> &Record {
        &self.record
    }

    pub fn start(&mut self) {
        self.request.start();
    }

    pub fn pending_output(&self) -> &[u8] {
        self.request.pending_output()
    }

    pub fn sent(&mut self, n: usize) {
        self.request.sent(n);
    }

    pub fn received(&mut self, bytes: &[u8]) {
        if self.verdict.is_some() {
            return;
        }
        let record = &mut self.record;
        let outcome = self.reply.received(bytes, |piece| match piece {
            Piece::Head(head) => record.head = head.bytes().to_vec(),
            Piece::Body(bytes) => {
                record.hasher.received(bytes);
                if let Some(body) = &mut record.body {
                    body.extend_from_slice(bytes);
                }
            }
        });
        self.verdict = match outcome {
            Err(broken) => Some(Verdict::Down(broken.into())),
            Ok(()) => self.reply.is_complete().then_some(Verdict::UP),
        };
    }

    pub fn closed(&mut self) {
        if self.verdict.is_none() {
            self.verdict = Some(match self.reply.has_head() {
                true => Verdict::UP,
                false => Verdict::Down(Reason::Closed(ProbeStep::Header)),
            });
        }
    }

    pub fn step(&self) -> ProbeStep {
        super::step(&self.request, &self.reply)
    }

    pub fn outcome(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }
}

impl From<Broken> for Reason {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::HeadTooLong => Self::TooLong(ProbeStep::Header),
            Broken::BodyTooLong => Self::TooLong(ProbeStep::Body),
            Broken::Chunks => Self::Chunks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_taken_whatever_its_status() {
        for keeps_body in [true, false] {
            let mut fetch = Fetch::new("/", Protocol::V1_0, "a", keeps_body);
            fetch.start();
            fetch.sent(9_999);
            fetch.received(b"HTTP/1.0 500 X\r\nContent-Length: 5\r\n\r\nhello!!");
            assert_eq!(fetch.outcome(), None);
            fetch.closed();
            assert_eq!(fetch.outcome(), Some(&Verdict::UP));
            let record = fetch.record();
            assert_eq!(record.head, b"HTTP/1.0 500 X\r\nContent-Length: 5\r\n\r\n");
            assert_eq!(record.body, keeps_body.then(|| b"hello".to_vec()));
            assert_eq!(record.digest().to_string(), "5d41402abc4b2a76b9719d911017c592");
        }
    }

    #[test]
    fn without_a_head_there_is_no_page() {
        let mut fetch = Fetch::new("/", Protocol::V1_0, "a", true);
        fetch.start();
        fetch.received(b"HTTP/1.0 200 X\r\n");
        fetch.closed();
        assert_eq!(fetch.outcome(), Some(&Verdict::Down(Reason::Closed(ProbeStep::Header))));
    }
}
