use std::rc::Rc;

use super::*;
use crate::model::firewall::Marking;
use crate::model::lvs::tests::virtual_server;
use crate::model::lvs::{AddressGroup, GroupEntry, Protocol, Service};
use crate::model::marks::assign;
use crate::model::Config;

const ENOENT: i32 = 2;
const EOPNOTSUPP: i32 = 95;

/// Kinds of messages of a transaction, each once in a row.
type Kinds = Vec<Message>;

/// The core with a kernel that accepts what it is asked.
struct Bench {
    marks: Marks,
    now: Instant,
    refusals: Vec<Refusal>,
    sent: Vec<(Family, Kinds)>,
}

impl Bench {
    fn new() -> Self {
        let now = Instant::from_millis(60_000);
        Self { marks: Marks::default(), now, refusals: Vec::new(), sent: Vec::new() }
    }

    /// What happened, without transactions.
    fn run(&mut self, inputs: impl IntoIterator<Item = Input>) -> Vec<Action> {
        let mut out = Vec::new();
        for input in inputs {
            self.marks.handle(input, self.now, &mut out);
        }
        let mut seen = Vec::new();
        loop {
            self.marks.flush(self.now, &mut out);
            if out.is_empty() {
                return seen;
            }
            for action in std::mem::take(&mut out) {
                let Action::Send { family, batch } = action else {
                    seen.push(action);
                    continue;
                };
                let mut kinds: Kinds = (1..batch.next_number()).map(|n| batch.kind(n)).collect();
                kinds.dedup();
                self.sent.push((family, kinds));
                let refusal = (!self.refusals.is_empty()).then(|| self.refusals.remove(0));
                let result = refusal.map_or(Ok(()), Err);
                self.marks.handle(Input::Answer { family, result }, self.now, &mut out);
            }
        }
    }

    fn sent(&mut self) -> Vec<(Family, Kinds)> {
        std::mem::take(&mut self.sent)
    }

    /// One after the other, with IPVS in between.
    #[track_caller]
    fn expect(&mut self, demand: &Demand, before: &[(Family, Kinds)], after: &[(Family, Kinds)]) {
        assert_eq!(self.run([Input::Want(demand.clone())]), []);
        assert!(self.marks.is_unsettled());
        assert_eq!(self.sent(), before, "before");
        assert_eq!(self.run([Input::Settled]), []);
        assert_eq!(self.sent(), after, "after");
        assert_eq!(self.run([Input::Settled]), []);
        assert_eq!(self.sent(), []);
    }
}

/// A table with all it contains, in place of any other.
fn made() -> Kinds {
    use Message::{Chain, Element, Rule, Set, Table};
    vec![Table, Set, Chain, Element, Rule]
}

fn removed() -> Kinds {
    vec![Message::Table]
}

fn changed() -> Kinds {
    vec![Message::Element]
}

/// A group for each line: its protocol and the ranges of its addresses, all with port 80.
fn demand(groups: &str) -> Demand {
    let mut config = Config::default();
    config.global.firewall.marking = Some(Marking::default());
    for (n, line) in groups.lines().enumerate() {
        let mut words = line.split_whitespace();
        let protocol = words.next().and_then(|w| Protocol::ALL.into_iter().find(|p| p.name() == w));
        let entries = words.map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let [first, last] = [first, last].map(|addr| addr.parse().expect("an address"));
            GroupEntry::Range { first, last, port: 80 }
        });
        let name = n.to_string();
        let mut vs = virtual_server([0; 4], 0);
        (vs.service, vs.protocol) = (Service::Group { name: name.clone(), index: 0 }, protocol);
        config.address_groups.push(AddressGroup { name, entries: entries.collect() });
        config.virtual_servers.push(Rc::new(vs));
    }
    assign(&mut config, &Config::default());
    Demand::of(&config)
}

const V4: Family = Family::V4;
const V6: Family = Family::V6;

#[test]
fn new_marks_come_before_ipvs_and_old_ones_go_after_it() {
    let mut bench = Bench::new();
    let one = demand("tcp 10.0.0.1 10.0.0.3-10.0.0.9");
    bench.expect(&one, &[(V4, made())], &[]);
    bench.expect(&one, &[], &[]);
    let two = demand("tcp 10.0.0.1 10.0.0.3-10.0.0.9\ntcp 10.0.1.1 fd00::1");
    bench.expect(&two, &[(V4, changed()), (V6, made())], &[]);
    bench.expect(&one, &[], &[(V4, changed()), (V6, removed())]);
    let other = demand("tcp 10.0.0.2 10.0.0.3-10.0.0.9");
    bench.expect(&other, &[(V4, changed())], &[(V4, changed())]);
    bench.expect(&Demand::default(), &[], &[(V4, removed())]);
    bench.expect(&Demand::default(), &[], &[]);
}

#[test]
fn a_new_protocol_or_setting_replaces_the_table_at_once() {
    let mut bench = Bench::new();
    bench.expect(&demand("tcp 10.0.0.1"), &[(V4, made())], &[]);
    let both = demand("tcp 10.0.0.1\nudp 10.0.0.1");
    bench.expect(&both, &[(V4, made())], &[]);
    let mut counted = both.clone();
    counted.settings.as_mut().expect("settings").counters = true;
    bench.expect(&counted, &[(V4, made())], &[]);
    bench.expect(&demand("udp 10.0.0.1"), &[(V4, made())], &[(V4, made())]);
}

#[test]
fn addresses_keep_their_mark_until_ipvs_has_the_service_of_the_new_one() {
    let (old, new) = (demand("tcp 10.0.0.1\ntcp 10.0.0.2"), demand("tcp 10.0.0.2\ntcp 10.0.0.1"));
    let marks = |demand: &Demand| area::areas(&demand.claims, V4).into_values().collect::<Vec<_>>();
    assert_eq!(marks(&old), [1000, 1001]);
    assert_eq!(marks(&old.followed_by(&new)), [1000, 1001]);
    assert_eq!(marks(&new), [1001, 1000]);
    let mut bench = Bench::new();
    bench.expect(&old, &[(V4, made())], &[]);
    bench.expect(&new, &[], &[(V4, changed())]);
}

#[test]
fn demands_that_follow_each_other_fast_are_all_taken_in() {
    let mut bench = Bench::new();
    let inputs = ["tcp 10.0.0.1", "tcp 10.0.0.2", "tcp 10.0.0.3"].map(demand).map(Input::Want);
    for input in inputs {
        assert_eq!(bench.run([input]), []);
    }
    assert_eq!(bench.sent(), [(V4, made()), (V4, changed()), (V4, changed())]);
    assert_eq!(bench.run([Input::Settled]), []);
    assert_eq!(bench.sent(), [(V4, changed())]);
    bench.expect(&demand("tcp 10.0.0.3"), &[], &[]);
}

fn found(family: Family) -> Input {
    Input::Found { family, table: "keepalived_ipvs".to_owned() }
}

#[test]
fn a_table_of_an_earlier_run_is_replaced_or_removed() {
    let mut bench = Bench::new();
    let replaces = |family| Action::Replaces { family, table: "keepalived_ipvs".to_owned() };
    let seen = bench.run([found(V4), found(V6), Input::Want(demand("tcp 10.0.0.1"))]);
    assert_eq!(seen, [replaces(V4), replaces(V6)]);
    assert_eq!(bench.sent(), [(V4, made()), (V6, removed())]);
    let mut bench = Bench::new();
    assert_eq!(bench.run([found(V4), Input::Want(Demand::default())]), [replaces(V4)]);
    assert_eq!(bench.sent(), [(V4, removed())]);
}

#[test]
fn a_table_that_is_removed_externally_comes_back() {
    let mut bench = Bench::new();
    bench.expect(&demand("tcp 10.0.0.1"), &[(V4, made())], &[]);
    assert!(bench.marks.has_table());
    let missing = |after| Action::Missing { family: V4, after };
    assert_eq!(bench.run([Input::Vanished { family: V4 }]), [missing(Duration::ZERO)]);
    assert_eq!(bench.sent(), [(V4, made())]);
    // Or the next change finds it.
    bench.refusals.push(Refusal { errno: ENOENT, at: 1 });
    let seen = bench.run([Input::Want(demand("tcp 10.0.0.1 10.0.0.2"))]);
    assert_eq!(seen, [missing(Duration::ZERO)]);
    assert_eq!(bench.sent(), [(V4, changed()), (V4, made())]);
    assert_eq!(bench.run([Input::Vanished { family: V6 }]), [], "there is none");
    // The daemon does not fight with a program that removes it all the time.
    for _ in 0..3 {
        let _ = bench.run([Input::Vanished { family: V4 }]);
    }
    let until = bench.marks.next_deadline().expect("a delay");
    bench.sent();
    assert_eq!(bench.run([]), []);
    assert_eq!(bench.sent(), []);
    bench.now = until;
    assert_eq!(bench.run([]), []);
    assert_eq!(bench.sent(), [(V4, made())]);
}

#[test]
fn a_refusal_is_told_once_and_retried() {
    let mut bench = Bench::new();
    let refusal = || Refusal { errno: EOPNOTSUPP, at: 1 };
    bench.refusals.push(refusal());
    let seen = bench.run([Input::Want(demand("tcp 10.0.0.1"))]);
    let [Action::Refused { family: V4, what: Message::Table, errno: EOPNOTSUPP, again }] = seen[..]
    else {
        panic!("{seen:?}")
    };
    bench.refusals.push(refusal());
    bench.now += again;
    assert_eq!(bench.run([]), []);
    assert!(!bench.marks.has_table());
    // A reload does not wait.
    let seen = bench.run([Input::Settled, Input::Want(demand("tcp 10.0.0.1"))]);
    assert_eq!(seen, [Action::Recovered { family: V4 }]);
    assert_eq!(bench.sent(), [(V4, made()), (V4, made()), (V4, made())]);
    // One family does not depend on the other.
    bench.refusals.push(refusal());
    let seen = bench.run([Input::Settled, Input::Want(demand("tcp 10.0.0.2 fd00::1"))]);
    assert!(matches!(seen[..], [Action::Refused { family: V4, .. }]), "{seen:?}");
    assert_eq!(bench.sent(), [(V4, changed()), (V6, made())]);
}
