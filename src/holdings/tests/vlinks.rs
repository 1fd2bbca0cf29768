//! Virtual interfaces against a simulated kernel.

use std::collections::VecDeque;
use std::rc::Rc;

use super::*;
use crate::base::addr::Mac;
use crate::base::link::LinkKind;
use crate::model::vlink::{VirtualLink, VirtualLinkKind};

const MAC: Mac = Mac([0, 0, 0x5e, 0, 1, 51]);
const HOST: Holder = Holder::Host;

/// A kernel with interfaces, which notifies of every change after its answer, or before it.
struct Host {
    domain: Domain,
    now: Instant,
    links: SortedMap<u32, Link>,
    last: u32,
    /// The next answers to creations.
    refusals: VecDeque<i32>,
    notifies_first: bool,
    asked: Vec<String>,
    said: Vec<Action>,
}

fn vmac(name: &str, base: &str, mac: Mac) -> VirtualLink {
    VirtualLink {
        name: name.into(),
        base: base.into(),
        kind: VirtualLinkKind::Macvlan { mac },
        group: None,
        notify_base: false,
    }
}

impl Host {
    fn new() -> Self {
        let links = [(1, "eth0"), (2, "eth1")].map(|(i, name)| (i, Link::plain(i, name))).into();
        let mut host = Self {
            domain: Domain::default(),
            now: Instant::from_millis(1000),
            links,
            last: 2,
            refusals: VecDeque::new(),
            notifies_first: false,
            asked: Vec::new(),
            said: Vec::new(),
        };
        let dump = host.links.values().cloned().map(KernelEvent::Link).collect();
        host.on(Input::Dumped(Links::dumped(dump)));
        host
    }

    fn on(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.domain.handle(input, self.now, &mut out);
        let mut queue = VecDeque::from(out);
        while let Some(action) = queue.pop_front() {
            let Action::Ask(request) = action else {
                self.said.push(action);
                continue;
            };
            let (errno, events) = self.carry_out(&request);
            let answer = Input::Answer { request: request.id, answer: errno.into() };
            let mut inputs: Vec<_> = events.into_iter().map(Input::Kernel).collect();
            let at = if self.notifies_first { inputs.len() } else { 0 };
            inputs.insert(at, answer);
            for input in inputs {
                let mut out = Vec::new();
                self.domain.handle(input, self.now, &mut out);
                queue.extend(out);
            }
        }
    }

    fn carry_out(&mut self, request: &Request) -> (i32, Vec<KernelEvent>) {
        match &request.op {
            Op::Add(Item::Link(link, place)) => {
                self.asked.push(format!("+{} {}", link.name, place.base));
                if let Some(errno) = self.refusals.pop_front() {
                    return (errno, Vec::new());
                }
                if self.links.values().any(|known| known.name == link.name) {
                    return (EEXIST, Vec::new());
                }
                let Some(parent) = self.links.get(&place.base).map(Link::carrier) else {
                    return (ENODEV, Vec::new());
                };
                self.last += 1;
                let VirtualLinkKind::Macvlan { mac } = link.kind else { unreachable!("a VMAC") };
                let made = Link {
                    kind: LinkKind::PRIVATE_MACVLAN,
                    parent,
                    mac: Some(mac),
                    group: place.group,
                    up: false,
                    enabled: false,
                    ..Link::plain(self.last, &link.name)
                };
                self.links.insert(self.last, made.clone());
                (0, vec![KernelEvent::Link(made)])
            }
            Op::Replace(Item::Link(link, place)) => {
                self.asked.push(format!("~{}", link.name));
                let Some(known) = self.links.get_mut(&request.index) else {
                    return (ENODEV, Vec::new());
                };
                let VirtualLinkKind::Macvlan { mac } = link.kind else { unreachable!("a VMAC") };
                let before = known.clone();
                (known.up, known.enabled, known.mac) = (true, true, Some(mac));
                (known.master, known.group) = (place.vrf.unwrap_or(0), place.group);
                let changed = (before != *known).then(|| KernelEvent::Link(known.clone()));
                (0, changed.into_iter().collect())
            }
            Op::Remove(Item::Link(link, _)) => {
                self.asked.push(format!("-{}", link.name));
                let named = self.links.values().find(|known| known.name == link.name);
                let index = if request.index == 0 {
                    named.map_or(0, |known| known.index)
                } else {
                    request.index
                };
                match self.links.remove(&index) {
                    Some(_) => (0, vec![KernelEvent::LinkGone { index }]),
                    None => (ENODEV, Vec::new()),
                }
            }
            other => unreachable!("{other:?}"),
        }
    }

    fn want(&mut self, list: &[VirtualLink]) {
        let objects: Vec<_> = list.iter().map(|l| KernelObject::Link(Rc::new(l.clone()))).collect();
        self.on(Input::Want { owner: HOST, objects: &objects });
    }

    fn asked(&mut self) -> Vec<String> {
        std::mem::take(&mut self.asked)
    }

    fn delete(&mut self, name: &str) {
        let found = self.links.values().find(|link| link.name == name);
        let index = found.expect("it is there").index;
        let those: Vec<_> =
            self.links.values().filter(|l| l.parent == index).map(|l| l.index).collect();
        let those: Vec<_> = those.into_iter().chain([index]).collect();
        self.links.retain(|index, _| !those.contains(index));
        for index in those {
            self.on(link_gone(index));
        }
    }

    fn put(&mut self, link: Link) {
        self.last = self.last.max(link.index);
        self.links.insert(link.index, link.clone());
        self.on(Input::Kernel(KernelEvent::Link(link)));
    }

    fn names(&self) -> Vec<&str> {
        self.links.values().map(|link| link.name.as_str()).collect()
    }
}

#[test]
fn it_is_created_prepared_and_removed() {
    for notifies_first in [false, true] {
        let mut h = Host { notifies_first, ..Host::new() };
        h.want(&[vmac("vrrp.51", "eth0", MAC)]);
        assert_eq!(h.asked(), ["+vrrp.51 1", "~vrrp.51"]);
        assert!(h.links[&3].enabled);
        h.want(&[vmac("vrrp.51", "eth0", MAC)]);
        assert_eq!(h.asked(), [""; 0], "nothing changed");
        h.on(Input::Release { owner: HOST });
        assert_eq!(h.asked(), ["-vrrp.51"]);
        assert_eq!(h.names(), ["eth0", "eth1"]);
    }
}

#[test]
fn its_address_is_added_after_it() {
    let mut h = Host::new();
    let on_it = VirtualAddress { interface: "vrrp.51".into(), ..nth(1) };
    let mut out = Vec::new();
    let objects = [KernelObject::from(&on_it)];
    h.domain.handle(Input::Want { owner: A, objects: &objects }, h.now, &mut out);
    assert_eq!(out, []);
    let objects = [KernelObject::Link(Rc::new(vmac("vrrp.51", "eth0", MAC)))];
    h.domain.handle(Input::Want { owner: HOST, objects: &objects }, h.now, &mut out);
    assert!(matches!(&out[0], Action::Ask(Request { index: 1, op: Op::Add(Item::Link(..)), .. })));
    let made = Link {
        kind: LinkKind::PRIVATE_MACVLAN,
        parent: 1,
        mac: Some(MAC),
        ..Link::plain(3, "vrrp.51")
    };
    out.clear();
    h.domain.handle(Input::Kernel(KernelEvent::Link(made)), h.now, &mut out);
    let ops: Vec<_> = out
        .iter()
        .filter_map(|a| match a {
            Action::Ask(request) => Some((request.index, &request.op)),
            _ => None,
        })
        .collect();
    assert!(
        matches!(&ops[..], [(3, Op::Replace(Item::Link(..))), (3, Op::Add(Item::Address(_)))]),
        "{ops:?}"
    );
}

#[test]
fn one_of_an_earlier_run_is_adopted_if_it_is_the_right_one() {
    let made = |name: &str, index, parent, mac| Link {
        kind: LinkKind::PRIVATE_MACVLAN,
        parent,
        mac: Some(mac),
        ..Link::plain(index, name)
    };
    let wanted = [vmac("vrrp.51", "eth0", MAC)];
    let mut h = Host::new();
    h.put(made("vrrp.51", 7, 1, MAC));
    h.want(&wanted);
    assert_eq!(h.asked(), ["~vrrp.51"]);
    // On another base.
    let mut h = Host::new();
    h.put(made("vrrp.51", 7, 2, MAC));
    h.want(&wanted);
    assert_eq!(h.asked(), ["-vrrp.51", "+vrrp.51 1", "~vrrp.51"]);
    // Under another name, where its hardware address is in the way.
    let mut h = Host::new();
    h.put(made("old", 7, 1, MAC));
    h.want(&wanted);
    assert_eq!(h.names(), ["eth0", "eth1", "vrrp.51"]);
}

#[test]
fn an_interface_that_is_not_virtual_keeps_its_name() {
    let mut h = Host::new();
    h.put(Link::plain(7, "vrrp.51"));
    h.want(&[vmac("vrrp.51", "eth0", MAC)]);
    assert_eq!(h.asked(), [""; 0]);
    assert!(matches!(h.said.last(), Some(Action::Held(HOST))), "{:?}", h.said);
    assert!(h.said.iter().any(|a| matches!(a, Action::Refused { errno: EEXIST, .. })));
    h.delete("vrrp.51");
    assert_eq!(h.asked(), ["+vrrp.51 1", "~vrrp.51"], "now the name is free");
}

#[test]
fn one_that_is_deleted_or_renamed_externally_is_restored() {
    let mut h = Host::new();
    h.want(&[vmac("vrrp.51", "eth0", MAC)]);
    h.asked();
    h.delete("vrrp.51");
    assert_eq!(h.asked(), ["+vrrp.51 1", "~vrrp.51"]);
    let renamed = h.links.values().find(|l| l.name == "vrrp.51").expect("it is there").clone();
    h.put(Link { name: "stolen".into(), ..renamed });
    assert_eq!(h.asked(), ["-vrrp.51", "+vrrp.51 1", "~vrrp.51"]);
    assert_eq!(h.names(), ["eth0", "eth1", "vrrp.51"], "nothing is left behind");
}

#[test]
fn it_goes_and_comes_with_its_base() {
    let mut h = Host::new();
    h.want(&[vmac("vrrp.51", "eth0", MAC)]);
    h.delete("eth0");
    h.asked();
    assert_eq!(h.names(), ["eth1"]);
    while let Some(next) = h.domain.next_deadline() {
        h.now = h.now.max(next);
        h.on(Input::Deadline);
    }
    assert_eq!(h.asked(), [""; 0]);
    h.put(Link::plain(9, "eth0"));
    assert_eq!(h.asked(), ["+vrrp.51 9", "~vrrp.51"]);
}

#[test]
fn a_changed_address_base_or_name_is_applied() {
    let mut h = Host::new();
    let other = Mac([2, 0, 0, 0, 0, 1]);
    h.want(&[vmac("vrrp.51", "eth0", MAC)]);
    h.asked();
    h.want(&[vmac("vrrp.51", "eth0", other)]);
    assert_eq!(h.links.values().filter(|l| l.mac == Some(other)).count(), 1);
    h.asked();
    h.want(&[vmac("vrrp.51", "eth1", other)]);
    assert_eq!(h.asked(), ["-vrrp.51", "+vrrp.51 2", "~vrrp.51"]);
    h.want(&[vmac("v51", "eth1", other)]);
    assert_eq!(h.asked(), ["-vrrp.51", "+v51 2", "~v51"]);
    assert_eq!(h.names(), ["eth0", "eth1", "v51"]);
}

#[test]
fn it_follows_its_base_into_a_vrf() {
    let mut h = Host::new();
    h.put(Link { kind: LinkKind::Vrf { table: 10 }, ..Link::plain(5, "red") });
    h.want(&[vmac("vrrp.51", "eth0", MAC)]);
    h.asked();
    h.put(Link { master: 5, ..Link::plain(1, "eth0") });
    assert_eq!(h.asked(), ["~vrrp.51"]);
    assert!(h.links.values().any(|l| l.name == "vrrp.51" && l.master == 5));
    h.put(Link::plain(1, "eth0"));
    assert!(h.links.values().all(|l| l.master == 0));
}

#[test]
fn a_refused_one_is_retried() {
    const EBUSY: i32 = 16;
    let mut h = Host::new();
    h.refusals.extend([EBUSY, EBUSY]);
    h.want(&[vmac("vrrp.51", "eth0", MAC)]);
    let refused = |a: &Action| matches!(a, Action::Refused { errno: EBUSY, adds: true, .. });
    assert!(h.said.iter().any(refused), "{:?}", h.said);
    for _ in 0..2 {
        h.now = h.domain.next_deadline().expect("a retry");
        h.on(Input::Deadline);
    }
    assert_eq!(h.names(), ["eth0", "eth1", "vrrp.51"]);
    assert_eq!(h.domain.next_deadline(), None);
}

#[test]
fn a_refused_one_is_made_when_its_base_leaves_a_bridge() {
    let mut h = Host::new();
    let port = Link { master: 2, ..Link::plain(1, "eth0") };
    h.put(port.clone());
    h.refusals.extend([16, 16]);
    h.want(&[vmac("vrrp.51", "eth0", MAC)]);
    h.put(port);
    assert_eq!(h.asked(), ["+vrrp.51 1"], "no port is asked again before its time");
    h.refusals.clear();
    h.put(Link::plain(1, "eth0"));
    assert_eq!(h.names(), ["eth0", "eth1", "vrrp.51"]);
    assert_eq!(h.domain.next_deadline(), None);
}

#[test]
fn one_that_a_dump_reports_is_prepared_before_its_address_is_added() {
    let mut h = Host::new();
    let on_it = VirtualAddress { interface: "vrrp.51".into(), ..nth(1) };
    let link = KernelObject::Link(Rc::new(vmac("vrrp.51", "eth0", MAC)));
    let mut out = Vec::new();
    let objects = [link, KernelObject::from(&on_it)];
    h.domain.handle(Input::Want { owner: HOST, objects: &objects }, h.now, &mut out);
    let Action::Ask(request) = &out[0] else { panic!("{out:?}") };
    h.carry_out(request);
    let dump = h.links.values().cloned().map(KernelEvent::Link).collect();
    out.clear();
    h.domain.handle(Input::Dumped(Links::dumped(dump)), h.now, &mut out);
    let asked = out.iter().filter_map(|action| match action {
        Action::Ask(request) => Some(&request.op),
        _ => None,
    });
    let asked: Vec<_> = asked.collect();
    let [Op::Replace(Item::Link(..)), Op::Add(Item::Address(_))] = asked[..] else {
        panic!("{asked:?}");
    };
}

#[test]
fn one_that_is_renamed_while_it_is_prepared_is_replaced() {
    let mut h = Host::new();
    let object = [KernelObject::Link(Rc::new(vmac("vrrp.51", "eth0", MAC)))];
    let mut out = Vec::new();
    h.domain.handle(Input::Want { owner: HOST, objects: &object }, h.now, &mut out);
    let Action::Ask(request) = &out[0] else { panic!("{out:?}") };
    let (_, events) = h.carry_out(request);
    for event in events {
        h.domain.handle(Input::Kernel(event), h.now, &mut Vec::new());
    }
    h.asked();
    let made = h.links[&3].clone();
    h.put(Link { name: "stolen".into(), ..made });
    assert_eq!(h.asked(), ["-vrrp.51", "+vrrp.51 1", "~vrrp.51"]);
}

#[test]
fn an_interface_that_the_kernel_refused_to_remove_is_removed_later() {
    let (mut domain, mut out) = (Domain::default(), Vec::new());
    let kind = LinkKind::PRIVATE_MACVLAN;
    let left = Link { kind, parent: 1, ..Link::plain(3, "v1") };
    let links = [Link::plain(1, "eth0"), left].map(KernelEvent::Link);
    let start = Instant::from_millis(1000);
    domain.handle(Input::Dumped(Links::dumped(links.into())), start, &mut out);
    out.clear();
    domain.handle(Input::LeftLink { index: 3, name: "v1" }, start, &mut out);
    for _ in 0..2 {
        let request = out.drain(..).find_map(|action| match action {
            Action::Ask(Request { id, index: 3, op: Op::Remove(Item::Link(..)) }) => Some(id),
            _ => None,
        });
        let request = request.expect("its removal is requested");
        domain.handle(Input::Answer { request, answer: EPERM.into() }, start, &mut out);
        let next = domain.next_deadline().expect("it is tried again");
        domain.handle(Input::Deadline, next, &mut out);
    }
}
