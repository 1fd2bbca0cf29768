use std::net::Ipv6Addr;

use super::*;
use crate::base::time::Duration;

const EPERM: i32 = 1;
const ENOENT: i32 = 2;
const ENOBUFS: i32 = 105;

/// The core with a kernel that accepts what it is asked.
struct Bench {
    firewall: Firewall<u32>,
    now: Instant,
    /// Answers of the kernel, before it accepts everything.
    refusals: Vec<Refusal>,
    /// Kinds of messages of each transaction.
    sent: Vec<(Family, Vec<Message>)>,
}

impl Bench {
    fn new() -> Self {
        Self {
            firewall: Firewall::default(),
            now: Instant::from_millis(60_000),
            refusals: Vec::new(),
            sent: Vec::new(),
        }
    }

    fn configured() -> Self {
        let mut new = Self::new();
        assert_eq!(new.run([Input::Configure(Some(Means::Nftables(Nftables::default())))]), []);
        new
    }

    /// What happened, without transactions.
    fn run(&mut self, inputs: impl IntoIterator<Item = Input<u32>>) -> Vec<Action<u32>> {
        let mut out = Vec::new();
        for input in inputs {
            self.firewall.handle(input, self.now, &mut out);
        }
        let mut seen = Vec::new();
        loop {
            self.firewall.flush(self.now, &mut out);
            if out.is_empty() {
                return seen;
            }
            for action in std::mem::take(&mut out) {
                let Action::Send { family, batch } = action else {
                    seen.push(action);
                    continue;
                };
                let kinds = (1..batch.next_number()).map(|n| batch.kind(n)).collect();
                self.sent.push((family, kinds));
                let refusal = (!self.refusals.is_empty()).then(|| self.refusals.remove(0));
                let result = refusal.map_or(Ok(()), Err);
                self.firewall.handle(Input::Answer { family, result }, self.now, &mut out);
            }
        }
    }

    fn at(&mut self, millis: u64) -> Vec<Action<u32>> {
        self.now += Duration::from_millis(millis);
        self.run([])
    }

    fn sent(&mut self) -> Vec<(Family, Vec<Message>)> {
        std::mem::take(&mut self.sent)
    }
}

fn want(owner: u32, addr: &str) -> Input<u32> {
    Input::Want { owner, entry: Entry::Address(addr.parse().expect("an address")) }
}

fn release(owner: u32) -> Input<u32> {
    Input::Release { owner }
}

fn vmac(owner: u32, base_link_local: Option<Ipv6Addr>) -> Input<u32> {
    let (family, index, name, base) = (Family::V6, 5, "vrrp.5".to_owned(), 2);
    Input::Want { owner, entry: Entry::Vmac(Vmac { family, index, name, base, base_link_local }) }
}

fn done(owner: u32) -> Action<u32> {
    Action::Outcome { owner, errno: 0 }
}

const ELEMENT: &[Message] = &[Message::Element];

#[test]
fn nothing_is_sent_before_something_is_wanted() {
    let mut bench = Bench::configured();
    assert_eq!(bench.sent(), []);
    assert_eq!(bench.run([want(1, "10.0.0.1")]), [done(1)]);
    let sent = bench.sent();
    assert_eq!(sent.len(), 1);
    let (family, messages) = &sent[0];
    assert_eq!(*family, Family::V4);
    let tables = messages.iter().filter(|m| **m == Message::Table).count();
    assert_eq!(tables, 3, "added, removed, and added");
    assert!(bench.firewall.is_in_force(&1));
    assert!(!bench.firewall.is_in_force(&2));
}

#[test]
fn an_address_of_two_owners_stays_until_both_release_it() {
    let mut bench = Bench::configured();
    bench.run([want(1, "10.0.0.1")]);
    bench.sent();
    assert_eq!(bench.run([want(2, "10.0.0.1")]), [done(2)]);
    assert_eq!(bench.run([release(1)]), []);
    assert_eq!(bench.sent(), [], "nothing changed");
    assert!(bench.firewall.is_in_force(&2));
    assert_eq!(bench.run([release(2)]), []);
    assert_eq!(bench.sent(), [(Family::V4, ELEMENT.to_vec())]);
    assert_eq!(bench.run([release(2), release(7)]), []);
    assert_eq!(bench.sent(), []);
}

#[test]
fn changes_of_a_turn_are_one_transaction_and_cancel_out() {
    let mut bench = Bench::configured();
    bench.run([want(1, "10.0.0.1")]);
    bench.sent();
    bench.run([want(2, "10.0.0.2"), want(3, "10.0.0.3"), release(1), release(3)]);
    assert_eq!(bench.sent(), [(Family::V4, vec![Message::Element; 2])]);
    bench.run([release(2), want(4, "10.0.0.2")]);
    assert_eq!(bench.sent(), []);
    assert!(bench.firewall.is_in_force(&4));
}

#[test]
fn an_owner_that_wants_another_entry_gives_up_the_first() {
    let mut bench = Bench::configured();
    let [a, b] = [1, 2].map(|n| Some(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, n)));
    assert_eq!(bench.run([vmac(1, a)]), [done(1)]);
    bench.sent();
    assert_eq!(bench.run([vmac(1, b)]), [done(1)]);
    assert_eq!(bench.sent(), [(Family::V6, vec![Message::Element; 2])], "the address of the base");
    assert_eq!(bench.run([vmac(1, b)]), [done(1)]);
    assert_eq!(bench.sent(), []);
}

#[test]
fn a_part_that_is_needed_for_the_first_time_replaces_the_table() {
    let mut bench = Bench::configured();
    bench.run([vmac(1, None)]);
    let (_, before) = bench.sent().remove(0);
    bench.run([want(2, "fd00::1")]);
    let (_, after) = bench.sent().remove(0);
    let rules = |messages: &[Message]| messages.iter().filter(|m| **m == Message::Rule).count();
    assert_eq!((rules(&before), rules(&after)), (3, 9));
    bench.run([release(1), release(2)]);
    assert_eq!(bench.sent(), [(Family::V6, vec![Message::Element; 4])], "the form stays");
}

#[test]
fn a_leftover_is_replaced_or_removed() {
    let found = |family| Input::Found { family, table: Nftables::default().table };
    let replaces = |family| Action::Replaces { family, table: Nftables::default().table };
    let mut bench = Bench::new();
    let configure = Input::Configure(Some(Means::Nftables(Nftables::default())));
    let seen = bench.run([found(Family::V4), found(Family::V6), configure, want(1, "10.0.0.1")]);
    assert_eq!(seen, [replaces(Family::V4), replaces(Family::V6), done(1)]);
    let sent = bench.sent();
    assert_eq!(sent[0].1.iter().filter(|m| **m == Message::Table).count(), 3);
    assert_eq!(sent[1], (Family::V6, vec![Message::Table; 2]), "nothing is wanted of IPv6");
    let mut bench = Bench::new();
    assert_eq!(bench.run([found(Family::V4)]), [replaces(Family::V4)]);
    assert_eq!(bench.sent(), [(Family::V4, vec![Message::Table; 2])]);
    assert_eq!(bench.run([]), []);
    assert_eq!(bench.sent(), []);
}

#[test]
fn without_need_and_at_the_end_the_tables_are_removed() {
    for last in [Input::Configure(None), Input::Stop] {
        let mut bench = Bench::configured();
        bench.run([want(1, "10.0.0.1"), want(2, "fd00::1")]);
        bench.sent();
        bench.run([last]);
        let removal = |family| (family, vec![Message::Table; 2]);
        assert_eq!(bench.sent(), [removal(Family::V4), removal(Family::V6)]);
        assert!(!bench.firewall.is_in_force(&1));
        // Wanted again, it comes back.
        bench.run([Input::Configure(Some(Means::Nftables(Nftables::default())))]);
        assert_eq!(bench.sent().len(), 2);
        assert!(bench.firewall.is_in_force(&1));
    }
}

#[test]
fn a_refused_transaction_is_reported_once_and_retried() {
    let mut bench = Bench::configured();
    let refusal = Refusal { errno: ENOBUFS, at: 1 };
    bench.refusals = vec![refusal; 3];
    let seen = bench.run([want(1, "10.0.0.1")]);
    let again = Duration::from_millis(200);
    let (family, what, errno) = (Family::V4, Message::Table, ENOBUFS);
    let refused = Action::Refused { family, what, errno, again };
    assert_eq!(seen, [refused, Action::Outcome { owner: 1, errno }]);
    assert!(!bench.firewall.is_in_force(&1));
    assert_eq!(bench.firewall.next_deadline(), Some(bench.now + again));
    assert_eq!(bench.run([want(2, "10.0.0.2")]), [Action::Outcome { owner: 2, errno }]);
    assert_eq!(bench.sent().len(), 1, "not before the deadline");
    assert_eq!(bench.at(200), []);
    assert_eq!(bench.at(400), []);
    assert_eq!(bench.at(799), []);
    assert_eq!(bench.sent().len(), 2);
    assert_eq!(bench.at(1), [Action::Recovered { family }]);
    assert!(bench.firewall.is_in_force(&1) && bench.firewall.is_in_force(&2));
    assert_eq!(bench.firewall.next_deadline(), None);
}

#[test]
fn another_errno_is_reported_again_and_a_reload_retries_at_once() {
    let mut bench = Bench::configured();
    bench.refusals = vec![Refusal::whole(ENOBUFS), Refusal::whole(EPERM)];
    bench.run([want(1, "10.0.0.1")]);
    let seen = bench.run([Input::Configure(Some(Means::Nftables(Nftables::default())))]);
    assert!(matches!(seen[..], [Action::Refused { errno: EPERM, what: Message::Batch, .. }]));
    let seen = bench.run([Input::Configure(Some(Means::Nftables(Nftables::default())))]);
    assert_eq!(seen, [Action::Recovered { family: Family::V4 }]);
}

#[test]
fn after_a_refusal_the_whole_table_is_replaced() {
    let mut bench = Bench::configured();
    bench.run([want(1, "10.0.0.1")]);
    bench.sent();
    bench.refusals = vec![Refusal { errno: ENOBUFS, at: 1 }];
    bench.run([want(2, "10.0.0.2")]);
    bench.at(200);
    let sent = bench.sent();
    assert_eq!(sent[0].1, ELEMENT);
    assert_eq!(sent[1].1.iter().filter(|m| **m == Message::Table).count(), 3);
    assert!(bench.firewall.is_in_force(&1) && bench.firewall.is_in_force(&2));
}

#[test]
fn a_table_that_is_not_there_any_more_is_restored_at_once_a_few_times() {
    let mut bench = Bench::configured();
    let family = Family::V4;
    bench.run([want(1, "10.0.0.1")]);
    bench.refusals = vec![Refusal { errno: ENOENT, at: 1 }];
    let missing = |millis| Action::Missing { family, after: Duration::from_millis(millis) };
    assert_eq!(bench.run([want(2, "10.0.0.2")]), [missing(0), done(2)]);
    for _ in 0..2 {
        assert_eq!(bench.run([Input::Vanished { family }]), [missing(0)]);
        assert!(bench.firewall.is_in_force(&1));
    }
    assert_eq!(bench.run([Input::Vanished { family }, want(3, "10.0.0.3")]), [missing(200)]);
    assert!(!bench.firewall.is_in_force(&1));
    assert_eq!(bench.at(200), [done(3)]);
    assert!(bench.firewall.is_in_force(&1));
    bench.now += Duration::from_secs(31);
    assert_eq!(bench.run([Input::Vanished { family }]), [missing(0)]);
    assert_eq!(bench.run([Input::Vanished { family: Family::V6 }]), [], "there was none");
}

#[test]
fn without_kernel_support_the_rules_for_vmacs_are_left_out() {
    let mut bench = Bench::configured();
    bench.run([want(1, "fd00::1")]);
    let messages = bench.sent().remove(0).1;
    let first_rule = messages.iter().position(|m| *m == Message::Rule).expect("a rule") + 1;
    bench.run([Input::Stop]);
    bench.sent();
    let mut bench = Bench::configured();
    bench.refusals = vec![Refusal { errno: ENOENT, at: first_rule }];
    let seen = bench.run([want(1, "fd00::1")]);
    assert_eq!(seen, [Action::NoVmacRules { family: Family::V6, errno: ENOENT }, done(1)]);
    let rules = |messages: &[Message]| messages.iter().filter(|m| **m == Message::Rule).count();
    let sent: Vec<_> = bench.sent().iter().map(|(_, messages)| rules(messages)).collect();
    assert_eq!(sent, [7, 6]);
    assert!(bench.firewall.is_in_force(&1));
}

#[test]
fn a_released_owner_gets_no_answer() {
    let mut bench = Bench::configured();
    let mut out = Vec::new();
    bench.firewall.handle(want(1, "10.0.0.1"), bench.now, &mut out);
    bench.firewall.handle(want(2, "10.0.0.1"), bench.now, &mut out);
    bench.firewall.flush(bench.now, &mut out);
    assert!(bench.firewall.is_settling());
    assert!(matches!(out[..], [Action::Send { family: Family::V4, .. }]));
    out.clear();
    bench.firewall.handle(release(1), bench.now, &mut out);
    let answer = Input::Answer { family: Family::V4, result: Ok(()) };
    bench.firewall.handle(answer, bench.now, &mut out);
    assert_eq!(out, [done(2)]);
    assert!(!bench.firewall.is_settling());
    assert_eq!(bench.run([]), []);
}

#[test]
fn another_way_of_matching_interfaces_replaces_what_it_concerns() {
    let by_name = |owner, by_name| {
        let addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 9);
        let (index, name) = (4, "eth0".to_owned());
        Input::Want { owner, entry: Entry::LinkLocal { addr, index, name, by_name } }
    };
    let mut bench = Bench::configured();
    bench.run([by_name(1, true), want(2, "10.0.0.1")]);
    bench.sent();
    let settings = Nftables { by_index: true, ..Nftables::default() };
    bench.run([Input::Configure(Some(Means::Nftables(settings)))]);
    assert!(bench.firewall.is_in_force(&1) && bench.firewall.is_in_force(&2));
    // Now both are the same element.
    bench.sent();
    assert_eq!(bench.run([by_name(3, false)]), [done(3)]);
    assert_eq!(bench.run([release(1)]), []);
    assert_eq!(bench.sent(), []);
    assert!(bench.firewall.is_in_force(&3));
}
