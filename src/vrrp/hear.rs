//! What an advertisement that was heard does to the state of one virtual router.
//!
//! Sections are those of RFC 9568; where keepalived differs, its behaviour is kept and named.
//! Whether it is acceptable at all is `receive`'s business.

use std::net::IpAddr;

use super::action::{Action, Note};
use super::cause::Cause;
use super::instance::{LastHeard, PreemptDelay, State};
use super::receive::{self, Advert, Received};
use super::{timing, Domain};
use crate::base::ids::InstanceId;
use crate::base::time::Instant;

/// Lines that a peer can cause, apart from those of `receive`, whose numbers are below these.
mod complaint {
    pub(super) const LOWER_PRIORITY: u16 = 1000;
    pub(super) const DISCARDED: u16 = 1001;
    pub(super) const MASTER_IS: u16 = 1002;
}

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
        // Somebody else may be master by now: answering what waited for us would depose him.
        self.step_back_after_stall(id, now, out);
        let Some(i) = self.instance_mut(id) else { return };
        let compare_addresses = match &i.state {
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
            b.discarded = None;
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
                b.discarded = Some((LastHeard::of(advert), advert.interval));
                if i.may_complain(complaint::DISCARDED, now).is_some() {
                    let note = Note::Discarded { from: advert.source, theirs: advert.priority };
                    out.push(Action::Noted { id, note });
                }
                return;
            }
        }
        b.resigned = None;
        b.discarded = None;
        b.wants_master = false;
        b.second_chance = false;
        let before = i.heard.map(|h| h.addr);
        i.heard = Some(LastHeard::of(advert));
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
                Cause::HigherPriority { from, theirs, ours, lowered: i.lowered_below(theirs) }
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
        let news = i.may_complain(complaint::LOWER_PRIORITY, now).is_some();
        let (from, theirs, ours) = (advert.source, advert.priority, i.priority);
        let note = Note::LowerPriority { from, theirs, ours, answered, news };
        out.push(Action::Noted { id, note });
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
            i.heard = Some(LastHeard::of(advert));
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
