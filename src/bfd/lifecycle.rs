//! Sessions come, change and go: start, reload, stop.

use std::rc::Rc;

use super::action::Action;
use super::auth::Sequences;
use super::cause::Cause;
use super::hear::Move;
use super::poll::Poll;
use super::session::{Counts, Session};
use super::timing::Offer;
use super::{peer, Domain};
use crate::base::ids::SessionId;
use crate::base::ratelimit::Limiter;
use crate::base::time::Instant;
use crate::model::bfd::BfdInstance;
use crate::wire::bfd::{Diag, SessionState};

/// Packets that say AdminDown after the first one, unless the neighbour confirms it. They are at
/// least a second apart, as those of any session that is not up.
const FAREWELLS: u8 = 2;

impl Domain {
    pub(super) fn on_add(
        &mut self,
        id: SessionId,
        config: Rc<BfdInstance>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        self.hurry_departures(&config, out);
        let discriminator = self.fresh_discriminator();
        let sequences = Sequences::new(self.unpredictable.draw());
        let session = Session::new(config, discriminator, sequences, now);
        let before = session.timing();
        self.enrol(id, session);
        self.transmit(id, false, now, out);
        self.reschedule(id, &before, now, out);
    }

    pub(super) fn enrol(&mut self, id: SessionId, session: Session) {
        let slot = usize::from(id);
        if self.sessions.len() <= slot {
            self.sessions.resize_with(slot + 1, || None);
        }
        self.by_discriminator.insert(session.discriminator, id);
        self.by_peer.insert(peer(&session.config), id);
        self.sessions[slot] = Some(session);
    }

    /// To the neighbour, a session that departs and a new one with the same address may be one: no
    /// farewell follows the first packet of the new one.
    fn hurry_departures(&mut self, config: &BfdInstance, out: &mut Vec<Action>) {
        let leaves = |s: &Session| {
            s.is_departing()
                && s.config.neighbor == config.neighbor
                && s.config.interface == config.interface
                && s.config.multihop == config.multihop
        };
        let leaving: Vec<_> =
            self.sessions().filter(|(_, s)| leaves(s)).map(|(id, _)| id).collect();
        leaving.into_iter().for_each(|id| self.forget(id, out));
    }

    pub(super) fn on_adjust(
        &mut self,
        id: SessionId,
        config: Rc<BfdInstance>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(s) = self.session_mut(id).filter(|s| !s.is_departing()) else { return };
        let (before, offer) = (s.timing(), s.offer);
        if s.config.auth != config.auth {
            s.sequences.forget();
        }
        s.config = config;
        s.make_offer(id, now, out);
        let is_new = s.offer != offer;
        if is_new {
            self.transmit(id, false, now, out);
        }
        self.reschedule(id, &before, now, out);
    }

    /// Says goodbye to the neighbour (section 6.8.16), as often as it takes.
    pub(super) fn depart(
        &mut self,
        id: SessionId,
        cause: Cause,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(s) = self.session_mut(id).filter(|s| !s.is_departing()) else { return };
        let before = s.timing();
        s.farewells = Some(FAREWELLS);
        let step = Move { to: SessionState::AdminDown, diag: Some(Diag::ADMIN_DOWN), cause };
        let change = s.enter(id, step, now, out);
        let peer = peer(&s.config);
        self.transmit(id, false, now, out);
        out.push(change);
        if self.by_peer.get(&peer) == Some(&id) {
            self.by_peer.remove(&peer);
        }
        self.reschedule(id, &before, now, out);
    }

    pub(super) fn on_stop(&mut self, now: Instant, out: &mut Vec<Action>) {
        let all: Vec<_> = self.sessions().map(|(id, _)| id).collect();
        all.into_iter().for_each(|id| self.depart(id, Cause::Stopping, now, out));
    }

    pub(super) fn forget(&mut self, id: SessionId, out: &mut Vec<Action>) {
        let session = self.sessions.get_mut(usize::from(id)).and_then(Option::take);
        if let Some(session) = session {
            self.by_discriminator.remove(&session.discriminator);
            out.push(Action::Gone(id));
        }
        self.rearm(id);
    }
}

impl Session {
    pub(super) fn new(
        config: Rc<BfdInstance>,
        discriminator: u32,
        sequences: Sequences,
        now: Instant,
    ) -> Self {
        let (min_tx, min_rx) = (config.idle_tx, config.min_rx);
        Self {
            offer: Offer { min_tx, min_rx, multiplier: config.multiplier },
            min_tx,
            min_rx,
            discriminator,
            state: SessionState::Down,
            since: now,
            diag: Diag::NONE,
            neighbor: None,
            poll: Poll::Idle,
            sequences,
            sent: None,
            last: None,
            next_tx: None,
            paced: None,
            second_chance: None,
            farewells: None,
            limits: Limiter::default(),
            counts: Counts::default(),
            config,
        }
    }
}
