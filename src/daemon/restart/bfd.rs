//! BFD sessions at a restart: handed over with their sockets, sent for by the stand-in, gone on with.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::base::ids::SessionId;
use crate::base::time::{micros, Duration, Instant};
use crate::base::tracked::{Finding, TrackState};
use crate::bfd::{
    Action, Counts, Diag, Input, Memory, Neighbor, Numbers, Offer, Poll, Session, SessionState,
    Stood,
};
use crate::daemon::bfd::{self, Port};
use crate::daemon::runtime::Runtime;
use crate::model::bfd::{BfdAuthKind, BfdInstance};
use crate::model::track::Object;
use crate::snapshot::bfd as saved;
use crate::sys::process::StandIn;
use crate::sys::reason;
use crate::vrrp;

/// Time for the last word of a stand-in. It has nothing else to do, but neighbours wait as well.
const LAST_WORD: Duration = Duration::from_millis(50);

impl Runtime {
    pub(super) fn session_snapshot(&self) -> saved::Bfd {
        let receiver = |(port, descriptor): (Port, _)| saved::Receiver {
            ipv6: port.is_ipv6(),
            multihop: port.is_multihop(),
            descriptor,
        };
        let all = self.cores.bfd.sessions().filter(|(_, session)| !session.is_departing());
        let session = |(id, session): (_, &Session)| {
            let object = Object::Bfd(session.config().name.clone());
            let down = match self.cores.vrrp.tracked(&object) {
                TrackState::Down(Finding::SessionDown(why)) => Some(why.to_string()),
                _ => None,
            };
            let descriptor = self.network.sessions.sender(id);
            save(session.config(), &session.memory(), down, descriptor)
        };
        saved::Bfd {
            namespace: self.running.config.global.net_namespace.clone(),
            receivers: self.network.sessions.receivers().map(receiver).collect(),
            sessions: all.map(session).collect(),
        }
    }

    /// For a copy of the process: sends what is due. Nothing is read, so silence means nothing.
    pub(super) fn stand_in_for_sessions(&mut self) {
        let mut actions = Vec::new();
        let owed = Input::DeadlineAmid { read_to: Instant::ZERO };
        self.cores.bfd.handle(owed, self.now, &mut actions);
        for action in actions {
            if let Action::Send { id, packet, ttl } = action {
                if let Some(session) = self.cores.bfd.session(id) {
                    let links = self.cores.holdings.links();
                    self.network.sessions.send(id, session.config(), links, &packet, ttl);
                }
            }
        }
    }

    /// For a copy of the process: what it has sent.
    pub(super) fn last_word(&self) -> String {
        let stood = |(_, session): (_, &Session)| {
            let memory = session.memory();
            let number = memory.numbers.map(|numbers| numbers.ours);
            let (discriminator, sent) = (memory.discriminator, memory.counts.sent);
            saved::Stood { discriminator, number, sent }
        };
        saved::LastWord { sessions: self.cores.bfd.sessions().map(stood).collect() }.text()
    }

    /// The program could not be replaced: this one goes on, above the numbers of the stand-in.
    pub(super) fn take_back(&mut self, stand_in: StandIn) {
        let word = relieve(stand_in);
        self.now = self.clock.now();
        let all = self.cores.bfd.sessions().map(|(id, session)| (id, session.discriminator()));
        for (id, discriminator) in all.collect::<Vec<_>>() {
            self.cores.bfd.follow(id, of_session(word.as_ref(), discriminator), self.now);
        }
    }

    /// Before anything is added: what tracks a session that goes on finds it as it is.
    pub(in crate::daemon) fn recall_sessions(&mut self) {
        for (config, saved) in self.matches() {
            let state = match (saved.state == SessionState::Up.word(), saved.down.as_deref()) {
                (true, _) => TrackState::Up(Finding::SessionUp),
                (false, Some(why)) => TrackState::Down(Finding::SessionDown(Box::new(why.into()))),
                (false, None) => TrackState::Down(Finding::NoSession),
            };
            let object = Object::Bfd(config.name.clone());
            self.tell_servers(&object, &state);
            self.cores.vrrp(vrrp::Input::Tracked { object: &object, state }, self.now);
        }
        let Some(from) = &self.restart.recalled else { return };
        for receiver in &from.bfd.receivers {
            if let Some(file) = self.restart.sockets.remove(&receiver.descriptor) {
                let port = Port::new(receiver.ipv6, receiver.multihop);
                self.network.sessions.inherit(port, file);
            }
        }
    }

    /// Goes on with the sessions of the program before this one, instead of the stand-in. Gives
    /// their places in the configuration.
    pub(in crate::daemon) fn resume_sessions(&mut self) -> BTreeSet<usize> {
        if self.restart.recalled.as_ref().is_none_or(|from| from.bfd.sessions.is_empty()) {
            return BTreeSet::new();
        }
        let matches = self.matches();
        self.complain_of_others(&matches);
        let word = self.restart.stand_in.take().map(relieve);
        self.now = self.clock.now();
        for (config, saved) in &matches {
            let Some(mut memory) = recall(saved) else { continue };
            if let Some(word) = &word {
                memory.follow(of_session(word.as_ref(), memory.discriminator), self.now);
            }
            let id: SessionId = self.cores.bfd.vacant_id();
            let socket = saved.descriptor.and_then(|fd| self.restart.sockets.remove(&fd));
            let to = bfd::peer(config, self.cores.holdings.links());
            if let (Some(file), Ok(to)) = (socket, to) {
                self.network.sessions.adopt(id, to, file);
            }
            let config = Rc::clone(config);
            self.cores.bfd(Input::Resume { id, config, memory }, self.now);
            self.drain();
        }
        log::info!("BFD sessions that go on: {}", matches.len());
        let names: BTreeSet<_> = matches.iter().map(|(config, _)| config.name.as_str()).collect();
        let all = self.running.config.bfd.iter().enumerate();
        all.filter(|(_, config)| names.contains(config.name.as_str())).map(|(n, _)| n).collect()
    }

    /// The sessions that go on, as they are configured now.
    fn matches(&self) -> Vec<(Rc<BfdInstance>, saved::Session)> {
        let Some(from) = &self.restart.recalled else { return Vec::new() };
        if from.bfd.namespace != self.running.config.global.net_namespace {
            return Vec::new();
        }
        let is = |saved: &&saved::Session, config: &BfdInstance| {
            (saved.neighbor, &saved.interface, saved.source, saved.multihop)
                == (config.neighbor, &config.interface, config.source, config.multihop)
                && recall(saved).is_some()
        };
        let found = |config: &Rc<BfdInstance>| {
            let saved = from.bfd.sessions.iter().find(|saved| is(saved, config))?;
            Some((Rc::clone(config), saved.clone()))
        };
        self.running.config.bfd.iter().filter_map(found).collect()
    }

    /// Sessions that end with the program before this one.
    fn complain_of_others(&self, matches: &[(Rc<BfdInstance>, saved::Session)]) {
        let Some(from) = &self.restart.recalled else { return };
        let goes_on: BTreeSet<_> = matches.iter().map(|(_, saved)| saved.discriminator).collect();
        let ended = from.bfd.sessions.iter().filter(|s| !goes_on.contains(&s.discriminator));
        for saved::Session { name, state, .. } in ended {
            match self.running.config.bfd.iter().any(|config| config.name == *name) {
                true => log::warn!(
                    "({name}) begins anew after the restart, it was {state}: its neighbour, source \
                     address or port has changed"
                ),
                false => log::info!("({name}) ended with the restart: it is no longer configured"),
            }
        }
    }
}

/// `None`: what it has sent is not known.
fn relieve(stand_in: StandIn) -> Option<saved::LastWord> {
    match stand_in.relieve(LAST_WORD) {
        Ok(text) => saved::LastWord::parse(&text),
        Err(e) => {
            log::debug!("the process that stood in does not say what it sent: {}", reason(&e));
            None
        }
    }
}

fn of_session(word: Option<&saved::LastWord>, discriminator: u32) -> Option<Stood> {
    let mut all = word?.sessions.iter();
    let found = all.find(|stood| stood.discriminator == discriminator)?;
    Some(Stood { number: found.number, sent: found.sent })
}

fn save(
    config: &BfdInstance,
    memory: &Memory,
    down: Option<String>,
    descriptor: Option<i32>,
) -> saved::Session {
    let auth = |numbers: Numbers| saved::Auth {
        meticulous: numbers.kind == BfdAuthKind::MeticulousSha1,
        key_id: numbers.key_id,
        ours: numbers.ours,
        theirs: numbers.theirs,
        until: numbers.forgotten_at.map(Instant::micros),
    };
    let remote = |n: Neighbor| saved::Remote {
        discriminator: n.discriminator,
        state: n.state.word().to_owned(),
        diag: n.diag.code(),
        demand: n.demand,
        offer: save_offer(&n.offer),
        heard: n.heard.micros(),
    };
    let Counts { sent, received, refused, up, down: downs } = memory.counts;
    saved::Session {
        name: config.name.clone(),
        neighbor: config.neighbor,
        interface: config.interface.clone(),
        source: config.source,
        multihop: config.multihop,
        discriminator: memory.discriminator,
        state: memory.state.word().to_owned(),
        since: memory.since.micros(),
        down,
        diag: memory.diag.code(),
        remote: memory.neighbor.map(remote),
        offer: save_offer(&memory.offer),
        min_tx: micros(memory.min_tx),
        min_rx: micros(memory.min_rx),
        poll: memory.poll.word().to_owned(),
        sent: memory.sent.map(Instant::micros),
        auth: memory.numbers.map(auth),
        counts: saved::Counts { sent, received, refused, up, down: downs },
        descriptor,
    }
}

/// `None`: it is no state of a session that could go on.
fn recall(saved: &saved::Session) -> Option<Memory> {
    let remote = |n: &saved::Remote| {
        Some(Neighbor {
            discriminator: n.discriminator,
            state: state(&n.state)?,
            diag: Diag::new(n.diag),
            demand: n.demand,
            offer: recall_offer(n.offer),
            heard: Instant::from_micros(n.heard),
        })
    };
    let numbers = |auth: &saved::Auth| Numbers {
        kind: if auth.meticulous { BfdAuthKind::MeticulousSha1 } else { BfdAuthKind::Sha1 },
        key_id: auth.key_id,
        ours: auth.ours,
        theirs: auth.theirs,
        forgotten_at: auth.until.map(Instant::from_micros),
    };
    let saved::Counts { sent, received, refused, up, down } = saved.counts;
    let memory = Memory {
        discriminator: saved.discriminator,
        state: state(&saved.state)?,
        since: Instant::from_micros(saved.since),
        diag: Diag::new(saved.diag),
        neighbor: match &saved.remote {
            Some(found) => Some(remote(found)?),
            None => None,
        },
        offer: recall_offer(saved.offer),
        min_tx: Duration::from_micros(saved.min_tx),
        min_rx: Duration::from_micros(saved.min_rx),
        poll: Poll::ALL.into_iter().find(|poll| poll.word() == saved.poll)?,
        sent: saved.sent.map(Instant::from_micros),
        numbers: saved.auth.as_ref().map(numbers),
        counts: Counts { sent, received, refused, up, down },
    };
    let needs_neighbor = matches!(memory.state, SessionState::Init | SessionState::Up);
    let is_sound = memory.discriminator != 0
        && memory.state != SessionState::AdminDown
        && (memory.neighbor.is_some() || !needs_neighbor);
    is_sound.then_some(memory)
}

fn state(word: &str) -> Option<SessionState> {
    SessionState::ALL.into_iter().find(|state| state.word() == word)
}

fn save_offer(offer: &Offer) -> saved::Offer {
    let (min_tx, min_rx) = (micros(offer.min_tx), micros(offer.min_rx));
    saved::Offer { min_tx, min_rx, multiplier: offer.multiplier }
}

const fn recall_offer(offer: saved::Offer) -> Offer {
    let saved::Offer { min_tx, min_rx, multiplier } = offer;
    let (min_tx, min_rx) = (Duration::from_micros(min_tx), Duration::from_micros(min_rx));
    Offer { min_tx, min_rx, multiplier }
}
