//! Answers of the kernel, restoration of externally removed objects, and retries.

use std::rc::Rc;

use super::address::as_shown;
use super::holding::Presence;
use super::kernel::{Purpose, RequestId};
use super::leftovers::Left;
use super::object::{Item, Name, Object};
use super::sysctl::Answer;
use super::{Action, Domain, HostChange, Key, Restore, Retry, Spot};
use crate::base::addr::HostAddress;
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
const EADDRNOTAVAIL: i32 = 99;

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
        repairs.retry = Some(now + delay);
        self.retries.insert((now + delay, Retry::Add(key.clone())));
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
    pub(super) fn item_of(&self, object: &Object) -> Option<Item> {
        Some(match object {
            Object::Link(link) => Item::Link(Rc::clone(link), self.surroundings(link)?),
            Object::Sysctl(sysctl) => Item::Sysctl(sysctl.setting, sysctl.value.to_string()),
            Object::Firewall(shield) => Item::Firewall(Rc::new(self.numbered_shield(shield)?)),
            Object::Address(address) => Item::Address(as_shown(address)),
            Object::Route(route) => Item::Route(Rc::new(self.numbered(route)?), route.placement),
            Object::Rule(rule) => Item::Rule(Rc::new(rule.rule.clone())),
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
                        if is_absent && self.may_be_there(&key) {
                            self.bring_about(&key, out);
                        } else if is_absent {
                            self.ask_again(&key, out);
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

    pub(super) fn on_answer(
        &mut self,
        id: RequestId,
        answer: Answer,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some((index, purpose)) = self.kernel.answered(id) else { return };
        let (text, before) = (answer.text.clone(), out.len());
        self.on_answer_to(id, index, purpose, answer, now, out);
        if text.is_some() {
            let said = out[before..].iter_mut();
            said.for_each(|action| action.explain(text.as_deref()));
        }
    }

    fn on_answer_to(
        &mut self,
        id: RequestId,
        index: u32,
        purpose: Purpose,
        answer: Answer,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let errno = answer.errno;
        match purpose {
            Purpose::Add(key, Item::Address(address)) => {
                self.on_add_answered(id, index, &key, &address, errno, now, out);
            }
            Purpose::Add(key, Item::Link(..)) => self.on_link_answered(id, &key, errno, now, out),
            Purpose::Replace(key, Item::Link(..)) | Purpose::Add(key, Item::Firewall(_)) => {
                self.on_simple_answer(id, &key, errno, now, out);
            }
            Purpose::Remove(Item::Link(link, _)) => self.on_link_removed(index, &link, errno, out),
            Purpose::Add(key, Item::Sysctl(setting, _)) => {
                self.on_sysctl_answered(id, index, &key, setting, answer, out);
            }
            Purpose::Add(key, item) => self.on_route_answered(id, &key, &item, errno, now, out),
            Purpose::Verify(key, item) => self.on_verified(&key, &item, errno, now, out),
            Purpose::Replace(_, Item::Address(address)) if errno == 0 => {
                let place = (index, Spot::of_host(&address));
                if let Some(shown) = self.links.shown_mut(&place) {
                    shown.address = address;
                }
            }
            Purpose::Replace(_, item) if errno == 0 => self.note_item(&item),
            Purpose::Replace(key, _) => self.report_refused(&key, errno, out),
            Purpose::Remove(Item::Address(address)) => {
                self.on_remove_answered(index, address, errno, now, out);
            }
            Purpose::Remove(Item::Sysctl(setting, _)) if !matches!(errno, 0 | ENODEV) => {
                let (link, what) = (self.name_of(index), Name::Sysctl(setting));
                report_kept(link, what, errno, out);
            }
            // The packet filter repeats what the kernel refused.
            Purpose::Remove(Item::Sysctl(..) | Item::Firewall(_)) => {}
            Purpose::Remove(item) => self.on_route_removed(item, errno, now, out),
            Purpose::Probe(owner, _) => self.on_probe_answered(owner, errno, out),
        }
    }

    /// True if the holding waits for the answer to this request. Meanwhile, its interface may have
    /// been removed, or other options requested.
    pub(super) fn is_awaited(&self, id: RequestId, key: &Key) -> bool {
        self.holdings.get(key).is_some_and(|holding| holding.presence == Presence::Asked(id))
    }

    /// The answer to a request that either makes the object present or is retried.
    fn on_simple_answer(
        &mut self,
        id: RequestId,
        key: &Key,
        errno: i32,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        match errno {
            _ if !self.is_awaited(id, key) => {}
            0 => self.set(key, Presence::Present, false, out),
            errno => self.on_refused(key, errno, now, out),
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

    #[expect(clippy::too_many_arguments, reason = "the request and its answer")]
    fn on_add_answered(
        &mut self,
        id: RequestId,
        index: u32,
        key: &Key,
        address: &HostAddress,
        errno: i32,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let place = (index, Spot::of_host(address));
        // Unless it stayed because the kernel refused to remove it.
        let stayed = errno == EEXIST && self.links.shown(&place).is_some_and(|shown| shown.ours);
        if errno != 0 && !stayed {
            out.push(Action::Removed { index, address: address.clone() });
        }
        // A removal requested since then follows it.
        if matches!(errno, 0 | EEXIST) && !self.kernel.is_leaving(&place) {
            let address = address.clone();
            if errno == 0 {
                out.push(Action::Added { index, address: address.clone() });
                self.note_there(place, address, true, out);
            } else if self.links.shown(&place).is_none() {
                // Just added externally.
                self.note_there(place, address, false, out);
            }
        }
        match errno {
            _ if !self.is_awaited(id, key) => {}
            0 | EEXIST => self.set(key, Presence::Present, false, out),
            ENODEV => self.set(key, Presence::NoLink, false, out),
            errno => self.on_address_refused(key, errno, now, out),
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

    fn on_address_refused(&mut self, key: &Key, errno: i32, now: Instant, out: &mut Vec<Action>) {
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

    fn on_remove_answered(
        &mut self,
        index: u32,
        address: HostAddress,
        errno: i32,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let place = (index, Spot::of_host(&address));
        match errno {
            0 | EADDRNOTAVAIL | ENODEV => {
                if errno == 0 {
                    self.kernel.expect_echo(place, now);
                }
                let (link, ours) = (self.name_of(index), true);
                out.push(Action::Removed { index, address: address.clone() });
                out.push(Action::Changed(HostChange::Removed { link, address, ours }));
            }
            errno => {
                let (link, what) = (self.name_of(index), Name::Address(address.prefix));
                report_kept(link, what, errno, out);
                self.links.put(place, address, true);
                self.unclaim_place(place);
                let retry = Retry::Remove(Left::Address(place));
                self.retries.insert((now + REMOVAL_DELAY, retry));
            }
        }
    }
}

/// The kernel refused to remove an object.
pub(super) fn report_kept(link: String, what: Name, errno: i32, out: &mut Vec<Action>) {
    out.push(Action::Refused { owner: None, link, what, adds: false, errno, text: None });
}
