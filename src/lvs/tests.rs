//! Random virtual servers, random verdicts and reloads: what is true whatever happens.

use std::net::IpAddr;
use std::rc::Rc;

use super::*;
use crate::base::recalled::{RecalledCheck, RecalledServer};
use crate::base::rng::Rng;
use crate::base::sorted::SortedMap;
use crate::base::verdict::Reason;
use crate::model::check::{Check, Connect, Kind, Schedule};
use crate::model::lvs::tests::{real_server, virtual_server};
use crate::model::lvs::{Forwarding, SorryServer};

type Held = SortedMap<(IpAddr, u16), u32>;

/// The core with a kernel that does what it is asked to.
#[derive(Default)]
struct Bench {
    lvs: Domain,
    held: Held,
    /// Whether a virtual server was reported to be up.
    told: Option<bool>,
}

impl Bench {
    fn hand(&mut self, input: Input) {
        let mut out = Vec::new();
        self.lvs.handle(input, Instant::ZERO, &mut out);
        for action in out {
            match action {
                Action::Want(id) => self.held = wanted(self.lvs.service(id).expect("it is there")),
                Action::Put { server, weight } => {
                    self.held.insert(key(server.config()), weight);
                }
                Action::Withdraw(server) => {
                    self.held.remove(&key(server.config()));
                }
                Action::Release(_) => self.held.clear(),
                Action::QuorumChanged { up, starting, tally, .. } => {
                    assert!(starting || self.told != Some(up), "told twice");
                    assert_eq!(up, tally.weight >= tally.threshold && tally.weight > 0);
                    self.told = Some(up);
                }
                Action::WeightChanged { from, to, .. } => assert_ne!(from, to),
                _ => {}
            }
        }
    }

    /// After every fact.
    fn check(&self, id: ServiceId) {
        let service = self.lvs.service(id).expect("it is there");
        assert_eq!(self.told, Some(service.is_up()));
        assert_eq!(self.held, wanted(service), "piecemeal and as a whole");
        let sorry = service.config.sorry_server.as_ref();
        assert_eq!(service.is_sorry(), sorry.is_some() && !service.is_up());
        let weight = sorry.and_then(|s| self.held.get(&(s.addr, s.port)));
        if service.is_sorry() {
            assert_eq!(weight, Some(&1));
            assert!(self.held.values().filter(|w| **w > 0).count() == 1, "all others make room");
        } else {
            assert_eq!(weight, sorry.filter(|s| s.inhibit).map(|_| &0));
        }
        for (rs, server) in service.servers() {
            assert!(i32::try_from(server.weight()).is_ok(), "IPVS cannot take it");
            let held = self.held.get(&key(rs));
            assert_eq!(
                held.is_some(),
                rs.inhibit_on_failure || server.is_up() && !service.is_sorry()
            );
        }
    }
}

fn key(rs: &lvs::RealServer) -> (IpAddr, u16) {
    (rs.addr, rs.port)
}

fn wanted(service: &Service) -> Held {
    let mut map = Held::new();
    for one in service.wanted() {
        let (key, weight) = match one {
            Wanted::Server(rs, weight) => (key(rs), weight),
            Wanted::Sorry(rs, weight) => ((rs.addr, rs.port), weight),
        };
        map.entry(key).or_insert(weight);
    }
    map
}

fn number(rng: &mut Rng, low: u64, high: u64) -> u32 {
    u32::try_from(rng.between(low, high)).expect("small")
}

/// Every configuration is a reload of every other: same address, some of the same servers.
fn configuration(rng: &mut Rng) -> VirtualServer {
    let mut vs = virtual_server([10, 0, 0, 100], 80);
    for n in 1..=6 {
        if rng.one_in(3) {
            continue;
        }
        let mut rs = real_server([10, 0, 0, n], 80);
        rs.weight = number(rng, 0, 4);
        rs.inhibit_on_failure = rng.one_in(3);
        for port in 0..rng.between(0, 3) {
            let port = u16::try_from(port).expect("small");
            rs.checks.push(Rc::new(Check {
                kind: Kind::Tcp(Connect::to(rs.addr, port)),
                schedule: Schedule { retry: number(rng, 0, 2), ..Schedule::default() },
                alpha: rng.one_in(4),
                log_all_failures: false,
            }));
        }
        vs.servers.push(rs);
    }
    vs.quorum = number(rng, 1, 6);
    vs.hysteresis = number(rng, 0, vs.quorum.into());
    vs.omega = rng.one_in(2);
    vs.sorry_server = rng.one_in(2).then(|| SorryServer {
        addr: [10, 0, 0, 9].into(),
        port: 80,
        forwarding: Forwarding::Nat,
        inhibit: rng.one_in(2),
    });
    vs
}

fn checks(bench: &Bench, id: ServiceId) -> Vec<CheckId> {
    let service = bench.lvs.service(id).expect("it is there");
    service.servers().flat_map(|(_, s)| s.checks().iter().map(CheckSlot::id)).collect()
}

fn weight(rng: &mut Rng) -> Weight {
    match rng.between(0, 4) {
        0 => Weight::Instead(i64::from(number(rng, 0, 4))),
        1 => Weight::Plus(i64::from(number(rng, 0, 6)) - 3),
        _ => Weight::Unchanged,
    }
}

fn order(rng: &mut Rng) -> Option<ServerOrder> {
    match rng.between(0, 4) {
        0 => Some(ServerOrder::Drain),
        1 => Some(ServerOrder::Disable),
        2 => Some(ServerOrder::Weight(*rng.pick(&[0, 3, u32::MAX]))),
        _ => None,
    }
}

fn run(seed: u64) {
    let mut rng = Rng::new(seed);
    let mut bench = Bench::default();
    let id = bench.lvs.vacant_id();
    let mut config = configuration(&mut rng);
    bench.hand(Input::Add {
        id,
        config: Rc::new(config.clone()),
        recalled: RecalledService::default(),
    });
    bench.hand(Input::Start { init_notifies: rng.one_in(2) });
    bench.check(id);
    for _ in 0..60 {
        let list = checks(&bench, id);
        if rng.one_in(10) || list.is_empty() {
            config = configuration(&mut rng);
            bench.hand(Input::Adjust { id, config: Rc::new(config.clone()) });
        } else if rng.one_in(6) {
            // At times of a server that is not there.
            let index = usize::try_from(rng.between(0, 7)).expect("small");
            let order = order(&mut rng);
            bench.hand(Input::Order { id, index, order });
            let found = bench.lvs.service(id).and_then(|s| s.server(index));
            assert_eq!(
                found.and_then(|(_, server)| server.order()),
                order.filter(|_| found.is_some())
            );
        } else {
            let (check, weight) = (*rng.pick(&list), weight(&mut rng));
            let verdict = match rng.one_in(2) {
                true => Verdict::Up(weight),
                false => Verdict::Down(Reason::Overran),
            };
            bench.hand(Input::Verdict { check, page: 0, verdict });
        }
        bench.check(id);
    }
    for index in 0..config.servers.len() {
        bench.hand(Input::Order { id, index, order: None });
        bench.check(id);
    }
    for check in checks(&bench, id) {
        bench.hand(Input::Verdict { check, page: 0, verdict: Verdict::UP });
        bench.check(id);
    }
    let service = bench.lvs.service(id).expect("it is there");
    if !service.is_sorry() {
        let sorry = config.sorry_server.iter().filter(|s| s.inhibit);
        let configured: Held = config
            .servers
            .iter()
            .map(|rs| (key(rs), rs.weight))
            .chain(sorry.map(|s| ((s.addr, s.port), 0)))
            .collect();
        assert_eq!(bench.held, configured, "all are well");
    }
    let total: u64 = config.servers.iter().map(|rs| u64::from(rs.weight)).sum();
    assert_eq!(service.tally().weight, total);
    bench.hand(Input::Remove { id });
    assert_eq!(bench.held, Held::new());
}

#[test]
fn whatever_happens_the_pool_is_what_the_verdicts_say() {
    for seed in 0..2_000 {
        let result = std::panic::catch_unwind(|| run(seed));
        assert!(result.is_ok(), "seed {seed}");
    }
}

#[test]
fn numbers_are_given_again_and_late_verdicts_mean_nothing() {
    let mut bench = Bench::default();
    let first = bench.lvs.vacant_id();
    let mut vs = virtual_server([10, 0, 0, 100], 80);
    vs.servers.push(real_server([10, 0, 0, 1], 80));
    vs.servers[0].checks.push(Rc::new(Check {
        kind: Kind::Bfd("x".into()),
        schedule: Schedule::default(),
        alpha: true,
        log_all_failures: false,
    }));
    bench.hand(Input::Add { id: first, config: Rc::new(vs), recalled: RecalledService::default() });
    bench.hand(Input::Start { init_notifies: false });
    let check = checks(&bench, first)[0];
    assert_eq!(
        bench.lvs.server_of(check).map(|s| s.name().to_string()).as_deref(),
        Some("[10.0.0.1]:tcp:80")
    );
    bench.hand(Input::Remove { id: first });
    assert_eq!(bench.lvs.server_of(check), None);
    bench.hand(Input::Verdict { check, page: 0, verdict: Verdict::UP });
    assert_eq!(bench.lvs.vacant_id(), first);
}

#[test]
fn an_order_from_before_the_start_is_in_force_from_the_first() {
    let config = configuration(&mut Rng::new(1));
    for (order, is_up, weight) in [
        (ServerOrder::Disable, false, None),
        (ServerOrder::Drain, true, Some(0)),
        (ServerOrder::Weight(7), true, Some(7)),
    ] {
        let (mut domain, mut out) = (Domain::default(), Vec::new());
        let id = domain.vacant_id();
        let up = RecalledServer { was_up: Some(true), ..RecalledServer::default() };
        let recalled = RecalledService { quorum: None, servers: vec![up] };
        let config = Rc::new(config.clone());
        let mut hand = |input| domain.handle(input, Instant::ZERO, &mut out);
        hand(Input::Add { id, config, recalled });
        hand(Input::Order { id, index: 0, order: Some(order) });
        hand(Input::Start { init_notifies: false });
        let (_, server) = domain.service(id).and_then(|s| s.server(0)).expect("it was added");
        assert_eq!(server.is_up(), is_up, "{order}");
        assert!(weight.is_none_or(|weight| server.weight() == weight), "{order}");
        let is_change = |a: &Action| matches!(a, Action::WeightChanged { .. });
        assert!(!out.iter().any(is_change), "it is no news");
    }
}

#[test]
fn a_restart_by_command_changes_no_weight() {
    let at = Instant::from_millis;
    let config = configuration(&mut Rng::new(1));
    let check = RecalledCheck {
        was_up: true,
        had_run: true,
        weight: Weight::Instead(7),
        retries: 0,
        due: None,
        last: None,
        run: None,
    };
    let server = |rs: &lvs::RealServer| RecalledServer {
        was_up: Some(true),
        since: Some(at(1)),
        checks: rs.checks.iter().map(|_| Some(check.clone())).collect(),
    };
    let servers = config.servers.iter().map(server).collect();
    let recalled = RecalledService { quorum: Some((true, at(2))), servers };
    let mut domain = Domain::default();
    let id = domain.vacant_id();
    let mut hand = |input| domain.handle(input, at(9), &mut Vec::new());
    hand(Input::Add { id, config: Rc::new(config), recalled });
    hand(Input::Start { init_notifies: false });
    let service = domain.service(id).expect("it was added");
    assert_eq!((service.is_up(), service.since()), (true, at(2)));
    for (rs, server) in service.servers() {
        assert_eq!((server.is_up(), server.since()), (true, at(1)));
        let (configured, checks) = (i64::from(rs.weight), rs.checks.len());
        let sum = configured + (7 - configured) * i64::try_from(checks).expect("few");
        assert_eq!(i64::from(server.weight()), sum.max(0));
        assert!(server.checks().iter().all(CheckSlot::has_run));
    }
}
