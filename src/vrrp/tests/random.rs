//! What holds whatever comes in, in whatever order.

use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use proptest::prelude::*;

use crate::base::ids::InstanceId;
use crate::base::name::SharedName;
use crate::base::sorted::SortedMap;
use crate::base::time::{Duration, Instant, WallTime};
use crate::base::tracked::{Finding, RunEnd};
use crate::model::track::{Object, Tracked};
use crate::model::vrrp::{tests::instance, Instance as Config, SyncGroup, TrackedLink, Version};
use crate::vrrp::receive::Received;
use crate::vrrp::state::State;
use crate::vrrp::{advert, Action, Domain, Input, Instance, LinkState, Order, Phase, TrackState};
use crate::wire::ip::V4_HEADER_LEN;

const COUNT: u32 = 4;
const OBJECTS: u8 = 5;

/// One thing that happens. Small numbers stand for instances, links, configurations.
#[derive(Clone, Debug)]
enum Op {
    Wait(u64),
    /// Sleeps through its deadline, by so many milliseconds.
    Oversleep(u64),
    Deadline,
    Advert {
        to: u32,
        from: u8,
        priority: u8,
        interval_ms: u64,
        age_ms: u64,
        spoilt: Option<(usize, u8)>,
    },
    Link(u8, LinkState),
    Tracked(u8, TrackState),
    Source(u32, Option<u8>),
    Socket(u32, bool),
    Held(u32),
    Adjust(u32, Choice),
    Replace(u32, Choice),
    Groups(u8),
    Failover(u32, u64),
    EndFailover(u32),
    /// `None`: off.
    Maintenance(Option<u64>),
    Start,
    Stop,
}

/// What differs between configurations.
#[derive(Clone, Debug)]
struct Choice {
    priority: u8,
    interval_ms: u64,
    version_3: bool,
    nopreempt: bool,
    preempt_delay: u64,
    refresh: u64,
    weight: i16,
    script_weight: i16,
    reverse: bool,
    expired: bool,
    addresses: usize,
}

fn choice() -> impl Strategy<Value = Choice> {
    let priority = prop_oneof![Just(255u8), Just(1), Just(100), 1..=255u8];
    let interval = prop_oneof![Just(1000u64), Just(10), 10..3000u64];
    let weight = || prop_oneof![Just(0i16), -253..=253i16];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), prop::bool::weighted(0.1));
    let numbers = (0..3u64, 0..3u64, 0..3usize);
    (priority, interval, (weight(), weight()), flags, numbers).prop_map(
        |(priority, interval_ms, weights, (version_3, nopreempt, expired, reverse), numbers)| {
            Choice {
                priority,
                interval_ms: if version_3 { interval_ms } else { 1000 * (1 + interval_ms % 3) },
                version_3,
                nopreempt,
                preempt_delay: numbers.0,
                refresh: numbers.1,
                weight: weights.0,
                script_weight: weights.1,
                reverse,
                expired,
                addresses: numbers.2,
            }
        },
    )
}

fn op() -> impl Strategy<Value = Op> {
    let id = || 0..COUNT;
    let spoilt = prop::option::weighted(0.1, (0..16usize, any::<u8>()));
    let advert = (id(), 1..4u8, any::<u8>(), 0..41_000u64, 0..5000u64, spoilt);
    let state = prop_oneof![3 => Just(LinkState::Up), 1 => Just(LinkState::Down), 1 => Just(LinkState::Missing)];
    prop_oneof![
        4 => (0..2000u64).prop_map(Op::Wait),
        1 => (0..20_000u64).prop_map(Op::Oversleep),
        8 => Just(Op::Deadline),
        6 => advert.prop_map(|(to, from, priority, interval_ms, age_ms, spoilt)| {
            Op::Advert { to, from, priority, interval_ms, age_ms, spoilt }
        }),
        2 => (0..3u8, state).prop_map(|(link, state)| Op::Link(link, state)),
        4 => (0..OBJECTS, track_state()).prop_map(|(n, state)| Op::Tracked(n, state)),
        1 => (id(), prop::option::weighted(0.7, 1..4u8)).prop_map(|(id, s)| Op::Source(id, s)),
        1 => (id(), any::<bool>()).prop_map(|(id, open)| Op::Socket(id, open)),
        3 => id().prop_map(Op::Held),
        2 => (id(), choice()).prop_map(|(id, c)| Op::Adjust(id, c)),
        1 => (id(), choice()).prop_map(|(id, c)| Op::Replace(id, c)),
        1 => any::<u8>().prop_map(Op::Groups),
        2 => (id(), 1..20_000u64).prop_map(|(id, ms)| Op::Failover(id, ms)),
        1 => id().prop_map(Op::EndFailover),
        2 => prop::option::of(1..20_000u64).prop_map(Op::Maintenance),
        2 => Just(Op::Start),
        1 => Just(Op::Stop),
    ]
}

fn track_state() -> impl Strategy<Value = TrackState> {
    let value = prop_oneof![Just(0i64), Just(i64::MIN), -300..300i64];
    prop_oneof![
        4 => Just(TrackState::exit(0)),
        3 => Just(TrackState::exit(1)),
        1 => Just(TrackState::after(RunEnd::TimedOut)),
        1 => Just(TrackState::Pending),
        3 => value.prop_map(TrackState::Value),
    ]
}

/// One of the tracked objects: a file, a BFD session, or a script.
fn object(n: u8) -> Object {
    match n {
        0 => Object::File("f".into()),
        1 => Object::Bfd("b".into()),
        n => Object::Script(format!("s{n}")),
    }
}

fn config(id: u32, c: &Choice) -> Rc<Config> {
    let mut config = instance(&format!("I{id}"), 51 + id as u8);
    config.interface = Some(format!("eth{}", id % 2).into());
    config.priority = c.priority;
    config.version = if c.version_3 { Version::V3 } else { Version::V2 };
    config.advert_interval = Duration::from_millis(c.interval_ms);
    config.nopreempt = c.nopreempt;
    config.preempt_delay = Duration::from_secs(c.preempt_delay);
    Rc::make_mut(&mut config.garp).refresh = Duration::from_secs(c.refresh);
    config.timer_expired_backup = c.expired.then_some(254);
    config.tracked_links =
        vec![TrackedLink { interface: "eth2".into(), weight: c.weight, reverse: c.reverse }].into();
    let tracked = |n, weight| Tracked { object: object(n), weight, reverse: c.reverse };
    let mut list = vec![tracked(0, c.weight), tracked(2, 0), tracked(3, c.script_weight)];
    if c.version_3 {
        list.push(tracked(1, c.script_weight));
    }
    config.tracked = list.into();
    config.addresses =
        (0..c.addresses).map(|n| advert::tests::address(&format!("10.1.0.{n}")).into()).collect();
    Rc::new(config)
}

/// Members of a number of bits: those of the lower four are in one group, of the others in another.
fn groups(bits: u8) -> Vec<SyncGroup> {
    let members = |bits: u8| (0..COUNT).filter(move |n| bits >> n & 1 == 1);
    let (a, b) = (bits & 15, (bits >> 4) & !bits);
    let group = |name: &str, bits: u8| SyncGroup {
        name: name.into(),
        members: members(bits).map(|n| format!("I{n}")).collect(),
        tracked: tracked_by_groups(),
        ..SyncGroup::default()
    };
    vec![group("G", a), group("H", b)].into_iter().filter(|g| !g.members.is_empty()).collect()
}

fn tracked_by_groups() -> Vec<Tracked> {
    let tracked = |n, weight| Tracked { object: object(n), weight, reverse: false };
    vec![tracked(4, 0), tracked(3, -7)]
}

fn address(last: u8) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, last).into()
}

/// What was reported last: from it follows what priorities and faults must be.
#[derive(Default)]
struct World {
    links: SortedMap<String, LinkState>,
    objects: SortedMap<Object, TrackState>,
    sources: SortedMap<u32, bool>,
    sockets: SortedMap<u32, bool>,
}

struct Judged {
    priority: u8,
    is_faulted: bool,
    is_pending: bool,
}

impl World {
    fn judge(&self, id: InstanceId, instance: &Instance) -> Judged {
        let config = instance.config();
        let is_up = |link: &SharedName| self.links.get(link.as_str()) == Some(&LinkState::Up);
        let mut is_faulted = !self.sources.get(&id.0).unwrap_or(&false)
            || !self.sockets.get(&id.0).unwrap_or(&true)
            || !config.interface.iter().all(is_up)
            || !config.all_addresses().map(|a| &a.interface).all(is_up);
        let mut is_pending = false;
        let mut sum = 0;
        for t in &config.tracked_links {
            let sign = if t.reverse { -1 } else { 1 };
            match (t.weight, is_up(&t.interface)) {
                (0, up) => is_faulted |= up == t.reverse,
                (w @ 1.., true) | (w @ ..0, false) => sum += i64::from(w) * sign,
                _ => {}
            }
        }
        let of_group = if instance.group.is_some() { tracked_by_groups() } else { Vec::new() };
        let own = config.tracked.iter().filter(|t| of_group.iter().all(|g| g.object != t.object));
        for t in of_group.iter().chain(own) {
            let sign = if t.reverse { -1 } else { 1 };
            let unknown = match t.object {
                Object::Bfd(_) => TrackState::Down(Finding::NoSession),
                _ => TrackState::Pending,
            };
            match (t.weight, self.objects.get(&t.object).unwrap_or(&unknown)) {
                (w, TrackState::Pending) => is_pending |= w == 0,
                (0, TrackState::Value(v)) => is_faulted |= (*v == 0) == t.reverse,
                (0, state) => is_faulted |= (state.is_up()) == t.reverse,
                (w, TrackState::Value(v)) => {
                    let product = i128::from(*v) * i128::from(w) * i128::from(sign);
                    is_faulted |= product <= -254;
                    sum += i64::try_from(product.clamp(-254, 253)).unwrap();
                }
                (w @ 1.., TrackState::Up(_)) | (w @ ..0, TrackState::Down(_)) => {
                    sum += i64::from(w) * sign;
                }
                _ => {}
            }
        }
        let sum = (i64::from(config.priority) + sum).clamp(1, 254);
        let priority = if config.is_owner() { 255 } else { u8::try_from(sum).unwrap() };
        Judged { priority, is_faulted, is_pending }
    }
}

/// The core, and what may be said of it from the outside.
struct Watched {
    domain: Domain,
    now: Instant,
    phases: SortedMap<InstanceId, Phase>,
    wants: SortedMap<InstanceId, bool>,
    groups: u8,
    world: World,
    log: Vec<Action>,
}

impl Watched {
    fn new(delay: u64) -> Self {
        let domain = Domain::new(Duration::from_secs(delay));
        let (phases, wants, log) = (SortedMap::new(), SortedMap::new(), Vec::new());
        let world = World::default();
        Self { domain, now: Instant::from_millis(1), phases, wants, groups: 0, world, log }
    }

    fn feed(&mut self, input: Input<'_>) {
        let is_deadline = matches!(input, Input::Deadline);
        let mut out = Vec::new();
        self.domain.handle(input, self.now, &mut out);
        self.domain.check_invariants();
        for action in &out {
            self.check(action);
        }
        let next = self.domain.next_deadline();
        assert!(!is_deadline || next.is_none_or(|next| next > self.now), "{next:?}");
        for (id, i) in self.domain.instances() {
            let told = self.phases.get(&id).copied().unwrap_or(Phase::Init);
            let gone = matches!(told, Phase::Stopped | Phase::Deleted) && i.phase() == Phase::Init;
            assert!(told == i.phase() || gone, "told {told:?}, is {:?}", i.phase());
            assert_eq!(self.wants.get(&id) == Some(&true), told == Phase::Master);
        }
        self.log.append(&mut out);
    }

    fn check(&mut self, action: &Action) {
        let phase = |id| self.phases.get(id).copied().unwrap_or(Phase::Init);
        match action {
            Action::Want(id) => {
                assert_eq!(phase(id), Phase::Master, "wanted by another than a master");
                self.wants.insert(*id, true);
            }
            Action::Release(id) => {
                assert_eq!(self.wants.insert(*id, false), Some(true), "nothing was wanted");
            }
            Action::Announce { id, repeat } => {
                assert_eq!(phase(id), Phase::Master, "announced by another than a master");
                assert!(self.domain.instance(*id).unwrap().holds_addresses(), "before held");
                assert!(*repeat > 0);
            }
            Action::Changed { id, from, to, .. } => {
                let before = phase(id);
                let begins = matches!(before, Phase::Stopped | Phase::Deleted);
                assert!(before == *from || begins && *from == Phase::Init, "{before:?} {from:?}");
                assert!(from != to);
                let leaves = matches!(from, Phase::Init | Phase::Fault)
                    && matches!(to, Phase::Backup | Phase::Master);
                assert!(!leaves || !self.domain.is_pending(*id), "{id} did not wait");
                self.phases.insert(*id, *to);
            }
            Action::PriorityChanged { from, to, .. } => assert!(from != to && *to != 0),
            Action::Ordered { .. } => {}
            Action::SendAdvert { .. }
            | Action::AnnounceElsewhere { .. }
            | Action::AnnounceSource { .. }
            | Action::GroupChanged { .. }
            | Action::LowerPriority { .. }
            | Action::Noted { .. } => {}
        }
    }

    /// Priority and faults are what the world says, and the states go with them.
    fn check_world(&self) {
        let judged = |id| self.domain.instance(id).map(|i| self.world.judge(id, i));
        for (id, i) in
            self.domain.instances().filter(|(_, i)| !matches!(i.state.get(), State::Init))
        {
            let own = judged(id).expect("it is there");
            let is_lowered = self.domain.lowered_by(id).is_some();
            let priority = if is_lowered { 1 } else { own.priority };
            assert_eq!(i.priority(), priority, "{id}");
            assert_eq!(i.faults().next().is_some(), own.is_faulted, "{id}");
            let group = self.domain.groups().find(|(_, g)| g.members().contains(&id));
            let members = group.map_or_else(|| vec![id], |(_, g)| g.members().to_vec());
            // A member that has not begun has no say yet.
            let has_begun = |m: &&InstanceId| {
                self.domain.instance(**m).is_some_and(|i| !matches!(i.state.get(), State::Init))
            };
            let all: Vec<_> = members.iter().filter(has_begun).filter_map(|m| judged(*m)).collect();
            let is_faulted = all.iter().any(|j| j.is_faulted);
            let is_pending = all.iter().any(|j| j.is_pending);
            match i.state.get() {
                State::Init => {}
                State::Fault => assert!(is_faulted || is_pending, "{id} is in FAULT for nothing"),
                State::Waiting => assert!(!is_faulted && is_pending, "{id} waits for nothing"),
                State::Backup(_) | State::Master(_) => assert!(!is_faulted, "{id} has a fault"),
            }
        }
    }

    /// Everything comes in order. Then none is in FAULT, nor waits, except for what is tracked in
    /// reverse.
    fn heal(&mut self) {
        self.apply(&Op::Start);
        for n in 0..COUNT {
            self.apply(&Op::Source(n, Some(2)));
            self.apply(&Op::Socket(n, true));
        }
        for n in 0..3 {
            self.apply(&Op::Link(n, LinkState::Up));
        }
        self.apply(&Op::Tracked(0, TrackState::Value(0)));
        for n in 1..OBJECTS {
            self.apply(&Op::Tracked(n, TrackState::exit(0)));
        }
        self.check_world();
        let is_reverse = |i: &Instance| i.config().tracked_links.iter().any(|t| t.reverse);
        if self.domain.instances().any(|(_, i)| is_reverse(i)) {
            return;
        }
        for (id, i) in self.domain.instances() {
            assert!(
                matches!(i.phase(), Phase::Backup | Phase::Master),
                "{id} is {:?}",
                i.state.get()
            );
            assert_eq!((i.faults().next(), i.pending()), (None, &[][..]), "{id}");
        }
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Wait(ms) => {
                let to = self.now + Duration::from_millis(*ms);
                while let Some(next) = self.domain.next_deadline().filter(|next| *next <= to) {
                    self.now = self.now.max(next);
                    self.feed(Input::Deadline);
                }
                self.now = to;
            }
            Op::Oversleep(ms) => self.now += Duration::from_millis(*ms),
            Op::Deadline => self.feed(Input::Deadline),
            Op::Advert { to, from, priority, interval_ms, age_ms, spoilt } => {
                let id = InstanceId(*to);
                let Some(i) = self.domain.instance(id) else { return };
                let mut theirs = (**i.config()).clone();
                if theirs.version == Version::V3 {
                    theirs.advert_interval = Duration::from_millis(*interval_ms);
                }
                let (source, group) = (address(*from), "224.0.0.18".parse().unwrap());
                let mut bytes = Vec::new();
                advert::emit(&theirs, *priority, source, group, &mut bytes);
                if let Some((at, value)) = spoilt {
                    if let Some(byte) = bytes.get_mut(V4_HEADER_LEN + at) {
                        *byte = *value;
                    }
                }
                let arrived = self.now - Duration::from_millis(*age_ms);
                let pdu = &bytes[V4_HEADER_LEN..];
                let destination = Some(group);
                let packet = Received {
                    source,
                    destination,
                    ttl: Some(255),
                    arrived,
                    wall: WallTime(0),
                    header: None,
                    pdu,
                };
                self.feed(Input::Packet { id, packet });
            }
            Op::Tracked(n, state) => {
                self.world.objects.insert(object(*n), state.clone());
                self.feed(Input::Tracked { object: &object(*n), state: state.clone() });
            }
            Op::Link(n, state) => {
                self.world.links.insert(format!("eth{n}"), *state);
                self.feed(Input::Link { name: &format!("eth{n}"), state: *state });
            }
            Op::Source(n, source) => {
                self.world.sources.insert(*n, source.is_some());
                self.feed(Input::Source { id: InstanceId(*n), source: source.map(address) });
            }
            Op::Socket(n, open) => {
                self.world.sockets.insert(*n, *open);
                let error = (!open).then(|| "no such luck".to_owned());
                self.feed(Input::Socket { id: InstanceId(*n), error });
            }
            Op::Held(n) => self.feed(Input::Held { id: InstanceId(*n) }),
            Op::Adjust(n, c) => {
                self.feed(Input::Adjust { id: InstanceId(*n), config: config(*n, c) });
            }
            Op::Replace(n, c) => {
                let id = InstanceId(*n);
                self.feed(Input::Remove { id });
                self.domain.forget(id);
                self.phases.remove(&id);
                self.world.sources.insert(*n, false);
                self.world.sockets.insert(*n, true);
                self.feed(Input::Add { id, config: config(*n, c) });
                self.feed(Input::Groups(&groups(self.groups)));
            }
            Op::Groups(bits) => {
                self.groups = *bits;
                self.feed(Input::Groups(&groups(*bits)));
            }
            Op::Failover(n, ms) => {
                let (id, span) = (InstanceId(*n), Duration::from_millis(*ms));
                if self.domain.may_fail_over(id, None, true).is_ok() {
                    self.feed(Input::Order(Order::Failover { number: 1, id, to: None, span }));
                }
            }
            Op::EndFailover(n) => {
                self.feed(Input::Order(Order::EndFailover { id: InstanceId(*n) }));
            }
            Op::Maintenance(Some(ms)) => {
                let span = Some(Duration::from_millis(*ms));
                self.feed(Input::Order(Order::Maintenance { number: 2, span }));
            }
            Op::Maintenance(None) => self.feed(Input::Order(Order::EndMaintenance)),
            Op::Start => self.feed(Input::Start),
            Op::Stop => self.feed(Input::Stop),
        }
    }
}

fn run(delay: u64, choices: &[Choice], ops: &[Op]) -> Vec<Action> {
    let mut watched = Watched::new(delay);
    for (n, c) in (0..).zip(choices) {
        watched.feed(Input::Add { id: InstanceId(n), config: config(n, c) });
        watched.apply(&Op::Source(n, Some(2)));
    }
    for n in 0..3 {
        watched.apply(&Op::Link(n, LinkState::Up));
    }
    watched.apply(&Op::Start);
    for op in ops {
        watched.apply(op);
        watched.check_world();
    }
    watched.heal();
    watched.log
}

proptest! {
    #[test]
    fn any_sequence_of_inputs_is_borne_and_decided_alike_each_time(
        delay in 0..3u64,
        choices in prop::collection::vec(choice(), COUNT as usize),
        ops in prop::collection::vec(op(), 0..80),
    ) {
        let first = run(delay, &choices, &ops);
        prop_assert_eq!(first, run(delay, &choices, &ops));
    }
}
