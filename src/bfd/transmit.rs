//! What is sent, and when (RFC 5880 section 6.8.7).

use super::action::{Action, Note};
use super::session::Session;
use super::timing::{earliest, next_send, on_wire, Timing};
use super::Domain;
use crate::base::ids::SessionId;
use crate::base::time::{Duration, Instant};
use crate::wire::bfd::{ControlPacket, SessionState};

impl Domain {
    /// Sends a packet now: because it is due, because its contents are new (`answer` is false), or
    /// in answer to a poll. An answer is beside the schedule.
    pub(super) fn transmit(
        &mut self,
        id: SessionId,
        answer: bool,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(s) = self.session_mut(id) else { return };
        if !s.may_speak() {
            return;
        }
        let control = s.control(answer);
        let is_new = s.last != Some(control);
        let says_more = s.last.is_none_or(|last| contents(last) != contents(control));
        s.last = Some(control);
        s.counts.sent += 1;
        if says_more || !answer {
            s.sent = Some(now);
            s.paced = None;
        }
        let config = &s.config;
        let signature = config.auth.as_ref().map(|auth| s.sequences.sign(auth, is_new));
        let packet = control.emit(signature.as_ref());
        out.push(Action::Send { id, packet, ttl: config.ttl });
    }

    /// Works out when the next packet is due after anything that may change that, and reports
    /// changed intervals. A session whose farewells are over is gone.
    pub(super) fn reschedule(
        &mut self,
        id: SessionId,
        before: &Timing,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(s) = self.sessions.get_mut(usize::from(id)).and_then(Option::as_mut) else {
            return;
        };
        let timing = s.timing();
        let interval = timing.tx_interval;
        if s.farewells == Some(0) || s.farewells.is_some() && interval.is_none() {
            self.forget(id, out);
            return;
        }
        if s.paced != interval || interval.is_none() {
            let multiplier = s.offer.multiplier;
            let next = |interval| match s.sent {
                Some(sent) => next_send(sent, interval, multiplier, &mut self.rng).max(now),
                None => now,
            };
            s.next_tx = interval.map(next);
            s.paced = interval;
        }
        if timing != *before && s.farewells.is_none() {
            if timing.remote.is_some() && before.remote.is_some() {
                match (before.tx_interval, timing.tx_interval) {
                    (Some(_), None) => s.note(id, Note::Silenced, now, out),
                    (None, Some(_)) => s.note(id, Note::Unsilenced, now, out),
                    _ => {}
                }
            }
            out.push(Action::Negotiated { id, now: timing, before: *before });
        }
        self.rearm(id);
    }

    /// A packet has arrived from the neighbour, and may have woken the daemon: if the next packet to
    /// it is due soon, it follows at once.
    pub(super) fn join(&mut self, id: SessionId, now: Instant, out: &mut Vec<Action>) {
        let Some(s) = self.session(id) else { return };
        let (Some(sent), Some(interval), None) = (s.sent, s.paced, s.farewells) else { return };
        if s.next_tx.is_some_and(|next| earliest(sent, interval) <= now && now < next) {
            self.on_due(id, now, out);
        }
    }

    /// Sends a packet that is due.
    pub(super) fn on_due(&mut self, id: SessionId, now: Instant, out: &mut Vec<Action>) {
        let Some(s) = self.session_mut(id) else { return };
        let before = s.timing();
        if let Some(left) = &mut s.farewells {
            *left = left.saturating_sub(1);
        }
        self.transmit(id, false, now, out);
        self.reschedule(id, &before, now, out);
    }
}

impl Session {
    /// A passive session waits until it is spoken to.
    fn may_speak(&self) -> bool {
        self.neighbor.is_some() || !self.config.passive
    }

    /// The longest interval between two packets; `None`: none are sent periodically.
    pub(super) fn tx_interval(&self) -> Option<Duration> {
        let Some(n) = &self.neighbor else {
            return self.may_speak().then_some(self.min_tx);
        };
        let is_up = |state| state == SessionState::Up;
        let is_quiet = n.demand && is_up(self.state) && is_up(n.state) && !self.is_polling();
        let is_wanted = !is_quiet && !n.offer.min_rx.is_zero();
        is_wanted.then(|| self.min_tx.max(n.offer.min_rx))
    }

    fn control(&self, answer: bool) -> ControlPacket {
        ControlPacket {
            diag: self.diag,
            state: self.state,
            // Never both.
            poll: self.is_polling() && !answer,
            final_: answer,
            independent: false,
            demand: false,
            multipoint: false,
            multiplier: self.offer.multiplier,
            my_discriminator: self.discriminator,
            your_discriminator: self.neighbor.map_or(0, |n| n.discriminator),
            min_tx: on_wire(self.offer.min_tx),
            min_rx: on_wire(self.offer.min_rx),
            min_echo_rx: 0,
        }
    }
}

/// What a packet says, apart from the poll sequence.
const fn contents(packet: ControlPacket) -> ControlPacket {
    ControlPacket { poll: false, final_: false, ..packet }
}
