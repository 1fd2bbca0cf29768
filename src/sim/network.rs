//! Routers on segments, and a clock that jumps to the next event.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::router::{Life, Packet, Router};
use super::segment::Segment;
use crate::base::rng::Rng;
use crate::base::sorted::SortedMap;
use crate::base::time::{micros, Duration, Instant};
use crate::holdings::Key;
use crate::model::track::Object;
use crate::model::Config;
use crate::vrrp::{Action, LinkState, Order, TrackState};

/// An entry of the event queue.
enum Scheduled {
    Arrives {
        to: usize,
        packet: Packet,
    },
    /// The daemon is scheduled, unless its wake-up time has changed since.
    Wakes(usize),
    /// The next wave of a flood.
    Floods(String),
}

/// A flood of packets from an unrelated host to every router of a segment.
struct Flood {
    until: Instant,
    /// The time between two waves.
    wave: Duration,
    /// Packets per wave.
    count: usize,
    /// Sent in rotation.
    packets: Vec<Packet>,
    next: usize,
}

/// Packets that an attacker remembers.
const RECORDED: usize = 256;

/// Duration of a turn that used its whole read budget.
const LONG_TURN: Duration = Duration::from_millis(1);

/// The actions of a router in one turn.
pub struct Turn {
    pub router: usize,
    pub actions: Vec<Action>,
}

pub struct Network {
    now: Instant,
    rng: Rng,
    routers: Vec<Router>,
    pub segments: SortedMap<String, Segment>,
    /// Upper bound of the scheduling latency of a daemon.
    pub latency: Duration,
    events: SortedMap<(Instant, u64), Scheduled>,
    wakes: Vec<Option<Instant>>,
    floods: SortedMap<String, Flood>,
    number: u64,
    /// What an attacker has recorded lately.
    recorded: VecDeque<Packet>,
}

impl Network {
    pub const fn new(seed: u64) -> Self {
        Self {
            now: Instant::ZERO,
            rng: Rng::new(seed),
            routers: Vec::new(),
            segments: SortedMap::new(),
            latency: Duration::ZERO,
            events: SortedMap::new(),
            wakes: Vec::new(),
            floods: SortedMap::new(),
            number: 0,
            recorded: VecDeque::new(),
        }
    }

    pub const fn now(&self) -> Instant {
        self.now
    }

    pub fn routers(&self) -> &[Router] {
        &self.routers
    }

    /// Adds a router, switched off.
    pub fn add(&mut self, router: Router) -> usize {
        self.routers.push(router);
        self.wakes.push(None);
        self.routers.len() - 1
    }

    /// Starts a daemon, or reloads its configuration.
    pub fn start(&mut self, n: usize, config: Config) -> Turn {
        let (router, now) = (&mut self.routers[n], self.now);
        match router.life {
            Life::Off => router.start(config, now),
            Life::Running | Life::Asleep(_) => router.adopt(config, now),
        }
        self.after(n)
    }

    /// The daemon stops, and sends priority 0.
    pub fn stop(&mut self, n: usize) -> Turn {
        self.routers[n].stop(self.now);
        self.wakes[n] = None;
        self.after(n)
    }

    /// An operator orders a failover or maintenance.
    pub fn order(&mut self, n: usize, order: Order) -> Turn {
        self.routers[n].order(order, self.now);
        self.after(n)
    }

    /// The daemon is killed.
    pub fn crash(&mut self, n: usize) {
        self.routers[n].crash();
        self.wakes[n] = None;
    }

    /// The whole router goes down.
    pub fn lose_power(&mut self, n: usize) {
        self.routers[n].lose_power();
        self.wakes[n] = None;
    }

    /// The daemon stalls for this time.
    pub fn stall(&mut self, n: usize, time: Duration) {
        let until = self.now + time;
        if self.routers[n].life != Life::Off {
            self.routers[n].life = Life::Asleep(until);
            self.wakes[n] = None;
            self.plan(n);
        }
    }

    pub fn set_link(&mut self, n: usize, link: &str, state: LinkState) {
        self.routers[n].set_link(link, state);
        self.plan(n);
    }

    /// Changes the state of an object that a router tracks.
    pub fn set_tracked(&mut self, n: usize, object: Object, state: TrackState) {
        self.routers[n].set_tracked(object, state);
        self.plan(n);
    }

    /// Floods a segment with forged advertisements for the virtual routers of this router: priority
    /// 0, the lowest priority, and malformed ones. `count` of them arrive every `wave`.
    pub fn flood(
        &mut self,
        n: usize,
        link: &str,
        from: IpAddr,
        (count, wave): (usize, Duration),
        until: Instant,
    ) {
        let packets = self.routers[n].forge(link, from, &[0, 1]);
        if !packets.is_empty() {
            let flood = Flood { until, wave, count, packets, next: 0 };
            if self.floods.insert(link.to_owned(), flood).is_none() {
                self.push(self.now, Scheduled::Floods(link.to_owned()));
            }
        }
    }

    /// Plays back what was recorded on a segment to every router: `count` packets, each of them also
    /// with one bit changed.
    pub fn play_back(&mut self, link: &str, count: usize, rng: &mut Rng) {
        let recorded: Vec<Packet> =
            self.recorded.iter().filter(|packet| packet.link == link).cloned().collect();
        for _ in 0..if recorded.is_empty() { 0 } else { count } {
            let packet = rng.pick(&recorded).clone();
            let mut bytes = packet.bytes.to_vec();
            // The last bytes: authenticated, whatever the form.
            let at = bytes.len() - 1 - usize::try_from(rng.between(0, 16)).unwrap_or(0);
            bytes[at] ^= 1 << rng.between(0, 8);
            let changed = Packet { bytes: bytes.into(), number: None, ..packet.clone() };
            for router in &mut self.routers {
                router.hear(changed.clone(), self.now);
                router.hear(packet.clone(), self.now);
            }
        }
        for n in 0..self.routers.len() {
            self.plan(n);
        }
    }

    /// Sets the wall clock of a router forward or back.
    pub fn step_clock(&mut self, n: usize, micros: i64) {
        self.routers[n].step_clock(micros);
    }

    /// Makes the wall clock of a router fast or slow, in millionths, from the start on.
    pub fn set_drift(&mut self, n: usize, millionths: i64) {
        self.routers[n].set_drift(millionths);
    }

    /// Ends all floods.
    pub fn dry_up(&mut self) {
        for flood in self.floods.values_mut() {
            flood.until = self.now;
        }
    }

    fn wave(&mut self, link: String) {
        let Some(mut flood) = self.floods.remove(&link).filter(|f| f.until > self.now) else {
            return;
        };
        for _ in 0..flood.count {
            flood.next = (flood.next + 1) % flood.packets.len();
            for router in &mut self.routers {
                router.hear(flood.packets[flood.next].clone(), self.now);
            }
        }
        for n in 0..self.routers.len() {
            self.plan(n);
        }
        self.push(self.now + flood.wave, Scheduled::Floods(link.clone()));
        self.floods.insert(link, flood);
    }

    /// Removes a virtual address from a router externally.
    pub fn remove_address(&mut self, n: usize, key: &Key) {
        self.routers[n].remove(key);
        self.plan(n);
    }

    /// Processes the next event, if it is due by `until`; otherwise advances the clock to `until`.
    ///
    /// `Some` if a router acted on it.
    pub fn step(&mut self, until: Instant) -> Option<Turn> {
        while self.events.first_key_value().is_some_and(|((at, _), _)| *at <= until) {
            let ((at, _), event) = self.events.pop_first()?;
            self.now = at;
            match event {
                Scheduled::Arrives { to, packet } => {
                    self.routers[to].hear(packet, at);
                    self.plan(to);
                }
                Scheduled::Floods(link) => self.wave(link),
                Scheduled::Wakes(n) => {
                    if self.wakes[n] == Some(at) {
                        self.wakes[n] = None;
                        self.routers[n].turn(at);
                        return Some(self.after(n));
                    }
                }
            }
        }
        self.now = until;
        None
    }

    /// Sends the packets of the router, and schedules its next wake-up.
    fn after(&mut self, n: usize) -> Turn {
        for mut packet in std::mem::take(&mut self.routers[n].sent) {
            self.number += 1;
            packet.number = Some(self.number);
            self.carry(n, &packet);
            self.recorded.push_back(packet);
            while self.recorded.len() > RECORDED {
                self.recorded.pop_front();
            }
        }
        self.plan(n);
        Turn { router: n, actions: self.routers[n].take_actions() }
    }

    fn carry(&mut self, from: usize, packet: &Packet) {
        let Some(segment) = self.segments.get(&packet.link) else { return };
        if self.routers[from].link(&packet.link) != LinkState::Up {
            return;
        }
        let mut arrivals = Vec::new();
        for to in (0..self.routers.len()).filter(|to| *to != from) {
            let when = segment.carry(from, to, self.now, &mut self.rng);
            arrivals.extend(when.into_iter().flatten().map(|at| (at, to)));
        }
        for (at, to) in arrivals {
            self.push(at, Scheduled::Arrives { to, packet: packet.clone() });
        }
    }

    fn plan(&mut self, n: usize) {
        let router = &self.routers[n];
        let at = match router.life {
            Life::Off => return,
            Life::Asleep(until) => until,
            Life::Running => {
                let late = self.rng.between(0, micros(self.latency) + 1);
                let due = if router.has_mail() { Some(self.now) } else { router.next_deadline() };
                let Some(due) = due else { return };
                let busy = if router.is_crowded() { LONG_TURN } else { Duration::ZERO };
                due.max(self.now + busy) + Duration::from_micros(late)
            }
        };
        if self.wakes[n].is_none_or(|planned| at < planned) {
            self.wakes[n] = Some(at);
            self.push(at, Scheduled::Wakes(n));
        }
    }

    fn push(&mut self, at: Instant, event: Scheduled) {
        self.number += 1;
        self.events.insert((at, self.number), event);
    }
}
