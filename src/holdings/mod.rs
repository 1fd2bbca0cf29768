//! What the kernel is to hold for us, against what it holds. Pure.
//!
//! Owners say which objects they want; this core asks for what is missing, lets go of what no
//! owner wants any more, adopts what an earlier run left and restores what is removed externally.
//! An address that was not added by keepalived is used while it is wanted, and never removed; a
//! setting that was changed gets its old value back.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::base::addr::HostAddress;
use crate::base::ids::InstanceId;
use crate::base::link::KernelEvent;
use crate::base::time::{Duration, Instant};

mod address;
mod holding;
pub mod ipvs;
mod kernel;
mod leftovers;
mod links;
mod object;
mod probe;
mod repair;
mod sysctl;
#[cfg(test)]
mod tests;
mod view;
mod want;

pub use address::{as_shown, Spot};
use holding::{Claim, Holding};
use kernel::Kernel;
pub use kernel::{Op, Place, Request, RequestId};
pub use links::Links;
pub use object::{Item, Key, Name, Object};
use probe::Hopeless;
pub use sysctl::{Answer, Setting, Sysctl};

/// For whom something is held.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Holder {
    /// The host itself: for as long as the daemon runs.
    Host,
    Instance(InstanceId),
}

impl From<InstanceId> for Holder {
    fn from(id: InstanceId) -> Self {
        Self::Instance(id)
    }
}

#[derive(Debug)]
pub enum Input<'a> {
    /// All that this owner wants from now on, instead of what it wanted before.
    Want {
        owner: Holder,
        objects: &'a [Object],
    },
    /// The owner wants nothing any more, and what an earlier run left of it goes.
    Release {
        owner: Holder,
    },
    /// Until `Resume`, nothing is removed: what one owner gives up may be wanted by another.
    Pause,
    Resume,
    /// The owner has begun, and it is not known yet whether it will want these: what an earlier run
    /// left of them stays until `Want`, `Release` or `Rival`.
    Expect {
        owner: Holder,
        objects: &'a [Object],
    },
    /// Another router has the addresses of this owner, or the owner cannot have them.
    Rival {
        owner: Holder,
    },
    /// The owner is no more.
    Forget {
        owner: Holder,
    },
    /// Something changed in the kernel, by whomever.
    Kernel(KernelEvent),
    /// What the kernel has, complete: what is not in it is gone, whatever was heard before.
    Dumped(Links),
    /// The kernel's answer to `Action::Ask`.
    Answer {
        request: RequestId,
        answer: Answer,
    },
    Deadline,
}

/// What is done about an address that was removed externally.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Restore {
    Now,
    After(Duration),
    /// `no_track`.
    Never,
}

/// What becomes of addresses that are there before they are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// Left by an earlier run, and wanted now.
    Adopted,
    /// Left by an earlier run; it is not known yet whether they will be wanted.
    Kept,
    /// Left by an earlier run, and no longer wanted.
    Removed,
    /// Not added by keepalived: used, and never removed.
    Foreign,
}

#[derive(Clone, PartialEq, Debug)]
#[must_use]
pub enum Action {
    /// Something depends on this.
    Fact(Fact),
    /// Ask the kernel; it answers with `Input::Answer`.
    Ask(Request),
    /// The kernel has this address now, because of us; or it had it, and it is ours from now on.
    Added { index: u32, address: HostAddress },
    /// The kernel no longer has, or did not take, this address of ours.
    Removed { index: u32, address: HostAddress },
    /// Everything the owner wants is there.
    Held(Holder),
    /// What the owner wants was removed externally.
    Missing { owner: Holder, link: String, what: Name, restore: Restore },
    /// The kernel refused to add an address, and is asked again after `retry`; or to remove one.
    Refused { owner: Option<Holder>, link: String, what: Name, adds: bool, errno: i32 },
    /// The kernel refused to add any address of this owner; `errno` is its last answer. It is asked
    /// again now and then, until `Hopeful` or the next `Want`.
    Hopeless { owner: Holder, link: String, what: Name, errno: i32 },
    /// The kernel would take at least one of them now.
    Hopeful { owner: Holder },
    /// `count` addresses were there; `what` on `link` is one of them.
    Found { owner: Holder, fate: Fate, link: String, what: Name, count: usize },
}

impl Action {
    /// True if an owner gets something by it.
    pub const fn adds(&self) -> bool {
        match self {
            Self::Ask(request) => !matches!(request.op, Op::Remove(_)),
            Self::Held(_) => true,
            _ => false,
        }
    }
}

/// A change to the interfaces and addresses of the host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// There is an interface of this name (again).
    Appeared(String),
    /// State, hardware address or another property of the interface changed.
    Changed(String),
    /// No interface has this name any more: it was deleted, or has another name.
    Vanished { link: String, index: u32, deleted: bool },
    /// This address is there now, or has changed. Ours: because of keepalived.
    Added { link: String, address: HostAddress, ours: bool },
    /// This address is there no more.
    Removed { link: String, address: HostAddress, ours: bool },
}

/// Something to be asked again.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Retry {
    Add(Key),
    Remove(Place),
    Probe(Holder),
}

#[derive(Debug, Default)]
pub struct Domain {
    holdings: BTreeMap<Key, Holding>,
    claims: BTreeMap<Holder, Claim>,
    links: Links,
    kernel: Kernel,
    /// What is in the kernel because of us, as far as no object stands for it.
    unclaimed: BTreeMap<IpAddr, BTreeSet<Place>>,
    /// What an earlier run left of owners that have not decided yet.
    leftovers: BTreeMap<Holder, Vec<Place>>,
    /// Objects without an owner, while nothing is to be removed.
    orphans: Option<Vec<Key>>,
    /// The values that settings of interfaces had before they were changed.
    settings: BTreeMap<(u32, Setting), String>,
    /// Settings that are wanted no more, and still have to be restored.
    restorations: Vec<(u32, Setting)>,
    hopeless: BTreeMap<Holder, Hopeless>,
    retries: BTreeSet<(Instant, Retry)>,
    /// See [`Domain::inherit`].
    inherits: bool,
}

impl Domain {
    /// For kernels that do not say who added an address: until [`Domain::settle_origins`], those
    /// without an origin count as left by an earlier run.
    pub fn inherit(&mut self) {
        self.inherits = true;
    }

    /// From here on, what shows no origin is not ours.
    pub fn settle_origins(&mut self) {
        self.inherits = false;
    }

    /// Takes one fact. Appends what must be done, in the order it must be done.
    pub fn handle(&mut self, input: Input<'_>, now: Instant, out: &mut Vec<Action>) {
        match input {
            Input::Want { owner, objects } => self.on_want(owner, objects, out),
            Input::Release { owner } => self.on_release(owner, out),
            Input::Pause => self.orphans = Some(Vec::new()),
            Input::Resume => self.on_resume(out),
            Input::Expect { owner, objects } => self.on_expect(owner, objects, out),
            Input::Rival { owner } => self.on_rival(owner, out),
            Input::Forget { owner } => self.on_forget(owner, out),
            Input::Kernel(event) => self.on_event(event, now, out),
            Input::Dumped(links) => self.on_dumped(links, now, out),
            Input::Answer { request, answer } => self.on_answer(request, answer, now, out),
            Input::Deadline => self.on_deadline(now, out),
        }
        self.restore_settings(out);
    }

    /// When `handle(Input::Deadline, ..)` next has work. Early calls do nothing.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.retries.first().map(|(when, _)| *when)
    }

    /// True while the kernel owes an answer.
    pub fn is_settling(&self) -> bool {
        !self.kernel.is_idle()
    }

    /// True if an earlier run left something of this owner, and it is not known yet whether it is
    /// wanted.
    pub fn keeps(&self, owner: Holder) -> bool {
        self.leftovers.contains_key(&owner)
    }

    /// True if a wanted address is in the kernel as far as we know.
    pub fn is_present(&self, key: &Key) -> bool {
        self.holdings.get(key).is_some_and(Holding::is_present)
    }

    /// The interfaces of the host and their addresses.
    pub const fn links(&self) -> &Links {
        &self.links
    }
}
