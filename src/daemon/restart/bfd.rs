//! BFD sessions at a restart: handed over with their sockets, sent for by the stand-in, gone on with.

mod saved;

use std::rc::Rc;

use self::saved::{recall, save};
use crate::base::ids::SessionId;
use crate::base::parts;
use crate::base::sorted::SortedSet;
use crate::base::time::{Duration, Instant};
use crate::base::tracked::{Finding, TrackState};
use crate::bfd::{Action, Input, Session, SessionState, Stood};
use crate::daemon::bfd::{self, Port};
use crate::daemon::runtime::Runtime;
use crate::model::bfd::BfdInstance;
use crate::model::track::Object;
use crate::snapshot;
use crate::sys::process::StandIn;
use crate::sys::reason;
use crate::vrrp;

/// Time for the last word of a stand-in. It has nothing else to do, but neighbours wait as well.
const LAST_WORD: Duration = Duration::from_millis(50);

impl Runtime {
    pub(super) fn session_snapshot(&self) -> snapshot::bfd::Bfd {
        let receiver = |(port, descriptor): (Port, _)| snapshot::bfd::Receiver {
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
        snapshot::bfd::Bfd {
            namespace: self.running.config.global.net_namespace.clone(),
            receivers: self.network.sessions.receivers().map(receiver).collect(),
            sessions: all.map(session).collect(),
        }
    }

    /// For a copy of the process: sends what is due. Nothing is read, so silence means nothing.
    pub(super) fn stand_in_for_sessions(&mut self) {
        if !parts::BFD {
            return;
        }
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
            snapshot::bfd::Stood { discriminator, number, sent }
        };
        snapshot::bfd::LastWord { sessions: self.cores.bfd.sessions().map(stood).collect() }.text()
    }

    /// The program could not be replaced: this one goes on, above the numbers of the stand-in.
    pub(super) fn take_back(&mut self, stand_in: StandIn) {
        if !parts::BFD {
            return;
        }
        let word = relieve(stand_in);
        self.now = self.clock.now();
        let all = self.cores.bfd.sessions().map(|(id, session)| (id, session.discriminator()));
        for (id, discriminator) in all.collect::<Vec<_>>() {
            self.cores.bfd.follow(id, of_session(word.as_ref(), discriminator), self.now);
        }
    }

    /// Before anything is added: what tracks a session that goes on finds it as it is.
    pub(in crate::daemon) fn recall_sessions(&mut self) {
        if !parts::BFD {
            return;
        }
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
        for receiver in &from.snapshot.bfd.receivers {
            if let Some(file) = self.restart.sockets.remove(&receiver.descriptor) {
                let port = Port::new(receiver.ipv6, receiver.multihop);
                self.network.sessions.inherit(port, file);
            }
        }
    }

    /// Goes on with the sessions of the program before this one, instead of the stand-in. Gives
    /// their places in the configuration.
    pub(in crate::daemon) fn resume_sessions(&mut self) -> SortedSet<usize> {
        if !parts::BFD {
            return SortedSet::new();
        }
        if self.restart.recalled.as_ref().is_none_or(|from| from.snapshot.bfd.sessions.is_empty()) {
            return SortedSet::new();
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
        let names: SortedSet<_> = matches.iter().map(|(config, _)| config.name.as_str()).collect();
        let all = self.running.config.bfd.iter().enumerate();
        all.filter(|(_, config)| names.contains(config.name.as_str())).map(|(n, _)| n).collect()
    }

    /// The sessions that go on, as they are configured now.
    fn matches(&self) -> Vec<(Rc<BfdInstance>, snapshot::bfd::Session)> {
        let Some(from) = &self.restart.recalled else { return Vec::new() };
        if from.snapshot.bfd.namespace != self.running.config.global.net_namespace {
            return Vec::new();
        }
        let is = |saved: &&snapshot::bfd::Session, config: &BfdInstance| {
            (saved.neighbor, &saved.interface, saved.source, saved.multihop)
                == (config.neighbor, &config.interface, config.source, config.multihop)
                && recall(saved).is_some()
        };
        let found = |config: &Rc<BfdInstance>| {
            let saved = from.snapshot.bfd.sessions.iter().find(|saved| is(saved, config))?;
            Some((Rc::clone(config), saved.clone()))
        };
        self.running.config.bfd.iter().filter_map(found).collect()
    }

    /// Sessions that end with the program before this one.
    fn complain_of_others(&self, matches: &[(Rc<BfdInstance>, snapshot::bfd::Session)]) {
        let Some(from) = &self.restart.recalled else { return };
        let goes_on: SortedSet<_> = matches.iter().map(|(_, saved)| saved.discriminator).collect();
        let ended =
            from.snapshot.bfd.sessions.iter().filter(|s| !goes_on.contains(&s.discriminator));
        for snapshot::bfd::Session { name, state, .. } in ended {
            match self.running.config.bfd.iter().any(|config| config.name == *name) {
                true => log::warn!(
                    "({name}) begins anew after the restart, it was {state}: its neighbour, source \
                     address, port or network namespace has changed"
                ),
                false => log::info!("({name}) ended with the restart: it is no longer configured"),
            }
        }
    }
}

/// `None`: what it has sent is not known.
fn relieve(stand_in: StandIn) -> Option<snapshot::bfd::LastWord> {
    match stand_in.relieve(LAST_WORD) {
        Ok(text) => snapshot::bfd::LastWord::parse(&text),
        Err(e) => {
            log::debug!("the process that stood in does not say what it sent: {}", reason(&e));
            None
        }
    }
}

fn of_session(word: Option<&snapshot::bfd::LastWord>, discriminator: u32) -> Option<Stood> {
    let mut all = word?.sessions.iter();
    let found = all.find(|stood| stood.discriminator == discriminator)?;
    Some(Stood { number: found.number, sent: found.sent })
}
