//! The authentication header: HMAC-MD5 with the password, and a sequence number of 32 bits.
//!
//! The password has no more than eight bytes, and the header does not prove who of its holders sent
//! a packet. It is here for the sake of routers that have nothing better.
//!
//! # Sequence numbers
//!
//! keepalived has one counter per virtual router, which counts what it sends and follows what it
//! hears; what is not above it, is refused. Other routers understand only senders that do the same.
//! So the own number is above all that were sent or heard. Besides, it is not below the seconds of
//! the clock: after a restart, the others need not hear numbers again that they have heard before.
//!
//! What is refused is decided per sender: with one counter for all, two routers that become MASTER at
//! the same moment refuse each other, with the same numbers, for ever. A sender that is not known yet
//! must not be behind all that were sent or heard by more than [`BEHIND`]: long enough for that
//! moment, too short for recordings of a router that is gone.
//!
//! # After the last number
//!
//! RFC 2402 §3.3.2 forbids to count beyond 2^32 - 1 with one key, and keepalived gives up the
//! protection there. Here the numbers begin again with 1, and a receiver takes a number out of the
//! first 65536 for one that follows one out of the last 65536, and nothing else. At one
//! advertisement per second that takes 136 years; a clock that is wrong cannot bring it near, for the
//! clock counts only up to [`LATEST`]. Recordings of the numbers that are in use again can then be
//! played back, unless the password was changed.
//!
//! # What remains
//!
//! A receiver that has just started knows no sender, and takes the first advertisement that it
//! hears, even if it was recorded; later, one of each sender that is new to it, out of the last
//! [`BEHIND`].

use std::net::IpAddr;

use super::digest::{is_same, md5_96};
use super::replay::SenderMarks;
use super::Proof;
use crate::base::time::WallTime;
use crate::model::secret::Secret;
use crate::model::vrrp::Instance;
use crate::vrrp::receive::{Received, Reject};
use crate::wire::ah::{self, AuthHeader};
use crate::wire::ip::Ipv4Packet;

/// The numbers around the end, across which order is kept.
const AROUND_END: u32 = 0x1_0000;
/// How many numbers a new sender may be behind.
const BEHIND: u32 = 64;
/// The last number taken from the clock (2097); 2^28 numbers are left.
const LATEST: u32 = u32::MAX - (1 << 28);

/// What an instance remembers.
#[derive(Debug)]
pub struct HeaderGuard {
    /// The highest number that was sent or heard; 0: none.
    highest: u32,
    /// The numbers have begun again, so the clock is ahead of them.
    has_wrapped: bool,
    pub(super) heard: SenderMarks<u32>,
}

impl HeaderGuard {
    pub(super) fn new(config: &Instance) -> Self {
        Self { highest: 0, has_wrapped: false, heard: SenderMarks::new(config) }
    }

    pub(super) fn limit(&mut self, config: &Instance) {
        self.heard.limit(config);
    }

    /// The highest number, for a later run.
    pub(super) const fn highest(&self) -> u32 {
        self.highest
    }

    /// A run before this one has sent or heard this number.
    pub(super) fn follow(&mut self, highest: u32) {
        self.highest = self.highest.max(highest);
    }

    /// The number of the next advertisement.
    fn next(&mut self, wall: WallTime) -> u32 {
        let clock = u32::try_from(wall.0 / 1_000_000).unwrap_or(u32::MAX).min(LATEST);
        let next = self.highest.checked_add(1).unwrap_or(1);
        self.has_wrapped |= next < self.highest;
        self.highest = if self.has_wrapped { next } else { next.max(clock) };
        self.highest
    }

    pub(super) fn seal<'a>(
        &mut self,
        key: &Secret,
        wall: WallTime,
        mut copies: impl Iterator<Item = &'a mut [u8]>,
    ) -> bool {
        let sequence = self.next(wall);
        copies.all(|packet| seal(key, sequence, packet).is_some())
    }

    pub(super) fn verify(
        &self,
        key: &Secret,
        header: &AuthHeader<'_>,
        received: &Received<'_>,
    ) -> Result<Proof, Reject> {
        let (source, sequence) = (received.source, header.sequence());
        let spi = header.spi();
        if source != IpAddr::from(spi) {
            return Err(Reject::Spi { source, spi });
        }
        let (ip, fields, pdu) = header.covered();
        if !is_same(&md5_96(key, &[&ip, &fields, pdu]), header.digest()) {
            return Err(Reject::Digest { source });
        }
        let known = self.heard.of(source).map(|mark| mark.sequence);
        let last = known.unwrap_or_else(|| self.highest.saturating_sub(BEHIND));
        if !is_after(sequence, last) {
            return Err(Reject::Sequence { source, sequence, last });
        }
        Ok(Proof::Header(sequence))
    }

    /// An advertisement with this number was accepted.
    pub(super) fn note(&mut self, sequence: u32, received: &Received<'_>) {
        self.heard.set(received.source, sequence, received.arrived);
        if is_after(sequence, self.highest) {
            self.has_wrapped |= sequence < self.highest;
            self.highest = sequence;
        }
    }
}

/// Writes the sequence number and the digest into an IPv4 packet.
fn seal(key: &Secret, sequence: u32, packet: &mut [u8]) -> Option<()> {
    ah::set_sequence(ah::place(packet)?, sequence);
    let header = AuthHeader::parse(&Ipv4Packet::parse(packet).ok()?).ok()?;
    let (ip, fields, pdu) = header.covered();
    let digest = md5_96(key, &[&ip, &fields, pdu]);
    ah::set_digest(ah::place(packet)?, digest);
    Some(())
}

const fn is_after(sequence: u32, last: u32) -> bool {
    sequence > last || last > u32::MAX - AROUND_END && sequence < AROUND_END && sequence > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::vrrp::tests::instance;

    const fn at(seconds: u64) -> WallTime {
        WallTime(seconds * 1_000_000)
    }

    #[test]
    fn numbers_start_with_the_clock_and_never_go_back() {
        let mut guard = HeaderGuard::new(&instance("I", 1));
        assert_eq!(guard.next(at(1_800_000_000)), 1_800_000_000);
        assert_eq!(guard.next(at(1_800_000_000)), 1_800_000_001);
        assert_eq!(guard.next(at(7)), 1_800_000_002, "the clock was set back");
        assert_eq!(guard.next(at(1_800_000_009)), 1_800_000_009);
        guard.highest = 2_000_000_000;
        assert_eq!(guard.next(at(1_800_000_010)), 2_000_000_001, "heard from another router");
        let mut guard = HeaderGuard::new(&instance("I", 1));
        assert_eq!(guard.next(at(0)), 1, "no clock");
    }

    #[test]
    fn a_wrong_clock_does_not_use_the_numbers_up() {
        let mut guard = HeaderGuard::new(&instance("I", 1));
        assert_eq!(guard.next(at(1 << 40)), LATEST);
    }

    #[test]
    fn the_last_number_is_followed_by_the_first() {
        let mut guard = HeaderGuard::new(&instance("I", 1));
        guard.highest = u32::MAX - 1;
        let numbers = [(); 3].map(|()| guard.next(at(1_800_000_000)));
        assert_eq!(numbers, [u32::MAX, 1, 2]);
        assert!(is_after(1, u32::MAX) && is_after(0xffff, u32::MAX - 1));
        assert!(!is_after(0, u32::MAX) && !is_after(0x1_0000, u32::MAX));
        assert!(!is_after(1, u32::MAX - 0x1_0000) && !is_after(7, 7));
    }
}
