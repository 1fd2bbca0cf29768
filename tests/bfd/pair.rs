//! Two neighbours and the network between them, with a clock that jumps from event to event. A run
//! is determined by its seed.
//!
//! The network loses, delays, duplicates and reorders; daemons stall, with sockets of limited size,
//! restart, change their parameters, and have other programs go
//! on with their sessions, which is no trouble for the neighbour. The clocks of the two differ. After every event:
//!
//! * no session is Up for longer than its detection time after the last packet, but for a second
//!   chance after a stall of its own, and from a takeover on;
//! * silence ends a session only if packets were lost or the neighbour stalled;
//! * a while after the last trouble, both sessions are Up, and they stay so.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use keepalived::base::ids::SessionId;
use keepalived::base::rng::Rng;
use keepalived::base::time::{Duration, Instant};
use keepalived::bfd::{Action, Cause, Domain, Input, Memory, Received, SessionState, Stood};
use keepalived::model::bfd::{BfdAuth, BfdAuthKind, BfdInstance};
use keepalived::model::secret::Secret;
use libtest_mimic::Failed;

const ID: SessionId = SessionId(0);
/// Simulated time of a run, without the quiet time at its end.
const RUN: Duration = Duration::from_secs(100);
/// After trouble, both sessions are Up again within this. A sequence number may take twice a
/// detection time of five seconds to be forgotten; then come three packets a second apart.
const RECOVERY: Duration = Duration::from_secs(20);
/// The largest difference between the delays of two packets without trouble.
const VARIANCE: u64 = 400;
/// From a deadline until it is served.
const LATENCY: Duration = Duration::from_micros(200);
/// Packets that a socket holds.
const SOCKET: usize = 12;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Weather {
    Fair,
    /// So many packets of a thousand are lost, and as many duplicated.
    Lossy(u32),
    /// Delays differ by up to this many microseconds.
    Stormy(u64),
    /// What is sent by these sides is lost.
    Cut([bool; 2]),
}

struct Side {
    domain: Domain,
    config: BfdInstance,
    /// Its clock minus that of the world.
    offset: Duration,
    asleep_until: Option<Instant>,
    /// A copy of the program sends until then, and another program goes on from this.
    replaced: Option<(Instant, Memory)>,
    took_over: Option<Instant>,
    woke: Option<Instant>,
    socket: VecDeque<(Instant, Vec<u8>)>,
    /// When the neighbour last had an excuse for its silence: a lost packet, a stall, a restart.
    excuse: Instant,
}

struct World {
    now: Instant,
    rng: Rng,
    sides: [Side; 2],
    wire: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    weather: Weather,
    /// When the weather changes or something else happens.
    change: Instant,
    /// The last trouble of any kind.
    trouble: Instant,
    /// Of every packet.
    delay: Duration,
    number: u64,
    trace: Vec<String>,
}

pub(crate) fn run(seed: u64) -> Result<(), Failed> {
    let mut world = World::new(seed);
    world.live().map_err(|why| {
        let from = world.trace.len().saturating_sub(60);
        let tail = world.trace[from..].join("\n");
        let [a, b] = [&world.sides[0].config, &world.sides[1].config];
        let next = seed + 1;
        format!("pair {seed}: {why}\nSEEDS={seed}..{next} cargo test --test bfd pairs\n{a:?}\n{b:?}\n{tail}\n{why}").into()
    })
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let key = Secret::new(b"key");
        let kind = *rng.pick(&[BfdAuthKind::Sha1, BfdAuthKind::MeticulousSha1]);
        let auth = rng.one_in(2).then_some(BfdAuth { kind, key_id: 1, key });
        let passive = rng.between(0, 3);
        let mut sides = [1_u8, 2].map(|n| {
            let mut config = BfdInstance {
                passive: passive == u64::from(n),
                auth: auth.clone(),
                ..BfdInstance::new(&format!("to {n}"), [10, 0, 0, 3 - n].into())
            };
            choose(&mut config, &mut rng);
            Side {
                domain: Domain::new([0; 16]),
                config,
                offset: Duration::from_micros(rng.between(0, 1 << 40)),
                asleep_until: None,
                replaced: None,
                took_over: None,
                woke: None,
                socket: VecDeque::new(),
                excuse: Instant::ZERO,
            }
        });
        sides.iter_mut().for_each(|side| side.domain = Domain::new(secret(&mut rng)));
        Self {
            now: Instant::from_millis(1),
            delay: Duration::from_micros(rng.between(0, 30_000)),
            rng,
            sides,
            wire: BTreeMap::new(),
            weather: Weather::Fair,
            change: Instant::ZERO,
            trouble: Instant::ZERO,
            number: 0,
            trace: Vec::new(),
        }
    }

    fn live(&mut self) -> Result<(), String> {
        for n in [0, 1] {
            self.start(n)?;
        }
        let end = self.now + RUN;
        self.change = self.now + Duration::from_secs(5);
        while self.step(end + RECOVERY)? {
            if self.change <= self.now && self.now < end {
                self.make_trouble()?;
            } else if self.change <= self.now {
                self.set_weather(Weather::Fair);
                self.change = Instant::ZERO + Duration::MAX;
            }
        }
        self.are_both_up()
    }

    /// The next event; false at the end.
    fn step(&mut self, end: Instant) -> Result<bool, String> {
        let arrival = self.wire.first_key_value().map(|(&(when, _), _)| when);
        let wakes = [0, 1].map(|n| self.wakes(n));
        let next = [arrival, wakes[0], wakes[1], Some(self.change)];
        self.now = next.into_iter().flatten().min().unwrap_or(end).max(self.now);
        if self.now >= end {
            return Ok(false);
        }
        if arrival == Some(self.now) {
            if let Some((_, (to, bytes))) = self.wire.pop_first() {
                self.arrive(to, bytes)?;
            }
        } else if let Some(n) = (0..2).find(|&n| wakes[n].is_some_and(|wake| wake <= self.now)) {
            self.wake(n)?;
        }
        self.check()?;
        Ok(true)
    }

    /// When a side does something of its own accord.
    fn wakes(&self, n: usize) -> Option<Instant> {
        let side = &self.sides[n];
        let deadline = side.domain.next_deadline().map(|next| next - side.offset + LATENCY);
        match side.replaced {
            Some((until, _)) => {
                let owed = side.domain.next_owed().map(|next| next - side.offset + LATENCY);
                Some(owed.map_or(until, |owed| owed.min(until)))
            }
            None => side.asleep_until.or(deadline),
        }
    }

    fn wake(&mut self, n: usize) -> Result<(), String> {
        match self.sides[n].replaced.take() {
            Some((until, memory)) if until <= self.now => self.take_over(n, memory)?,
            Some(later) => {
                self.sides[n].replaced = Some(later);
                return self.hand(n, Input::DeadlineAmid { read_to: Instant::ZERO });
            }
            None => {}
        }
        if self.sides[n].asleep_until.take().is_some() {
            self.sides[n].woke = Some(self.now);
            self.trace.push(format!("{} {n} wakes", self.now));
        }
        while let Some((arrived, bytes)) = self.sides[n].socket.pop_front() {
            self.read(n, arrived, &bytes)?;
        }
        self.hand(n, Input::Deadline)
    }

    fn arrive(&mut self, n: usize, bytes: Vec<u8>) -> Result<(), String> {
        let (side, now) = (&mut self.sides[n], self.now);
        let reads = side.asleep_until.is_none() && side.replaced.is_none();
        match side.asleep_until {
            _ if reads => self.read(n, now, &bytes),
            _ if side.socket.len() >= SOCKET => {
                // Lost by a stall of our own, which is no excuse. But with authentication, what
                // follows may have a sequence number beyond the window, as the RFC has it.
                if side.config.auth.is_some() {
                    side.excuse = now;
                }
                Ok(())
            }
            _ => {
                side.socket.push_back((now, bytes));
                Ok(())
            }
        }
    }

    fn read(&mut self, n: usize, arrived: Instant, payload: &[u8]) -> Result<(), String> {
        let side = &self.sides[n];
        let received = Received {
            source: side.config.neighbor,
            interface: None,
            destination: None,
            ttl: Some(255),
            multihop: false,
            arrived: arrived + side.offset,
            payload,
        };
        self.hand(n, Input::Packet(received))
    }

    fn hand(&mut self, n: usize, input: Input<'_>) -> Result<(), String> {
        let side = &mut self.sides[n];
        let mut out = Vec::new();
        side.domain.handle(input, self.now + side.offset, &mut out);
        for action in out {
            match action {
                Action::Send { packet, .. } => self.send(n, &packet),
                Action::Changed { from, to, cause, .. } => {
                    self.trace.push(format!("{} {n} {from} -> {to} ({cause})", self.now));
                    // A neighbour that is not up says so slowly, and has nothing to lose.
                    self.sides[1 - n].excuse = self.now;
                    self.judge(n, cause)?;
                }
                other => {
                    if matches!(other, Action::Negotiated { now, .. } if now.remote.is_none()) {
                        // A passive session falls silent.
                        self.sides[1 - n].excuse = self.now;
                    }
                    if !matches!(other, Action::Negotiated { .. }) {
                        self.trace.push(format!("{} {n} {other:?}", self.now));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether silence was a reason.
    fn judge(&self, n: usize, cause: Cause) -> Result<(), String> {
        let Cause::Silence { waited, .. } = cause else { return Ok(()) };
        // What was sent before the silence may still have been on its way.
        let since = self.now - (waited + self.delay + Duration::from_secs(2));
        if self.sides[n].excuse < since {
            return Err(format!("{n} went down for no reason ({cause})"));
        }
        Ok(())
    }

    fn send(&mut self, from: usize, packet: &[u8]) {
        let copies = match self.weather {
            Weather::Cut(lost) if lost[from] => 0,
            Weather::Lossy(rate) if self.rng.per_mille(rate) => 0,
            Weather::Lossy(rate) if self.rng.per_mille(rate) => 2,
            _ => 1,
        };
        let to = 1 - from;
        if copies == 0 {
            self.sides[to].excuse = self.now;
        }
        let variance = match self.weather {
            Weather::Stormy(variance) => {
                self.sides[to].excuse = self.now;
                variance
            }
            _ => VARIANCE,
        };
        for _ in 0..copies {
            let delay = Duration::from_micros(self.rng.between(0, variance));
            self.number += 1;
            let place = (self.now + self.delay + delay, self.number);
            self.wire.insert(place, (to, packet.to_vec()));
        }
    }

    fn start(&mut self, n: usize) -> Result<(), String> {
        let config = Rc::new(self.sides[n].config.clone());
        self.hand(n, Input::Add { id: ID, config })
    }

    fn make_trouble(&mut self) -> Result<(), String> {
        let quiet = self.now.since(self.trouble);
        if self.weather == Weather::Fair && quiet > RECOVERY {
            self.are_both_up()?;
        }
        let n = usize::from(self.rng.one_in(2));
        self.change = self.now + Duration::from_millis(self.rng.between(50, 8_000));
        match self.rng.between(0, 12) {
            0 | 1 => self.set_weather(Weather::Fair),
            2 => {
                let rate = u32::try_from(self.rng.between(10, 400)).unwrap_or(0);
                self.set_weather(Weather::Lossy(rate));
            }
            3 => {
                let variance = self.rng.between(1_000, 2_000_000);
                self.set_weather(Weather::Stormy(variance));
            }
            4 => {
                let sides = *self.rng.pick(&[[true, false], [false, true], [true, true]]);
                self.set_weather(Weather::Cut(sides));
            }
            5 | 6 => self.stall(n),
            7 => self.restart(n)?,
            8 => {
                // A long time without trouble, at the end of which both are Up.
                self.set_weather(Weather::Fair);
                self.change = self.now + RECOVERY + Duration::from_secs(5);
            }
            9 | 10 => self.replace(n),
            _ => return self.adjust(n),
        }
        Ok(())
    }

    /// A copy sends for a while, then another program goes on. Sockets stay.
    fn replace(&mut self, n: usize) {
        let side = &mut self.sides[n];
        let Some(session) = side.domain.session(ID).filter(|_| side.is_running()) else { return };
        let length = Duration::from_millis(self.rng.between(1, 400));
        self.trace.push(format!("{} {n} is replaced in {length:?}", self.now));
        side.replaced = Some((self.now + length, session.memory()));
    }

    fn take_over(&mut self, n: usize, mut memory: Memory) -> Result<(), String> {
        let secret = secret(&mut self.rng);
        let side = &mut self.sides[n];
        let now = self.now + side.offset;
        let copy = side.domain.session(ID).ok_or("the session is gone")?.memory();
        let number = copy.numbers.map(|numbers| numbers.ours);
        memory.follow(Some(Stood { number, sent: copy.counts.sent }), now);
        side.domain = Domain::new(secret);
        side.took_over = Some(self.now);
        self.trace.push(format!("{} {n} goes on in another program", self.now));
        let config = Rc::new(side.config.clone());
        self.hand(n, Input::Resume { id: ID, config, memory })
    }

    fn set_weather(&mut self, weather: Weather) {
        self.trace.push(format!("{} {weather:?}", self.now));
        if self.weather != Weather::Fair {
            self.trouble = self.now;
        }
        self.weather = weather;
    }

    fn stall(&mut self, n: usize) {
        if !self.sides[n].is_running() {
            return;
        }
        let most = *self.rng.pick(&[20, 200, 3_000]);
        let length = Duration::from_millis(self.rng.between(1, most));
        self.trace.push(format!("{} {n} sleeps for {length:?}", self.now));
        let until = self.now + length;
        self.sides[n].asleep_until = Some(until);
        // The neighbour hears nothing until then.
        self.sides[1 - n].excuse = until;
        self.trouble = until;
    }

    fn restart(&mut self, n: usize) -> Result<(), String> {
        self.trace.push(format!("{} {n} restarts", self.now));
        let secret = secret(&mut self.rng);
        let side = &mut self.sides[n];
        (side.domain, side.asleep_until, side.replaced) = (Domain::new(secret), None, None);
        side.socket.clear();
        (self.sides[1 - n].excuse, self.trouble) = (self.now, self.now);
        self.start(n)
    }

    /// A reload with other parameters: that is no trouble.
    fn adjust(&mut self, n: usize) -> Result<(), String> {
        if !self.sides[n].is_running() {
            return Ok(());
        }
        choose(&mut self.sides[n].config, &mut self.rng);
        let config = Rc::new(self.sides[n].config.clone());
        self.trace.push(format!(
            "{} {n} tx {:?} rx {:?} mult {}",
            self.now, config.min_tx, config.min_rx, config.multiplier
        ));
        self.hand(n, Input::Adjust { id: ID, config })
    }

    /// What is true after any event.
    fn check(&self) -> Result<(), String> {
        for (n, side) in self.sides.iter().enumerate() {
            let session = side.domain.session(ID).ok_or("the session is gone")?;
            if session.state() != SessionState::Up || !side.is_running() {
                continue;
            }
            let timing = session.timing();
            let neighbor = session.neighbor().ok_or("Up without a neighbour")?;
            let (detection, offer) =
                (timing.detection.unwrap_or_default(), timing.remote.ok_or("no offer")?);
            let interval = detection / u32::from(offer.multiplier);
            let chance = interval * u32::from(offer.multiplier.min(2));
            let last = neighbor.heard - side.offset + detection;
            let until = side.woke.map_or(last, |woke| last.max(woke + chance));
            let until = side.took_over.map_or(until, |at| until.max(at + detection)) + LATENCY;
            if self.now > until {
                return Err(format!("{n} is Up, {:?} too long", self.now.since(until)));
            }
        }
        Ok(())
    }

    fn are_both_up(&self) -> Result<(), String> {
        let states = [0, 1].map(|n| self.sides[n].domain.session(ID).map(|s| s.state()));
        if states == [Some(SessionState::Up); 2] {
            return Ok(());
        }
        let quiet = self.now.since(self.trouble);
        Err(format!("{states:?}, {quiet:?} after the last trouble"))
    }
}

impl Side {
    /// It reads packets.
    const fn is_running(&self) -> bool {
        self.asleep_until.is_none() && self.replaced.is_none()
    }
}

fn choose(config: &mut BfdInstance, rng: &mut Rng) {
    let mut interval = || Duration::from_millis(*rng.pick(&[10, 50, 100, 150, 300, 1_200]));
    (config.min_tx, config.min_rx) = (interval(), interval());
    config.multiplier = *rng.pick(&[1, 2, 3, 5]);
}

fn secret(rng: &mut Rng) -> [u8; 16] {
    (u128::from(rng.draw()) << 64 | u128::from(rng.draw())).to_be_bytes()
}
