//! Is this packet acceptable (RFC 5880 section 6.8.6), and to which session does it belong.
//!
//! The order of the checks is the RFC's, but for the hop limit, which is checked as soon as the
//! session is known (RFC 5881 section 5).

use super::hear::Heard;
use super::input::Received;
use super::refusal::Refusal;
use super::{Action, Domain};
use crate::base::ids::SessionId;
use crate::base::ratelimit::Rate;
use crate::base::time::{Duration, Instant};
use crate::model::bfd::BfdInstance;
use crate::wire::bfd::{self as wire, ControlPacket, Packet, SessionState};

/// A state of affairs, which does not change from packet to packet.
const CONDITION: Rate = Rate::new(1, Duration::from_secs(60));

impl Domain {
    pub(super) fn on_packet(
        &mut self,
        received: &Received<'_>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        self.absences.note(received.arrived, now);
        match self.examine(received) {
            Ok((id, heard)) => self.hear(id, &heard, now, out),
            Err((id, reason)) => self.refuse(id, received, reason, now, out),
        }
    }

    fn examine(
        &self,
        received: &Received<'_>,
    ) -> Result<(SessionId, Heard), (Option<SessionId>, Refusal)> {
        let (packet, control) = check(received.payload).map_err(|reason| (None, reason))?;
        let id = self.select(received, &control).map_err(|reason| (None, reason))?;
        let Some(session) = self.session(id) else { return Err((None, Refusal::UnknownNeighbor)) };
        let config = &session.config;
        let sequence = check_ttl(received, config)
            .and_then(|()| session.sequences.check(&packet, config.auth.as_ref()))
            .map_err(|reason| (Some(id), reason))?;
        Ok((id, Heard { control, sequence, arrived: received.arrived }))
    }

    /// By our discriminator, and then it must come from the right neighbour on the right port:
    /// otherwise the hop limit and the addresses would protect nothing. Without a discriminator, by
    /// the addresses.
    fn select(
        &self,
        received: &Received<'_>,
        control: &ControlPacket,
    ) -> Result<SessionId, Refusal> {
        let (from, number) = (received.source, control.your_discriminator);
        if number != 0 {
            let id = self.by_discriminator.get(&number).copied();
            let id = id.ok_or(Refusal::UnknownDiscriminator(number))?;
            let fits = |c: &BfdInstance| {
                let ends = (c.neighbor, c.interface.as_deref(), c.multihop);
                ends == (from, received.interface, received.multihop)
            };
            let is_ours = self.session(id).is_some_and(|s| fits(&s.config));
            return is_ours.then_some(id).ok_or(Refusal::ForeignDiscriminator(number));
        }
        if !matches!(control.state, SessionState::Down | SessionState::AdminDown) {
            return Err(Refusal::NoDiscriminator);
        }
        let by_own_address = received.destination.map(Some);
        [by_own_address, Some(None)]
            .into_iter()
            .flatten()
            .find_map(|own| {
                let interface = received.interface.map(str::to_owned);
                self.by_peer.get(&(from, interface, received.multihop, own)).copied()
            })
            .ok_or(Refusal::UnknownNeighbor)
    }

    fn refuse(
        &mut self,
        id: Option<SessionId>,
        received: &Received<'_>,
        reason: Refusal,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let from = received.source;
        let limits = match id.and_then(|id| self.sessions.get_mut(usize::from(id))?.as_mut()) {
            Some(session) => {
                session.counts.refused += 1;
                &mut session.limits
            }
            None => {
                self.strangers += 1;
                &mut self.limits
            }
        };
        if let Some(held_back) = limits.admit(reason.kind(), Some(from), CONDITION, now) {
            out.push(Action::Refused { id, from, reason, held_back });
        }
    }
}

/// What can be checked without a session.
fn check(payload: &[u8]) -> Result<(Packet<'_>, ControlPacket), Refusal> {
    let len = payload.len();
    let packet = Packet::parse(payload).map_err(|_| Refusal::TooShort { len })?;
    if packet.version() != wire::VERSION {
        return Err(Refusal::Version(packet.version()));
    }
    if !packet.is_length_valid() {
        return Err(Refusal::Length { claimed: packet.length(), len });
    }
    let control = packet.control();
    if control.multiplier == 0 {
        return Err(Refusal::ZeroMultiplier);
    }
    if control.multipoint {
        return Err(Refusal::Multipoint);
    }
    if control.my_discriminator == 0 {
        return Err(Refusal::ZeroDiscriminator);
    }
    Ok((packet, control))
}

/// RFC 5881 section 5: a router would have decremented it. A packet whose hop limit the kernel did
/// not report is as good as one from afar.
fn check_ttl(received: &Received<'_>, config: &BfdInstance) -> Result<(), Refusal> {
    let Some(max_hops) = config.max_hops else { return Ok(()) };
    let (ttl, least) = (received.ttl.unwrap_or(0), u8::MAX - max_hops);
    if ttl < least {
        return Err(Refusal::Ttl { ttl, least });
    }
    Ok(())
}
