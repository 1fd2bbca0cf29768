//! Kernel objects from the IPVS part of the model.

use crate::base::addr::Family;
use crate::base::sorted::SortedSet;
use crate::model::lvs::{self, GroupEntry};
use crate::wire::netlink::ipvs::{
    Daemon, Destination, DestinationKey, Encapsulation, Forwarding, Name, Protocol, Role, Service,
    ServiceFlags, ServiceKey, Timeouts, Tunnel,
};

/// The services of a virtual server: one, or one for every address and mark of its group. If packets
/// to the addresses have a mark, one for each family.
///
/// `group` is the group that `server` names. If it is missing, such a server has no service.
pub fn services(server: &lvs::VirtualServer, group: Option<&lvs::AddressGroup>) -> Vec<Service> {
    let entries = group.into_iter().flat_map(|g| &g.entries);
    let keys: Vec<_> = match server.service {
        lvs::Service::Group { .. } if server.mark.is_some() => {
            let families: SortedSet<_> = entries.filter_map(GroupEntry::family).collect();
            let mark = server.mark.into_iter();
            mark.flat_map(|mark| families.iter().map(move |&family| (family, mark)))
                .map(|(family, mark)| ServiceKey::FwMark { family, mark })
                .collect()
        }
        lvs::Service::Group { .. } => entries
            .flat_map(|entry| {
                let family = entry.family().unwrap_or(server.family);
                entry.services().filter_map(move |s| key(&s, server.protocol, family))
            })
            .collect(),
        _ => key(&server.service, server.protocol, server.family).into_iter().collect(),
    };
    keys.into_iter().filter_map(|key| service(key, server)).collect()
}

/// A real server with the weight that results from its checks.
pub fn destination(server: &lvs::RealServer, weight: u32) -> Destination {
    Destination {
        key: DestinationKey { addr: server.addr, port: server.port },
        forwarding: forwarding(server.forwarding),
        weight: i32::try_from(weight).unwrap_or(i32::MAX),
        upper_threshold: server.upper_threshold,
        lower_threshold: server.lower_threshold,
    }
}

/// A sorry server: with weight 1, or 0 while it is not in use.
pub fn sorry_destination(server: &lvs::SorryServer, weight: u32) -> Destination {
    Destination {
        key: DestinationKey { addr: server.addr, port: server.port },
        forwarding: forwarding(server.forwarding),
        weight: i32::try_from(weight).unwrap_or(i32::MAX),
        upper_threshold: 0,
        lower_threshold: 0,
    }
}

/// A sync daemon in one of its roles; `None` if the interface name is impossible in the kernel.
pub fn daemon(daemon: &lvs::SyncDaemon, role: Role) -> Option<Daemon> {
    Some(Daemon {
        role,
        interface: Name::new(&daemon.interface)?,
        id: daemon.id.into(),
        max_len: daemon.max_len,
        port: daemon.port,
        ttl: daemon.ttl,
        group: daemon.group,
    })
}

/// Timeouts, with 0 for those left to the kernel.
pub fn timeouts(timeouts: &lvs::Timeouts) -> Timeouts {
    Timeouts {
        tcp: timeouts.tcp.unwrap_or(0),
        tcp_fin: timeouts.tcp_fin.unwrap_or(0),
        udp: timeouts.udp.unwrap_or(0),
    }
}

fn key(
    service: &lvs::Service,
    protocol: Option<lvs::Protocol>,
    family: Family,
) -> Option<ServiceKey> {
    match *service {
        lvs::Service::Address { addr, port } => {
            let protocol = match protocol? {
                lvs::Protocol::Tcp => Protocol::Tcp,
                lvs::Protocol::Udp => Protocol::Udp,
                lvs::Protocol::Sctp => Protocol::Sctp,
            };
            Some(ServiceKey::Address { protocol, addr, port })
        }
        lvs::Service::Fwmark(mark) => Some(ServiceKey::FwMark { family, mark }),
        lvs::Service::Group { .. } => None,
    }
}

fn service(key: ServiceKey, server: &lvs::VirtualServer) -> Option<Service> {
    let mut service = Service::new(key, Name::new(server.scheduler.name())?);
    service.engine = server.persistence_engine.as_deref().and_then(Name::new);
    let given = server.scheduler_flags;
    for (set, flag) in [
        (server.persistence.is_some(), ServiceFlags::PERSISTENT),
        (server.one_packet, ServiceFlags::ONE_PACKET),
        (given.first, ServiceFlags::SCHEDULER_1),
        (given.second, ServiceFlags::SCHEDULER_2),
        (given.third, ServiceFlags::SCHEDULER_3),
    ] {
        if set {
            service.flags = service.flags.with(flag);
        }
    }
    if let Some(persistence) = server.persistence {
        service.timeout = persistence.timeout;
        match (persistence.granularity, key.family()) {
            (Some(lvs::Granularity::Mask(mask)), Family::V4) => service.netmask = mask.into(),
            (Some(lvs::Granularity::Prefix(len)), Family::V6) => service.netmask = len.into(),
            _ => {}
        }
    }
    Some(service)
}

fn forwarding(method: lvs::Forwarding) -> Forwarding {
    match method {
        lvs::Forwarding::Nat => Forwarding::Masq,
        lvs::Forwarding::Direct => Forwarding::Route,
        lvs::Forwarding::Tunnel(tunnel) => Forwarding::Tunnel(match tunnel {
            lvs::Tunnel::Ipip => Tunnel::IPIP,
            lvs::Tunnel::Gue { port, checksum } => {
                let flags = match checksum {
                    lvs::TunnelChecksum::None => 0,
                    lvs::TunnelChecksum::Plain => Tunnel::CHECKSUM,
                    lvs::TunnelChecksum::Remote => Tunnel::REMOTE_CHECKSUM,
                };
                Tunnel { encapsulation: Encapsulation::Gue, port, flags }
            }
            lvs::Tunnel::Gre { checksum } => {
                let flags = if checksum { Tunnel::CHECKSUM } else { 0 };
                Tunnel { encapsulation: Encapsulation::Gre, port: 0, flags }
            }
        }),
    }
}
