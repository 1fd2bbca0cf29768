//! One function for each kind of interface and request, inside a namespace.

use keepalived::base::addr::{Family, Mac};
use keepalived::base::link::Surroundings;
use keepalived::base::link::{KernelEvent, Link, LinkKind};
use keepalived::model::vlink::{virtual_mac, VirtualLink, VirtualLinkKind};
use keepalived::sys::netlink::{dump, Inet4Conf, Requests};

use crate::lab::{wait, Host, SOON};

const EEXIST: i32 = 17;
const EINVAL: i32 = 22;
const ENODEV: i32 = 19;

const VMAC: &str = "vrrp.51";

pub(crate) fn vmac() -> VirtualLink {
    VirtualLink {
        name: VMAC.to_owned(),
        base: "eth0".to_owned(),
        kind: VirtualLinkKind::Macvlan { mac: virtual_mac(Family::V4, 51) },
        group: None,
        notify_base: false,
    }
}

fn ipvlan(name: &str, flags: u16) -> VirtualLink {
    VirtualLink { name: name.to_owned(), kind: VirtualLinkKind::Ipvlan { flags }, ..vmac() }
}

/// The kernel's answer to one request.
pub(crate) fn ask(make: impl FnOnce(&mut Requests<()>)) -> i32 {
    let mut requests = Requests::open().expect("a socket");
    make(&mut requests);
    let mut answers = Vec::new();
    while !requests.is_idle() {
        requests.flush(&mut answers).expect("an answer");
    }
    assert_eq!(answers.len(), 1);
    answers[0].1
}

fn create(link: &VirtualLink, place: Surroundings) -> i32 {
    ask(|requests| requests.create_link(link, place, ()))
}

fn find(name: &str) -> Option<Link> {
    let events = dump(&mut || {}).expect("a dump");
    events.into_iter().find_map(|event| match event {
        KernelEvent::Link(link) if link.name == name => Some(link),
        _ => None,
    })
}

#[track_caller]
pub(crate) fn get(name: &str) -> Link {
    find(name).expect("the interface exists")
}

fn on(base: &Link) -> Surroundings {
    Surroundings { base: base.index, group: base.group, vrf: None }
}

#[track_caller]
fn shows(host: &Host, name: &str, wanted: &[&str]) {
    let shown = host.output("ip", &["-d", "link", "show", "dev", name]);
    for text in wanted {
        assert!(shown.contains(text), "no '{text}' in {shown}");
    }
}

/// Waits until the VMAC, which is set up, does or does not run. The kernel passes the state of the base on
/// to it some time after the request that changed the base.
#[track_caller]
fn wait_up(up: bool) {
    assert!(get(VMAC).enabled);
    wait(&format!("{VMAC} has up {up}"), SOON, || get(VMAC).up == up);
}

pub(crate) fn a_macvlan_is_made_and_changed(host: &Host) {
    let base = get("eth0");
    assert_eq!((base.kind, base.master, base.enabled), (LinkKind::Other, 0, true));
    assert_eq!(create(&vmac(), Surroundings { group: 7, ..on(&base) }), 0);
    let made = get(VMAC);
    assert!(vmac().fits(&made, &base), "{made:?}");
    assert_eq!((made.group, made.master, made.enabled, made.up), (7, 0, false, false));
    shows(host, VMAC, &["vrrp.51@eth0", "macvlan mode private", "00:00:5e:00:01:33", "group 7"]);
    assert_eq!(ask(|r| r.stop_link_local(made.index, ())), 0);
    shows(host, VMAC, &["addrgenmode none"]);
    assert_eq!(ask(|r| r.raise_link(made.index, ())), 0);
    wait_up(true);
    let addresses = host.addresses();
    assert!(addresses.get(VMAC).is_none_or(Vec::is_empty), "{addresses:?}");
    let other = Mac([2, 0, 0, 0, 0, 7]);
    assert_eq!(ask(|r| r.set_link_mac(made.index, other, ())), 0);
    assert_eq!(ask(|r| r.set_link_group(made.index, 9, ())), 0);
    assert_eq!((get(VMAC).mac, get(VMAC).group), (Some(other), 9));
    // One on a virtual interface is on what carries that.
    let second = VirtualLink { name: "second".to_owned(), base: VMAC.to_owned(), ..vmac() };
    assert_eq!(create(&second, on(&get(VMAC))), 0);
    assert!(second.fits(&get("second"), &get(VMAC)));
    assert_eq!(get("second").parent, base.index);
    host.ip("link set eth0 down");
    wait_up(false);
    assert_eq!(ask(|r| r.delete_link(made.index, ())), 0);
    assert_eq!(find(VMAC), None);
}

pub(crate) fn settings_take_effect(host: &Host) {
    let base = get("eth0");
    assert_eq!(create(&vmac(), on(&base)), 0);
    let settings = [
        (Inet4Conf::ArpIgnore, 2),
        (Inet4Conf::AcceptLocal, 1),
        (Inet4Conf::RpFilter, 2),
        (Inet4Conf::PromoteSecondaries, 1),
        (Inet4Conf::ArpFilter, 1),
    ];
    assert_eq!(ask(|r| r.set_link_inet4(get(VMAC).index, &settings, ())), 0);
    for (name, value) in [
        ("arp_ignore", "2"),
        ("accept_local", "1"),
        ("rp_filter", "2"),
        ("promote_secondaries", "1"),
        ("arp_filter", "1"),
    ] {
        let path = format!("net/ipv4/conf/{VMAC}/{name}");
        assert_eq!(host.read_sysctl(&path), value, "{name}");
    }
}

pub(crate) fn a_vrf_and_its_ports(host: &Host) {
    host.ip("link add red type vrf table 9\nlink set red up\nlink set eth0 master red");
    let (red, base) = (get("red"), get("eth0"));
    assert_eq!((red.kind, base.master), (LinkKind::Vrf { table: 9 }, red.index));
    assert_eq!(create(&vmac(), Surroundings { vrf: Some(red.index), ..on(&base) }), 0);
    let made = get(VMAC);
    assert_eq!(made.master, red.index);
    assert!(vmac().fits(&made, &base));
    assert_eq!(ask(|r| r.set_link_master(made.index, None, ())), 0);
    assert_eq!(get(VMAC).master, 0);
    assert_eq!(ask(|r| r.set_link_master(made.index, Some(red.index), ())), 0);
    assert_eq!(get(VMAC).master, red.index);
}

pub(crate) fn an_ipvlan_of_each_kind(host: &Host) {
    let base = get("eth0");
    for (flags, word) in [(0, "bridge"), (1, "private"), (2, "vepa")] {
        let link = ipvlan("ipv.51", flags);
        assert_eq!(create(&link, on(&base)), 0);
        let made = get("ipv.51");
        assert!(link.fits(&made, &base), "{made:?}");
        assert_eq!((made.enabled, made.mac), (false, base.mac));
        shows(host, "ipv.51", &["ipv.51@eth0", &format!("ipvlan  mode l2 {word}")]);
        assert_eq!(ask(|r| r.raise_link(made.index, ())), 0);
        assert!(get("ipv.51").up);
        assert_eq!(ask(|r| r.delete_link(made.index, ())), 0);
    }
    // Other modes differ.
    host.ip("link add link eth0 name l3 type ipvlan mode l3\nlink add link wire name b type macvlan mode bridge");
    assert_eq!(get("l3").kind, LinkKind::Ipvlan { mode: 1, flags: 0 });
    assert_eq!(get("b").kind, LinkKind::Macvlan { mode: 4 });
}

pub(crate) fn refusals_are_distinguished(_host: &Host) {
    let base = get("eth0");
    assert_eq!(create(&vmac(), on(&base)), 0);
    assert_eq!(create(&vmac(), on(&base)), EEXIST);
    assert_eq!(create(&ipvlan("ipv.51", 0), on(&base)), 16, "a macvlan is on it");
    let place = Surroundings { base: 4_000, group: 0, vrf: None };
    let nowhere = create(&VirtualLink { name: "none".to_owned(), ..vmac() }, place);
    assert!([ENODEV, EINVAL].contains(&nowhere), "{nowhere}");
    assert_eq!(ask(|r| r.delete_link(4_000, ())), ENODEV);
}
