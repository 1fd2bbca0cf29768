//! What the states are entered with, and what time does to them: deadlines and transitions.
//!
//! Sections are those of RFC 9568; where keepalived differs, its behaviour is kept and named.

use super::action::{Action, Note, Phase};
use super::announce::{Contest, Round, Schedule};
use super::cause::Cause;
use super::state::{Backup, Master, PreemptDelay, State};
use super::{timing, Domain, Unread};
use crate::base::addr::Family;
use crate::base::ids::InstanceId;
use crate::base::time::{Duration, Instant};

/// The kernel answers that an IPv6 address is there, and uses it a moment later: with a busy host,
/// after some milliseconds.
const USABLE: Duration = Duration::from_millis(50);

impl Domain {
    /// §6.4.1 Initialize. `state MASTER` makes no difference: only the owner skips BACKUP.
    pub(super) fn begin(&mut self, id: InstanceId, now: Instant, out: &mut Vec<Action>) {
        let Some(i) = self.instance(id) else { return };
        if self.is_faulted(id) {
            self.become_fault(id, self.fault_cause(id), now, out);
        } else if self.is_pending(id) {
            // Quietly: whether anything is wrong will be known in a moment.
            if let Some(i) = self.instance_mut(id) {
                i.state.wait();
            }
            return;
        } else {
            let is_free = i.config.is_owner() && self.delayed_until(now).is_none();
            let resumed = self.take_recalled(id, now);
            if let Some(cause) = resumed.or_else(|| is_free.then_some(Cause::Owner)) {
                self.try_master(id, cause, now, out);
            }
            if self.instance(id).is_some_and(|i| i.phase() == Phase::Init) {
                self.become_backup(id, Cause::Started, now, now, out);
            }
        }
        self.recalled.remove(&id);
    }

    /// The addresses are there, so announcing them makes sense.
    pub(super) fn on_held(&mut self, id: InstanceId, now: Instant, out: &mut Vec<Action>) {
        let Some(i) = self.instance_mut(id) else { return };
        let (pause, family) = (i.pause(USABLE), i.config.family);
        let Some(m) = i.state.master() else { return };
        m.held = true;
        if m.is_quiet && family == Family::V6 {
            m.next_advert = m.next_advert.min(now + pause);
        } else {
            i.announce(id, now, out);
        }
        self.rearm(id);
    }

    /// Serves everything due: first what we owe others, then what we expect of them, unless it may
    /// be among what is unread.
    ///
    /// After a stall our own overdue advertisements go out before any peer is judged silent.
    pub(super) fn on_deadline(&mut self, unread: Unread<'_>, now: Instant, out: &mut Vec<Action>) {
        let mut due = std::mem::take(&mut self.due);
        while let Some((when, id)) = self.owed.pop_due(now) {
            self.absences.note(when, now);
            due.push(id);
        }
        self.take_expected(unread, now, &mut due);
        for &id in &due {
            // Before any member of its group says a word.
            self.step_back_after_stall(id, now, out);
        }
        for &id in &due {
            self.on_deadline_as_master(id, now, out);
        }
        for &id in &due {
            self.on_deadline_as_backup(id, now, out);
            self.rearm(id);
        }
        due.clear();
        self.due = due;
        let stays = self.owed.next().is_some_and(|next| next <= now);
        debug_assert!(!stays, "an advertisement stays due");
    }

    /// Adds the backups whose time is over, but for those who may find their master alive.
    fn take_expected(&mut self, unread: Unread<'_>, now: Instant, due: &mut Vec<InstanceId>) {
        if matches!(unread, Unread::Anything) {
            return;
        }
        let mut held_back = Vec::new();
        while let Some((when, id)) = self.expected.pop_due(now) {
            if unread.may_move(id, when) {
                held_back.push((id, when));
            } else {
                self.absences.note(when, now);
                due.push(id);
            }
        }
        for (id, when) in held_back {
            self.expected.set(id, Some(when));
        }
    }

    fn on_deadline_as_master(&mut self, id: InstanceId, now: Instant, out: &mut Vec<Action>) {
        let Some(i) = self.instance_mut(id) else { return };
        let config = i.config.clone();
        let Some(m) = i.state.master() else { return };
        if m.next_advert <= now && m.is_quiet && m.held {
            i.announce(id, now, out);
        } else if m.next_advert <= now {
            if std::mem::take(&mut m.owes_answer) {
                m.answered = Some(now);
            }
            m.next_advert = timing::next_in_schedule(m.next_advert, config.advert_interval, now);
            i.advertise(id, now, out);
            i.forget_notes(now);
            self.survive_contest(id, now, out);
        }
        let Some(i) = self.instance_mut(id) else { return };
        let Some(m) = i.state.master() else { return };
        let Round { repeat, extra } = m.announce.on_deadline(&config.garp, now);
        if repeat > 0 && m.held {
            out.push(Action::Announce { id, repeat });
        }
        if extra && m.held {
            out.push(Action::AnnounceElsewhere { id });
        }
    }

    /// Another router, which was master as well for a while, yielded. It may have drawn traffic to
    /// itself by then.
    fn survive_contest(&mut self, id: InstanceId, now: Instant, out: &mut Vec<Action>) {
        let Some(i) = self.instance_mut(id) else { return };
        let repeat = i.config.garp.repeat;
        let Some(m) = i.state.master().filter(|m| m.held) else { return };
        let Some(Contest { from, theirs }) = m.announce.take_won(now) else { return };
        self.note(id, Note::Contested { from, theirs }, now, out);
        out.push(Action::Announce { id, repeat });
    }

    /// `timer_expired_backup`: a master that slept longer than the others wait for it steps back
    /// without a word, and its group with it.
    pub(super) fn step_back_after_stall(
        &mut self,
        id: InstanceId,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(i) = self.instance(id) else { return };
        let State::Master(m) = i.state.get() else { return };
        let Some(highest_other) = i.config.timer_expired_backup else { return };
        let interval = i.config.advert_interval;
        let skew = timing::skew(i.config.version, highest_other, interval);
        let (late, silent) = (now.since(m.next_advert), now.since(m.last_advert));
        if late > 2 * interval + skew && silent > 3 * interval + skew {
            self.become_backup(id, Cause::OwnStall { late }, now, now, out);
            self.group_to_backup(id, now, out);
        }
    }

    /// §6.4.2: the master-down timer fires.
    fn on_deadline_as_backup(&mut self, id: InstanceId, now: Instant, out: &mut Vec<Action>) {
        let Some(i) = self.instance(id) else { return };
        let absent = self.absences.last(i.master_interval);
        let Some(i) = self.instance_mut(id) else { return };
        let chance = timing::second_chance(&i.config, i.priority, i.master_interval);
        let last = i.heard_before(now);
        let ours = i.priority;
        let Some(b) = i.state.backup() else { return };
        if b.master_down > now {
            return;
        }
        let until = absent.map(|ended| ended + chance).filter(|&until| until > now);
        if let (Some(until), false) = (until, b.second_chance) {
            let late = now.since(b.master_down);
            b.second_chance = true;
            b.master_down = until;
            self.note(id, Note::Stalled { late, until }, now, out);
            return;
        }
        let cause = match (b.resigned, b.discarded.as_deref(), last) {
            (Some(from), _, _) => Cause::Resigned { from, refused: b.refused.clone() },
            (None, Some((rival, _)), _) => {
                Cause::LowerPriority { from: rival.addr, theirs: rival.priority, ours }
            }
            (None, None, None) if i.config.is_owner() => Cause::Owner,
            (None, None, last) => {
                let since = last.map_or(b.silent_since, |h| (now - h.ago).max(b.silent_since));
                let refused = b.refused.clone();
                Cause::Silence { waited: now.since(since), last, refused }
            }
        };
        self.note(id, Note::Silence, now, out);
        self.try_master(id, cause, now, out);
    }

    /// Goes to MASTER: advertise first, then addresses, and gratuitous ARP once they are held. With
    /// a virtual MAC, and a master that still serves the addresses, it is the other way round.
    pub(super) fn become_master(
        &mut self,
        id: InstanceId,
        cause: Cause,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(i) = self.instance_mut(id) else { return };
        i.master_interval = i.config.advert_interval;
        let rival_until = i.state.backup().and_then(|b| b.rival_until()).filter(|&t| t > now);
        let is_quiet = rival_until.is_some() && i.config.advertises_from_vmac();
        let mut announce = Schedule::default();
        if let Some(until) = rival_until {
            announce.expect_rival(until);
        }
        let master = Master {
            next_advert: now + i.config.advert_interval,
            last_advert: now,
            asserted: None,
            answered: None,
            owes_answer: false,
            announce,
            held: false,
            is_quiet,
        };
        let changed = i.state.enter(id, State::Master(master), cause, now);
        i.counters.become_master += 1;
        if !is_quiet {
            out.push(Action::SendAdvert { id, priority: i.priority });
        }
        self.report(changed, out);
        out.push(Action::Want(id));
        self.rearm(id);
    }

    /// Goes to BACKUP. The deadline counts from `heard`: now, or the arrival of what beat us.
    pub(super) fn become_backup(
        &mut self,
        id: InstanceId,
        cause: Cause,
        heard: Instant,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let start = self.delayed_until(now).unwrap_or(heard);
        let delayed = self.delayed_until(now).is_some();
        let Some(i) = self.instance_mut(id) else { return };
        let from = i.phase();
        let wait =
            if delayed && i.config.is_owner() { start } else { start + i.master_down_interval() };
        let backup = Backup {
            master_down: wait,
            silent_since: start,
            preempt: PreemptDelay::Idle,
            resigned: None,
            discarded: None,
            wants_master: false,
            is_first: from == Phase::Init,
            second_chance: false,
            refused: None,
        };
        let changed = i.state.enter(id, State::Backup(backup), cause, now);
        if from == Phase::Master {
            i.counters.release_master += 1;
            out.push(Action::Release(id));
        }
        self.report(changed, out);
        self.rearm(id);
    }

    /// Goes to FAULT; a master says goodbye, if anything still carries it.
    pub(super) fn become_fault(
        &mut self,
        id: InstanceId,
        cause: Cause,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(i) = self.instance_mut(id) else { return };
        let from = i.phase();
        let changed = i.state.enter(id, State::Fault, cause, now);
        i.heard = None;
        i.master_interval = i.config.advert_interval;
        if from == Phase::Master {
            i.counters.release_master += 1;
            out.push(Action::SendAdvert { id, priority: 0 });
            out.push(Action::Release(id));
        }
        self.report(changed, out);
        self.rearm(id);
    }

    /// Leaves FAULT: as at the start, but with another cause.
    pub(super) fn recover(
        &mut self,
        id: InstanceId,
        cause: Cause,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(i) = self.instance(id) else { return };
        let unicast = matches!(i.config.delivery, crate::model::vrrp::Delivery::Unicast { .. });
        if i.config.is_owner() && self.delayed_until(now).is_none() {
            self.try_master(id, Cause::Owner, now, out);
        }
        if self.instance(id).is_some_and(|i| i.phase() == Phase::Fault) {
            self.become_backup(id, cause, now, now, out);
        }
        if unicast {
            out.push(Action::AnnounceSource { id });
        }
    }
}
