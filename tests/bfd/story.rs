//! Replays a scenario: feeds each line to the core and records its decisions.
//!
//! ```text
//! session b  min_rx 100 min_tx 150 multiplier 3     in milliseconds; with 10.0.0.2 and the defaults
//!            (also: neighbor A, source A, idle_tx N, ttl N, max_hops N|off, passive, multihop,
//!            key WORD, meticulous)
//! 0.000  start                         every session is added
//! 1.000  packet Init                   from the neighbour of the first session
//! 1.500  run                           serves every deadline until then, each in time
//! 2.000  stall                         from here, deadlines wait for `deadline`
//! ```
//!
//! A packet is `packet [b] STATE [P] [F] [D] [A B ...]`: `your N` (default: ours), `my N`, `tx N`,
//! `rx N` (milliseconds), `mult N`, `diag N`, `from A`, `to A`, `ttl N`, `arrived T`, `seq N` (signed
//! with the key of the session). What is not given is as in the packet before.
//!
//! Other inputs: `deadline`, `deadline read T` (packets that arrived after T are unread),
//! `adjust b WORDS`, `remove b`, `stop`, `replace` (another program goes on with the sessions). `> next T` is the next deadline, written whenever it
//! changes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::rc::Rc;

use keepalived::base::ids::SessionId;
use keepalived::base::time::{Duration, Instant};
use keepalived::bfd::{Action, Diag, Domain, Input, Note, Received, SessionState};
use keepalived::model::bfd::{BfdAuth, BfdAuthKind, BfdInstance};
use keepalived::model::secret::Secret;
use keepalived::wire::bfd::{ControlPacket, Packet, Signature};

use super::scenario::{self, Fallible};
use super::time::{instant, parsed};

pub(crate) struct Story {
    sessions: Vec<BfdInstance>,
    domain: Domain,
    /// The last packet of each neighbour.
    packets: BTreeMap<u32, ControlPacket>,
    now: Instant,
    /// The daemon is stalled: deadlines pass.
    stalled: bool,
    next: Option<Instant>,
    said: Vec<String>,
}

impl Default for Story {
    fn default() -> Self {
        Self {
            sessions: Vec::new(),
            domain: Domain::new([1; 16]),
            packets: BTreeMap::new(),
            now: Instant::ZERO,
            stalled: false,
            next: None,
            said: Vec::new(),
        }
    }
}

impl scenario::Story for Story {
    fn line(&mut self, line: &str) -> Fallible<()> {
        let line = line.split(" #").next().unwrap_or("").trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let (first, rest) = line.split_once(' ').ok_or("one word?")?;
        if first == "session" {
            let (name, words) = rest.trim().split_once(' ').unwrap_or_else(|| (rest.trim(), ""));
            let mut session = BfdInstance::new(name, [10, 0, 0, 2].into());
            describe(&mut session, words)?;
            self.sessions.push(session);
            return Ok(());
        }
        let to = instant(first)?;
        let (verb, rest) = rest.trim().split_once(' ').unwrap_or_else(|| (rest.trim(), ""));
        let passed = self.domain.next_deadline().filter(|next| *next < to);
        if let (Some(next), false) = (passed, self.stalled || verb == "run") {
            return Err(format!("the deadline at {next} would pass: `run` or `stall` before"));
        }
        if verb == "run" {
            self.run(to);
        }
        self.now = to;
        self.event(verb, rest.trim())?;
        let next = self.domain.next_deadline();
        if next != self.next {
            self.next = next;
            let when = next.map_or_else(|| "never".to_owned(), |next| next.to_string());
            self.said.push(format!("next {when}"));
        }
        Ok(())
    }

    fn said(&mut self) -> &mut Vec<String> {
        &mut self.said
    }
}

impl Story {
    fn run(&mut self, to: Instant) {
        while let Some(next) = self.domain.next_deadline().filter(|next| *next <= to) {
            self.now = next;
            let count = self.said.len();
            self.hand(Input::Deadline);
            for said in &mut self.said[count..] {
                *said = format!("{next} {said}");
            }
            assert!(self.domain.next_deadline().is_none_or(|after| after > next));
        }
    }

    fn event(&mut self, verb: &str, rest: &str) -> Fallible<()> {
        match verb {
            "run" => {}
            "stall" => self.stalled = true,
            "deadline" => match rest.strip_prefix("read ") {
                Some(time) => self.hand(Input::DeadlineAmid { read_to: instant(time)? }),
                None => {
                    self.stalled = false;
                    self.hand(Input::Deadline);
                }
            },
            "start" => {
                for config in self.sessions.clone() {
                    let id = self.domain.vacant_id();
                    self.hand(Input::Add { id, config: Rc::new(config) });
                }
            }
            "adjust" => {
                let (name, words) = rest.split_once(' ').ok_or("adjust what?")?;
                let id = self.named(name)?;
                let config = &mut self.sessions[usize::from(id)];
                describe(config, words)?;
                let config = Rc::new(config.clone());
                self.hand(Input::Adjust { id, config });
            }
            "remove" => {
                let id = self.named(rest)?;
                self.hand(Input::Remove { id });
            }
            "stop" => self.hand(Input::Stop),
            "replace" => {
                let all = self.domain.sessions().map(|(id, session)| (id, session.memory()));
                let all: Vec<_> = all.collect();
                self.domain = Domain::new([2; 16]);
                for (id, memory) in all {
                    let config = Rc::new(self.sessions[usize::from(id)].clone());
                    self.hand(Input::Resume { id, config, memory });
                }
            }
            "packet" => self.packet(rest)?,
            _ => return Err("no such event".to_owned()),
        }
        Ok(())
    }

    fn named(&self, name: &str) -> Fallible<SessionId> {
        let index = self.sessions.iter().position(|s| s.name == name);
        let index = index.and_then(|index| u32::try_from(index).ok());
        index.map(SessionId).ok_or_else(|| format!("no session {name}"))
    }

    fn packet(&mut self, text: &str) -> Fallible<()> {
        let mut words = text.split_whitespace().peekable();
        let named = words.peek().and_then(|word| self.named(word).ok());
        let id = named.unwrap_or(SessionId(0));
        words.next_if(|_| named.is_some());
        let session = self.domain.session(id).ok_or("there is no such session")?;
        let config = &self.sessions[usize::from(id)];
        let last = self.packets.get(&id.0).copied().unwrap_or(FIRST);
        let mut packet = ControlPacket {
            your_discriminator: session.discriminator(),
            poll: false,
            final_: false,
            demand: false,
            ..last
        };
        let mut received = Received {
            source: config.neighbor,
            interface: None,
            destination: Some([10, 0, 0, 1].into()),
            ttl: Some(255),
            multihop: config.multihop,
            arrived: self.now,
            payload: &[],
        };
        let mut sequence = None;
        while let Some(word) = words.next() {
            if let Some(state) = SessionState::ALL.into_iter().find(|s| s.word() == word) {
                packet.state = state;
                continue;
            }
            match word {
                "P" => packet.poll = true,
                "F" => packet.final_ = true,
                "D" => packet.demand = true,
                _ => {
                    let value = words.next().ok_or_else(|| format!("{word} what?"))?;
                    match word {
                        "your" => packet.your_discriminator = parsed(value)?,
                        "my" => packet.my_discriminator = parsed(value)?,
                        "tx" => packet.min_tx = 1000 * parsed::<u32>(value)?,
                        "rx" => packet.min_rx = 1000 * parsed::<u32>(value)?,
                        "mult" => packet.multiplier = parsed(value)?,
                        "diag" => packet.diag = Diag::new(parsed(value)?),
                        "from" => received.source = parsed(value)?,
                        "to" => received.destination = Some(parsed(value)?),
                        "ttl" => received.ttl = Some(parsed(value)?),
                        "arrived" => received.arrived = instant(value)?,
                        "seq" => sequence = Some(parsed(value)?),
                        _ => return Err(format!("unknown: {word}")),
                    }
                }
            }
        }
        self.packets.insert(id.0, packet);
        let signature = config.auth.as_ref().zip(sequence).map(|(auth, sequence)| {
            let kind = if auth.kind == BfdAuthKind::Sha1 { 4 } else { 5 };
            Signature { kind, key_id: auth.key_id, sequence, key: auth.key.bytes() }
        });
        let payload = packet.emit(signature.as_ref());
        self.hand(Input::Packet(Received { payload: &payload, ..received }));
        Ok(())
    }

    fn hand(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.domain.handle(input, self.now, &mut out);
        let said: Vec<_> = out.iter().map(|action| self.words(action)).collect();
        self.said.extend(said);
    }

    fn words(&self, action: &Action) -> String {
        let name = |id: &SessionId| self.sessions[usize::from(*id)].name.as_str();
        match action {
            Action::Send { id, packet, ttl } => {
                format!("{} sends {}", name(id), sent(packet, *ttl))
            }
            Action::Changed { id, from, to, cause, local, remote } => {
                format!("{} {from} -> {to} ({cause}; {local}, {remote})", name(id))
            }
            Action::Negotiated { id, now, .. } => {
                let every = now.tx_interval.map_or_else(|| "not".to_owned(), |t| format!("{t:?}"));
                let time = now.detection.map_or_else(|| "never".to_owned(), |t| format!("{t:?}"));
                format!("{} every {every}, detection {time}", name(id))
            }
            Action::Refused { id, from, reason, .. } => {
                let name = id.as_ref().map_or("no session", name);
                format!("{name}: packet from {from} refused: {reason}")
            }
            Action::Noted { id, note, .. } => {
                let note = match note {
                    Note::PollStarted => "poll".to_owned(),
                    Note::PollEnded => "poll answered".to_owned(),
                    Note::Stalled { late, until } => format!("stalled {late:?}, until {until}"),
                    Note::Silenced => "silenced".to_owned(),
                    Note::Unsilenced => "no longer silenced".to_owned(),
                };
                format!("{}: {note}", name(id))
            }
            Action::Gone(id) => format!("{} is gone", name(id)),
        }
    }
}

/// `Up P tx 150ms rx 100ms mult 3`, and what is not usual.
fn sent(bytes: &[u8], ttl: u8) -> String {
    let packet = Packet::parse(bytes).expect("a packet");
    let c = packet.control();
    let mut text = c.state.to_string();
    for (is_set, word) in [(c.poll, " P"), (c.final_, " F"), (c.your_discriminator == 0, " your 0")]
    {
        text.push_str(if is_set { word } else { "" });
    }
    if c.diag != Diag::NONE {
        write!(text, " diag {}", c.diag.code()).expect("a string");
    }
    let (tx, rx) = (c.min_tx / 1000, c.min_rx / 1000);
    write!(text, " tx {tx} rx {rx} mult {}", c.multiplier).expect("a string");
    if ttl != 255 {
        write!(text, " ttl {ttl}").expect("a string");
    }
    if packet.sha1().is_some() {
        text.push_str(" signed");
    }
    text
}

const FIRST: ControlPacket = ControlPacket {
    diag: Diag::NONE,
    state: SessionState::Down,
    poll: false,
    final_: false,
    independent: false,
    demand: false,
    multipoint: false,
    multiplier: 4,
    my_discriminator: 77,
    your_discriminator: 0,
    min_tx: 1_000_000,
    min_rx: 200_000,
    min_echo_rx: 0,
};

fn describe(session: &mut BfdInstance, text: &str) -> Fallible<()> {
    let mut words = text.split_whitespace();
    let millis = |value: &str| parsed(value).map(Duration::from_millis);
    while let Some(word) = words.next() {
        match word {
            "passive" => session.passive = true,
            "multihop" => session.multihop = true,
            "meticulous" => {
                let auth = session.auth.as_mut().ok_or("with which key?")?;
                auth.kind = BfdAuthKind::MeticulousSha1;
            }
            _ => {
                let value = words.next().ok_or_else(|| format!("{word} what?"))?;
                match word {
                    "neighbor" => session.neighbor = parsed::<IpAddr>(value)?,
                    "source" => session.source = Some(parsed(value)?),
                    "min_rx" => session.min_rx = millis(value)?,
                    "min_tx" => session.min_tx = millis(value)?,
                    "idle_tx" => session.idle_tx = millis(value)?,
                    "multiplier" => session.multiplier = parsed(value)?,
                    "ttl" => session.ttl = parsed(value)?,
                    "max_hops" => session.max_hops = value.parse().ok(),
                    "key" => {
                        let key = Secret::new(value.as_bytes());
                        session.auth = Some(BfdAuth { kind: BfdAuthKind::Sha1, key_id: 1, key });
                    }
                    _ => return Err(format!("unknown: {word}")),
                }
            }
        }
    }
    Ok(())
}
