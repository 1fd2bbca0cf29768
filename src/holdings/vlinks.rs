//! Interfaces made for instances, macvlan and ipvlan: how they are requested and removed.
//!
//! One is created first, and prepared once the kernel has reported its number: its settings are in
//! place before it comes up.

use std::rc::Rc;

use super::holding::Presence;
use super::kernel::Purpose;
use super::object::{Item, KernelObject, Key};
use super::repair::EEXIST;
use super::{Action, Domain, Fate};
use crate::base::link::{Link, LinkKind, Surroundings};
use crate::base::name::SharedName;
use crate::model::vlink::{VirtualLink, VirtualLinkKind};

impl Domain {
    pub(super) fn surroundings(&self, link: &VirtualLink) -> Option<Surroundings> {
        let base = self.links.get(&link.base)?;
        let group = link.group.unwrap_or(base.group);
        Some(Surroundings { base: base.index, group, vrf: self.vrf_of(base) })
    }

    pub(super) fn vrf_of(&self, link: &Link) -> Option<u32> {
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
    pub(super) fn is_being_made(&self, presence: Presence) -> bool {
        match presence {
            Presence::Asked(id) => self.kernel.being_added(id).is_some(),
            presence => presence == Presence::Made,
        }
    }

    fn is_name_being_made(&self, name: &str) -> bool {
        let mut holdings = self.all_made_as(name).map(|key| &self.holdings[key]);
        holdings.any(|holding| self.is_being_made(holding.presence))
    }

    /// True while an interface that the kernel created has not been reported.
    pub(super) fn awaits_links(&self) -> bool {
        self.made_links().any(|key| self.holdings[key].presence == Presence::Made)
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
            let KernelObject::Link(link) = &holding.object else { return None };
            Some((self.links.index(&link.name)?, self.item_of(&holding.object)?))
        })
    }

    /// The interface of this name, unless it is about to be removed.
    pub(super) fn staying(&self, name: &str) -> Option<&Link> {
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
            KernelObject::Link(link) => Some(&link.name),
            _ => None,
        });
        names.filter_map(|name| self.links.get(name)).filter(|link| is_virtual(link))
    }

    /// Applies settings and sets the interface up.
    pub(super) fn prepare(&mut self, key: &Key, index: u32, item: Item, out: &mut Vec<Action>) {
        let id = self.ask(index, Purpose::Replace(key.clone(), item), out);
        self.set(key, Presence::Asked(id), false, out);
        // One that the kernel refused to remove was not used meanwhile.
        if let (Key::Link { name, .. }, true) = (key, self.kernel.is_kept_link(index)) {
            self.bring_about_all_on(name, out);
        }
    }

    /// Key of the wanted virtual interface of this name.
    pub(super) fn made_as(&self, name: &str) -> Option<Key> {
        self.all_made_as(name).next().cloned()
    }

    /// The same, with those that it replaces on other bases during a pause.
    fn all_made_as<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Key> {
        let first = Key::Link { name: name.into(), base: SharedName::from("") };
        let keys = self.holdings.range(first..).map(|(key, _)| key);
        keys.take_while(move |key| matches!(key, Key::Link { name: n, .. } if n == name))
    }

    /// True if one of this name is wanted on another base, which exists.
    fn is_replaced(&self, link: &VirtualLink) -> bool {
        let mut others = self.all_made_as(&link.name).filter(|key| !key.names(&link.base));
        others.any(|key| self.holdings[key].presence != Presence::NoLink)
    }

    /// True for a virtual interface that is about to be replaced, as it is not the wanted one of
    /// this name.
    pub(super) fn is_unfit(&self, name: &str) -> bool {
        let key = self.made_as(name);
        let Some(KernelObject::Link(wanted)) = key.map(|key| &self.holdings[&key].object) else {
            return false;
        };
        let both = self.links.get(name).zip(self.links.get(&wanted.base));
        both.is_some_and(|(link, base)| is_virtual(link) && !wanted.could_be(link, base))
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
            // The one that follows it, whose removal is about to be reported.
            Some(link) if is_virtual(link) && self.is_being_made(presence) => 0,
            Some(link) if is_virtual(link) && link.parent == carrier => link.index,
            // One that should have made room for it.
            Some(link) if self.kernel.is_kept_link(link.index) => link.index,
            Some(_) => return,
            // It makes room itself.
            None if self.is_replaced(wanted) || presence == Presence::Absent => return,
            // Its notification is still to come. The kernel finds it by its name.
            None => 0,
        };
        let place = Surroundings { base, group: 0, vrf: None };
        let item = Item::Link(Rc::clone(wanted), place);
        self.ask(index, Purpose::Remove(item.clone()), out);
        let is_unsure = matches!(presence, Presence::Asked(_)) && !self.is_being_made(presence);
        if index != 0 && is_unsure && !self.is_replaced(wanted) {
            // The one that was being prepared may be gone, and this one yet to be reported.
            self.ask(0, Purpose::Remove(item), out);
        }
    }

    /// True if a virtual interface of this name is wanted, unless its base does not exist.
    pub(super) fn makes_room(&self, name: &str) -> bool {
        let has_base = |key| self.holdings[&key].presence != Presence::NoLink;
        self.made_as(name).is_some_and(has_base)
    }
}

/// True for an interface of the kinds that keepalived makes.
pub(super) const fn is_virtual(link: &Link) -> bool {
    matches!(link.kind, LinkKind::PRIVATE_MACVLAN | LinkKind::Ipvlan { .. })
}
