//! The world generated from a seed: routers, virtual routers, their configurations, and the events.

use std::collections::BTreeSet;
use std::net::IpAddr;

use keepalived::base::ids::InstanceId;
use keepalived::base::sorted::SortedMap;
use keepalived::base::time::{Duration, Instant};
use keepalived::model::track::Object;
use keepalived::model::Config;
use keepalived::sim::words::Words;
use keepalived::sim::{Life, Network, Rng, Router, Segment, Turn};
use keepalived::vrrp::{Action, Order, OrderNews, TrackState};

use super::conf::Conf;
use super::watch::Watch;

/// Clocks are right within so many microseconds.
pub(crate) const MAX_SKEW: i64 = 1_000_000;

/// How fast or slow a clock may be, in millionths: the worst quartz of a router, and worse.
const DRIFTS: [i64; 5] = [-500, -50, 0, 50, 500];

/// Settings common to all routers.
pub(crate) struct Plan {
    pub(crate) virtual_routers: u64,
    pub(crate) links: Vec<String>,
    version: u64,
    v6: bool,
    /// Interfaces present on every router.
    intervals_ms: Vec<u64>,
    pub(crate) grouped: bool,
    /// Reloads create, extend, shrink and dissolve groups.
    pub(crate) regroups: bool,
    pub(crate) preempt_delay: u64,
    startup_delay: u64,
    pub(crate) down_timer_adverts: u64,
    pub(crate) proof: Option<Proof>,
}

/// Authentication of all routers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Proof {
    Header,
    Time,
    Monotonic,
}

/// Configuration of one router.
#[derive(Clone)]
pub(crate) struct Traits {
    /// By virtual router.
    pub(crate) priorities: Vec<u64>,
    interval_ms: u64,
    pub(crate) nopreempt: bool,
    flags: Vec<&'static str>,
    /// The members of each sync group, by virtual router.
    pub(crate) groups: Vec<Vec<usize>>,
    /// Weight of its tracked script.
    script_weight: i16,
    /// The key that it signs with; it accepts two.
    active_key: u64,
    /// By how much its clock is fast, in microseconds.
    pub(crate) clock: i64,
    /// Instances that have sent something since the daemon was started.
    spoken: BTreeSet<InstanceId>,
}

pub(crate) struct World {
    pub(crate) net: Network,
    pub(crate) plan: Plan,
    pub(crate) routers: Vec<Traits>,
    pub(crate) rng: Rng,
    /// For authentication and attacks alone, so that other schedules do not depend on them.
    pub(crate) attacks: Rng,
    /// For orders of operators alone, for the same reason.
    pub(crate) orders: Rng,
    pub(crate) watch: Watch,
    traced: bool,
    pub(crate) trace: Vec<String>,
}

impl World {
    pub(crate) fn new(seed: u64, traced: bool) -> Self {
        let mut rng = Rng::new(seed ^ 0x5eed);
        let count = rng.between(2, 6);
        let mut plan = Plan::draw(&mut rng);
        let mut attacks = Rng::new(seed ^ 0xa77a);
        plan.draw_proof(&mut attacks);
        let routers: Vec<Traits> = (0..count).map(|n| Traits::draw(n, &plan, &mut rng)).collect();
        let mut net = Network::new(seed);
        net.latency = Duration::from_micros(*rng.pick(&[0, 200, 1000]));
        for link in &plan.links {
            net.segments.insert(link.clone(), Segment::default());
        }
        for n in 0..routers.len() {
            let own = |(segment, link): (usize, &String)| {
                let v4 = format!("10.0.{segment}.{}", n + 1);
                let v6 = format!("fe80::{segment}:{}", n + 1);
                (link.clone(), [v4, v6].iter().flat_map(|a| a.parse::<IpAddr>()).collect())
            };
            let own: SortedMap<_, _> = plan.links.iter().enumerate().map(own).collect();
            let mut router = Router::new(format!("R{}", n + 1), own);
            // Never too small for all virtual routers.
            router.socket_size = usize::try_from(rng.between(8, 40)).expect("small");
            let n = net.add(router);
            let state = if rng.one_in(8) { TrackState::exit(1) } else { TrackState::exit(0) };
            net.set_tracked(n, Object::Script("check".to_owned()), state);
        }
        let watch = Watch::new(routers.len(), &plan);
        let (orders, trace) = (Rng::new(seed ^ 0x0bde), Vec::new());
        let mut world = Self { net, plan, routers, rng, attacks, orders, watch, traced, trace };
        for n in 0..world.routers.len() {
            world.set_clock(n, MAX_SKEW);
            if world.plan.proof.is_some() {
                let drift = *world.attacks.pick(&DRIFTS);
                world.note(|| format!("the clock of router {} drifts by {drift} ppm", n + 1));
                world.net.set_drift(n, drift);
            }
        }
        world
    }

    /// Alternates several times between faults and quiet periods, in which the routers must agree.
    pub(crate) fn run(&mut self) -> Result<(), String> {
        for n in 0..self.routers.len() {
            if !self.rng.one_in(4) {
                self.start(n)?;
            }
        }
        for _ in 0..self.rng.between(1, 4) {
            self.trouble()?;
            self.settle()?;
        }
        Ok(())
    }

    /// Ends all network faults; the routers must then agree, and stay in agreement.
    fn settle(&mut self) -> Result<(), String> {
        self.heal();
        self.wait_for_orders()?;
        let until = self.watch.quiet_from(&self.net) + self.patience();
        self.run_until(until)?;
        self.watch.check_agreement(&self.net, &self.routers)?;
        let before = self.watch.transitions;
        self.run_until(until + 3 * self.interval())?;
        if self.watch.transitions != before {
            return Err("the state changed although nothing happened".to_owned());
        }
        self.watch.check_agreement(&self.net, &self.routers)
    }

    /// Until the time of every order is over.
    fn wait_for_orders(&mut self) -> Result<(), String> {
        while self.net.routers().iter().any(|router| router.vrrp().has_orders()) {
            self.run_until(self.net.now() + self.interval())?;
        }
        Ok(())
    }

    /// Maximum time for the routers to agree: three intervals and the down time, with a second
    /// chance after a stall, and all configured delays.
    fn patience(&self) -> Duration {
        let waits = Duration::from_secs(self.plan.preempt_delay + self.plan.startup_delay);
        self.down_time() + 3 * self.interval() + waits + Duration::from_millis(50)
    }

    /// The maximum time that a backup waits for an advertisement.
    pub(crate) fn down_time(&self) -> Duration {
        self.plan.down_time()
    }

    /// The longest interval of all virtual routers.
    pub(crate) fn interval(&self) -> Duration {
        self.plan.interval()
    }

    pub(crate) fn run_until(&mut self, until: Instant) -> Result<(), String> {
        while let Some(turn) = self.net.step(until) {
            self.see(&turn)?;
        }
        Ok(())
    }

    /// Starts a router, or reloads its configuration.
    pub(crate) fn start(&mut self, n: usize) -> Result<(), String> {
        if self.plan.proof.is_some() {
            self.routers[n].active_key = self.attacks.between(1, 3);
            if self.net.routers()[n].life() == Life::Off {
                // Not set back while the daemon is off: its numbers start with the clock.
                self.set_clock(n, MAX_SKEW);
                self.routers[n].spoken.clear();
            }
        }
        self.watch.disturb_router(n, self.net.now());
        let config = self.config(n);
        let turn = self.net.start(n, config);
        self.see(&turn)
    }

    pub(crate) fn stop(&mut self, n: usize) -> Result<(), String> {
        let turn = self.net.stop(n);
        self.see(&turn)
    }

    /// Sets the clock of a router to this much ahead of the time, in microseconds.
    pub(crate) fn set_clock(&mut self, n: usize, ahead: i64) {
        let traits = &mut self.routers[n];
        self.net.step_clock(n, ahead - traits.clock);
        traits.clock = ahead;
    }

    /// Every instance of a router has sent something since its start. From then on its numbers
    /// ascend, whatever the clock does.
    pub(crate) fn has_spoken(&self, n: usize) -> bool {
        let mut all = self.net.routers()[n].vrrp().instances();
        all.all(|(id, _)| self.routers[n].spoken.contains(&id))
    }

    fn see(&mut self, turn: &Turn) -> Result<(), String> {
        let sent = turn.actions.iter().filter_map(|action| match action {
            Action::SendAdvert { id, .. } => Some(*id),
            _ => None,
        });
        self.routers[turn.router].spoken.extend(sent);
        let router = &self.net.routers()[turn.router];
        if self.traced {
            let (now, name) = (self.net.now(), &router.name);
            let line = |a| format!("{now} {name} {}", Words(a, router.vrrp()));
            self.trace.extend(turn.actions.iter().map(line));
        }
        self.watch.after(&self.net, &self.plan, &self.routers, turn)?;
        let is_end =
            |a: &Action| matches!(a, Action::Ordered { news: OrderNews::Ended { .. }, .. });
        if turn.actions.iter().any(is_end) {
            self.watch.disturb_router(turn.router, self.net.now());
        }
        Ok(())
    }

    /// An operator hands a router over, or tries to.
    pub(crate) fn order(&mut self, n: usize) -> Result<(), String> {
        let name = self.net.routers()[n].name.clone();
        let span = self.interval().mul_f64(self.orders.between(1, 200) as f64 / 10.0);
        let v = usize::try_from(self.orders.between(0, self.plan.virtual_routers)).expect("small");
        let (id, number, is_forced) = (Plan::id(v), 1, self.orders.one_in(3));
        let order = if self.orders.one_in(3) {
            Order::Maintenance { number, span: Some(span) }
        } else {
            Order::Failover { number, id, to: None, span }
        };
        let is_possible = self.net.routers()[n].vrrp().may_fail_over(id, None, is_forced).is_ok();
        if matches!(order, Order::Maintenance { .. }) || is_possible {
            self.note(|| format!("{name}: {order:?}"));
            let turn = self.net.order(n, order);
            self.see(&turn)?;
        }
        Ok(())
    }

    pub(crate) fn note(&mut self, what: impl FnOnce() -> String) {
        if self.traced {
            self.trace.push(format!("{} -- {}", self.net.now(), what()));
        }
    }

    fn config(&self, n: usize) -> Config {
        let (plan, router) = (&self.plan, &self.routers[n]);
        let mut conf = Conf::default();
        let mut add = |line: String| conf.add(&line).expect("a line of a configuration");
        if plan.startup_delay > 0 {
            add(format!("global vrrp_startup_delay {}", plan.startup_delay));
        }
        add(format!("script check weight {}", router.script_weight));
        let numbers = 0..usize::try_from(plan.virtual_routers).expect("small");
        for v in numbers {
            let mut words = vec![
                format!("instance V{v} priority {}", router.priorities[v]),
                format!("version {}", plan.version),
                format!("interface {}", plan.links[v % plan.links.len()]),
                format!("advert_int {}", router.interval_ms as f64 / 1e3),
                format!("down_timer_adverts {}", plan.down_timer_adverts),
            ];
            words.extend(plan.proof.map(|proof| proof.text(router.active_key)));
            if plan.v6 {
                words.push(format!("virtual_ipaddress {{ fe80::{} }}", 100 + v));
            }
            if router.nopreempt {
                words.push("nopreempt".to_owned());
            } else if plan.preempt_delay > 0 && router.priorities[v] != 255 {
                words.push(format!("preempt_delay {}", plan.preempt_delay));
            }
            if !router.groups.iter().any(|g| g.contains(&v)) {
                words.push("track_script { check }".to_owned());
            }
            words.extend(router.flags.iter().map(|f| (*f).to_owned()));
            add(words.join(", "));
        }
        for (n, group) in router.groups.iter().enumerate() {
            let members: Vec<_> = group.iter().map(|v| format!("V{v}")).collect();
            add(format!("group G{n} {}, track_script {{ check }}", members.join(" ")));
        }
        conf.load().expect("nothing to complain about")
    }

    /// Description of the world, for the report of a failure.
    pub(crate) fn describe(&self) -> String {
        let mut text = String::new();
        for (n, r) in self.routers.iter().enumerate() {
            let (name, size) = (&self.net.routers()[n].name, self.net.routers()[n].socket_size);
            text.push_str(&format!(
                "{name}: priorities {:?}, interval {} ms, nopreempt {}, {:?}, groups {:?}, script weight {}, socket {size}\n",
                r.priorities, r.interval_ms, r.nopreempt, r.flags, r.groups, r.script_weight
            ));
        }
        let p = &self.plan;
        text + &format!(
            "{:?}, version {}, v6 {}, grouped {}, links {:?}, preempt delay {} s, startup delay {} s, down after {}\n",
            p.proof, p.version, p.v6, p.grouped, p.links, p.preempt_delay, p.startup_delay, p.down_timer_adverts
        )
    }
}

impl Plan {
    fn draw(rng: &mut Rng) -> Self {
        let virtual_routers = rng.between(1, 4);
        let version = rng.between(2, 4);
        let intervals_ms = match (version, rng.between(0, 8)) {
            (2, n) => vec![if n == 0 { 2000 } else { 1000 }],
            (_, 0) => vec![100, 300, 1000],
            (_, 1 | 2) => vec![100],
            (_, 3) => vec![500],
            _ => vec![1000],
        };
        let regroups = virtual_routers > 1 && rng.one_in(4);
        // Joins virtual routers that have different masters.
        let links = if regroups { 2 } else { rng.between(1, 3) };
        Self {
            virtual_routers,
            links: (0..links).map(|n| format!("eth{n}")).collect(),
            version,
            v6: version == 3 && rng.one_in(4),
            intervals_ms,
            grouped: virtual_routers > 1 && !regroups && rng.one_in(3),
            regroups,
            preempt_delay: if rng.one_in(8) { rng.between(1, 6) } else { 0 },
            startup_delay: if rng.one_in(10) { 2 } else { 0 },
            down_timer_adverts: *rng.pick(&[3, 3, 3, 2, 5]),
            proof: None,
        }
    }

    /// One world in three is authenticated.
    fn draw_proof(&mut self, rng: &mut Rng) {
        let proof = *rng.pick(&[Proof::Header, Proof::Time, Proof::Monotonic]);
        let has_header = self.version == 2 && !self.v6;
        let is_possible = proof != Proof::Header || has_header;
        self.proof = Some(proof).filter(|_| is_possible && rng.one_in(3));
    }

    pub(crate) fn count(&self) -> usize {
        usize::try_from(self.virtual_routers).expect("small")
    }

    /// True if a router has the same priority for all virtual routers, so that any two may be
    /// grouped.
    const fn is_uniform(&self) -> bool {
        self.grouped || self.regroups
    }

    /// Groups some of the virtual routers at random.
    pub(crate) fn draw_groups(&self, rng: &mut Rng) -> Vec<Vec<usize>> {
        let mut groups = vec![Vec::new(); 3];
        for v in 0..self.count() {
            groups[usize::try_from(rng.between(0, 3)).expect("small")].push(v);
        }
        // Members of the last part are in no group; a single one is no group.
        groups.truncate(2);
        groups.retain(|g| g.len() > 1);
        groups
    }

    pub(crate) const fn is_v6(&self) -> bool {
        self.v6
    }

    /// True if intervals differ: a router that starts does not know those of the others.
    pub(crate) fn is_mixed(&self) -> bool {
        self.intervals_ms.len() > 1
    }

    pub(crate) fn interval(&self) -> Duration {
        let longest = self.intervals_ms.iter().max().expect("there is one");
        Duration::from_millis(*longest)
    }

    /// All intervals and the skew, plus one more interval and skew after a stall.
    pub(crate) fn down_time(&self) -> Duration {
        let adverts = u32::try_from(self.down_timer_adverts).expect("small");
        (adverts + 1) * self.interval() + 2 * self.skew()
    }

    /// The longest possible skew.
    pub(crate) fn skew(&self) -> Duration {
        if self.version == 2 {
            Duration::from_secs(1)
        } else {
            self.interval()
        }
    }

    /// The interface of a virtual router.
    pub(crate) fn link(&self, v: usize) -> &str {
        &self.links[v % self.links.len()]
    }

    /// The address of a virtual router, as in the kernel.
    pub(crate) fn id(v: usize) -> InstanceId {
        InstanceId(u32::try_from(v).expect("small"))
    }
}

impl Proof {
    /// As it is configured.
    fn text(self, active: u64) -> String {
        let replay = match self {
            Self::Header => return "authentication { auth_type AH, auth_pass s3cr3t }".to_owned(),
            Self::Time => "anti_replay time, time_window 10",
            Self::Monotonic => "anti_replay monotonic",
        };
        let keys = "key 1 0123456789abcdef0123456789abcdef, key 2 fedcba9876543210fedcba9876543210";
        format!("auth_hmac {{ {keys}, active_key {active}, {replay} }}")
    }
}

impl Traits {
    fn draw(n: u64, plan: &Plan, rng: &mut Rng) -> Self {
        let mut router = Self {
            priorities: Vec::new(),
            interval_ms: *rng.pick(&plan.intervals_ms),
            nopreempt: rng.one_in(if plan.regroups { 2 } else { 3 }),
            flags: Vec::new(),
            groups: Vec::new(),
            script_weight: *rng.pick(&[0, -60, 30]),
            active_key: 1,
            clock: 0,
            spoken: BTreeSet::new(),
        };
        for (flag, one_in) in [
            ("lower_prio_no_advert", 8),
            ("higher_prio_send_advert", 8),
            ("garp_lower_prio_repeat 1", 4),
        ] {
            if rng.one_in(one_in) {
                router.flags.push(flag);
            }
        }
        if router.nopreempt && rng.one_in(3) {
            router.flags.push("timer_expired_backup");
        }
        let is_owner = n == 0 && rng.one_in(8);
        if plan.grouped {
            router.groups = vec![(0..plan.count()).collect()];
        }
        // An owner ignores weights, and so do the other members of its group.
        if is_owner || plan.is_uniform() {
            router.script_weight = 0;
        }
        if is_owner {
            router.nopreempt = false;
            router.flags.retain(|f| *f != "timer_expired_backup");
        }
        router.draw_priorities(plan, is_owner, rng);
        router
    }

    pub(crate) const fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms)
    }

    /// Members of a group have the same priority, or no router would be best for all of them.
    pub(crate) fn draw_priorities(&mut self, plan: &Plan, is_owner: bool, rng: &mut Rng) {
        let one = *rng.pick(&[50, 100, 100, 150, 254]);
        self.priorities = (0..plan.virtual_routers)
            .map(|_| match (is_owner, plan.is_uniform()) {
                (true, _) => 255,
                (false, true) => one,
                (false, false) => *rng.pick(&[1, 50, 100, 100, 150, 254]),
            })
            .collect();
    }
}
