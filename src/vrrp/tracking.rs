//! What an instance depends on: interfaces, its source address, its socket, and what else it
//! tracks.

use super::action::Action;
use super::cause::{Factor, PriorityCause, PriorityChange};
use super::instance::{tracked, trackers, Findings, Instance, LastHeard};
use super::priority::reasons;
use super::state::State;
use super::{Domain, LinkState};
use crate::base::ids::InstanceId;
use crate::base::sorted::SortedSet;
use crate::base::time::{Duration, Instant};
use crate::base::tracked::{Finding, TrackState};
use crate::model::track::Object;

impl Domain {
    pub(super) fn on_link(
        &mut self,
        name: &str,
        state: LinkState,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        // Kept even if nothing depends on it yet: the instance that will may come with a reload.
        if self.links.insert(name.to_owned(), state) == Some(state) {
            return;
        }
        for id in self.link_watchers.of(name) {
            self.reconsider(id, now, out);
        }
    }

    pub(super) fn on_tracked(
        &mut self,
        object: &Object,
        state: TrackState,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        // Kept, as with links.
        if self.objects.get(object) == Some(&state) {
            return;
        }
        self.objects.insert(object.clone(), state);
        let concerned = self.object_watchers.of(object);
        // All are weighed before any moves: they may be members of one group.
        let weighed: Vec<_> =
            concerned.into_iter().filter_map(|id| Some((id, self.weigh(id, now, out)?))).collect();
        for (id, were) in weighed {
            self.follow_faults(id, were, now, out);
        }
    }

    /// Takes in what became of one thing that an instance needs.
    pub(super) fn on_need<T: PartialEq>(
        &mut self,
        id: InstanceId,
        need: impl FnOnce(&mut Instance) -> &mut T,
        value: T,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(known) = self.instance_mut(id).map(need) else { return };
        if *known != value {
            *known = value;
            self.reconsider(id, now, out);
        }
    }

    /// Weighs one instance again and lets its state follow.
    pub(super) fn reconsider(&mut self, id: InstanceId, now: Instant, out: &mut Vec<Action>) {
        if let Some(were) = self.weigh(id, now, out) {
            self.follow_faults(id, were, now, out);
        }
    }

    /// Recomputes priority and faults of an instance that has begun; returns what there was before.
    pub(super) fn weigh(
        &mut self,
        id: InstanceId,
        now: Instant,
        out: &mut Vec<Action>,
    ) -> Option<Findings> {
        // Before `Start` not all is known, and its group must not suffer from that.
        self.instance(id).filter(|i| !matches!(i.state.get(), State::Init))?;
        self.weigh_first(id, now, out)
    }

    /// The same for one that is about to begin.
    pub(super) fn weigh_first(
        &mut self,
        id: InstanceId,
        now: Instant,
        out: &mut Vec<Action>,
    ) -> Option<Findings> {
        let mut findings =
            self.instance(id)?.weigh(|name| self.link_state(name), |object| self.state_of(object));
        let (base, reason) = self.base_of(id)?;
        if let Some(kind) = self.lowered_by(id) {
            findings.lower(base, kind);
        }
        let ending = self.orders.ending.clone();
        let ending = ending.map(|(kind, end)| Factor::OrderOver(kind, end));
        let i = self.instance_mut(id)?;
        let priority = findings.priority(base);
        let base_changed = std::mem::replace(&mut i.base, base) != base;
        let reason = base_changed.then_some(reason);
        let before = i.findings.replace(findings);
        if priority != i.priority {
            let cause = PriorityCause(reasons(&before.shares, &i.findings.shares, reason, ending));
            let from = i.change_priority(priority, now);
            let change = PriorityChange { from, to: priority, cause: cause.clone() };
            i.priority_change = Some(Box::new(change));
            out.push(Action::PriorityChanged { id, from, to: priority, cause });
            self.rearm(id);
        }
        Some(before)
    }

    /// What is known of a tracked object.
    pub(super) fn state_of(&self, object: &Object) -> TrackState {
        let unknown = || match object {
            Object::Bfd(_) => TrackState::Down(Finding::NoSession),
            Object::Script(_) | Object::File(_) | Object::Process(_) => TrackState::Pending,
        };
        self.objects.get(object).cloned().unwrap_or_else(unknown)
    }

    /// Works out again what the instance depends on: its configuration or its group changed.
    pub(super) fn retrack(&mut self, id: InstanceId) {
        let Some(i) = self.instance(id) else { return };
        let group = i.group.and_then(|g| self.group(g));
        let (links, objects) =
            group.map_or((&[][..], &[][..]), |g| (&g.tracked_links[..], &g.tracked[..]));
        let (links, objects) = (trackers(&i.config, links), tracked(&i.config, objects));
        let Some(i) = self.instance_mut(id) else { return };
        (i.trackers, i.tracked) = (links, objects);
        let made = i.config.vlink.iter().map(|link| link.name.as_str().into());
        let own = i.config.interface.iter().chain(&i.config.vrf).cloned().chain(made);
        let names = i.trackers.iter().map(|t| t.interface.clone()).chain(own).collect();
        let objects = i.tracked.iter().map(|t| t.object.clone()).collect();
        self.link_watchers.watch(id, names);
        self.object_watchers.watch(id, objects);
    }

    /// The instance is gone.
    pub(super) fn untrack(&mut self, id: InstanceId) {
        self.link_watchers.watch(id, SortedSet::new());
        self.object_watchers.watch(id, SortedSet::new());
    }
}

impl Instance {
    /// Goes over to another priority; returns the one before.
    fn change_priority(&mut self, priority: u8, now: Instant) -> u8 {
        let old_down = self.master_down_interval();
        let from = std::mem::replace(&mut self.priority, priority);
        let new_down = self.master_down_interval();
        if let Some(b) = self.state.backup() {
            let moved = (b.master_down + new_down.saturating_sub(old_down))
                - old_down.saturating_sub(new_down);
            // What is due by this is due now, and not late.
            b.master_down = moved.max(now.min(b.master_down));
            self.follow_discarded();
        }
        from
    }

    /// The master that was not believed for its low priority is good enough for us now. To take over
    /// from it, because its next word comes only after our deadline, would be of no use.
    fn follow_discarded(&mut self) {
        let Some(b) = self.state.backup() else { return };
        let deserves = |found: &mut Box<(LastHeard, Duration)>| found.0.priority >= self.priority;
        let Some(found) = b.discarded.take_if(deserves) else { return };
        let (master, interval) = *found;
        self.heard = Some(master);
        self.learn_interval(interval);
        let down = master.at + self.master_down_interval();
        if let Some(b) = self.state.backup() {
            b.resigned = None;
            b.master_down = b.master_down.max(down);
        }
    }
}
