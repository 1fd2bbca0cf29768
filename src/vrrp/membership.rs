//! Sync groups, whose members are in FAULT, BACKUP or MASTER together.

use std::rc::Rc;

use super::action::{Action, Note, Phase};
use super::cause::{Cause, GroupCause};
use super::fault::Overcome;
use super::instance::Findings;
use super::instance::Instance;
use super::state::State;
use super::Domain;
use crate::base::ids::{GroupId, InstanceId};
use crate::base::time::Instant;

/// The member of a sync group that moved for a reason of its own.
#[derive(Debug)]
pub(super) struct Mover {
    id: InstanceId,
    cause: Rc<Cause>,
}

impl Domain {
    /// Lets the state of an instance and its group follow its faults, which `were` others before.
    pub(super) fn follow_faults(
        &mut self,
        id: InstanceId,
        were: Findings,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let members = self.with_group_of(id);
        if let Some(culprit) = self.culprit(id) {
            // The one at fault first, so that the log tells the story in order.
            for member in std::iter::once(id).chain(members) {
                let may_run = |i: &Instance| !matches!(i.state.get(), State::Init | State::Fault);
                if self.instance(member).is_some_and(may_run) {
                    self.blame(culprit, self.fault_cause(culprit));
                    self.become_fault(member, self.fault_cause(member), now, out);
                }
            }
        } else if !self.is_pending(id) {
            let cause = self.overcome(were);
            for member in members {
                match self.instance(member).map(|i| i.state.get()) {
                    Some(State::Fault) => {
                        self.blame(id, cause.clone());
                        self.recover(member, cause.clone(), now, out);
                    }
                    Some(State::Waiting) => self.begin(member, now, out),
                    _ => {}
                }
            }
        }
        self.report_group_of(id, out);
    }

    /// MASTER if the sync group agrees: every other member is MASTER or has no router to follow.
    /// Where a reload brought members together, one joins those that are MASTER when its own
    /// election is won.
    pub(super) fn try_master(
        &mut self,
        id: InstanceId,
        cause: Cause,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let members = self.with_group_of(id);
        let willing = |m: InstanceId, i: &Instance| match i.state.get() {
            State::Master(_) => true,
            State::Backup(b) => b.wants_master,
            // At the start, and after a fault, the members begin one after the other.
            State::Init | State::Waiting | State::Fault => {
                (i.config.is_owner() || self.resumes(m, now))
                    && i.findings.faults.is_empty()
                    && i.findings.pending.is_empty()
            }
        };
        let others = members.iter().copied().filter(|m| *m != id);
        let others = others.filter_map(|m| Some((m, self.instance(m)?)));
        let is_master = |(_, i): (_, &Instance)| i.phase() == Phase::Master;
        if others.clone().all(|(m, i)| willing(m, i)) || others.clone().any(is_master) {
            self.become_master(id, cause, now, out);
            let Some(cause) = self.group_cause(id) else { return };
            let waits = |i: &Instance| matches!(i.state.get(), State::Backup(b) if b.wants_master);
            for member in members {
                if self.instance(member).is_some_and(waits) {
                    self.become_master(member, cause.clone(), now, out);
                }
            }
            self.report_group_of(id, out);
            return;
        }
        let Some(i) = self.instance_mut(id) else { return };
        let down = now + i.master_down_interval();
        if let Some(b) = i.state.backup() {
            b.wants_master = true;
            b.master_down = down;
            self.note(id, Note::GroupNotReady, now, out);
            self.rearm(id);
        }
    }

    /// One member was beaten: the others go with it, without a farewell.
    pub(super) fn group_to_backup(&mut self, id: InstanceId, now: Instant, out: &mut Vec<Action>) {
        let Some(cause) = self.group_cause(id) else { return };
        for member in self.with_group_of(id) {
            if self.instance(member).is_some_and(|i| i.phase() == Phase::Master) {
                self.become_backup(member, cause.clone(), now, now, out);
            }
        }
        self.report_group_of(id, out);
    }

    /// This member follows another router, so its group cannot be MASTER. It is that only where a
    /// reload brought members together. They say goodbye, for no other router advertises for them.
    pub(super) fn group_gives_way(&mut self, id: InstanceId, now: Instant, out: &mut Vec<Action>) {
        let is_master = |i: &Instance| i.phase() == Phase::Master;
        for member in self.with_group_of(id) {
            if self.instance(member).is_some_and(is_master) {
                if let Some(heard) = self.instance(id).and_then(|i| i.heard) {
                    let (from, priority) = (heard.addr, heard.priority);
                    self.blame(id, Cause::Follows { from, priority });
                }
                out.push(Action::SendAdvert { id: member, priority: 0 });
            }
        }
        self.group_to_backup(id, now, out);
    }

    /// The member at fault: the instance itself, or else the first of its group.
    fn culprit(&self, id: InstanceId) -> Option<InstanceId> {
        let is_faulted =
            |m: &InstanceId| self.instance(*m).is_some_and(|i| !i.findings.faults.is_empty());
        std::iter::once(id).chain(self.with_group_of(id)).find(is_faulted)
    }

    /// Something is wrong with it, or with another member of its group.
    pub(super) fn is_faulted(&self, id: InstanceId) -> bool {
        self.culprit(id).is_some()
    }

    /// Something that matters to it, or to another member of its group, has no result yet.
    pub(super) fn is_pending(&self, id: InstanceId) -> bool {
        self.with_group_of(id)
            .into_iter()
            .any(|m| self.instance(m).is_some_and(|i| !i.findings.pending.is_empty()))
    }

    pub(super) fn fault_cause(&self, id: InstanceId) -> Cause {
        let own = self.instance(id).map(|i| &i.findings.faults);
        if let Some(own) = own.filter(|f| !f.is_empty()) {
            return Cause::Faults(own.iter().cloned().collect());
        }
        let of_group = self.culprit(id).and_then(|m| self.group_cause(m));
        of_group.unwrap_or(Cause::Faults(Vec::new()))
    }

    /// Why an instance may leave FAULT.
    fn overcome(&self, were: Findings) -> Cause {
        let now = |fault| Overcome::of(fault, |name| self.link_state(name), |o| self.state_of(o));
        match (were.faults.is_empty(), were.pending.is_empty()) {
            (false, _) => Cause::Recovered(were.faults.into_iter().map(now).collect()),
            (true, false) => Cause::FirstResult(were.pending),
            // What was wrong with a group it is no longer in.
            (true, true) => Cause::Reloaded,
        }
    }

    /// The instance and, if it is in a sync group, all its members in the group's order.
    pub(super) fn with_group_of(&self, id: InstanceId) -> Vec<InstanceId> {
        let group = self.instance(id).and_then(|i| i.group).and_then(|g| self.group(g));
        group.map_or_else(|| vec![id], |g| g.members.clone())
    }

    /// "The group follows this member"; `None` outside a group.
    fn group_cause(&self, id: InstanceId) -> Option<Cause> {
        let i = self.instance(id)?;
        let group = self.group(i.group?)?;
        let (group, member) = (group.name().to_owned(), i.config.name.clone());
        Some(Cause::Group { group, member })
    }

    /// Reports a change of state. What moves for a reason of its own may move its group.
    pub(super) fn report(&mut self, changed: Action, out: &mut Vec<Action>) {
        if let Action::Changed { id, ref cause, .. } = changed {
            let group = self.instance(id).and_then(|i| i.group);
            if let (Some(group), false) = (group, matches!(**cause, Cause::Group { .. })) {
                let mover = || Mover { id, cause: Rc::clone(cause) };
                self.movers.entry(group).or_insert_with(mover);
            }
        }
        out.push(changed);
    }

    /// If its group moves now, then because of this member.
    fn blame(&mut self, id: InstanceId, cause: Cause) {
        if let Some(group) = self.instance(id).and_then(|i| i.group) {
            self.movers.insert(group, Mover { id, cause: Rc::new(cause) });
        }
    }

    fn report_group_of(&mut self, id: InstanceId, out: &mut Vec<Action>) {
        if let Some(group) = self.instance(id).and_then(|i| i.group) {
            self.report_group(group, out);
        }
    }

    /// Reports the group's state if all its members agree on a new one.
    pub(super) fn report_group(&mut self, group: GroupId, out: &mut Vec<Action>) {
        let Some(g) = self.group(group) else { return };
        let mut phases = g.members.iter().filter_map(|m| self.instance(*m)).map(Instance::phase);
        let Some(phase) = phases.next() else { return };
        if phases.all(|p| p == phase) && phase != g.phase() && phase != Phase::Init {
            let cause = self.movers.remove(&group).and_then(|m| self.cause_of(m));
            let cause = cause.unwrap_or(GroupCause::Reloaded);
            out.push(self.groups[group.0 as usize].enter(group, phase, cause));
        }
    }

    fn cause_of(&self, Mover { id, cause }: Mover) -> Option<GroupCause> {
        let member = self.instance(id)?.config.name.clone();
        Some(GroupCause::Member { member, cause })
    }
}
