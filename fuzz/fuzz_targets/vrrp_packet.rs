//! Parsing and checking of any packet must not panic, and an accepted packet must be an
//! advertisement that the daemon could have sent itself.

#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use keepalived::base::addr::{Family, Prefix};
use keepalived::base::time::{Instant, WallTime};
use keepalived::model::vrrp::{
    Authentication, ChecksumForm, Delivery, Garp, InitialState, Instance, Peer,
    Version, VirtualAddress,
};
use keepalived::vrrp::receive::{examine, AddressSet, Context, Counters, Received};
use keepalived::wire::checksum::Sum;
use keepalived::wire::ip::{Ipv4Header, Ipv4Packet};
use keepalived::wire::vrrp::{self as wire, Advertisement, Auth, Form, Packet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(packet) = Ipv4Packet::parse(data) {
        let _ = (packet.source(), packet.destination(), packet.ttl(), packet.protocol());
        assert!(packet.payload().len() + 20 <= data.len());
    }
    let Some((&[choice, ttl], pdu)) = data.split_first_chunk::<2>() else { return };
    let mut pdu = pdu.to_vec();
    let config = configured(choice, &pdu);
    // Random input rarely has a valid checksum.
    if choice & 1 == 0 && pdu.len() >= 8 {
        let expected = Packet::parse(&pdu).map_or(0, |p| p.expected_len(config.family));
        pdu[6..8].copy_from_slice(&[0, 0]);
        if let Some(whole) = pdu.get(..expected) {
            let checksum = Sum::new().bytes(whole).checksum();
            pdu[6..8].copy_from_slice(&checksum.to_be_bytes());
        }
    }
    check(&config, ttl, &pdu);
});

fn check(config: &Instance, ttl: u8, pdu: &[u8]) {
    let source = peer(config.family);
    let destination = match config.delivery {
        Delivery::Multicast { group } => group,
        Delivery::Unicast { .. } => own(config.family),
    };
    let mut counters = Counters::default();
    let received = Received {
        source,
        destination: Some(destination),
        ttl: (ttl > 0).then_some(ttl),
        arrived: Instant::ZERO,
        wall: WallTime(0),
        header: None,
        pdu,
    };
    let context = Context {
        config,
        source: Some(own(config.family)),
        effective_priority: config.priority,
        addresses: &AddressSet::of(config),
        compare_addresses: true,
    };
    match examine(&received, &context, None, &mut counters) {
        Ok((advert, remarks)) => {
            for remark in remarks {
                assert!(!remark.to_string().is_empty());
            }
            assert_eq!((advert.source, counters.advert_rcvd), (source, 1));
            emits_again(config, pdu);
        }
        Err(reject) => {
            assert!(!reject.to_string().is_empty());
            assert_ne!(counters, Counters::default(), "{reject} is not counted");
        }
    }
}

/// Except for reserved bits, the checksum and unrequested authentication data, an accepted packet
/// equals the one emitted from the same values.
fn emits_again(config: &Instance, pdu: &[u8]) {
    let packet = Packet::parse(pdu).unwrap();
    let form = match (config.version, packet.auth_data(config.family)) {
        (Version::V2, Some(data)) if packet.auth_type() == 1 => Form::V2(Auth::Pass(data)),
        (Version::V2, _) => Form::V2(Auth::None),
        (Version::V3, _) => Form::V3,
    };
    let mut out = Vec::new();
    let (vrid, priority, interval) = (packet.vrid(), packet.priority(), packet.interval());
    let addresses = packet.addresses(config.family);
    Advertisement { form, vrid, priority, interval }.emit(config.family, addresses, None, &mut out);
    assert_eq!(out.len(), packet.expected_len(config.family));
    assert_eq!(out[..4], pdu[..4]);
    let end = 8 + packet.addresses(config.family).count() * address_len(config.family);
    assert_eq!(out[8..end], pdu[8..end]);
    let header = Ipv4Header {
        source: Ipv4Addr::LOCALHOST,
        destination: Ipv4Addr::LOCALHOST,
        protocol: wire::PROTOCOL,
        ttl: 255,
        tos: 0,
        ident: 1,
        payload_len: out.len(),
    };
    let mut whole = header.emit().to_vec();
    whole.extend_from_slice(&out);
    assert_eq!(Ipv4Packet::parse(&whole).unwrap().payload(), out);
}

fn address_len(family: Family) -> usize {
    usize::from(family.bits() / 8)
}

fn own(family: Family) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::new(10, 1, 0, 1).into(),
        Family::V6 => Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1).into(),
    }
}

fn peer(family: Family) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::new(10, 1, 0, 2).into(),
        Family::V6 => Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2).into(),
    }
}

/// Each bit of `choice` selects a keyword of the configuration.
fn configured(choice: u8, pdu: &[u8]) -> Instance {
    let is = |bit: u8| choice >> bit & 1 == 1;
    let family = if is(1) { Family::V6 } else { Family::V4 };
    let group = match family {
        Family::V4 => IpAddr::V4(wire::GROUP_V4),
        Family::V6 => IpAddr::V6(wire::GROUP_V6),
    };
    let peers = vec![Peer { addr: peer(family), min_ttl: 10, max_ttl: 200 }];
    Instance {
        name: "I".into(),
        interface: Some("eth0".into()),
        vlink: None,
        xmit_base: false,
        ipvlan_address: None,
        address_vlinks: Default::default(),
        vrf: None,
        vrid: pdu.get(1).copied().unwrap_or(1),
        family,
        version: if is(2) { Version::V3 } else { Version::V2 },
        initial_state: InitialState::Backup,
        priority: if is(7) { 255 } else { 100 },
        advert_interval: Duration::from_secs(1),
        down_timer_adverts: 3,
        authentication: if is(3) { Authentication::Pass([0; 8]) } else { Authentication::None },
        delivery: if is(4) {
            Delivery::Unicast { peers, ttl: None, check_source: is(5) }
        } else {
            Delivery::Multicast { group }
        },
        source: None,
        track_source: false,
        checksum: if is(6) { ChecksumForm::OldUnicast } else { ChecksumForm::PseudoHeader },
        checksum_follows_peer: true,
        nopreempt: false,
        preempt_delay: Duration::ZERO,
        strict: false,
        lower_prio_no_advert: false,
        higher_prio_send_advert: false,
        skip_check_adv_addr: false,
        owner_ignore_adverts: is(7),
        accept: true,
        dont_track_primary: false,
        tracked_links: Default::default(),
        tracked: Default::default(),
        notify: Default::default(),
        garp: Garp {
            delay: Duration::ZERO,
            repeat: 1,
            refresh: Duration::ZERO,
            refresh_repeat: 1,
            lower_prio_delay: Duration::ZERO,
            lower_prio_repeat: 1,
            extra: Duration::ZERO,
            extra_on_all: false,
        }
        .into(),
        addresses: vec![address(own(family)).into(), address(peer(family)).into()],
        excluded: Default::default(),
        routes: Default::default(),
        rules: Default::default(),
        rx_buffer: None,
        promote_secondaries: false,
        timer_expired_backup: None,
        debug: 0,
        standing_fault: None,
    }
}

fn address(addr: IpAddr) -> VirtualAddress {
    VirtualAddress::plain(Prefix::host(addr), "eth0".into())
}
