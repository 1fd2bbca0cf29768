//! What the kernel is to hold for us, against what it holds. Pure.
//!
//! Owners say which addresses they want; this core asks for what is missing, lets go of what
//! nobody wants any more, adopts what is there already and puts back what somebody else removes.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::addr::Prefix;
use crate::base::deadlines::Deadlines;
use crate::base::ids::InstanceId;
use crate::base::time::{Duration, Instant};
use crate::model::vrrp::VirtualAddress;

pub mod ipvs;
#[cfg(test)]
mod tests;

/// An address on an interface: what the kernel tells addresses apart by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    pub link: String,
    pub prefix: Prefix,
}

impl Key {
    pub fn of(address: &VirtualAddress) -> Self {
        Self { link: address.interface.clone(), prefix: address.prefix }
    }
}

#[derive(Debug)]
pub enum Input<'a> {
    /// All that this owner wants from now on, instead of what it wanted before.
    Want {
        owner: InstanceId,
        addresses: &'a [&'a VirtualAddress],
    },
    /// The owner wants nothing any more.
    Release {
        owner: InstanceId,
    },
    /// Left over from before: removed unless somebody wants it.
    Clear {
        address: &'a VirtualAddress,
    },
    /// The kernel has this address, whoever added it.
    Seen {
        key: Key,
    },
    /// The kernel no longer has this address.
    Gone {
        key: Key,
    },
    /// What the kernel has, complete: what is not in it is gone, whatever was heard before.
    Dumped {
        keys: BTreeSet<Key>,
    },
    /// The interface went away, and all its addresses with it.
    LinkGone {
        link: &'a str,
    },
    /// The interface is there (again).
    LinkBack {
        link: &'a str,
    },
    /// The kernel's answer to `Add` or `Remove`: 0 or an errno.
    Answer {
        key: Key,
        op: Op,
        errno: i32,
    },
    Deadline,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    Add,
    Remove,
}

#[derive(Clone, PartialEq, Debug)]
#[must_use]
pub enum Action {
    /// Ask the kernel; it answers with `Input::Answer`.
    Add(VirtualAddress),
    /// Ask the kernel; it answers with `Input::Answer`.
    Remove(VirtualAddress),
    /// Everything the owner wants is there.
    Held(InstanceId),
    /// Somebody else removed what the owner wants; it is being put back after `delay`.
    Missing { owner: InstanceId, key: Key, delay: Duration },
    /// The kernel refused; tried again after `delay`.
    Refused { owner: Option<InstanceId>, key: Key, op: Op, errno: i32, delay: Option<Duration> },
}

/// Where one address stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Presence {
    Absent,
    Adding,
    Present,
    Removing,
    /// Its interface does not exist.
    NoLink,
}

#[derive(Debug)]
struct Object {
    address: VirtualAddress,
    owners: BTreeSet<InstanceId>,
    presence: Presence,
    /// How often it had to be put back lately, and when that was last.
    repairs: u32,
    repaired: Instant,
    retry: Option<Instant>,
}

#[derive(Debug, Default)]
struct Owner {
    wants: BTreeSet<Key>,
    missing: usize,
}

#[derive(Debug, Default)]
pub struct Domain {
    objects: BTreeMap<Key, Object>,
    owners: BTreeMap<InstanceId, Owner>,
    /// Addresses the kernel has, ours or not.
    kernel: BTreeSet<Key>,
    /// Removals of ours whose echo has not come yet: it must not be taken for somebody else's.
    echoes: BTreeMap<Key, u32>,
    retries: Deadlines<u64>,
    retry_keys: BTreeMap<u64, Key>,
    next_retry: u64,
}

/// After this long without trouble, an address is put back at once again.
const CALM: Duration = Duration::from_secs(30);
/// Put back at once so many times, then with a growing delay up to [`MAX_DELAY`].
const FREE_REPAIRS: u32 = 3;
const MAX_DELAY: Duration = Duration::from_secs(10);

const EEXIST: i32 = 17;
const ENODEV: i32 = 19;
const EADDRNOTAVAIL: i32 = 99;

impl Domain {
    /// Takes one fact. Appends what must be done, in the order it must be done.
    pub fn handle(&mut self, input: Input<'_>, now: Instant, out: &mut Vec<Action>) {
        match input {
            Input::Want { owner, addresses } => self.on_want(owner, addresses, out),
            Input::Release { owner } => self.on_release(owner, out),
            Input::Clear { address } => self.on_clear(address, out),
            Input::Seen { key } => self.on_seen(key, out),
            Input::Gone { key } => self.on_gone(key, now, out),
            Input::Dumped { keys } => self.on_dumped(keys, now, out),
            Input::LinkGone { link } => self.on_link_gone(link),
            Input::LinkBack { link } => self.on_link_back(link, out),
            Input::Answer { key, op, errno } => self.on_answer(&key, op, errno, now, out),
            Input::Deadline => self.on_deadline(now, out),
        }
    }

    /// When `handle(Input::Deadline, ..)` next has work. Early calls do nothing.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.retries.next()
    }

    /// True while the kernel owes an answer, or something is still to be removed.
    pub fn is_settling(&self) -> bool {
        self.objects.values().any(|o| o.owners.is_empty() || matches!(o.presence, Presence::Adding))
    }

    /// True if the kernel has this address as far as we know.
    pub fn is_present(&self, key: &Key) -> bool {
        self.kernel.contains(key)
    }

    /// The address, if it is believed to be in the kernel because of us: the last resort after a
    /// failure removes it.
    pub fn installed(&self, key: &Key) -> Option<&VirtualAddress> {
        let there = |p| matches!(p, Presence::Present | Presence::Adding | Presence::Removing);
        self.objects.get(key).filter(|o| there(o.presence)).map(|o| &o.address)
    }

    fn on_want(&mut self, owner: InstanceId, addresses: &[&VirtualAddress], out: &mut Vec<Action>) {
        let before = self.owners.remove(&owner);
        let is_new = before.is_none();
        let before = before.unwrap_or_default();
        let mut wants = BTreeSet::new();
        let mut missing = 0;
        for &address in addresses {
            let key = Key::of(address);
            if !wants.insert(key.clone()) {
                continue;
            }
            if !self.want_one(owner, address, key, out) {
                missing += 1;
            }
        }
        for key in before.wants.difference(&wants) {
            self.let_go(owner, key, out);
        }
        // Who only wants less has nothing to be told.
        let has_more = !wants.is_subset(&before.wants);
        self.owners.insert(owner, Owner { wants, missing });
        if missing == 0 && (is_new || has_more) {
            out.push(Action::Held(owner));
        }
    }

    fn on_release(&mut self, owner: InstanceId, out: &mut Vec<Action>) {
        let Some(before) = self.owners.remove(&owner) else { return };
        for key in &before.wants {
            self.let_go(owner, key, out);
        }
    }

    /// True if the address is there already.
    fn want_one(
        &mut self,
        owner: InstanceId,
        address: &VirtualAddress,
        key: Key,
        out: &mut Vec<Action>,
    ) -> bool {
        let present = self.kernel.contains(&key);
        let object = self.objects.entry(key).or_insert_with(|| Object {
            address: address.clone(),
            owners: BTreeSet::new(),
            presence: if present { Presence::Present } else { Presence::Absent },
            repairs: 0,
            repaired: Instant::ZERO,
            retry: None,
        });
        object.owners.insert(owner);
        object.address = address.clone();
        if object.presence == Presence::Absent && object.retry.is_none() {
            object.presence = Presence::Adding;
            out.push(Action::Add(address.clone()));
        }
        object.presence == Presence::Present
    }

    fn let_go(&mut self, owner: InstanceId, key: &Key, out: &mut Vec<Action>) {
        let Some(object) = self.objects.get_mut(key) else { return };
        object.owners.remove(&owner);
        if !object.owners.is_empty() {
            return;
        }
        object.retry = None;
        match object.presence {
            Presence::Present => {
                object.presence = Presence::Removing;
                out.push(Action::Remove(object.address.clone()));
            }
            // The answer to the request under way decides what comes next.
            Presence::Adding | Presence::Removing => {}
            Presence::Absent | Presence::NoLink => {
                self.objects.remove(key);
            }
        }
    }

    fn on_clear(&mut self, address: &VirtualAddress, out: &mut Vec<Action>) {
        let key = Key::of(address);
        if self.kernel.contains(&key) && !self.objects.contains_key(&key) {
            let object = Object {
                address: address.clone(),
                owners: BTreeSet::new(),
                presence: Presence::Removing,
                repairs: 0,
                repaired: Instant::ZERO,
                retry: None,
            };
            self.objects.insert(key, object);
            out.push(Action::Remove(address.clone()));
        }
    }

    fn on_seen(&mut self, key: Key, out: &mut Vec<Action>) {
        if let Some(object) = self.objects.get_mut(&key) {
            // Somebody put it back before we did.
            if matches!(object.presence, Presence::Absent | Presence::NoLink) {
                object.presence = Presence::Present;
                object.retry = None;
                let owners = object.owners.clone();
                self.one_more(&owners, out);
            }
        }
        self.kernel.insert(key);
    }

    fn on_gone(&mut self, key: Key, now: Instant, out: &mut Vec<Action>) {
        if let Some(expected) = self.echoes.get_mut(&key) {
            *expected -= 1;
            if *expected == 0 {
                self.echoes.remove(&key);
            }
            return;
        }
        self.kernel.remove(&key);
        let Some(object) = self.objects.get_mut(&key) else { return };
        if object.presence != Presence::Present {
            return;
        }
        let owners = object.owners.clone();
        self.one_less(&owners);
        let delay = self.repair_later(&key, now, out);
        for owner in owners {
            out.push(Action::Missing { owner, key: key.clone(), delay });
        }
    }

    fn on_dumped(&mut self, keys: BTreeSet<Key>, now: Instant, out: &mut Vec<Action>) {
        self.echoes.clear();
        let gone: Vec<_> = self.kernel.difference(&keys).cloned().collect();
        for key in gone {
            self.on_gone(key, now, out);
        }
        for key in keys {
            self.on_seen(key, out);
        }
    }

    /// Puts an address back: at once for a while, then ever later.
    fn repair_later(&mut self, key: &Key, now: Instant, out: &mut Vec<Action>) -> Duration {
        let Some(object) = self.objects.get_mut(key) else { return Duration::ZERO };
        if now.since(object.repaired) > CALM {
            object.repairs = 0;
        }
        object.repaired = now;
        object.repairs += 1;
        if object.repairs <= FREE_REPAIRS {
            object.presence = Presence::Adding;
            out.push(Action::Add(object.address.clone()));
            return Duration::ZERO;
        }
        object.presence = Presence::Absent;
        let doublings = (object.repairs - FREE_REPAIRS).min(8);
        let delay = MAX_DELAY.min(Duration::from_millis(100) * (1 << doublings));
        object.retry = Some(now + delay);
        let ticket = self.next_retry;
        self.next_retry += 1;
        self.retry_keys.insert(ticket, key.clone());
        self.retries.set(ticket, Some(now + delay));
        delay
    }

    fn on_deadline(&mut self, now: Instant, out: &mut Vec<Action>) {
        while let Some((_, ticket)) = self.retries.pop_due(now) {
            let Some(key) = self.retry_keys.remove(&ticket) else { continue };
            let Some(object) = self.objects.get_mut(&key) else { continue };
            // An older ticket of the same address, or one that was put back meanwhile.
            if object.retry.is_none_or(|when| when > now) {
                continue;
            }
            object.retry = None;
            if object.presence == Presence::Absent {
                object.presence = Presence::Adding;
                out.push(Action::Add(object.address.clone()));
            }
        }
    }

    fn on_link_gone(&mut self, link: &str) {
        self.kernel.retain(|k| k.link != link);
        self.echoes.retain(|k, _| k.link != link);
        let mut lost = Vec::new();
        for (_, object) in self.objects.iter_mut().filter(|(k, _)| k.link == link) {
            if object.presence == Presence::Present {
                lost.push(object.owners.clone());
            }
            object.presence = Presence::NoLink;
            object.retry = None;
        }
        self.objects.retain(|k, o| k.link != link || !o.owners.is_empty());
        for owners in lost {
            self.one_less(&owners);
        }
    }

    fn on_link_back(&mut self, link: &str, out: &mut Vec<Action>) {
        for (_, object) in self.objects.iter_mut().filter(|(k, _)| k.link == link) {
            if object.presence == Presence::NoLink {
                object.presence = Presence::Adding;
                out.push(Action::Add(object.address.clone()));
            }
        }
    }

    fn on_answer(&mut self, key: &Key, op: Op, errno: i32, now: Instant, out: &mut Vec<Action>) {
        match (op, errno) {
            (Op::Add, 0 | EEXIST) => {
                self.kernel.insert(key.clone());
            }
            (Op::Remove, 0) => {
                self.kernel.remove(key);
                *self.echoes.entry(key.clone()).or_default() += 1;
            }
            (Op::Remove, EADDRNOTAVAIL | ENODEV) => {
                self.kernel.remove(key);
            }
            _ => {}
        }
        let Some(object) = self.objects.get_mut(key) else { return };
        let expected = match op {
            Op::Add => Presence::Adding,
            Op::Remove => Presence::Removing,
        };
        // The interface went away while the kernel was thinking.
        if object.presence != expected {
            return;
        }
        match (op, errno) {
            (Op::Add, 0 | EEXIST) if object.owners.is_empty() => {
                object.presence = Presence::Removing;
                out.push(Action::Remove(object.address.clone()));
            }
            (Op::Add, 0 | EEXIST) => {
                object.presence = Presence::Present;
                let owners = object.owners.clone();
                self.one_more(&owners, out);
            }
            (Op::Add, errno) => self.on_refused(key, errno, now, out),
            (Op::Remove, 0 | EADDRNOTAVAIL | ENODEV) if object.owners.is_empty() => {
                self.objects.remove(key);
            }
            (Op::Remove, 0 | EADDRNOTAVAIL | ENODEV) => {
                object.presence = Presence::Adding;
                out.push(Action::Add(object.address.clone()));
            }
            (Op::Remove, errno) => {
                // Nothing more can be done about it; it is told, and forgotten.
                let wanted = !object.owners.is_empty();
                if wanted {
                    object.presence = Presence::Present;
                    let owners = object.owners.clone();
                    self.one_more(&owners, out);
                } else {
                    self.objects.remove(key);
                }
                let refused =
                    Action::Refused { owner: None, key: key.clone(), op, errno, delay: None };
                out.push(refused);
            }
        }
    }

    fn on_refused(&mut self, key: &Key, errno: i32, now: Instant, out: &mut Vec<Action>) {
        let Some(object) = self.objects.get_mut(key) else { return };
        if errno == ENODEV {
            object.presence = Presence::NoLink;
        }
        if object.owners.is_empty() {
            self.objects.remove(key);
            return;
        }
        let owner = object.owners.first().copied();
        let delay = if errno == ENODEV {
            None
        } else {
            // Asking again at once would get the same answer.
            object.repairs = object.repairs.max(FREE_REPAIRS);
            Some(self.repair_later(key, now, out))
        };
        out.push(Action::Refused { owner, key: key.clone(), op: Op::Add, errno, delay });
    }

    fn one_more(&mut self, owners: &BTreeSet<InstanceId>, out: &mut Vec<Action>) {
        for id in owners {
            let Some(owner) = self.owners.get_mut(id) else { continue };
            owner.missing = owner.missing.saturating_sub(1);
            if owner.missing == 0 {
                out.push(Action::Held(*id));
            }
        }
    }

    fn one_less(&mut self, owners: &BTreeSet<InstanceId>) {
        for id in owners {
            if let Some(owner) = self.owners.get_mut(id) {
                owner.missing += 1;
            }
        }
    }
}
