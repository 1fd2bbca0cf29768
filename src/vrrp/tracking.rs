//! What an instance depends on: interfaces, its source address, its socket.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::action::{Action, Phase};
use super::cause::Fault;
use super::instance::State;
use super::{Domain, LinkState};
use crate::base::ids::InstanceId;
use crate::base::time::Instant;

impl Domain {
    pub(super) fn on_link(
        &mut self,
        name: &str,
        state: LinkState,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        // Kept even if nobody depends on it yet: the instance that will may come with a reload.
        if self.links.insert(name.to_owned(), state) == Some(state) {
            return;
        }
        let concerned = self.watchers.get(name).cloned().unwrap_or_default();
        for id in concerned {
            self.reconsider(id, now, out);
        }
    }

    pub(super) fn on_source(
        &mut self,
        id: InstanceId,
        source: Option<IpAddr>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(i) = self.instance_mut(id) else { return };
        if i.source != source {
            i.source = source;
            self.reconsider(id, now, out);
        }
    }

    pub(super) fn on_socket(
        &mut self,
        id: InstanceId,
        error: Option<String>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(i) = self.instance_mut(id) else { return };
        if i.socket_error != error {
            i.socket_error = error;
            self.reconsider(id, now, out);
        }
    }

    /// Weighs one instance again and lets its state follow.
    pub(super) fn reconsider(&mut self, id: InstanceId, now: Instant, out: &mut Vec<Action>) {
        if let Some(were) = self.weigh(id, now, out) {
            self.settle(id, &were, now, out);
        }
    }

    /// Recomputes priority and faults of an instance that has begun; returns the faults there were
    /// before.
    pub(super) fn weigh(
        &mut self,
        id: InstanceId,
        now: Instant,
        out: &mut Vec<Action>,
    ) -> Option<BTreeSet<Fault>> {
        // Before `Start` not all is known, and its group must not suffer from that.
        self.instance(id).filter(|i| i.phase() != Phase::Init)?;
        self.weigh_first(id, now, out)
    }

    /// The same for one that is about to begin.
    pub(super) fn weigh_first(
        &mut self,
        id: InstanceId,
        now: Instant,
        out: &mut Vec<Action>,
    ) -> Option<BTreeSet<Fault>> {
        let (priority, faults) = self.instance(id)?.weigh(|name| self.link_state(name));
        let i = self.instance_mut(id)?;
        let were = std::mem::replace(&mut i.faults, faults);
        if priority != i.priority {
            let from = i.priority;
            let old_down = i.master_down_interval();
            i.priority = priority;
            let new_down = i.master_down_interval();
            if let State::Backup(b) = &mut i.state {
                let moved = (b.master_down + new_down.saturating_sub(old_down))
                    - old_down.saturating_sub(new_down);
                // What is due by this is due now, and not late.
                b.master_down = moved.max(now.min(b.master_down));
            }
            out.push(Action::PriorityChanged { id, from, to: priority });
            self.rearm(id);
        }
        Some(were)
    }
}
