//! The interfaces and addresses of the host, as the kernel last reported them; and which address
//! an instance sends from.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::base::addr::{is_link_local, Family, Prefix};
use crate::model::vrrp::Instance;
use crate::sys::netlink::{self, Event, Link};
use crate::vrrp::LinkState;

#[derive(Clone, Debug, Default)]
pub(super) struct LinkTable {
    links: BTreeMap<u32, Link>,
    by_name: BTreeMap<String, u32>,
    /// In the order the kernel lists them: the first one is the primary.
    addresses: BTreeMap<u32, Vec<Held>>,
}

#[derive(Clone, Debug)]
struct Held {
    prefix: Prefix,
    usable: bool,
}

/// What an event means to those who depend on interfaces.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// The interface appeared, or goes by this name now.
    Appeared(String),
    /// State, hardware address or another property of the interface changed.
    Changed(String),
    /// There is no interface of this name any more.
    Vanished(String),
    /// This address is there now.
    Added { link: String, prefix: Prefix },
    /// This address is there no more.
    Removed { link: String, prefix: Prefix },
}

impl LinkTable {
    /// What the kernel has now.
    pub(super) fn of_kernel() -> std::io::Result<Self> {
        let mut table = Self::default();
        for event in netlink::dump()? {
            table.take(event, &mut Vec::new());
        }
        Ok(table)
    }

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
            Event::Address { index, prefix, usable } => {
                let Some(link) = self.links.get(&index) else { return };
                let list = self.addresses.entry(index).or_default();
                match list.iter_mut().find(|h| h.prefix == prefix) {
                    Some(held) if held.usable == usable => return,
                    Some(held) => held.usable = usable,
                    None => list.push(Held { prefix, usable }),
                }
                facts.push(Fact::Added { link: link.name.clone(), prefix });
            }
            Event::AddressGone { index, prefix } => {
                let Some(link) = self.links.get(&index) else { return };
                if let Some(list) = self.addresses.get_mut(&index) {
                    list.retain(|h| h.prefix != prefix);
                }
                facts.push(Fact::Removed { link: link.name.clone(), prefix });
            }
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    pub(super) fn indices(&self) -> impl Iterator<Item = u32> + '_ {
        self.links.keys().copied()
    }

    /// Before a dump names them all again.
    pub(super) fn forget_addresses(&mut self) {
        self.addresses.clear();
    }

    /// Every address on every interface.
    pub(super) fn all_addresses(&self) -> impl Iterator<Item = (&str, Prefix)> {
        self.addresses.iter().flat_map(|(index, list)| {
            let name = self.links.get(index).map_or("", |l| l.name.as_str());
            list.iter().map(move |h| (name, h.prefix))
        })
    }

    /// The address the instance sends from: the configured one, or the first of its interface that
    /// is not itself a virtual address. For IPv6 it must be link-local (RFC 9568 §5.1.2.1).
    pub(super) fn source(
        &self,
        instance: &Instance,
        virtual_: &BTreeSet<IpAddr>,
    ) -> Option<IpAddr> {
        if let Some(configured) = instance.source {
            return (!instance.track_source || self.is_local(&configured)).then_some(configured);
        }
        let index = self.by_name.get(instance.interface.as_deref()?)?;
        let candidates = self.addresses.get(index)?.iter().filter(|h| h.usable);
        candidates.map(|h| h.prefix.addr).find(|addr| match instance.family {
            Family::V4 => addr.is_ipv4() && !virtual_.contains(addr),
            Family::V6 => is_link_local(addr) && !virtual_.contains(addr),
        })
    }

    /// Some interface has this address.
    pub(super) fn holds(&self, addr: &IpAddr) -> bool {
        self.addresses.values().flatten().any(|h| h.prefix.addr == *addr)
    }

    fn is_local(&self, addr: &IpAddr) -> bool {
        self.addresses.values().flatten().any(|h| h.prefix.addr == *addr && h.usable)
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
            // Renamed: to us, the old one is gone and another has come.
            Some(old) => {
                self.by_name.remove(&old.name);
                facts.push(Fact::Vanished(old.name));
            }
            None => {}
        }
        self.by_name.insert(name.clone(), index);
        facts.push(Fact::Appeared(name.clone()));
        for held in self.addresses.get(&index).into_iter().flatten() {
            facts.push(Fact::Added { link: name.clone(), prefix: held.prefix });
        }
    }

    fn drop_link(&mut self, index: u32, facts: &mut Vec<Fact>) {
        self.addresses.remove(&index);
        if let Some(link) = self.links.remove(&index) {
            if self.by_name.get(&link.name) == Some(&index) {
                self.by_name.remove(&link.name);
            }
            facts.push(Fact::Vanished(link.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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

    fn prefix(text: &str) -> Prefix {
        Prefix { addr: text.parse().unwrap(), len: 24 }
    }

    fn table(events: impl IntoIterator<Item = Event>) -> (LinkTable, Vec<Fact>) {
        let (mut table, mut facts) = (LinkTable::default(), Vec::new());
        for e in events {
            table.take(e, &mut facts);
        }
        (table, facts)
    }

    #[test]
    fn the_source_is_the_first_address_that_is_not_virtual() {
        let address = |text, usable| Event::Address { index: 1, prefix: prefix(text), usable };
        let (table, _) = table([
            link(1, "eth0", true),
            address("10.0.0.100", true),
            address("10.0.0.1", true),
            address("10.0.0.2", true),
            address("fe80::1", false),
        ]);
        let virtual_ = ["10.0.0.100".parse().unwrap()].into();
        let mut i = instance("V", 1);
        assert_eq!(table.source(&i, &virtual_), Some("10.0.0.1".parse().unwrap()));
        i.family = Family::V6;
        assert_eq!(table.source(&i, &virtual_), None, "still tentative");
    }

    #[test]
    fn a_rename_is_a_departure_and_an_arrival() {
        let (table, facts) = table([link(1, "eth0", true), link(1, "wan", true)]);
        assert_eq!(
            facts,
            [
                Fact::Appeared("eth0".into()),
                Fact::Vanished("eth0".into()),
                Fact::Appeared("wan".into())
            ]
        );
        assert_eq!(table.state("eth0"), LinkState::Missing);
        assert_eq!(table.state("wan"), LinkState::Up);
    }

    #[test]
    fn a_repeated_report_is_no_change() {
        let (_, facts) = table([link(1, "eth0", true), link(1, "eth0", true)]);
        assert_eq!(facts.len(), 1);
    }
}
