//! Configured virtual routers and sync groups.
//!
//! Defaults are already resolved: global ones, those that depend on the version, and those of
//! strict mode.

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use super::notify::Notify;
use super::route::{VirtualRoute, VirtualRule};
use super::secret::Secret;
use super::signing::Signing;
use super::track::Tracked;
use super::vlink::VirtualLink;
use crate::base::addr::{Family, Prefix};
use crate::base::name::SharedName;
use crate::base::seldom::Seldom;
use crate::base::sorted::SortedSet;
use crate::base::time::micros;

/// `version`: 2 (RFC 3768) or 3 (RFC 5798, RFC 9568).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Version {
    V2,
    V3,
}

/// `state`: only affects defaults; every instance but the owner starts in BACKUP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InitialState {
    Master,
    Backup,
}

/// `authentication` (RFC 2338; version 2 over IPv4) and `auth_hmac`.
#[derive(Clone, PartialEq, Eq)]
pub enum Authentication {
    None,
    /// `auth_type PASS`: eight octets, zero padded.
    Pass([u8; 8]),
    /// `auth_type AH`: the same, as a key.
    Header(Secret),
    /// `auth_hmac`.
    Signed(Box<Signing>),
    /// Wanted, but without a usable key. Nothing is sent and nothing believed.
    Unusable,
}

impl std::fmt::Debug for Authentication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Pass(_) => "Pass(********)",
            Self::Header(_) => "Header(********)",
            Self::Signed(_) => "Signed(********)",
            Self::Unusable => "Unusable",
        })
    }
}

/// The pseudo-header in the checksum of version 3 over IPv4 (RFC 9568 §5.2.8).
///
/// Either form is accepted on reception; this selects the one sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChecksumForm {
    /// With the pseudo-header, the default of keepalived.
    PseudoHeader,
    /// Without it, as version 2 (`v3_checksum_as_v2`).
    AsV2,
    /// `old_unicast_checksum`: pseudo-header with the multicast group instead of the peer.
    OldUnicast,
}

/// One of `unicast_peer`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer {
    pub addr: IpAddr,
    /// `min_ttl`, enforced with `check_unicast_src`.
    pub min_ttl: u8,
    /// `max_ttl`, enforced with `check_unicast_src`.
    pub max_ttl: u8,
}

/// Transport of advertisements.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Delivery {
    Multicast {
        group: IpAddr,
    },
    Unicast {
        /// At least one, unless the lack of peers keeps the instance in FAULT.
        peers: Vec<Peer>,
        /// `unicast_ttl`; `None`: 255 for IPv4, the kernel's default for IPv6.
        ttl: Option<u8>,
        /// `check_unicast_src`: accept advertisements from peers only.
        check_source: bool,
    },
}

/// `scope` of an address, as in rtnetlink.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Scope(pub u8);

impl Scope {
    pub const GLOBAL: Self = Self(0);
    pub const SITE: Self = Self(200);
    pub const LINK: Self = Self(253);
    pub const HOST: Self = Self(254);
    pub const NOWHERE: Self = Self(255);
}

/// `brd` of an address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Broadcast {
    None,
    /// `brd A`, or the address computed for `brd +` (host part all ones) or `brd -` (all zeros).
    Address(std::net::Ipv4Addr),
}

/// One entry of `virtual_ipaddress` or `virtual_ipaddress_excluded`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct VirtualAddress {
    pub prefix: Prefix,
    /// `peer`: the other end of a point-to-point link; the prefix length is then the peer's.
    pub peer: Option<IpAddr>,
    /// `dev`, or the instance's interface; with `use_vmac` the VMAC on it.
    pub interface: SharedName,
    pub broadcast: Broadcast,
    pub scope: Scope,
    pub label: Option<Box<str>>,
    /// IPv6: duplicate address detection is skipped unless `-nodad` was given.
    pub nodad: bool,
    /// `home`: IFA_F_HOMEADDRESS.
    pub home: bool,
    /// `mngtmpaddr`: IFA_F_MANAGETEMPADDR.
    pub mngtmpaddr: bool,
    /// `noprefixroute`: IFA_F_NOPREFIXROUTE.
    pub noprefixroute: bool,
    /// `autojoin`: IFA_F_MCAUTOJOIN.
    pub autojoin: bool,
    /// `preferred_lft` in seconds; `None`: for ever. Zero (deprecated) is the default for /128, so
    /// that a virtual address is not chosen as a source.
    pub preferred_lft: Option<u32>,
    /// `no_track`: the state of its interface does not affect the instance.
    pub no_track: bool,
}

impl VirtualAddress {
    /// An address without options, which is not checked for duplicates.
    pub const fn plain(prefix: Prefix, interface: SharedName) -> Self {
        Self {
            prefix,
            peer: None,
            interface,
            broadcast: Broadcast::None,
            scope: Scope::GLOBAL,
            label: None,
            nodad: true,
            home: false,
            mngtmpaddr: false,
            noprefixroute: false,
            autojoin: false,
            preferred_lft: None,
            no_track: false,
        }
    }
}

/// Timing of gratuitous ARP and unsolicited neighbour advertisements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Garp {
    /// `garp_master_delay`: delay of the second round after MASTER; zero: none.
    pub delay: Duration,
    /// `garp_master_repeat`: frames per address and round.
    pub repeat: u32,
    /// `garp_master_refresh`: period of further rounds; zero: none.
    pub refresh: Duration,
    /// `garp_master_refresh_repeat`.
    pub refresh_repeat: u32,
    /// `garp_lower_prio_delay`.
    pub lower_prio_delay: Duration,
    /// `garp_lower_prio_repeat`.
    pub lower_prio_repeat: u32,
    /// `garp_extra_if`: period of an announcement on each further interface; zero: none.
    pub extra: Duration,
    /// `garp_extra_if all`: on any interface, not only on VMACs.
    pub extra_on_all: bool,
}

impl Default for Garp {
    fn default() -> Self {
        Self {
            delay: Duration::from_secs(5),
            repeat: 5,
            refresh: Duration::ZERO,
            refresh_repeat: 1,
            lower_prio_delay: Duration::from_secs(5),
            lower_prio_repeat: 5,
            extra: Duration::ZERO,
            extra_on_all: false,
        }
    }
}

/// Interfaces that share a pace of announcements (`garp_group`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GarpGroup {
    /// `garp_interval`: shortest time between two gratuitous ARPs; `None`: the usual one of each
    /// interface.
    pub garp: Option<Duration>,
    /// `gna_interval`: the same for neighbour advertisements.
    pub gna: Option<Duration>,
    /// In this group alone.
    pub interfaces: Vec<String>,
}

/// One of `track_interface`, of an instance or of its group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrackedLink {
    pub interface: SharedName,
    /// 0: a down interface causes FAULT. Otherwise -253..=253, added to the priority.
    pub weight: i16,
    /// `reverse`: down is the good state.
    pub reverse: bool,
}

/// Reason for an instance to stay in FAULT until its configuration changes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum StandingFault {
    /// `unicast_fault_no_peer` without a `unicast_peer`.
    NoPeer,
    /// The interface has no multicast, and no `unicast_peer` is configured.
    NoMulticast,
    /// `use_vmac` or `use_ipvlan` on an interface that is not Ethernet.
    NoEthernet,
    /// `use_ipvlan` over IPv4 without an address.
    NoIpvlanAddress,
    /// Another instance, with which it shares no group, has addresses on its VMAC.
    SharedVmac,
    /// Authentication without a usable key.
    NoKey,
}

impl std::fmt::Display for StandingFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoPeer => "no unicast peer",
            Self::NoMulticast => "interface without multicast",
            Self::NoEthernet => "virtual interface on one that is not Ethernet",
            Self::NoIpvlanAddress => "ipvlan without an address",
            Self::SharedVmac => "VMAC of another instance",
            Self::NoKey => "authentication without a usable key",
        })
    }
}

/// One `vrrp_instance`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instance {
    pub name: SharedName,
    /// `interface`; `None` is possible with unicast and a source address.
    pub interface: Option<SharedName>,
    /// `use_vmac` or `use_ipvlan`: the interface made for the instance.
    pub vlink: Option<Rc<VirtualLink>>,
    /// `vmac_xmit_base`: advertisements are sent and received on the interface below the VMAC.
    pub xmit_base: bool,
    /// The address of `use_ipvlan`, which the ipvlan has at all times.
    pub ipvlan_address: Option<Rc<VirtualAddress>>,
    /// `use_vmac` of single addresses, `use_vmac_addr`: the VMACs made for them.
    pub address_vlinks: Seldom<Vec<Rc<VirtualLink>>>,
    /// `vrf`, of an instance without an interface.
    pub vrf: Option<SharedName>,
    /// `virtual_router_id` 1..=255.
    pub vrid: u8,
    pub family: Family,
    pub version: Version,
    pub initial_state: InitialState,
    /// `priority` 1..=255; 255: owner of the addresses.
    pub priority: u8,
    /// `advert_int`: 1 s..=255 s in whole seconds (version 2), 10 ms..=40.95 s (version 3).
    pub advert_interval: Duration,
    /// `down_timer_adverts` 1..=100, default 3: intervals without an advertisement until a
    /// takeover.
    pub down_timer_adverts: u32,
    pub authentication: Authentication,
    pub delivery: Delivery,
    /// `mcast_src_ip` or `unicast_src_ip`.
    pub source: Option<IpAddr>,
    /// `track_src_ip`: FAULT while `source` is not on the host.
    pub track_source: bool,
    pub checksum: ChecksumForm,
    /// A peer that sends the old unicast checksum is sent it in return; off with
    /// `old_unicast_checksum never`.
    pub checksum_follows_peer: bool,
    /// `nopreempt`.
    pub nopreempt: bool,
    /// `preempt_delay`.
    pub preempt_delay: Duration,
    /// `strict_mode` or `vrrp_strict`.
    pub strict: bool,
    /// `lower_prio_no_advert`: lower-priority advertisements are not answered.
    pub lower_prio_no_advert: bool,
    /// `higher_prio_send_advert`: one more advertisement before yielding.
    pub higher_prio_send_advert: bool,
    /// `skip_check_adv_addr`: addresses are not compared again for advertisements from the same
    /// master.
    pub skip_check_adv_addr: bool,
    /// `owner_ignore_adverts`.
    pub owner_ignore_adverts: bool,
    /// `accept` (RFC 9568 Accept_Mode). Off: the packet filter drops packets for the addresses.
    pub accept: bool,
    /// `dont_track_primary`: a fault of the instance's own interface is ignored.
    pub dont_track_primary: bool,
    pub tracked_links: Seldom<Vec<TrackedLink>>,
    /// `track_script`, `track_file`, `track_process`, `track_bfd`.
    pub tracked: Seldom<Vec<Tracked>>,
    pub notify: Rc<Notify>,
    pub garp: Rc<Garp>,
    /// `virtual_ipaddress`: advertised, and held while MASTER.
    pub addresses: Vec<Rc<VirtualAddress>>,
    /// `virtual_ipaddress_excluded`: held while MASTER, not advertised.
    pub excluded: Seldom<Vec<Rc<VirtualAddress>>>,
    /// `virtual_routes`: held while MASTER.
    pub routes: Seldom<Vec<Rc<VirtualRoute>>>,
    /// `virtual_rules`: held while MASTER.
    pub rules: Seldom<Vec<Rc<VirtualRule>>>,
    /// `kernel_rx_buf_size` or `vrrp_rx_bufs_*`, in bytes: its share of the receive buffer of its
    /// socket. `None`: the daemon's own default.
    pub rx_buffer: Option<u32>,
    /// `promote_secondaries`: the sysctl is set on the interface.
    pub promote_secondaries: bool,
    /// `timer_expired_backup [N]`: step back silently after a stall of this daemon.
    pub timer_expired_backup: Option<u8>,
    /// `debug` 0..=4.
    pub debug: u8,
    /// Keeps the instance in FAULT, regardless of its links.
    pub standing_fault: Option<StandingFault>,
}

impl Instance {
    /// True for the owner of the addresses: priority 255 (RFC 9568 §6.1).
    pub const fn is_owner(&self) -> bool {
        self.priority == 255
    }

    /// The packet filter drops packets to and from its addresses.
    pub const fn is_shielded(&self) -> bool {
        !self.accept && !self.is_owner()
    }

    /// The interfaces of its addresses, routes and rules, with repetitions. The instance is in
    /// FAULT while one of them is down.
    pub fn interfaces_of_objects(&self) -> impl Iterator<Item = &str> {
        let addresses = self.all_addresses().filter(|a| !a.no_track).map(|a| &*a.interface);
        let routes = self.routes.iter().filter(|r| !r.no_track).filter_map(|r| r.interface());
        let routes = routes.map(String::as_str);
        let rules = self.rules.iter().filter(|r| !r.no_track).flat_map(|r| r.interfaces());
        let rules = rules.map(String::as_str);
        addresses.chain(routes).chain(rules)
    }

    /// True if the other one holds the same objects while MASTER.
    pub fn holds_same(&self, other: &Self) -> bool {
        self.addresses == other.addresses
            && self.excluded == other.excluded
            && self.routes == other.routes
            && self.rules == other.rules
            && self.accept == other.accept
    }

    /// How long the link of a master with this interval may be down before a backup takes over.
    pub fn longest_outage(&self, interval: Duration) -> Duration {
        let intervals = interval * self.down_timer_adverts.saturating_sub(1);
        Duration::from_micros(micros(intervals.saturating_sub(interval / 256)))
    }

    /// The address is on an interface that no advertisement passes.
    pub fn is_elsewhere(&self, address: &VirtualAddress) -> bool {
        self.own_links().all(|own| *own != *address.interface)
    }

    /// `garp_extra_if`: the first address on each further interface. The own VMAC is one if
    /// advertisements do not leave through it (`vmac_xmit_base`).
    pub fn announced_elsewhere(&self) -> impl Iterator<Item = &VirtualAddress> {
        let own = self.vlink.iter().filter(|_| self.xmit_base);
        let vmacs = own.chain(&self.address_vlinks).filter(|link| link.is_vmac());
        let is_vmac = move |link: &str| vmacs.clone().any(|vmac| vmac.name == *link);
        let all = self.garp.extra_on_all;
        let mut seen = SortedSet::new();
        self.all_addresses().map(|address| &**address).filter(move |address| {
            let counts = is_vmac(&address.interface) || all && self.is_elsewhere(address);
            counts && seen.insert(&address.interface)
        })
    }

    /// The interface that advertisements are sent and received on: the virtual one, or else the
    /// configured one, or else the VRF.
    pub fn advert_link(&self) -> Option<&str> {
        let made = self.vlink.as_ref().filter(|_| !self.xmit_base);
        let made = made.map(|link| link.name.as_str());
        made.or(self.interface.as_deref()).or(self.vrf.as_deref())
    }

    /// Advertisements have a virtual MAC, so that traffic to it follows them.
    pub fn advertises_from_vmac(&self) -> bool {
        !self.xmit_base && self.vlink.as_ref().is_some_and(|link| link.is_vmac())
    }

    /// The interface whose addresses are candidates for the source of advertisements. An IPv4 VMAC
    /// has no address of its own: the one below it lends its address.
    pub fn source_link(&self) -> Option<&str> {
        let is_vmac = self.vlink.as_ref().is_some_and(|link| link.is_vmac());
        if is_vmac && self.family == Family::V4 {
            return self.interface.as_deref();
        }
        self.advert_link().filter(|_| self.interface.is_some())
    }

    /// The interfaces that an advertisement passes: the configured one and a virtual one on it.
    pub fn own_links(&self) -> impl Iterator<Item = &str> {
        self.interface.as_deref().into_iter().chain(self.vlink.iter().map(|l| l.name.as_str()))
    }

    /// The interfaces to be made for the instance.
    pub fn virtual_links(&self) -> impl Iterator<Item = &Rc<VirtualLink>> {
        let possible = self.standing_fault != Some(StandingFault::NoEthernet);
        self.vlink.iter().chain(&self.address_vlinks).filter(move |_| possible)
    }

    /// True if addresses of this family are on the virtual interface, or advertisements pass it.
    pub fn uses(&self, link: &VirtualLink, family: Family) -> bool {
        let carries = self.vlink.as_ref().is_some_and(|own| own.name == link.name);
        let mut on_it = self.all_addresses().filter(|a| *a.interface == *link.name);
        (carries && self.family == family)
            || on_it.any(|address| Family::of(&address.prefix.addr) == family)
    }

    /// The interface below one of its virtual interfaces.
    pub fn base_of(&self, link: &str) -> Option<&str> {
        let mut made = self.vlink.iter().chain(&self.address_vlinks);
        made.find(|made| made.name == link).map(|made| made.base.as_str())
    }

    /// All addresses held while MASTER, in the order they are added.
    pub fn all_addresses(&self) -> impl Iterator<Item = &Rc<VirtualAddress>> {
        self.addresses.iter().chain(&self.excluded)
    }
}

/// One `vrrp_sync_group`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SyncGroup {
    pub name: SharedName,
    /// Names of existing instances, at least one.
    pub members: Vec<String>,
    /// `track_interface` of the group, applied to every member.
    pub tracked_links: Vec<TrackedLink>,
    /// `track_script` and the like of the group, applied to every member.
    pub tracked: Vec<Tracked>,
    pub notify: Notify,
    /// `sync_group_tracking_weight`: weights of members count within the group.
    pub tracking_weight: bool,
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::model::vlink::{virtual_mac, VirtualLinkKind};

    /// An instance with every default, for tests to change.
    pub(crate) fn instance(name: &str, vrid: u8) -> Instance {
        Instance {
            name: name.into(),
            interface: Some("eth0".into()),
            vlink: None,
            xmit_base: false,
            ipvlan_address: None,
            address_vlinks: Seldom::default(),
            vrf: None,
            vrid,
            family: Family::V4,
            version: Version::V2,
            initial_state: InitialState::Backup,
            priority: 100,
            advert_interval: Duration::from_secs(1),
            down_timer_adverts: 3,
            authentication: Authentication::None,
            delivery: Delivery::Multicast { group: Ipv4Addr::new(224, 0, 0, 18).into() },
            source: None,
            track_source: false,
            checksum: ChecksumForm::PseudoHeader,
            checksum_follows_peer: true,
            nopreempt: false,
            preempt_delay: Duration::ZERO,
            strict: false,
            lower_prio_no_advert: false,
            higher_prio_send_advert: false,
            skip_check_adv_addr: false,
            owner_ignore_adverts: false,
            accept: true,
            dont_track_primary: false,
            tracked_links: Seldom::default(),
            tracked: Seldom::default(),
            notify: Rc::default(),
            garp: Rc::default(),
            addresses: Vec::new(),
            excluded: Seldom::default(),
            routes: Seldom::default(),
            rules: Seldom::default(),
            rx_buffer: None,
            promote_secondaries: false,
            timer_expired_backup: None,
            debug: 0,
            standing_fault: None,
        }
    }

    #[test]
    fn advertisements_take_the_virtual_interface_unless_it_lends_its_address() {
        let with = |kind, change: fn(&mut Instance)| {
            let (name, base) = ("vrrp.1".to_owned(), "eth0".to_owned());
            let link = VirtualLink { name, base, kind, group: None, notify_base: false };
            let mut i = Instance { vlink: Some(Rc::new(link)), ..instance("A", 1) };
            change(&mut i);
            let text = |link: Option<&str>| link.unwrap_or_default().to_owned();
            [text(i.advert_link()), text(i.source_link())]
        };
        let vmac = VirtualLinkKind::Macvlan { mac: virtual_mac(Family::V4, 1) };
        let ipvlan = VirtualLinkKind::Ipvlan { flags: 0 };
        assert_eq!(with(vmac, |_| {}), ["vrrp.1", "eth0"]);
        assert_eq!(with(vmac, |i| i.family = Family::V6), ["vrrp.1", "vrrp.1"]);
        assert_eq!(with(vmac, |i| i.xmit_base = true), ["eth0", "eth0"]);
        let base_v6 = |i: &mut Instance| (i.xmit_base, i.family) = (true, Family::V6);
        assert_eq!(with(vmac, base_v6), ["eth0", "eth0"]);
        assert_eq!(with(ipvlan, |_| {}), ["vrrp.1", "vrrp.1"]);
        let in_vrf = |i: &mut Instance| {
            (i.vlink, i.interface, i.vrf) = (None, None, Some("red".into()));
        };
        assert_eq!(with(vmac, in_vrf), ["red", ""]);
        assert_eq!(with(vmac, |i| i.vlink = None), ["eth0", "eth0"]);
    }
}
