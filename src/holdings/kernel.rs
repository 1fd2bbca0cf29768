//! Requests that the kernel has not answered. It handles them in order.

use super::address::Spot;
use super::links::SeenAddress;
use super::object::{Item, Key};
use super::pending::{Pending, Sought};
use super::{Action, Domain, Holder};
use crate::base::addr::HostAddress;
use crate::base::sorted::{SortedMap, SortedSet};
use crate::base::time::{Duration, Instant};
use std::collections::VecDeque;
use std::net::IpAddr;

mod leaving;
mod names;

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
    /// Removes a route or rule. `there`: by all that was heard, the kernel has it.
    RemoveFib {
        item: Item,
        there: bool,
    },
    /// Adds an object that the kernel may have dropped without notice.
    Verify {
        key: Key,
        item: Item,
        before: Before,
    },
    /// A test whether the kernel would accept this address of an owner in FAULT for lack of any.
    Probe(Holder, Item),
}

impl Purpose {
    pub(super) const fn added_address(&self) -> Option<&HostAddress> {
        match self {
            Self::Add(_, Item::Address(address)) | Self::Probe(_, Item::Address(address)) => {
                Some(address)
            }
            _ => None,
        }
    }
}

/// What is known about an object that is verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Before {
    Unknown,
    /// It was removed for the verification.
    Removed,
    /// The kernel had dropped it.
    Dropped,
}

/// Unanswered removals of an address.
#[derive(Debug, Default)]
struct Leaving {
    count: u32,
    /// Notifications received meanwhile.
    gone: u32,
    /// The address, if it is there by all that was heard.
    there: Option<Found>,
}

/// An address that stays until its removal is answered.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) address: HostAddress,
    pub(super) ours: bool,
}

#[derive(Debug)]
struct Created {
    since: Instant,
    /// Its removal by its name did not find it.
    is_lost: bool,
    /// Its removal was refused.
    is_kept: bool,
}

#[derive(Debug, Default)]
pub(super) struct Kernel {
    pending: Pending,
    /// By address, since entries of the packet filter are about those.
    leaving: SortedMap<IpAddr, SortedMap<Place, Leaving>>,
    /// Addresses that have left a place, or have an owner there now, since [`Self::take_resolved`].
    resolved: SortedSet<IpAddr>,
    /// Unanswered additions without an owner, of addresses that were there already.
    late: SortedMap<RequestId, Place>,
    /// Interfaces that are about to be removed. True: by their names.
    leaving_links: SortedMap<u32, bool>,
    /// Interfaces that the kernel refused to remove.
    kept_links: SortedSet<u32>,
    /// Interfaces that the kernel created and has not reported, by name, in order.
    created: SortedMap<String, VecDeque<Created>>,
    /// Own removals whose notifications are outstanding, which must not be mistaken for external
    /// ones.
    echoes: SortedMap<Place, (u32, Instant)>,
    last: u64,
}

/// A notification outstanding for longer than this was lost.
const ECHO: Duration = Duration::from_secs(10);

impl Domain {
    pub(super) fn ask(
        &mut self,
        index: u32,
        mut purpose: Purpose,
        out: &mut Vec<Action>,
    ) -> RequestId {
        let kernel = &mut self.kernel;
        kernel.last += 1;
        let id = RequestId(kernel.last);
        let op = match &purpose {
            Purpose::Add(_, item) | Purpose::Verify { item, .. } | Purpose::Probe(_, item) => {
                Op::Add(item.clone())
            }
            Purpose::Replace(_, item) => Op::Replace(item.clone()),
            Purpose::Remove(item) => {
                let item = item.clone();
                match &item {
                    Item::Address(address) => {
                        let place = (index, Spot::of_host(address));
                        let places = kernel.leaving.entry(place.1.addr).or_default();
                        let leaving = places.entry(place).or_default();
                        if let Some(SeenAddress { address, ours, .. }) = self.links.remove(&place) {
                            leaving.there = Some(Found { address, ours });
                        }
                        leaving.count += 1;
                    }
                    Item::Link(..) => {
                        kernel.leaving_links.insert(index, false);
                    }
                    Item::Route(..) | Item::Rule(_) => {
                        let is_known = self.fib.take(&item);
                        let there = is_known || kernel.may_have(&item);
                        let item = item.clone();
                        purpose = Purpose::RemoveFib { item, there };
                    }
                    Item::Sysctl(..) | Item::Firewall(_) => {}
                }
                Op::Remove(item)
            }
            Purpose::RemoveFib { item, .. } => Op::Remove(item.clone()),
        };
        kernel.pending.insert(id, (index, purpose));
        out.push(Action::Ask(Request { id, index, op }));
        id
    }
}

impl Kernel {
    /// Subject of this answer, and the index of the interface.
    pub(super) fn answered(&mut self, id: RequestId) -> Option<(u32, Purpose)> {
        self.pending.remove(&id)
    }

    /// The object that an unanswered request adds.
    pub(super) fn being_added(&self, id: RequestId) -> Option<&Item> {
        match self.pending.get(&id) {
            Some((_, Purpose::Add(_, item))) => Some(item),
            _ => None,
        }
    }

    /// True if an unanswered request makes or removes an interface.
    pub(super) fn is_about_link(&self, id: RequestId) -> bool {
        let purpose = self.pending.get(&id).map(|(_, purpose)| purpose);
        matches!(purpose, Some(Purpose::Add(_, Item::Link(..)) | Purpose::Remove(Item::Link(..))))
    }

    /// Index of the interface that an unanswered request is for.
    pub(super) fn index_of(&self, id: RequestId) -> Option<u32> {
        self.pending.get(&id).map(|(index, _)| *index)
    }

    /// Routes and rules whose removal is unanswered.
    pub(super) fn leaving_fib(&self) -> impl Iterator<Item = &Item> {
        self.pending.of(Sought::Fib).filter_map(|(_, (_, purpose))| match purpose {
            Purpose::RemoveFib { item, .. } => Some(item),
            _ => None,
        })
    }

    /// True if the removal of this route or rule is unanswered.
    pub(super) fn is_leaving_fib(&self, item: &Item) -> bool {
        self.pending.removals_of(item).next().is_some()
    }

    /// True if an unanswered removal is about a route or rule that is there.
    fn may_have(&self, item: &Item) -> bool {
        self.pending.removals_of(item).any(|(_, there)| there)
    }

    /// Notes for unanswered removals of a route or rule whether the kernel has it.
    pub(super) fn note_fib(&mut self, item: &Item, is_there: bool) {
        for (id, _) in self.pending.removals_of(item).collect::<Vec<_>>() {
            if let Some((_, Purpose::RemoveFib { there, .. })) = self.pending.get_mut(&id) {
                *there = is_there;
            }
        }
    }

    /// Routes that may be about to be added again.
    pub(super) fn verified_fib(&self) -> impl Iterator<Item = &Item> {
        self.pending.of(Sought::Verification).filter_map(|(_, (_, purpose))| match purpose {
            Purpose::Verify { item, .. } => Some(item),
            _ => None,
        })
    }

    /// True if the object is about to be added again. `found`: what its removal says about it.
    pub(super) fn is_verifying(&mut self, removed: &Item, found: Before) -> bool {
        // Mostly the first: it follows the removal, and requests are answered in order.
        let mut all = self.pending.of(Sought::Verification);
        let is_it =
            |purpose: &Purpose| matches!(purpose, Purpose::Verify { item, .. } if item == removed);
        let Some(id) = all.find_map(|(id, (_, purpose))| is_it(purpose).then_some(id)) else {
            return false;
        };
        drop(all);
        if let Some((_, Purpose::Verify { before, .. })) = self.pending.get_mut(&id) {
            if *before != Before::Removed {
                *before = found;
            }
        }
        true
    }

    #[cfg(test)]
    pub(super) const fn last(&self) -> RequestId {
        RequestId(self.last)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    /// Forgets an interface with all its addresses.
    pub(super) fn forget_link(&mut self, index: u32) {
        self.echoes.retain(|place, _| place.0 != index);
        self.leaving_links.remove(&index);
        self.kept_links.remove(&index);
    }
}
