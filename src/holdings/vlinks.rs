//! Interfaces made for instances: macvlan and ipvlan.
//!
//! One is created first, and prepared once the kernel has reported its number: its settings are in
//! place before it comes up.

use std::rc::Rc;

use super::holding::Presence;
use super::kernel::{Purpose, RequestId};
use super::object::{Item, Key, Name, Object};
use super::repair::{report_kept, EEXIST, ENODEV};
use super::{Action, Domain, Fate, Holder};
use crate::base::link::{Link, LinkKind, Surroundings};
use crate::base::name::SharedName;
use crate::base::time::Instant;
use crate::model::vlink::{VirtualLink, VirtualLinkKind};

impl Domain {
    pub(super) fn surroundings(&self, link: &VirtualLink) -> Option<Surroundings> {
        let base = self.links.get(&link.base)?;
        let group = link.group.unwrap_or(base.group);
        Some(Surroundings { base: base.index, group, vrf: self.vrf_of(base) })
    }

    fn vrf_of(&self, link: &Link) -> Option<u32> {
        let master = self.links.by_index(link.master)?;
        matches!(master.kind, LinkKind::Vrf { .. }).then_some(master.index)
    }

    pub(super) fn bring_about_link(
        &mut self,
        key: &Key,
        wanted: &Rc<VirtualLink>,
        out: &mut Vec<Action>,
    ) -> Option<Fate> {
        let base = self.links.get(&wanted.base)?.clone();
        let item = Item::Link(Rc::clone(wanted), self.surroundings(wanted)?);
        for index in self.in_the_way(wanted, &base) {
            self.ask(index, Purpose::Remove(item.clone()), out);
        }
        match self.staying(&wanted.name).cloned() {
            Some(link) if wanted.fits(&link, &base) => {
                self.prepare(key, link.index, item, out);
                return Some(Fate::Adopted);
            }
            Some(link) if !is_virtual(&link) => {
                self.report_refused(key, EEXIST, out);
                // Until that interface is gone.
                self.set(key, Presence::Waived, true, out);
                return None;
            }
            Some(link) => {
                self.ask(link.index, Purpose::Remove(item.clone()), out);
            }
            // Another form of it, maybe on another base, is about to be reported.
            None if self.is_name_being_made(&wanted.name) => {
                self.ask(0, Purpose::Remove(item.clone()), out);
            }
            None => {}
        }
        self.ask_for(base.index, key, item, out);
        None
    }

    /// True for an interface that the kernel has yet to create or to report.
    fn is_being_made(&self, presence: Presence) -> bool {
        match presence {
            Presence::Asked(id) => self.kernel.being_added(id).is_some(),
            presence => presence == Presence::Made,
        }
    }

    fn is_name_being_made(&self, name: &str) -> bool {
        let mut holdings = self.all_made_as(name).map(|key| &self.holdings[key]);
        holdings.any(|holding| self.is_being_made(holding.presence))
    }

    /// True while the kernel has not created or prepared every virtual interface that it can.
    pub fn is_making_links(&self) -> bool {
        let mut made = self.made_links().filter_map(|key| self.holdings.get(key));
        made.any(|holding| matches!(holding.presence, Presence::Asked(_) | Presence::Made))
    }

    /// Virtual interfaces in the kernel, with their indices.
    pub(super) fn made_items(&self) -> impl Iterator<Item = (u32, Item)> + '_ {
        let present = self.made_links().filter_map(|key| self.holdings.get(key));
        present.filter(|holding| holding.is_present()).filter_map(|holding| {
            let Object::Link(link) = &holding.object else { return None };
            Some((self.links.index(&link.name)?, self.item_of(&holding.object)?))
        })
    }

    /// The interface of this name, unless it is about to be removed.
    fn staying(&self, name: &str) -> Option<&Link> {
        self.links.get(name).filter(|link| !self.kernel.is_link_leaving(link.index))
    }

    /// Other interfaces with the same hardware address on the base, left by an earlier run under
    /// another name: the kernel lets only one of them up.
    fn in_the_way(&self, wanted: &VirtualLink, base: &Link) -> Vec<u32> {
        let VirtualLinkKind::Macvlan { mac } = wanted.kind else { return Vec::new() };
        let is_in_the_way = |link: &&Link| {
            link.kind == LinkKind::PRIVATE_MACVLAN
                && link.parent == base.carrier()
                && link.mac == Some(mac)
                && link.name != wanted.name
                && !self.kernel.is_link_leaving(link.index)
                && self.made_as(&link.name).is_none()
        };
        self.links.all().filter(is_in_the_way).map(|link| link.index).collect()
    }

    /// Virtual interfaces that were made, prepared or not.
    pub fn made(&self) -> impl Iterator<Item = &Link> {
        let names = self.made_links().filter_map(|key| match &self.holdings.get(key)?.object {
            Object::Link(link) => Some(&link.name),
            _ => None,
        });
        names.filter_map(|name| self.links.get(name)).filter(|link| is_virtual(link))
    }

    pub(super) fn on_left_link(&mut self, index: u32, name: &str, out: &mut Vec<Action>) {
        let is_left = |link: &&Link| link.name == name && is_virtual(link);
        let Some(link) = self.links.by_index(index).filter(is_left) else { return };
        if self.made_as(name).is_some() || self.kernel.is_link_leaving(index) {
            return;
        }
        let (name, base) = (name.to_owned(), self.name_of(link.parent));
        let what = Name::Link(name.clone());
        out.push(Action::Found {
            owner: Holder::Host,
            fate: Fate::Removed,
            link: base.clone(),
            what,
            count: 1,
        });
        let mac = link.mac.unwrap_or_default();
        let link = VirtualLink {
            name,
            base,
            kind: VirtualLinkKind::Macvlan { mac },
            group: None,
            notify_base: false,
        };
        let item = Item::Link(Rc::new(link), Surroundings { base: 0, group: 0, vrf: None });
        self.ask(index, Purpose::Remove(item), out);
    }

    /// Applies settings and sets the interface up.
    fn prepare(&mut self, key: &Key, index: u32, item: Item, out: &mut Vec<Action>) {
        let id = self.ask(index, Purpose::Replace(key.clone(), item), out);
        self.set(key, Presence::Asked(id), false, out);
    }

    /// Key of the wanted virtual interface of this name.
    fn made_as(&self, name: &str) -> Option<Key> {
        self.all_made_as(name).next().cloned()
    }

    /// The same, with those that it replaces on other bases during a pause.
    fn all_made_as<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Key> {
        let first = Key::Link { name: name.into(), base: SharedName::from("") };
        let keys = self.holdings.from(&first).map(|(key, _)| key);
        keys.take_while(move |key| matches!(key, Key::Link { name: n, .. } if n == name))
    }

    /// True if one of this name is wanted on another base.
    fn is_replaced(&self, link: &VirtualLink) -> bool {
        self.all_made_as(&link.name).any(|key| !key.names(&link.base))
    }

    /// An interface appeared or changed. It may be a virtual one, or the base of some.
    pub(super) fn look_at_virtual_links(
        &mut self,
        name: &str,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let keys: Vec<_> = match self.made_as(name) {
            Some(key) => vec![key],
            None => self.made_links().filter(|key| key.names(name)).cloned().collect(),
        };
        for key in keys {
            self.look_at_virtual_link(&key, now, out);
        }
    }

    fn look_at_virtual_link(&mut self, key: &Key, now: Instant, out: &mut Vec<Action>) {
        let Some(holding) = self.holdings.get(key) else { return };
        let (presence, Object::Link(wanted)) = (holding.presence, holding.object.clone()) else {
            return;
        };
        let there = self.staying(&wanted.name).cloned();
        let (Some(base), Some(place)) = (self.links.get(&wanted.base), self.surroundings(&wanted))
        else {
            return;
        };
        let Some(link) = there else {
            match presence {
                Presence::Present => self.on_missing(key, now, out),
                // It was refused, perhaps because its base was a port of a bridge or a bond.
                Presence::Absent if base.master == 0 => {
                    self.cancel_retry(key);
                    self.bring_about(key, out);
                }
                _ => {}
            }
            return;
        };
        let fits = wanted.fits(&link, base);
        let is_shaped = fits && link.group == place.group && self.vrf_of(&link) == place.vrf;
        let is_new = match presence {
            // Being prepared, unless that is another one by now.
            Presence::Asked(id) if !self.is_being_made(presence) => {
                self.kernel.index_of(id) != Some(link.index)
            }
            Presence::Asked(_) | Presence::Made | Presence::Absent => true,
            Presence::Present => !is_shaped,
            Presence::NoLink | Presence::Waived => false,
        };
        if is_new && wanted.could_be(&link, base) {
            self.cancel_retry(key);
            self.prepare(key, link.index, Item::Link(wanted, place), out);
        }
    }

    /// True for a virtual interface that is about to be replaced, as it is not the wanted one of
    /// this name.
    pub(super) fn is_unfit(&self, name: &str) -> bool {
        let key = self.made_as(name);
        let Some(Object::Link(wanted)) = key.map(|key| &self.holdings[&key].object) else {
            return false;
        };
        let both = self.links.get(name).zip(self.links.get(&wanted.base));
        both.is_some_and(|(link, base)| is_virtual(link) && !wanted.could_be(link, base))
    }

    /// The name of a virtual interface is gone. `renamed` is the interface that had it.
    pub(super) fn lose_virtual_link(
        &mut self,
        name: &str,
        renamed: Option<u32>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(key) = self.made_as(name) else { return };
        let Some(holding) = self.holdings.get(&key) else { return };
        let mut presence = holding.presence;
        if matches!(presence, Presence::Asked(_)) && !self.is_being_made(presence) {
            // It was there, and is no longer the one that is being prepared.
            presence = Presence::Present;
            self.set(&key, presence, false, out);
        }
        let Some(holding) = self.holdings.get(&key) else { return };
        match presence {
            Presence::Waived => {
                self.bring_about(&key, out);
            }
            Presence::Present => {
                if let Some((index, item)) = renamed.zip(self.item_of(&holding.object)) {
                    self.ask(index, Purpose::Remove(item), out);
                }
                if self.base_of(&key).is_some() {
                    self.on_missing(&key, now, out);
                } else {
                    self.set(&key, Presence::NoLink, false, out);
                }
            }
            Presence::Asked(_) | Presence::Made | Presence::Absent | Presence::NoLink => {}
        }
    }

    /// Removes the interface from the base with this number.
    pub(super) fn withdraw_link(
        &mut self,
        base: u32,
        wanted: &Rc<VirtualLink>,
        presence: Presence,
        out: &mut Vec<Action>,
    ) {
        if matches!(presence, Presence::NoLink | Presence::Waived) {
            return;
        }
        let carrier = self.links.by_index(base).map_or(base, Link::carrier);
        let index = match self.links.get(&wanted.name) {
            Some(link) if self.kernel.is_link_leaving(link.index) => {
                if !self.is_being_made(presence) || self.is_replaced(wanted) {
                    return;
                }
                // The one that follows it.
                0
            }
            Some(link) if is_virtual(link) && link.parent == carrier => link.index,
            Some(_) => return,
            // It makes room itself.
            None if self.is_replaced(wanted) || presence == Presence::Absent => return,
            // Its notification is still to come. The kernel finds it by its name.
            None => 0,
        };
        let place = Surroundings { base, group: 0, vrf: None };
        self.ask(index, Purpose::Remove(Item::Link(Rc::clone(wanted), place)), out);
    }

    pub(super) fn on_link_answered(
        &mut self,
        id: RequestId,
        key: &Key,
        errno: i32,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        match errno {
            _ if !self.is_awaited(id, key) => {}
            0 => self.set(key, Presence::Made, false, out),
            ENODEV => self.set(key, Presence::NoLink, false, out),
            errno => self.on_refused(key, errno, now, out),
        }
    }

    pub(super) fn on_link_removed(
        &mut self,
        index: u32,
        link: &VirtualLink,
        errno: i32,
        out: &mut Vec<Action>,
    ) {
        if errno != 0 {
            let named = self.links.index(&link.name).filter(|_| index == 0);
            self.kernel.keep_link(named.unwrap_or(index));
        }
        if !matches!(errno, 0 | ENODEV) {
            let what = Name::Link(link.name.clone());
            report_kept(link.base.clone(), what, errno, out);
        }
    }
}

/// True for an interface of the kinds that keepalived makes.
const fn is_virtual(link: &Link) -> bool {
    matches!(link.kind, LinkKind::PRIVATE_MACVLAN | LinkKind::Ipvlan { .. })
}
