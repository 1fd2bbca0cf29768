//! Restoration of externally removed objects, and retries of what the kernel refused.

use std::rc::Rc;

use super::address::as_shown;
use super::holding::Presence;
use super::kernel::Purpose;
use super::object::{Item, KernelObject, Name};
use super::{Action, Domain, Key, Restore, Retry};
use crate::base::time::{Duration, Instant};

/// After this time without external removals, an address is restored at once again.
const CALM: Duration = Duration::from_secs(30);
/// Number of immediate restorations; further ones have a growing delay up to [`MAX_DELAY`].
pub(super) const FREE_REPAIRS: u32 = 3;
const MAX_DELAY: Duration = Duration::from_secs(10);
/// Delay before retrying a removal that the kernel refused.
pub(super) const REMOVAL_DELAY: Duration = Duration::from_secs(1);
pub(super) const EEXIST: i32 = 17;
pub(super) const ENODEV: i32 = 19;

impl Domain {
    /// A wanted object was removed externally. It is restored at once a few times, then with
    /// growing delays.
    pub(super) fn on_missing(&mut self, key: &Key, now: Instant, out: &mut Vec<Action>) {
        let Some(holding) = self.holdings.get(key) else { return };
        if holding.presence != Presence::Present {
            return;
        }
        let (owners, what) = (holding.owners().collect::<Vec<_>>(), holding.object.name());
        let link = holding.object.link().to_owned();
        let restore = if holding.object.is_waived_when_missing() {
            self.set(key, Presence::Waived, false, out);
            Restore::Never
        } else {
            self.ask_later(key, false, now, out)
        };
        for owner in owners {
            let (link, what) = (link.clone(), what.clone());
            out.push(Action::Missing { owner, link, what, restore });
        }
    }

    /// The kernel dropped the object, which is there again.
    pub(super) fn report_missing(&self, key: &Key, restore: Restore, out: &mut Vec<Action>) {
        let Some(holding) = self.holdings.get(key) else { return };
        for owner in holding.owners() {
            let (link, what) = (holding.object.link().to_owned(), holding.object.name());
            out.push(Action::Missing { owner, link, what, restore });
        }
    }

    pub(super) fn ask_later(
        &mut self,
        key: &Key,
        refused: bool,
        now: Instant,
        out: &mut Vec<Action>,
    ) -> Restore {
        let Some(holding) = self.holdings.get_mut(key) else { return Restore::Never };
        let repairs = holding.repairs.get_or_insert_default();
        if now.since(repairs.last) > CALM {
            repairs.count = 0;
        }
        repairs.last = now;
        repairs.count += 1;
        if refused {
            // An immediate retry would get the same answer.
            repairs.count = repairs.count.max(FREE_REPAIRS + 1);
        }
        if repairs.count <= FREE_REPAIRS {
            self.ask_again(key, out);
            return Restore::Now;
        }
        let doublings = (repairs.count - FREE_REPAIRS).min(8);
        let delay = MAX_DELAY.min(Duration::from_millis(100) * (1 << doublings));
        self.cancel_retry(key);
        self.retry_at(key, now + delay);
        self.set(key, Presence::Absent, refused, out);
        Restore::After(delay)
    }

    fn ask_again(&mut self, key: &Key, out: &mut Vec<Action>) {
        let (Some(holding), Some(index)) = (self.holdings.get(key), self.base_of(key)) else {
            return;
        };
        let refused = holding.refused;
        let Some(item) = self.item_of(&holding.object) else { return };
        let id = self.ask(index, Purpose::Add(key.clone(), item), out);
        self.set(key, Presence::Asked(id), refused, out);
    }

    /// The object in the kernel's form; `None` if an interface it needs does not exist.
    pub(super) fn item_of(&self, object: &KernelObject) -> Option<Item> {
        Some(match object {
            KernelObject::Link(link) => Item::Link(Rc::clone(link), self.surroundings(link)?),
            KernelObject::Sysctl(sysctl) => Item::Sysctl(sysctl.setting, sysctl.value.to_string()),
            KernelObject::Firewall(shield) => {
                Item::Firewall(Rc::new(self.numbered_shield(shield)?))
            }
            KernelObject::Address(address) => Item::Address(as_shown(address)),
            KernelObject::Route(route) => {
                Item::Route(Rc::new(self.numbered(route)?), route.placement)
            }
            KernelObject::Rule(rule) => Item::Rule(Rc::new(rule.rule.clone())),
        })
    }

    /// True if another form of the object may be in the kernel, which refused to remove it.
    fn may_be_there(&self, key: &Key) -> bool {
        match key {
            Key::Link { .. } => true,
            Key::Address { link, spot } => {
                self.links.index(link).is_some_and(|i| self.links.shown(&(i, *spot)).is_some())
            }
            Key::Route(_) => self.listed(key).is_some(),
            Key::Sysctl { .. } | Key::Firewall(_) | Key::Rule(_) => false,
        }
    }

    pub(super) fn cancel_retry(&mut self, key: &Key) {
        let Some(holding) = self.holdings.get_mut(key) else { return };
        if let Some(when) = holding.take_retry() {
            self.retries.remove(&(when, Retry::Add(key.clone())));
        }
    }

    pub(super) fn on_deadline(&mut self, now: Instant, out: &mut Vec<Action>) {
        while self.retries.first().is_some_and(|(when, _)| *when <= now) {
            let Some((_, retry)) = self.retries.pop_first() else { break };
            match retry {
                Retry::Add(key) => {
                    if let Some(holding) = self.holdings.get_mut(&key) {
                        holding.take_retry();
                        let is_absent = holding.presence == Presence::Absent;
                        if is_absent && self.may_be_there(&key) || self.has_other_form(&key) {
                            self.bring_about(&key, out);
                        } else if is_absent {
                            self.ask_again(&key, out);
                        } else if self.has_stand_in(&key) {
                            self.succeed_stand_in(&key, out);
                        }
                    }
                }
                Retry::Probe(owner) => self.probe(owner, now, out),
                Retry::Remove(left) => self.remove_left(left, out),
                // Done after every input.
                Retry::Verify => {}
            }
        }
    }

    /// Requests a missing object.
    pub(super) fn ask_for(&mut self, index: u32, key: &Key, item: Item, out: &mut Vec<Action>) {
        let id = self.ask(index, Purpose::Add(key.clone(), item), out);
        self.set(key, Presence::Asked(id), false, out);
    }

    pub(super) fn report_refused(&self, key: &Key, errno: i32, out: &mut Vec<Action>) {
        let Some(holding) = self.holdings.get(key) else { return };
        let (link, what) = (holding.object.link().to_owned(), holding.object.name());
        let owner = holding.owners().next();
        out.push(Action::Refused { owner, link, what, adds: true, errno, text: None });
    }

    pub(super) fn retry_at(&mut self, key: &Key, when: Instant) {
        if let Some(holding) = self.holdings.get_mut(key) {
            holding.repairs.get_or_insert_default().retry = Some(when);
            self.retries.insert((when, Retry::Add(key.clone())));
        }
    }

    /// The kernel refused an object, which is requested again later.
    pub(super) fn on_refused(
        &mut self,
        key: &Key,
        errno: i32,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        self.ask_later(key, true, now, out);
        self.report_refused(key, errno, out);
    }

    pub(super) fn on_address_refused(
        &mut self,
        key: &Key,
        errno: i32,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        self.on_refused(key, errno, now, out);
        let Some(holding) = self.holdings.get(key) else { return };
        let (owners, what) = (holding.owners().collect::<Vec<_>>(), holding.object.name());
        let link = holding.object.link().to_owned();
        for owner in owners {
            if self.is_hopeless(owner) {
                self.despair(owner, now);
                let (link, what) = (link.clone(), what.clone());
                out.push(Action::Hopeless { owner, link, what, errno });
            }
        }
    }
}

/// The kernel refused to remove an object.
pub(super) fn report_kept(link: String, what: Name, errno: i32, out: &mut Vec<Action>) {
    out.push(Action::Refused { owner: None, link, what, adds: false, errno, text: None });
}
