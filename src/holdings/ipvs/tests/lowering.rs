//! Lowering of virtual servers of the model to kernel objects.

use super::*;
use crate::base::addr::Family;
use crate::holdings::ipvs::{daemon, destination, services, sorry_destination, timeouts};
use crate::model::lvs;
use crate::model::lvs::tests::{real_server, virtual_server};
use crate::wire::netlink::ipvs::{Encapsulation, Role, ServiceFlags, Tunnel};

#[test]
fn a_plain_server_is_one_service() {
    let mut vs = virtual_server([10, 0, 0, 1], 80);
    assert_eq!(services(&vs, None), [service(1)]);
    vs.persistence = Some(lvs::Persistence {
        timeout: 50,
        granularity: Some(lvs::Granularity::Mask([255, 255, 0, 0].into())),
    });
    vs.scheduler_flags.second = true;
    let made = services(&vs, None)[0];
    assert_eq!(made.flags, ServiceFlags::PERSISTENT.with(ServiceFlags::SCHEDULER_2));
    assert_eq!((made.timeout, made.netmask), (50, 0xffff_0000));
}

#[test]
fn a_group_is_one_service_for_each_address_and_mark() {
    let mut vs = virtual_server([0; 4], 0);
    vs.service = lvs::Service::Group { name: "g".into(), index: 0 };
    assert_eq!(services(&vs, None), []);
    let range = |first: [u8; 4], last: [u8; 4]| lvs::GroupEntry::Range {
        first: first.into(),
        last: last.into(),
        port: 80,
    };
    let group = lvs::AddressGroup {
        name: "g".into(),
        entries: vec![
            range([10, 0, 0, 1], [10, 0, 0, 2]),
            lvs::GroupEntry::Fwmark { mark: 5, family: Some(Family::V6) },
            lvs::GroupEntry::Fwmark { mark: 6, family: None },
        ],
    };
    let keys: Vec<_> = services(&vs, Some(&group)).iter().map(|s| s.key).collect();
    let mark = |family, mark| ServiceKey::FwMark { family, mark };
    assert_eq!(keys, [key(1), key(2), mark(Family::V6, 5), mark(Family::V4, 6)]);
    assert_eq!(services(&vs, Some(&group))[2].netmask, 128);
}

#[test]
fn a_group_with_a_mark_is_one_service_for_each_family() {
    let mut vs = virtual_server([0; 4], 0);
    vs.service = lvs::Service::Group { name: "g".into(), index: 0 };
    vs.mark = Some(1000);
    let range = |first: &str, last: &str| lvs::GroupEntry::Range {
        first: first.parse().expect("an address"),
        last: last.parse().expect("an address"),
        port: 80,
    };
    let v4 = [range("10.0.0.1", "10.0.0.2"), range("10.0.0.7", "10.0.0.7")];
    let mut group = lvs::AddressGroup { name: "g".into(), entries: v4.into() };
    let keys = |group: &_| services(&vs, Some(group)).iter().map(|s| s.key).collect::<Vec<_>>();
    let mark = |family| ServiceKey::FwMark { family, mark: 1000 };
    assert_eq!(keys(&group), [mark(Family::V4)]);
    group.entries.push(range("fd00::1", "fd00::9"));
    assert_eq!(keys(&group), [mark(Family::V4), mark(Family::V6)]);
}

#[test]
fn weights_beyond_the_kernels_are_cut() {
    let mut rs = real_server([11, 0, 0, 1], 80);
    assert_eq!(destination(&rs, 1), dest(1));
    assert_eq!(destination(&rs, u32::MAX).weight, i32::MAX);
    rs.forwarding = lvs::Forwarding::Tunnel(lvs::Tunnel::Gue {
        port: 7,
        checksum: lvs::TunnelChecksum::Remote,
    });
    let tunnel =
        Tunnel { encapsulation: Encapsulation::Gue, port: 7, flags: Tunnel::REMOTE_CHECKSUM };
    assert_eq!(destination(&rs, 1).forwarding, Forwarding::Tunnel(tunnel));
}

#[test]
fn a_sorry_server_is_a_destination_like_others() {
    let sorry = lvs::SorryServer {
        addr: [11, 0, 0, 1].into(),
        port: 80,
        forwarding: lvs::Forwarding::Direct,
        inhibit: true,
    };
    let expected = Destination { forwarding: Forwarding::Route, ..weighted(1, 0) };
    assert_eq!(sorry_destination(&sorry, 0), expected);
}

#[test]
fn unset_options_of_a_sync_daemon_are_left_to_the_kernel() {
    let mut model = lvs::SyncDaemon {
        interface: "eth0".into(),
        instance: None,
        id: 9,
        max_len: None,
        port: Some(7),
        ttl: None,
        group: None,
    };
    let made = daemon(&model, Role::Backup).expect("a daemon");
    assert_eq!((made.role, made.id, made.port, made.ttl), (Role::Backup, 9, Some(7), None));
    model.interface = "sixteen-letters.".into();
    assert_eq!(daemon(&model, Role::Backup), None);
    let given = lvs::Timeouts { tcp: Some(5), tcp_fin: Some(0), udp: None };
    assert_eq!(timeouts(&given), Timeouts { tcp: 5, tcp_fin: 0, udp: 0 });
}
