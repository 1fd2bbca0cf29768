//! Packets and frames through VMACs of two routers.

use std::net::IpAddr;
use std::time::Duration;

use keepalived::base::addr::Family;
use keepalived::base::link::Surroundings;
use keepalived::model::vlink::{virtual_mac, VirtualLink, VirtualLinkKind};
use keepalived::sys::netlink::Inet4Conf;
use keepalived::sys::packet::LinkSocket;
use keepalived::sys::raw::{Batch, Endpoint, EndpointKind, Outgoing, Scratch, SendQueue, Socket};
use keepalived::wire::arp;
use keepalived::wire::ip::Ipv4Header;
use keepalived::wire::vrrp::{Advertisement, Form, GROUP_V4, GROUP_V6, PROTOCOL, TRAFFIC_CLASS};

use crate::kinds::{ask, get, vmac};
use crate::lab::{wait, Host, Outcome, Segment, SOON};

/// Makes the VMAC of router 51 on eth0, as a daemon does.
fn make(host: &Host, family: Family) {
    let _inside = host.enter();
    let kind = VirtualLinkKind::Macvlan { mac: virtual_mac(family, 51) };
    let link = VirtualLink { kind, ..vmac() };
    let place = Surroundings { base: get("eth0").index, group: 0, vrf: None };
    assert_eq!(ask(|r| r.create_link(&link, place, ())), 0);
    let index = get(&link.name).index;
    let settings =
        [(Inet4Conf::ArpIgnore, 1), (Inet4Conf::AcceptLocal, 1), (Inet4Conf::RpFilter, 0)];
    assert_eq!(ask(|r| r.set_link_inet4(index, &settings, ())), 0);
    assert_eq!(ask(|r| r.stop_link_local(index, ())), 0);
    assert_eq!(ask(|r| r.raise_link(index, ())), 0);
    wait("the VMAC is up", SOON, || get(&link.name).up);
}

fn open(host: &Host, group: IpAddr) -> Socket {
    let _inside = host.enter();
    let link = get("vrrp.51");
    let kind = EndpointKind::Multicast { group, base: None };
    let family = Family::of(&group);
    let link = Some((link.index, link.name.to_string()));
    let endpoint = Endpoint { family, link, kind, has_header: false };
    let socket = Socket::open(&endpoint).expect("a socket on the VMAC");
    socket.set_filter(&[51], false).expect("a filter");
    socket
}

fn advert(source: IpAddr, group: IpAddr) -> Vec<u8> {
    let interval = Duration::from_secs(1);
    let (mut pdu, mut packet) = (Vec::new(), Vec::new());
    Advertisement { form: Form::V3, vrid: 51, priority: 100, interval }.emit(
        Family::of(&source),
        std::iter::once(source),
        Some((source, group)),
        &mut pdu,
    );
    if let (IpAddr::V4(source), IpAddr::V4(destination)) = (source, group) {
        let (protocol, ttl, tos, payload_len) = (PROTOCOL, 255, TRAFFIC_CLASS, pdu.len());
        let header = Ipv4Header { source, destination, protocol, ttl, tos, ident: 7, payload_len };
        packet.extend_from_slice(&header.emit());
    }
    packet.extend_from_slice(&pdu);
    packet
}

/// Both routers have the same hardware address. The packet of one has that address and the source
/// of its base, and arrives at the VMAC of the other.
fn arrives(source: &str, group: IpAddr) -> Outcome {
    let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let (source, family) = (source.parse().expect("an address"), Family::of(&group));
    for host in [&a, &b] {
        make(host, family);
    }
    if family == Family::V6 {
        a.ip(&format!("addr add {source}/64 dev vrrp.51 nodad preferred_lft 0"));
    }
    let mut capture = segment.capture();
    let (from, to) = (open(&a, group), open(&b, group));
    let packet = advert(source, group);
    let mut queue = SendQueue::default();
    from.queue(
        &mut queue,
        (),
        &Outgoing { source, destination: group, hops: None, packet: &packet },
    );
    from.send(&mut queue, &mut Scratch::default(), |(), result| result.expect("it is sent"));
    let mac = virtual_mac(family, 51).0;
    capture.wait_advert("an advert of the VMAC", SOON, |a| a.mac == mac && a.source == source);
    let mut batch = Batch::default();
    wait("it arrives at the other VMAC", SOON, || to.receive(&mut batch).expect("readable") > 0);
    let got = batch.packets().next().expect("a packet");
    assert_eq!((got.source, got.destination), (source, Some(group)));
    Ok(())
}

pub(crate) fn an_ipv4_advert_has_the_address_of_the_base() -> Outcome {
    arrives("10.7.0.1", GROUP_V4.into())
}

pub(crate) fn an_ipv6_advert_has_an_address_of_the_vmac() -> Outcome {
    arrives("fe80::51", GROUP_V6.into())
}

pub(crate) fn announcements_have_the_address_of_the_vmac() -> Outcome {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    make(&a, Family::V4);
    let mut capture = segment.capture();
    let _inside = a.enter();
    let (link, socket) = (get("vrrp.51"), LinkSocket::open().expect("a packet socket"));
    let frame = arp::gratuitous(
        arp::Operation::Request,
        link.mac.expect("it is Ethernet"),
        [10, 7, 1, 1].into(),
    );
    let mut queue = Default::default();
    socket.queue(&mut queue, (), link.index, &frame);
    socket.send(&mut queue, &mut Default::default(), |(), result| result.expect("it is sent"));
    let mac = virtual_mac(Family::V4, 51).0;
    wait("the announcement is on the wire", SOON, || {
        capture
            .announcements()
            .iter()
            .any(|a| a.mac == mac && a.address == IpAddr::from([10, 7, 1, 1]))
    });
    Ok(())
}
