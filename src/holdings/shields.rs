//! Entries of the packet filter. They are requested before the addresses that they are about.

use std::net::IpAddr;
use std::rc::Rc;

use super::kernel::Purpose;
use super::object::{Item, Key};
use super::{Action, Domain};
use crate::base::shield::Shield;
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
        self.shields.insert(key.clone(), Rc::clone(&numbered));
        self.ask_for(0, key, Item::Firewall(numbered), out);
    }

    /// Removes the entry, also after its interface: it names a number that another interface may
    /// get.
    pub(super) fn withdraw_shield(&mut self, key: &Key, out: &mut Vec<Action>) {
        if let Some(numbered) = self.shields.remove(key) {
            self.ask(0, Purpose::Remove(Item::Firewall(numbered)), out);
        }
    }
}
