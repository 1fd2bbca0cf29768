//! Handing over: the master gives up only to a router that is heard.
//!
//! It goes on as MASTER with the lowest priority, so that a router that preempts takes over without
//! a gap. One that does not preempt, or waits before it does, takes over after a goodbye, until then
//! this router serves the addresses silently. If no router is heard, it goes on as before.

use super::order::{OrderEnd, OrderKind, OrderNews, OrderResult, StandingOrder, Taken};
use crate::base::ids::InstanceId;
use crate::base::name::SharedName;
use crate::base::time::{Duration, Instant};
use crate::vrrp::action::{Action, Phase};
use crate::vrrp::receive::Advert;
use crate::vrrp::{timing, Domain, Instance, Unread};

/// The lowest priority.
const LEAST: u8 = 1;

#[derive(Debug)]
pub(super) struct Handover {
    pub(super) number: u64,
    began: Instant,
    waiting: Vec<Waiting>,
    pub(super) taken: Vec<Taken>,
    pub(super) kept: Vec<InstanceId>,
}

/// An instance that no other router is heard for yet.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    id: InstanceId,
    step: HandoverStep,
    /// The end of the step.
    until: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum HandoverStep {
    Lowered,
    Silent,
}

/// How far an instance has come.
enum Progress {
    Waits,
    Taken(Taken),
    Failed(OrderEnd),
    /// It said goodbye, and waits once more.
    Silenced(Instant),
}

impl Handover {
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.waiting.iter().map(|w| w.until).min()
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = InstanceId> + '_ {
        self.waiting.iter().map(|w| w.id)
    }

    fn concerns(&self, id: InstanceId) -> bool {
        self.waiting().any(|waiting| waiting == id)
    }
}

impl Domain {
    /// Those of the instances that are MASTER begin.
    pub(super) fn begin_handover(
        &mut self,
        number: u64,
        covered: &[InstanceId],
        now: Instant,
        out: &mut Vec<Action>,
    ) -> Handover {
        let (mut waiting, mut kept) = (Vec::new(), Vec::new());
        let is_master = |i: &Instance| i.phase() == Phase::Master;
        for &id in covered.iter().filter(|id| self.instance(**id).is_some_and(is_master)) {
            if self.lowered_by(id).is_some() {
                let until = now + self.wait_of(id, HandoverStep::Lowered);
                waiting.push(Waiting { id, step: HandoverStep::Lowered, until });
            } else {
                kept.push(id);
            }
        }
        for Waiting { id, .. } in &waiting {
            // At once, so that the others know.
            self.send_advert(*id, now, out);
            self.rearm(*id);
        }
        Handover { number, began: now, waiting, taken: Vec::new(), kept }
    }

    /// How long a router may take to be heard, if it takes over in this step.
    fn wait_of(&self, id: InstanceId, step: HandoverStep) -> Duration {
        let wait = |i: &Instance| {
            let (config, interval) = (&i.config, i.config.advert_interval);
            let margin = interval / 4 + Duration::from_millis(100);
            margin
                + match step {
                    HandoverStep::Lowered => timing::master_down(config, LEAST, interval),
                    HandoverStep::Silent => timing::skew(config.version, LEAST, interval),
                }
        };
        // The members of a sync group go when the last of them can.
        let members = self.with_group_of(id);
        members.iter().filter_map(|m| self.instance(*m)).map(wait).max().unwrap_or_default()
    }

    /// Lets one order follow what has happened; `Some`: it is over.
    pub(super) fn end_of_order(
        &mut self,
        n: usize,
        unread: Unread<'_>,
        now: Instant,
        out: &mut Vec<Action>,
    ) -> Option<OrderEnd> {
        let order = self.orders.standing.get(n)?;
        let (kind, of) = (order.kind, order.of);
        let is_there = |id: InstanceId| self.instance(id).is_some_and(|i| i.phase() != Phase::Init);
        if of.is_some_and(|id| !is_there(id)) {
            return Some(OrderEnd::Removed);
        }
        if order.until.is_some_and(|until| until <= now) {
            return Some(OrderEnd::Expired);
        }
        let Some(mut handover) = self.orders.standing[n].handover.take() else {
            let is_master = |id| self.instance(id).is_some_and(|i| i.phase() == Phase::Master);
            return of.is_some_and(is_master).then_some(OrderEnd::MasterAgain);
        };
        let end = self.advance(&mut handover, kind, unread, now, out);
        if end.is_none() && handover.waiting.is_empty() {
            let Handover { number, taken, kept, .. } = handover;
            self.orders.record(number, OrderResult { taken, kept, end: None });
        } else {
            self.orders.standing[n].handover = Some(handover);
        }
        end
    }

    /// Looks how far each instance has come.
    fn advance(
        &mut self,
        handover: &mut Handover,
        kind: OrderKind,
        unread: Unread<'_>,
        now: Instant,
        out: &mut Vec<Action>,
    ) -> Option<OrderEnd> {
        for mut waiting in std::mem::take(&mut handover.waiting) {
            let id = waiting.id;
            match self.progress(&waiting, handover.began, unread, now) {
                Progress::Waits => handover.waiting.push(waiting),
                Progress::Silenced(until) => {
                    self.fall_silent(id, until, out);
                    (waiting.step, waiting.until) = (HandoverStep::Silent, until);
                    handover.waiting.push(waiting);
                }
                Progress::Taken(taken) => {
                    handover.taken.push(taken);
                    out.push(Action::Ordered { kind, news: OrderNews::Taken(taken) });
                }
                Progress::Failed(end) if kind == OrderKind::Failover => {
                    handover.waiting.push(waiting);
                    return Some(end);
                }
                Progress::Failed(_) => {
                    handover.kept.push(id);
                    let waited = now.since(handover.began);
                    out.push(Action::Ordered { kind, news: OrderNews::Kept { id, waited } });
                    self.send_advert(id, now, out);
                    self.rearm(id);
                }
            }
        }
        None
    }

    fn progress(
        &self,
        waiting: &Waiting,
        began: Instant,
        unread: Unread<'_>,
        now: Instant,
    ) -> Progress {
        let &Waiting { id, step, until } = waiting;
        let name =
            || self.instance(id).map_or_else(|| SharedName::from("?"), |i| i.config.name.clone());
        match self.instance(id).map(|i| (i.phase(), i.heard)) {
            Some((Phase::Backup, Some(heard))) if heard.at >= began => {
                let after = heard.at.since(began);
                return Progress::Taken(Taken {
                    id,
                    by: heard.addr,
                    priority: heard.priority,
                    after,
                });
            }
            Some((Phase::Backup | Phase::Master, _)) => {}
            Some((Phase::Fault, _)) => return Progress::Failed(OrderEnd::Faulted { name: name() }),
            _ => return Progress::Failed(OrderEnd::Removed),
        }
        // The first word of the other router may be among what is unread.
        if until > now || unread.may_move(id, until) {
            return Progress::Waits;
        }
        match step {
            HandoverStep::Lowered => {
                Progress::Silenced(now + self.wait_of(id, HandoverStep::Silent))
            }
            HandoverStep::Silent => {
                let waited = now.since(began);
                Progress::Failed(OrderEnd::Unheeded { name: name(), waited })
            }
        }
    }

    /// As master: says goodbye, and goes on without a word.
    fn fall_silent(&mut self, id: InstanceId, until: Instant, out: &mut Vec<Action>) {
        let Some(i) = self.instance_mut(id) else { return };
        let interval = i.config.advert_interval;
        let Some(m) = i.state.master() else { return };
        m.next_advert = until + interval;
        out.push(Action::SendAdvert { id, priority: 0 });
        self.rearm(id);
    }

    /// As master: another router advertises, and it is to take over.
    pub(in crate::vrrp) fn gives_way(&self, id: InstanceId) -> bool {
        let concerns = |order: &StandingOrder| {
            order.handover.as_ref().is_some_and(|handover| handover.concerns(id))
        };
        self.orders.standing.iter().any(concerns)
    }

    /// As master: if another router advertises than the one that is to take over, the order ends, and
    /// the instance has its own priority for what follows.
    pub(in crate::vrrp) fn look_at_heir(
        &mut self,
        id: InstanceId,
        advert: &Advert,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let heirs = self.heirs.of(id);
        let is_wrong = |order: &StandingOrder| {
            let wanted = order.to.filter(|to| *to != advert.source)?;
            let concerns = order.handover.as_ref().is_some_and(|handover| handover.concerns(id));
            // On another segment, it has another address.
            let is_of_segment =
                order.of == Some(id) || heirs.iter().any(|heir| heir.addr == wanted);
            (concerns && is_of_segment).then_some(wanted)
        };
        let mut all = self.orders.standing.iter().enumerate();
        let found = all.find_map(|(n, order)| Some((n, is_wrong(order)?)));
        if let Some((n, wanted)) = found {
            let (from, priority) = (advert.source, advert.priority);
            self.end_order(n, OrderEnd::OtherHeir { from, priority, wanted }, now, out);
        }
    }
}
