//! What the next run has to know if this one ends without warning: who is MASTER, since when the
//! peers have heard nothing, and the verdicts of scripts and checks.
//!
//! Only what a start would not assume by itself has a record, so a backup, or a server that is up,
//! has none. Records of the run before stay until the objects they are about have a new state.

mod orders;

use std::path::PathBuf;

use crate::base::addr::Family;
use crate::base::ids::InstanceId;
use crate::base::recalled::{RecalledServer, RecalledService};
use crate::base::sorted::SortedMap;
use crate::base::time::Duration;
use crate::base::tracked::TrackState;
use crate::daemon::runtime::Runtime;
use crate::lvs::ServerRef;
use crate::model::lvs::{RealServer, VirtualServer};
use crate::model::track::Object;
use crate::model::vrrp::{Authentication, Instance};
use crate::sys::reason;
use crate::sys::statefile::{self, StateFile};
use crate::track;
use crate::vrrp::{Action, Input, Phase};
use crate::wire::statefile::{Key, Record, Value};

/// Room of the first file; each later one has twice as much.
const ROOM: u32 = 64;

#[derive(Default)]
pub(super) struct Continuity {
    path: PathBuf,
    /// `None` where there can be none.
    file: Option<StateFile>,
    /// The run before ended without warning.
    pub(super) has_past: bool,
    records: SortedMap<Key, (u32, Value)>,
    /// Places below `used` that hold nothing.
    free: Vec<u32>,
    used: u32,
    /// The instances that are MASTER.
    masters: SortedMap<InstanceId, Key>,
    /// An order of an operator was given, or has ended.
    pub(super) orders_are_stale: bool,
    /// Those that have authenticated advertisements.
    sequences: SortedMap<InstanceId, Key>,
}

impl Continuity {
    /// Nothing goes on where the run before was.
    pub(super) fn without_past(path: PathBuf) -> Self {
        let _ = statefile::remove(&path);
        Self { path, ..Self::default() }
    }

    /// Takes over what the run before has left at this path.
    pub(super) fn open(path: PathBuf) -> Self {
        let mut new = Self { path, ..Self::default() };
        let found = statefile::load(&new.path).unwrap_or_else(|e| {
            let path = new.path.display();
            log::warn!(
                "State file {path} is ignored: {}. The start is as after a reboot",
                reason(&e)
            );
            Vec::new()
        });
        for Record { key, value } in found {
            new.records.insert(key, (new.used, value));
            new.used += 1;
        }
        new.has_past = new.used > 0;
        // With everything in it, before it takes the place of the one that was found.
        new.make_room(new.used);
        new
    }

    fn get(&self, key: Key) -> Option<Value> {
        self.records.get(&key).map(|(_, value)| *value)
    }

    fn put(&mut self, key: Key, value: Value) {
        if let Some((place, known)) = self.records.get_mut(&key) {
            *known = value;
            let place = *place;
            self.write(place, Some(&Record { key, value }));
            return;
        }
        let place = self.free.pop().unwrap_or(self.used);
        self.used = self.used.max(place + 1);
        self.records.insert(key, (place, value));
        if self.file.as_ref().is_some_and(|file| place >= file.room()) {
            self.make_room(place);
        } else {
            self.write(place, Some(&Record { key, value }));
        }
    }

    fn clear(&mut self, key: Key) {
        if let Some((place, _)) = self.records.remove(&key) {
            self.free.push(place);
            self.write(place, None);
        }
    }

    fn write(&self, place: u32, record: Option<&Record>) {
        if let Some(file) = &self.file {
            file.put(place, record);
        }
    }

    /// Makes a file with room for this many records and those to come.
    fn make_room(&mut self, least: u32) {
        let room = least.saturating_add(1).next_power_of_two().max(ROOM);
        let mut all = vec![None; self.used as usize];
        for (key, (place, value)) in &self.records {
            if let Some(at) = all.get_mut(*place as usize) {
                *at = Some(Record { key: *key, value: *value });
            }
        }
        match StateFile::create(&self.path, room, &all) {
            Ok(file) => self.file = Some(file),
            Err(e) => {
                let path = self.path.display();
                log::warn!(
                    "Cannot write state file {path}: {}. After a crash, there will be an election",
                    reason(&e)
                );
                self.end();
            }
        }
    }

    /// No later run goes on where this one ends.
    pub(super) fn end(&mut self) {
        self.file = None;
        // It may never have existed.
        let _ = statefile::remove(&self.path);
    }

    /// An instance entered another state.
    fn note_phase(&mut self, id: InstanceId, config: &Instance, is_master: bool) {
        let key = key_of(config);
        if is_master {
            // It can be resumed from its first advertisement on.
            self.masters.insert(id, key);
        } else {
            self.masters.remove(&id);
        }
        self.clear(key);
    }

    /// An instance has advertised. The time is of CLOCK_MONOTONIC.
    pub(super) fn note_advert(&mut self, id: InstanceId, interval: Duration, advertised: Duration) {
        if let Some(key) = self.masters.get(&id) {
            self.put(*key, Value::Master { interval, advertised });
        }
    }

    /// Numbers of authenticated advertisements of this instance will have to be noted, if it has any.
    /// Gives what the run before has left.
    pub(super) fn expect_sequences(&mut self, id: InstanceId, config: &Instance) -> Option<Value> {
        let is_authenticated =
            matches!(config.authentication, Authentication::Header(_) | Authentication::Signed(_));
        let key = is_authenticated.then(|| key_about("sequence", config))?;
        self.sequences.insert(id, key);
        self.get(key)
    }

    /// An instance has sent an authenticated advertisement with this sequence number.
    pub(super) fn note_sequence(&mut self, id: InstanceId, last: u64) {
        if let Some(key) = self.sequences.get(&id) {
            self.put(*key, Value::Sequence(last));
        }
    }

    /// Whether something is up, where that is not what a start assumes.
    fn note_verdict(&mut self, key: Key, is_up: Option<bool>) {
        match is_up {
            Some(is_up) => self.put(key, Value::Verdict { is_up }),
            None => self.clear(key),
        }
    }

    pub(super) fn note_tracked(&mut self, object: &Object, state: &TrackState) {
        let Object::Script(name) = object else { return };
        self.note_verdict(key_of_script(name), (!state.is_pending()).then_some(state.is_up()));
    }

    pub(super) fn note_server(&mut self, server: &ServerRef, is_up: bool) {
        let config = server.config();
        let is_usual = is_up == is_up_at_first(config);
        self.note_verdict(
            key_of_server("server", &server.service.config, config),
            (!is_usual).then_some(is_up),
        );
    }

    pub(super) fn forget_server(&mut self, server: &ServerRef) {
        self.clear(key_of_server("server", &server.service.config, server.config()));
    }

    /// Whether each real server was up in the run before, where that is not what a start assumes.
    /// Without a run before, there is nothing to pass on.
    fn recall_servers(&self, config: &VirtualServer) -> RecalledService {
        if !self.has_past {
            return RecalledService::default();
        }
        let recall = |server| match self.get(key_of_server("server", config, server))? {
            Value::Verdict { is_up } => Some(is_up),
            Value::Master { .. } | Value::Sequence(_) | Value::Order { .. } => None,
        };
        let server = |s| RecalledServer { was_up: recall(s), ..RecalledServer::default() };
        let servers = config.servers.iter().map(server).collect();
        RecalledService { quorum: None, servers }
    }
}

fn key_of(config: &Instance) -> Key {
    key_about("instance", config)
}

fn key_about(what: &str, config: &Instance) -> Key {
    let family = match config.family {
        Family::V4 => "4",
        Family::V6 => "6",
    };
    let interface = config.interface.as_deref().unwrap_or_default();
    Key::of(&[what, config.name.as_str(), interface, family, &config.vrid.to_string()])
}

fn key_of_script(name: &str) -> Key {
    Key::of(&["script", name])
}

fn key_of_server(what: &str, service: &VirtualServer, server: &RealServer) -> Key {
    let name = service.server_name(server).to_string();
    Key::of(&[what, &service.to_string(), &name])
}

fn is_up_at_first(server: &RealServer) -> bool {
    server.checks.iter().all(|check| !check.alpha)
}

impl Runtime {
    /// Before the first configuration is in force: verdicts of scripts.
    pub(super) fn recall_scripts(&mut self) {
        for script in &self.running.config.scripts {
            let name = &script.name;
            let recalled = self.restart.recalled.as_ref().and_then(|r| r.script(script));
            let (is_up, past) = match (recalled, self.continuity.get(key_of_script(name))) {
                (Some((is_up, past)), _) => (is_up, Some(past)),
                (None, Some(Value::Verdict { is_up })) => (is_up, None),
                (None, _) => continue,
            };
            let input = track::Input::Recall { script: name, is_up, past };
            self.cores.track.handle(input, self.now, &mut self.cores.track_actions);
        }
    }

    /// An instance is new: if it was MASTER in the run before, it may still be.
    pub(super) fn recall_master(&mut self, id: InstanceId, config: &Instance) {
        let still_advertises =
            self.restart.recalled.as_ref().is_some_and(|r| r.snapshot.is_advertising);
        if let Some(Value::Sequence(last)) = self.continuity.expect_sequences(id, config) {
            self.cores.vrrp.recall_sequence(id, last, still_advertises);
        }
        let value = self.continuity.get(key_of(config));
        if let Some(Value::Master { interval, advertised }) = value {
            let silent = self.clock.monotonic(self.now).saturating_sub(advertised);
            let silent = (!still_advertises).then_some(silent);
            self.cores.vrrp(Input::Recall { id, silent, interval }, self.now);
        }
    }

    pub(super) fn note_continuity(&mut self, action: &Action) {
        let Action::Changed { id, to, .. } = *action else { return };
        if to == Phase::Deleted {
            self.continuity.sequences.remove(&id);
        }
        if let Some(instance) = self.cores.vrrp.instance(id) {
            self.continuity.note_phase(id, instance.config(), to == Phase::Master);
        }
    }
}
