//! Entries of the packet filter. They are requested before the addresses that they are about.

use std::net::IpAddr;
use std::rc::Rc;

use super::kernel::{Place, Purpose};
use super::object::{Item, Key};
use super::{Action, Domain};
use crate::base::shield::Shield;
use crate::base::sorted::SortedSet;
use crate::model::vrrp::{Instance, VirtualAddress};

/// The entries for the addresses of an instance that does not accept packets for them.
pub fn shields_of(instance: &Instance) -> impl Iterator<Item = Shield<String>> + '_ {
    possible_shields_of(instance).filter(|_| instance.is_shielded())
}

/// The entries that it would have without `accept`.
pub fn possible_shields_of(instance: &Instance) -> impl Iterator<Item = Shield<String>> + '_ {
    instance.all_addresses().map(|address| shield_of(instance, address))
}

fn shield_of(instance: &Instance, address: &VirtualAddress) -> Shield<String> {
    match address.prefix.addr {
        IpAddr::V6(addr) if addr.is_unicast_link_local() => Shield::LinkLocal {
            addr,
            link: address.interface.to_string(),
            // Without tracking, the instance is MASTER while the interface is created again.
            by_name: instance.dont_track_primary
                && (address.no_track || !instance.is_elsewhere(address)),
        },
        addr => Shield::Address(addr),
    }
}

impl Domain {
    pub(super) fn numbered_shield(&self, shield: &Shield<String>) -> Option<Shield<u32>> {
        shield.translated(|name| self.links.index(name))
    }

    pub(super) fn bring_about_shield(
        &mut self,
        key: &Key,
        shield: &Shield<String>,
        out: &mut Vec<Action>,
    ) {
        let Some(numbered) = self.numbered_shield(shield) else { return };
        let numbered = Rc::new(numbered);
        if let Some(late) = numbered.addr().and_then(|addr| self.late_shields.get_mut(&addr)) {
            late.remove(&numbered);
        }
        self.shields.insert(key.clone(), Rc::clone(&numbered));
        self.ask_for(0, key, Item::Firewall(numbered), out);
    }

    /// Removes the entry, also after its interface: it names a number that another interface may
    /// get.
    pub(super) fn withdraw_shield(&mut self, key: &Key, out: &mut Vec<Action>) {
        match self.shields.remove(key) {
            Some(shield) if self.is_needed(&shield) => self.keep_late(shield),
            Some(shield) => {
                self.ask(0, Purpose::Remove(Item::Firewall(shield)), out);
            }
            None => {}
        }
    }

    /// Keeps an entry without an owner until its address is gone: the kernel may refuse to remove an
    /// address for some time.
    pub(super) fn keep_late(&mut self, shield: Rc<Shield<u32>>) {
        if let Some(addr) = shield.addr() {
            self.late_shields.entry(addr).or_default().insert(shield);
        }
    }

    /// Removes entries without an owner whose addresses are gone. Only what was resolved is looked
    /// at: thousands of addresses may be about to be removed.
    pub(super) fn remove_late_shields(&mut self, out: &mut Vec<Action>) {
        for addr in self.kernel.take_resolved() {
            let Some(late) = self.late_shields.remove(&addr) else { continue };
            let (stay, go): (SortedSet<_>, SortedSet<_>) =
                late.into_iter().partition(|shield| self.is_needed(shield));
            if !stay.is_empty() {
                self.late_shields.insert(addr, stay);
            }
            for shield in go {
                self.ask(0, Purpose::Remove(Item::Firewall(shield)), out);
            }
        }
    }

    /// True while an address that no owner wants is in the kernel, or about to be removed.
    fn is_needed(&self, shield: &Shield<u32>) -> bool {
        let Some(addr) = shield.addr() else { return false };
        let is_on_it = |place: &Place| match shield {
            Shield::LinkLocal { link, .. } => place.0 == *link,
            _ => true,
        };
        let left = self.unclaimed.get(&addr).into_iter().flatten();
        left.chain(self.kernel.leaving(addr)).any(is_on_it)
    }

    /// The entries that are requested of the packet filter, for what is wanted.
    pub fn shields(&self) -> impl Iterator<Item = &Rc<Shield<u32>>> {
        self.shields.values()
    }
}
