//! VRRP and link sockets with the real kernel: two namespaces with a wire between them.
//!
//! Every test creates its own namespaces, which are private and disappear with it.

mod bfd;
mod segment;

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use keepalived::base::addr::{Family, Mac};
use keepalived::base::time::WallTime;
use keepalived::sys::packet::LinkSocket;
use keepalived::sys::raw::{
    Batch, Endpoint, EndpointKind, Flaw, Outgoing, Scratch, SendQueue, Socket,
};
use keepalived::wire::ip::Ipv4Header;
use keepalived::wire::vrrp::{Advertisement, Form, GROUP_V4, GROUP_V6, PROTOCOL, TRAFFIC_CLASS};
use keepalived::wire::{arp, ndisc};
use libtest_mimic::{Arguments, Failed, Trial};

use segment::{Segment, Side};

type Outcome = Result<(), Failed>;
type Test = (&'static str, fn(&Segment) -> Outcome);

fn main() {
    let tests: [Test; 16] = [
        ("multicast_over_ipv4", multicast_over_ipv4),
        ("multicast_over_ipv6", multicast_over_ipv6),
        ("unicast_over_ipv4", unicast_over_ipv4),
        ("unicast_over_ipv6", unicast_over_ipv6),
        ("the_local_address_may_appear_later", the_local_address_may_appear_later),
        ("sent_packets_are_not_received", sent_packets_are_not_received),
        ("the_filter_passes_own_router_ids_over_ipv4", |s| {
            the_filter_passes_own_router_ids(s, Family::V4)
        }),
        ("the_filter_passes_own_router_ids_over_ipv6", |s| {
            the_filter_passes_own_router_ids(s, Family::V6)
        }),
        ("a_long_packet_makes_room_for_the_next", a_long_packet_makes_room_for_the_next),
        ("each_failure_is_reported", each_failure_is_reported),
        ("a_missing_interface_is_reported", a_missing_interface_is_reported),
        ("frames_reach_the_link_unchanged", frames_reach_the_link_unchanged),
        ("bfd_over_ipv4", |s| bfd::arrives(s, s.a.v4, s.b.v4, false)),
        ("bfd_over_ipv6", |s| bfd::arrives(s, s.a.v6, s.b.v6, false)),
        ("bfd_over_several_hops", |s| bfd::arrives(s, s.a.v4, s.b.v4, true)),
        ("bfd_sockets_that_cannot_be_opened", bfd::each_failure_is_reported),
    ];
    let skip = segment::impossible();
    if let Some(why) = &skip {
        eprintln!("rawsock: SKIPPED, {why}");
    }
    let trials = tests.map(|(name, test)| {
        Trial::test(name, move || segment::run(test)).with_ignored_flag(skip.is_some())
    });
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit();
}

fn multicast(side: &Side, family: Family) -> Endpoint {
    let group = match family {
        Family::V4 => IpAddr::V4(GROUP_V4),
        Family::V6 => IpAddr::V6(GROUP_V6),
    };
    Endpoint {
        family,
        link: Some(side.link()),
        kind: EndpointKind::Multicast { group, base: None },
        has_header: false,
    }
}

fn unicast(side: &Side, local: IpAddr) -> Endpoint {
    let kind = EndpointKind::Unicast { local };
    Endpoint { family: Family::of(&local), link: Some(side.link()), kind, has_header: false }
}

fn open(side: &Side, endpoint: &Endpoint) -> Result<Socket, Failed> {
    let socket = side.inside(|| Socket::open(endpoint))?;
    socket.set_filter(&[], true)?;
    Ok(socket)
}

/// An advertisement from `vrrp::advert`: the bytes sent, and those expected.
fn advert(vrid: u8, source: IpAddr, destination: IpAddr, count: usize) -> (Vec<u8>, Vec<u8>) {
    let family = Family::of(&source);
    let interval = std::time::Duration::from_secs(1);
    let mut pdu = Vec::new();
    Advertisement { form: Form::V3, vrid, priority: 100, interval }.emit(
        family,
        std::iter::repeat_n(destination, count),
        Some((source, destination)),
        &mut pdu,
    );
    let mut packet = Vec::new();
    if let (IpAddr::V4(source), IpAddr::V4(destination)) = (source, destination) {
        let header = Ipv4Header {
            source,
            destination,
            protocol: PROTOCOL,
            ttl: 255,
            tos: TRAFFIC_CLASS,
            ident: 7,
            payload_len: pdu.len(),
        };
        packet.extend_from_slice(&header.emit());
    }
    packet.extend_from_slice(&pdu);
    (packet, pdu)
}

fn send_one(socket: &Socket, source: IpAddr, destination: IpAddr, packet: &[u8]) -> Outcome {
    send_with_hops(socket, source, destination, None, packet)
}

fn send_with_hops(
    socket: &Socket,
    source: IpAddr,
    destination: IpAddr,
    hops: Option<u8>,
    packet: &[u8],
) -> Outcome {
    let mut queue = SendQueue::default();
    let mut results = Vec::new();
    socket.queue(&mut queue, 'x', &Outgoing { source, destination, hops, packet });
    let done = socket.send(&mut queue, &mut Scratch::default(), |tag, r| results.push((tag, r)));
    expect(done && queue.is_empty(), "the queue is empty")?;
    match results.pop() {
        Some(('x', Ok(()))) => Ok(()),
        other => Err(format!("sent with {other:?}").into()),
    }
}

fn expect(condition: bool, what: &str) -> Outcome {
    if condition {
        Ok(())
    } else {
        Err(format!("not true: {what}").into())
    }
}

fn expect_eq<T: PartialEq + std::fmt::Debug>(got: T, wanted: T, what: &str) -> Outcome {
    if got == wanted {
        Ok(())
    } else {
        Err(format!("{what}: {got:?}, expected {wanted:?}").into())
    }
}

/// Wall-clock time, for comparison with kernel time stamps.
#[expect(clippy::disallowed_methods, reason = "compares with the kernel's clock")]
fn wall_clock() -> WallTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallTime(u64::try_from(since.as_micros()).unwrap_or(0))
}

/// Sends one advertisement from a to b and compares everything that arrives.
fn advert_arrives(
    (from, source): (&Socket, IpAddr),
    (to, destination): (&Socket, IpAddr),
    (hops, ttl): (Option<u8>, u8),
) -> Outcome {
    let (packet, pdu) = advert(51, source, destination, 2);
    let before = wall_clock();
    send_with_hops(from, source, destination, hops, &packet)?;
    let mut batch = Batch::default();
    segment::wait_readable(to)?;
    expect_eq(to.receive(&mut batch)?, 1, "packets")?;
    let after = wall_clock();
    let datagram = batch.packets().next().ok_or("no packet")?;
    expect_eq(datagram.flaw, None, "flaw")?;
    expect_eq(datagram.source, source, "source")?;
    expect_eq(datagram.destination, Some(destination), "destination")?;
    expect_eq(datagram.ttl, Some(ttl), "hop limit")?;
    expect_eq(datagram.payload, &pdu, "payload")?;
    let stamp = datagram.stamp.ok_or("no timestamp")?;
    expect(before <= stamp && stamp <= after, "the timestamp is from when it was sent")?;
    expect_eq(to.receive(&mut batch)?, 0, "packets left")
}

fn multicast_over_ipv4(s: &Segment) -> Outcome {
    let from = open(&s.a, &multicast(&s.a, Family::V4))?;
    let to = open(&s.b, &multicast(&s.b, Family::V4))?;
    let sniffer = s.b.sniffer()?;
    advert_arrives((&from, s.a.v4), (&to, GROUP_V4.into()), (None, 255))?;
    let frame = sniffer.next_frame(|frame| frame[12..14] == [8, 0] && frame[23] == PROTOCOL)?;
    expect_eq(&frame[..6], &[0x01, 0x00, 0x5e, 0, 0, 0x12], "MAC of the group")?;
    expect_eq(&frame[14..16], &[0x45, TRAFFIC_CLASS], "type of service")?;
    expect_eq(&frame[18..20], &[0, 7], "identification")
}

fn multicast_over_ipv6(s: &Segment) -> Outcome {
    let from = open(&s.a, &multicast(&s.a, Family::V6))?;
    let to = open(&s.b, &multicast(&s.b, Family::V6))?;
    let sniffer = s.b.sniffer()?;
    advert_arrives((&from, s.a.link_local), (&to, GROUP_V6.into()), (None, 255))?;
    let frame =
        sniffer.next_frame(|frame| frame[12..14] == [0x86, 0xdd] && frame[20] == PROTOCOL)?;
    expect_eq(&frame[..6], &[0x33, 0x33, 0, 0, 0, 0x12], "MAC of the group")?;
    // Version, traffic class, and a flow label that the kernel chooses.
    expect_eq([frame[14], frame[15] & 0xf0], [0x6c, 0x00], "traffic class")
}

fn unicast_over_ipv4(s: &Segment) -> Outcome {
    let from = open(&s.a, &unicast(&s.a, s.a.v4))?;
    let to = open(&s.b, &unicast(&s.b, s.b.v4))?;
    advert_arrives((&from, s.a.v4), (&to, s.b.v4), (None, 255))
}

fn unicast_over_ipv6(s: &Segment) -> Outcome {
    let from = open(&s.a, &unicast(&s.a, s.a.v6))?;
    let to = open(&s.b, &unicast(&s.b, s.b.v6))?;
    // The kernel's default, as in the reference, unless `unicast_ttl` is set.
    advert_arrives((&from, s.a.v6), (&to, s.b.v6), (None, 64))?;
    advert_arrives((&from, s.a.v6), (&to, s.b.v6), (Some(3), 3))?;
    let from = open(&s.a, &unicast(&s.a, s.a.link_local))?;
    let to = open(&s.b, &unicast(&s.b, s.b.link_local))?;
    advert_arrives((&from, s.a.link_local), (&to, s.b.link_local), (Some(255), 255))
}

fn the_local_address_may_appear_later(s: &Segment) -> Outcome {
    for (local, plain) in [("10.9.0.77", "10.9.0.77/32"), ("fd09::77", "fd09::77/128")] {
        let local: IpAddr = local.parse()?;
        let source = if local.is_ipv4() { s.a.v4 } else { s.a.v6 };
        let to = open(&s.b, &unicast(&s.b, local))?;
        let from = open(&s.a, &unicast(&s.a, source))?;
        s.b.ip(&["address", "add", plain, "dev", "wire0", "nodad"]
            [..if local.is_ipv4() { 5 } else { 6 }])?;
        let ttl = if local.is_ipv4() { 255 } else { 64 };
        advert_arrives((&from, source), (&to, local), (None, ttl))?;
    }
    Ok(())
}

fn sent_packets_are_not_received(s: &Segment) -> Outcome {
    for (family, source) in [(Family::V4, s.a.v4), (Family::V6, s.a.link_local)] {
        let here = open(&s.a, &multicast(&s.a, family))?;
        let there = open(&s.b, &multicast(&s.b, family))?;
        let group = if family == Family::V4 { IpAddr::V4(GROUP_V4) } else { GROUP_V6.into() };
        let (packet, _) = advert(1, source, group, 1);
        send_one(&here, source, group, &packet)?;
        segment::wait_readable(&there)?;
        expect_eq(here.receive(&mut Batch::default())?, 0, "packets that came back")?;
    }
    Ok(())
}

fn the_filter_passes_own_router_ids(s: &Segment, family: Family) -> Outcome {
    let (group, source) = match family {
        Family::V4 => (IpAddr::V4(GROUP_V4), s.a.v4),
        Family::V6 => (IpAddr::V6(GROUP_V6), s.a.link_local),
    };
    let from = open(&s.a, &multicast(&s.a, family))?;
    let to = s.b.inside(|| Socket::open(&multicast(&s.b, family)))?;
    let (mut queue, mut scratch) = (SendQueue::default(), Scratch::default());
    let mut batch = Batch::default();
    let all: Vec<u8> = (0..=255).collect();
    let odd: Vec<u8> = (0..=255).filter(|vrid| vrid % 2 == 1).collect();
    let some = [1, 31, 32, 33, 64, 127, 128, 255];
    for (vrids, pass_all) in [
        (&[][..], false),
        (&[77], false),
        (&some, false),
        (&odd, false),
        (&all, false),
        (&[], true),
    ] {
        to.set_filter(vrids, pass_all)?;
        let mut sent = 0;
        for vrid in 0..=255 {
            let (packet, _) = advert(vrid, source, group, 1);
            let packet = Outgoing { source, destination: group, hops: None, packet: &packet };
            from.queue(&mut queue, vrid, &packet);
        }
        from.send(&mut queue, &mut scratch, |_, result| sent += usize::from(result.is_ok()));
        expect_eq(sent, 256, "packets sent")?;
        // The last one always passes, so none can be in transit after it.
        to.set_filter(&[], true)?;
        let (last, marker) = advert(254, source, group, 3);
        send_one(&from, source, group, &last)?;
        let mut passed = Vec::new();
        'all: loop {
            segment::wait_readable(&to)?;
            to.receive(&mut batch)?;
            for datagram in batch.packets() {
                if datagram.payload == marker {
                    break 'all;
                }
                passed.push(datagram.payload[1]);
            }
        }
        let wanted = if pass_all { &all } else { vrids };
        expect_eq(&passed[..], wanted, "virtual routers that passed")?;
    }
    Ok(())
}

fn a_long_packet_makes_room_for_the_next(s: &Segment) -> Outcome {
    let from = open(&s.a, &multicast(&s.a, Family::V4))?;
    let to = open(&s.b, &multicast(&s.b, Family::V4))?;
    let (packet, pdu) = advert(1, s.a.v4, GROUP_V4.into(), 255);
    let mut batch = Batch::default();
    for flaw in [Some(Flaw::Truncated), None] {
        send_one(&from, s.a.v4, GROUP_V4.into(), &packet)?;
        segment::wait_readable(&to)?;
        expect_eq(to.receive(&mut batch)?, 1, "packets")?;
        let datagram = batch.packets().next().ok_or("no packet")?;
        expect_eq(datagram.flaw, flaw, "flaw")?;
        let wanted = if flaw.is_some() { &[] } else { &pdu[..] };
        expect_eq(datagram.payload, wanted, "payload")?;
    }
    Ok(())
}

fn each_failure_is_reported(s: &Segment) -> Outcome {
    let from = open(&s.a, &unicast(&s.a, s.a.v6))?;
    let mut queue = SendQueue::default();
    let (packet, _) = advert(1, s.a.v6, s.b.v6, 1);
    let packet = |source| Outgoing { source, destination: s.b.v6, hops: None, packet: &packet };
    let foreign: IpAddr = "fd09::dead".parse()?;
    for (tag, source) in [(1, s.a.v6), (2, foreign), (3, foreign), (4, s.a.v6)] {
        from.queue(&mut queue, tag, &packet(source));
    }
    let mut results = Vec::new();
    let done = from.send(&mut queue, &mut Scratch::default(), |tag, result| {
        results.push((tag, result.err().and_then(|e| e.raw_os_error())));
    });
    expect(done, "the queue is empty")?;
    let bad = Some(libc::EINVAL);
    expect_eq(results, vec![(1, None), (2, bad), (3, bad), (4, None)], "outcomes")?;
    s.a.ip(&["link", "set", "wire0", "down"])?;
    let from = open(&s.a, &multicast(&s.a, Family::V4))?;
    let (packet, _) = advert(1, s.a.v4, GROUP_V4.into(), 1);
    expect(send_one(&from, s.a.v4, GROUP_V4.into(), &packet).is_err(), "a link that is down fails")
}

fn a_missing_interface_is_reported(s: &Segment) -> Outcome {
    let mut endpoint = multicast(&s.a, Family::V4);
    endpoint.link = Some((4711, "gone0".to_owned()));
    let error = s.a.inside(|| Socket::open(&endpoint)).err().ok_or("it opened")?;
    expect_eq(error.to_string(), "cannot join 224.0.0.18 on gone0".to_owned(), "message")?;
    let error = std::io::Error::from(error).to_string();
    expect(error.starts_with("cannot join 224.0.0.18 on gone0: No such device"), &error)
}

fn frames_reach_the_link_unchanged(s: &Segment) -> Outcome {
    let socket = s.a.inside(LinkSocket::open)?;
    let sniffer = s.b.sniffer()?;
    let mac = Mac([2, 0, 0, 0, 0, 9]);
    let arp = arp::gratuitous(arp::Operation::Request, mac, "10.9.0.101".parse()?);
    let advertisement = ndisc::unsolicited(mac, "fd09::101".parse()?, false);
    let mut queue = SendQueue::default();
    socket.queue(&mut queue, 1, s.a.link().0, &arp);
    socket.queue(&mut queue, 2, s.a.link().0, &advertisement);
    socket.queue(&mut queue, 3, 4711, &arp);
    let mut results = Vec::new();
    socket.send(&mut queue, &mut Scratch::default(), |tag, result| {
        results.push((tag, result.err().and_then(|e| e.raw_os_error())));
    });
    expect_eq(results, vec![(1, None), (2, None), (3, Some(libc::ENXIO))], "outcomes")?;
    let ours = |frame: &[u8]| frame[6..12] == mac.0;
    expect_eq(&sniffer.next_frame(ours)?[..], &arp[..], "ARP")?;
    expect_eq(&sniffer.next_frame(ours)?[..], &advertisement[..], "neighbour advertisement")
}
