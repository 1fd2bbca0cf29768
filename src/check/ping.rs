//! `PING_CHECK`: an echo request, and the reply with its number.

use super::verdict::{Phase, Reason, Verdict};
use crate::base::addr::Family;
use crate::wire::icmp::{echo_request, parse_echo_reply};

/// Bytes in an echo request after its header.
const PAYLOAD: [u8; 128] = [0; 128];

/// One echo request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ping {
    family: Family,
    sequence: u16,
    request: Vec<u8>,
}

impl Ping {
    /// `sequence` is another one each time, so that a late reply does not count for the next.
    pub fn new(family: Family, sequence: u16) -> Self {
        Self { family, sequence, request: echo_request(family, sequence, &PAYLOAD) }
    }

    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Anything but the reply to this request is ignored.
    pub fn received(&self, datagram: &[u8]) -> Option<Verdict> {
        let sequence = parse_echo_reply(self.family, datagram).ok()?;
        (sequence == self.sequence).then_some(Verdict::UP)
    }

    pub fn timed_out(&self) -> Verdict {
        Verdict::Down(Reason::TimedOut(Phase::Reply))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_reply_to_this_request_counts() {
        let ping = Ping::new(Family::V4, 7);
        assert_eq!(ping.request().len(), 8 + 128);
        let mut reply = ping.request().to_vec();
        assert_eq!(ping.received(&reply), None, "a request");
        reply[0] = 0;
        assert_eq!(ping.received(&reply), Some(Verdict::UP));
        reply[7] = 6;
        assert_eq!(ping.received(&reply), None, "the one before");
        assert_eq!(ping.received(&[]), None);
        assert_eq!(ping.timed_out(), Verdict::Down(Reason::TimedOut(Phase::Reply)));
    }
}
