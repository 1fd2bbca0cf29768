//! `PING_CHECK`: an echo request, and the reply with its number.

use crate::base::addr::Family;
use crate::base::verdict::{ProbeStep, Reason, Verdict};
use crate::wire::icmp::{echo_request, parse_echo_reply};

/// Bytes in an echo request after its header.
const PAYLOAD: usize = 128;
/// Where they begin.
const HEADER: usize = 8;
/// So many of them can only be known from the request.
const SECRET: usize = size_of::<u32>();

/// One echo request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ping {
    family: Family,
    sequence: u16,
    request: Vec<u8>,
}

impl Ping {
    /// `sequence` is another one each time, so that a late reply does not count for the next.
    /// `secret` is random: who answers has read the request, and did not merely guess its number.
    pub fn new(family: Family, sequence: u16, secret: u32) -> Self {
        let mut payload = [0; PAYLOAD];
        payload[..SECRET].copy_from_slice(&secret.to_be_bytes());
        Self { family, sequence, request: echo_request(family, sequence, &payload) }
    }

    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Anything but the reply to this request is ignored. A reply has the payload of its request
    /// (RFC 792; RFC 4443 §4.2).
    pub fn received(&self, datagram: &[u8]) -> Option<Verdict> {
        let sequence = parse_echo_reply(self.family, datagram).ok()?;
        let secret = HEADER..HEADER + SECRET;
        let is_ours = datagram.get(secret.clone())? == self.request.get(secret)?;
        (sequence == self.sequence && is_ours).then_some(Verdict::UP)
    }

    pub fn timed_out(&self) -> Verdict {
        Verdict::Down(Reason::TimedOut(ProbeStep::Reply))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_reply_to_this_request_counts() {
        let ping = Ping::new(Family::V4, 7, 0x0102_0304);
        assert_eq!(ping.request().len(), 8 + 128);
        let mut reply = ping.request().to_vec();
        assert_eq!(ping.received(&reply), None, "a request");
        reply[0] = 0;
        assert_eq!(ping.received(&reply), Some(Verdict::UP));
        reply[7] = 6;
        assert_eq!(ping.received(&reply), None, "the one before");
        reply[7] = 7;
        reply[11] ^= 1;
        assert_eq!(ping.received(&reply), None, "a guess");
        assert_eq!(ping.received(&reply[..11]), None, "not all of it");
        assert_eq!(ping.received(&[]), None);
        assert_eq!(ping.timed_out(), Verdict::Down(Reason::TimedOut(ProbeStep::Reply)));
    }
}
