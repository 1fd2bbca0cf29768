//! The requests that the kernel has not answered. It works in the order of asking.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::address::Spot;
use super::object::{Item, Key, Object};
use super::{Action, Domain, Holder};
use crate::base::time::{Duration, Instant};
use crate::model::vrrp::VirtualAddress;

/// An address on an interface, by the number of the interface.
pub type Place = (u32, Spot);

/// Names a request until its answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestId(pub u64);

/// What is asked of the kernel, for the interface with number `index`.
#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    pub id: RequestId,
    pub index: u32,
    pub op: Op,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Op {
    /// Add an object that is not there.
    Add(Object),
    /// Change options of an object that is there and stays.
    Replace(Object),
    Remove(Item),
}

/// What an answer is about.
#[derive(Debug)]
pub(super) enum Purpose {
    Add(Key, Object),
    Replace(Key, Object),
    Remove(Item),
    /// Whether the kernel would take this address of an owner that is at fault for the lack of any.
    Probe(Holder, Rc<VirtualAddress>),
}

#[derive(Debug, Default)]
pub(super) struct Kernel {
    pending: BTreeMap<RequestId, (u32, Purpose)>,
    /// Removals that were asked for and not answered.
    leaving: BTreeMap<Place, u32>,
    /// Removals of ours whose notification has not come yet: it must not be taken for another's.
    echoes: BTreeMap<Place, (u32, Instant)>,
    last: u64,
}

/// A notification later than this was lost.
const ECHO: Duration = Duration::from_secs(10);

impl Domain {
    pub(super) fn ask(&mut self, index: u32, purpose: Purpose, out: &mut Vec<Action>) -> RequestId {
        let kernel = &mut self.kernel;
        kernel.last += 1;
        let id = RequestId(kernel.last);
        let op = match &purpose {
            Purpose::Add(_, object) => Op::Add(object.clone()),
            Purpose::Probe(_, address) => Op::Add(Object::Address(Rc::clone(address))),
            Purpose::Replace(_, object) => Op::Replace(object.clone()),
            Purpose::Remove(item) => {
                if let Item::Address(address) = item {
                    let place = (index, Spot::of_host(address));
                    self.links.remove(&place);
                    *kernel.leaving.entry(place).or_default() += 1;
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
    /// What this answer is about, and the number of the interface.
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
    pub(super) fn being_added(&self, id: RequestId) -> Option<&Object> {
        match self.pending.get(&id) {
            Some((_, Purpose::Add(_, object))) => Some(object),
            _ => None,
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    pub(super) fn is_leaving(&self, place: &Place) -> bool {
        self.leaving.contains_key(place)
    }

    pub(super) fn expect_echo(&mut self, place: Place, now: Instant) {
        let echo = self.echoes.entry(place).or_insert((0, now));
        *echo = (echo.0 + 1, now);
    }

    /// True if a notification that this address is gone is about a removal of ours.
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

    /// The interface is gone, and what it had with it.
    pub(super) fn forget_link(&mut self, index: u32) {
        self.echoes.retain(|place, _| place.0 != index);
    }
}
