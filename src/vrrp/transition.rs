//! What each fact does to the state of one virtual router, with the section beside it.
//!
//! Sections are those of RFC 9568; where keepalived differs, its behaviour is kept and named.

use std::net::IpAddr;

use super::action::{Action, Note, Phase};
use super::announce::Schedule;
use super::cause::Cause;
use super::instance::{Backup, LastHeard, Master, PreemptDelay, State};
use super::receive::{self, Advert, Received};
use super::{timing, Domain, LinkState};
use crate::base::ids::InstanceId;
use crate::base::time::Instant;

/// Lines that a peer can cause, apart from those of `receive`, whose numbers are below these.
mod complaint {
    pub(super) const LOWER_PRIORITY: u16 = 1000;
    pub(super) const DISCARDED: u16 = 1001;
    pub(super) const MASTER_IS: u16 = 1002;
}

impl Domain {
    /// §6.4.1 Initialize. `state MASTER` makes no difference: only the owner skips BACKUP.
    pub(super) fn begin(&mut self, id: InstanceId, now: Instant, out: &mut Vec<Action>) {
        let Some(i) = self.instance(id) else { return };
        if self.is_faulted(id) {
            self.become_fault(id, self.fault_cause(id), now, out);
        } else if i.config.is_owner() && self.delayed_until(now).is_none() {
            self.try_master(id, Cause::Owner, now, out);
            if self.instance(id).is_some_and(|i| i.phase() == Phase::Init) {
                self.become_backup(id, Cause::Started, now, now, out);
            }
        } else {
            self.become_backup(id, Cause::Started, now, now, out);
        }
    }

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

    /// The addresses are there, so announcing them makes sense.
    pub(super) fn on_held(&mut self, id: InstanceId, now: Instant, out: &mut Vec<Action>) {
        let Some(i) = self.instance_mut(id) else { return };
        let garp = i.config.garp;
        if let State::Master(m) = &mut i.state {
            m.held = true;
            let repeat = m.announce.on_held(&garp, now);
            out.push(Action::Announce { id, repeat });
            self.rearm(id);
        }
    }

    pub(super) fn on_packet(
        &mut self,
        id: InstanceId,
        packet: &Received<'_>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        if self.delayed_until(now).is_some() {
            return;
        }
        self.absences.note(packet.arrived, now);
        // Somebody else may be master by now: answering what waited for us would depose him.
        self.step_back_after_stall(id, now, out);
        let Some(i) = self.instance_mut(id) else { return };
        let compare_addresses = match &i.state {
            State::Init | State::Fault => return,
            State::Master(_) => true,
            State::Backup(_) => {
                !i.config.skip_check_adv_addr
                    || i.heard.is_none_or(|heard| heard.addr != packet.source)
            }
        };
        let context = receive::Context {
            config: &i.config,
            source: i.source,
            effective_priority: i.priority,
            compare_addresses,
        };
        match receive::examine(packet, &context, &mut i.counters) {
            Ok((advert, remarks)) => {
                for remark in remarks {
                    if let Some(held_back) = i.may_complain(remark.kind(), now) {
                        let note = Note::Remarked { remark, held_back };
                        out.push(Action::Noted { id, note });
                    }
                }
                self.on_advert(id, &advert, now, out);
            }
            Err(reason) => {
                if let Some(held_back) = i.may_complain(reason.kind(), now) {
                    let note = Note::Rejected { reason, held_back };
                    out.push(Action::Noted { id, note });
                }
            }
        }
    }

    /// An acceptable advertisement: §6.4.2 as backup, §6.4.3 as master.
    fn on_advert(&mut self, id: InstanceId, advert: &Advert, now: Instant, out: &mut Vec<Action>) {
        match self.instance(id).map(|i| &i.state) {
            Some(State::Backup(_)) => {
                self.on_advert_as_backup(id, advert, now, out);
                self.rearm(id);
            }
            Some(State::Master(_)) => {
                self.on_advert_as_master(id, advert, now, out);
                self.rearm(id);
            }
            _ => {}
        }
    }

    fn on_advert_as_backup(
        &mut self,
        id: InstanceId,
        advert: &Advert,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(i) = self.instance_mut(id) else { return };
        let config = i.config.clone();
        let skew = timing::skew(config.version, i.priority, i.master_interval);
        let State::Backup(b) = &mut i.state else { return };
        if advert.priority == 0 {
            b.master_down = advert.arrived + skew;
            b.resigned = Some(advert.source);
            out.push(Action::Noted { id, note: Note::Goodbye { from: advert.source } });
            return;
        }
        let lower = advert.priority < i.priority;
        if !lower && b.preempt != PreemptDelay::Idle {
            b.preempt = PreemptDelay::Idle;
            out.push(Action::Noted { id, note: Note::PreemptDelayStopped });
        }
        if lower && !config.nopreempt {
            let tolerated = match b.preempt {
                PreemptDelay::Until(until) => advert.arrived < until,
                PreemptDelay::Idle if config.preempt_delay.is_zero() => false,
                PreemptDelay::Idle => {
                    b.preempt = PreemptDelay::Until(advert.arrived + config.preempt_delay);
                    let note = Note::PreemptDelayStarted(config.preempt_delay);
                    out.push(Action::Noted { id, note });
                    true
                }
            };
            if !tolerated {
                // The deadline goes on: this router is not one to be followed.
                if i.may_complain(complaint::DISCARDED, now).is_some() {
                    let note = Note::Discarded { from: advert.source, theirs: advert.priority };
                    out.push(Action::Noted { id, note });
                }
                return;
            }
        }
        b.resigned = None;
        b.wants_master = false;
        b.second_chance = false;
        let before = i.heard.map(|h| h.addr);
        i.heard =
            Some(LastHeard { addr: advert.source, priority: advert.priority, at: advert.arrived });
        let is_news = before != Some(advert.source);
        if is_news && i.may_complain(complaint::MASTER_IS, now).is_some() {
            let note = Note::MasterIs { addr: advert.source, before };
            out.push(Action::Noted { id, note });
        }
        i.learn_interval(advert.interval);
        let down = advert.arrived + i.master_down_interval();
        if let State::Backup(b) = &mut i.state {
            b.master_down = down;
        }
    }

    fn on_advert_as_master(
        &mut self,
        id: InstanceId,
        advert: &Advert,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(i) = self.instance_mut(id) else { return };
        let (ours, theirs) = (i.priority, advert.priority);
        let from = advert.source;
        if theirs == 0 {
            self.send_advert(id, now, out);
            return;
        }
        if theirs == 255 && ours == 255 {
            out.push(Action::Noted { id, note: Note::OwnerConflict { from } });
        }
        let higher_address = i.source.is_none_or(|own| address_order(&from) > address_order(&own));
        if theirs > ours || theirs == ours && higher_address {
            let cause = if theirs > ours {
                Cause::HigherPriority { from, theirs, ours }
            } else {
                Cause::HigherAddress { from, ours: i.source, priority: ours }
            };
            if i.config.higher_prio_send_advert {
                self.send_advert(id, now, out);
            }
            self.yield_to(id, advert, cause, now, out);
        } else if theirs == ours && i.source == Some(from) {
            out.push(Action::Noted { id, note: Note::SameAddress { from } });
        } else {
            self.on_lower_priority(id, advert, now, out);
        }
    }

    /// §6.4.3: somebody less entitled advertises. keepalived answers at once, and announces the
    /// addresses again, because that router may have drawn traffic to itself.
    fn on_lower_priority(
        &mut self,
        id: InstanceId,
        advert: &Advert,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(i) = self.instance_mut(id) else { return };
        let State::Master(m) = &mut i.state else { return };
        // After a stall there are many of them to read; one answer is enough for all.
        let settled = advert.arrived < m.asserted;
        m.asserted = now;
        let answered = !settled && !i.config.lower_prio_no_advert;
        if i.may_complain(complaint::LOWER_PRIORITY, now).is_some() {
            let (from, theirs, ours) = (advert.source, advert.priority, i.priority);
            out.push(Action::Noted {
                id,
                note: Note::LowerPriority { from, theirs, ours, answered },
            });
        }
        if settled {
            return;
        }
        if answered {
            self.send_advert(id, now, out);
        }
        for member in self.with_group_of(id) {
            let Some(i) = self.instance_mut(member) else { continue };
            let garp = i.config.garp;
            match &mut i.state {
                // Before that, the round that comes with `held` will do.
                State::Master(m) if m.held => {
                    let repeat = m.announce.on_lower_priority(&garp, now);
                    if repeat > 0 {
                        out.push(Action::Announce { id: member, repeat });
                    }
                    self.rearm(member);
                }
                _ => {}
            }
        }
    }

    /// Master to backup because of a better router.
    fn yield_to(
        &mut self,
        id: InstanceId,
        advert: &Advert,
        cause: Cause,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        if let Some(i) = self.instance_mut(id) {
            i.heard = Some(LastHeard {
                addr: advert.source,
                priority: advert.priority,
                at: advert.arrived,
            });
            i.master_interval = i.config.advert_interval;
            i.learn_interval(advert.interval);
        }
        self.become_backup(id, cause, advert.arrived, now, out);
        self.group_to_backup(id, now, out);
    }

    /// Sends one advertisement out of turn; the schedule starts afresh from it.
    fn send_advert(&mut self, id: InstanceId, now: Instant, out: &mut Vec<Action>) {
        let Some(i) = self.instance_mut(id) else { return };
        let (priority, interval) = (i.priority, i.config.advert_interval);
        if let State::Master(m) = &mut i.state {
            m.next_advert = now + interval;
            m.last_advert = now;
            out.push(Action::SendAdvert { id, priority });
        }
    }

    /// Serves everything due: first what we owe others, then what we expect of them.
    ///
    /// After a stall our own overdue advertisements go out before any peer is judged silent.
    pub(super) fn on_deadline(&mut self, now: Instant, out: &mut Vec<Action>) {
        let mut due = std::mem::take(&mut self.due);
        while let Some((when, id)) = self.deadlines.pop_due(now) {
            self.absences.note(when, now);
            due.push(id);
        }
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
        debug_assert!(self.next_deadline().is_none_or(|next| next > now), "a deadline stays due");
    }

    fn on_deadline_as_master(&mut self, id: InstanceId, now: Instant, out: &mut Vec<Action>) {
        let Some(i) = self.instance_mut(id) else { return };
        let config = i.config.clone();
        let priority = i.priority;
        let State::Master(m) = &mut i.state else { return };
        if m.next_advert <= now {
            m.next_advert = timing::next_in_schedule(m.next_advert, config.advert_interval, now);
            m.last_advert = now;
            out.push(Action::SendAdvert { id, priority });
        }
        let repeat = m.announce.on_deadline(&config.garp, now);
        if repeat > 0 && m.held {
            out.push(Action::Announce { id, repeat });
        }
    }

    /// `timer_expired_backup`: a master that slept longer than the others wait for it steps back
    /// without a word, and its group with it.
    fn step_back_after_stall(&mut self, id: InstanceId, now: Instant, out: &mut Vec<Action>) {
        let Some(i) = self.instance(id) else { return };
        let (Some(highest_other), State::Master(m)) = (i.config.timer_expired_backup, &i.state)
        else {
            return;
        };
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
        let State::Backup(b) = &mut i.state else { return };
        if b.master_down > now {
            return;
        }
        let until = absent.map(|ended| ended + chance).filter(|&until| until > now);
        if let (Some(until), false) = (until, b.second_chance) {
            let late = now.since(b.master_down);
            b.second_chance = true;
            b.master_down = until;
            out.push(Action::Noted { id, note: Note::Stalled { late, until } });
            return;
        }
        let cause = match (b.resigned, last) {
            (Some(from), _) => Cause::Resigned { from },
            (None, None) if i.config.is_owner() => Cause::Owner,
            (None, last) => {
                let since = last.map_or(b.silent_since, |h| (now - h.ago).max(b.silent_since));
                Cause::Silence { waited: now.since(since), last }
            }
        };
        out.push(Action::Noted { id, note: Note::Silence });
        self.try_master(id, cause, now, out);
    }

    /// Goes to MASTER: advertise first, then addresses, and gratuitous ARP once they are held.
    pub(super) fn become_master(
        &mut self,
        id: InstanceId,
        cause: Cause,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(i) = self.instance_mut(id) else { return };
        let from = i.phase();
        i.master_interval = i.config.advert_interval;
        i.state = State::Master(Master {
            next_advert: now + i.config.advert_interval,
            last_advert: now,
            asserted: Instant::ZERO,
            announce: Schedule::default(),
            held: false,
        });
        i.since = now;
        i.complaints.clear();
        i.counters.become_master += 1;
        out.push(Action::SendAdvert { id, priority: i.priority });
        out.push(Action::Changed { id, from, to: Phase::Master, cause: Box::new(cause) });
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
        i.state = State::Backup(Backup {
            master_down: wait,
            silent_since: start,
            preempt: PreemptDelay::Idle,
            resigned: None,
            wants_master: false,
            second_chance: false,
        });
        i.since = now;
        i.complaints.clear();
        if from == Phase::Master {
            i.counters.release_master += 1;
            out.push(Action::Release(id));
        }
        out.push(Action::Changed { id, from, to: Phase::Backup, cause: Box::new(cause) });
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
        i.state = State::Fault;
        i.since = now;
        i.heard = None;
        i.complaints.clear();
        i.master_interval = i.config.advert_interval;
        if from == Phase::Master {
            i.counters.release_master += 1;
            out.push(Action::SendAdvert { id, priority: 0 });
            out.push(Action::Release(id));
        }
        out.push(Action::Changed { id, from, to: Phase::Fault, cause: Box::new(cause) });
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

/// Addresses as numbers, compared byte by byte (§6.4.3: "greater than the local one").
fn address_order(addr: &IpAddr) -> u128 {
    match addr {
        IpAddr::V4(a) => u128::from(u32::from(*a)),
        IpAddr::V6(a) => u128::from(*a),
    }
}
