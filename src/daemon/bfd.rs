//! BFD sessions: sockets, packets in and out, and what follows from their states.

mod report;
mod sockets;

use std::rc::Rc;

use crate::base::ids::SessionId;
use crate::base::parts;
use crate::base::sorted::SortedMap;
use crate::base::time::Instant;
use crate::base::tracked::{Finding, TrackState};
use crate::bfd::{Action, Input, Received, SessionState};
use crate::daemon::cores::Message;
use crate::daemon::retries::Lacking;
use crate::daemon::runtime::{Mode, Runtime};
use crate::daemon::tokens::Owner;
use crate::model::diff::{self, Change};
use crate::model::track::Object;
use crate::model::Config;

pub(super) use sockets::{peer, Port, Sockets};

/// Batches read from one socket in one turn; the rest waits for the next.
const RECEIVE_BUDGET: usize = 8;

impl Runtime {
    /// Brings the sessions to the running configuration.
    pub(super) fn adopt_sessions(&mut self, old: &Config) {
        if !parts::BFD {
            return;
        }
        let changes = diff::bfd_sessions(old, &self.running.config);
        let ids: SortedMap<_, _> = self.sessions_by_name();
        let id_of = |n: usize| ids.get(&old.bfd[n].name).copied();
        for change in &changes {
            if let Change::Remove { old: o } = *change {
                if let Some(id) = id_of(o) {
                    self.cores.bfd(Input::Remove { id }, self.now);
                }
            }
        }
        self.drain();
        self.listen_for_sessions();
        let resumed = self.resume_sessions();
        for change in &changes {
            match *change {
                Change::Remove { .. } | Change::Keep { .. } => {}
                Change::Add { new } if resumed.contains(&new) => {}
                Change::Adjust { old: o, new: n } => {
                    let Some(id) = id_of(o) else { continue };
                    let config = Rc::clone(&self.running.config.bfd[n]);
                    self.cores.bfd(Input::Adjust { id, config }, self.now);
                }
                Change::Add { new: n } => {
                    let config = Rc::clone(&self.running.config.bfd[n]);
                    let id = self.cores.bfd.vacant_id();
                    let state = TrackState::Down(Finding::NoSession);
                    let object = Object::Bfd(config.name.clone());
                    self.cores.inbox.push_back(Message::Tracked(object, state));
                    self.cores.bfd(Input::Add { id, config }, self.now);
                }
            }
            self.drain();
        }
    }

    /// Every neighbour hears that the sessions are down on purpose (RFC 5880 section 6.8.16).
    pub(super) fn end_sessions(&mut self) {
        if !parts::BFD {
            return;
        }
        self.cores.bfd(Input::Stop, self.now);
        self.drain();
    }

    fn sessions_by_name(&self) -> SortedMap<String, SessionId> {
        let sessions = self.cores.bfd.sessions().filter(|(_, s)| !s.is_departing());
        sessions.map(|(id, s)| (s.config().name.clone(), id)).collect()
    }

    /// Opens the ports that the sessions need, and closes the others.
    pub(super) fn listen_for_sessions(&mut self) {
        if !parts::BFD {
            return;
        }
        let needed = Port::needed(&self.running.config.bfd);
        let failures = self.network.sessions.listen(&needed, &mut self.poll);
        let retries = &mut self.commands.retries;
        for port in Port::ALL {
            match failures.iter().find(|(failed, _)| *failed == port) {
                None if retries.ended(&Lacking::Port(port)) => {
                    log::info!("BFD packets are received on {port} now");
                }
                Some((_, why)) if retries.failed(Lacking::Port(port), why, self.now) => {
                    log::error!(
                        "cannot receive BFD packets on {port}: {why}; is another BFD daemon \
                         running? It is retried"
                    );
                }
                None | Some(_) => {}
            }
        }
    }

    /// Serves the sessions: packets before deadlines, as for VRRP.
    pub(super) fn serve_bfd(&mut self) {
        if !parts::BFD {
            return;
        }
        let ready = self.pace.ready.iter();
        let ports: Vec<_> = ready
            .filter_map(|o| if let Owner::Bfd(port) = o { Some(*port) } else { None })
            .collect();
        if ports.is_empty() && !self.is_due(self.cores.bfd.next_deadline()) {
            return;
        }
        let mut read_to = None;
        for port in ports {
            match self.receive_bfd(port) {
                None => {
                    self.pace.ready.remove(&Owner::Bfd(port));
                }
                Some(last) => read_to = Some(read_to.map_or(last, |to: Instant| to.min(last))),
            }
        }
        if self.is_due(self.cores.bfd.next_deadline()) {
            let input = read_to.map_or(Input::Deadline, |read_to| Input::DeadlineAmid { read_to });
            self.cores.bfd(input, self.now);
        }
        self.drain();
    }

    /// Reads one socket within its budget. `None`: it is empty now; or else the arrival of the packet
    /// read last.
    fn receive_bfd(&mut self, port: Port) -> Option<Instant> {
        let mut batch = self.network.batch.take().unwrap_or_default();
        let mut last = None;
        for _ in 0..RECEIVE_BUDGET {
            let is_empty = self.network.sessions.receive(port, &mut batch).unwrap_or_else(|e| {
                log::debug!("cannot receive: {e}");
                true
            });
            let moment = self.clock.moment();
            self.now = moment.now;
            for datagram in batch.packets() {
                let arrived = datagram.stamp.map_or(moment.now, |stamp| moment.arrival(stamp));
                last = Some(arrived);
                let links = self.cores.holdings.links();
                let link = datagram.scope.and_then(|index| links.by_index(index));
                let name = link.map(|link| link.name.clone());
                let received = Received {
                    source: datagram.source,
                    interface: name.as_deref(),
                    destination: datagram.destination,
                    ttl: datagram.ttl,
                    multihop: port.multihop,
                    arrived,
                    payload: datagram.payload,
                };
                self.cores.bfd(Input::Packet(received), self.now);
            }
            if is_empty {
                last = None;
                break;
            }
        }
        self.network.batch = Some(batch);
        self.pace.arrivals.note(self.now);
        last
    }

    pub(super) fn execute_bfd(&mut self, action: &Action) {
        if !parts::BFD {
            return;
        }
        if let Action::Send { id, packet, ttl } = action {
            if let Some(session) = self.cores.bfd.session(*id) {
                let links = self.cores.holdings.links();
                self.network.sessions.send(*id, session.config(), links, packet, *ttl);
            }
            return;
        }
        self.pace.stirred = true;
        report::bfd(action, &self.cores.bfd, &mut self.outlets.chatter, self.now);
        self.journal.bfd(action, &self.cores.bfd, self.now);
        match action {
            Action::Changed { id, from, to, cause, .. } => {
                let was_up = *from == SessionState::Up;
                match to {
                    SessionState::Up => {
                        self.tell_of_session(*id, TrackState::Up(Finding::SessionUp))
                    }
                    _ if was_up => {
                        let found = Finding::SessionDown(cause.to_string().into());
                        self.tell_of_session(*id, TrackState::Down(found));
                    }
                    _ => {}
                }
            }
            Action::Gone(id) => self.network.sessions.close(*id),
            Action::Send { .. }
            | Action::Negotiated { .. }
            | Action::Refused { .. }
            | Action::Noted { .. } => {}
        }
    }

    /// Passes the state of a session to what follows it.
    fn tell_of_session(&mut self, id: SessionId, state: TrackState) {
        if self.mode == Mode::Stopping {
            return;
        }
        let Some(session) = self.cores.bfd.session(id) else { return };
        let object = Object::Bfd(session.config().name.clone());
        let chatter = &mut self.outlets.chatter;
        report::followers(&self.running.config, &object, state.is_up(), chatter, self.now);
        self.cores.inbox.push_back(Message::Tracked(object, state));
    }
}
