//! Orders that give instances the lowest priority for a time, and what becomes of them.

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;

use super::handover::Handover;
use crate::base::ids::InstanceId;
use crate::base::name::SharedName;
use crate::base::time::{Duration, Instant};
use crate::vrrp::action::Phase;
use crate::vrrp::cause::Seconds;
use crate::vrrp::Domain;

/// Results that are kept for those who wait for them.
const MOST_RESULTS: usize = 64;

/// What an operator orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// Another router is to be master of this instance and its sync group. `number`: under which the
    /// result is asked for.
    Failover {
        number: u64,
        id: InstanceId,
        to: Option<IpAddr>,
        span: Duration,
    },
    /// Other routers are to be master of every instance.
    Maintenance {
        number: u64,
        span: Option<Duration>,
    },
    /// An order is taken back; of a failover, the one that covers this instance.
    EndFailover {
        id: InstanceId,
    },
    EndMaintenance,
}

/// The kinds of orders that lower the priority.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum OrderKind {
    Maintenance,
    Failover,
}

impl fmt::Display for OrderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Maintenance => "maintenance",
            Self::Failover => "failover",
        })
    }
}

/// An order that is in force.
#[derive(Debug)]
pub struct StandingOrder {
    pub(super) kind: OrderKind,
    /// One of the instances that it covers; `None`: all.
    pub(super) of: Option<InstanceId>,
    /// The router that is to take over; `None`: any.
    pub(super) to: Option<IpAddr>,
    pub(super) until: Option<Instant>,
    /// Until it is clear which router took over.
    pub(super) handover: Option<Handover>,
}

impl StandingOrder {
    pub const fn kind(&self) -> OrderKind {
        self.kind
    }

    /// A failover that began with this instance.
    pub fn is_failover_of(&self, id: InstanceId) -> bool {
        self.kind == OrderKind::Failover && self.of == Some(id)
    }

    /// The router that is to take over; `None`: any.
    pub const fn to(&self) -> Option<IpAddr> {
        self.to
    }

    /// When it ends by itself.
    pub const fn until(&self) -> Option<Instant> {
        self.until
    }

    /// It is not clear yet whether another router takes over.
    pub const fn is_under_way(&self) -> bool {
        self.handover.is_some()
    }

    fn next_deadline(&self) -> Option<Instant> {
        let handover = self.handover.as_ref().and_then(Handover::next_deadline);
        self.until.into_iter().chain(handover).min()
    }
}

/// The orders in force, and results of earlier ones.
#[derive(Debug, Default)]
pub(in crate::vrrp) struct Orders {
    pub(super) standing: Vec<StandingOrder>,
    /// The order that ends because of the fact at hand.
    pub(in crate::vrrp) ending: Option<(OrderKind, OrderEnd)>,
    results: VecDeque<(u64, OrderResult)>,
}

impl Orders {
    pub(in crate::vrrp) fn next_deadline(&self) -> Option<Instant> {
        self.standing.iter().filter_map(StandingOrder::next_deadline).min()
    }

    pub(in crate::vrrp) fn clear(&mut self) {
        self.standing.clear();
    }

    pub(super) fn record(&mut self, number: u64, result: OrderResult) {
        self.results.push_back((number, result));
        if self.results.len() > MOST_RESULTS {
            self.results.pop_front();
        }
    }
}

/// Another router took over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    pub id: InstanceId,
    pub by: IpAddr,
    pub priority: u8,
    /// From the order to its first advertisement.
    pub after: Duration,
}

/// What became of an order.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct OrderResult {
    pub taken: Vec<Taken>,
    /// No other router took over, so these stay as they are.
    pub kept: Vec<InstanceId>,
    /// It is not in force, and why.
    pub end: Option<OrderEnd>,
}

/// Why an order is no longer in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OrderEnd {
    Commanded,
    Expired,
    /// Another order takes its place.
    Replaced,
    /// No router took over.
    Unheeded {
        name: SharedName,
        waited: Duration,
    },
    /// Another router than the one that was named took over.
    OtherHeir {
        from: IpAddr,
        priority: u8,
        wanted: IpAddr,
    },
    /// It can be no master any more, so the others will not wait for it.
    Faulted {
        name: SharedName,
    },
    /// The router that took over is gone, and there is no other.
    MasterAgain,
    /// The instance is no longer configured.
    Removed,
}

impl fmt::Display for OrderEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commanded => f.write_str("command of an operator"),
            Self::Expired => f.write_str("its time is over"),
            Self::Replaced => f.write_str("another order takes its place"),
            Self::Unheeded { name, waited } => {
                write!(f, "no other router took over {name} within {}", Seconds(*waited))
            }
            Self::OtherHeir { from, priority, wanted } => {
                write!(f, "{from} took over with priority {priority}, and not {wanted}")
            }
            Self::Faulted { name } => write!(f, "{name} went to FAULT"),
            Self::MasterAgain => f.write_str("no other router was left, so this one took over"),
            Self::Removed => f.write_str("the instance is no longer configured"),
        }
    }
}

/// Worth a line in the log and the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OrderNews {
    Taken(Taken),
    /// No router took over this instance; the order stays in force.
    Kept {
        id: InstanceId,
        waited: Duration,
    },
    /// `of`: one of the instances; `None`: all.
    Ended {
        of: Option<InstanceId>,
        end: OrderEnd,
    },
}

impl OrderNews {
    /// The instance that it is about.
    pub const fn id(&self) -> Option<InstanceId> {
        match self {
            Self::Taken(taken) => Some(taken.id),
            Self::Kept { id, .. } => Some(*id),
            Self::Ended { of, .. } => *of,
        }
    }
}

impl fmt::Display for OrderNews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken(Taken { by, priority, after, .. }) => {
                write!(f, "{by} took over with priority {priority} after {}", Seconds(*after))
            }
            Self::Kept { waited, .. } => {
                write!(f, "no other router took over within {}", Seconds(*waited))
            }
            Self::Ended { end, .. } => write!(f, "ended ({end})"),
        }
    }
}

/// Why a failover is not begun.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Objection {
    NotMaster { name: SharedName, phase: Phase },
    Owner { name: SharedName },
    Maintenance,
    HandedOver { name: SharedName },
    NoHeir { name: SharedName },
    NotHeard { name: SharedName, wanted: IpAddr },
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotMaster { name, phase } => {
                write!(f, "{name} is {}, so there is nothing to hand over", phase.word())
            }
            Self::Owner { name } => {
                write!(f, "{name} owns its addresses (priority 255) and hands them over to none")
            }
            Self::Maintenance => f.write_str("maintenance is on, which asks for the same"),
            Self::HandedOver { name } => {
                write!(f, "a failover of {name} is in force: end it first")
            }
            Self::NoHeir { name } => write!(
                f,
                "no other router of {name} was heard since this daemon started, so there may be \
                 none; with --force it is tried nevertheless"
            ),
            Self::NotHeard { name, wanted } => write!(
                f,
                "{wanted} was not heard as a router of {name} since this daemon started; \
                 with --force it is tried nevertheless"
            ),
        }
    }
}

impl Domain {
    /// The order that covers an instance; maintenance comes first.
    pub fn order_on(&self, id: InstanceId) -> Option<&StandingOrder> {
        let covers = |order: &&StandingOrder| order.of.is_none_or(|of| self.move_together(of, id));
        self.orders.standing.iter().filter(covers).min_by_key(|order| order.kind)
    }

    /// A failover or maintenance is in force.
    pub fn has_orders(&self) -> bool {
        !self.orders.standing.is_empty()
    }

    /// The failover that began with this instance.
    pub fn failover_of(&self, id: InstanceId) -> Option<&StandingOrder> {
        self.orders.standing.iter().find(|order| order.is_failover_of(id))
    }

    /// Maintenance, if it is on.
    pub fn maintenance(&self) -> Option<&StandingOrder> {
        self.orders.standing.iter().find(|order| order.kind == OrderKind::Maintenance)
    }

    /// What became of the order with this number; `None`: that is not clear yet.
    pub fn order_result(&self, number: u64) -> Option<&OrderResult> {
        self.orders.results.iter().rev().find(|(n, _)| *n == number).map(|(_, result)| result)
    }

    fn move_together(&self, a: InstanceId, b: InstanceId) -> bool {
        let group = |id| self.instance(id).and_then(|i| i.group);
        a == b || group(a).is_some() && group(a) == group(b)
    }
}
