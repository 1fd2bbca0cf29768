//! Orders are given, followed and taken back.

use std::net::IpAddr;

use super::handover::Handover;
use super::order::{Objection, Order, OrderEnd, OrderKind, OrderNews, OrderResult, StandingOrder};
use super::Heir;
use crate::base::ids::InstanceId;
use crate::base::time::Instant;
use crate::vrrp::action::{Action, Phase};
use crate::vrrp::cause::Factor;
use crate::vrrp::instance::Findings;
use crate::vrrp::{Domain, Instance, Unread};

impl Domain {
    /// The routers that could take over from an instance.
    pub fn heirs(&self, id: InstanceId) -> &[Heir] {
        self.heirs.of(id)
    }

    /// Whether a failover can begin. Where that is doubtful only because a router has not been heard,
    /// `is_forced` begins it.
    ///
    /// # Errors
    /// It cannot.
    pub fn may_fail_over(
        &self,
        id: InstanceId,
        to: Option<IpAddr>,
        is_forced: bool,
    ) -> Result<(), Objection> {
        let members = self.with_group_of(id);
        let mut all = members.iter().filter_map(|m| self.instance(*m));
        if self.maintenance().is_some() {
            return Err(Objection::Maintenance);
        }
        if let Some(i) = all.clone().find(|i| i.config.is_owner()) {
            return Err(Objection::Owner { name: i.config.name.clone() });
        }
        let Some(first) = all.clone().next() else { return Ok(()) };
        let name = first.config.name.clone();
        if self.order_on(id).is_some() {
            return Err(Objection::HandedOver { name });
        }
        if let Some(i) = all.find(|i| i.phase() != Phase::Master) {
            return Err(Objection::NotMaster { name: i.config.name.clone(), phase: i.phase() });
        }
        let mut heirs = members.iter().flat_map(|m| self.heirs.of(*m));
        match to {
            _ if is_forced => Ok(()),
            None if heirs.next().is_none() => Err(Objection::NoHeir { name }),
            Some(wanted) if heirs.all(|heir| heir.addr != wanted) => {
                Err(Objection::NotHeard { name, wanted })
            }
            _ => Ok(()),
        }
    }

    /// A failover of the instance or its sync group is in force.
    pub fn has_failover(&self, id: InstanceId) -> bool {
        let members = self.with_group_of(id);
        let covers = |order: &StandingOrder| order.of.is_some_and(|of| members.contains(&of));
        self.orders.standing.iter().any(covers)
    }

    pub(in crate::vrrp) fn on_order(&mut self, order: Order, now: Instant, out: &mut Vec<Action>) {
        match order {
            Order::Failover { number, id, to, span } => {
                let (kind, until) = (OrderKind::Failover, Some(now + span));
                // The member on the segment of that router.
                let knows = |m: &InstanceId| self.heirs.of(*m).iter().any(|h| Some(h.addr) == to);
                let of = self.with_group_of(id).into_iter().find(knows).or(Some(id));
                let order = StandingOrder { kind, of, to, until, handover: None };
                self.begin_order(number, order, now, out);
            }
            Order::Maintenance { number, span } => {
                let kind = OrderKind::Maintenance;
                self.replace_maintenance();
                let until = span.map(|span| now + span);
                let order = StandingOrder { kind, of: None, to: None, until, handover: None };
                self.begin_order(number, order, now, out);
            }
            Order::EndFailover { id } => {
                let members = self.with_group_of(id);
                let covers =
                    |order: &StandingOrder| order.of.is_some_and(|of| members.contains(&of));
                self.end_first(covers, &OrderEnd::Commanded, now, out);
            }
            Order::EndMaintenance => {
                let is_one = |order: &StandingOrder| order.kind == OrderKind::Maintenance;
                self.end_first(is_one, &OrderEnd::Commanded, now, out);
            }
        }
    }

    fn begin_order(
        &mut self,
        number: u64,
        order: StandingOrder,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let covered = match order.of {
            Some(id) => self.with_group_of(id),
            None => self.instances().map(|(id, _)| id).collect(),
        };
        self.orders.standing.push(order);
        for &id in &covered {
            self.reconsider(id, now, out);
        }
        let handover = self.begin_handover(number, &covered, now, out);
        if let Some(order) = self.orders.standing.last_mut() {
            order.handover = Some(handover);
        }
    }

    /// Lets the orders follow what has happened.
    pub(in crate::vrrp) fn follow_orders(
        &mut self,
        unread: Unread<'_>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let mut n = 0;
        while n < self.orders.standing.len() {
            match self.end_of_order(n, unread, now, out) {
                Some(end) => self.end_order(n, end, now, out),
                None => n += 1,
            }
        }
    }

    /// Another one follows, so nothing is to change meanwhile.
    fn replace_maintenance(&mut self) {
        let standing = &mut self.orders.standing;
        let found = standing.iter().position(|order| order.kind == OrderKind::Maintenance);
        let former = found.map(|n| standing.remove(n));
        if let Some(handover) = former.and_then(|order| order.handover) {
            let end = Some(OrderEnd::Replaced);
            self.orders.record(handover.number, OrderResult { end, ..OrderResult::default() });
        }
    }

    fn end_first(
        &mut self,
        is_meant: impl Fn(&StandingOrder) -> bool,
        end: &OrderEnd,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        if let Some(n) = self.orders.standing.iter().position(is_meant) {
            self.end_order(n, end.clone(), now, out);
        }
    }

    /// What it lowered is as before, and the others hear of it at once.
    pub(super) fn end_order(
        &mut self,
        n: usize,
        end: OrderEnd,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let StandingOrder { kind, of, handover, .. } = self.orders.standing.remove(n);
        out.push(Action::Ordered { kind, news: OrderNews::Ended { of, end: end.clone() } });
        if let Some(handover) = handover {
            let waiting: Vec<_> = handover.waiting().collect();
            let Handover { number, taken, mut kept, .. } = handover;
            kept.extend(waiting);
            self.orders.record(number, OrderResult { taken, kept, end: Some(end.clone()) });
        }
        self.orders.ending = Some((kind, end));
        let is_lowered = |i: &Instance| i.findings.is_lowered();
        let lowered: Vec<_> =
            self.instances().filter(|(_, i)| is_lowered(i)).map(|(id, _)| id).collect();
        for id in lowered {
            self.reconsider(id, now, out);
            if self.instance(id).is_some_and(|i| i.phase() == Phase::Master && !is_lowered(i)) {
                self.send_advert(id, now, out);
                self.rearm(id);
            }
        }
        self.orders.ending = None;
    }
}

impl Findings {
    fn is_lowered(&self) -> bool {
        self.shares.iter().any(|share| matches!(share.reason, Factor::Ordered(_)))
    }
}
