use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::model::vrrp::{Broadcast, Scope};

const A: InstanceId = InstanceId(0);
const B: InstanceId = InstanceId(1);

fn address(last: u8) -> VirtualAddress {
    VirtualAddress {
        prefix: Prefix { addr: IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), len: 24 },
        peer: None,
        interface: "eth0".into(),
        broadcast: Broadcast::None,
        scope: Scope::GLOBAL,
        label: None,
        nodad: true,
        home: false,
        mngtmpaddr: false,
        noprefixroute: false,
        autojoin: false,
        preferred_lft: None,
        no_track: false,
    }
}

fn key(last: u8) -> Key {
    Key::of(&address(last))
}

struct Bench {
    domain: Domain,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        Self { domain: Domain::default(), now: Instant::from_millis(1000) }
    }

    fn on(&mut self, input: Input<'_>) -> Vec<Action> {
        let mut out = Vec::new();
        self.domain.handle(input, self.now, &mut out);
        out
    }

    fn want(&mut self, owner: InstanceId, list: &[u8]) -> Vec<Action> {
        let addresses: Vec<_> = list.iter().map(|l| address(*l)).collect();
        let refs: Vec<_> = addresses.iter().collect();
        self.on(Input::Want { owner, addresses: &refs })
    }

    fn answer(&mut self, op: Op, last: u8, errno: i32) -> Vec<Action> {
        self.on(Input::Answer { key: key(last), op, errno })
    }
}

#[test]
fn held_is_told_once_everything_is_there() {
    let mut b = Bench::new();
    assert_eq!(b.want(A, &[1, 2]), [Action::Add(address(1)), Action::Add(address(2))]);
    assert_eq!(b.answer(Op::Add, 1, 0), []);
    assert_eq!(b.answer(Op::Add, 2, 0), [Action::Held(A)]);
    assert_eq!(
        b.on(Input::Release { owner: A }),
        [Action::Remove(address(1)), Action::Remove(address(2))]
    );
    assert!(b.domain.is_settling());
    b.answer(Op::Remove, 1, 0);
    b.answer(Op::Remove, 2, EADDRNOTAVAIL);
    assert!(!b.domain.is_settling());
}

#[test]
fn wanting_the_same_again_asks_for_nothing() {
    let mut b = Bench::new();
    b.want(A, &[1]);
    b.answer(Op::Add, 1, 0);
    assert_eq!(b.want(A, &[1]), []);
}

#[test]
fn wanting_less_is_no_news() {
    let mut b = Bench::new();
    b.want(A, &[1, 2]);
    b.answer(Op::Add, 1, 0);
    b.answer(Op::Add, 2, 0);
    assert_eq!(b.want(A, &[2]), [Action::Remove(address(1))]);
}

#[test]
fn a_changed_wish_touches_only_the_difference() {
    let mut b = Bench::new();
    b.want(A, &[1, 2]);
    b.answer(Op::Add, 1, 0);
    b.answer(Op::Add, 2, 0);
    assert_eq!(b.want(A, &[2, 3]), [Action::Add(address(3)), Action::Remove(address(1))]);
}

#[test]
fn what_is_there_already_is_adopted() {
    let mut b = Bench::new();
    b.on(Input::Seen { key: key(1) });
    assert_eq!(b.want(A, &[1]), [Action::Held(A)]);
}

#[test]
fn an_address_shared_by_two_owners_stays_until_both_let_go() {
    let mut b = Bench::new();
    b.want(A, &[1]);
    b.answer(Op::Add, 1, 0);
    assert_eq!(b.want(B, &[1]), [Action::Held(B)]);
    assert_eq!(b.on(Input::Release { owner: A }), []);
    assert_eq!(b.on(Input::Release { owner: B }), [Action::Remove(address(1))]);
}

#[test]
fn what_others_remove_is_put_back_and_told() {
    let mut b = Bench::new();
    b.want(A, &[1]);
    b.answer(Op::Add, 1, 0);
    let missing = |delay| Action::Missing { owner: A, key: key(1), delay };
    for _ in 0..FREE_REPAIRS {
        let put_back = [Action::Add(address(1)), missing(Duration::ZERO)];
        assert_eq!(b.on(Input::Gone { key: key(1) }), put_back);
        assert_eq!(b.answer(Op::Add, 1, 0), [Action::Held(A)]);
    }
    let delay = Duration::from_millis(200);
    assert_eq!(b.on(Input::Gone { key: key(1) }), [missing(delay)]);
    assert_eq!(b.domain.next_deadline(), Some(b.now + delay));
    b.now += delay;
    assert_eq!(b.on(Input::Deadline), [Action::Add(address(1))]);
}

#[test]
fn released_while_being_added_is_removed_after_the_answer() {
    let mut b = Bench::new();
    b.want(A, &[1]);
    assert_eq!(b.on(Input::Release { owner: A }), []);
    assert_eq!(b.answer(Op::Add, 1, 0), [Action::Remove(address(1))]);
}

#[test]
fn wanted_again_while_being_removed_is_added_after_the_answer() {
    let mut b = Bench::new();
    b.want(A, &[1]);
    b.answer(Op::Add, 1, 0);
    b.on(Input::Release { owner: A });
    assert_eq!(b.want(A, &[1]), []);
    assert_eq!(b.answer(Op::Remove, 1, 0), [Action::Add(address(1))]);
    assert_eq!(b.answer(Op::Add, 1, 0), [Action::Held(A)]);
}

#[test]
fn an_interface_that_returns_gets_its_addresses_back() {
    let mut b = Bench::new();
    b.want(A, &[1]);
    b.answer(Op::Add, 1, 0);
    assert_eq!(b.on(Input::LinkGone { link: "eth0" }), []);
    assert_eq!(b.on(Input::LinkBack { link: "eth0" }), [Action::Add(address(1))]);
    assert_eq!(b.answer(Op::Add, 1, 0), [Action::Held(A)]);
}

#[test]
fn a_refusal_is_told_and_tried_again() {
    let mut b = Bench::new();
    b.want(A, &[1]);
    let out = b.answer(Op::Add, 1, 22);
    assert!(matches!(out[..], [Action::Refused { errno: 22, delay: Some(_), .. }]), "{out:?}");
    assert!(b.domain.next_deadline().is_some());
}

#[test]
fn leftovers_are_cleared_but_wanted_addresses_are_not() {
    let mut b = Bench::new();
    b.on(Input::Seen { key: key(1) });
    assert_eq!(b.on(Input::Clear { address: &address(1) }), [Action::Remove(address(1))]);
    assert_eq!(b.on(Input::Clear { address: &address(2) }), []);
    b.on(Input::Seen { key: key(3) });
    b.want(A, &[3]);
    assert_eq!(b.on(Input::Clear { address: &address(3) }), []);
}

#[test]
fn the_echo_of_our_own_removal_is_not_somebody_elses() {
    let mut b = Bench::new();
    b.want(A, &[1]);
    b.answer(Op::Add, 1, 0);
    b.on(Input::Release { owner: A });
    b.answer(Op::Remove, 1, 0);
    b.want(A, &[1]);
    b.answer(Op::Add, 1, 0);
    assert_eq!(b.on(Input::Gone { key: key(1) }), [], "the echo of the removal before");
    assert_eq!(b.on(Input::Gone { key: key(1) }).len(), 2, "this one is real");
}

#[test]
fn a_dump_is_the_truth_after_lost_messages() {
    let mut b = Bench::new();
    b.want(A, &[1, 2]);
    b.answer(Op::Add, 1, 0);
    b.answer(Op::Add, 2, 0);
    let out = b.on(Input::Dumped { keys: [key(2), key(9)].into() });
    assert_eq!(out[0], Action::Add(address(1)));
    assert!(b.domain.is_present(&key(9)));
}
