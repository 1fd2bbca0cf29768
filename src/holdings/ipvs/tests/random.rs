//! Random requests, refusals and external changes: once everything is settled, the kernel holds the
//! wanted objects and, besides them, only foreign ones.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::base::addr::Family;

const ENOMEM: i32 = 12;

#[derive(Clone, Debug)]
enum Step {
    Want {
        owner: u32,
        services: Vec<(u32, bool)>,
        destinations: Vec<(u32, i32)>,
    },
    Put {
        owner: u32,
        destination: (u32, i32),
    },
    Withdraw {
        owner: u32,
        destination: u32,
    },
    Release {
        owner: u32,
    },
    Deadline,
    /// The kernel handles this many requests and refuses those whose bit is set.
    Send {
        count: usize,
        refuse: u8,
    },
    /// This many answers are delivered.
    Answer {
        count: usize,
    },
    Wait {
        seconds: u64,
    },
    /// An external change.
    Meddle(Request),
}

fn service_key(n: u32) -> ServiceKey {
    if n == 2 {
        ServiceKey::FwMark { family: Family::V4, mark: n }
    } else {
        key(n)
    }
}

fn service_of(n: u32, rr: bool) -> Service {
    Service { key: service_key(n), ..scheduled(n, if rr { "rr" } else { "wlc" }) }
}

/// One of three addresses. Every other destination uses a method that ignores the port.
fn destination_of(n: u32, weight: i32) -> Destination {
    let mut d = weighted(n / 2, weight);
    d.key.port = 80 + u16::try_from(n % 2).expect("a bit");
    if n % 4 > 1 {
        d.forwarding = Forwarding::Route;
    }
    d
}

fn a_request() -> impl Strategy<Value = Request> {
    // Numbers above 3 are never wanted.
    let service = (0..6u32, any::<bool>()).prop_map(|(n, rr)| service_of(n, rr));
    let key = (0..6u32).prop_map(service_key);
    let destination = (0..6u32, 0..3i32).prop_map(|(n, weight)| destination_of(n, weight));
    prop_oneof![
        3 => service.clone().prop_map(Request::AddService),
        1 => service.prop_map(Request::ChangeService),
        2 => key.clone().prop_map(Request::RemoveService),
        3 => (key.clone(), destination.clone()).prop_map(|(k, d)| Request::AddDestination(k, d)),
        1 => (key.clone(), destination.clone()).prop_map(|(k, d)| Request::ChangeDestination(k, d)),
        2 => (key, destination).prop_map(|(k, d)| Request::RemoveDestination(k, d.key)),
    ]
}

fn a_step() -> impl Strategy<Value = Step> {
    let services = prop::collection::vec((0..4u32, any::<bool>()), 0..4);
    let destinations = prop::collection::vec((0..6u32, 0..3i32), 0..5);
    prop_oneof![
        4 => (0..3u32, services, destinations).prop_map(|(owner, services, destinations)| {
            Step::Want { owner, services, destinations }
        }),
        2 => (0..3u32, (0..6u32, 0..3i32))
            .prop_map(|(owner, destination)| Step::Put { owner, destination }),
        2 => (0..3u32, 0..6u32)
            .prop_map(|(owner, destination)| Step::Withdraw { owner, destination }),
        1 => (0..3u32).prop_map(|owner| Step::Release { owner }),
        6 => Just(Step::Deadline),
        6 => (1..9usize, prop_oneof![3 => Just(0), 1 => any::<u8>()])
            .prop_map(|(count, refuse)| Step::Send { count, refuse }),
        6 => (1..9usize).prop_map(|count| Step::Answer { count }),
        1 => (0..40u64).prop_map(|seconds| Step::Wait { seconds }),
        1 => a_request().prop_map(Step::Meddle),
    ]
}

#[derive(Default)]
struct World {
    bench: Bench,
    queue: VecDeque<Request>,
    answers: VecDeque<(Request, i32)>,
}

impl World {
    fn on(&mut self, input: Input<'_>) {
        for action in self.bench.on(input) {
            if let Action::Ask(request) = action {
                self.queue.push_back(request);
            }
        }
    }

    fn send(&mut self, count: usize, refuse: u8) {
        for n in 0..count.min(self.queue.len()) {
            let request = self.queue.pop_front().expect("counted");
            let refused = refuse >> (n % 8) & 1 == 1;
            let errno = if refused { ENOMEM } else { self.bench.kernel.apply(&request) };
            self.answers.push_back((request, errno));
        }
    }

    fn answer(&mut self, count: usize) {
        for (request, errno) in
            self.answers.drain(..count.min(self.answers.len())).collect::<Vec<_>>()
        {
            self.on(Input::Answer { request: &request, errno });
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Want { owner, services, destinations } => {
                let services: Vec<_> = services.iter().map(|(n, rr)| service_of(*n, *rr)).collect();
                let destinations: Vec<_> =
                    destinations.iter().map(|(n, w)| destination_of(*n, *w)).collect();
                let owner = ServiceId(*owner);
                self.on(Input::Want { owner, services: &services, destinations: &destinations });
            }
            Step::Put { owner, destination: (n, weight) } => {
                let destination = destination_of(*n, *weight);
                self.on(Input::Put { owner: ServiceId(*owner), destination: &destination });
            }
            Step::Withdraw { owner, destination } => {
                let key = destination_of(*destination, 0).key;
                self.on(Input::Withdraw { owner: ServiceId(*owner), key });
            }
            Step::Release { owner } => self.on(Input::Release { owner: ServiceId(*owner) }),
            Step::Deadline => self.on(Input::Deadline),
            Step::Send { count, refuse } => self.send(*count, *refuse),
            Step::Answer { count } => self.answer(*count),
            Step::Wait { seconds } => self.bench.now += Duration::from_secs(*seconds),
            Step::Meddle(request) => {
                self.bench.kernel.apply(request);
            }
        }
    }

    /// Runs until nothing is left to do.
    fn quiet(&mut self) {
        for _ in 0..1000 {
            self.send(usize::MAX, 0);
            self.answer(usize::MAX);
            match self.bench.domain.next_deadline() {
                Some(when) => self.bench.now = self.bench.now.max(when),
                None if self.queue.is_empty() => return,
                None => {}
            }
            self.on(Input::Deadline);
        }
        panic!("it does not settle");
    }

    /// Expected contents of the kernel for all owners.
    fn wanted(&self) -> SortedMap<ServiceKey, (Service, SortedMap<DestinationKey, Destination>)> {
        let mut all = SortedMap::new();
        let domain = &self.bench.domain;
        for (id, owner) in &domain.owners {
            for key in &owner.services {
                let service = domain.objects[key].owners[id];
                let (_, list) = all.entry(*key).or_insert((service, SortedMap::new()));
                for d in owner.destinations.values().map(|d| d.behind(key)) {
                    list.entry(d.key).or_insert(d);
                }
            }
        }
        all
    }
}

proptest! {
    #[test]
    fn in_the_end_the_kernel_holds_what_is_wanted(
        steps in prop::collection::vec(a_step(), 1..60),
    ) {
        let mut w = World::default();
        let mut ever = SortedSet::new();
        for step in &steps {
            w.step(step);
            if let Step::Want { services, .. } = step {
                ever.extend(services.iter().map(|(n, _)| service_key(*n)));
            }
        }
        w.quiet();
        let dump = w.bench.kernel.dump();
        let foreign: SortedMap<_, _> = w.bench.kernel.services.clone().into_iter()
            .filter(|(key, _)| !ever.contains(key)).collect();
        w.on(Input::Dumped { services: &dump });
        w.quiet();
        let mut expected = w.wanted();
        // A removed object may have been added externally.
        let mut held = w.bench.kernel.services.clone();
        let wanted: SortedSet<_> = expected.keys().copied().collect();
        held.retain(|key, _| wanted.contains(key) || foreign.contains_key(key));
        expected.extend(foreign);
        prop_assert_eq!(held, expected);
        prop_assert!(!w.bench.domain.is_settling());
        let dump = w.bench.kernel.dump();
        w.on(Input::Dumped { services: &dump });
        w.on(Input::Deadline);
        prop_assert!(w.queue.is_empty(), "needless requests: {:?}", w.queue);
    }

    #[test]
    fn without_anybody_else_no_dump_is_needed(
        steps in prop::collection::vec(a_step(), 1..60),
    ) {
        let mut w = World::default();
        for step in steps.iter().filter(|s| !matches!(s, Step::Meddle(_))) {
            w.step(step);
        }
        w.quiet();
        prop_assert_eq!(&w.bench.kernel.services, &w.wanted());
        w.on(Input::ReleaseAll { flush: false });
        w.quiet();
        prop_assert!(w.bench.kernel.services.is_empty());
        prop_assert!(w.bench.domain.objects.is_empty());
    }
}
