use super::*;
use crate::base::addr::Mac;
use crate::base::link::KernelEvent;
use crate::base::link::{Link, LinkKind};
use crate::sys::netlink::event;
use crate::sys::netlink::message::parse_all;

fn bytes(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

/// The interface of an RTM_NEWLINK, recorded with fewer attributes.
fn described(text: &str) -> Link {
    let mut events = Vec::new();
    parse_all(&bytes(text), &mut |message| events.extend(event(message)));
    match events.as_slice() {
        [KernelEvent::Link(link)] => link.clone(),
        other => panic!("{other:?}"),
    }
}

const MACVLAN: &str = "\
    94000000 10000000 00000000 00000000 00000100 04000000 03100000 00000000 \
    0c000300 76727270 2e353100 08000d00 e8030000 08000400 dc050000 08000500 \
    03000000 08001b00 07000000 0a000100 00005e00 01330000 3c001200 0c000100 \
    6d616376 6c616e00 2c000200 08000100 01000000 06000200 00000000 08000600 \
    00000000 08000700 e8030000 08000800 e8030000";

/// A port of a VRF, on another port of it.
const IPVLAN: &str = "\
    98000000 10000000 00000000 00000000 00000100 04000000 02100000 00000000 \
    0c000300 76727270 2e353100 08000d00 e8030000 08000400 dc050000 08001b00 \
    00000000 08000a00 03000000 0a000100 4a59ae7f e25b0000 38001200 0b000100 \
    6970766c 616e0000 14000200 06000100 00000000 06000200 01000000 08000400 \
    76726600 0c000500 08000100 09000000 08000500 02000000";

const VRF: &str = "\
    68000000 10000000 00000000 00000000 00000100 03000000 c1040100 00000000 \
    09000300 76726564 00000000 08000d00 e8030000 08000400 27000100 08001b00 \
    00000000 0a000100 e20953aa e1ab0000 18001200 08000100 76726600 0c000200 \
    08000100 09000000";

const DUMMY: &str = "\
    78000000 10000000 00000000 00000000 00000100 02000000 c3000100 00000000 \
    07000300 64300000 08000d00 e8030000 08000400 dc050000 08001b00 00000000 \
    08000a00 03000000 0a000100 4a59ae7f e25b0000 24001200 0a000100 64756d6d \
    79000000 08000400 76726600 0c000500 08000100 09000000";

#[test]
fn a_macvlan_is_described_with_mode_parent_and_group() {
    let link = described(MACVLAN);
    let wanted = Link {
        up: false,
        mac: Some(Mac([0, 0, 0x5e, 0, 1, 51])),
        kind: LinkKind::PRIVATE_MACVLAN,
        parent: 3,
        group: 7,
        ..Link::plain(4, "vrrp.51")
    };
    assert_eq!(link, wanted);
    assert!(link.enabled, "set up, but without a carrier");
    assert_eq!(link.carrier(), 3);
}

#[test]
fn a_vrf_and_its_ports() {
    let (ipvlan, vrf, dummy) = (described(IPVLAN), described(VRF), described(DUMMY));
    assert_eq!(ipvlan.kind, LinkKind::l2_ipvlan(1));
    assert_eq!((ipvlan.parent, ipvlan.master, ipvlan.enabled), (2, 3, false));
    assert_eq!((vrf.kind, vrf.index, vrf.master), (LinkKind::Vrf { table: 9 }, 3, 0));
    assert_eq!((dummy.kind, dummy.parent, dummy.master), (LinkKind::Other, 0, 3));
    assert_eq!((ipvlan.carrier(), dummy.carrier()), (2, 2));
}

#[test]
fn an_attribute_that_cannot_be_read_hides_none_before_it() {
    // An attribute of 64 bytes, of which 4 are there.
    let with_tail = MACVLAN.replacen("94", "98", 1) + "40003300";
    assert_eq!(described(&with_tail), described(MACVLAN));
}

#[test]
fn a_parent_in_another_namespace_does_not_count() {
    let mut text = MACVLAN.replacen("94", "9c", 1);
    text.push_str("08002500 00000000");
    let link = described(&text);
    assert_eq!((link.parent, link.carrier()), (0, 4));
}

#[test]
fn an_interface_fits_if_it_could_have_been_made_for_the_instance() {
    let (link, base) = (described(MACVLAN), Link::plain(3, "eth0"));
    let wanted = vmac();
    assert!(wanted.fits(&link, &base));
    assert!(!wanted.fits(&link, &Link::plain(5, "eth1")));
    let stacked = Link { kind: LinkKind::Macvlan { mode: 4 }, parent: 3, ..Link::plain(6, "m") };
    assert!(wanted.fits(&link, &stacked), "the kernel makes both ports of one interface");
    let bridge = Link { kind: LinkKind::Macvlan { mode: 4 }, ..link.clone() };
    assert!(!wanted.fits(&bridge, &base));
    assert!(!wanted.fits(&Link { mac: None, ..link }, &base));
    let ipvlan = described(IPVLAN);
    let wanted = |flags| VirtualLink { kind: VirtualLinkKind::Ipvlan { flags }, ..vmac() };
    assert!(wanted(1).fits(&ipvlan, &described(DUMMY)));
    assert!(!wanted(0).fits(&ipvlan, &described(DUMMY)));
}

fn vmac() -> VirtualLink {
    VirtualLink {
        name: "vrrp.51".into(),
        base: "eth0".into(),
        kind: VirtualLinkKind::Macvlan { mac: Mac([0, 0, 0x5e, 0, 1, 51]) },
        group: None,
        notify_base: false,
    }
}

#[track_caller]
fn is_asked(write: impl FnOnce(&mut Vec<u8>), wanted: &str) {
    let mut out = Vec::new();
    write(&mut out);
    assert_eq!(out, bytes(wanted));
}

#[test]
fn creation_of_a_macvlan() {
    let place = Surroundings { base: 3, group: 7, vrf: Some(9) };
    is_asked(
        |out| creation(&vmac(), place, out),
        "6c000000 1000 0106 00000000 00000000 00000000 00000000 00000000 00000000 \
         1c001280 0b000100 6d616376 6c616e00 0c000280 08000100 01000000 \
         08000500 03000000 0b000300 76727270 2e353100 08001b00 07000000 \
         0a000100 00005e00 01330000 08000a00 09000000",
    );
}

#[test]
fn creation_of_an_ipvlan() {
    let link = VirtualLink { kind: VirtualLinkKind::Ipvlan { flags: 2 }, ..vmac() };
    let place = Surroundings { base: 3, group: 0, vrf: None };
    is_asked(
        |out| creation(&link, place, out),
        "60000000 1000 0106 00000000 00000000 00000000 00000000 00000000 00000000 \
         24001280 0a000100 6970766c 616e0000 14000280 06000100 00000000 06000200 02000000 \
         08000500 03000000 0b000300 76727270 2e353100 08001b00 00000000",
    );
}

#[test]
fn settings_and_flags_of_an_interface() {
    let to = |index| Header { index, ..Header::default() };
    let settings = [(Inet4Conf::ArpIgnore, 1), (Inet4Conf::RpFilter, 0)];
    is_asked(
        |out| message(RTM_NEWLINK, 0, to(4), |w| inet4(&settings, w), out),
        "3c000000 1000 0100 00000000 00000000 00000000 04000000 00000000 00000000 \
         1c001a80 18000280 14000180 08001300 01000000 08000800 00000000",
    );
    is_asked(
        |out| message(RTM_NEWLINK, 0, to(4), no_link_local, out),
        "30000000 1000 0100 00000000 00000000 00000000 04000000 00000000 00000000 \
         10001a80 0c000a80 05000800 01000000",
    );
    is_asked(
        |out| message(RTM_DELLINK, 0, to(4), |_| {}, out),
        "20000000 1100 0100 00000000 00000000 00000000 04000000 00000000 00000000",
    );
}
