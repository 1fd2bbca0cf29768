//! Instances and groups come, change and go: start, reload, stop.

use std::rc::Rc;

use super::action::{Action, Phase};
use super::auth::Guard;
use super::cause::{Cause, GroupCause};
use super::group::Group;
use super::instance::Findings;
use super::instance::Instance;
use super::receive::AddressSet;
use super::state::PreemptDelay;
use super::Domain;
use crate::base::ids::{GroupId, InstanceId};
use crate::base::name::SharedName;
use crate::base::sorted::SortedMap;
use crate::base::sorted::SortedSet;
use crate::base::time::Instant;
use crate::model;
use crate::model::vrrp::{SyncGroup, Version, VirtualAddress};

impl Domain {
    pub(super) fn on_add(
        &mut self,
        id: InstanceId,
        config: Rc<model::vrrp::Instance>,
        now: Instant,
    ) {
        let slot = id.0 as usize;
        if self.instances.len() <= slot {
            self.instances.resize_with(slot + 1, || None);
        }
        self.instances[slot] = Some(Instance::new(config, now));
        self.rearm(id);
        self.retrack(id);
    }

    pub(super) fn on_start(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.skip_delay_if_resuming(now);
        if self.startup_until.is_none() && !self.startup_delay.is_zero() {
            self.startup_until = Some(now + self.startup_delay);
        }
        let start = out.len();
        let fresh: Vec<_> =
            self.instances().filter(|(_, i)| i.phase() == Phase::Init).map(|(id, _)| id).collect();
        for &id in &fresh {
            self.weigh_first(id, now, out);
        }
        for &id in &fresh {
            self.begin(id, now, out);
        }
        // Members that were there before follow a new one that is in FAULT.
        for id in fresh {
            self.follow_faults(id, Findings::default(), now, out);
        }
        for g in (0..self.groups.len()).filter_map(|n| u32::try_from(n).ok()) {
            self.report_group(GroupId(g), out);
        }
        groups_first(&mut out[start..]);
    }

    /// Names the groups and their members; called before `Start`, and at every reload.
    pub(super) fn on_groups(&mut self, groups: &[SyncGroup], now: Instant, out: &mut Vec<Action>) {
        let by_name: SortedMap<SharedName, InstanceId> =
            self.instances().map(|(id, i)| (i.config().name.clone(), id)).collect();
        let told: SortedMap<SharedName, Phase> =
            self.groups.drain(..).map(|g| (g.name().clone(), g.phase())).collect();
        let mut membership = vec![None; self.instances.len()];
        for (n, group) in groups.iter().enumerate() {
            let members: Vec<_> =
                group.members.iter().filter_map(|m| by_name.get(m.as_str())).copied().collect();
            for m in &members {
                membership[m.0 as usize] = Some(GroupId(number(n)));
            }
            let phase = told.get(&group.name).copied().unwrap_or(Phase::Init);
            self.groups.push(Group::new(group, members, phase));
        }
        for (n, group) in membership.into_iter().enumerate() {
            let id = InstanceId(number(n));
            let Some(i) = self.instance_mut(id) else { continue };
            i.group = group;
            self.retrack(id);
        }
        // All are weighed before any moves: what one hears of the others must be up to date.
        let all: Vec<_> = self.instances().map(|(id, _)| id).collect();
        let weighed: Vec<_> =
            all.into_iter().filter_map(|id| Some((id, self.weigh(id, now, out)?))).collect();
        for (id, were) in weighed {
            self.follow_faults(id, were, now, out);
        }
    }

    pub(super) fn on_adjust(
        &mut self,
        id: InstanceId,
        config: Rc<model::vrrp::Instance>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let delayed = self.delayed_until(now);
        let Some(i) = self.instance_mut(id) else { return };
        let old = std::mem::replace(&mut i.config, config);
        i.addresses = AddressSet::of(&i.config);
        i.forget_strangers();
        i.guard = Guard::adjusted(i.guard.take(), &i.config);
        let interval = i.config.advert_interval;
        if i.master_interval == old.advert_interval || i.config.version == Version::V2 {
            i.master_interval = interval;
        }
        self.retrack(id);
        self.reconsider(id, now, out);
        let Some(i) = self.instance_mut(id) else { return };
        let becomes_owner = i.config.is_owner() && !old.is_owner();
        let is_retimed = interval != old.advert_interval
            || i.config.version != old.version
            || i.config.down_timer_adverts != old.down_timer_adverts;
        let down = delayed.unwrap_or(now) + i.master_down_interval();
        if let Some(b) = i.state.backup() {
            if i.config.preempt_delay != old.preempt_delay {
                b.preempt = PreemptDelay::Idle;
            }
            if is_retimed {
                // What was heard before says nothing about the new interval.
                b.master_down = down;
            }
            match delayed {
                Some(until) if becomes_owner => b.master_down = until,
                None if becomes_owner => self.try_master(id, Cause::Owner, now, out),
                _ => {}
            }
        } else if let Some(m) = i.state.master() {
            m.next_advert = m.next_advert.min(now + interval);
            if m.held && i.config.garp != old.garp {
                m.announce.on_adjust(&i.config.garp, now);
            }
            if !old.holds_same(&i.config) {
                // An address more has to be announced when it is there; one less has not.
                let had: SortedSet<&Rc<VirtualAddress>> = old.all_addresses().collect();
                m.held &= i.config.all_addresses().all(|a| had.contains(a));
                out.push(Action::Want(id));
            }
        }
        self.rearm(id);
    }

    /// It says goodbye. It stays known until [`Domain::forget`], for the farewell needs its name and
    /// addresses.
    pub(super) fn on_remove(&mut self, id: InstanceId, now: Instant, out: &mut Vec<Action>) {
        self.resign(id, Phase::Deleted, Cause::Removed, now, out);
        for g in &mut self.groups {
            g.members.retain(|m| *m != id);
        }
    }

    /// Drops an instance that was removed.
    pub fn forget(&mut self, id: InstanceId) {
        if self.instances.get_mut(id.0 as usize).and_then(Option::take).is_some() {
            self.vacant.push(id);
        }
        self.refusals.forget(id);
        self.causes.remove(&id);
        self.ordered.remove(&id);
        self.recalled.remove(&id);
        self.heirs.forget(id);
        self.untrack(id);
        self.rearm(id);
    }

    /// An id that no instance has, for an instance that is to be added under it.
    pub fn vacant_id(&mut self) -> InstanceId {
        self.vacant.pop().unwrap_or_else(|| InstanceId(number(self.instances.len())))
    }

    pub(super) fn on_stop(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.orders.clear();
        let all: Vec<_> = self.instances().map(|(id, _)| id).collect();
        for id in all {
            self.resign(id, Phase::Stopped, Cause::Stopping, now, out);
        }
        for (n, g) in self.groups.iter_mut().enumerate() {
            out.push(g.enter(GroupId(number(n)), Phase::Stopped, GroupCause::Stopping));
        }
    }

    /// Ends: a master says goodbye with priority 0 (RFC 9568 §6.4.3).
    fn resign(
        &mut self,
        id: InstanceId,
        to: Phase,
        cause: Cause,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(i) = self.instance_mut(id) else { return };
        let from = i.phase();
        let changed = i.state.leave(id, to, cause, now);
        i.findings.edit(|f| {
            f.faults.clear();
            f.pending.clear();
        });
        if from == Phase::Master {
            i.counters.release_master += 1;
            out.push(Action::SendAdvert { id, priority: 0 });
            out.push(Action::Release(id));
        }
        out.push(changed);
        self.rearm(id);
    }
}

/// At the start keepalived logs the groups before their members.
fn groups_first(actions: &mut [Action]) {
    let is_change = |a: &Action| matches!(a, Action::Changed { .. });
    let from = actions.iter().position(is_change).unwrap_or(actions.len());
    actions[from..].sort_by_key(|action| match action {
        Action::GroupChanged { group, .. } => (0, group.0),
        _ => (1, 0),
    });
}

fn number(n: usize) -> u32 {
    u32::try_from(n).expect("fewer than 2^32 instances and groups")
}
