//! Requests and releases by owners.

use std::rc::Rc;

use super::address::{as_shown, difference, Difference};
use super::holding::{Claim, Holding, Presence};
use super::kernel::{Place, Purpose};
use super::object::{Item, KernelObject, Key};
use super::{Action, Domain, Fate, Holder, Retry};
use crate::base::hold::Hold;
use crate::base::sorted::SortedSet;
use crate::model::vrrp::{Instance, VirtualAddress};

impl Domain {
    pub(super) fn on_claim(
        &mut self,
        owner: Holder,
        hold: Hold,
        config: Option<&Instance>,
        out: &mut Vec<Action>,
    ) {
        match (hold, config) {
            (Hold::Release, _) => self.on_release(owner, out),
            (Hold::Rival, _) => self.on_rival(owner, out),
            (Hold::Want, Some(config)) => self.on_want(owner, &KernelObject::all_of(config), out),
            (Hold::Expect, Some(config)) => {
                self.on_expect(owner, &KernelObject::all_of(config), out)
            }
            (Hold::Want | Hold::Expect, None) => {}
        }
    }

    pub(super) fn on_want(
        &mut self,
        owner: Holder,
        objects: &[KernelObject],
        out: &mut Vec<Action>,
    ) {
        self.take_heart(owner);
        let before = self.claims.remove(&owner);
        let is_new = before.is_none();
        let before = before.unwrap_or_default().keys();
        let mut in_order: Vec<_> = objects.iter().collect();
        in_order.sort_by_key(|object| object.rank());
        let (mut claim, mut wants) = (Claim::default(), SortedSet::new());
        let mut taken = Vec::with_capacity(in_order.len());
        self.replace_links(owner, &before, &in_order, out);
        let mut found = Vec::new();
        for object in in_order {
            let key = object.key();
            if !wants.insert(key.clone()) {
                continue;
            }
            found.extend(self.want_one(owner, object, &key, out));
            let holding = &self.holdings[&key];
            if key.is_awaited() {
                claim.awaited += 1;
                claim.missing += u32::from(holding.is_missing());
                claim.refused += u32::from(holding.refused);
            }
            taken.push(object.clone());
        }
        claim.wants = taken.into();
        for key in before.iter().rev().filter(|key| !wants.contains(key)) {
            self.let_go(owner, key, out);
        }
        self.replace_leftovers(owner, objects, out);
        for fate in [Fate::Adopted, Fate::Foreign] {
            let mut those = found.iter().filter(|(f, _)| *f == fate).map(|(_, object)| object);
            let count = those.clone().count();
            if let Some(first) = those.next() {
                let (link, what) = (first.link().to_owned(), first.name());
                out.push(Action::Found { owner, fate, link, what, count });
            }
        }
        // No `Held` for an owner that only wants less, or other objects than it waits for.
        let kept = before.iter().filter(|key| key.is_awaited() && wants.contains(*key)).count();
        let has_more = claim.awaited as usize > kept;
        let is_held = claim.missing == 0 && (is_new || has_more);
        self.claims.insert(owner, claim);
        if is_held {
            out.push(Action::Held(owner));
        }
    }

    /// Lets go of virtual interfaces that are no longer wanted: one that takes the place of another
    /// is made after that one is removed. In both lists, interfaces come first.
    fn replace_links(
        &mut self,
        owner: Holder,
        before: &[Key],
        wanted: &[&KernelObject],
        out: &mut Vec<Action>,
    ) {
        let wanted = wanted.iter().take_while(|object| matches!(object, KernelObject::Link(_)));
        let wanted: SortedSet<_> = wanted.map(|object| object.key()).collect();
        let had = before.iter().take_while(|key| matches!(key, Key::Link { .. }));
        for key in had.filter(|key| !wanted.contains(key)) {
            self.let_go(owner, key, out);
        }
    }

    pub(super) fn on_release(&mut self, owner: Holder, out: &mut Vec<Action>) {
        self.on_rival(owner, out);
        let Some(before) = self.claims.remove(&owner) else { return };
        for key in before.keys().iter().rev() {
            self.let_go(owner, key, out);
        }
    }

    pub(super) fn on_resume(&mut self, out: &mut Vec<Action>) {
        for key in self.orphans.take().unwrap_or_default() {
            if self.holdings.get(&key).is_some_and(|holding| holding.owners().next().is_none()) {
                self.discard(&key, out);
            }
        }
    }

    fn want_one<'a>(
        &mut self,
        owner: Holder,
        object: &'a KernelObject,
        key: &Key,
        out: &mut Vec<Action>,
    ) -> Option<(Fate, &'a KernelObject)> {
        let is_new = match self.holdings.get_mut(key) {
            None => {
                let mut holding = Holding::new(object.clone());
                holding.give(owner, object.clone());
                self.holdings.insert(key.clone(), holding);
                true
            }
            Some(holding) => {
                let is_same = holding.object.is_same(object);
                holding.give(owner, object.clone());
                if is_same {
                    return None;
                }
                false
            }
        };
        let fate = self.bring_about(key, out);
        fate.filter(|_| is_new).map(|fate| (fate, object))
    }

    /// Requests the object in its wanted form. Returns the origin of one that already exists.
    pub(super) fn bring_about(&mut self, key: &Key, out: &mut Vec<Action>) -> Option<Fate> {
        self.cancel_retry(key);
        let wanted = self.holdings.get(key)?.object.clone();
        let Some(index) = self.base_of(key) else {
            self.set(key, Presence::NoLink, false, out);
            return None;
        };
        match wanted {
            KernelObject::Link(link) => self.bring_about_link(key, &link, out),
            KernelObject::Firewall(shield) => {
                self.bring_about_shield(key, &shield, out);
                None
            }
            KernelObject::Route(route) => self.bring_about_route(key, &route, out),
            KernelObject::Rule(_) => self.bring_about_rule(key, out),
            KernelObject::Sysctl(sysctl) => {
                self.bring_about_sysctl(index, key, &sysctl, out);
                None
            }
            KernelObject::Address(address) => self.bring_about_address(index, key, address, out),
        }
    }

    fn bring_about_address(
        &mut self,
        index: u32,
        key: &Key,
        wanted: Rc<VirtualAddress>,
        out: &mut Vec<Action>,
    ) -> Option<Fate> {
        let Key::Address { spot, .. } = key else { return None };
        let place = (index, *spot);
        if let Presence::Asked(id) = self.holdings.get(key)?.presence {
            // Its options differ and are about to be changed.
            let item = self.kernel.being_added(id).filter(|_| !self.is_taken(&place));
            if let Some(item) = item.cloned() {
                self.ask(index, Purpose::Remove(item), out);
            }
        }
        self.claim_place(&place);
        let (fate, add) = match self.links.shown(&place) {
            Some(shown) if !shown.ours => (Some(Fate::Foreign), false),
            Some(shown) => {
                let what = difference(&shown.address, &wanted);
                let shown = shown.address.clone();
                match what {
                    Difference::None => {
                        out.push(Action::Added { index, address: shown });
                    }
                    Difference::InPlace => {
                        let item = Item::Address(as_shown(&wanted));
                        self.ask(index, Purpose::Replace(key.clone(), item), out);
                        out.push(Action::Added { index, address: shown });
                    }
                    Difference::Anew => {
                        self.ask(index, Purpose::Remove(Item::Address(shown)), out);
                    }
                }
                (Some(Fate::Adopted), what == Difference::Anew)
            }
            None => (None, true),
        };
        if add {
            self.ask_for(index, key, Item::Address(as_shown(&wanted)), out);
        } else {
            self.set(key, Presence::Present, false, out);
        }
        fate
    }

    /// True if a foreign address was faster than the request to add it.
    fn is_taken(&self, place: &Place) -> bool {
        self.links.shown(place).is_some_and(|shown| !shown.ours)
    }

    fn let_go(&mut self, owner: Holder, key: &Key, out: &mut Vec<Action>) {
        let Some(holding) = self.holdings.get_mut(key) else { return };
        let before = holding.object.clone();
        holding.take_from(owner);
        if holding.owners().next().is_some() {
            if !before.is_same(&holding.object) {
                self.bring_about(key, out);
            }
            return;
        }
        match &mut self.orphans {
            Some(orphans) => orphans.push(key.clone()),
            None => self.discard(key, out),
        }
    }

    /// Removes an object without owners, unless it is foreign.
    fn discard(&mut self, key: &Key, out: &mut Vec<Action>) {
        let Some(holding) = self.holdings.remove(key) else { return };
        if let Some(when) = holding.retry() {
            self.retries.remove(&(when, Retry::Add(key.clone())));
        }
        if let Some(index) = self.base_of(key) {
            self.withdraw(index, key, &holding.object, holding.presence, out);
        }
    }

    /// Removes the object from the interface with this index if the daemon added it.
    pub(super) fn withdraw(
        &mut self,
        index: u32,
        key: &Key,
        object: &KernelObject,
        presence: Presence,
        out: &mut Vec<Action>,
    ) {
        if let KernelObject::Link(link) = object {
            return self.withdraw_link(index, link, presence, out);
        }
        let spot = match key {
            Key::Link { .. } => return,
            Key::Firewall(_) => return self.withdraw_shield(key, out),
            Key::Sysctl { setting, .. } => return self.withdraw_sysctl(index, *setting),
            Key::Route(_) | Key::Rule(_) => {
                return self.withdraw_from_fib(key, object, presence, out);
            }
            Key::Address { spot, .. } => spot,
        };
        let item = match presence {
            Presence::Asked(id) if !self.is_taken(&(index, *spot)) => {
                self.kernel.being_added(id).cloned()
            }
            Presence::Asked(id) => {
                self.kernel.expect_late(id, (index, *spot));
                None
            }
            // Also one whose removal the kernel refused before it was wanted again.
            _ => {
                let shown = self.links.shown(&(index, *spot));
                shown.filter(|shown| shown.ours).map(|shown| Item::Address(shown.address.clone()))
            }
        };
        if let Some(item) = item {
            self.ask(index, Purpose::Remove(item), out);
        }
    }

    /// Keys of the holdings that need this interface, in order.
    pub(super) fn keys_on(&self, link: &str) -> Vec<Key> {
        let made = self.made_links().filter(|key| key.names(link));
        let settings = self.range_of(Key::first_setting(link), link);
        let shields = self.holdings.range(Key::first_shield()..).map(|(key, _)| key);
        let shields = shields.take_while(|key| matches!(key, Key::Firewall(_)));
        let shields = shields.filter(|key| key.names(link));
        let addresses = self.range_of(Key::first_address(link), link);
        let routes = self.holdings.range(Key::first_route()..).map(|(key, _)| key);
        let routes = routes.filter(|key| key.needs(link));
        made.chain(settings).chain(shields).chain(addresses).chain(routes).cloned().collect()
    }

    /// Keys of this kind from `first` on that name the interface.
    fn range_of<'a>(&'a self, first: Key, link: &'a str) -> impl Iterator<Item = &'a Key> {
        let kind = std::mem::discriminant(&first);
        let keys = self.holdings.range(first..).map(|(key, _)| key);
        keys.take_while(move |key| std::mem::discriminant(*key) == kind && key.names(link))
    }

    /// Virtual interfaces.
    pub(super) fn made_links(&self) -> impl Iterator<Item = &Key> {
        self.holdings.keys().take_while(|key| matches!(key, Key::Link { .. }))
    }

    /// Number of the interface that the object is on, or 0 for an object that is on none; `None`
    /// if an interface it needs does not exist.
    pub(super) fn base_of(&self, key: &Key) -> Option<u32> {
        match key {
            Key::Link { base: link, .. } | Key::Sysctl { link, .. } | Key::Address { link, .. } => {
                self.links.index(link)
            }
            Key::Firewall(_) | Key::Route(_) | Key::Rule(_) => {
                key.links().all(|link| self.links.index(link).is_some()).then_some(0)
            }
        }
    }
}
