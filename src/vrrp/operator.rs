//! What an operator orders at run time: another base for the priority of an instance, a failover,
//! maintenance. An order holds until it is taken back or has reached its end; a reload leaves it in
//! force.

mod given;
mod handover;
mod heirs;
mod order;
#[cfg(test)]
mod tests;

use super::action::Action;
use super::cause::Factor;
use super::{Domain, Instance};
use crate::base::ids::InstanceId;
use crate::base::time::Instant;

pub use heirs::Heir;
pub(super) use heirs::Heirs;
pub(super) use order::Orders;
pub use order::{
    Objection, Order, OrderEnd, OrderKind, OrderNews, OrderResult, StandingOrder, Taken,
};

impl Domain {
    /// `base`: `None` goes back to the configuration. The owner of the addresses keeps its priority.
    pub(super) fn on_priority(
        &mut self,
        id: InstanceId,
        base: Option<u8>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let is_possible = |i: &Instance| !i.config.is_owner();
        match base.filter(|base| (1..=254).contains(base)) {
            Some(base) if self.instance(id).is_some_and(is_possible) => {
                self.ordered.insert(id, base);
            }
            Some(_) => return,
            None => _ = self.ordered.remove(&id),
        }
        self.commanded = Some(id);
        self.reconsider(id, now, out);
        self.commanded = None;
    }

    /// The base of the priority that an operator ordered.
    pub fn ordered_priority(&self, id: InstanceId) -> Option<u8> {
        self.ordered.get(&id).copied()
    }

    /// The order that gives an instance the lowest priority. The owner of the addresses keeps its own.
    pub fn lowered_by(&self, id: InstanceId) -> Option<OrderKind> {
        if self.orders.standing.is_empty() {
            return None;
        }
        self.instance(id).filter(|i| !i.config.is_owner())?;
        self.order_on(id).map(StandingOrder::kind)
    }

    /// The base of the priority, and why it is another one than before if it is.
    pub(super) fn base_of(&self, id: InstanceId) -> Option<(u8, Factor)> {
        let i = self.instance(id)?;
        // An instance that a reload made the owner no longer follows an order.
        let ordered = self.ordered.get(&id).filter(|_| !i.config.is_owner());
        let reason = match self.commanded {
            Some(by) if by == id => Factor::Commanded,
            _ => Factor::Configured,
        };
        Some((ordered.copied().unwrap_or(i.config.priority), reason))
    }
}
