//! Signed advertisements: HMAC-SHA-256, one of several keys, and a sequence number that is a time.
//!
//! # What a receiver accepts
//!
//! *Always*: from one sender, only a sequence number after the last one. What was accepted once is
//! not accepted again.
//!
//! *`anti_replay time`*: besides, the sequence number is within the window `w` of the own clock. The
//! last number of a sender is forgotten when it can do no more good, by the monotonic clock: 3`w`
//! after its arrival. It was then less than `w` ahead of the clock, so everything up to it is outside
//! the window by now, even if the clock was set back by `w` in the meantime. The number is also
//! forgotten when it is more than 2`w` ahead of the clock, which must have been set back by more than
//! `w`. So no sender is shut out for longer than 3`w`, whatever the clocks do.
//!
//! *`anti_replay monotonic`*: the clocks need not agree, so nothing can be forgotten. In return, a
//! sender whose clock was set back learns: its number follows every valid one that it hears, from any
//! sender. A router that refuses it takes over and advertises, with a number that follows the
//! refused ones; from then on both understand each other.
//!
//! # What a sender does
//!
//! The sequence number is the clock, or follows the last one if the clock is behind that: it does
//! not go back while the daemon runs, whatever it reloads. After a restart, the clock is ahead of
//! what was sent. With `time`, the number goes back to the clock if it is more than `w` ahead of it,
//! for the others would find it outside the window.
//!
//! # What remains
//!
//! A receiver that has just started knows no sender, so a recorded advertisement can be played back
//! to it once: with `time`, one of the last `w`; with `monotonic`, any with a key that is still
//! accepted. The same holds for a sender above the number of those remembered. With `time`, a clock
//! that is set back by more than `w` makes recordings of the repeated time valid again. In all these
//! cases, they keep the state that the recorded router had; a new state cannot be forged.

use std::net::IpAddr;

use super::digest::{is_same, sha_256_128};
use super::replay::{SenderMark, SenderMarks};
use super::Proof;
use crate::base::addr::Family;
use crate::base::time::{Duration, WallTime};
use crate::model::secret::Secret;
use crate::model::signing::{AntiReplay, Signing, SigningMode};
use crate::model::vrrp::{Authentication, Delivery, Instance};
use crate::vrrp::receive::{Received, Reject, Remark};
use crate::wire::ip::V4_HEADER_LEN;
use crate::wire::vrrp::trailer::{self, Sequence, Trailer, MAC_LEN, TRAILER_LEN};
use crate::wire::vrrp::Packet;

/// What an instance remembers.
#[derive(Debug)]
pub struct SignatureGuard {
    /// The last number sent; with `monotonic`, the last one sent or heard.
    last: Option<Sequence>,
    pub(super) heard: SenderMarks<Sequence>,
}

impl SignatureGuard {
    pub(super) fn new(config: &Instance) -> Self {
        Self { last: None, heard: SenderMarks::new(config) }
    }

    /// The last number that was sent, for a later run.
    pub(super) const fn last(&self) -> Option<Sequence> {
        self.last
    }

    /// A run before this one has sent this number.
    pub(super) const fn follow(&mut self, last: Sequence) {
        self.last = Some(last);
    }

    pub(super) fn limit(&mut self, config: &Instance) {
        self.heard.limit(config);
    }

    /// The sequence number of the next advertisement.
    fn next(&mut self, anti_replay: AntiReplay, wall: WallTime) -> Sequence {
        let clock = Sequence::at(wall);
        let follows = |last: &Sequence| match anti_replay {
            _ if clock.is_after(*last) => false,
            AntiReplay::Time { window } => last.ahead_of(wall) <= seconds(window),
            AntiReplay::Monotonic => true,
        };
        let next = self.last.filter(follows).map_or(clock, Sequence::next);
        self.last = Some(next);
        next
    }

    /// Without a signature if the mode says so.
    pub(super) fn seal<'a>(
        &mut self,
        signing: &Signing,
        family: Family,
        source: IpAddr,
        wall: WallTime,
        copies: impl Iterator<Item = &'a mut [u8]>,
    ) -> bool {
        if signing.mode == SigningMode::ReceiveOnly {
            return true;
        }
        let Some(key) = signing.key(signing.active) else { return false };
        let unsigned = trailer::emit(signing.active, self.next(signing.anti_replay, wall));
        // It does not cover the destination, so all copies have the same.
        let mut signed = None;
        for packet in copies {
            let Some((pdu, place)) = parts(packet, family) else { return false };
            if signed.is_none() {
                signed = sign(key, family, source, pdu, unsigned);
            }
            let Some(signed) = signed else { return false };
            *place = signed;
        }
        true
    }

    pub(super) fn verify(
        &self,
        signing: &Signing,
        received: &Received<'_>,
        packet: &Packet<'_>,
        config: &Instance,
    ) -> Result<(Proof, Option<Remark>), Reject> {
        let (source, wall) = (received.source, received.wall);
        let rest = packet.rest(config.family);
        if rest.len() < TRAILER_LEN {
            return match signing.mode {
                SigningMode::ReceiveOnly | SigningMode::Permissive => Ok((Proof::Nothing, None)),
                SigningMode::Enforce => Err(Reject::Unsigned { source }),
            };
        }
        if is_stranger(source, config) {
            return Err(Reject::UnknownPeer { source });
        }
        let trailer = Trailer::parse(rest).map_err(|_| Reject::Trailer { source })?;
        let sequence = trailer.sequence();
        let mut remark = None;
        if let AntiReplay::Time { window } = signing.anti_replay {
            let skew = sequence.ahead_of(wall).unsigned_abs();
            let window = seconds(window).unsigned_abs();
            if skew > window {
                return Err(Reject::Stale { source, skew, window });
            }
            if skew > window / 2 {
                remark = Some(Remark::ClockSkew { source, skew, window });
            }
        }
        let id = trailer.key_id();
        let key = signing.key(id).ok_or(Reject::UnknownKey { source, id })?;
        let mac = mac(key, config.family, source, packet, trailer.fields());
        if !mac.is_some_and(|mac| is_same(&mac, trailer.mac())) {
            return Err(Reject::Signature { source });
        }
        let last = self.heard.of(source).filter(|mark| counts(mark, signing, received));
        if last.is_some_and(|mark| !sequence.is_after(mark.sequence)) {
            return Err(Reject::Replayed { source });
        }
        Ok((Proof::Signature(sequence), remark))
    }

    /// An advertisement with this number was accepted.
    pub(super) fn note(&mut self, sequence: Sequence, received: &Received<'_>, config: &Instance) {
        self.heard.set(received.source, sequence, received.arrived);
        let Authentication::Signed(signing) = &config.authentication else { return };
        if signing.anti_replay == AntiReplay::Monotonic
            && self.last.is_none_or(|last| sequence.is_after(last))
        {
            self.last = Some(sequence);
        }
    }
}

/// Whether the last number of a sender still limits its next one.
fn counts(mark: &SenderMark<Sequence>, signing: &Signing, received: &Received<'_>) -> bool {
    let AntiReplay::Time { window } = signing.anti_replay else { return true };
    // Numbers are compared with the window in whole seconds.
    let forgotten = mark.at + 3 * window + Duration::from_secs(1);
    received.arrived < forgotten && mark.sequence.ahead_of(received.wall) <= 2 * seconds(window)
}

/// Unicast from an address that is no peer: `check_unicast_src` or not.
fn is_stranger(source: IpAddr, config: &Instance) -> bool {
    match &config.delivery {
        Delivery::Multicast { .. } => false,
        Delivery::Unicast { peers, .. } => peers.iter().all(|peer| peer.addr != source),
    }
}

fn seconds(window: Duration) -> i32 {
    i32::try_from(window.as_secs()).unwrap_or(i32::MAX / 2)
}

/// The advertisement in an emitted packet, and the place of its trailer.
fn parts(packet: &mut [u8], family: Family) -> Option<(&[u8], &mut [u8; TRAILER_LEN])> {
    let start = match family {
        Family::V4 => V4_HEADER_LEN,
        Family::V6 => 0,
    };
    let (pdu, place) = packet.get_mut(start..)?.split_last_chunk_mut()?;
    Some((pdu, place))
}

fn sign(
    key: &Secret,
    family: Family,
    source: IpAddr,
    pdu: &[u8],
    mut unsigned: [u8; TRAILER_LEN],
) -> Option<[u8; TRAILER_LEN]> {
    let packet = Packet::parse(pdu).ok()?;
    let fields = Trailer::parse(&unsigned).ok()?.fields();
    let mac = mac(key, family, source, &packet, fields)?;
    trailer::set_mac(&mut unsigned, mac);
    Some(unsigned)
}

/// Over the sender and the virtual router, the advertisement with a checksum of zero, and the
/// trailer with a HMAC of zero. `None` if the advertisement is shorter than its header implies.
fn mac(
    key: &Secret,
    family: Family,
    source: IpAddr,
    packet: &Packet<'_>,
    fields: &[u8],
) -> Option<[u8; MAC_LEN]> {
    let pseudo = trailer::pseudo_header(packet.version(), packet.vrid(), source);
    let (before, after) = packet.around_checksum(family)?;
    let pieces: [&[u8]; 6] = [&pseudo, before, &[0; 2], after, fields, &[0; MAC_LEN]];
    Some(sha_256_128(key, &pieces))
}
