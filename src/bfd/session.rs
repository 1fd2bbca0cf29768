//! One session: what it knows, what it has counted.

use std::rc::Rc;

use super::auth::Sequences;
use super::poll::Poll;
use super::timing::{self, Offer, Timing};
use crate::base::ids::SessionId;
use crate::base::ratelimit::{Limiter, Rate};
use crate::base::time::{Duration, Instant};
use crate::model::bfd::BfdInstance;
use crate::wire::bfd::{ControlPacket, Diag, SessionState};

use super::action::{Action, Note};

/// A session. The names in the comments are those of RFC 5880 section 6.8.1.
#[derive(Debug)]
pub struct Session {
    pub(super) config: Rc<BfdInstance>,
    /// bfd.LocalDiscr, the same for as long as the session lives.
    pub(super) discriminator: u32,
    /// bfd.SessionState
    pub(super) state: SessionState,
    pub(super) since: Instant,
    /// bfd.LocalDiag
    pub(super) diag: Diag,
    /// `None`: bfd.RemoteDiscr is zero, and nothing else is known of the neighbour either.
    pub(super) neighbor: Option<Neighbor>,
    /// What our packets say.
    pub(super) offer: Offer,
    /// What counts until the neighbour has confirmed it.
    pub(super) min_tx: Duration,
    pub(super) min_rx: Duration,
    pub(super) poll: Poll,
    pub(super) sequences: Sequences,
    /// When the last periodic packet was sent, or one in its place.
    pub(super) sent: Option<Instant>,
    /// The last packet, without its authentication.
    pub(super) last: Option<ControlPacket>,
    pub(super) next_tx: Option<Instant>,
    /// The interval that `next_tx` was worked out from.
    pub(super) paced: Option<Duration>,
    /// Until when the neighbour has a second chance.
    pub(super) second_chance: Option<Instant>,
    /// No longer wanted: AdminDown packets still to be sent.
    pub(super) farewells: Option<u8>,
    pub(super) limits: Limiter<u8>,
    pub(super) counts: Counts,
}

/// What the last accepted packet said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Neighbor {
    /// bfd.RemoteDiscr
    pub discriminator: u32,
    /// bfd.RemoteSessionState
    pub state: SessionState,
    pub diag: Diag,
    /// bfd.RemoteDemandMode
    pub demand: bool,
    pub offer: Offer,
    /// When it arrived.
    pub heard: Instant,
}

/// Packets, and changes of state.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    pub sent: u64,
    pub received: u64,
    pub refused: u64,
    /// Times that the session went to Up, and from Up to another state.
    pub up: u64,
    pub down: u64,
}

impl Session {
    pub const fn config(&self) -> &Rc<BfdInstance> {
        &self.config
    }

    pub const fn state(&self) -> SessionState {
        self.state
    }

    /// When the session entered its state.
    pub const fn since(&self) -> Instant {
        self.since
    }

    pub const fn discriminator(&self) -> u32 {
        self.discriminator
    }

    /// Why it last left Up.
    pub const fn diag(&self) -> Diag {
        self.diag
    }

    /// What is known of the neighbour; `None` when it was not heard for the detection time.
    pub const fn neighbor(&self) -> Option<&Neighbor> {
        self.neighbor.as_ref()
    }

    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// A poll sequence is under way.
    pub const fn is_polling(&self) -> bool {
        self.poll.is_active()
    }

    /// It is removed, and its neighbour still has to hear of that.
    pub const fn is_departing(&self) -> bool {
        self.farewells.is_some()
    }

    pub fn timing(&self) -> Timing {
        Timing {
            local: self.offer,
            remote: self.neighbor.map(|n| n.offer),
            tx_interval: self.tx_interval(),
            detection: self.detection_time(),
        }
    }

    pub(super) fn detection_time(&self) -> Option<Duration> {
        Some(timing::detection_time(self.min_rx, &self.neighbor?.offer))
    }

    /// When silence has its next consequence.
    pub(super) fn expected(&self) -> Option<Instant> {
        match (self.neighbor, self.detection_time()) {
            (Some(n), Some(time)) => Some(self.second_chance.unwrap_or(n.heard + time)),
            _ => self.sequences.forgotten_at(),
        }
    }

    /// Logs a note, unless there were too many like it.
    pub(super) fn note(&mut self, id: SessionId, note: Note, now: Instant, out: &mut Vec<Action>) {
        /// A peer can cause any of these, but not often if it behaves.
        const EVENT: Rate = Rate::new(10, Duration::from_secs(6));
        if let Some(held_back) = self.limits.admit(note.kind(), None, EVENT, now) {
            out.push(Action::Noted { id, note, held_back });
        }
    }
}

impl Note {
    /// Above those of `Refusal::kind`.
    const fn kind(&self) -> u8 {
        match self {
            Self::PollStarted => 100,
            Self::PollEnded => 101,
            Self::Stalled { .. } => 102,
            Self::Silenced => 103,
            Self::Unsilenced => 104,
        }
    }
}
