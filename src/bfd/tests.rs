//! One session (or more) and a neighbour whose packets the tests write.

mod auth;
mod demux;
mod polls;
mod reload;
mod resume;
mod silence;
mod table;
mod timers;

use std::net::IpAddr;
use std::rc::Rc;

use super::*;
use crate::base::time::Duration;
use crate::wire::bfd::{ControlPacket, Packet};

const ID: SessionId = SessionId(0);
/// The discriminator of the neighbour.
const THEIRS: u32 = 77;

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// 100 ms to receive, 150 ms to send, three packets.
fn config() -> BfdInstance {
    BfdInstance {
        min_rx: ms(100),
        min_tx: ms(150),
        multiplier: 3,
        ..BfdInstance::new("b", [10, 0, 0, 2].into())
    }
}

struct Bench {
    domain: Domain,
    now: Instant,
}

impl Bench {
    fn new(config: BfdInstance) -> (Self, Vec<Action>) {
        let mut bench = Self { domain: Domain::new([7; 16]), now: Instant::from_millis(1000) };
        let out = bench.hand(Input::Add { id: ID, config: Rc::new(config) });
        (bench, out)
    }

    /// A session that is Up, with a neighbour that sends every 120 ms and takes a packet in 200.
    fn up(config: BfdInstance) -> Self {
        let mut bench = Self::new(config).0;
        bench.hear(&bench.packet(SessionState::Init));
        // It has switched to its own rate, and confirms ours.
        let up = bench.packet(SessionState::Up);
        bench.hear(&up);
        bench.hear(&ControlPacket { final_: true, ..up });
        bench.hear(&up);
        assert_eq!(bench.state(), SessionState::Up);
        bench
    }

    fn hand(&mut self, input: Input<'_>) -> Vec<Action> {
        let mut out = Vec::new();
        self.domain.handle(input, self.now, &mut out);
        out
    }

    fn session(&self) -> &Session {
        self.domain.session(ID).expect("there is one")
    }

    fn state(&self) -> SessionState {
        self.session().state()
    }

    /// A packet of the neighbour as it is without trouble.
    fn packet(&self, state: SessionState) -> ControlPacket {
        ControlPacket {
            diag: Diag::NONE,
            state,
            poll: false,
            final_: false,
            independent: false,
            demand: false,
            multipoint: false,
            multiplier: 4,
            my_discriminator: THEIRS,
            your_discriminator: self.session().discriminator(),
            min_tx: if state == SessionState::Up { 120_000 } else { 1_000_000 },
            min_rx: 200_000,
            min_echo_rx: 0,
        }
    }

    fn hear(&mut self, packet: &ControlPacket) -> Vec<Action> {
        self.datagram(&packet.emit(None))
    }

    fn datagram(&mut self, payload: &[u8]) -> Vec<Action> {
        let arrived = self.now;
        self.hand(Input::Packet(Received { arrived, ..received(payload) }))
    }

    /// Serves every deadline until then, each in time.
    fn run(&mut self, until: Instant) -> Vec<Action> {
        let mut all = Vec::new();
        while let Some(next) = self.domain.next_deadline().filter(|next| *next <= until) {
            self.now = next;
            all.extend(self.hand(Input::Deadline));
            assert!(self.domain.next_deadline().is_none_or(|after| after > next));
        }
        self.now = until;
        all
    }

    fn run_for(&mut self, time: Duration) -> Vec<Action> {
        self.run(self.now + time)
    }
}

fn received(payload: &[u8]) -> Received<'_> {
    Received {
        source: IpAddr::from([10, 0, 0, 2]),
        interface: None,
        destination: Some(IpAddr::from([10, 0, 0, 1])),
        ttl: Some(255),
        multihop: false,
        arrived: Instant::ZERO,
        payload,
    }
}

/// The packets among the actions.
fn sent(actions: &[Action]) -> Vec<ControlPacket> {
    let packet = |action: &Action| match action {
        Action::Send { packet, .. } => Some(Packet::parse(packet).expect("a packet").control()),
        _ => None,
    };
    actions.iter().filter_map(packet).collect()
}

/// The changes of state among them.
fn changes(actions: &[Action]) -> Vec<(SessionState, Cause)> {
    let change = |action: &Action| match action {
        Action::Changed { to, cause, .. } => Some((*to, *cause)),
        _ => None,
    };
    actions.iter().filter_map(change).collect()
}

fn refusals(actions: &[Action]) -> Vec<Refusal> {
    let refusal = |action: &Action| match action {
        Action::Refused { reason, .. } => Some(*reason),
        _ => None,
    };
    actions.iter().filter_map(refusal).collect()
}
