//! The interfaces of the host and their addresses, as they will be once the kernel has handled all
//! requests. The only such table; source addresses, dumps and the configuration use it as well.

use std::net::IpAddr;

use super::address::Spot;
use super::kernel::Place;
use super::object::Key;
use crate::base::addr::{is_link_local, Family, HostAddress, PROTOCOL_KEEPALIVED};
use crate::base::link::{KernelEvent, Link, LinkState};
use crate::base::name::SharedName;
use crate::base::sorted::{SortedMap, SortedSet};
use crate::model::vrrp::Instance;

/// An address in the kernel.
#[derive(Clone, Debug)]
pub(super) struct SeenAddress {
    pub(super) address: HostAddress,
    /// Added by this daemon or an earlier run.
    pub(super) ours: bool,
    /// The kernel lists addresses in the order of these numbers; the first one is the primary.
    order: u32,
}

#[derive(Clone, Debug, Default)]
pub struct Links {
    links: SortedMap<u32, Link>,
    by_name: SortedMap<SharedName, u32>,
    addresses: SortedMap<Place, SeenAddress>,
    /// Interfaces that were up once.
    were_up: SortedSet<u32>,
    last: u32,
}

impl Links {
    /// The table that a dump describes: all interfaces first, then all addresses.
    pub fn dumped(events: Vec<KernelEvent>) -> Self {
        let mut table = Self::default();
        for event in events {
            match event {
                KernelEvent::Link(link) => table.put_link(link),
                KernelEvent::Address { index, address } => {
                    let ours = address.protocol == Some(PROTOCOL_KEEPALIVED);
                    table.put((index, Spot::of_host(&address)), address, ours);
                }
                // A dump has none of them.
                KernelEvent::LinkGone { .. }
                | KernelEvent::AddressGone { .. }
                | KernelEvent::Route(_)
                | KernelEvent::RouteGone(_)
                | KernelEvent::Rule(_)
                | KernelEvent::RuleGone(_) => {}
            }
        }
        table
    }

    pub fn get(&self, name: &str) -> Option<&Link> {
        self.links.get(self.by_name.get(name)?)
    }

    pub fn state(&self, name: &str) -> LinkState {
        LinkState::of(self.get(name))
    }

    pub fn all(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    /// The addresses of the interface with this number, in the kernel's order.
    pub fn addresses_of(&self, index: u32) -> Vec<&HostAddress> {
        let mut list: Vec<_> = self.on(index).collect();
        list.sort_by_key(|shown| shown.order);
        list.into_iter().map(|shown| &shown.address).collect()
    }

    /// The link-local IPv6 addresses of the interface with this number, in the kernel's order.
    pub fn link_locals(&self, index: u32) -> impl Iterator<Item = &HostAddress> {
        let all = self.addresses_of(index).into_iter();
        all.filter(|address| is_link_local(&address.prefix.addr))
    }

    /// True if the kernel says who added an address (IFA_PROTO, from Linux 5.18 on).
    pub fn shows_origins(&self) -> bool {
        self.addresses.values().any(|shown| shown.address.protocol.is_some())
    }

    /// True if some interface has this address.
    pub fn holds(&self, addr: &IpAddr) -> bool {
        self.with(*addr).next().is_some()
    }

    /// Source address of the instance: the configured one, or the first non-virtual address of its
    /// interface. For IPv6 it must be link-local (RFC 9568 §5.1.2.1).
    ///
    /// An address owner may have only virtual addresses. One that keepalived did not add is used if
    /// there is no better one.
    pub fn source(&self, instance: &Instance, virtual_: &SortedMap<IpAddr, ()>) -> Option<IpAddr> {
        if let Some(configured) = instance.source {
            return (!instance.track_source || self.is_local(configured)).then_some(configured);
        }
        let index = self.index(instance.source_link()?)?;
        let fits = |addr: &IpAddr| match instance.family {
            Family::V4 => addr.is_ipv4(),
            Family::V6 => is_link_local(addr),
        };
        let candidates = || {
            let usable = self.on(index).filter(|shown| shown.address.is_usable());
            usable.map(|shown| (shown, shown.address.prefix.addr)).filter(|(_, addr)| fits(addr))
        };
        let first = |(shown, _): &(&SeenAddress, IpAddr)| shown.order;
        let best = candidates().filter(|(_, addr)| !virtual_.contains_key(addr)).min_by_key(first);
        let own = || candidates().filter(|(shown, _)| !shown.ours).min_by_key(first);
        best.or_else(own).map(|(_, addr)| addr)
    }

    fn is_local(&self, addr: IpAddr) -> bool {
        self.with(addr).any(|shown| shown.address.is_usable())
    }

    /// The addresses of one interface, in no particular order.
    fn on(&self, index: u32) -> impl Iterator<Item = &SeenAddress> {
        let list = self.addresses.range((index, Spot::FIRST)..);
        list.take_while(move |(place, _)| place.0 == index).map(|(_, shown)| shown)
    }

    /// True if every IPv4 address of this interface, if there is one, was added by keepalived.
    pub(super) fn has_only_own_v4(&self, index: u32) -> bool {
        self.on(index).all(|shown| shown.ours || shown.address.prefix.addr.is_ipv6())
    }

    /// Entries of this address on all interfaces.
    fn with(&self, addr: IpAddr) -> impl Iterator<Item = &SeenAddress> {
        self.links.keys().flat_map(move |index| {
            let list = self.addresses.range((*index, Spot::first_of(addr))..);
            list.take_while(move |(place, _)| place.0 == *index && place.1.addr == addr)
                .map(|(_, shown)| shown)
        })
    }

    pub(super) fn index(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    /// Numbers of the interfaces that the object names.
    pub(super) fn numbers_of(&self, key: &Key) -> Vec<Option<u32>> {
        key.links().map(|name| self.index(name)).collect()
    }

    /// The interface with this number has been up.
    pub fn was_up(&self, index: u32) -> bool {
        self.were_up.contains(&index)
    }

    pub fn by_index(&self, index: u32) -> Option<&Link> {
        self.links.get(&index)
    }

    pub(super) fn by_name(&self) -> impl Iterator<Item = (&str, u32)> {
        self.by_name.iter().map(|(name, index)| (name.as_str(), *index))
    }

    /// Stores an interface under its current name.
    pub(super) fn put_link(&mut self, link: Link) {
        if let Some(old) = self.links.get(&link.index).filter(|old| old.name != link.name) {
            let name = old.name.clone();
            self.forget_name(&name, link.index);
        }
        if link.up {
            self.were_up.insert(link.index);
        }
        self.by_name.insert(link.name.clone(), link.index);
        self.links.insert(link.index, link);
    }

    /// Removes the interface and returns its addresses.
    pub(super) fn remove_link(&mut self, index: u32) -> Vec<(Place, SeenAddress)> {
        self.were_up.remove(&index);
        if let Some(link) = self.links.remove(&index) {
            self.forget_name(&link.name, index);
        }
        let list = self.addresses.range((index, Spot::FIRST)..);
        let places: Vec<_> =
            list.map(|(place, _)| *place).take_while(|place| place.0 == index).collect();
        let shown = |place| Some((place, self.addresses.remove(&place)?));
        places.into_iter().filter_map(shown).collect()
    }

    /// Forgets a name, unless another interface has it by now.
    fn forget_name(&mut self, name: &str, index: u32) {
        if self.by_name.get(name) == Some(&index) {
            self.by_name.remove(name);
        }
    }

    pub(super) fn shown(&self, place: &Place) -> Option<&SeenAddress> {
        self.addresses.get(place)
    }

    pub(super) fn shown_mut(&mut self, place: &Place) -> Option<&mut SeenAddress> {
        self.addresses.get_mut(place)
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = (&Place, &SeenAddress)> {
        self.addresses.iter()
    }

    /// Stores an address of a known interface; false if the entry is unchanged.
    pub(super) fn put(&mut self, place: Place, address: HostAddress, ours: bool) -> bool {
        let Some(link) = self.links.get(&place.0) else { return false };
        let address = without_own_label(address, &link.name);
        match self.addresses.get_mut(&place) {
            Some(known) => {
                let is_news = known.address != address;
                known.address = address;
                known.ours = ours;
                is_news
            }
            None => {
                self.last += 1;
                self.addresses.insert(place, SeenAddress { address, ours, order: self.last });
                true
            }
        }
    }

    pub(super) fn remove(&mut self, place: &Place) -> Option<SeenAddress> {
        self.addresses.remove(place)
    }

    /// Adds facts that a dump does not contain to each address, and removes those for which
    /// `adjust` returns false.
    pub(super) fn adjust(&mut self, mut adjust: impl FnMut(&Place, &mut SeenAddress) -> bool) {
        self.addresses.retain(&mut adjust);
    }

    /// True if both have the same interfaces with the same addresses.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let same = |((a, x), (b, y)): ((&Place, &SeenAddress), (&Place, &SeenAddress))| {
            a == b && x.address == y.address && x.ours == y.ours
        };
        self.links == other.links
            && self.addresses.len() == other.addresses.len()
            && self.addresses.iter().zip(other.addresses.iter()).all(same)
    }
}

/// Drops the default label, which equals the name of the interface.
fn without_own_label(mut address: HostAddress, link: &str) -> HostAddress {
    if address.label.as_deref() == Some(link) {
        address.label = None;
    }
    address
}
