//! One real server: its checks, whether they leave it up, and the weight they leave it.

use std::rc::Rc;

use super::action::{Action, ServerRef};
use super::cause::ServerCause;
use super::operator::ServerOrder;
use super::slots::Slots;
use crate::base::ids::CheckId;
use crate::base::recalled::{RecalledCheck, RecalledServer};
use crate::base::time::Instant;
use crate::base::verdict::{Verdict, Weight};
use crate::model::check::{Check, Kind};
use crate::model::lvs::RealServer;

/// One check of a real server.
#[derive(Clone, Debug)]
pub struct CheckSlot {
    pub(super) id: CheckId,
    pub(super) config: Rc<Check>,
    up: bool,
    has_run: bool,
    weight: Weight,
    /// Until it has a result of its own.
    recalled: Option<Box<RecalledCheck>>,
}

impl CheckSlot {
    pub const fn id(&self) -> CheckId {
        self.id
    }

    pub const fn config(&self) -> &Rc<Check> {
        &self.config
    }

    pub const fn is_up(&self) -> bool {
        self.up
    }

    /// False until its first result.
    pub const fn has_run(&self) -> bool {
        self.has_run
    }

    /// What it was before the program was replaced.
    pub(super) fn recalled(&self) -> Option<RecalledCheck> {
        self.recalled.as_deref().cloned()
    }

    fn recalling(self, before: RecalledCheck) -> Self {
        let (weight, has_run) = (before.weight, before.had_run);
        // What was only assumed is assumed again, as the configuration has it now.
        let up = if has_run { before.was_up } else { self.up };
        Self { up, has_run, weight, recalled: Some(Box::new(before)), ..self }
    }

    /// Takes what was found. A server that is down keeps its weight for when it is up again.
    pub(super) fn take(&mut self, verdict: &Verdict) {
        self.recalled = None;
        self.has_run = true;
        self.up = verdict.is_up();
        if let Verdict::Up(weight) = *verdict {
            self.weight = weight;
        }
    }
}

/// One real server, beside its configuration in the virtual server.
#[derive(Clone, Debug)]
pub struct Server {
    up: bool,
    since: Instant,
    /// Effective: as last reported.
    weight: u32,
    /// What an operator ordered.
    pub(super) order: Option<ServerOrder>,
    pub(super) checks: Vec<CheckSlot>,
}

/// What became of the checks of a server that stays.
#[derive(Default)]
pub(super) struct Checks {
    pub(super) removed: Vec<CheckId>,
    pub(super) adjusted: Vec<usize>,
    pub(super) added: Vec<usize>,
}

impl Server {
    /// A new one: as it was before a restart; else up, unless a check wants to see it first (`alpha`).
    pub(super) fn new(
        config: &RealServer,
        RecalledServer { was_up, since, checks }: RecalledServer,
        now: Instant,
        slots: &mut Slots,
    ) -> Self {
        let mut before = checks.into_iter();
        let slot = |check: &Rc<Check>| {
            let new = new_slot(check, was_up.unwrap_or(!check.alpha), slots.vacant());
            match before.next().flatten() {
                Some(before) => new.recalling(before),
                None => new,
            }
        };
        let checks: Vec<CheckSlot> = config.checks.iter().map(slot).collect();
        let mut server = Self { up: false, since: now, weight: config.weight, order: None, checks };
        server.begin_with(config);
        if let (Some(since), true) = (since, was_up == Some(server.up)) {
            server.since = since;
        }
        server
    }

    /// Before the start: is what its checks and its order make of it.
    pub(super) fn begin_with(&mut self, config: &RealServer) {
        self.up = self.is_healthy();
        self.weight = self.effective_weight(config);
    }

    pub const fn is_up(&self) -> bool {
        self.up
    }

    /// Since when it is up or down.
    pub const fn since(&self) -> Instant {
        self.since
    }

    /// The weight it has while it is up: 0..=2,147,483,647.
    pub const fn weight(&self) -> u32 {
        self.weight
    }

    pub fn checks(&self) -> &[CheckSlot] {
        &self.checks
    }

    /// What an operator ordered.
    pub const fn order(&self) -> Option<ServerOrder> {
        self.order
    }

    /// Goes up or down, and returns the report of that.
    pub(super) fn turn(
        &mut self,
        up: bool,
        server: ServerRef,
        cause: ServerCause,
        now: Instant,
    ) -> Action {
        (self.up, self.since) = (up, now);
        Action::ServerChanged { server, up, cause }
    }

    /// Goes over to another weight, and returns the report of that.
    pub(super) fn weigh(&mut self, to: u32, server: ServerRef, cause: ServerCause) -> Action {
        let from = std::mem::replace(&mut self.weight, to);
        Action::WeightChanged { server, from, to, up: self.up, cause }
    }

    /// No check has failed, and no operator wants it to be down.
    pub(super) fn is_healthy(&self) -> bool {
        self.order != Some(ServerOrder::Disable) && self.checks.iter().all(|slot| slot.up)
    }

    /// The configured weight with what the checks say, within what IPVS can take; or what an operator
    /// wants in its place.
    pub(super) fn effective_weight(&self, config: &RealServer) -> u32 {
        match self.order {
            Some(ServerOrder::Drain) => return 0,
            Some(ServerOrder::Weight(weight)) => return weight.min(i32::MAX.unsigned_abs()),
            Some(ServerOrder::Disable) | None => {}
        }
        let configured = i64::from(config.weight);
        let sum = self.checks.iter().fold(configured, |sum, slot| match slot.weight {
            Weight::Unchanged => sum,
            Weight::Instead(weight) => sum.saturating_add(weight.saturating_sub(configured)),
            Weight::Plus(weight) => sum.saturating_add(weight),
        });
        u32::try_from(sum.clamp(0, i64::from(i32::MAX))).unwrap_or_default()
    }

    /// Takes over the checks of a new configuration. A check that is the same goes on as it is, and
    /// one that only has another schedule keeps its state.
    pub(super) fn adopt(&mut self, config: &RealServer, slots: &mut Slots) -> Checks {
        let mut old: Vec<Option<CheckSlot>> =
            std::mem::take(&mut self.checks).into_iter().map(Some).collect();
        let mut new: Vec<Option<CheckSlot>> = config.checks.iter().map(|_| None).collect();
        let mut found = Checks::default();
        for likeness in [Likeness::Whole, Likeness::Kind, Likeness::File] {
            for (n, check) in config.checks.iter().enumerate() {
                if new[n].is_some() {
                    continue;
                }
                let same = |slot: &CheckSlot| likeness.is_between(&slot.config, check);
                let Some(at) = old.iter().position(|o| o.as_ref().is_some_and(same)) else {
                    continue;
                };
                new[n] = old[at].take();
                if let Some(slot) = &mut new[n] {
                    slot.config = Rc::clone(check);
                }
                if likeness != Likeness::Whole {
                    found.adjusted.push(n);
                }
            }
        }
        found.removed = old.into_iter().flatten().map(|slot| slot.id).collect();
        let pairs = new.into_iter().zip(&config.checks).enumerate();
        for (n, (kept, check)) in pairs {
            self.checks.push(kept.unwrap_or_else(|| {
                found.added.push(n);
                // A server in use is not taken down because one more check is to see it first.
                new_slot(check, self.up || !check.alpha, slots.vacant())
            }));
        }
        found
    }
}

/// How much of a check is as it was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Likeness {
    Whole,
    /// It has another schedule.
    Kind,
    /// It follows the same file, which counts otherwise: what it says now is known at once, and
    /// the server must not seem up until then.
    File,
}

impl Likeness {
    fn is_between(self, old: &Check, new: &Check) -> bool {
        match (self, &old.kind, &new.kind) {
            (Self::Whole, ..) => old == new,
            (Self::Kind, old, new) => old == new,
            (Self::File, Kind::File(old), Kind::File(new)) => old.name == new.name,
            (Self::File, ..) => false,
        }
    }
}

fn new_slot(check: &Rc<Check>, up: bool, id: CheckId) -> CheckSlot {
    CheckSlot {
        id,
        config: Rc::clone(check),
        up,
        has_run: false,
        weight: Weight::Unchanged,
        recalled: None,
    }
}
