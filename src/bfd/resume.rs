//! A session goes on in another program, and its neighbour notices nothing.
//!
//! A process that stands in for both sends packets in between. So the numbers of authenticated
//! packets go on above those that it used, and silence of the neighbour counts from the takeover
//! on: nothing was read before.

use std::rc::Rc;

use super::action::Action;
use super::auth::{Numbers, Sequences};
use super::poll::Poll;
use super::session::{Counts, Neighbor, Session};
use super::timing::{self, Offer};
use super::Domain;
use crate::base::ids::SessionId;
use crate::base::time::{micros, Duration, Instant};
use crate::model::bfd::{BfdAuthKind, BfdInstance};
use crate::wire::bfd::{Diag, SessionState};

/// What has to be known of a session to go on with it (RFC 5880 section 6.8.1). The fields are those
/// of [`Session`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Memory {
    pub discriminator: u32,
    pub state: SessionState,
    pub since: Instant,
    pub diag: Diag,
    pub neighbor: Option<Neighbor>,
    pub offer: Offer,
    pub min_tx: Duration,
    pub min_rx: Duration,
    pub poll: Poll,
    pub sent: Option<Instant>,
    /// `None`: it has no authentication.
    pub numbers: Option<Numbers>,
    pub counts: Counts,
}

/// What a stand-in has sent for a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stood {
    /// The last sequence number, of a session with authentication.
    pub number: Option<u32>,
    /// All packets of the session so far.
    pub sent: u64,
}

impl Memory {
    /// A stand-in has sent packets since; `None`: it did not say which.
    pub fn follow(&mut self, stood: Option<Stood>, now: Instant) {
        let most = self.most_since(now);
        if let Some(numbers) = &mut self.numbers {
            numbers.ours = match stood {
                Some(stood) => stood.number.unwrap_or(numbers.ours),
                None => numbers.ours.wrapping_add(most),
            };
        }
        self.counts.sent = stood.map_or(self.counts.sent, |stood| stood.sent);
    }

    /// The most numbers that packets sent periodically can have used since the last one.
    ///
    /// The neighbour refuses a number that is more than 3 * Detect Mult above the last one that it
    /// heard (RFC 5880 section 6.7.4). Packets are 75 to 100 % of an interval apart, so this is a
    /// third more than were sent, and a few: the next number is accepted if there were fewer than
    /// some 9 * Detect Mult packets.
    fn most_since(&self, now: Instant) -> u32 {
        let kind = self.numbers.as_ref().map(|numbers| numbers.kind);
        let (Some(BfdAuthKind::MeticulousSha1), Some(sent)) = (kind, self.sent) else {
            // The packets of a stand-in have the same contents, but for the first one.
            return 1;
        };
        let theirs = self.neighbor.map_or(Duration::ZERO, |n| n.offer.min_rx);
        let shortest = micros(timing::shortest(self.min_tx.max(theirs))).max(1);
        u32::try_from(micros(now.since(sent)) / shortest + 1).unwrap_or(u32::MAX)
    }
}

impl Session {
    /// For another program to go on with.
    pub fn memory(&self) -> Memory {
        Memory {
            discriminator: self.discriminator,
            state: self.state,
            since: self.since,
            diag: self.diag,
            neighbor: self.neighbor,
            offer: self.offer,
            min_tx: self.min_tx,
            min_rx: self.min_rx,
            poll: self.poll,
            sent: self.sent,
            numbers: self.config.auth.as_ref().map(|auth| self.sequences.numbers(auth)),
            counts: self.counts,
        }
    }
}

impl Domain {
    /// A session goes on. What the configuration has changed since is offered as at a reload.
    pub(super) fn on_resume(
        &mut self,
        id: SessionId,
        config: Rc<BfdInstance>,
        memory: Memory,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let known = memory.numbers.zip(config.auth.as_ref());
        let sequences = match known {
            Some((numbers, auth)) => Sequences::recalled(&numbers, auth),
            None => Sequences::new(self.unpredictable.draw()),
        };
        let Memory { discriminator, state, since, diag, neighbor, offer, .. } = memory;
        let Memory { min_tx, min_rx, poll, counts, .. } = memory;
        let new = Session::new(config, discriminator, sequences, since);
        let (sent, mut session) = (memory.sent, new);
        (session.state, session.diag, session.neighbor) = (state, diag, neighbor);
        (session.offer, session.min_tx, session.min_rx) = (offer, min_tx, min_rx);
        (session.poll, session.sent, session.counts) = (poll, sent, counts);
        session.second_chance = session.detection_time().map(|detection| now + detection);
        let before = session.timing();
        session.make_offer(id, now, out);
        let speaks = session.offer != offer || session.tx_interval().is_some();
        self.enrol(id, session);
        if speaks {
            self.transmit(id, false, now, out);
        }
        self.reschedule(id, &before, now, out);
    }

    /// This program goes on after all; a stand-in has sent packets.
    pub fn follow(&mut self, id: SessionId, stood: Option<Stood>, now: Instant) {
        let Some(s) = self.session_mut(id) else { return };
        let mut memory = s.memory();
        memory.follow(stood, now);
        s.counts = memory.counts;
        if let Some((numbers, auth)) = memory.numbers.zip(s.config.auth.as_ref()) {
            s.sequences = Sequences::recalled(&numbers, auth);
            // The next one differs from whatever was sent last.
            s.last = None;
        }
    }
}
