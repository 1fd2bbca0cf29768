//! Answers and notifications that arrive late, or in an order that no plain kernel shows.

use std::collections::VecDeque;
use std::rc::Rc;

use super::routes::{route, rule};
use super::*;
use crate::base::addr::PROTOCOL_KEEPALIVED;
use crate::base::link::LinkKind;
use crate::base::route::Route;
use crate::model::vlink::{VirtualLink, VirtualLinkKind};

/// Requests wait for the answers that the test gives.
struct Late {
    domain: Domain,
    now: Instant,
    open: VecDeque<RequestId>,
    said: Vec<Action>,
}

impl Late {
    /// With eth0 and eth1.
    fn new() -> Self {
        let (domain, now) = (Domain::default(), Instant::from_millis(1000));
        let mut late = Self { domain, now, open: VecDeque::new(), said: Vec::new() };
        late.on(Input::Dumped(Links::dumped(bases())));
        late
    }

    /// Returns the requests as `+10.0.0.1/24 1`, `~...`, `-...`.
    fn on(&mut self, input: Input<'_>) -> Vec<String> {
        let mut out = Vec::new();
        self.domain.handle(input, self.now, &mut out);
        let mut asked = Vec::new();
        for action in out {
            match action {
                Action::Ask(request) => {
                    self.open.push_back(request.id);
                    asked.push(text(&request));
                }
                other => self.said.push(other),
            }
        }
        asked
    }

    /// Answers the oldest request.
    fn answer(&mut self, errno: i32) -> Vec<String> {
        let request = self.open.pop_front().expect("a request");
        self.on(Input::Answer { request, answer: errno.into() })
    }

    fn want(&mut self, objects: &[KernelObject]) -> Vec<String> {
        self.on(Input::Want { owner: A, objects })
    }

    fn release(&mut self) -> Vec<String> {
        self.on(Input::Release { owner: A })
    }

    fn hear(&mut self, event: KernelEvent) -> Vec<String> {
        self.on(Input::Kernel(event))
    }

    fn wait(&mut self, time: Duration) -> Vec<String> {
        self.now += time;
        self.on(Input::Deadline)
    }
}

fn bases() -> Vec<KernelEvent> {
    [(1, "eth0"), (2, "eth1")].map(|(i, name)| KernelEvent::Link(Link::plain(i, name))).into()
}

fn text(request: &Request) -> String {
    let (sign, item) = match &request.op {
        Op::Add(item) => ('+', item),
        Op::Replace(item) => ('~', item),
        Op::Remove(item) => ('-', item),
    };
    let what = match item {
        Item::Link(link, _) => link.name.clone(),
        Item::Address(address) => address.prefix.to_string(),
        Item::Route(route, _) => route.destination.to_string(),
        Item::Rule(rule) => format!("rule {}", rule.priority),
        Item::Firewall(shield) => format!("{shield:?}"),
        Item::Sysctl(setting, _) => setting.name().to_owned(),
    };
    format!("{sign}{what} {}", request.index)
}

fn address_gone(address: &VirtualAddress) -> KernelEvent {
    KernelEvent::AddressGone { index: 1, address: as_shown(address) }
}

/// An address of this form that another program added.
fn foreign(address: &VirtualAddress) -> KernelEvent {
    let address = HostAddress { protocol: None, ..as_shown(address) };
    KernelEvent::Address { index: 1, address }
}

fn down(index: u32, name: &str) -> KernelEvent {
    KernelEvent::Link(Link { up: false, enabled: false, ..Link::plain(index, name) })
}

fn ipvlan(name: &str, base: &str, flags: u16) -> KernelObject {
    KernelObject::Link(Rc::new(VirtualLink {
        name: name.into(),
        base: base.into(),
        kind: VirtualLinkKind::Ipvlan { flags },
        group: None,
        notify_base: false,
    }))
}

/// A report of an ipvlan interface that is not up yet.
fn made(index: u32, name: &str, parent: u32, flags: u16) -> KernelEvent {
    let kind = LinkKind::l2_ipvlan(flags);
    let (up, enabled) = (false, false);
    KernelEvent::Link(Link { kind, parent, up, enabled, ..Link::plain(index, name) })
}

#[test]
fn the_removal_of_an_address_that_was_never_added_is_not_awaited() {
    let mut b = Late::new();
    let list = [KernelObject::from(&nth(1))];
    b.want(&list);
    assert_eq!(b.release(), ["-10.0.0.1/24 1"]);
    b.answer(EPERM);
    b.answer(EADDRNOTAVAIL);
    b.want(&list);
    b.answer(0);
    assert_eq!(b.hear(address_gone(&nth(1))), ["+10.0.0.1/24 1"], "it was removed externally");
}

#[test]
fn an_address_stays_in_the_form_that_the_kernel_has() {
    let mut b = Late::new();
    let other = VirtualAddress { preferred_lft: Some(0), ..nth(1) };
    b.want(&[KernelObject::from(&nth(1))]);
    b.answer(0);
    b.release();
    b.want(&[KernelObject::from(&other)]);
    // The removal, which makes the addition impossible.
    b.answer(EPERM);
    assert_eq!(b.release(), ["-10.0.0.1/24 1"]);
    b.answer(EPERM);
    b.answer(EPERM);
    assert_eq!(b.want(&[KernelObject::from(&other)]), ["~10.0.0.1/24 1"]);
}

#[test]
fn the_refused_removal_of_an_absent_address_is_no_address() {
    let mut b = Late::new();
    let list = [KernelObject::from(&nth(1))];
    b.want(&list);
    b.release();
    b.answer(EPERM);
    b.answer(EPERM);
    assert_eq!(b.want(&list), ["+10.0.0.1/24 1"]);
}

#[test]
fn a_foreign_address_whose_removal_was_refused_stays() {
    let mut b = Late::new();
    b.want(&[KernelObject::from(&nth(1))]);
    b.answer(0);
    b.release();
    b.hear(address_gone(&nth(1)));
    b.hear(foreign(&nth(1)));
    b.answer(EPERM);
    assert!(b.wait(Duration::from_secs(5)).is_empty(), "it is not ours");
}

#[test]
fn the_removal_of_a_foreign_address_before_ours_is_not_ours() {
    let mut b = Late::new();
    b.want(&[KernelObject::from(&nth(1))]);
    b.hear(foreign(&nth(1)));
    // It was removed before the kernel handled the request.
    b.answer(0);
    assert!(b.hear(address_gone(&nth(1))).is_empty());
    assert_eq!(b.hear(address_gone(&nth(1))), ["+10.0.0.1/24 1"], "this one is");
}

#[test]
fn an_address_is_protected_until_its_late_addition_is_answered() {
    let mut b = Late::new();
    let shield = Rc::new(Shield::Address(nth(1).prefix.addr));
    b.want(&[KernelObject::Firewall(shield), KernelObject::from(&nth(1))]);
    b.answer(0);
    // It may be gone when the kernel handles the request to add ours.
    b.hear(foreign(&nth(1)));
    assert!(b.release().is_empty());
    assert_eq!(b.answer(EEXIST), ["-Address(10.0.0.1) 0"]);
}

#[test]
fn the_refused_removal_of_an_absent_rule_is_no_rule() {
    let mut b = Late::new();
    let rule = KernelObject::Rule(Rc::new(rule("10.9.0.0/16", 500, 100)));
    let list = std::slice::from_ref(&rule);
    b.want(list);
    b.release();
    b.answer(EPERM);
    b.answer(EPERM);
    assert_eq!(b.want(list), ["+rule 500 0"]);
    b.answer(0);
    b.release();
    b.answer(EPERM);
    assert!(b.want(list).is_empty(), "it stays");
}

#[test]
fn a_route_whose_verification_was_refused_may_still_be_there() {
    let mut b = Late::new();
    let route = KernelObject::Route(Rc::new(route("10.4.0.0/16 via 10.0.0.254")));
    b.want(std::slice::from_ref(&route));
    b.answer(0);
    b.hear(down(1, "eth0"));
    let up = KernelEvent::Link(Link::plain(1, "eth0"));
    assert_eq!(b.hear(up), ["-10.4.0.0/16 0", "+10.4.0.0/16 0"]);
    b.answer(EPERM);
    b.answer(EPERM);
    assert_eq!(b.release(), ["-10.4.0.0/16 0"]);
}

#[test]
fn a_late_report_about_a_route_hides_none_that_was_added_since() {
    let mut b = Late::new();
    let wanted = KernelObject::Route(Rc::new(route("fd01::/64 dev eth0")));
    let gone = || {
        let link = |_: &String| Some(1);
        let shown = route("fd01::/64 dev eth0").route.translated(link).expect("it exists");
        KernelEvent::RouteGone(Box::new(Route { protocol: PROTOCOL_KEEPALIVED, ..shown }))
    };
    let up = || KernelEvent::Link(Link::plain(1, "eth0"));
    b.want(std::slice::from_ref(&wanted));
    b.answer(0);
    // Both are about the time before the addition.
    b.hear(down(1, "eth0"));
    b.hear(gone());
    assert_eq!(b.hear(up()), ["+fd01::/64 0"]);
    assert_eq!(b.answer(EEXIST), ["-fd01::/64 0", "+fd01::/64 0"]);
    b.answer(0);
    b.answer(0);
    b.hear(down(1, "eth0"));
    b.hear(gone());
    assert_eq!(b.release(), ["-fd01::/64 0"], "perhaps it is there");
}

#[test]
fn an_interface_removed_before_it_was_reported_is_made_again() {
    let mut b = Late::new();
    assert_eq!(b.want(&[ipvlan("v1", "eth0", 0)]), ["+v1 1"]);
    b.answer(0);
    // It was created and removed while notifications were lost.
    assert_eq!(b.on(Input::Dumped(Links::dumped(bases()))), ["+v1 1"]);
}

#[test]
fn an_interface_is_removed_by_its_name_while_another_one_of_it_is_known() {
    let mut b = Late::new();
    b.want(&[ipvlan("v1", "eth0", 0)]);
    b.answer(0);
    assert_eq!(b.want(&[ipvlan("v1", "eth0", 1)]), ["-v1 0", "+v1 1"]);
    b.answer(0);
    b.answer(0);
    // The first one, which is gone.
    b.hear(made(3, "v1", 1, 0));
    assert_eq!(b.release(), ["-v1 0"]);
    b.answer(EPERM);
    b.hear(KernelEvent::LinkGone { index: 3 });
    b.hear(made(4, "v1", 1, 1));
    assert_eq!(b.wait(Duration::from_secs(1)), ["-v1 0"]);
}

#[test]
fn an_interface_that_lost_its_name_before_its_removal_is_removed_by_its_number() {
    for is_reported in [false, true] {
        let mut b = Late::new();
        b.want(&[ipvlan("v1", "eth0", 0)]);
        b.answer(0);
        assert_eq!(b.release(), ["-v1 0"]);
        if is_reported {
            b.hear(made(3, "v1", 1, 0));
            assert_eq!(b.answer(ENODEV), ["-v1 3"]);
        } else {
            b.answer(ENODEV);
            b.hear(made(3, "v1", 1, 0));
            assert_eq!(b.hear(made(3, "other", 1, 0)), ["-v1 3"]);
        }
    }
}

#[test]
fn the_refused_removal_of_an_interface_that_was_not_created_hits_no_other_one() {
    let mut b = Late::new();
    b.want(&[ipvlan("v1", "eth0", 0)]);
    assert_eq!(b.release(), ["-v1 0"]);
    b.answer(EPERM);
    b.answer(EPERM);
    b.hear(made(3, "v1", 1, 0));
    assert!(b.wait(Duration::from_secs(5)).is_empty());
}

#[test]
fn an_interface_that_the_kernel_keeps_is_removed_although_its_base_is_gone() {
    let mut b = Late::new();
    b.want(&[ipvlan("v1", "eth1", 0)]);
    b.answer(0);
    assert_eq!(b.hear(KernelEvent::Link(Link::plain(2, "other"))), ["-v1 0"]);
    b.hear(made(3, "v1", 2, 0));
    b.answer(EPERM);
    assert_eq!(b.wait(Duration::from_secs(1)), ["-v1 3"]);
}

#[test]
fn an_interface_that_the_kernel_keeps_is_removed_under_another_name() {
    let mut b = Late::new();
    b.want(&[ipvlan("v1", "eth0", 0)]);
    b.answer(0);
    b.hear(made(3, "v1", 1, 0));
    b.answer(0);
    assert_eq!(b.want(&[ipvlan("v1", "eth0", 1)]), ["-v1 3", "+v1 1"]);
    b.answer(EPERM);
    assert_eq!(b.hear(made(3, "other", 1, 0)), ["-v1 3"]);
    // The same before it was reported.
    let mut b = Late::new();
    b.want(&[ipvlan("v1", "eth0", 0)]);
    b.answer(0);
    b.want(&[ipvlan("v1", "eth0", 1)]);
    b.answer(EPERM);
    b.hear(made(3, "v1", 1, 0));
    assert_eq!(b.hear(made(3, "other", 1, 0)), ["-v1 3"]);
}

#[test]
fn an_interface_that_the_kernel_keeps_is_removed_when_the_wanted_one_has_no_base() {
    let mut b = Late::new();
    b.want(&[ipvlan("v1", "eth0", 0)]);
    b.answer(0);
    b.hear(made(3, "v1", 1, 0));
    b.answer(0);
    assert_eq!(b.want(&[ipvlan("v1", "eth1", 0)]), ["-v1 3", "+v1 2"]);
    b.answer(EPERM);
    b.answer(EEXIST);
    assert_eq!(b.hear(KernelEvent::LinkGone { index: 2 }), ["-v1 3"]);
}

#[test]
fn an_address_that_the_kernel_keeps_gets_its_form_after_a_dump() {
    let mut b = Late::new();
    let other = VirtualAddress { preferred_lft: Some(0), ..nth(1) };
    b.want(&[KernelObject::from(&nth(1))]);
    b.answer(0);
    b.release();
    b.want(&[KernelObject::from(&other)]);
    b.answer(EPERM);
    b.answer(EPERM);
    let mut dump = bases();
    dump.push(KernelEvent::Address { index: 1, address: as_shown(&nth(1)) });
    dump.push(foreign(&nth(2)));
    b.on(Input::Dumped(Links::dumped(dump)));
    assert_eq!(b.wait(Duration::from_secs(2)), ["~10.0.0.1/24 1"]);
}

#[test]
fn an_interface_that_the_kernel_keeps_is_used_if_it_is_wanted_again() {
    let mut b = Late::new();
    let address = VirtualAddress { interface: "v1".into(), ..nth(1) };
    b.want(&[ipvlan("v1", "eth0", 0), KernelObject::from(&address)]);
    b.answer(0);
    assert_eq!(b.release(), ["-v1 0"]);
    b.want(&[ipvlan("v1", "eth0", 0), KernelObject::from(&address)]);
    b.hear(made(3, "v1", 1, 0));
    assert_eq!(b.answer(EPERM), ["~v1 3", "+10.0.0.1/24 3"]);
}

#[test]
fn an_interface_is_known_to_the_next_run_before_it_is_reported() {
    let mut b = Late::new();
    b.want(&[ipvlan("v1", "eth0", 0)]);
    let traces = b.domain.traces();
    assert_eq!(traces, [(0, "v1".to_owned())].into());
    // The daemon is killed.
    let mut b = Late::new();
    b.hear(made(3, "v1", 1, 0));
    assert!(b.want(&[ipvlan("v1", "eth9", 0)]).is_empty(), "its base does not exist");
    assert_eq!(b.on(Input::LeftLink { index: 0, name: "v1" }), ["-v1 3"]);
    assert_eq!(b.domain.traces(), [(3, "v1".to_owned())].into(), "until it is removed");
    b.answer(0);
    assert!(b.release().is_empty());
    assert!(b.domain.traces().is_empty(), "its notification may be filtered out");
}
