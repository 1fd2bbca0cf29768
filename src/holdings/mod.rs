//! Wanted and actual objects in the kernel. Pure.
//!
//! Owners request objects. This core adds missing objects, removes those without an owner, adopts
//! those left by an earlier run, and restores those removed externally. Addresses not added by
//! keepalived are used while wanted, and never removed; changed settings are restored to their old
//! values.

use std::net::IpAddr;
use std::rc::Rc;

use crate::base::addr::HostAddress;
use crate::base::hold::Hold;
use crate::base::ids::InstanceId;
use crate::base::link::KernelEvent;
use crate::base::shield::Shield;
use crate::base::sorted::{SortedMap, SortedSet};
use crate::base::time::{Duration, Instant};
use crate::model::vrrp::Instance;

mod address;
mod answers;
mod doubts;
mod fib;
mod holding;
pub mod ipvs;
mod kernel;
mod leftovers;
mod links;
mod object;
mod pending;
mod probe;
mod repair;
mod routes;
mod routes_heard;
mod shields;
mod sysctl;
#[cfg(test)]
mod tests;
mod view;
mod vlinks;
mod vlinks_heard;
mod vlinks_left;
mod want;

pub use address::{as_shown, Spot};
pub use fib::Fib;
pub use holding::HoldingState;
use holding::{Claim, Holding};
use kernel::Kernel;
pub use kernel::{Op, Place, Request, RequestId};
use leftovers::Left;
pub use links::Links;
pub use object::{Item, KernelObject, Key, Name};
use probe::Hopeless;
pub use shields::{possible_shields_of, shields_of};
pub use sysctl::{Answer, Setting, Sysctl};

/// Owner of objects.
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
    /// The claim of an instance on all its addresses. `config`: `None` if it was deleted.
    Claim {
        id: InstanceId,
        hold: Hold,
        config: Option<&'a Instance>,
    },
    /// All objects of this owner, replacing its earlier request.
    Want {
        owner: Holder,
        objects: &'a [KernelObject],
    },
    /// The owner no longer wants anything, and its leftovers from an earlier run are removed.
    Release {
        owner: Holder,
    },
    /// Nothing is removed until `Resume`, since another owner may want what one releases.
    Pause,
    Resume,
    /// The owner has started and may want these objects later: leftovers among them stay until
    /// `Want`, `Release` or `Rival`.
    Expect {
        owner: Holder,
        objects: &'a [KernelObject],
    },
    /// Another router has the addresses of this owner, or the owner cannot have them.
    Rival {
        owner: Holder,
    },
    /// An earlier run made this interface. It is removed unless it is wanted.
    LeftLink {
        index: u32,
        name: &'a str,
    },
    /// The owner was deleted.
    Forget {
        owner: Holder,
    },
    /// A change in the kernel of any origin.
    Kernel(KernelEvent),
    /// Complete state of the kernel, which overrides all earlier notifications.
    Dumped(Links),
    /// All routes and rules of keepalived's protocol number, likewise.
    Fib(Fib),
    /// The kernel's answer to `Action::Ask`.
    Answer {
        request: RequestId,
        answer: Answer,
    },
    Deadline,
}

/// Reaction to the external removal of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Restore {
    Now,
    After(Duration),
    /// The kernel had dropped it with its interface or address, and has it again.
    Done,
    /// `no_track`.
    Never,
}

/// Treatment of addresses that exist before they are wanted.
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
    /// The interfaces or addresses of the host changed.
    Changed(HostChange),
    /// Send a request to the kernel; its answer is `Input::Answer`.
    Ask(Request),
    /// The daemon added this address, or adopted an existing one.
    Added { index: u32, address: HostAddress },
    /// This address of the daemon was removed or refused by the kernel.
    Removed { index: u32, address: HostAddress },
    /// Everything the owner wants is present.
    Held(Holder),
    /// An object of the owner was removed externally.
    Missing { owner: Holder, link: String, what: Name, restore: Restore },
    /// The kernel refused to add or remove an object. The request is retried.
    Refused {
        owner: Option<Holder>,
        link: String,
        what: Name,
        adds: bool,
        errno: i32,
        /// The kernel's explanation.
        text: Option<Box<str>>,
    },
    /// The kernel refused all addresses of this owner; `errno` is its last answer. Probes are
    /// repeated until `Hopeful` or the next `Want`.
    Hopeless { owner: Holder, link: String, what: Name, errno: i32 },
    /// The kernel would accept at least one of them now.
    Hopeful { owner: Holder },
    /// `count` addresses existed already; `what` on `link` is one of them.
    Found { owner: Holder, fate: Fate, link: String, what: Name, count: usize },
}

impl Action {
    /// Adds the kernel's explanation to a refusal.
    fn explain(&mut self, reason: Option<&str>) {
        if let Self::Refused { text, .. } = self {
            *text = reason.map(Into::into);
        }
    }

    /// True if the request provides an object for an owner.
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
pub enum HostChange {
    /// An interface of this name exists (again).
    Appeared(String),
    /// State, hardware address or another property of the interface changed.
    Changed(String),
    /// The interface of this name was deleted or renamed.
    Vanished { link: String, index: u32, deleted: bool },
    /// This address was added or changed. `ours`: by keepalived.
    Added { link: String, address: HostAddress, ours: bool },
    /// This address was removed.
    Removed { link: String, address: HostAddress, ours: bool },
}

/// A retry.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Retry {
    Add(Key),
    Remove(Left),
    Probe(Holder),
    Verify,
}

#[derive(Debug, Default)]
pub struct Domain {
    holdings: SortedMap<Key, Holding>,
    claims: SortedMap<Holder, Claim>,
    links: Links,
    fib: Fib,
    kernel: Kernel,
    /// Routes that the kernel may have dropped with their interface or address.
    doubts: SortedSet<Key>,
    verified: Instant,
    /// Interfaces through which the kernel may have dropped IPv4 routes since it listed them.
    flushed: SortedSet<u32>,
    /// Source addresses with which it may have dropped some since.
    lost_sources: SortedSet<IpAddr>,
    /// Routes and rules that are requested again after a notification that they are gone.
    suspects: SortedSet<Key>,
    /// Addresses of the daemon in the kernel that belong to no object.
    unclaimed: SortedMap<IpAddr, SortedSet<Place>>,
    /// Leftovers of an earlier run, for owners that have not decided yet.
    leftovers: SortedMap<Holder, Vec<Left>>,
    /// Objects without an owner during a pause.
    orphans: Option<Vec<Key>>,
    /// Original values of changed interface settings.
    settings: SortedMap<(u32, Setting), String>,
    /// Settings that are no longer wanted and have to be restored.
    restorations: Vec<(u32, Setting)>,
    /// Entries of the packet filter as they were requested.
    shields: SortedMap<Key, Rc<Shield<u32>>>,
    /// Those without an owner, which stay until their addresses are gone.
    late_shields: SortedMap<IpAddr, SortedSet<Rc<Shield<u32>>>>,
    hopeless: SortedMap<Holder, Hopeless>,
    retries: SortedSet<(Instant, Retry)>,
    /// See [`Domain::inherit`].
    inherits: bool,
}

impl Domain {
    /// For kernels that do not report origins: until [`Domain::resolve_origins`], addresses without
    /// an origin count as leftovers of an earlier run.
    pub fn inherit(&mut self) {
        self.inherits = true;
    }

    /// From now on, addresses without an origin are foreign.
    pub fn resolve_origins(&mut self) {
        self.inherits = false;
    }

    /// Handles one input. Appends actions in the order of execution.
    pub fn handle(&mut self, input: Input<'_>, now: Instant, out: &mut Vec<Action>) {
        match input {
            Input::Claim { id, hold, config } => self.on_claim(id.into(), hold, config, out),
            Input::Want { owner, objects } => self.on_want(owner, objects, out),
            Input::Release { owner } => self.on_release(owner, out),
            Input::Pause => self.orphans = Some(Vec::new()),
            Input::Resume => self.on_resume(out),
            Input::Expect { owner, objects } => self.on_expect(owner, objects, out),
            Input::Rival { owner } => self.on_rival(owner, out),
            Input::LeftLink { index, name } => self.on_left_link(index, name, out),
            Input::Forget { owner } => self.on_forget(owner, out),
            Input::Kernel(event) => self.on_event(event, now, out),
            Input::Dumped(links) => self.on_dumped(links, now, out),
            Input::Fib(fib) => self.on_fib(fib, now, out),
            Input::Answer { request, answer } => self.on_answer(request, answer, now, out),
            Input::Deadline => self.on_deadline(now, out),
        }
        self.remove_late_shields(out);
        self.restore_settings(out);
        self.verify(now, out);
    }

    /// When `handle(Input::Deadline, ..)` next has work. Early calls do nothing.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.retries.first().map(|(when, _)| *when)
    }

    /// True while answers of the kernel are pending.
    pub fn is_settling(&self) -> bool {
        !self.kernel.is_idle()
    }

    /// True if there are leftovers of this owner that may still be wanted.
    pub fn keeps(&self, owner: Holder) -> bool {
        self.leftovers.contains_key(&owner)
    }

    /// True if a wanted address is known to be in the kernel.
    pub fn is_present(&self, key: &Key) -> bool {
        self.holdings.get(key).is_some_and(Holding::is_present)
    }

    /// The interfaces of the host and their addresses.
    pub const fn links(&self) -> &Links {
        &self.links
    }
}
