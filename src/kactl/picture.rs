//! Everything that one answer contains, in one place.

use serde::Serialize;

use super::talk::{Client, Trouble};
use crate::control::{Command, Reply};
use crate::status::{Daemon, Group, Holding, Instance, Server, Service, Session, State, Track};

/// The document of `--json`.
#[derive(Default, Debug, Serialize)]
pub(super) struct Picture {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) daemon: Option<Daemon>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) instances: Vec<Instance>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) groups: Vec<Group>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tracks: Vec<Track>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) sessions: Vec<Session>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) services: Vec<Service>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) servers: Vec<Server>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) holdings: Vec<Holding>,
}

impl Picture {
    pub(super) fn ask(client: &mut Client, command: Command) -> Result<Self, Trouble> {
        let mut all = Self::default();
        client.send(command)?;
        while let Some(reply) = client.next()? {
            match reply {
                Reply::Daemon(daemon) => all.daemon = Some(*daemon),
                Reply::Instance(instance) => all.instances.push(*instance),
                Reply::Group(group) => all.groups.push(group),
                Reply::Track(track) => all.tracks.push(track),
                Reply::Session(session) => all.sessions.push(session),
                Reply::Service(service) => all.services.push(*service),
                Reply::Server(server) => all.servers.push(*server),
                Reply::Holding(holding) => all.holdings.push(holding),
                Reply::Event(_)
                | Reply::Missed(_)
                | Reply::Text(_)
                | Reply::Reload(_)
                | Reply::Handover(_)
                | Reply::Heir(_)
                | Reply::Done
                | Reply::Error(_) => {}
            }
        }
        Ok(all)
    }

    pub(super) fn json(&self) -> String {
        // Plain data with text as keys has a form in JSON.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// What is not healthy, a line each.
    pub(super) fn ailments(&self) -> Vec<String> {
        let mut list = Vec::new();
        let is_well = |state| matches!(state, State::Master | State::Backup);
        for i in self.instances.iter().filter(|i| !is_well(i.state) || !i.faults.is_empty()) {
            let faults = i.faults.join(", ");
            list.push(format!("{} is {}: {faults}\n", i.name, i.state.word()));
        }
        for g in self.groups.iter().filter(|g| !is_well(g.state)) {
            list.push(format!("sync group {} is {}\n", g.name, g.state.word()));
        }
        for t in self.tracks.iter().filter(|t| !t.is_up()) {
            list.push(format!("{} {} is {}\n", t.kind, t.name, t.state));
        }
        for s in self.services.iter().filter(|s| !s.up) {
            list.push(format!("virtual server {} is without its quorum\n", s.name));
        }
        // The servers of a virtual server are its own matter.
        let alone = self.services.is_empty();
        for s in self.servers.iter().filter(|s| !s.up && alone) {
            let why = s.why.as_deref().unwrap_or("down");
            list.push(format!("real server {} of {} is down: {why}\n", s.name, s.service));
        }
        list
    }
}
