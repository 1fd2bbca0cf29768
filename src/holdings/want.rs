//! What owners want and no longer want.

use std::collections::btree_map::Entry;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::address::{as_shown, difference, same_options, Difference};
use super::kernel::Purpose;
use super::object::{Claim, Object, Presence};
use super::{Action, Domain, Fate, Holder, Key, Retry};
use crate::model::vrrp::VirtualAddress;

impl Domain {
    pub(super) fn on_want(
        &mut self,
        owner: Holder,
        addresses: &[&VirtualAddress],
        out: &mut Vec<Action>,
    ) {
        self.take_heart(owner);
        let before = self.claims.remove(&owner);
        let is_new = before.is_none();
        let before = before.unwrap_or_default();
        let mut claim = Claim::default();
        let mut found = Vec::new();
        for &address in addresses {
            let key = Key::of(address);
            if !claim.wants.insert(key.clone()) {
                continue;
            }
            found.extend(self.want_one(owner, address, &key, out));
            let object = &self.objects[&key];
            claim.missing += usize::from(object.is_missing());
            claim.refused += usize::from(object.refused);
        }
        for key in before.wants.difference(&claim.wants) {
            self.let_go(owner, key, out);
        }
        self.replace_leftovers(owner, addresses, out);
        for fate in [Fate::Adopted, Fate::Foreign] {
            let mut those = found.iter().filter(|(f, _)| *f == fate).map(|(_, address)| address);
            let count = those.clone().count();
            if let Some(first) = those.next() {
                let (link, prefix) = (first.interface.clone(), first.prefix);
                out.push(Action::Found { owner, fate, link, prefix, count });
            }
        }
        // An owner that only wants less is not told that all is there.
        let has_more = !claim.wants.is_subset(&before.wants);
        let is_held = claim.missing == 0 && (is_new || has_more);
        self.claims.insert(owner, claim);
        if is_held {
            out.push(Action::Held(owner));
        }
    }

    pub(super) fn on_release(&mut self, owner: Holder, out: &mut Vec<Action>) {
        self.on_rival(owner, out);
        let Some(before) = self.claims.remove(&owner) else { return };
        for key in &before.wants {
            self.let_go(owner, key, out);
        }
    }

    pub(super) fn on_resume(&mut self, out: &mut Vec<Action>) {
        for key in self.orphans.take().unwrap_or_default() {
            if self.objects.get(&key).is_some_and(|object| object.owners().next().is_none()) {
                self.discard(&key, out);
            }
        }
    }

    fn want_one<'a>(
        &mut self,
        owner: Holder,
        address: &'a VirtualAddress,
        key: &Key,
        out: &mut Vec<Action>,
    ) -> Option<(Fate, &'a VirtualAddress)> {
        let wanted = Rc::new(address.clone());
        let is_new = match self.objects.entry(key.clone()) {
            Entry::Vacant(vacant) => {
                vacant.insert(Object::new(Rc::clone(&wanted))).give(owner, wanted);
                true
            }
            Entry::Occupied(occupied) => {
                let object = occupied.into_mut();
                let is_same = same_options(&object.address, address);
                object.give(owner, wanted);
                if is_same {
                    return None;
                }
                false
            }
        };
        let fate = self.bring_about(key, out);
        fate.filter(|_| is_new).map(|fate| (fate, address))
    }

    /// Sees to it that the kernel has the address as it is wanted now. Says whose it is if it was
    /// there before.
    pub(super) fn bring_about(&mut self, key: &Key, out: &mut Vec<Action>) -> Option<Fate> {
        self.cancel_retry(key);
        let object = self.objects.get(key)?;
        let wanted = Rc::clone(&object.address);
        let Some(index) = self.links.index(&key.link) else {
            self.set(key, Presence::NoLink, false, out);
            return None;
        };
        if let Presence::Asked(id) = object.presence {
            // With other options, which the kernel is about to get.
            if let Some(address) = self.kernel.being_added(id) {
                let address = as_shown(address);
                self.ask(index, Purpose::Remove(address), out);
            }
        }
        let place = (index, key.spot);
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
                        let purpose = Purpose::Replace(key.clone(), Rc::clone(&wanted));
                        self.ask(index, purpose, out);
                        out.push(Action::Added { index, address: shown });
                    }
                    Difference::Anew => {
                        self.ask(index, Purpose::Remove(shown), out);
                    }
                }
                (Some(Fate::Adopted), what == Difference::Anew)
            }
            None => (None, true),
        };
        let presence = if add {
            let purpose = Purpose::Add(key.clone(), wanted);
            Presence::Asked(self.ask(index, purpose, out))
        } else {
            Presence::Present
        };
        self.set(key, presence, false, out);
        fate
    }

    fn let_go(&mut self, owner: Holder, key: &Key, out: &mut Vec<Action>) {
        let Some(object) = self.objects.get_mut(key) else { return };
        let before = Rc::clone(&object.address);
        object.take_from(owner);
        if object.owners().next().is_some() {
            if !same_options(&before, &object.address) {
                self.bring_about(key, out);
            }
            return;
        }
        match &mut self.orphans {
            Some(orphans) => {
                orphans.insert(key.clone());
            }
            None => self.discard(key, out),
        }
    }

    /// Removes what no owner wants, unless it is not ours to remove.
    fn discard(&mut self, key: &Key, out: &mut Vec<Action>) {
        let Some(object) = self.objects.remove(key) else { return };
        if let Some(when) = object.retry {
            self.retries.remove(&(when, Retry::Add(key.clone())));
        }
        if let Some(index) = self.links.index(&key.link) {
            self.withdraw(index, key, object.presence, out);
        }
    }

    /// Removes the address from the interface with this number, if we put it there.
    pub(super) fn withdraw(
        &mut self,
        index: u32,
        key: &Key,
        presence: Presence,
        out: &mut Vec<Action>,
    ) {
        let address = match presence {
            Presence::Asked(id) => self.kernel.being_added(id).map(|address| as_shown(address)),
            Presence::Present => {
                let shown = self.links.shown(&(index, key.spot));
                shown.filter(|shown| shown.ours).map(|shown| shown.address.clone())
            }
            Presence::Absent | Presence::NoLink | Presence::Waived => None,
        };
        if let Some(address) = address {
            self.ask(index, Purpose::Remove(address), out);
        }
    }

    /// Objects on one interface.
    pub(super) fn keys_on(&self, link: &str) -> BTreeSet<Key> {
        self.objects.keys().filter(|key| key.link == link).cloned().collect()
    }
}
