//! The requests that the kernel has not answered. It works in the order of asking.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::address::{Key, Spot};
use super::{Action, Domain, Holder};
use crate::base::addr::HostAddress;
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
    /// Add an address that is not there.
    Add(Rc<VirtualAddress>),
    /// Change options of an address that is there and stays.
    Replace(Rc<VirtualAddress>),
    Remove(HostAddress),
}

/// What an answer is about.
#[derive(Debug)]
pub(super) enum Purpose {
    Add(Key, Rc<VirtualAddress>),
    Replace(Key, Rc<VirtualAddress>),
    Remove(HostAddress),
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
            Purpose::Add(_, address) | Purpose::Probe(_, address) => Op::Add(Rc::clone(address)),
            Purpose::Replace(_, address) => Op::Replace(Rc::clone(address)),
            Purpose::Remove(address) => {
                let place = (index, Spot::of_host(address));
                self.links.remove(&place);
                *kernel.leaving.entry(place).or_default() += 1;
                Op::Remove(address.clone())
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
        if let Purpose::Remove(address) = &purpose {
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

    /// The address that an unanswered request adds.
    pub(super) fn being_added(&self, id: RequestId) -> Option<&Rc<VirtualAddress>> {
        match self.pending.get(&id) {
            Some((_, Purpose::Add(_, address))) => Some(address),
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
