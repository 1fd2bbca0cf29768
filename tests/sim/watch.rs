//! Invariants that hold despite all faults.
//!
//! * After the down time plus three intervals without a fault, there is exactly one master per
//!   virtual router among the eligible routers; the best one, if all of them preempt.
//! * A router that is not master has none of the addresses, unless a killed daemon left them and no
//!   other router has been heard since. An undisturbed master has all of them.
//! * An authenticated advertisement is accepted by a daemon once at most, and a changed one never,
//!   whatever is played back and however the clocks are set.
//! * After each turn, the next deadline is in the future, or an unread packet may move it.
//! * A master that is not stalled advertises at least every 1.1 intervals, regardless of floods on
//!   any segment; and it cannot be made to advertise much more often.
//! * Members of a sync group are in the same state. A reload that joins members in different states
//!   leaves the group divided for at most the down time.
//! * A virtual router has no master for at most the down time if a backup is healthy, and for at
//!   most the skew if the master sent priority 0.
//! * Of two masters that hear each other, one remains within an interval of the better one.
//! * A healthy master that is heard is displaced only by a better router that may preempt: not by
//!   one that was stalled, nor by one that started later and has `nopreempt`. It may say goodbye
//!   before, by order of an operator; all else holds whatever operators order.

use std::collections::BTreeMap;

use keepalived::base::time::{Duration, Instant};
use keepalived::holdings::Key;
use keepalived::sim::{Life, Network, Router, Segment, Turn};
use keepalived::vrrp::{Action, LinkState, Phase};

use super::world::{Plan, Traits};

pub(crate) struct Watch {
    /// Start of the fault-free period of a router. In the future while it is stalled.
    in_order: Vec<Instant>,
    /// End of the last stall of a router, and time of its last change of groups.
    awake: Vec<Instant>,
    regrouped: Vec<Instant>,
    /// Time since which all routers have had the same groups.
    aligned: Option<Instant>,
    /// Time since which a segment has delivered everything at once, if it does.
    clean: BTreeMap<String, Option<Instant>>,
    /// Start of the master state, by router and virtual router.
    master_since: Vec<Vec<Option<Instant>>>,
    /// End of the flood of a segment and its effects.
    flooded: BTreeMap<String, Instant>,
    /// Advertisements as master, by router and virtual router.
    adverts: Vec<Vec<Option<Adverts>>>,
    /// Start of the current vacancy and its maximum duration, by virtual router.
    vacant: Vec<Option<(Instant, Duration)>>,
    pub(crate) transitions: u64,
}

/// Start of a master's term, number of its advertisements, and time of the last one.
#[derive(Clone, Copy)]
struct Adverts {
    since: Instant,
    count: u32,
    last: Instant,
    /// It said goodbye, and waits for another router to take over.
    is_silent: bool,
    /// Advertisements that changes of its priority may have caused.
    extra: u32,
}

/// Round trip: delays of a fault-free segment and latency of the daemons.
const SLACK: Duration = Duration::from_millis(5);

impl Watch {
    pub(crate) fn new(routers: usize, plan: &Plan) -> Self {
        let virtual_routers = usize::try_from(plan.virtual_routers).expect("small");
        let clean = |link: &String| (link.clone(), Some(Instant::ZERO));
        Self {
            in_order: vec![Instant::ZERO; routers],
            awake: vec![Instant::ZERO; routers],
            regrouped: vec![Instant::ZERO; routers],
            aligned: Some(Instant::ZERO),
            clean: plan.links.iter().map(clean).collect(),
            master_since: vec![vec![None; virtual_routers]; routers],
            vacant: vec![Some((Instant::ZERO, plan.down_time())); virtual_routers],
            flooded: BTreeMap::new(),
            adverts: vec![vec![None; virtual_routers]; routers],
            transitions: 0,
        }
    }

    /// A router has a fault, or was changed, until then.
    pub(crate) fn disturb_router(&mut self, n: usize, until: Instant) {
        self.in_order[n] = self.in_order[n].max(until);
    }

    /// A router is stalled until then.
    pub(crate) fn asleep(&mut self, n: usize, until: Instant) {
        self.awake[n] = self.awake[n].max(until);
        self.disturb_router(n, until);
    }

    pub(crate) fn regrouped(&mut self, n: usize, now: Instant) {
        self.regrouped[n] = now;
    }

    pub(crate) fn router_off(&mut self, n: usize, now: Instant) {
        self.in_order[n] = now;
        self.master_since[n].iter_mut().for_each(|m| *m = None);
        self.adverts[n].iter_mut().for_each(|a| *a = None);
    }

    pub(crate) fn segment_changed(&mut self, link: &str, segment: &Segment, now: Instant) {
        const LONGEST: Duration = Duration::from_millis(400);
        let is_clean = segment.loss == 0
            && segment.blocked.is_empty()
            && segment.longest_delay <= Segment::default().longest_delay;
        let before = self.clean.insert(link.to_owned(), None).flatten();
        // Packets in transit arrive later.
        let since = is_clean.then(|| before.unwrap_or(now + LONGEST));
        self.clean.insert(link.to_owned(), since);
    }

    /// A segment is flooded until then; packets in transit arrive later.
    pub(crate) fn segment_flooded(&mut self, link: &str, until: Instant) {
        self.flooded.insert(link.to_owned(), until + Duration::from_millis(400));
    }

    /// Time since which a segment has delivered everything at once, without a flood.
    fn clean_since(&self, link: &str) -> Option<Instant> {
        let since = self.clean[link]?;
        Some(self.flooded.get(link).map_or(since, |until| since.max(*until)))
    }

    /// Time from which everything is fault-free, if no further fault occurs.
    pub(crate) fn quiet_from(&self, net: &Network) -> Instant {
        let clean = self.clean.keys().filter_map(|link| self.clean_since(link));
        let all = self.in_order.iter().copied().chain(clean);
        all.max().unwrap_or_default().max(net.now())
    }

    /// Checks the invariants after a turn of a router.
    pub(crate) fn after(
        &mut self,
        net: &Network,
        plan: &Plan,
        traits: &[Traits],
        turn: &Turn,
    ) -> Result<(), String> {
        let (n, now) = (turn.router, net.now());
        let router = &net.routers()[n];
        let next = router.vrrp().next_deadline();
        // It may be due after a reload, which runs between turns; the core ensures that it is not
        // due after a turn.
        let is_late = next.is_some_and(|next| next + net.latency < now);
        if router.life() != Life::Off && is_late && !router.has_unread() {
            return Err(format!("{}: the deadline {next:?} stays due at {now}", router.name));
        }
        if router.fooled() > 0 {
            return Err(format!("{} has accepted an advertisement of an attacker", router.name));
        }
        self.check_adverts(net, plan, traits, turn)?;
        for action in &turn.actions {
            let Action::Changed { id, to, from, .. } = action else { continue };
            self.transitions += 1;
            let v = id.0 as usize;
            if *to == Phase::Master {
                self.check_takeover(net, plan, traits, n, v)?;
            }
            self.master_since[n][v] = (*to == Phase::Master).then_some(now);
            if *to == Phase::Stopped && *from == Phase::Master {
                self.check_vacancy(net, plan, v, plan.skew())?;
            }
        }
        self.check_groups(net, plan, traits, n)?;
        for v in 0..self.master_since[n].len() {
            self.check_vacancy(net, plan, v, plan.down_time())?;
            let is_master = router.vrrp().instance(Plan::id(v)).map(|i| i.phase());
            let has = key_of(router, v).is_some_and(|key| router.has(&key));
            // Addresses left by a killed daemon stay until another router is heard.
            let has_begun = is_master.is_some_and(|phase| phase != Phase::Init);
            let is_left = router.life() == Life::Off || router.keeps(Plan::id(v)) || !has_begun;
            if is_master != Some(Phase::Master) && has && !is_left {
                return Err(format!("{} is no master and has the addresses of V{v}", router.name));
            }
            self.check_two_masters(net, plan, traits, v)?;
        }
        Ok(())
    }

    /// Members are in the same state, except shortly after a reload that joined them.
    fn check_groups(
        &mut self,
        net: &Network,
        plan: &Plan,
        traits: &[Traits],
        n: usize,
    ) -> Result<(), String> {
        let (now, router) = (net.now(), &net.routers()[n]);
        let aligned = traits.iter().all(|t| t.groups == traits[0].groups);
        self.aligned = aligned.then(|| self.aligned.unwrap_or(now));
        let limit = plan.down_time() + net.latency + SLACK;
        let since = self.regrouped[n].max(self.awake[n]);
        let fresh = self.regrouped[n] != Instant::ZERO && now.since(since) <= limit;
        for (_, group) in router.vrrp().groups() {
            let phases = || {
                let members = group.members().iter().filter_map(|id| router.vrrp().instance(*id));
                members.map(|i| i.phase())
            };
            if !fresh && phases().any(|phase| Some(phase) != phases().next()) {
                return Err(format!("{}: {} is divided", router.name, group.name()));
            }
        }
        Ok(())
    }

    /// Masters advertise on time, and not much more often.
    fn check_adverts(
        &mut self,
        net: &Network,
        plan: &Plan,
        traits: &[Traits],
        turn: &Turn,
    ) -> Result<(), String> {
        let (n, now) = (turn.router, net.now());
        let (name, interval) = (&net.routers()[n].name, traits[n].interval());
        for action in &turn.actions {
            match action {
                Action::Changed { id, to: Phase::Master, .. } => {
                    let adverts =
                        Adverts { since: now, count: 0, last: now, is_silent: false, extra: 0 };
                    self.adverts[n][id.0 as usize] = Some(adverts);
                }
                Action::Changed { id, .. } => self.adverts[n][id.0 as usize] = None,
                Action::PriorityChanged { id, .. } => {
                    if let Some(a) = &mut self.adverts[n][id.0 as usize] {
                        a.extra += 2;
                    }
                }
                Action::SendAdvert { id, priority } => {
                    let Some(a) = &mut self.adverts[n][id.0 as usize] else { continue };
                    let gap = now.since(a.last.max(self.in_order[n]));
                    if gap > interval.mul_f64(1.1) + net.latency + SLACK {
                        return Err(format!(
                            "{name} was silent for {gap:?} as master of V{}",
                            id.0
                        ));
                    }
                    (a.last, a.count, a.is_silent) = (now, a.count + 1, *priority == 0);
                    if a.is_silent {
                        // As long as the others may wait after a goodbye.
                        a.last += plan.skew() + plan.interval() / 4 + Duration::from_millis(100);
                    }
                    // Ten replies per interval, the regular one, and the first.
                    let most = 11.0 * (now.since(a.since).div_duration_f64(interval) + 1.0) + 1.0;
                    let most = most + f64::from(a.extra);
                    if f64::from(a.count) > most {
                        let (count, since) = (a.count, a.since);
                        return Err(format!("{name} has advertised {count} times since {since}"));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Checks the vacancy of a virtual router: at most `most` without a master.
    fn check_vacancy(
        &mut self,
        net: &Network,
        plan: &Plan,
        v: usize,
        most: Duration,
    ) -> Result<(), String> {
        let (now, count) = (net.now(), self.master_since.len());
        // A stalled master counts as none until it resumes.
        let awake = |n: usize| self.master_since[n][v].map(|since| since.max(self.in_order[n]));
        let manned = (0..count).filter_map(awake).filter(|since| *since <= now).min();
        let Some((since, most)) = self.vacant[v] else {
            self.vacant[v] = manned.is_none().then_some((now, most));
            return Ok(());
        };
        let Some(manned) = manned else { return Ok(()) };
        self.vacant[v] = None;
        // All routers must have been able to hear each other, and one to take over. A router that
        // resumes may send a last advertisement as master, which restarts the wait of the others.
        let long_ago = since - plan.down_time();
        let able = |router: &Router| {
            let i = router.vrrp().instance(Plan::id(v));
            i.is_some_and(|i| matches!(i.phase(), Phase::Backup | Phase::Master))
        };
        let all_in_order =
            (0..count).all(|n| net.routers()[n].life() == Life::Off || self.in_order[n] < long_ago);
        let is_old = |link: &String| self.clean_since(link).is_some_and(|c| c < long_ago);
        let is_clean = self.clean.keys().all(is_old);
        let vacancy = manned.since(since);
        let is_clean = is_clean && self.aligned.is_some_and(|since| since < long_ago);
        if is_clean && all_in_order && net.routers().iter().any(able) && vacancy > most + SLACK {
            return Err(format!("V{v} had no master for {vacancy:?}"));
        }
        Ok(())
    }

    /// Router `n` just became master: checks the master that it displaced.
    fn check_takeover(
        &self,
        net: &Network,
        plan: &Plan,
        traits: &[Traits],
        n: usize,
        v: usize,
    ) -> Result<(), String> {
        // A router that does not know the others' interval cannot know its down time.
        if plan.is_mixed() {
            return Ok(());
        }
        let long_ago = net.now() - plan.down_time();
        let may_preempt =
            |m: usize| priority(net, n, v) > priority(net, m, v) && !traits[n].nopreempt;
        let is_clean = self.clean_since(plan.link(v)).is_some_and(|since| since < long_ago);
        if net.now() < Instant::ZERO + plan.down_time() || !is_clean {
            return Ok(());
        }
        // A router that lost its interface while stalled does not know it yet and may become
        // master; no other router hears it.
        if net.routers()[n].link(plan.link(v)) != LinkState::Up {
            return Ok(());
        }
        let is_silent = |m: usize| self.adverts[m][v].is_some_and(|a| a.is_silent);
        let was_in_order = |m: usize| {
            m != n
                && !is_silent(m)
                && self.in_order[m] < long_ago
                && self.master_since[m][v].is_some_and(|since| since < long_ago)
        };
        let (name, all) = (&net.routers()[n].name, net.routers());
        match (0..all.len()).find(|&m| was_in_order(m) && !may_preempt(m)) {
            Some(m) => Err(format!("{name} displaces {} as master of V{v}", all[m].name)),
            None => Ok(()),
        }
    }

    fn check_two_masters(
        &self,
        net: &Network,
        plan: &Plan,
        traits: &[Traits],
        v: usize,
    ) -> Result<(), String> {
        let Some(clean) = self.clean_since(plan.link(v)) else { return Ok(()) };
        let masters: Vec<(usize, Instant)> = (0..traits.len())
            .filter_map(|n| Some((n, self.master_since[n][v]?.max(self.in_order[n]).max(clean))))
            .collect();
        for (a, since_a) in &masters {
            // The better router: higher priority, then higher address.
            for (b, since_b) in &masters {
                let rank = |n: usize| (priority(net, n, v), n);
                if rank(*a) <= rank(*b) {
                    continue;
                }
                let together = net.now().since(*since_a.max(since_b));
                if together > traits[*a].interval() + SLACK {
                    let [a, b] = [a, b].map(|n| &net.routers()[*n].name);
                    return Err(format!("{a} and {b} are masters of V{v} for {together:?}"));
                }
            }
        }
        Ok(())
    }

    /// Checks the invariants that hold after a long enough fault-free period.
    pub(crate) fn check_agreement(&self, net: &Network, traits: &[Traits]) -> Result<(), String> {
        // A router with other groups may hold back from virtual routers that the others leave to
        // it.
        if self.aligned.is_none() {
            return Ok(());
        }
        for v in 0..self.master_since[0].len() {
            let phase = |r: &Router| r.vrrp().instance(Plan::id(v)).map(|i| i.phase());
            let able = |n: &usize| {
                let router = &net.routers()[*n];
                router.life() != Life::Off
                    && matches!(phase(router), Some(Phase::Backup | Phase::Master))
            };
            let able: Vec<usize> = (0..traits.len()).filter(able).collect();
            let is_master = |n: &&usize| phase(&net.routers()[**n]) == Some(Phase::Master);
            let masters: Vec<usize> = able.iter().filter(is_master).copied().collect();
            let names = |list: &[usize]| {
                list.iter().map(|n| net.routers()[*n].name.clone()).collect::<Vec<_>>().join(" ")
            };
            let [master] = masters[..] else {
                if able.is_empty() {
                    continue;
                }
                let (masters, able) = (names(&masters), names(&able));
                return Err(format!("V{v}: masters are [{masters}] of [{able}]"));
            };
            let best = able.iter().map(|n| priority(net, *n, v)).max().expect("there is a master");
            let all_preempt = able.iter().all(|n| !traits[*n].nopreempt);
            if all_preempt && priority(net, master, v) != best {
                return Err(format!("V{v}: master is {}, which is not the best", names(&[master])));
            }
            let owns = |n: &&usize| {
                let router = &net.routers()[**n];
                key_of(router, v).is_some_and(|key| router.has(&key))
            };
            let owners: Vec<usize> = able.iter().filter(owns).copied().collect();
            if owners.iter().any(|n| *n != master) {
                return Err(format!("V{v}: [{}] have the addresses", names(&owners)));
            }
            let router = &net.routers()[master];
            if !key_of(router, v).is_some_and(|key| router.has(&key)) {
                return Err(format!("V{v}: {} is master without addresses", router.name));
            }
        }
        Ok(())
    }
}

/// Effective priority, including tracked objects.
fn priority(net: &Network, n: usize, v: usize) -> u8 {
    net.routers()[n].vrrp().instance(Plan::id(v)).map_or(0, |i| i.priority())
}

/// Key of the address of a virtual router in the kernel of a router.
pub(crate) fn key_of(router: &Router, v: usize) -> Option<Key> {
    let i = router.vrrp().instance(Plan::id(v))?;
    i.config().addresses.first().map(|a| Key::of(a))
}
