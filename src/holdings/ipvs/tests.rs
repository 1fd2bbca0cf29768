use std::net::Ipv4Addr;

use super::*;
use crate::wire::netlink::ipvs::{Forwarding, Name, Protocol};

mod besides;
mod lowering;
mod random;

const A: ServiceId = ServiceId(0);
const B: ServiceId = ServiceId(1);

const ENOENT: i32 = 2;
const ESRCH: i32 = 3;
const EEXIST: i32 = 17;
const EINVAL: i32 = 22;

fn key(n: u32) -> ServiceKey {
    let addr = Ipv4Addr::from(0x0a00_0000 + n).into();
    ServiceKey::Address { protocol: Protocol::Tcp, addr, port: 80 }
}

fn scheduled(n: u32, scheduler: &str) -> Service {
    Service::new(key(n), Name::new(scheduler).expect("a name"))
}

fn service(n: u32) -> Service {
    scheduled(n, "wlc")
}

fn weighted(n: u32, weight: i32) -> Destination {
    Destination {
        key: DestinationKey { addr: Ipv4Addr::from(0x0b00_0000 + n).into(), port: 80 },
        forwarding: Forwarding::Masq,
        weight,
        upper_threshold: 0,
        lower_threshold: 0,
    }
}

fn dest(n: u32) -> Destination {
    weighted(n, 1)
}

/// The IPVS part of a simulated kernel.
#[derive(Default, Debug)]
struct Kernel {
    services: SortedMap<ServiceKey, (Service, SortedMap<DestinationKey, Destination>)>,
}

impl Kernel {
    fn apply(&mut self, request: &Request) -> i32 {
        match request {
            Request::AddService(s) if self.services.contains_key(&s.key) => return EEXIST,
            Request::AddService(s) => {
                self.services.insert(s.key, (*s, SortedMap::new()));
            }
            Request::ChangeService(s) => match self.services.get_mut(&s.key) {
                Some(found) => found.0 = *s,
                None => return ESRCH,
            },
            Request::RemoveService(key) => match self.services.remove(key) {
                Some(_) => {}
                None => return ESRCH,
            },
            Request::Flush => self.services.clear(),
            Request::AddDestination(key, d) => match self.services.get_mut(key) {
                Some((_, list)) if list.contains_key(&d.key) => return EEXIST,
                Some((_, list)) => {
                    list.insert(d.key, *d);
                }
                None => return ESRCH,
            },
            Request::ChangeDestination(key, d) => match self.services.get_mut(key) {
                Some((_, list)) if !list.contains_key(&d.key) => return ENOENT,
                Some((_, list)) => {
                    list.insert(d.key, *d);
                }
                None => return ESRCH,
            },
            Request::RemoveDestination(key, d) => match self.services.get_mut(key) {
                Some((_, list)) if !list.contains_key(d) => return ENOENT,
                Some((_, list)) => {
                    list.remove(d);
                }
                None => return ESRCH,
            },
            other => panic!("{other:?}"),
        }
        0
    }

    fn dump(&self) -> Vec<(Service, Vec<Destination>)> {
        self.services.values().map(|(s, list)| (*s, list.values().copied().collect())).collect()
    }
}

#[derive(Default)]
struct Bench {
    domain: Domain,
    kernel: Kernel,
    now: Instant,
}

impl Bench {
    fn on(&mut self, input: Input<'_>) -> Vec<Action> {
        let mut out = Vec::new();
        self.domain.handle(input, self.now, &mut out);
        self.domain.check_invariants();
        out
    }

    fn want(&mut self, owner: ServiceId, services: &[Service], destinations: &[Destination]) {
        assert_eq!(self.on(Input::Want { owner, services, destinations }), []);
    }

    /// Actions of the next deadline, if it is due.
    fn ask(&mut self) -> Vec<Action> {
        self.on(Input::Deadline)
    }

    /// Carries out and answers all requests. Returns them and the other actions.
    fn settle(&mut self) -> (Vec<Request>, Vec<Action>) {
        let (mut asked, mut told) = (Vec::new(), Vec::new());
        while self.domain.next_deadline().is_some_and(|when| when <= self.now) {
            let mut actions = self.ask();
            while !actions.is_empty() {
                let list = std::mem::take(&mut actions);
                for action in list {
                    let Action::Ask(request) = action else {
                        told.push(action);
                        continue;
                    };
                    let errno = self.kernel.apply(&request);
                    asked.push(request);
                    actions.extend(self.on(Input::Answer { request: &request, errno }));
                }
            }
        }
        (asked, told)
    }

    fn asked(&mut self) -> Vec<Request> {
        let (asked, told) = self.settle();
        assert_eq!(told, []);
        asked
    }

    fn dump(&mut self) -> Vec<Action> {
        let dump = self.kernel.dump();
        self.on(Input::Dumped { services: &dump })
    }
}

#[test]
fn a_service_comes_before_its_destinations() {
    let mut b = Bench::default();
    b.want(A, &[service(1)], &[dest(2), dest(1)]);
    assert_eq!(b.domain.next_deadline(), Some(b.now));
    let expected = [
        Request::AddService(service(1)),
        Request::AddDestination(key(1), dest(2)),
        Request::AddDestination(key(1), dest(1)),
    ];
    assert_eq!(b.asked(), expected);
    assert!(!b.domain.is_settling());
    b.want(A, &[service(1)], &[dest(2), dest(1)]);
    assert_eq!(b.domain.next_deadline(), None);
}

#[test]
fn only_differences_are_requested() {
    let mut b = Bench::default();
    b.want(A, &[service(1)], &[dest(1), dest(2), dest(3)]);
    b.settle();
    b.want(A, &[service(1)], &[dest(1), weighted(2, 5), dest(4)]);
    let expected = [
        Request::ChangeDestination(key(1), weighted(2, 5)),
        Request::AddDestination(key(1), dest(4)),
        Request::RemoveDestination(key(1), dest(3).key),
    ];
    assert_eq!(b.asked(), expected);
    b.want(A, &[scheduled(1, "rr")], &[dest(1), weighted(2, 5), dest(4)]);
    assert_eq!(b.asked(), [Request::ChangeService(scheduled(1, "rr"))]);
}

#[test]
fn a_single_destination_can_be_added_or_withdrawn() {
    let mut b = Bench::default();
    b.want(A, &[service(1), service(2)], &[dest(1)]);
    b.settle();
    b.on(Input::Put { owner: A, destination: &weighted(1, 7) });
    let expected = [1, 2].map(|n| Request::ChangeDestination(key(n), weighted(1, 7)));
    assert_eq!(b.asked(), expected);
    b.on(Input::Withdraw { owner: A, key: dest(1).key });
    assert_eq!(b.asked(), [1, 2].map(|n| Request::RemoveDestination(key(n), dest(1).key)));
    b.on(Input::Withdraw { owner: A, key: dest(1).key });
    assert_eq!(b.asked(), []);
}

#[test]
fn existing_services_are_adopted_and_foreign_ones_stay() {
    let mut b = Bench::default();
    for n in [1, 9] {
        b.kernel.apply(&Request::AddService(service(n)));
        b.kernel.apply(&Request::AddDestination(key(n), dest(1)));
        b.kernel.apply(&Request::AddDestination(key(n), dest(2)));
    }
    assert_eq!(b.dump(), []);
    b.want(A, &[service(1)], &[dest(2)]);
    assert_eq!(b.asked(), [Request::RemoveDestination(key(1), dest(1).key)]);
    b.on(Input::Release { owner: A });
    assert_eq!(b.asked(), [Request::RemoveService(key(1))]);
    assert!(b.kernel.services.contains_key(&key(9)));
}

#[test]
fn a_service_of_two_owners_has_the_destinations_of_both() {
    let mut b = Bench::default();
    b.kernel.apply(&Request::AddService(service(1)));
    b.kernel.apply(&Request::AddDestination(key(1), dest(1)));
    b.kernel.apply(&Request::AddDestination(key(1), dest(2)));
    b.dump();
    b.want(A, &[service(1)], &[dest(1), dest(3)]);
    b.want(B, &[service(1)], &[dest(2), dest(3)]);
    assert_eq!(b.asked(), [Request::AddDestination(key(1), dest(3))]);
    b.on(Input::Release { owner: A });
    assert_eq!(b.asked(), [Request::RemoveDestination(key(1), dest(1).key)]);
    b.on(Input::Release { owner: B });
    assert_eq!(b.asked(), [Request::RemoveService(key(1))]);
    assert!(b.domain.objects.is_empty());
}

#[test]
fn a_service_that_changes_hands_is_not_touched() {
    let mut b = Bench::default();
    b.want(A, &[service(1)], &[dest(1)]);
    b.settle();
    b.on(Input::Release { owner: A });
    b.want(B, &[service(1)], &[dest(1)]);
    assert_eq!(b.asked(), []);
}

#[test]
fn ports_that_the_method_ignores_make_one_destination() {
    let mut b = Bench::default();
    let mut first = dest(1);
    first.forwarding = Forwarding::Route;
    first.key.port = 81;
    let mut second = weighted(1, 9);
    second.forwarding = Forwarding::Route;
    second.key.port = 82;
    b.want(A, &[service(1)], &[second, first]);
    let behind = |d: Destination| d.behind(&key(1));
    let expected =
        [Request::AddService(service(1)), Request::AddDestination(key(1), behind(first))];
    assert_eq!(b.asked(), expected);
    b.on(Input::Withdraw { owner: A, key: first.key });
    assert_eq!(b.asked(), [Request::ChangeDestination(key(1), behind(second))]);
}

#[test]
fn a_refused_service_is_retried_with_growing_delays_and_its_destinations() {
    let mut b = Bench::default();
    b.want(A, &[scheduled(1, "none")], &[dest(1)]);
    let mut delays = Vec::new();
    for _ in 0..7 {
        let actions = b.ask();
        let [Action::Ask(add), Action::Ask(add_dest)] = actions[..] else { panic!("{actions:?}") };
        let told = b.on(Input::Answer { request: &add, errno: ENOENT });
        let [Action::Refused { request, errno: ENOENT, delay: Some(delay) }] = told[..] else {
            panic!("{told:?}")
        };
        assert_eq!(request, add);
        assert_eq!(b.on(Input::Answer { request: &add_dest, errno: ESRCH }), []);
        assert_eq!(b.ask(), []);
        assert_eq!(b.domain.next_deadline(), Some(b.now + delay));
        delays.push(delay.as_secs());
        b.now += delay;
    }
    assert_eq!(delays, [1, 2, 4, 8, 16, 30, 30]);
    // Another form is wanted, so there is no delay.
    b.ask();
    b.on(Input::Answer { request: &Request::AddService(scheduled(1, "none")), errno: ENOENT });
    let request = Request::AddDestination(key(1), dest(1));
    b.on(Input::Answer { request: &request, errno: ESRCH });
    b.want(A, &[service(1)], &[dest(1)]);
    assert_eq!(b.asked(), [Request::AddService(service(1)), request]);
}

#[test]
fn a_refused_destination_does_not_hold_up_the_others() {
    let mut b = Bench::default();
    b.want(A, &[service(1)], &[dest(1), dest(2)]);
    for action in b.ask() {
        let Action::Ask(request) = action else { panic!("{action:?}") };
        let bad = request == Request::AddDestination(key(1), dest(1));
        let told = b.on(Input::Answer { request: &request, errno: if bad { EINVAL } else { 0 } });
        let refused =
            Action::Refused { request, errno: EINVAL, delay: Some(Duration::from_secs(1)) };
        assert_eq!(told, if bad { vec![refused] } else { vec![] });
    }
    assert_eq!(b.ask(), []);
    b.now += Duration::from_secs(1);
    assert_eq!(b.ask(), [Action::Ask(Request::AddDestination(key(1), dest(1)))]);
}

#[test]
fn an_external_flush_is_noticed_and_repaired() {
    let mut b = Bench::default();
    b.want(A, &[service(1)], &[dest(1), dest(2)]);
    b.settle();
    b.kernel.services.clear();
    b.on(Input::Put { owner: A, destination: &weighted(1, 3) });
    let (asked, told) = b.settle();
    let expected = [
        Request::ChangeDestination(key(1), weighted(1, 3)),
        Request::AddService(service(1)),
        Request::AddDestination(key(1), weighted(1, 3)),
        Request::AddDestination(key(1), dest(2)),
    ];
    assert_eq!(asked, expected);
    assert_eq!(told, [Action::Missing { service: key(1), destination: None }]);
}

#[test]
fn a_dump_shows_what_is_missing() {
    let mut b = Bench::default();
    b.want(A, &[service(1), service(2)], &[dest(1), dest(2)]);
    b.settle();
    b.kernel.services.remove(&key(1));
    b.kernel.apply(&Request::RemoveDestination(key(2), dest(1).key));
    b.kernel.apply(&Request::AddDestination(key(2), dest(5)));
    let missing = |n, destination| Action::Missing { service: key(n), destination };
    assert_eq!(b.dump(), [missing(1, None), missing(2, Some(dest(1).key))]);
    let asked = b.asked();
    assert_eq!(asked.len(), 5, "{asked:?}");
    let kernel = b.kernel.dump();
    assert_eq!(kernel.len(), 2);
    assert!(kernel.iter().all(|(_, list)| *list == [dest(1), dest(2)]));
}

#[test]
fn an_existing_object_is_changed_to_its_wanted_form() {
    let mut b = Bench::default();
    b.kernel.apply(&Request::AddService(scheduled(1, "rr")));
    b.kernel.apply(&Request::AddDestination(key(1), weighted(1, 9)));
    b.want(A, &[service(1)], &[dest(1)]);
    b.asked();
    assert_eq!(b.kernel.dump(), [(service(1), vec![dest(1)])]);
}

#[test]
fn an_object_wanted_during_its_removal_is_added_again() {
    let mut b = Bench::default();
    b.want(A, &[service(1)], &[dest(1)]);
    b.settle();
    b.on(Input::Release { owner: A });
    let remove = Request::RemoveService(key(1));
    assert_eq!(b.ask(), [Action::Ask(remove)]);
    b.want(A, &[service(1)], &[dest(2)]);
    assert_eq!(b.ask(), []);
    let errno = b.kernel.apply(&remove);
    b.on(Input::Answer { request: &remove, errno });
    assert_eq!(
        b.asked(),
        [Request::AddService(service(1)), Request::AddDestination(key(1), dest(2))]
    );
}

#[test]
fn a_service_whose_removal_failed_is_corrected_when_it_is_wanted_again() {
    let mut b = Bench::default();
    b.want(A, &[service(1)], &[dest(1)]);
    b.settle();
    b.on(Input::Release { owner: A });
    let remove = Request::RemoveService(key(1));
    assert_eq!(b.ask(), [Action::Ask(remove)]);
    b.want(A, &[service(1)], &[dest(2)]);
    assert_eq!(b.ask(), []);
    let told = b.on(Input::Answer { request: &remove, errno: EINVAL });
    assert!(matches!(told[..], [Action::Refused { .. }]), "{told:?}");
    b.asked();
    assert_eq!(b.kernel.dump(), [(service(1), vec![dest(2)])]);
}

#[test]
fn only_our_services_are_removed_at_the_end() {
    let mut b = Bench::default();
    b.kernel.apply(&Request::AddService(service(9)));
    b.dump();
    b.want(A, &[service(1)], &[dest(1)]);
    b.want(B, &[service(2)], &[]);
    b.settle();
    let actions = b.on(Input::ReleaseAll { flush: false });
    assert_eq!(actions, [1, 2].map(|n| Action::Ask(Request::RemoveService(key(n)))));
    assert!(b.domain.is_settling());
    b.on(Input::Answer { request: &Request::RemoveService(key(1)), errno: 0 });
    let request = Request::RemoveService(key(2));
    let told = b.on(Input::Answer { request: &request, errno: EINVAL });
    assert_eq!(told, [Action::Refused { request, errno: EINVAL, delay: None }]);
    assert!(!b.domain.is_settling());
    assert_eq!(b.domain.next_deadline(), None);
}

#[test]
fn everything_can_be_flushed_at_the_end() {
    let mut b = Bench::default();
    b.want(A, &[service(1)], &[dest(1)]);
    b.settle();
    assert_eq!(b.on(Input::ReleaseAll { flush: true }), [Action::Ask(Request::Flush)]);
    assert_eq!(b.on(Input::Answer { request: &Request::Flush, errno: 0 }), []);
    assert_eq!(b.asked(), []);
    assert!(b.domain.objects.is_empty() && !b.domain.is_settling());
}

#[test]
fn after_a_refused_flush_services_are_removed_individually() {
    let mut b = Bench::default();
    b.want(A, &[service(1)], &[dest(1)]);
    b.settle();
    b.on(Input::ReleaseAll { flush: true });
    let told = b.on(Input::Answer { request: &Request::Flush, errno: EINVAL });
    assert_eq!(told[1..], [Action::Ask(Request::RemoveService(key(1)))]);
}

#[test]
fn many_destinations_cost_one_request_each() {
    let mut b = Bench::default();
    let owners: Vec<_> = (0..200)
        .map(|n| {
            let list: Vec<_> = (0..18).map(|d| dest(n * 100 + d)).collect();
            (ServiceId(n), service(n), list)
        })
        .collect();
    for (owner, s, list) in &owners {
        b.domain.handle(
            Input::Want { owner: *owner, services: &[*s], destinations: list },
            b.now,
            &mut Vec::new(),
        );
    }
    let mut out = Vec::new();
    b.domain.handle(Input::Deadline, b.now, &mut out);
    assert_eq!(out.len(), 200 * 19);
    for action in &out {
        let Action::Ask(request) = action else { panic!("{action:?}") };
        let mut none = Vec::new();
        b.domain.handle(Input::Answer { request, errno: 0 }, b.now, &mut none);
        assert_eq!(none, []);
    }
    b.domain.check_invariants();
    assert!(!b.domain.is_settling());
    assert_eq!(b.on(Input::ReleaseAll { flush: false }).len(), 200);
}
