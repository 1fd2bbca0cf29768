//! Requests that the kernel has not answered. It handles them in order.

use super::address::Spot;
use super::fib::as_listed;
use super::object::{Item, Key};
use super::{Action, Domain, Holder};
use crate::base::time::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};

/// An address on an interface, identified by the index of the interface.
pub type Place = (u32, Spot);

/// Identifies a request until its answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestId(pub u64);

/// A request to the kernel for the interface with this `index`; 0: for none.
#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    pub id: RequestId,
    pub index: u32,
    pub op: Op,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Op {
    /// Add a missing object.
    Add(Item),
    /// Change options of an existing object in place.
    Replace(Item),
    Remove(Item),
}

/// Subject of an answer.
#[derive(Debug)]
pub(super) enum Purpose {
    Add(Key, Item),
    Replace(Key, Item),
    Remove(Item),
    /// Adds an object that the kernel may have dropped without notice.
    Verify(Key, Item),
    /// A test whether the kernel would accept this address of an owner in FAULT for lack of any.
    Probe(Holder, Item),
}

#[derive(Debug, Default)]
pub(super) struct Kernel {
    pending: BTreeMap<RequestId, (u32, Purpose)>,
    /// Unanswered removals.
    leaving: BTreeMap<Place, u32>,
    /// Interfaces that are about to be removed.
    leaving_links: BTreeSet<u32>,
    /// Own removals whose notifications are outstanding, which must not be mistaken for external
    /// ones.
    echoes: BTreeMap<Place, (u32, Instant)>,
    last: u64,
}

/// A notification outstanding for longer than this was lost.
const ECHO: Duration = Duration::from_secs(10);

impl Domain {
    pub(super) fn ask(&mut self, index: u32, purpose: Purpose, out: &mut Vec<Action>) -> RequestId {
        let kernel = &mut self.kernel;
        kernel.last += 1;
        let id = RequestId(kernel.last);
        let op = match &purpose {
            Purpose::Add(_, item) | Purpose::Verify(_, item) | Purpose::Probe(_, item) => {
                Op::Add(item.clone())
            }
            Purpose::Replace(_, item) => Op::Replace(item.clone()),
            Purpose::Remove(item) => {
                match item {
                    Item::Address(address) => {
                        let place = (index, Spot::of_host(address));
                        self.links.remove(&place);
                        *kernel.leaving.entry(place).or_default() += 1;
                    }
                    Item::Link(..) => {
                        kernel.leaving_links.insert(index);
                    }
                    Item::Route(route, _) => self.fib.remove_form(route),
                    Item::Rule(rule) => self.fib.remove_rule(&as_listed(rule)),
                    Item::Sysctl(..) | Item::Firewall(_) => {}
                }
                Op::Remove(item.clone())
            }
        };
        kernel.pending.insert(id, (index, purpose));
        out.push(Action::Ask(Request { id, index, op }));
        id
    }
}

impl Kernel {
    /// Subject of this answer, and the index of the interface.
    pub(super) fn answered(&mut self, id: RequestId) -> Option<(u32, Purpose)> {
        let (index, purpose) = self.pending.remove(&id)?;
        if let Purpose::Remove(Item::Address(address)) = &purpose {
            let place = (index, Spot::of_host(address));
            if let Some(count) = self.leaving.get_mut(&place) {
                *count -= 1;
                if *count == 0 {
                    self.leaving.remove(&place);
                }
            }
        }
        Some((index, purpose))
    }

    /// The object that an unanswered request adds.
    pub(super) fn being_added(&self, id: RequestId) -> Option<&Item> {
        match self.pending.get(&id) {
            Some((_, Purpose::Add(_, item))) => Some(item),
            _ => None,
        }
    }

    /// Index of the interface that an unanswered request is for.
    pub(super) fn index_of(&self, id: RequestId) -> Option<u32> {
        self.pending.get(&id).map(|(index, _)| *index)
    }

    /// Routes and rules whose removal is unanswered.
    pub(super) fn leaving_fib(&self) -> impl Iterator<Item = &Item> {
        self.pending.values().filter_map(|(_, purpose)| match purpose {
            Purpose::Remove(item @ (Item::Route(..) | Item::Rule(_))) => Some(item),
            _ => None,
        })
    }

    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    pub(super) fn is_leaving(&self, place: &Place) -> bool {
        self.leaving.contains_key(place)
    }

    pub(super) fn is_link_leaving(&self, index: u32) -> bool {
        self.leaving_links.contains(&index)
    }

    /// Interfaces known by their names alone whose removal is unanswered.
    pub(super) fn leaving_names(&self) -> impl Iterator<Item = &String> {
        self.pending.values().filter_map(|request| match request {
            (0, Purpose::Remove(Item::Link(link, _))) => Some(&link.name),
            _ => None,
        })
    }

    pub(super) fn leave_link(&mut self, index: u32) {
        self.leaving_links.insert(index);
    }

    /// The interface was not removed.
    pub(super) fn keep_link(&mut self, index: u32) {
        self.leaving_links.remove(&index);
    }

    pub(super) fn expect_echo(&mut self, place: Place, now: Instant) {
        let echo = self.echoes.entry(place).or_insert((0, now));
        *echo = (echo.0 + 1, now);
    }

    /// True if the removal in a notification is one of the daemon's own.
    pub(super) fn is_echo(&mut self, place: &Place, now: Instant) -> bool {
        let Some((count, since)) = self.echoes.get_mut(place) else { return false };
        let is_recent = now.since(*since) <= ECHO;
        *count -= 1;
        if *count == 0 || !is_recent {
            self.echoes.remove(place);
        }
        is_recent
    }

    pub(super) fn forget_echoes(&mut self) {
        self.echoes.clear();
    }

    /// Forgets an interface with all its addresses.
    pub(super) fn forget_link(&mut self, index: u32) {
        self.echoes.retain(|place, _| place.0 != index);
        self.leaving_links.remove(&index);
    }
}
