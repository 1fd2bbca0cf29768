//! An authenticated advertisement with any change is refused, unless the change is to what routers
//! change; and so is anything that was not sealed with the key.

#![no_main]

#[path = "../../tests/config/memory.rs"]
mod memory;

use std::net::IpAddr;

use keepalived::base::addr::Family;
use keepalived::base::time::{Instant, WallTime};
use keepalived::config::{self, LinkFacts, ReadOptions};
use keepalived::model;
use keepalived::model::vrrp::{Authentication, Delivery, Instance};
use keepalived::vrrp::advert;
use keepalived::vrrp::auth::Guard;
use keepalived::vrrp::receive::{examine, AddressSet, Context, Counters, Received};
use keepalived::wire::ah::AuthHeader;
use keepalived::wire::ip::{Ipv4Packet, V4_HEADER_LEN};
use libfuzzer_sys::fuzz_target;
use memory::{MemoryHost, MemoryLoader};

const NOW: WallTime = WallTime(1_795_386_500_000_000);

fuzz_target!(|data: &[u8]| {
    let Some((&[choice, priority], data)) = data.split_first_chunk::<2>() else { return };
    let (config, source, to) = configured(choice);
    let mut sealed = Vec::new();
    advert::emit(&config, priority, source, to, &mut sealed);
    let mut guard = Guard::of(&config).expect("it is authenticated");
    assert!(guard.seal(&config, source, NOW, [sealed.as_mut_slice()].into_iter()));
    assert!(is_accepted(&config, source, to, &sealed));
    let packet = if choice & 0x80 == 0 {
        // Each pair of bytes changes one of the packet.
        let mut changed = sealed.clone();
        for pair in data.chunks_exact(2) {
            let at = usize::from(pair[0]) % changed.len();
            changed[at] ^= pair[1];
        }
        changed
    } else {
        [sealed.get(..header_len(&config)).unwrap_or_default(), data].concat()
    };
    if covered(&config, &packet) != covered(&config, &sealed) {
        assert!(!is_accepted(&config, source, to, &packet), "{packet:02x?}");
    }
});

const fn header_len(config: &Instance) -> usize {
    match config.family {
        Family::V4 => V4_HEADER_LEN,
        Family::V6 => 0,
    }
}

/// The packet without what may change on its way, and what says nothing.
fn covered(config: &Instance, packet: &[u8]) -> Vec<u8> {
    let mut covered = packet.to_vec();
    let mut clear = |range: std::ops::Range<usize>| {
        if let Some(part) = covered.get_mut(range) {
            part.fill(0);
        }
    };
    match (&config.authentication, config.family) {
        (Authentication::Header(_), _) => {
            // TOS, fragmentation, TTL and checksum.
            [1..2, 6..9, 10..12].into_iter().for_each(&mut clear);
        }
        (_, Family::V4) => clear(0..V4_HEADER_LEN),
        // The kernel verifies the checksum.
        (_, Family::V6) => clear(6..8),
    }
    covered
}

fn is_accepted(config: &Instance, source: IpAddr, to: IpAddr, packet: &[u8]) -> bool {
    let (header, pdu) = if config.family == Family::V6 {
        (None, packet)
    } else {
        let Ok(parts) = Ipv4Packet::parse(packet).and_then(|ip| AuthHeader::split(&ip)) else {
            return false;
        };
        parts
    };
    let received = Received {
        source,
        destination: Some(to),
        ttl: Some(255),
        arrived: Instant::ZERO,
        wall: NOW,
        header,
        pdu,
    };
    let mut receiver = config.clone();
    if let Delivery::Unicast { peers, .. } = &mut receiver.delivery {
        peers[0].addr = source;
    }
    let context = Context {
        config: &receiver,
        source: Some(to),
        effective_priority: 100,
        addresses: &AddressSet::of(&receiver),
        compare_addresses: true,
    };
    let (mut guard, mut counters) = (Guard::of(&receiver), Counters::default());
    let result = examine(&received, &context, guard.as_deref_mut(), &mut counters);
    if let Err(reject) = &result {
        assert!(!reject.to_string().is_empty());
        assert_ne!(counters, Counters::default(), "{reject} is not counted");
    }
    result.is_ok()
}

/// An instance with each kind of authentication, the address that it sends from and the one it
/// sends to.
fn configured(choice: u8) -> (Instance, IpAddr, IpAddr) {
    let is = |bit: u8| choice >> bit & 1 == 1;
    let (has_header, v6, unicast) = (is(0), is(1) && !is(0), is(2));
    let auth = if has_header {
        "authentication {\nauth_type AH\nauth_pass s3cr3t\n}".to_owned()
    } else {
        let replay = if is(3) { "monotonic" } else { "time" };
        format!("auth_hmac {{\nkey 7 {}\nactive_key 7\nanti_replay {replay}\n}}", "k".repeat(32))
    };
    let version = if has_header || is(4) { 2 } else { 3 };
    let [own, peer, vip, group] = if v6 {
        ["fe80::1", "fe80::2", "fe80::100", "ff02::12"]
    } else {
        ["10.1.0.1", "10.1.0.2", "10.1.0.100", "224.0.0.18"]
    };
    let peers = if unicast { format!("unicast_peer {{\n{peer}\n}}") } else { String::new() };
    let text = format!(
        "vrrp_instance V {{\ninterface eth0\nversion {version}\nvirtual_router_id 1\n{auth}\n{peers}\n\
         virtual_ipaddress {{\n{vip}\n}}\n}}"
    );
    let loader = MemoryLoader::with("/k.conf", text);
    let host = MemoryHost::default().and_link("eth0", LinkFacts::plain(2));
    let (document, sources, mut told) = config::read(&loader, "/k.conf", &ReadOptions::default());
    let config = config::lower(&document, &sources, &host, &mut told);
    let to = if unicast { peer } else { group };
    let instance = (*config.instances[0]).clone();
    (instance, own.parse().expect("an address"), to.parse().expect("an address"))
}
