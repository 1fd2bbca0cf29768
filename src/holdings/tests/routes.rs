//! Routes and rules against a simulated kernel.

use std::rc::Rc;

use super::*;
use crate::base::addr::{Family, PROTOCOL_KEEPALIVED};
use crate::base::rng::Rng;
use crate::base::route::{NextHop, Route};
use crate::base::rule::{Rule, RuleAction};
use crate::holdings::fib::{as_listed, is_same_route};
use crate::model::route::{Origin, Placement, VirtualRoute, VirtualRule};

const ESRCH: i32 = 3;
const ENOENT: i32 = 2;

/// Routes and rules of the simulated kernel, of any origin.
#[derive(Default)]
pub(super) struct KernelFib {
    routes: Vec<Route<u32>>,
    rules: Vec<Rule>,
    /// The interfaces that are down.
    down: SortedSet<u32>,
}

/// `10.1.0.0/16 via 10.0.0.254 dev eth0`.
pub(super) fn route(text: &str) -> VirtualRoute {
    let words: Vec<_> = text.split(' ').collect();
    let after = |word: &str| words.iter().position(|w| *w == word).map(|at| words[at + 1]);
    let destination = parsed(words[0]);
    let via = after("via").map(|via| via.parse().unwrap());
    let hop = NextHop::plain(via, after("dev").map(str::to_owned));
    let mut route = Route::plain(destination);
    route.source = after("src").map(|src| src.parse().unwrap());
    route.metric = after("metric").map(|metric| metric.parse().unwrap());
    route.next_hops = vec![hop];
    route.metrics.values.extend(after("mtu").map(|mtu| (2, mtu.parse().unwrap())));
    VirtualRoute {
        route,
        placement: Placement::First,
        no_track: words.contains(&"no_track"),
        origin: Origin(Rc::from("keepalived.conf:1")),
    }
}

pub(super) fn rule(from: &str, priority: u32, table: u32) -> VirtualRule {
    VirtualRule {
        rule: Rule {
            from: Some(parsed(from)),
            ..Rule::plain(Family::V4, priority, RuleAction::Table(table))
        },
        no_track: false,
        origin: Origin(Rc::from("keepalived.conf:2")),
    }
}

fn objects(routes: &[VirtualRoute]) -> Vec<KernelObject> {
    routes.iter().map(|route| KernelObject::Route(Rc::new(route.clone()))).collect()
}

impl Bench {
    pub(super) fn carry_out_in_fib(&mut self, op: &Op) -> i32 {
        let named = |route: &Route<u32>| route.translated(|i| Some(format!("#{i}"))).unwrap();
        let (sign, text) = match op {
            Op::Add(Item::Route(route, _)) => ('+', named(route).to_string()),
            Op::Remove(Item::Route(route, _)) => ('-', named(route).to_string()),
            Op::Add(Item::Rule(rule)) => ('+', rule.to_string()),
            Op::Remove(Item::Rule(rule)) => ('-', rule.to_string()),
            other => unreachable!("{other:?}"),
        };
        self.asked.push(format!("{sign}{text}"));
        if self.refusal != 0 && sign == '+' {
            return self.refusal;
        }
        match op {
            Op::Add(Item::Route(route, _)) => self.add_route(route),
            Op::Remove(Item::Route(route, _)) => {
                let before = self.fib.routes.len();
                self.fib.routes.retain(|known| {
                    known.protocol != route.protocol || !is_same_route(route, known)
                });
                if self.fib.routes.len() < before {
                    0
                } else {
                    ESRCH
                }
            }
            Op::Add(Item::Rule(rule)) => {
                if self.fib.rules.contains(rule) {
                    return EEXIST;
                }
                self.fib.rules.push((**rule).clone());
                0
            }
            Op::Remove(Item::Rule(rule)) => {
                let listed = as_listed(rule);
                let before = self.fib.rules.len();
                self.fib.rules.retain(|known| as_listed(known) != listed);
                if self.fib.rules.len() < before {
                    0
                } else {
                    ENOENT
                }
            }
            _ => unreachable!("named above"),
        }
    }

    /// The kernel chooses the interface of a gateway.
    fn as_stored(&self, route: &Route<u32>) -> Route<u32> {
        let mut stored = route.clone();
        for hop in &mut stored.next_hops {
            hop.link = hop.link.or_else(|| self.links.get("eth0").copied());
        }
        stored
    }

    fn add_route(&mut self, route: &Route<u32>) -> i32 {
        let stored = self.as_stored(route);
        let there = |link: &u32| self.links.values().any(|known| known == link);
        if !stored.links().all(there) {
            return ENODEV;
        }
        if stored.links().any(|link| self.fib.down.contains(link)) {
            return 100;
        }
        if self.fib.routes.contains(&stored) {
            return EEXIST;
        }
        self.fib.routes.insert(0, stored);
        0
    }

    fn list_fib(&mut self) -> Vec<Action> {
        let ours = |route: &&Route<u32>| route.protocol == PROTOCOL_KEEPALIVED;
        let routes = self.fib.routes.iter().filter(ours).cloned().collect();
        self.on(Input::Fib(Fib::dumped(routes, self.fib.rules.clone())))
    }

    fn drop_route(&mut self, text: &str) -> Vec<Action> {
        let gone = route(text).route.translated(|name| self.links.get(name).copied()).unwrap();
        let at = self.fib.routes.iter().position(|known| is_same_route(&gone, known));
        let gone = self.fib.routes.remove(at.expect("it is there"));
        self.on(Input::Kernel(KernelEvent::RouteGone(Box::new(gone))))
    }

    /// Takes the interface down, which drops its routes without notice, and up.
    fn flap(&mut self, name: &str) -> Vec<Action> {
        let index = self.links[name];
        self.fib.routes.retain(|known| known.links().all(|link| *link != index));
        let mut said = Vec::new();
        for up in [false, true] {
            let link = Link { up, ..Link::plain(index, name) };
            said.extend(self.on(Input::Kernel(KernelEvent::Link(link))));
        }
        said
    }

    fn want_routes(&mut self, owner: Holder, texts: &[&str]) -> Vec<Action> {
        let routes: Vec<_> = texts.iter().map(|text| route(text)).collect();
        self.on(Input::Want { owner, objects: &objects(&routes) })
    }
}

#[test]
fn routes_follow_addresses_and_rules_follow_routes() {
    let mut b = Bench::new();
    let there = rule("10.9.0.0/16", 500, 100);
    let mut all = objects(&[route("10.1.0.0/16 via 10.0.0.254 dev eth0")]);
    all.insert(0, KernelObject::Rule(Rc::new(there)));
    all.push(KernelObject::from(&nth(1)));
    assert_eq!(b.on(Input::Want { owner: A, objects: &all }), [Action::Held(A)]);
    let expected = [
        "10.0.0.1/24 1",
        "10.1.0.0/16 via 10.0.0.254 dev #1",
        "from 10.9.0.0/16 priority 500 table 100",
    ];
    assert_eq!(b.asked(), expected.map(|text| format!("+{text}")));
    b.on(Input::Release { owner: A });
    let mut reversed = expected.map(|text| format!("-{text}"));
    reversed.reverse();
    assert_eq!(b.asked(), reversed);
    assert!(b.fib.routes.is_empty() && b.fib.rules.is_empty());
}

/// Its addresses would be announced again.
#[test]
fn another_route_alone_is_no_news_for_the_owner() {
    let mut b = Bench::new();
    let want = |b: &mut Bench, metric: u32| {
        let mut all = objects(&[route(&format!("10.1.0.0/16 dev eth0 metric {metric}"))]);
        all.push(KernelObject::from(&nth(1)));
        b.on(Input::Want { owner: A, objects: &all })
    };
    assert_eq!(want(&mut b, 1), [Action::Held(A)]);
    assert_eq!(want(&mut b, 2), []);
    assert_eq!(b.fib.routes.len(), 1);
}

#[test]
fn owners_do_not_wait_for_routes() {
    let mut b = Bench::new();
    let mut all = objects(&[route("10.1.0.0/16 dev eth9")]);
    all.push(KernelObject::from(&nth(1)));
    assert_eq!(b.on(Input::Want { owner: A, objects: &all }), [Action::Held(A)]);
    assert_eq!(b.asked(), ["+10.0.0.1/24 1"]);
    // The interface comes later.
    b.links.insert("eth9".into(), 9);
    b.on(link(9, "eth9"));
    assert_eq!(b.asked(), ["+10.1.0.0/16 dev #9"]);
}

#[test]
fn a_route_that_was_removed_externally_is_restored_unless_it_is_not_tracked() {
    let mut b = Bench::new();
    let plain = "10.1.0.0/16 via 10.0.0.254 dev eth0";
    b.want_routes(A, &[plain, "10.2.0.0/16 dev eth0 no_track"]);
    b.asked();
    let said = b.drop_route(plain);
    assert!(
        matches!(&said[..], [Action::Missing { owner: A, restore: Restore::Now, .. }]),
        "{said:?}"
    );
    assert_eq!(b.asked(), ["+10.1.0.0/16 via 10.0.0.254 dev #1"]);
    let said = b.drop_route("10.2.0.0/16 dev eth0");
    assert!(matches!(&said[..], [Action::Missing { restore: Restore::Never, .. }]), "{said:?}");
    assert_eq!(b.asked(), [""; 0]);
}

#[test]
fn a_flap_restores_the_routes_that_the_kernel_dropped() {
    let mut b = Bench::new();
    b.want_routes(A, &["10.1.0.0/16 dev eth0", "10.2.0.0/16 dev eth1", "10.3.0.0/16 via 10.0.0.9"]);
    b.asked();
    let said = b.flap("eth0");
    let is_restored = |a: &&Action| matches!(a, Action::Missing { restore: Restore::Done, .. });
    let restored = said.iter().filter(is_restored).count();
    assert_eq!(restored, 2, "{said:?}");
    assert_eq!(b.fib.routes.len(), 3);
    // One through another interface is not touched.
    assert!(!b.asked().iter().any(|asked| asked.contains("10.2.")));
    // A second flap within a second is served a second later.
    b.flap("eth0");
    assert_eq!(b.fib.routes.len(), 1);
    b.now = b.domain.next_deadline().expect("a verification");
    b.on(Input::Deadline);
    assert_eq!(b.fib.routes.len(), 3);
    assert_eq!(b.domain.next_deadline(), None);
}

/// The kernel reports the end of IPv6 routes.
#[test]
fn an_untracked_route_that_was_dropped_with_its_interface_returns() {
    let mut b = Bench::new();
    b.want_routes(A, &["fd01::/64 dev eth0 no_track"]);
    let down = Link { up: false, ..Link::plain(1, "eth0") };
    b.on(Input::Kernel(KernelEvent::Link(down)));
    assert_eq!(b.drop_route("fd01::/64 dev eth0"), []);
    b.asked();
    b.on(link(1, "eth0"));
    assert_eq!(b.asked(), ["+fd01::/64 dev #1"]);
}

#[test]
fn a_route_whose_interface_is_down_is_added_when_it_comes_up() {
    let mut b = Bench::new();
    b.fib.down.insert(1);
    b.on(Input::Kernel(KernelEvent::Link(Link { up: false, ..Link::plain(1, "eth0") })));
    assert_eq!(b.want_routes(A, &["10.1.0.0/16 dev eth0"]), [Action::Held(A)], "no complaint");
    assert!(b.fib.routes.is_empty());
    b.fib.down.clear();
    b.on(link(1, "eth0"));
    assert_eq!(b.fib.routes.len(), 1);
}

#[test]
fn routes_of_an_earlier_run_are_adopted_changed_or_removed() {
    let mut b = Bench::new();
    let left = ["10.1.0.0/16 dev eth0", "10.2.0.0/16 via 10.0.0.8", "10.3.0.0/16 dev eth0"];
    for text in left {
        let numbered = route(text).route.translated(|name| b.links.get(name).copied()).unwrap();
        b.add_route(&numbered);
    }
    b.list_fib();
    assert_eq!(b.asked(), [""; 0]);
    let now = ["10.1.0.0/16 dev eth0", "10.2.0.0/16 via 10.0.0.9", "10.3.0.0/16 dev eth0 mtu 1400"];
    b.want_routes(A, &now);
    assert_eq!(
        b.asked(),
        [
            "+10.2.0.0/16 via 10.0.0.9",
            "-10.3.0.0/16 dev #1",
            "+10.3.0.0/16 dev #1 mtu 1400",
            "-10.2.0.0/16 via 10.0.0.8 dev #1",
        ]
    );
    assert_eq!(b.fib.routes.len(), 3);
    // Nothing changed: nothing is written.
    b.want_routes(A, &now);
    b.list_fib();
    assert_eq!(b.asked(), [""; 0]);
}

#[test]
fn a_backup_keeps_what_is_left_until_another_router_is_master() {
    let mut b = Bench::new();
    let text = "10.1.0.0/16 dev eth0";
    let numbered = route(text).route.translated(|name| b.links.get(name).copied()).unwrap();
    b.add_route(&numbered);
    b.fib.rules.push(rule("10.9.0.0/16", 500, 100).rule);
    b.list_fib();
    let mut all = objects(&[route(text)]);
    all.push(KernelObject::Rule(Rc::new(rule("10.9.0.0/16", 500, 100))));
    b.on(Input::Expect { owner: A, objects: &all });
    assert_eq!(b.asked(), [""; 0]);
    b.on(Input::Rival { owner: A });
    assert_eq!(b.asked(), ["-from 10.9.0.0/16 priority 500 table 100", "-10.1.0.0/16 dev #1"]);
    assert!(b.fib.routes.is_empty() && b.fib.rules.is_empty());
}

#[test]
fn foreign_routes_and_rules_are_used_and_stay() {
    let mut b = Bench::new();
    let mut foreign = route("fd01::/64 dev eth0").route;
    foreign.metric = Some(1024);
    let foreign = foreign.translated(|name| b.links.get(name).copied()).unwrap();
    b.fib.routes.push(Route { protocol: 3, ..foreign });
    b.list_fib();
    // IPv6 refuses a second route through the same path.
    b.refusal = EEXIST;
    assert_eq!(b.want_routes(A, &["fd01::/64 dev eth0"]), [Action::Held(A)]);
    b.refusal = 0;
    b.asked();
    b.on(Input::Release { owner: A });
    assert_eq!(b.asked(), [""; 0]);
    assert_eq!(b.fib.routes.len(), 1);
}

#[test]
fn an_ipv6_route_without_metric_is_known_by_the_one_that_the_kernel_chose() {
    let mut b = Bench::new();
    b.want_routes(A, &["fd01::/64 dev eth0"]);
    let mut shown = route("fd01::/64 dev eth0").route;
    shown.metric = Some(1024);
    let shown = shown.translated(|name| b.links.get(name).copied()).unwrap();
    b.fib.routes = vec![shown.clone()];
    b.asked();
    b.list_fib();
    assert_eq!(b.asked(), [""; 0], "it is the same");
    b.fib.routes.clear();
    b.on(Input::Kernel(KernelEvent::RouteGone(Box::new(shown))));
    assert_eq!(b.asked(), ["+fd01::/64 dev #1"]);
}

#[test]
fn a_refused_route_is_reported_with_its_line_and_retried() {
    let mut b = Bench::new();
    b.refusal = 101;
    let said = b.want_routes(A, &["10.1.0.0/16 via 10.7.0.1"]);
    let refused = said.iter().find_map(|action| match action {
        Action::Refused { owner: Some(A), what, errno: 101, .. } => Some(what.to_string()),
        _ => None,
    });
    assert_eq!(refused.as_deref(), Some("route 10.1.0.0/16 via 10.7.0.1 (keepalived.conf:1)"));
    assert!(b.domain.next_deadline().is_some());
    // The address that makes the gateway reachable arrives.
    b.refusal = 0;
    b.add(&address("10.7.0.2/24"));
    assert_eq!(b.fib.routes.len(), 1);
}

#[test]
fn a_renamed_interface_loses_the_routes_of_its_name() {
    let mut b = Bench::new();
    b.want_routes(A, &["10.1.0.0/16 dev eth0"]);
    b.asked();
    b.rename("eth0", "old");
    assert_eq!(b.asked(), ["-10.1.0.0/16 dev #1"]);
    b.rename("eth1", "eth0");
    assert_eq!(b.asked(), ["+10.1.0.0/16 dev #2"]);
}

#[test]
fn the_kernel_drops_routes_with_their_source_address() {
    let mut b = Bench::new();
    b.add(&nth(7));
    b.add(&nth(8));
    b.want_routes(A, &["10.1.0.0/16 dev eth0 src 10.0.0.7", "10.2.0.0/16 dev eth0"]);
    b.fib.routes.retain(|route| route.source.is_none());
    b.asked();
    b.remove(&nth(7));
    assert_eq!(b.asked(), ["+10.1.0.0/16 src 10.0.0.7 dev #1"]);
}

/// Without notice.
#[test]
fn the_kernel_drops_ipv4_routes_with_the_last_ipv4_address_of_their_interface() {
    let mut b = Bench::new();
    b.want(B, &[nth(7)]);
    b.want_routes(A, &["10.2.0.0/16 dev eth0"]);
    b.on(Input::Release { owner: B });
    assert_eq!(b.asked().last().map(String::as_str), Some("+10.2.0.0/16 dev #1"));
}

#[test]
fn a_rule_that_another_owner_wants_before_its_removal_is_added_again() {
    let mut b = Bench::new();
    let objects = [KernelObject::Rule(Rc::new(rule("10.9.0.0/16", 500, 100)))];
    b.on(Input::Want { owner: A, objects: &objects });
    let mut out = Vec::new();
    b.domain.handle(Input::Release { owner: A }, b.now, &mut out);
    b.domain.handle(Input::Want { owner: B, objects: &objects }, b.now, &mut out);
    let asked = out.iter().filter(|action| matches!(action, Action::Ask(_))).count();
    assert_eq!(asked, 2, "{out:?}");
}

/// Few routes, so that they collide.
fn pick(rng: &mut Rng) -> VirtualRoute {
    let destination = *rng.pick(&["10.1.0.0/16", "10.2.0.0/16", "0.0.0.0/0"]);
    let via = *rng.pick(&["", " via 10.0.0.254"]);
    let metric = *rng.pick(&["", " metric 5"]);
    let dev = *rng.pick(&["eth0", "eth1"]);
    let mtu = *rng.pick(&["", "", " mtu 1400"]);
    route(&format!("{destination}{via} dev {dev}{metric}{mtu}"))
}

fn wants(rng: &mut Rng) -> Vec<VirtualRoute> {
    let mut list: Vec<VirtualRoute> = Vec::new();
    for _ in 0..rng.between(0, 4) {
        let route = pick(rng);
        let key = |route: &VirtualRoute| KernelObject::Route(Rc::new(route.clone())).key();
        if list.iter().all(|known| key(known) != key(&route)) {
            list.push(route);
        }
    }
    list
}

#[test]
fn whatever_happens_to_routes() {
    for seed in 0..2000 {
        let (mut b, mut rng) = (Bench::new(), Rng::new(seed));
        let mut wanted: SortedMap<Holder, Vec<VirtualRoute>> = SortedMap::new();
        let foreign = Route { protocol: 4, ..route("10.2.0.0/16 dev eth0").route };
        let foreign = foreign.translated(|name| b.links.get(name).copied()).unwrap();
        b.fib.routes.push(foreign.clone());
        for _ in 0..rng.between(1, 25) {
            let owner = *rng.pick(&[A, B]);
            match rng.between(0, 9) {
                0..=3 => {
                    let list = wants(&mut rng);
                    b.on(Input::Want { owner, objects: &objects(&list) });
                    wanted.insert(owner, list);
                }
                4 => {
                    b.on(Input::Release { owner });
                    wanted.remove(&owner);
                }
                5 => {
                    let ours = |r: &&Route<u32>| r.protocol == PROTOCOL_KEEPALIVED;
                    let list: Vec<_> = b.fib.routes.iter().filter(ours).cloned().collect();
                    if !list.is_empty() {
                        let gone = rng.pick(&list).clone();
                        b.fib.routes.retain(|known| *known != gone);
                        b.on(Input::Kernel(KernelEvent::RouteGone(Box::new(gone))));
                    }
                }
                6 => {
                    let name = *rng.pick(&["eth0", "eth1"]);
                    let index = b.links[name];
                    b.flap(name);
                    if foreign.links().any(|link| *link == index) {
                        b.fib.routes.retain(|known| *known != foreign);
                        b.fib.routes.push(foreign.clone());
                    }
                }
                7 => {
                    b.list_fib();
                }
                _ => b.refusal = *rng.pick(&[0, 0, EPERM]),
            }
            b.now += Duration::from_millis(rng.between(1, 5000));
            b.on(Input::Deadline);
        }
        b.refusal = 0;
        while let Some(next) = b.domain.next_deadline() {
            b.now = b.now.max(next);
            b.on(Input::Deadline);
        }
        let wanted = wanted.values().flatten();
        let numbered = |r: &VirtualRoute| r.route.translated(|name| b.links.get(name).copied());
        let wanted: Vec<_> = wanted.filter_map(numbered).collect();
        for route in &wanted {
            let found = b.fib.routes.iter().any(|known| is_same_route(route, known));
            assert!(found, "seed {seed}: {route:?} is missing");
        }
        for known in b.fib.routes.iter().filter(|r| **r != foreign) {
            let found = wanted.iter().any(|route| is_same_route(route, known));
            assert!(found, "seed {seed}: {known:?} is left");
        }
        assert!(b.fib.routes.contains(&foreign), "seed {seed}");
    }
}

#[test]
fn a_wanted_route_follows_a_foreign_one_that_stood_for_it() {
    let mut b = Bench::new();
    b.refusal = EEXIST;
    b.want_routes(A, &["fd01::/64 dev eth0"]);
    b.asked();
    let later = Duration::from_secs(5);
    b.wait(later);
    assert_eq!(b.asked(), ["+fd01::/64 dev #1"], "it may be gone");
    b.refusal = 0;
    let said = b.wait(later);
    assert_eq!(b.asked(), ["+fd01::/64 dev #1"]);
    assert!(matches!(said[..], [Action::Missing { restore: Restore::Done, .. }]), "{said:?}");
    b.wait(later);
    assert_eq!(b.asked(), [""; 0]);
    b.on(Input::Release { owner: A });
    assert_eq!(b.asked(), ["-fd01::/64 dev #1"]);
}
