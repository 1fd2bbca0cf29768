//! The table of interfaces and addresses: source addresses and reported changes.

use super::*;
use crate::base::addr::{Family, Prefix};
use crate::model::vrrp::tests::instance;
use crate::model::vrrp::Instance;

fn plain(text: &str) -> HostAddress {
    HostAddress::plain(Prefix { addr: text.parse().unwrap(), len: 24 })
}

fn added(address: HostAddress) -> KernelEvent {
    KernelEvent::Address { index: 1, address }
}

fn up(index: u32, name: &str) -> KernelEvent {
    KernelEvent::Link(Link::plain(index, name))
}

fn down(index: u32, name: &str) -> KernelEvent {
    KernelEvent::Link(Link { up: false, ..Link::plain(index, name) })
}

fn changes(domain: &mut Domain, input: Input<'_>) -> Vec<HostChange> {
    let mut out = Vec::new();
    domain.handle(input, Instant::from_millis(1), &mut out);
    let change = |action| if let Action::Changed(change) = action { Some(change) } else { None };
    out.into_iter().filter_map(change).collect()
}

fn heard(events: impl IntoIterator<Item = KernelEvent>) -> (Domain, Vec<HostChange>) {
    let mut domain = Domain::default();
    let each = |event| changes(&mut domain, Input::Kernel(event));
    let all = events.into_iter().flat_map(each).collect();
    (domain, all)
}

fn source(domain: &Domain, i: &Instance) -> Option<String> {
    let mut virtual_ = SortedMap::default();
    for addr in ["10.0.0.100", "10.0.0.101"] {
        virtual_.insert(addr.parse().unwrap(), ());
    }
    domain.links().source(i, &virtual_).map(|addr| addr.to_string())
}

#[test]
fn the_first_address_that_is_not_virtual_is_the_source() {
    let mut tentative = plain("fe80::1");
    tentative.flags = HostAddress::TENTATIVE;
    let list = ["10.0.0.100", "10.0.0.9", "10.0.0.2"].map(|text| added(plain(text)));
    let (domain, _) = heard([up(1, "eth0")].into_iter().chain(list).chain([added(tentative)]));
    let mut i = instance("V", 1);
    assert_eq!(source(&domain, &i).as_deref(), Some("10.0.0.9"), "in the kernel's order");
    i.family = Family::V6;
    assert_eq!(source(&domain, &i), None, "still tentative");
}

#[test]
fn the_address_owner_sends_from_its_own_virtual_address() {
    let ours = |text| HostAddress { protocol: Some(18), ..plain(text) };
    let own = [up(1, "eth0"), added(ours("10.0.0.100")), added(plain("10.0.0.101"))];
    let i = instance("V", 1);
    assert_eq!(source(&heard(own).0, &i).as_deref(), Some("10.0.0.101"));
    let none = [up(1, "eth0"), added(ours("10.0.0.100")), added(ours("10.0.0.101"))];
    assert_eq!(source(&heard(none).0, &i), None);
}

fn appeared(link: &str) -> HostChange {
    HostChange::Appeared(link.into())
}

fn vanished(link: &str, index: u32, deleted: bool) -> HostChange {
    HostChange::Vanished { link: link.into(), index, deleted }
}

#[test]
fn a_rename_is_a_departure_and_an_arrival() {
    let (domain, changes) = heard([up(1, "eth0"), up(1, "wan")]);
    assert_eq!(changes, [appeared("eth0"), vanished("eth0", 1, false), appeared("wan")]);
    let state = |name| domain.links().state(name);
    assert_eq!((state("eth0"), state("wan")), (LinkState::Missing, LinkState::Up));
}

#[test]
fn names_swapped_while_notifications_were_lost_are_found() {
    let (mut domain, _) = heard([up(1, "eth0"), down(2, "eth1")]);
    let dump = Links::dumped(vec![up(1, "eth1"), down(2, "eth0")]);
    let said = changes(&mut domain, Input::Dumped(dump));
    assert_eq!(
        said,
        [
            vanished("eth0", 1, false),
            vanished("eth1", 2, false),
            appeared("eth0"),
            appeared("eth1"),
        ]
    );
    let state = |name| domain.links().state(name);
    assert_eq!((state("eth0"), state("eth1")), (LinkState::Down, LinkState::Up));
}

#[test]
fn an_address_per_network() {
    let mut peer = plain("10.0.0.1");
    peer.prefix.len = 32;
    peer.peer = Some("10.0.0.9".parse().unwrap());
    let mut single = plain("10.0.0.1");
    single.prefix.len = 32;
    let gone = KernelEvent::AddressGone { index: 1, address: peer.clone() };
    let (domain, _) = heard([up(1, "eth0"), added(peer), added(single.clone()), gone]);
    assert_eq!(domain.links().addresses_of(1), [&single]);
}

#[test]
fn a_repeated_report_is_no_change() {
    let address = || added(plain("10.0.0.1"));
    let (_, changes) = heard([up(1, "eth0"), address(), up(1, "eth0"), address()]);
    assert_eq!(changes.len(), 2, "{changes:?}");
}

#[test]
fn a_dump_reports_only_differences() {
    let (mut domain, _) =
        heard([up(1, "eth0"), added(plain("10.0.0.1")), added(plain("10.0.0.2"))]);
    let same = [up(1, "eth0"), added(plain("10.0.0.2")), added(plain("10.0.0.1"))];
    assert_eq!(changes(&mut domain, Input::Dumped(Links::dumped(same.into()))), []);
    let other = [up(1, "eth0"), added(plain("10.0.0.2")), added(plain("10.0.0.3"))];
    let said = changes(&mut domain, Input::Dumped(Links::dumped(other.into())));
    let (link, ours) = ("eth0".to_owned(), false);
    let removed = HostChange::Removed { link: link.clone(), address: plain("10.0.0.1"), ours };
    let added = HostChange::Added { link, address: plain("10.0.0.3"), ours };
    assert_eq!(said, [removed, added]);
}

#[test]
fn a_deleted_interface_takes_its_addresses_along() {
    let gone = KernelEvent::LinkGone { index: 1 };
    let other = KernelEvent::Address { index: 2, address: plain("10.0.0.2") };
    let (domain, changes) =
        heard([up(1, "eth0"), up(2, "eth1"), added(plain("10.0.0.1")), other, gone]);
    let removed = |f: &HostChange| matches!(f, HostChange::Removed { address, .. } if *address == plain("10.0.0.1"));
    assert_eq!(changes.iter().filter(|f| removed(f)).count(), 1, "{changes:?}");
    assert!(!domain.links().holds(&"10.0.0.1".parse().unwrap()));
    assert!(domain.links().holds(&"10.0.0.2".parse().unwrap()), "the other one stays");
}

/// Replacing an address by one with other options removes and adds it; the notification of the
/// removal follows both.
#[test]
fn the_late_echo_of_a_removal_does_not_hide_a_later_addition() {
    let mut b = Bench::new();
    let mut labelled = nth(1);
    b.want(A, &[nth(1)]);
    labelled.label = Some("eth0:v".into());
    let mut out = Vec::new();
    b.domain.handle(Input::Want { owner: A, objects: &[(&labelled).into()] }, b.now, &mut out);
    let mut ids = Vec::new();
    for action in out {
        if let Action::Ask(request) = action {
            ids.push(request.id);
        }
    }
    let mut told = Vec::new();
    for request in ids {
        told.extend(changes(&mut b.domain, Input::Answer { request, answer: 0.into() }));
    }
    told.extend(changes(&mut b.domain, gone(1, &as_shown(&nth(1)))));
    assert!(b.domain.links().holds(&nth(1).prefix.addr));
    assert!(matches!(told[..], [HostChange::Removed { .. }, HostChange::Added { .. }]), "{told:?}");
}
