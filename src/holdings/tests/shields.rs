//! Entries of the packet filter.

use std::rc::Rc;

use super::*;
use crate::base::addr::Family;
use crate::base::shield::Shield;

fn shield(n: u8) -> KernelObject {
    KernelObject::Firewall(Rc::new(Shield::Address(nth(n).prefix.addr)))
}

fn vmac(link: &str) -> KernelObject {
    let (link, base) = (link.to_owned(), "eth0".to_owned());
    KernelObject::Firewall(Rc::new(Shield::Vmac { family: Family::V4, link, base }))
}

impl Bench {
    pub(super) fn carry_out_in_filter(&mut self, op: &Op) -> i32 {
        let (sign, shield) = match op {
            Op::Add(Item::Firewall(shield)) => ('+', shield),
            Op::Remove(Item::Firewall(shield)) => ('-', shield),
            other => unreachable!("{other:?}"),
        };
        self.asked.push(match &**shield {
            Shield::Address(addr) => format!("{sign}filter {addr}"),
            Shield::LinkLocal { addr, link, .. } => format!("{sign}filter {addr} {link}"),
            Shield::Vmac { link, base, .. } => format!("{sign}filter {link} {base}"),
        });
        if sign == '+' {
            self.refusal
        } else {
            0
        }
    }
}

#[test]
fn an_address_is_protected_before_it_exists() {
    let mut b = Bench::new();
    let objects = [KernelObject::from(&nth(1)), shield(1)];
    b.on(Input::Want { owner: A, objects: &objects });
    assert_eq!(b.asked(), ["+filter 10.0.0.1", "+10.0.0.1/24 1"]);
    b.on(Input::Release { owner: A });
    assert_eq!(b.asked(), ["-10.0.0.1/24 1", "-filter 10.0.0.1"]);
}

#[test]
fn an_address_that_the_kernel_keeps_stays_protected() {
    let mut b = Bench::new();
    b.on(Input::Want { owner: A, objects: &[KernelObject::from(&nth(1)), shield(1)] });
    b.asked();
    b.kept = true;
    b.on(Input::Release { owner: A });
    assert_eq!(b.asked(), ["-10.0.0.1/24 1"]);
    b.kept = false;
    b.wait(Duration::from_secs(2));
    assert_eq!(b.asked(), ["-10.0.0.1/24 1", "-filter 10.0.0.1"]);
}

#[test]
fn an_address_is_protected_while_the_kernel_is_tested() {
    let mut b = Bench::new();
    b.refusal = EPERM;
    let objects = [KernelObject::from(&nth(1)), shield(1)];
    b.on(Input::Want { owner: A, objects: &objects });
    b.on(Input::Release { owner: A });
    b.asked();
    b.refusal = 0;
    b.wait(Duration::from_secs(2));
    let expected = ["+filter 10.0.0.1", "+10.0.0.1/24 1", "-10.0.0.1/24 1", "-filter 10.0.0.1"];
    assert_eq!(b.asked(), expected);
}

#[test]
fn an_address_of_two_owners_stays_protected_until_both_let_go() {
    let mut b = Bench::new();
    b.on(Input::Want { owner: A, objects: &[shield(1)] });
    b.on(Input::Want { owner: B, objects: &[shield(1)] });
    b.on(Input::Release { owner: A });
    assert_eq!(b.asked(), ["+filter 10.0.0.1"]);
    b.on(Input::Release { owner: B });
    assert_eq!(b.asked(), ["-filter 10.0.0.1"]);
}

#[test]
fn an_entry_follows_the_number_of_its_interface() {
    let mut b = Bench::new();
    b.on(Input::Want { owner: A, objects: &[vmac("vrrp.51")] });
    assert_eq!(b.asked(), [""; 0]);
    b.links.insert("vrrp.51".into(), 7);
    b.on(link(7, "vrrp.51"));
    assert_eq!(b.asked(), ["+filter 7 1"]);
    b.on(link_gone(7));
    assert_eq!(b.asked(), ["-filter 7 1"], "another interface may get its number");
    b.links.insert("vrrp.51".into(), 8);
    b.on(link(8, "vrrp.51"));
    assert_eq!(b.asked(), ["+filter 8 1"]);
}

#[test]
fn a_refused_entry_is_retried_and_does_not_hold_up_the_address() {
    let mut b = Bench::new();
    b.refusal = EPERM;
    let said = b.on(Input::Want { owner: A, objects: &[shield(1)] });
    assert!(said.iter().any(|a| matches!(a, Action::Refused { errno: EPERM, .. })), "{said:?}");
    b.refusal = 0;
    b.now = b.domain.next_deadline().expect("a retry");
    b.on(Input::Deadline);
    assert_eq!(b.asked(), ["+filter 10.0.0.1", "+filter 10.0.0.1"]);
}

#[test]
fn an_instance_shields_what_it_does_not_accept() {
    use crate::holdings::shields_of;
    use crate::model::vrrp::tests::instance;
    use crate::model::vrrp::{Instance, VirtualAddress};

    let address = |addr: &str, interface: &str| {
        let mut address: VirtualAddress = nth(1);
        address.prefix.addr = addr.parse().unwrap();
        address.interface = interface.into();
        Rc::new(address)
    };
    let addresses = vec![address("10.0.0.1", "eth0"), address("fe80::1", "eth0")];
    let excluded = vec![address("fd00::1", "eth0"), address("fe80::2", "eth1")];
    let mut i =
        Instance { addresses, excluded: excluded.into(), accept: false, ..instance("A", 51) };
    let list = |i: &Instance| {
        let word = |shield: Shield<String>| match &shield {
            Shield::LinkLocal { by_name: true, .. } => format!("{shield} by name"),
            _ => shield.to_string(),
        };
        shields_of(i).map(word).collect::<Vec<_>>()
    };
    assert_eq!(list(&i), ["10.0.0.1", "fe80::1 on eth0", "fd00::1", "fe80::2 on eth1"]);
    i.dont_track_primary = true;
    assert_eq!(list(&i), ["10.0.0.1", "fe80::1 on eth0 by name", "fd00::1", "fe80::2 on eth1"]);
    i.priority = 255;
    assert_eq!(list(&i), [""; 0]);
    (i.priority, i.accept) = (100, true);
    assert_eq!(list(&i), [""; 0]);
}
