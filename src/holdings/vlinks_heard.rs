//! What the kernel says of virtual interfaces and their bases.

use std::rc::Rc;

use super::holding::Presence;
use super::kernel::{Purpose, RequestId};
use super::leftovers::Left;
use super::object::{Item, KernelObject, Key, Name};
use super::repair::{report_kept, ENODEV, REMOVAL_DELAY};
use super::vlinks::is_virtual;
use super::{Action, Domain, Links, Retry};
use crate::base::time::Instant;

impl Domain {
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
        let (presence, KernelObject::Link(wanted)) = (holding.presence, holding.object.clone())
        else {
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
                // The foreign interface of its name is gone.
                Presence::Waived => {
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

    /// The name of a virtual interface is gone. `renamed` is the interface that had it.
    pub(super) fn lose_virtual_link(
        &mut self,
        name: &str,
        renamed: Option<u32>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        if let Some(index) = renamed {
            self.remove_renamed(name, index, out);
        }
        let Some(key) = self.made_as(name) else { return };
        let Some(holding) = self.holdings.get(&key) else { return };
        let mut presence = holding.presence;
        if matches!(presence, Presence::Asked(_)) && !self.is_being_made(presence) {
            // It was there, and is no longer the one that is being prepared.
            presence = Presence::Present;
            self.set(&key, presence, false, out);
        }
        match presence {
            Presence::Waived => {
                self.bring_about(&key, out);
            }
            Presence::Present if self.base_of(&key).is_some() => self.on_missing(&key, now, out),
            Presence::Present => self.set(&key, Presence::NoLink, false, out),
            Presence::Asked(_) | Presence::Made | Presence::Absent | Presence::NoLink => {}
        }
    }

    /// Removes a virtual interface that has lost this name.
    fn remove_renamed(&mut self, name: &str, index: u32, out: &mut Vec<Action>) {
        let Some(link) = self.links.by_index(index).filter(|link| is_virtual(link)) else { return };
        // The request for its removal by this name comes too late, or was refused.
        let is_late = self.kernel.is_named_link_leaving(index) || self.kernel.is_kept_link(index);
        let late = is_late.then(|| self.left_item(name, link));
        let item = late.or_else(|| {
            let holding = self.holdings.get(&self.made_as(name)?)?;
            let is_other = self.is_being_made(holding.presence)
                || matches!(holding.presence, Presence::NoLink | Presence::Waived)
                || self.kernel.is_link_leaving(index);
            self.item_of(&holding.object).filter(|_| !is_other)
        });
        if let Some(item) = item {
            self.ask(index, Purpose::Remove(item), out);
        }
    }

    /// Virtual interfaces that a dump no longer has under their names, apart from those whose base
    /// is another one.
    pub(super) fn lose_virtual_links(
        &mut self,
        before: &Links,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        for key in self.made_links().cloned().collect::<Vec<_>>() {
            let Key::Link { name, .. } = &key else { continue };
            let (had, has) = (before.index(name), self.links.index(name));
            let is_made = self.holdings[&key].presence == Presence::Made;
            let renamed = had.filter(|index| self.links.by_index(*index).is_some());
            if before.numbers_of(&key) != self.links.numbers_of(&key) {
                if let Some(index) = renamed.filter(|_| had != has) {
                    self.remove_renamed(name, index, out);
                }
            } else if had.is_some() && had != has || is_made && has.is_none() {
                if is_made {
                    // It was gone before it was reported.
                    self.set(&key, Presence::Present, false, out);
                }
                self.lose_virtual_link(name, renamed, now, out);
            }
        }
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

    /// The kernel refused to remove this interface, which may be a wanted one.
    pub(super) fn keep_link(&mut self, index: u32, now: Instant, out: &mut Vec<Action>) {
        self.kernel.keep_link(index);
        if let Some(link) = self.links.by_index(index) {
            let name = link.name.clone();
            self.look_at_virtual_links(&name, now, out);
        }
    }

    pub(super) fn on_link_removed(
        &mut self,
        index: u32,
        item: Item,
        errno: i32,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Item::Link(link, _) = &item else { return };
        let link = Rc::clone(link);
        // An interface without this name stays, while one that is gone is about to be reported.
        let is_unreported = self.kernel.has_created(&link.name);
        let named = self.links.index(&link.name).filter(|_| index == 0 && !is_unreported);
        match (errno, named) {
            // It may have got another name before it was reported.
            (ENODEV, None) if index == 0 => self.kernel.lose_created(&link.name),
            (0, _) | (ENODEV, None) => {}
            // It has got another name, which is about to be reported.
            (ENODEV, Some(index)) if self.links.by_index(index).is_some_and(is_virtual) => {
                self.ask(index, Purpose::Remove(item), out);
            }
            (_, None) if index == 0 => self.kernel.keep_created(&link.name),
            (_, named) => self.keep_link(named.unwrap_or(index), now, out),
        }
        let index = named.unwrap_or(index);
        // It may not have been created.
        let is_there = index != 0 || is_unreported;
        if !matches!(errno, 0 | ENODEV) && is_there {
            let what = Name::Link(link.name.clone());
            report_kept(link.base.clone(), what, errno, out);
            let retry = Retry::Remove(Left::Link(index, link));
            self.retries.insert((now + REMOVAL_DELAY, retry));
        }
    }
}
