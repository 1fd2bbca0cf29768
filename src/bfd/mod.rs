//! The BFD core: every session (RFC 5880, 5881, 5883). Pure: time comes in as an argument, what is
//! to be done goes out as actions.
//!
//! Asynchronous mode, without echo. `receive` decides what is acceptable and to which session it
//! belongs, `hear` what that does to a session, `expire` what silence does, `transmit` what is sent
//! and when, `poll` when the neighbour has confirmed a change, `lifecycle` how sessions come and go,
//! `resume` how they go on in another program.
//!
//! The neighbour may ask us to be quiet (Demand mode, or a Required Min RX Interval of zero), as the
//! RFC provides. We never ask for that, since then its silence would mean nothing.

use std::net::IpAddr;

use crate::base::absences::Absences;
use crate::base::deadlines::NumberedDeadlines;
use crate::base::ids::SessionId;
use crate::base::ratelimit::Limiter;
use crate::base::rng::Rng;
use crate::base::sorted::SortedMap;
use crate::base::time::Instant;
use crate::model::bfd::BfdInstance;

mod action;
mod auth;
mod cause;
mod discriminators;
mod expire;
mod hear;
mod input;
mod lifecycle;
mod poll;
mod receive;
mod refusal;
mod resume;
mod session;
#[cfg(test)]
mod tests;
mod timing;
mod transmit;

use discriminators::Unpredictable;

pub use crate::wire::bfd::{Diag, SessionState};
pub use action::{Action, Note};
pub use auth::Numbers;
pub use cause::Cause;
pub use input::{Input, Received};
pub use poll::Poll;
pub use refusal::Refusal;
pub use resume::{Memory, Stood};
pub use session::{Counts, Neighbor, Session};
pub use timing::{Offer, Timing};

/// What a packet without a discriminator of ours is matched with: the neighbour with its interface,
/// the port, and our own address if one is configured.
type Peer = (IpAddr, Option<String>, bool, Option<IpAddr>);

/// All BFD sessions of the daemon.
#[derive(Debug)]
pub struct Domain {
    sessions: Vec<Option<Session>>,
    by_discriminator: SortedMap<u32, SessionId>,
    by_peer: SortedMap<Peer, SessionId>,
    /// What we owe neighbours: packets.
    owed: NumberedDeadlines<SessionId>,
    /// What we expect of them. An unread packet may move it.
    expected: NumberedDeadlines<SessionId>,
    absences: Absences,
    /// For discriminators and sequence numbers.
    unpredictable: Unpredictable,
    /// For jitter.
    rng: Rng,
    /// Refused packets of no session.
    limits: Limiter<u8>,
    strangers: u64,
}

impl Domain {
    /// `secret` comes from the kernel: discriminators must not be guessed, since they protect
    /// sessions from forged packets.
    pub fn new(secret: [u8; 16]) -> Self {
        let mut unpredictable = Unpredictable::new(secret);
        let rng = Rng::new(unpredictable.draw().into());
        Self {
            sessions: Vec::new(),
            by_discriminator: SortedMap::new(),
            by_peer: SortedMap::new(),
            owed: NumberedDeadlines::default(),
            expected: NumberedDeadlines::default(),
            absences: Absences::default(),
            unpredictable,
            rng,
            limits: Limiter::default(),
            strangers: 0,
        }
    }

    /// Takes one fact. Appends what must be done, in the order it must be done.
    pub fn handle(&mut self, input: Input<'_>, now: Instant, out: &mut Vec<Action>) {
        match input {
            Input::Add { id, config } => self.on_add(id, config, now, out),
            Input::Resume { id, config, memory } => self.on_resume(id, config, memory, now, out),
            Input::Adjust { id, config } => self.on_adjust(id, config, now, out),
            Input::Remove { id } => self.depart(id, Cause::Removed, now, out),
            Input::Packet(received) => self.on_packet(&received, now, out),
            Input::Deadline => self.on_deadline(None, now, out),
            Input::DeadlineAmid { read_to } => self.on_deadline(Some(read_to), now, out),
            Input::Stop => self.on_stop(now, out),
        }
    }

    /// When `handle(Input::Deadline, ..)` next has work. Early calls do nothing.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.owed.next().into_iter().chain(self.expected.next()).min()
    }

    /// When a packet is next due, which nothing unread can change.
    pub fn next_owed(&self) -> Option<Instant> {
        self.owed.next()
    }

    pub fn session(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(usize::from(id))?.as_ref()
    }

    /// Every session, in the order of ids; those that depart included.
    pub fn sessions(&self) -> impl Iterator<Item = (SessionId, &Session)> {
        (0..).map(SessionId).zip(&self.sessions).filter_map(|(id, s)| Some((id, s.as_ref()?)))
    }

    /// An id for [`Input::Add`].
    pub fn vacant_id(&self) -> SessionId {
        let free = self.sessions.iter().position(Option::is_none);
        let index = free.unwrap_or(self.sessions.len());
        SessionId(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// Refused packets that belonged to no session.
    pub const fn strangers(&self) -> u64 {
        self.strangers
    }

    fn session_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.sessions.get_mut(usize::from(id))?.as_mut()
    }

    /// Files the deadlines of a session anew. Everything that changes a session ends here.
    fn rearm(&mut self, id: SessionId) {
        let session = self.session(id);
        let (owed, expected) = session.map_or((None, None), |s| (s.next_tx, s.expected()));
        self.owed.set(id, owed);
        self.expected.set(id, expected);
    }
}

fn peer(config: &BfdInstance) -> Peer {
    (config.neighbor, config.interface.clone(), config.multihop, config.source)
}
