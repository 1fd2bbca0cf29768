//! Differences between two models.
//!
//! The identity of an instance must be equal for it to be the same one across a reload; everything
//! else is an attribute that can be adjusted while it runs. As in keepalived, the name is an
//! attribute: renaming an instance does not restart it.

mod bfd;

use std::net::IpAddr;

use super::lvs::{AddressGroup, GroupEntry, Protocol, Service, VirtualServer};
use super::vrrp::{Delivery, Instance};
use super::Config;
use crate::base::addr::Family;
use crate::base::sorted::SortedMap;

pub use bfd::bfd_sessions;

/// Identity of an instance: how it appears on the network.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Identity<'a> {
    vrid: u8,
    family: Family,
    interface: Option<&'a str>,
    /// The kind of a virtual interface: true for a VMAC.
    virtual_: Option<bool>,
    vrf: Option<&'a str>,
    transport: Transport,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Transport {
    Multicast(IpAddr),
    Unicast(Option<IpAddr>),
}

impl<'a> Identity<'a> {
    pub fn of(instance: &'a Instance) -> Self {
        Self {
            vrid: instance.vrid,
            family: instance.family,
            interface: instance.interface.as_deref(),
            virtual_: instance.vlink.as_ref().map(|link| link.is_vmac()),
            vrf: instance.vrf.as_deref(),
            transport: match instance.delivery {
                Delivery::Multicast { group } => Transport::Multicast(group),
                Delivery::Unicast { .. } => Transport::Unicast(instance.source),
            },
        }
    }
}

/// Change to one instance. Numbers are indices into the old and the new list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Change {
    /// Removed. Sorted first, so that its address is free for another.
    Remove { old: usize },
    /// Unchanged.
    Keep { old: usize, new: usize },
    /// Same identity, other attributes.
    Adjust { old: usize, new: usize },
    /// New. A replaced instance is removed and added.
    Add { new: usize },
}

/// The changes from `old` to `new`: removals, then kept and adjusted instances, then additions.
pub fn instances(old: &Config, new: &Config) -> Vec<Change> {
    let mut known: SortedMap<Identity<'_>, Vec<usize>> = SortedMap::new();
    for (n, instance) in old.instances.iter().enumerate() {
        known.entry(Identity::of(instance)).or_default().push(n);
    }
    let mut changes = Vec::new();
    for (new_n, instance) in new.instances.iter().enumerate() {
        // Unicast instances with different peers can share an identity; the name distinguishes
        // them.
        let same = known.get_mut(&Identity::of(instance)).and_then(|list| {
            let named = list.iter().position(|&n| old.instances[n].name == instance.name);
            let at = named.or(if list.is_empty() { None } else { Some(0) })?;
            Some(list.remove(at))
        });
        changes.push(match same {
            None => Change::Add { new: new_n },
            Some(old_n) if old.instances[old_n] == *instance => {
                Change::Keep { old: old_n, new: new_n }
            }
            Some(old_n) => Change::Adjust { old: old_n, new: new_n },
        });
    }
    let gone = known.into_values().flatten().map(|old| Change::Remove { old });
    changes.extend(gone);
    changes.sort();
    changes
}

/// Identity of a virtual server: its service. For a group, only the name: its entries can change.
fn listens<'a>(server: &'a VirtualServer) -> (Listens<'a>, Option<Protocol>, Family) {
    let place = match &server.service {
        Service::Address { addr, port } => Listens::Address(*addr, *port),
        Service::Fwmark(mark) => Listens::Fwmark(*mark),
        Service::Group { name, .. } => Listens::Group(name),
    };
    (place, server.protocol, server.family)
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Listens<'a> {
    Address(IpAddr, u16),
    Fwmark(u32),
    Group(&'a str),
}

/// The same for virtual servers. One whose address group changed is also adjusted.
pub fn virtual_servers(old: &Config, new: &Config) -> Vec<Change> {
    let mut known: SortedMap<_, Vec<usize>> = SortedMap::new();
    for (n, server) in old.virtual_servers.iter().enumerate().rev() {
        known.entry(listens(server)).or_default().push(n);
    }
    let (old_groups, new_groups) = (Groups::of(old), Groups::of(new));
    let same = |a: &VirtualServer, b: &VirtualServer| {
        a == b && old_groups.entries(a) == new_groups.entries(b)
    };
    let mut changes = Vec::new();
    for (new_n, server) in new.virtual_servers.iter().enumerate() {
        changes.push(match known.get_mut(&listens(server)).and_then(Vec::pop) {
            None => Change::Add { new: new_n },
            Some(old_n) if same(&old.virtual_servers[old_n], server) => {
                Change::Keep { old: old_n, new: new_n }
            }
            Some(old_n) => Change::Adjust { old: old_n, new: new_n },
        });
    }
    changes.extend(known.into_values().flatten().map(|old| Change::Remove { old }));
    changes.sort();
    changes
}

/// The address groups of a configuration by their names.
pub struct Groups<'a>(SortedMap<&'a str, &'a [GroupEntry]>);

impl<'a> Groups<'a> {
    pub fn of(config: &'a Config) -> Self {
        let groups = config.address_groups.iter();
        Self(groups.map(|g| (g.name.as_str(), g.entries.as_slice())).collect())
    }

    /// The entries of the group that a virtual server names.
    pub fn entries(&self, server: &VirtualServer) -> Option<&'a [GroupEntry]> {
        match &server.service {
            Service::Group { name, .. } => self.0.get(name.as_str()).copied(),
            _ => None,
        }
    }
}

/// The address group of a virtual server.
pub fn group_of<'a>(config: &'a Config, server: &VirtualServer) -> Option<&'a AddressGroup> {
    let Service::Group { name, .. } = &server.service else { return None };
    config.address_groups.iter().find(|group| group.name == *name)
}

/// Keywords of changed settings that take effect only after a restart.
pub fn frozen(old: &Config, new: &Config) -> Vec<&'static str> {
    let (a, b) = (&old.global, &new.global);
    let mut list = Vec::new();
    if a.net_namespace != b.net_namespace {
        list.push("net_namespace");
    }
    if a.instance_name != b.instance_name {
        list.push("instance");
    }
    if a.use_pid_dir != b.use_pid_dir {
        list.push("use_pid_dir");
    }
    // What was given up cannot be taken back.
    if a.sandbox != b.sandbox {
        list.push("sandbox");
    }
    if old.lvs.namespace != new.lvs.namespace {
        list.push("net_namespace_ipvs");
    }
    list
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::rc::Rc;

    use super::*;
    use crate::model::lvs::tests::virtual_server;
    use crate::model::lvs::Namespace;
    use crate::model::route::tests::route;
    use crate::model::track::{Object, Tracked};
    use crate::model::vlink::{virtual_mac, VirtualLink, VirtualLinkKind};
    use crate::model::vrrp::tests::instance;

    fn config(list: Vec<Instance>) -> Config {
        Config { instances: list.into_iter().map(Rc::new).collect(), ..Config::default() }
    }

    #[test]
    fn nothing_differs_between_equal_models() {
        let c = config(vec![instance("A", 1), instance("B", 2)]);
        let kept = [Change::Keep { old: 0, new: 0 }, Change::Keep { old: 1, new: 1 }];
        assert_eq!(instances(&c, &c), kept);
    }

    #[test]
    fn namespace_and_pid_files_change_only_at_a_restart() {
        let old = Config::default();
        assert!(frozen(&old, &old).is_empty());
        let mut new = Config::default();
        new.global.net_namespace = Some("blue".into());
        new.lvs.namespace = Namespace::Initial;
        assert_eq!(frozen(&old, &new), ["net_namespace", "net_namespace_ipvs"]);
    }

    #[test]
    fn a_renamed_instance_is_the_same_one() {
        let old = config(vec![instance("A", 1)]);
        let new = config(vec![instance("B", 1)]);
        assert_eq!(instances(&old, &new), [Change::Adjust { old: 0, new: 0 }]);
    }

    #[test]
    fn another_router_id_is_another_instance() {
        let old = config(vec![instance("A", 1)]);
        let new = config(vec![instance("A", 2)]);
        assert_eq!(instances(&old, &new), [Change::Remove { old: 0 }, Change::Add { new: 0 }]);
    }

    #[test]
    fn another_multicast_group_is_another_identity() {
        let mut moved = instance("A", 1);
        moved.delivery = Delivery::Multicast { group: Ipv4Addr::new(224, 0, 0, 99).into() };
        let (old, new) = (config(vec![instance("A", 1)]), config(vec![moved]));
        assert_eq!(instances(&old, &new), [Change::Remove { old: 0 }, Change::Add { new: 0 }]);
    }

    #[test]
    fn a_virtual_interface_makes_another_instance_and_its_name_does_not() {
        let on = |name: &str, kind| {
            let (name, base) = (name.to_owned(), "eth0".to_owned());
            let link = VirtualLink { name, base, kind, group: None, notify_base: false };
            config(vec![Instance { vlink: Some(Rc::new(link)), ..instance("A", 1) }])
        };
        let vmac = VirtualLinkKind::Macvlan { mac: virtual_mac(Family::V4, 1) };
        let ipvlan = VirtualLinkKind::Ipvlan { flags: 0 };
        let plain = config(vec![instance("A", 1)]);
        let replaced = [Change::Remove { old: 0 }, Change::Add { new: 0 }];
        assert_eq!(instances(&plain, &on("x", vmac)), replaced);
        assert_eq!(instances(&on("x", vmac), &on("x", ipvlan)), replaced);
        let adjusted = [Change::Adjust { old: 0, new: 0 }];
        assert_eq!(instances(&on("x", vmac), &on("y", vmac)), adjusted);
    }

    #[test]
    fn a_virtual_server_is_identified_by_its_service() {
        let mut moved = virtual_server([10, 0, 0, 1], 80);
        let config = |list: Vec<VirtualServer>, last: u8| Config {
            virtual_servers: list.into_iter().map(Rc::new).collect(),
            address_groups: vec![AddressGroup {
                name: "web".into(),
                entries: vec![GroupEntry::Range {
                    first: [10, 0, 0, 1].into(),
                    last: [10, 0, 0, last].into(),
                    port: 80,
                }],
            }],
            ..Config::default()
        };
        let mut grouped = moved.clone();
        grouped.service = Service::Group { name: "web".into(), index: 0 };
        let old = config(vec![moved.clone(), grouped.clone()], 2);
        let kept = [Change::Keep { old: 0, new: 0 }, Change::Keep { old: 1, new: 1 }];
        assert_eq!(virtual_servers(&old, &old), kept);
        moved.quorum = 2;
        grouped.service = Service::Group { name: "web".into(), index: 1 };
        let new = config(vec![grouped.clone(), moved.clone()], 2);
        let adjusted = [Change::Adjust { old: 0, new: 1 }, Change::Adjust { old: 1, new: 0 }];
        assert_eq!(virtual_servers(&old, &new), adjusted);
        let longer = config(vec![grouped, moved], 3);
        let other = [Change::Keep { old: 1, new: 1 }, Change::Adjust { old: 0, new: 0 }];
        assert_eq!(virtual_servers(&new, &longer), other);
        let udp =
            VirtualServer { protocol: Some(Protocol::Udp), ..virtual_server([10, 0, 0, 1], 80) };
        let other = config(vec![udp], 2);
        assert_eq!(
            virtual_servers(&old, &other),
            [Change::Remove { old: 0 }, Change::Remove { old: 1 }, Change::Add { new: 0 }]
        );
    }

    #[test]
    fn a_changed_priority_is_an_adjustment_whatever_the_order() {
        let mut b = instance("B", 2);
        let old = config(vec![instance("A", 1), b.clone()]);
        b.priority = 7;
        let new = config(vec![b, instance("A", 1)]);
        let expected = [Change::Keep { old: 0, new: 1 }, Change::Adjust { old: 1, new: 0 }];
        assert_eq!(instances(&old, &new), expected);
    }

    #[test]
    fn a_changed_route_is_an_adjustment_and_a_moved_one_is_none() {
        let with = |metric, line: &str| {
            let mut instance = instance("A", 1);
            instance.routes = vec![Rc::new(route(metric, line))].into();
            config(vec![instance])
        };
        let old = with(5, "k.conf:7");
        assert_eq!(instances(&old, &with(5, "k.conf:9")), [Change::Keep { old: 0, new: 0 }]);
        assert_eq!(instances(&old, &with(6, "k.conf:7")), [Change::Adjust { old: 0, new: 0 }]);
    }

    #[test]
    fn changed_tracking_and_notification_are_adjustments() {
        let mut tracks = instance("A", 1);
        let object = Object::Script("chk".into());
        tracks.tracked = vec![Tracked { object, weight: 5, reverse: false }].into();
        let mut tells = instance("A", 1);
        Rc::make_mut(&mut tells.notify).mail = true;
        let old = config(vec![instance("A", 1)]);
        for new in [tracks, tells] {
            let new = config(vec![new]);
            assert_eq!(instances(&old, &new), [Change::Adjust { old: 0, new: 0 }]);
            assert_eq!(instances(&new, &new), [Change::Keep { old: 0, new: 0 }]);
        }
    }
}
