//! Interfaces in the data dump.

use std::net::IpAddr;

use super::text::{or_none, Text};
use super::View;
use crate::base::addr::{is_link_local, Family};
use crate::base::link::{Link, LinkKind};
use crate::base::sorted::{SortedMap, SortedSet};
use crate::base::time::micros;
use crate::holdings::Setting;
use crate::model::link::LinkQuery;
use crate::model::vlink::{ipvlan_kind, VirtualLink, VirtualLinkKind};
use crate::model::vrrp::{SyncGroup, TrackedLink};

/// Names of the instances that depend on an interface, with the weight.
type Watchers<'a> = SortedMap<&'a str, Vec<(&'a str, i16)>>;

/// What is looked up for every interface.
struct Known<'a> {
    /// Made by the daemon.
    made: SortedMap<&'a str, &'a VirtualLink>,
    /// The number of VMACs on an interface.
    vmacs: SortedMap<&'a str, usize>,
    virtual_addresses: SortedSet<IpAddr>,
    /// Settings as they were before the daemon changed them.
    before: SortedMap<(u32, Setting), &'a str>,
    filters: SortedMap<&'a str, &'a str>,
    /// The number of instances with `promote_secondaries` on an interface.
    promoted: SortedMap<&'a str, usize>,
    held_back: SortedSet<&'a str>,
}

impl<'a> Known<'a> {
    fn of(view: &'a View<'_>) -> Self {
        let (mut made, mut vmacs) = (SortedMap::new(), SortedMap::new());
        let (mut virtual_addresses, mut promoted) = (SortedSet::new(), SortedMap::new());
        for config in view.instances().map(|(_, i)| i.config()) {
            made.extend(config.virtual_links().map(|link| (link.name.as_str(), &**link)));
            virtual_addresses.extend(config.all_addresses().map(|a| a.prefix.addr));
            if let Some(name) = config.interface.as_deref().filter(|_| config.promote_secondaries) {
                *promoted.entry(name).or_default() += 1;
            }
        }
        for link in made.values().filter(|link: &&&VirtualLink| link.is_vmac()) {
            *vmacs.entry(link.base.as_str()).or_default() += 1;
        }
        let changed = view.holdings.changed_settings();
        Self {
            made,
            vmacs,
            virtual_addresses,
            before: changed.map(|(index, setting, before)| ((index, setting), before)).collect(),
            filters: view.details.reverse_path.iter().copied().collect(),
            promoted,
            held_back: view.details.held_back.iter().copied().collect(),
        }
    }
}

pub(super) fn section(view: &View<'_>, out: &mut Text) {
    out.section("Interfaces");
    let (mut watchers, mut of_groups) = (Watchers::new(), Watchers::new());
    let groups = view.config.groups.iter();
    let groups = groups.flat_map(|g| g.members.iter().map(move |member| (member.as_str(), g)));
    let groups: SortedMap<&str, &SyncGroup> = groups.collect();
    for (_, i) in view.instances() {
        let config = i.config();
        let group = groups.get(&*config.name);
        for t in i.trackers() {
            let is_it = |other: &&TrackedLink| other.interface == t.interface;
            let is_own = config.tracked_links.iter().any(|own| is_it(&own));
            let of_group = group.is_some_and(|group| group.tracked_links.iter().any(|o| is_it(&o)));
            let list = if of_group && !is_own { &mut of_groups } else { &mut watchers };
            list.entry(&t.interface).or_default().push((&config.name, t.weight));
        }
    }
    let known = Known::of(view);
    for link in view.links.all() {
        interface(view, link, &known, out);
        // Those of groups last.
        let lists = [watchers.get(&*link.name), of_groups.get(&*link.name)];
        let mut list = lists.into_iter().flatten().flatten().peekable();
        if list.peek().is_some() {
            out.line("Tracking VRRP instances :");
        }
        list.for_each(|(name, weight)| out.item(format_args!("{name}, weight {weight}")));
    }
}

fn interface(view: &View<'_>, link: &Link, known: &Known<'_>, out: &mut Text) {
    out.top("Name", &link.name);
    out.pair("index", link.index);
    addresses(view, link, &known.virtual_addresses, out);
    if let Some(mac) = link.mac.filter(|_| link.hardware != Link::LOOPBACK) {
        out.pair("MAC", mac);
    }
    if let Some(mac) = link.broadcast.filter(|_| link.hardware != Link::LOOPBACK) {
        out.pair("MAC broadcast", mac);
    }
    out.pair("State", state(link));
    out.pair("Seen up", u8::from(view.links.was_up(link.index)));
    out.pair("Delayed state change running", known.held_back.contains(&*link.name));
    debounce(view, &link.name, out);
    out.pair("Group", link.group);
    if let Some(made) = known.made.get(&*link.name) {
        virtual_link(view, made, out);
    }
    out.pair("MTU", link.mtu);
    out.pair("HW Type", hardware(link.hardware));
    watching(view, link, out);
    settings(link, known, out);
}

fn addresses(view: &View<'_>, link: &Link, virtual_addresses: &SortedSet<IpAddr>, out: &mut Text) {
    let of = |family| {
        let all = view.links.addresses_of(link.index).into_iter().map(|a| a.prefix.addr);
        let counts = move |a: &IpAddr| match family {
            Family::V4 => a.is_ipv4(),
            Family::V6 => is_link_local(a),
        };
        // Virtual addresses of instances are shown with these.
        all.filter(counts).filter(|a| !virtual_addresses.contains(a))
    };
    let families = [("IPv4", Family::V4), ("IPv6", Family::V6)];
    for (name, family) in families {
        let mut all = of(family);
        out.pair(&format!("{name} address"), or_none(all.next()));
        let mut rest = all.peekable();
        if rest.peek().is_some() {
            out.line(format_args!("Additional {name} addresses :"));
        }
        rest.for_each(|address| out.item(address));
    }
}

fn state(link: &Link) -> String {
    let not = |is_so| if is_so { "" } else { "not " };
    let mut out = format!("{}UP, {}RUNNING", not(link.enabled), not(link.up));
    if link.hardware == Link::LOOPBACK {
        out.push_str(", no broadcast, loopback");
    } else if matches!(link.kind, LinkKind::Vrf { .. }) {
        out.push_str(", no broadcast");
    }
    if !link.arp {
        out.push_str(", no arp");
    }
    if !link.multicast {
        out.push_str(", no multicast");
    }
    out
}

fn debounce(view: &View<'_>, name: &str, out: &mut Text) {
    let delays = view.config.link_delays.iter().find(|d| d.interface == name);
    let (up, down) = delays.map(|d| (micros(d.up), micros(d.down))).unwrap_or_default();
    out.pair("Up debounce timer", format_args!("{up}us"));
    out.pair("Down debounce timer", format_args!("{down}us"));
}

/// One that the daemon makes, and what is below it.
fn virtual_link(view: &View<'_>, made: &VirtualLink, out: &mut Text) {
    let base = match view.links.get(&made.base) {
        Some(base) => format!("{}, state = {}", made.base, state(base)),
        None => format!("{}, missing", made.base),
    };
    let kind = match made.kind {
        VirtualLinkKind::Macvlan { .. } => "VMAC type private".to_owned(),
        VirtualLinkKind::Ipvlan { flags } => format!("IPVLAN type L2 {}", ipvlan_kind(flags)),
    };
    out.line(format_args!("{kind}, underlying interface = {base}"));
    out.line("I/f created by keepalived");
}

fn hardware(kind: u16) -> String {
    match kind {
        Link::ETHERNET => "ETHERNET".to_owned(),
        Link::LOOPBACK => "LOOPBACK".to_owned(),
        other => format!("UNKNOWN ({other})"),
    }
}

/// How the link is watched, and how often addresses on it are announced.
fn watching(view: &View<'_>, link: &Link, out: &mut Text) {
    let name = &*link.name;
    match view.config.polled_links.iter().find(|link| link.interface == name) {
        None => out.line("NIC netlink status update"),
        Some(link) => out.line(match link.query {
            Some(LinkQuery::Mii) => "NIC support MII regs",
            Some(LinkQuery::Ethtool) => "NIC support ETHTOOL GLINK interface",
            Some(LinkQuery::Flags) | None => "NIC ioctl refresh polling",
        }),
    }
    if let LinkKind::Vrf { table } = link.kind {
        out.line(format_args!("VRF master table {table}"));
    } else if let Some(master) = view.links.by_index(link.master) {
        if let LinkKind::Vrf { .. } = master.kind {
            out.line(format_args!("VRF slave of {}", master.name));
        }
    }
    let mut groups = view.config.garp_groups.iter();
    let Some(group) = groups.find(|group| group.interfaces.iter().any(|other| other == name))
    else {
        return;
    };
    if let Some(interval) = group.garp {
        out.line(format_args!("Gratuitous ARP interval {}ms", interval.as_millis()));
    }
    if let Some(interval) = group.gna {
        out.line(format_args!("Gratuitous NA interval {}ms", interval.as_millis()));
    }
}

/// Settings of the kernel that the daemon changes, with their values before that.
fn settings(link: &Link, known: &Known<'_>, out: &mut Text) {
    let before = |setting| known.before.get(&(link.index, setting)).copied().unwrap_or("0");
    let count = |counts: &SortedMap<&str, usize>| counts.get(&*link.name).copied().unwrap_or(0);
    out.line(format_args!("Reset ARP config counter {}", count(&known.vmacs)));
    out.line(format_args!("Original arp_ignore {}", before(Setting::ArpIgnore)));
    out.line(format_args!("Original arp_filter {}", before(Setting::ArpFilter)));
    if let Some(before) = known.filters.get(&*link.name) {
        out.line(format_args!("rp_filter {before}"));
    }
    out.line(format_args!("Original promote_secondaries {}", before(Setting::PromoteSecondaries)));
    out.line(format_args!("Reset promote_secondaries counter {}", count(&known.promoted)));
}
