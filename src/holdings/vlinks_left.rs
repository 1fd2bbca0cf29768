//! Virtual interfaces that stay behind: those of an earlier run, and those that the kernel refused
//! to remove.

use std::rc::Rc;

use super::kernel::Purpose;
use super::leftovers::Left;
use super::object::{Item, Key, Name};
use super::vlinks::is_virtual;
use super::{Action, Domain, Fate, Holder, Retry};
use crate::base::link::{Link, Surroundings};
use crate::base::sorted::SortedSet;
use crate::model::vlink::{VirtualLink, VirtualLinkKind};

impl Domain {
    /// Index and name of each virtual interface that has to be removed after a crash, unless it is
    /// wanted then. Index 0: the kernel has not reported it yet.
    pub fn traces(&self) -> SortedSet<(u32, String)> {
        let leaving = self.kernel.removed_links().filter_map(|index| self.links.by_index(index));
        let known = self.made().chain(leaving.filter(|link| is_virtual(link)));
        let known = known.map(|link| (link.index, link.name.to_string()));
        let kept = self.retries.iter().filter_map(|(_, retry)| match retry {
            Retry::Remove(Left::Link(index, link)) => Some((*index, link.name.clone())),
            _ => None,
        });
        let coming = self.made_links().filter_map(|key| match key {
            Key::Link { name, .. } if self.is_being_made(self.holdings[key].presence) => {
                Some((0, name.to_string()))
            }
            _ => None,
        });
        let named = self.kernel.leaving_names().map(|name| (0, name.clone()));
        known.chain(kept).chain(coming).chain(named).collect()
    }

    pub(super) fn on_left_link(&mut self, index: u32, name: &str, out: &mut Vec<Action>) {
        let is_left = |link: &&Link| link.name == name && is_virtual(link);
        let Some(link) = self.left_link(index, name).filter(is_left) else { return };
        if self.makes_room(name) || self.kernel.is_link_leaving(link.index) {
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
        let (index, item) = (link.index, self.left_item(&name, link));
        self.ask(index, Purpose::Remove(item), out);
    }

    /// Removes an interface of this name that the kernel once refused to remove. The wanted one,
    /// which would make room for itself, has no base.
    pub(super) fn remove_kept(&mut self, name: &str, out: &mut Vec<Action>) {
        let kept = self.staying(name).filter(|link| self.kernel.is_kept_link(link.index));
        if let Some((index, item)) = kept.map(|link| (link.index, self.left_item(name, link))) {
            self.ask(index, Purpose::Remove(item), out);
        }
    }

    /// Without a number, it is one that the kernel had not reported.
    fn left_link(&self, index: u32, name: &str) -> Option<&Link> {
        match index {
            0 => self.links.get(name),
            index => self.links.by_index(index),
        }
    }

    /// The interface as an object to remove.
    pub(super) fn left_item(&self, name: &str, link: &Link) -> Item {
        let link = VirtualLink {
            name: name.to_owned(),
            base: self.name_of(link.parent),
            kind: VirtualLinkKind::Macvlan { mac: link.mac.unwrap_or_default() },
            group: None,
            notify_base: false,
        };
        Item::Link(Rc::new(link), Surroundings { base: 0, group: 0, vrf: None })
    }

    /// True for a virtual interface that the kernel refused to remove, unless one of its name is
    /// wanted, which makes room for itself.
    pub(super) fn is_left_link(&self, index: u32, link: &VirtualLink) -> bool {
        let (name, is_there) = match self.left_link(index, &link.name) {
            Some(known) => (known.name.as_str(), is_virtual(known)),
            None => (link.name.as_str(), index == 0 && self.kernel.has_created(&link.name)),
        };
        is_there && !self.makes_room(name)
    }
}
