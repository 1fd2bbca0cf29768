//! `UDP_CHECK`: silence is fine, unless an answer is demanded.

use crate::base::verdict::{ProbeStep, Reason, Verdict};
use crate::model;

/// A datagram to a server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Udp {
    udp: model::check::Udp,
}

impl Udp {
    pub fn new(udp: &model::check::Udp) -> Self {
        Self { udp: udp.clone() }
    }

    pub fn request(&self) -> &[u8] {
        &self.udp.payload
    }

    pub fn received(&self, datagram: &[u8]) -> Option<Verdict> {
        let Some(wanted) = &self.udp.reply else { return Some(Verdict::UP) };
        let expected = wanted.min_len..=wanted.max_len;
        let len = u16::try_from(datagram.len());
        if !len.is_ok_and(|len| expected.contains(&len)) {
            return Some(Verdict::Down(Reason::Length { found: datagram.len(), expected }));
        }
        let differs =
            |(byte, want): (&u8, &model::check::MaskedByte)| (byte ^ want.value) & want.mask != 0;
        let wrong = datagram.iter().zip(&wanted.pattern).position(differs);
        Some(
            wrong.map_or(Verdict::UP, |at| {
                Verdict::Down(Reason::Content { at, found: datagram[at] })
            }),
        )
    }

    pub fn timed_out(&self) -> Verdict {
        match self.udp.reply {
            None => Verdict::UP,
            Some(_) => Verdict::Down(Reason::TimedOut(ProbeStep::Reply)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::check::{MaskedByte, UdpReply, UDP_PAYLOAD_DEFAULT};

    fn udp(reply: Option<UdpReply>) -> Udp {
        Udp::new(&model::check::Udp { payload: UDP_PAYLOAD_DEFAULT.to_vec(), reply })
    }

    fn reply(pattern: &[(u8, u8)], min_len: u16, max_len: u16) -> Option<UdpReply> {
        let pattern = pattern.iter().map(|&(value, mask)| MaskedByte { value, mask }).collect();
        Some(UdpReply { pattern, min_len, max_len })
    }

    #[test]
    fn silence_and_any_answer_are_fine_unless_one_is_demanded() {
        let quiet = udp(None);
        assert_eq!(quiet.request(), b"keepalived check - keepalived ch");
        assert_eq!(quiet.timed_out(), Verdict::UP);
        assert_eq!(quiet.received(&[0; 9_000]), Some(Verdict::UP));
        let strict = udp(reply(&[], 0, 255));
        assert_eq!(strict.timed_out(), Verdict::Down(Reason::TimedOut(ProbeStep::Reply)));
        assert_eq!(strict.received(b""), Some(Verdict::UP));
    }

    #[test]
    fn an_answer_has_its_length_and_its_pattern() {
        let udp = udp(reply(&[(0x41, 0xff), (0x50, 0xf0), (0, 0)], 1, 4));
        assert_eq!(udp.received(b"A"), Some(Verdict::UP), "only what is there is compared");
        assert_eq!(udp.received(b"AQzz"), Some(Verdict::UP));
        let content = Reason::Content { at: 1, found: b'a' };
        assert_eq!(udp.received(b"Aa"), Some(Verdict::Down(content)));
        for len in [0, 5, 70_000] {
            let length = Reason::Length { found: len, expected: 1..=4 };
            assert_eq!(udp.received(&vec![b'A'; len]), Some(Verdict::Down(length)));
        }
    }
}
