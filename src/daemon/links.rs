//! The interfaces and addresses of the host, as the kernel last reported them; and which address
//! an instance sends from.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::base::addr::{is_link_local, Family, HostAddress};
use crate::model::vrrp::Instance;
use crate::sys::netlink::{Event, Link};
use crate::vrrp::LinkState;

#[derive(Clone, Debug, Default)]
pub(super) struct LinkTable {
    links: BTreeMap<u32, Link>,
    by_name: BTreeMap<String, u32>,
    /// In the order the kernel lists them: the first one is the primary.
    addresses: BTreeMap<u32, Vec<HostAddress>>,
}

/// What an event means to those who depend on interfaces.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// The interface appeared, or goes by this name now.
    Appeared { link: String, index: u32 },
    /// State, hardware address or another property of the interface changed.
    Changed(String),
    /// There is no interface of this name any more: it was deleted, or has another name.
    Vanished { link: String, index: u32, deleted: bool },
    /// This address is there now, or has changed.
    Added { link: String, index: u32, address: HostAddress },
    /// This address is there no more.
    Removed { link: String, index: u32, address: HostAddress },
}

impl LinkTable {
    pub(super) fn get(&self, name: &str) -> Option<&Link> {
        self.links.get(self.by_name.get(name)?)
    }

    pub(super) fn state(&self, name: &str) -> LinkState {
        match self.get(name) {
            None => LinkState::Missing,
            Some(link) if link.up => LinkState::Up,
            Some(_) => LinkState::Down,
        }
    }

    /// Takes a change in; appends what it means.
    pub(super) fn take(&mut self, event: Event, facts: &mut Vec<Fact>) {
        match event {
            Event::Link(link) => self.take_link(link, facts),
            Event::LinkGone { index } => self.drop_link(index, facts),
            Event::Address { index, address } => {
                let Some(link) = self.links.get(&index) else { return };
                let list = self.addresses.entry(index).or_default();
                match list.iter_mut().find(|a| is_same(a, &address)) {
                    Some(known) if *known == address => return,
                    Some(known) => *known = address.clone(),
                    None => list.push(address.clone()),
                }
                facts.push(Fact::Added { link: link.name.clone(), index, address });
            }
            Event::AddressGone { index, address } => {
                let Some(link) = self.links.get(&index) else { return };
                if let Some(list) = self.addresses.get_mut(&index) {
                    list.retain(|a| !is_same(a, &address));
                }
                facts.push(Fact::Removed { link: link.name.clone(), index, address });
            }
        }
    }

    /// Takes in all that the kernel has, in place of what was known. Appends what it means for the
    /// interfaces: first those that are gone, so that a name that moved on is not lost.
    pub(super) fn replace(&mut self, events: Vec<Event>, facts: &mut Vec<Fact>) {
        let before = std::mem::take(self);
        for event in events {
            match event {
                // Listed once each: with thousands, looking for each among the others takes long.
                Event::Address { index, address } => {
                    self.addresses.entry(index).or_default().push(address);
                }
                event => self.take(event, &mut Vec::new()),
            }
        }
        for (name, &index) in &before.by_name {
            if self.by_name.get(name) != Some(&index) {
                let deleted = !self.links.contains_key(&index);
                facts.push(Fact::Vanished { link: name.clone(), index, deleted });
            }
        }
        for (name, &index) in &self.by_name {
            if before.by_name.get(name) != Some(&index) {
                facts.push(Fact::Appeared { link: name.clone(), index });
            } else if before.links.get(&index) != self.links.get(&index) {
                facts.push(Fact::Changed(name.clone()));
            }
        }
    }

    /// The number of each interface.
    pub(super) fn indices_by_name(&self) -> &BTreeMap<String, u32> {
        &self.by_name
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    /// Every address on every interface, with the number of the interface.
    pub(super) fn all_addresses(&self) -> impl Iterator<Item = (u32, &HostAddress)> {
        self.addresses.iter().flat_map(|(index, list)| list.iter().map(move |a| (*index, a)))
    }

    /// The address the instance sends from: the configured one, or the first of its interface that
    /// is not itself a virtual address. For IPv6 it must be link-local (RFC 9568 §5.1.2.1).
    ///
    /// The address owner may have no other address than the virtual one: one that is on the
    /// interface without our doing (not `is_ours`) is taken if there is no better one.
    pub(super) fn source(
        &self,
        instance: &Instance,
        virtual_: &BTreeSet<IpAddr>,
        is_ours: impl Fn(u32, &HostAddress) -> bool,
    ) -> Option<IpAddr> {
        if let Some(configured) = instance.source {
            return (!instance.track_source || self.is_local(&configured)).then_some(configured);
        }
        let index = self.by_name.get(instance.interface.as_deref()?)?;
        let fits = |a: &&HostAddress| match instance.family {
            Family::V4 => a.prefix.addr.is_ipv4(),
            Family::V6 => is_link_local(&a.prefix.addr),
        };
        let list = self.addresses.get(index)?;
        let candidates = || list.iter().filter(|a| a.is_usable()).filter(fits);
        let is_virtual = |a: &&HostAddress| virtual_.contains(&a.prefix.addr);
        let best = candidates().find(|a| !is_virtual(a));
        let source = best.or_else(|| candidates().find(|a| !is_ours(*index, a)));
        source.map(|a| a.prefix.addr)
    }

    /// Some interface has this address.
    pub(super) fn holds(&self, addr: &IpAddr) -> bool {
        self.addresses.values().flatten().any(|a| a.prefix.addr == *addr)
    }

    fn is_local(&self, addr: &IpAddr) -> bool {
        self.addresses.values().flatten().any(|a| a.prefix.addr == *addr && a.is_usable())
    }

    fn take_link(&mut self, link: Link, facts: &mut Vec<Fact>) {
        let (index, name) = (link.index, link.name.clone());
        let old = self.links.insert(index, link);
        match old {
            Some(old) if old.name == name => {
                if self.links.get(&index) != Some(&old) {
                    facts.push(Fact::Changed(name));
                }
                return;
            }
            // Renamed: the old name is gone and another has come.
            Some(old) => {
                self.forget_name(&old.name, index);
                facts.push(Fact::Vanished { link: old.name, index, deleted: false });
            }
            None => {}
        }
        self.by_name.insert(name.clone(), index);
        facts.push(Fact::Appeared { link: name, index });
    }

    fn drop_link(&mut self, index: u32, facts: &mut Vec<Fact>) {
        self.addresses.remove(&index);
        if let Some(link) = self.links.remove(&index) {
            self.forget_name(&link.name, index);
            facts.push(Fact::Vanished { link: link.name, index, deleted: true });
        }
    }

    /// Unless another interface has it by now.
    fn forget_name(&mut self, name: &str, index: u32) {
        if self.by_name.get(name) == Some(&index) {
            self.by_name.remove(name);
        }
    }
}

/// Reports of one address agree in this, whatever else has changed.
fn is_same(a: &HostAddress, b: &HostAddress) -> bool {
    a.prefix == b.prefix && a.peer == b.peer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::addr::Prefix;
    use crate::model::vrrp::tests::instance;

    fn link(index: u32, name: &str, up: bool) -> Event {
        Event::Link(Link {
            index,
            name: name.into(),
            up,
            multicast: true,
            arp: true,
            mtu: 1500,
            mac: None,
        })
    }

    fn address(text: &str) -> HostAddress {
        HostAddress::plain(Prefix { addr: text.parse().unwrap(), len: 24 })
    }

    fn added(text: &str) -> Event {
        Event::Address { index: 1, address: address(text) }
    }

    fn table(events: impl IntoIterator<Item = Event>) -> (LinkTable, Vec<Fact>) {
        let (mut table, mut facts) = (LinkTable::default(), Vec::new());
        for e in events {
            table.take(e, &mut facts);
        }
        (table, facts)
    }

    fn source(table: &LinkTable, i: &Instance, ours: &[&str]) -> Option<String> {
        let virtual_ = ["10.0.0.100".parse().unwrap(), "10.0.0.101".parse().unwrap()].into();
        let is_ours = |_, a: &HostAddress| ours.contains(&a.prefix.addr.to_string().as_str());
        table.source(i, &virtual_, is_ours).map(|addr| addr.to_string())
    }

    #[test]
    fn the_source_is_the_first_address_that_is_not_virtual() {
        let mut tentative = address("fe80::1");
        tentative.flags = HostAddress::TENTATIVE;
        let (table, _) = table([
            link(1, "eth0", true),
            added("10.0.0.100"),
            added("10.0.0.1"),
            added("10.0.0.2"),
            Event::Address { index: 1, address: tentative },
        ]);
        let mut i = instance("V", 1);
        assert_eq!(source(&table, &i, &[]).as_deref(), Some("10.0.0.1"));
        i.family = Family::V6;
        assert_eq!(source(&table, &i, &[]), None, "still tentative");
    }

    #[test]
    fn the_address_owner_sends_from_the_virtual_address_that_is_its_own() {
        let (table, _) = table([link(1, "eth0", true), added("10.0.0.100"), added("10.0.0.101")]);
        let i = instance("V", 1);
        assert_eq!(source(&table, &i, &["10.0.0.100"]).as_deref(), Some("10.0.0.101"));
        assert_eq!(source(&table, &i, &["10.0.0.100", "10.0.0.101"]), None);
    }

    fn appeared(link: &str, index: u32) -> Fact {
        Fact::Appeared { link: link.into(), index }
    }

    fn vanished(link: &str, index: u32, deleted: bool) -> Fact {
        Fact::Vanished { link: link.into(), index, deleted }
    }

    #[test]
    fn a_rename_is_a_departure_and_an_arrival() {
        let (table, facts) = table([link(1, "eth0", true), link(1, "wan", true)]);
        assert_eq!(facts, [appeared("eth0", 1), vanished("eth0", 1, false), appeared("wan", 1)]);
        assert_eq!(table.state("eth0"), LinkState::Missing);
        assert_eq!(table.state("wan"), LinkState::Up);
    }

    #[test]
    fn names_that_were_swapped_while_nothing_was_heard_are_found() {
        let (mut table, _) = table([link(1, "eth0", true), link(2, "eth1", false)]);
        let mut facts = Vec::new();
        table.replace(vec![link(1, "eth1", true), link(2, "eth0", false)], &mut facts);
        assert_eq!(
            facts,
            [
                vanished("eth0", 1, false),
                vanished("eth1", 2, false),
                appeared("eth0", 2),
                appeared("eth1", 1),
            ]
        );
        assert_eq!(table.state("eth0"), LinkState::Down);
        assert_eq!(table.state("eth1"), LinkState::Up);
    }

    #[test]
    fn an_address_per_peer() {
        let mut peer = address("10.0.0.1");
        peer.prefix.len = 32;
        peer.peer = Some("10.0.0.9".parse().unwrap());
        let mut plain = address("10.0.0.1");
        plain.prefix.len = 32;
        let (table, _) = table([
            link(1, "eth0", true),
            Event::Address { index: 1, address: peer.clone() },
            Event::Address { index: 1, address: plain },
            Event::AddressGone { index: 1, address: peer },
        ]);
        assert_eq!(table.all_addresses().count(), 1);
    }

    #[test]
    fn a_repeated_report_is_no_change() {
        let (_, facts) = table([link(1, "eth0", true), link(1, "eth0", true)]);
        assert_eq!(facts.len(), 1);
    }
}
