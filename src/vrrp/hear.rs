//! What an advertisement that was heard does to the state of one virtual router.
//!
//! Sections are those of RFC 9568; where keepalived differs, its behaviour is kept and named.
//! Whether it is acceptable at all is `receive`'s business.

use std::net::IpAddr;
use std::rc::Rc;

use super::action::{Action, Note, Phase};
use super::cause::Cause;
use super::instance::LastHeard;
use super::receive::{self, Advert, Received, Reject};
use super::state::{rival_until, PreemptDelay, State};
use super::{timing, Domain};
use crate::base::ids::InstanceId;
use crate::base::time::Instant;
use crate::wire::vrrp::Packet;

/// A master answers at most so many times per interval, however much it hears.
const ANSWERS: u32 = 10;

impl Domain {
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
        // Another router may be master by now: answering what waited for us would depose it.
        self.step_back_after_stall(id, now, out);
        let Some(i) = self.instance_mut(id) else { return };
        let compare_addresses = match i.state.get() {
            State::Init | State::Waiting | State::Fault => return,
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
            addresses: &i.addresses,
            compare_addresses,
        };
        match receive::examine(packet, &context, i.guard.as_deref_mut(), &mut i.counters) {
            Ok((advert, remarks)) => {
                let from = packet.source;
                for remark in remarks {
                    let note = Note::Remarked { from, remark };
                    if let Some(held_back) = i.may_tell(&note, now) {
                        let remark = remark.completed(packet, &i.config);
                        let note = Note::Remarked { from, remark };
                        out.push(Action::Noted { id, note, held_back });
                    }
                }
                if let Some(b) = i.state.backup() {
                    b.refused = None;
                }
                self.heirs.note(id, &advert);
                self.learn_checksum(id, &advert, now, out);
                self.on_advert(id, &advert, now, out);
            }
            Err(reason) => self.on_refused(id, packet, reason, now, out),
        }
    }

    /// An advertisement that changes nothing. It is remembered by a backup, whose next log line may
    /// have to say what was refused; and a master names the router that is MASTER beside it.
    fn on_refused(
        &mut self,
        id: InstanceId,
        packet: &Received<'_>,
        reason: Reject,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(i) = self.instance_mut(id) else { return };
        if let Some(b) = i.state.backup().filter(|_| reason.is_for_us()) {
            b.refused.get_or_insert_default().count(packet, reason);
        }
        let acts_as_master = is_rival(packet, &reason);
        let is_rival = i.phase() == Phase::Master && acts_as_master;
        if reason.is_for_us() {
            self.refusals.count(id, packet.source, reason, acts_as_master, now);
        }
        let note = Note::Rejected { from: packet.source, reason, is_rival };
        self.note(id, note, now, out);
    }

    /// An acceptable advertisement: §6.4.2 as backup, §6.4.3 as master.
    fn on_advert(&mut self, id: InstanceId, advert: &Advert, now: Instant, out: &mut Vec<Action>) {
        match self.instance(id).map(|i| i.state.get()) {
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
        let nopreempt = i.config.nopreempt;
        let skew = timing::skew(i.config.version, i.priority, i.master_interval);
        let Some(b) = i.state.backup() else { return };
        if advert.priority == 0 {
            // Never later than before: goodbyes without end must not put it off without end.
            b.master_down = b.master_down.min(advert.arrived + skew);
            b.resigned = Some(advert.source);
            b.discarded = None;
            self.note(id, Note::Goodbye { from: advert.source }, now, out);
            return;
        }
        let lower = advert.priority < i.priority;
        if !lower && b.preempt != PreemptDelay::Idle {
            b.preempt = PreemptDelay::Idle;
            self.note(id, Note::PreemptDelayStopped, now, out);
        }
        if lower && !nopreempt && !self.tolerates(id, advert, now, out) {
            // The deadline goes on: this router is not one to be followed.
            if let Some(b) = self.instance_mut(id).and_then(|i| i.state.backup()) {
                b.discarded = Some(Box::new((LastHeard::of(advert), advert.interval)));
            }
            let note = Note::Discarded { from: advert.source, theirs: advert.priority };
            self.note(id, note, now, out);
            return;
        }
        self.follow(id, advert, now, out);
    }

    /// `preempt_delay`: a master of lower priority is followed until it is over.
    fn tolerates(
        &mut self,
        id: InstanceId,
        advert: &Advert,
        now: Instant,
        out: &mut Vec<Action>,
    ) -> bool {
        let Some(i) = self.instance_mut(id) else { return false };
        let delay = i.config.preempt_delay;
        let Some(b) = i.state.backup() else { return false };
        match b.preempt {
            PreemptDelay::Until(until) => advert.arrived < until,
            PreemptDelay::Idle if delay.is_zero() => false,
            PreemptDelay::Idle => {
                b.preempt = PreemptDelay::Until(advert.arrived + delay);
                self.note(id, Note::PreemptDelayStarted(delay), now, out);
                true
            }
        }
    }

    /// As backup: this router is the master.
    fn follow(&mut self, id: InstanceId, advert: &Advert, now: Instant, out: &mut Vec<Action>) {
        let Some(i) = self.instance_mut(id) else { return };
        let Some(b) = i.state.backup() else { return };
        b.resigned = None;
        b.discarded = None;
        b.wants_master = false;
        b.second_chance = false;
        let before = i.heard.map(|h| h.addr);
        i.heard = Some(LastHeard::of(advert));
        i.learn_interval(advert.interval);
        let down = advert.arrived + i.master_down_interval();
        if let Some(b) = i.state.backup() {
            b.master_down = down;
        }
        if before != Some(advert.source) {
            self.note(id, Note::MasterIs { addr: advert.source, before }, now, out);
        }
        if self.instance(id).is_some_and(|i| i.group.is_some()) {
            self.group_gives_way(id, now, out);
        }
    }

    fn on_advert_as_master(
        &mut self,
        id: InstanceId,
        advert: &Advert,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        if advert.priority > 0 {
            self.look_at_heir(id, advert, now, out);
        }
        let is_awaited = self.gives_way(id);
        let Some(i) = self.instance_mut(id) else { return };
        let (ours, theirs, from) = (i.priority, advert.priority, advert.source);
        if theirs == 0 {
            // It was master a moment ago: the backups must not take its goodbye for ours.
            self.answer(id, advert.arrived, now, out);
            return;
        }
        if theirs == 255 && ours == 255 {
            self.note(id, Note::OwnerConflict { from }, now, out);
        }
        let Some(i) = self.instance(id) else { return };
        let higher_address = i.source.is_none_or(|own| address_order(&from) > address_order(&own));
        if theirs > ours || is_awaited || theirs == ours && higher_address {
            let cause = if is_awaited {
                let lowered = i.priority_change().cloned();
                Cause::HigherPriority { from, theirs, ours, lowered }
            } else if theirs > ours {
                Cause::HigherPriority { from, theirs, ours, lowered: i.lowered_below(theirs) }
            } else {
                Cause::HigherAddress { from, ours: i.source, priority: ours }
            };
            if i.config.higher_prio_send_advert {
                self.send_advert(id, now, out);
            }
            self.yield_to(id, advert, cause, now, out);
        } else if theirs == ours && i.source == Some(from) {
            self.note(id, Note::SameAddress { from }, now, out);
        } else {
            self.on_lower_priority(id, advert, now, out);
        }
    }

    /// §6.4.3: a router that is less entitled advertises. keepalived answers at once, and announces
    /// the addresses again, because that router may have drawn traffic to itself.
    fn on_lower_priority(
        &mut self,
        id: InstanceId,
        advert: &Advert,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(i) = self.instance_mut(id) else { return };
        let Some(m) = i.state.master() else { return };
        // The one that it took over from may not have heard of that yet.
        let is_rival = m.held && (m.announce.is_contested() || !m.announce.has_rival(now));
        if is_rival {
            m.announce.contest(advert.source, advert.priority);
        }
        m.announce.expect_rival(rival_until(advert.arrived, advert.interval));
        if m.is_quiet {
            return;
        }
        // After a stall there are many of them to read; one answer is enough for all.
        let settled = m.asserted.is_some_and(|asserted| advert.arrived < asserted);
        let pause = i.config.advert_interval / ANSWERS;
        let again = m.asserted.is_some_and(|asserted| now < asserted + pause);
        if !again {
            m.asserted = Some(now);
        }
        let answered = !settled && !i.config.lower_prio_no_advert;
        let (from, theirs, ours) = (advert.source, advert.priority, i.priority);
        self.note(id, Note::LowerPriority { from, theirs, ours, answered }, now, out);
        self.tell_lower_priority(id, now, out);
        if answered {
            self.answer(id, advert.arrived, now, out);
        }
        if settled || again {
            return;
        }
        for member in self.with_group_of(id) {
            let Some(i) = self.instance_mut(member) else { continue };
            let garp = Rc::clone(&i.config.garp);
            // Before that, the round that comes with `held` will do.
            if let Some(m) = i.state.master().filter(|m| m.held) {
                let repeat = m.announce.on_lower_priority(&garp, now);
                if repeat > 0 {
                    out.push(Action::Announce { id: member, repeat });
                }
                self.rearm(member);
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
            i.heard = Some(LastHeard::of(advert));
            i.master_interval = i.config.advert_interval;
            i.learn_interval(advert.interval);
        }
        self.become_backup(id, cause, advert.arrived, now, out);
        self.group_to_backup(id, now, out);
    }

    /// Says who is master: at once, but ten times per interval and no more. What comes faster has
    /// its answer when that is over; what arrived before the last one has had it.
    fn answer(&mut self, id: InstanceId, arrived: Instant, now: Instant, out: &mut Vec<Action>) {
        let Some(i) = self.instance_mut(id) else { return };
        let pause = i.config.advert_interval / ANSWERS;
        let Some(m) = i.state.master() else { return };
        match m.answered {
            Some(last) if arrived < last => {}
            Some(last) if now < last + pause => {
                m.next_advert = m.next_advert.min(last + pause);
                m.owes_answer = true;
            }
            _ => {
                m.answered = Some(now);
                m.owes_answer = false;
                self.send_advert(id, now, out);
            }
        }
    }

    /// Sends one advertisement out of turn; the schedule starts afresh from it.
    pub(super) fn send_advert(&mut self, id: InstanceId, now: Instant, out: &mut Vec<Action>) {
        let Some(i) = self.instance_mut(id) else { return };
        let interval = i.config.advert_interval;
        if let Some(m) = i.state.master() {
            m.next_advert = now + interval;
            i.advertise(id, now, out);
        }
    }
}

/// What was refused comes from a router that is MASTER of this virtual router.
pub(super) fn is_rival(packet: &Received<'_>, reason: &Reject) -> bool {
    let priority = Packet::parse(packet.pdu).map_or(0, |advert| advert.priority());
    priority > 0 && reason.is_of_a_router()
}

impl LastHeard {
    const fn of(advert: &Advert) -> Self {
        Self { addr: advert.source, priority: advert.priority, at: advert.arrived }
    }
}

/// Addresses as numbers, compared byte by byte (§6.4.3: "greater than the local one").
fn address_order(addr: &IpAddr) -> u128 {
    match addr {
        IpAddr::V4(a) => u128::from(u32::from(*a)),
        IpAddr::V6(a) => u128::from(*a),
    }
}
