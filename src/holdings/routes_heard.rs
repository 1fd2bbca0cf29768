//! What the kernel says of routes and rules: answers, notifications and lists.

use std::rc::Rc;

use super::fib::{as_listed, Fib};
use super::holding::Presence;
use super::kernel::{Before, Purpose, RequestId};
use super::leftovers::Left;
use super::object::{Item, Key};
use super::repair::{report_kept, EEXIST, ENODEV, REMOVAL_DELAY};
use super::{Action, Domain, Retry};
use crate::base::time::Instant;

/// The kernel knew no such route or rule.
const ESRCH: i32 = 3;
const ENOENT: i32 = 2;
/// The interface is down. The route is added when it is up again.
pub(super) const ENETDOWN: i32 = 100;

impl Domain {
    pub(super) fn on_route_answered(
        &mut self,
        id: RequestId,
        key: &Key,
        item: &Item,
        errno: i32,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let is_awaited = self.is_awaited(id, key);
        if errno == 0 {
            self.kernel.note_fib(item, true);
            // A removal requested since then follows it.
            if is_awaited || !self.kernel.is_leaving_fib(item) {
                self.note_item(item);
            }
        }
        let is_suspect = self.suspects.remove(key);
        match errno {
            _ if !is_awaited => {}
            // It had been added again before the notification of an earlier removal.
            EEXIST if is_suspect => {
                self.ask(0, Purpose::Remove(item.clone()), out);
                self.ask_for(0, key, item.clone(), out);
            }
            0 | EEXIST => {
                self.set(key, Presence::Present, false, out);
                self.watch_stand_in(key, now);
            }
            // Added when an interface comes up.
            ENODEV | ENETDOWN => self.set(key, Presence::NoLink, false, out),
            errno => self.on_refused(key, errno, now, out),
        }
    }

    pub(super) fn on_route_removed(
        &mut self,
        item: Item,
        there: bool,
        errno: i32,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let is_gone = matches!(errno, 0 | ESRCH | ENOENT | ENODEV);
        if is_gone || !there {
            self.kernel.note_fib(&item, false);
            let found = if errno == 0 { Before::Removed } else { Before::Dropped };
            if self.kernel.is_verifying(&item, found) {
                return;
            }
            // Another form of it may have been added since.
            self.fib.take(&item);
            return;
        }
        let is_leaving = self.kernel.is_leaving_fib(&item);
        let left = match &item {
            Item::Route(route, _) => Left::Route(Rc::clone(route)),
            Item::Rule(rule) => Left::Rule(Rc::clone(rule)),
            Item::Link(..) | Item::Sysctl(..) | Item::Firewall(_) | Item::Address(_) => return,
        };
        if let Some((link, what)) = self.named(&left) {
            report_kept(link, what, errno, out);
        }
        // A removal requested since then decides.
        if is_leaving {
            return;
        }
        self.note_item(&item);
        self.retries.insert((now + REMOVAL_DELAY, Retry::Remove(left)));
    }

    pub(super) fn note_item(&mut self, item: &Item) {
        match item {
            Item::Route(route, _) => self.fib.put(Rc::clone(route)),
            Item::Rule(rule) => self.fib.put_rule(Rc::new(as_listed(rule))),
            _ => {}
        }
    }

    pub(super) fn forget_item(&mut self, item: &Item) {
        match item {
            Item::Route(route, _) => self.fib.remove(route),
            Item::Rule(rule) => self.fib.remove_rule(&as_listed(rule)),
            Item::Link(..) | Item::Sysctl(..) | Item::Firewall(_) | Item::Address(_) => {}
        }
    }

    /// A route or rule was added externally. Of others only wanted ones matter.
    pub(super) fn on_route_seen(&mut self, item: Item, out: &mut Vec<Action>) {
        let Some(key) = self.wanted_as(&item) else { return };
        self.note_item(&item);
        if matches!(self.holdings[&key].presence, Presence::Absent | Presence::Waived) {
            self.cancel_retry(&key);
            self.set(&key, Presence::Present, false, out);
        }
    }

    /// True for a route through an interface that is down or gone: the kernel drops it with its
    /// interface, and it returns with that.
    fn is_cut_off(&self, item: &Item) -> bool {
        let Item::Route(route, _) = item else { return false };
        let is_down = |index: &u32| self.links.by_index(*index).is_none_or(|link| !link.up);
        route.links().any(is_down)
    }

    pub(super) fn on_route_gone(&mut self, item: &Item, now: Instant, out: &mut Vec<Action>) {
        let key = self.wanted_as(item);
        self.forget_item(item);
        self.kernel.note_fib(item, false);
        let Some(key) = key else { return };
        self.suspects.insert(key.clone());
        if self.is_cut_off(item) {
            self.set(&key, Presence::NoLink, false, out);
        } else {
            self.on_missing(&key, now, out);
        }
    }

    pub(super) fn on_fib(&mut self, fib: Fib, now: Instant, out: &mut Vec<Action>) {
        let before = std::mem::replace(&mut self.fib, fib);
        self.flushed.clear();
        self.lost_sources.clear();
        let leaving: Vec<_> = self.kernel.leaving_fib().cloned().collect();
        for item in &leaving {
            self.kernel.note_fib(item, self.fib.has(item));
        }
        leaving.iter().for_each(|item| self.forget_item(item));
        let returning: Vec<_> = self.kernel.verified_fib().cloned().collect();
        returning.iter().for_each(|item| self.note_item(item));
        let keys: Vec<_> = self.holdings.keys().filter(|k| !k.is_awaited()).cloned().collect();
        for key in keys {
            let (was, is) = match &key {
                Key::Route(route) => {
                    let find = |fib: &Fib| {
                        let list = fib.in_slot(&route.slot);
                        list.iter().any(|listed| self.is_meant(&key, listed))
                    };
                    (find(&before), find(&self.fib))
                }
                Key::Rule(rule) => (before.has_rule(rule), self.fib.has_rule(rule)),
                _ => continue,
            };
            match self.holdings[&key].presence {
                // One that was not listed before is foreign.
                Presence::Present if was && !is => self.on_missing(&key, now, out),
                Presence::Absent | Presence::Waived if is => {
                    self.cancel_retry(&key);
                    self.set(&key, Presence::Present, false, out);
                }
                _ => {}
            }
        }
    }
}
