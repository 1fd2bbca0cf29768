//! Fault injection.

use keepalived::base::time::Duration;
use keepalived::model::track::Object;
use keepalived::sim::Life;
use keepalived::sim::Segment;
use keepalived::vrrp::{LinkState, Phase, TrackState};

use super::watch::key_of;
use super::world::{World, MAX_SKEW};

impl World {
    /// Injects a dozen faults. In half of the cases the network itself has none, so that stricter
    /// invariants apply to the routers.
    pub(crate) fn trouble(&mut self) -> Result<(), String> {
        let is_clean = self.rng.one_in(2);
        for _ in 0..self.rng.between(1, 12) {
            let wait = self.interval().mul_f64(self.rng.between(1, 60) as f64 / 10.0);
            self.run_until(self.net.now() + wait)?;
            self.attack();
            let n = self.orders.between(0, 3 * self.routers.len() as u64);
            let n = usize::try_from(n).expect("small");
            if self.net.routers().get(n).is_some_and(|router| router.life() == Life::Running) {
                self.order(n)?;
            }
            if is_clean || self.rng.one_in(2) {
                self.trouble_of_router()?;
            } else {
                self.trouble_of_segment();
            }
        }
        Ok(())
    }

    /// In an authenticated world: clocks are set, and what was recorded is played back.
    fn attack(&mut self) {
        let Some(proof) = self.plan.proof else { return };
        let n = usize::try_from(self.attacks.between(0, self.routers.len() as u64)).expect("small");
        if self.attacks.one_in(3) && self.net.routers()[n].life() != Life::Off {
            let steps = u64::try_from(2 * MAX_SKEW).expect("positive");
            let ahead = i64::try_from(self.attacks.between(0, steps)).expect("small") - MAX_SKEW;
            // Until it has sent something, what others remember of an earlier run counts.
            if self.has_spoken(n) || ahead >= self.routers[n].clock {
                self.note(|| format!("the clock of router {} is {ahead} us fast", n + 1));
                self.set_clock(n, ahead);
            }
        }
        if self.attacks.one_in(2) {
            let link = self.attacks.pick(&self.plan.links).clone();
            let count = usize::try_from(self.attacks.between(1, 4)).expect("small");
            self.note(|| format!("{count} advertisements ({proof:?}) are played back on {link}"));
            self.net.play_back(&link, count, &mut self.attacks);
            self.watch.segment_flooded(&link, self.net.now());
        }
    }

    fn trouble_of_router(&mut self) -> Result<(), String> {
        let n = usize::try_from(self.rng.between(0, self.routers.len() as u64)).expect("small");
        let name = self.net.routers()[n].name.clone();
        let life = self.net.routers()[n].life();
        let link = self.rng.pick(&self.plan.links).clone();
        match self.rng.between(0, 15) {
            _ if self.plan.regroups && self.rng.one_in(4) => self.regroup(n)?,
            0..=2 if life == Life::Running => {
                let time = self.interval().mul_f64(self.rng.between(1, 100) as f64 / 10.0);
                self.note(|| format!("{name} stalls for {time:?}"));
                self.net.stall(n, time);
                self.watch.asleep(n, self.net.now() + time);
            }
            3 => {
                if self.rng.one_in(2) {
                    self.note(|| format!("{name} loses its power"));
                    self.net.lose_power(n);
                } else {
                    self.note(|| format!("the daemon of {name} is killed"));
                    self.net.crash(n);
                }
                self.watch.router_off(n, self.net.now());
            }
            4 if life == Life::Running => {
                self.note(|| format!("{name} is stopped"));
                self.stop(n)?;
                self.watch.router_off(n, self.net.now());
            }
            5 => {
                let state = *self.rng.pick(&[LinkState::Down, LinkState::Missing]);
                self.set_link(n, &link, state);
            }
            6 | 7 => self.set_link(n, &link, LinkState::Up),
            8 if life == Life::Running && self.rng.one_in(3) => {
                let v = usize::try_from(self.rng.between(0, self.plan.virtual_routers));
                if let Some(key) = key_of(&self.net.routers()[n], v.expect("small")) {
                    self.note(|| format!("{key} is removed from {name}"));
                    self.net.remove_address(n, &key);
                }
            }
            9 if life == Life::Running => {
                let is_owner = self.routers[n].priorities[0] == 255;
                self.routers[n].draw_priorities(&self.plan, is_owner, &mut self.rng);
                let priorities = self.routers[n].priorities.clone();
                self.note(|| format!("{name} reloads with priorities {priorities:?}"));
                self.start(n)?;
            }
            12..=14 if life != Life::Off => self.flap_script(n),
            _ if life == Life::Off => {
                self.note(|| format!("{name} starts"));
                self.start(n)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// One router reloads with other groups; or all do, one after the other, with the same groups.
    /// Usually it is a master that has lost some of its virtual routers and not yet regained them.
    fn regroup(&mut self, n: usize) -> Result<(), String> {
        let is_master = |n: &usize| {
            let mut all = self.net.routers()[*n].vrrp().instances();
            all.any(|(_, i)| i.phase() == Phase::Master)
        };
        let mut routers = 0..self.routers.len();
        let n = routers.find(|n| !self.rng.one_in(3) && is_master(n)).unwrap_or(n);
        if self.rng.one_in(2) {
            let link = self.rng.pick(&self.plan.links).clone();
            self.set_link(n, &link, LinkState::Down);
            self.run_until(self.net.now() + self.down_time())?;
            self.set_link(n, &link, LinkState::Up);
            self.run_until(self.net.now() + self.interval())?;
        }
        let groups = self.plan.draw_groups(&mut self.rng);
        let all = self.rng.one_in(2);
        for m in (0..self.routers.len()).filter(|m| all || *m == n) {
            let life = self.net.routers()[m].life();
            if matches!(life, Life::Asleep(_)) {
                continue;
            }
            self.routers[m].groups.clone_from(&groups);
            if life == Life::Running {
                let name = self.net.routers()[m].name.clone();
                self.note(|| format!("{name} reloads with groups {groups:?}"));
                self.watch.regrouped(m, self.net.now());
                self.start(m)?;
                let wait = self.interval().mul_f64(self.rng.between(0, 5) as f64 / 10.0);
                self.run_until(self.net.now() + wait)?;
            }
        }
        Ok(())
    }

    fn set_link(&mut self, n: usize, link: &str, state: LinkState) {
        if self.net.routers()[n].link(link) != state {
            let name = self.net.routers()[n].name.clone();
            self.note(|| format!("{link} of {name} is {state:?}"));
            self.net.set_link(n, link, state);
            self.watch.disturb_router(n, self.net.now());
        }
    }

    /// Changes the result of a router's script.
    fn flap_script(&mut self, n: usize) {
        let script = Object::Script("check".to_owned());
        let is_up = self.net.routers()[n].tracked(&script).is_some_and(TrackState::is_up);
        let state = if is_up { TrackState::exit(1) } else { TrackState::exit(0) };
        let name = self.net.routers()[n].name.clone();
        self.note(|| format!("script check of {name} is {state}"));
        self.net.set_tracked(n, script, state);
        self.watch.disturb_router(n, self.net.now());
    }

    fn trouble_of_segment(&mut self) {
        let link = self.rng.pick(&self.plan.links).clone();
        let (count, rng) = (self.routers.len(), &mut self.rng);
        let segment = self.net.segments.get_mut(&link).expect("all links have one");
        let what = match rng.between(0, 6) {
            _ if rng.one_in(12) => return self.flood(&link),
            0 => {
                segment.loss = *rng.pick(&[50, 300, 1000]);
                format!("loses {} in a thousand", segment.loss)
            }
            1 => {
                segment.longest_delay = Duration::from_millis(rng.between(1, 400));
                format!("delays up to {:?}", segment.longest_delay)
            }
            2 => {
                segment.duplication = *rng.pick(&[100, 1000]);
                format!("doubles {} in a thousand", segment.duplication)
            }
            3 => {
                let apart = rng.draw();
                segment.part(count, |n| apart >> n & 1 == 1);
                format!("is parted: {:?}", segment.blocked)
            }
            4 => {
                let ends = [0; 2].map(|_| usize::try_from(rng.between(0, count as u64)));
                let [a, b] = ends.map(|n| n.expect("small"));
                segment.blocked.insert((a, b));
                format!("carries nothing from {} to {}", a + 1, b + 1)
            }
            _ => {
                *segment = Segment::default();
                "is healed".to_owned()
            }
        };
        self.note(|| format!("{link} {what}"));
        let now = self.net.now();
        self.watch.segment_changed(&link, &self.net.segments[&link], now);
    }

    /// An unrelated host sends more than any router can read.
    fn flood(&mut self, link: &str) {
        let segment = self.plan.links.iter().position(|l| l == link).expect("one of them");
        let from = if self.plan.is_v6() {
            format!("fe80::{segment}:ff")
        } else {
            format!("10.0.{segment}.{}", self.rng.pick(&[0, 200]))
        };
        let running = (0..self.routers.len()).find(|n| self.net.routers()[*n].life() != Life::Off);
        let Some(n) = running else { return };
        let time = self.interval().mul_f64(self.rng.between(5, 25) as f64 / 10.0);
        let (count, until) = (self.rng.between(1, 24), self.net.now() + time);
        // The worst case is rare: a flood at full rate costs as much as a hundred schedules.
        let is_worst = self.rng.one_in(20);
        let wave = if is_worst { Duration::from_millis(1) } else { self.interval() / 40 };
        self.note(|| format!("{link} is flooded for {time:?}, {count} every {wave:?}"));
        let from = from.parse().expect("an address");
        let count = usize::try_from(count).expect("small");
        self.net.flood(n, link, from, (count, wave), until);
        self.watch.segment_flooded(link, until);
    }

    pub(crate) fn heal(&mut self) {
        self.note(|| "everything is healed".to_owned());
        let now = self.net.now();
        self.net.dry_up();
        for (link, segment) in &mut self.net.segments {
            *segment = Segment::default();
            self.watch.segment_changed(link, segment, now);
        }
    }
}
