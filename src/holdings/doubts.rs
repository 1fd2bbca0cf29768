//! Routes that the kernel may have dropped without notice, or for which a foreign one stands. They
//! are added again, which the kernel refuses for those that it has.

use super::holding::Presence;
use super::kernel::{Before, Purpose};
use super::object::{Item, KernelObject, Key};
use super::repair::{EEXIST, ENODEV};
use super::routes_heard::ENETDOWN;
use super::{Action, Domain, Restore, Retry};
use crate::base::addr::{Family, HostAddress};
use crate::base::time::{Duration, Instant};

/// Time between two attempts to add a route for which a foreign one stands.
const STAND_IN: Duration = Duration::from_secs(5);
/// Time between two verifications of routes.
const VERIFICATION: Duration = Duration::from_secs(1);

impl Domain {
    /// True for a wanted route for which a foreign one stands, since the kernel has only one of
    /// them. Its removal is not reported.
    pub(super) fn has_stand_in(&self, key: &Key) -> bool {
        let is_present = self.holdings.get(key).is_some_and(|holding| holding.is_present());
        is_present && matches!(key, Key::Route(_)) && self.listed(key).is_none()
    }

    pub(super) fn watch_stand_in(&mut self, key: &Key, now: Instant) {
        if self.has_stand_in(key) {
            self.cancel_retry(key);
            self.retry_at(key, now + STAND_IN);
        }
    }

    /// Requests a route again for which a foreign one stood.
    pub(super) fn succeed_stand_in(&mut self, key: &Key, out: &mut Vec<Action>) {
        let item = self.holdings.get(key).and_then(|holding| self.item_of(&holding.object));
        if let Some(item) = item {
            let key = key.clone();
            self.ask(0, Purpose::Verify { key, item, before: Before::Unknown }, out);
        }
    }

    /// An interface came up: routes wait for it, or the kernel dropped them when it went down.
    pub(super) fn doubt_routes_on(&mut self, link: &str, out: &mut Vec<Action>) {
        for key in self.keys_on(link) {
            if !matches!(key, Key::Route(_)) {
                continue;
            }
            match self.holdings[&key].presence {
                Presence::NoLink | Presence::Absent => {
                    self.bring_about(&key, out);
                }
                Presence::Present => {
                    self.doubts.insert(key);
                }
                Presence::Asked(_) | Presence::Made | Presence::Waived => {}
            }
        }
    }

    /// The kernel drops the routes that prefer a source address together with it. With the last
    /// IPv4 address of an interface, it drops all IPv4 routes through that.
    pub(super) fn doubt_routes_of(&mut self, index: u32, gone: &HostAddress) {
        let source = Some(gone.prefix.addr);
        let prefers = |item: &Item| matches!(item, Item::Route(route, _) if route.source == source);
        if self.fib.prefers(gone.prefix.addr) || self.kernel.leaving_fib().any(prefers) {
            self.lost_sources.insert(gone.prefix.addr);
        }
        let is_v4 = gone.prefix.addr.is_ipv4();
        // Own addresses may have been added after it was removed.
        let emptied = self.links.by_index(index).filter(|_| is_v4);
        let emptied = emptied.filter(|_| self.links.has_only_own_v4(index));
        if emptied.is_some() {
            self.flushed.insert(index);
        }
        let is_through = |key: &Key| match (key, emptied) {
            (Key::Route(route), Some(link)) => {
                route.slot.family == Family::V4 && key.needs(&link.name)
            }
            _ => false,
        };
        let is_from = |object: &KernelObject| match object {
            KernelObject::Route(route) => route.route.source == source,
            _ => false,
        };
        // There may be thousands of addresses, but no route.
        let routes = self.holdings.range(Key::first_route()..);
        let present = routes.filter(|(_, holding)| holding.is_present());
        let those = present.filter(|(key, h)| is_from(&h.object) || is_through(key));
        self.doubts.extend(those.map(|(key, _)| key.clone()));
    }

    /// Adds doubtful routes again, once all earlier requests are done. The kernel refuses those it
    /// still has.
    pub(super) fn verify(&mut self, now: Instant, out: &mut Vec<Action>) {
        if self.doubts.is_empty() || !self.kernel.is_idle() {
            return;
        }
        let next = self.verified + VERIFICATION;
        if self.verified != Instant::ZERO && now < next {
            self.retries.insert((next, Retry::Verify));
            return;
        }
        self.verified = now;
        for key in std::mem::take(&mut self.doubts) {
            let holding = self.holdings.get(&key).filter(|holding| holding.is_present());
            if let Some(item) = holding.and_then(|holding| self.item_of(&holding.object)) {
                if matches!(&key, Key::Route(route) if route.is_open()) {
                    // The kernel could add it a second time, through another interface.
                    self.ask(0, Purpose::Remove(item.clone()), out);
                    self.note_item(&item);
                }
                self.ask(0, Purpose::Verify { key, item, before: Before::Unknown }, out);
            }
        }
    }

    pub(super) fn on_verified(
        &mut self,
        key: &Key,
        item: &Item,
        before: Before,
        errno: i32,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let is_present = self.holdings.get(key).is_some_and(|h| h.is_present());
        match errno {
            EEXIST => self.watch_stand_in(key, now),
            0 => {
                self.kernel.note_fib(item, true);
                // A removal requested since then follows it.
                if !self.kernel.is_leaving_fib(item) {
                    self.note_item(item);
                }
                if before != Before::Removed {
                    self.report_missing(key, Restore::Done, out);
                }
            }
            ENODEV | ENETDOWN if is_present => {
                self.forget_item(item);
                self.set(key, Presence::NoLink, false, out);
            }
            errno if is_present => {
                // Otherwise it may still be there.
                if before != Before::Unknown {
                    self.forget_item(item);
                }
                self.on_refused(key, errno, now, out);
            }
            _ => {}
        }
    }
}
