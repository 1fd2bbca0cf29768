//! What an acceptable packet does to its session (RFC 5880 sections 6.2 and 6.8.6).

use super::action::{Action, Note};
use super::cause::Cause;
use super::poll::Poll;
use super::session::{Neighbor, Session};
use super::timing::Offer;
use super::Domain;
use crate::base::ids::SessionId;
use crate::base::time::Instant;
use crate::wire::bfd::{ControlPacket, Diag, SessionState};

/// An acceptable packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub(super) control: ControlPacket,
    /// With authentication, its sequence number.
    pub(super) sequence: Option<u32>,
    pub(super) arrived: Instant,
}

/// A change of state, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Move {
    pub(super) to: SessionState,
    /// `None`: as it was.
    pub(super) diag: Option<Diag>,
    pub(super) cause: Cause,
}

/// The state machine: what a packet does to a session. AdminDown is left by a start only.
pub(super) const fn next(ours: SessionState, packet: &ControlPacket) -> Option<Move> {
    use SessionState::{AdminDown, Down, Init, Up};
    let (to, cause) = match (ours, packet.state) {
        (AdminDown, _) | (Down, AdminDown | Up) | (Init, Down) | (Up, Init | Up) => return None,
        (Down, Down) => (Init, Cause::NeighborHeard),
        (Down, Init) | (Init, Init | Up) => (Up, Cause::NeighborHears),
        (Init | Up, AdminDown) => (Down, Cause::NeighborAdminDown),
        (Up, Down) => (Down, Cause::NeighborDown { diag: packet.diag }),
    };
    let diag = match to {
        Down => Some(Diag::NEIGHBOR_DOWN),
        Up => Some(Diag::NONE),
        AdminDown | Init => None,
    };
    Some(Move { to, diag, cause })
}

impl Domain {
    pub(super) fn hear(
        &mut self,
        id: SessionId,
        heard: &Heard,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(s) = self.session_mut(id) else { return };
        let control = &heard.control;
        let before = s.timing();
        s.counts.received += 1;
        s.take_note(heard);
        s.follow_poll(id, control.final_, now, out);
        if s.state == SessionState::AdminDown {
            if control.final_ && s.is_departing() {
                // The neighbour has answered: it knows.
                s.farewells = Some(0);
            }
            self.reschedule(id, &before, now, out);
            return;
        }
        let next = next(s.state, control);
        let change = next.map(|step| s.enter(id, step, now, out));
        if change.is_some() || control.poll {
            self.transmit(id, control.poll, now, out);
        }
        out.extend(change);
        self.reschedule(id, &before, now, out);
        self.join(id, now, out);
    }
}

impl Session {
    fn take_note(&mut self, heard: &Heard) {
        let control = &heard.control;
        self.neighbor = Some(Neighbor {
            discriminator: control.my_discriminator,
            state: control.state,
            diag: control.diag,
            demand: control.demand,
            offer: Offer::of(control),
            heard: heard.arrived,
        });
        self.second_chance = None;
        if let (Some(sequence), Some(detection)) = (heard.sequence, self.detection_time()) {
            self.sequences.accept(sequence, heard.arrived, detection);
        }
    }

    fn follow_poll(&mut self, id: SessionId, final_: bool, now: Instant, out: &mut Vec<Action>) {
        let before = self.poll;
        self.poll = before.after(final_);
        match (before.is_active(), self.poll.is_active()) {
            (true, false) => {
                self.note(id, Note::PollEnded, now, out);
                if self.poll == Poll::Ended {
                    (self.min_tx, self.min_rx) = (self.offer.min_tx, self.offer.min_rx);
                }
            }
            (false, true) => self.note(id, Note::PollStarted, now, out),
            _ => {}
        }
    }

    /// Changes the state, and what we offer with it. Returns what is to be reported.
    pub(super) fn enter(
        &mut self,
        id: SessionId,
        step: Move,
        now: Instant,
        out: &mut Vec<Action>,
    ) -> Action {
        let from = std::mem::replace(&mut self.state, step.to);
        self.since = now;
        self.diag = step.diag.unwrap_or(self.diag);
        self.counts.up += u64::from(step.to == SessionState::Up);
        self.counts.down += u64::from(from == SessionState::Up);
        self.make_offer(id, now, out);
        let remote = self.neighbor.map_or(Diag::NONE, |n| n.diag);
        let (to, cause, local) = (step.to, step.cause, self.diag);
        Action::Changed { id, from, to, cause, local, remote }
    }

    /// Offers what the configuration and the state demand, and asks the neighbour to confirm it.
    /// What could end the session if the neighbour did not know of it waits for that: a longer
    /// interval between our packets, a shorter one between its own (section 6.8.3).
    pub(super) fn make_offer(&mut self, id: SessionId, now: Instant, out: &mut Vec<Action>) {
        let is_up = self.state == SessionState::Up;
        let offer = Offer {
            min_tx: if is_up { self.config.min_tx } else { self.config.idle_tx },
            min_rx: self.config.min_rx,
            multiplier: self.config.multiplier,
        };
        if offer != self.offer {
            self.offer = offer;
            let before = self.poll;
            // A session that is not up asks when it is, at the latest: what it offers then differs.
            // Asking before that would have to end first, and keepalived answers by the way without
            // going over to the shorter interval.
            let asks = is_up || self.farewells.is_some();
            self.poll = if asks { before.requested() } else { Poll::Idle };
            if !before.is_active() && self.poll.is_active() {
                self.note(id, Note::PollStarted, now, out);
            }
        }
        if !is_up || offer.min_tx < self.min_tx {
            self.min_tx = offer.min_tx;
        }
        if !is_up || offer.min_rx > self.min_rx {
            self.min_rx = offer.min_rx;
        }
    }
}
