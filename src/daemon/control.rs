//! The control socket, and that of the web: clients in the poll loop.
//!
//! Clients are served last in a turn and for a limited time, one object at a time, and never while
//! VRRP is due. A client that does not read is dropped; none is waited for.

mod answer;
mod clients;
mod commands;
mod document;
mod orders;
mod servers;
mod web;

use std::ops::Bound;
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;

use answer::Answer;
use clients::{After, Client};
use web::Web;

use crate::base::time::{Duration, Instant};
use crate::daemon::runtime::{Mode, Runtime};
use crate::daemon::tokens::Owner;
use crate::model::control::{ControlGroup, ControlSocket};
use crate::sys::control::{Error, Listener};
use crate::sys::reason;

/// Clients of either socket at one time; others are sent away.
pub(super) const MOST_CLIENTS: usize = 64;
/// Clients accepted in one turn.
const ACCEPTED: usize = 32;
/// Time for clients in one turn.
const SHARE: Duration = Duration::from_millis(1);

/// The socket and its clients.
#[derive(Default)]
pub(super) struct Control {
    listener: Option<Listener>,
    web: Option<Web>,
    /// Where it is unless it is configured: beside the pid file.
    pub(super) default_path: PathBuf,
    /// The group that may read.
    readers: Option<u32>,
    clients: Vec<Option<Client>>,
    /// The client that was served last, for round-robin service.
    last: usize,
    /// The last event when followers were last woken.
    told: u64,
    /// The number of the last order.
    orders: u64,
    /// The filter of log lines that was set by command.
    pub(super) log_filter: Option<String>,
}

/// By which socket a client came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Door {
    Local,
    Web,
}

impl Control {
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.clients.iter().flatten().filter_map(|client| client.session.next_deadline()).min()
    }

    /// No more clients can come by this socket.
    fn is_full(&self, door: Door) -> bool {
        let there = self.clients.iter().flatten().filter(|client| client.door() == door);
        there.count() >= MOST_CLIENTS
    }

    fn followers(&self) -> impl Iterator<Item = Owner> + '_ {
        let clients = self.clients.iter().enumerate();
        let follows = |c: &Client| c.answer.as_ref().is_some_and(Answer::follows);
        clients.filter(move |(_, c)| c.as_ref().is_some_and(follows)).map(|(n, _)| owner(n))
    }
}

fn owner(client: usize) -> Owner {
    Owner::Client(u32::try_from(client).unwrap_or(u32::MAX))
}

impl Runtime {
    /// Opens, moves or closes the socket as it is configured. The command line comes first.
    pub(super) fn set_up_control(&mut self) {
        self.set_up_web();
        let global = &self.running.config.global;
        let wanted = self.options.control.as_ref().or(global.control_socket.as_ref());
        let path = match wanted {
            Some(ControlSocket::Off) => None,
            Some(ControlSocket::At(path)) => Some(PathBuf::from(path)),
            None => Some(self.control.default_path.clone()),
        };
        let path = path.filter(|path| !path.as_os_str().is_empty());
        let group = global.control_read_group.as_ref().map(|ControlGroup { gid, .. }| *gid);
        // A reload makes one anew that another program removed.
        let open = self.control.listener.as_ref().filter(|listener| listener.is_in_place());
        let open = open.map(Listener::path);
        if open == path.as_deref() && self.control.readers == group {
            return;
        }
        self.close_control();
        self.drop_readers();
        let Some(path) = path else { return };
        match Listener::bind(&path, group) {
            Ok(listener) => match self.poll.add(listener.as_raw_fd(), Owner::Control) {
                Ok(()) => {
                    self.control.listener = Some(listener);
                    self.control.readers = group;
                }
                Err(e) => log::error!("cannot watch the control socket: {}", reason(&e)),
            },
            Err(e) => {
                let path = path.display();
                let hint = hint(&e, "--control or control_socket");
                log::warn!(
                    "cannot open the control socket {path}: {e}; kactl cannot be used{hint}"
                );
            }
        }
    }

    /// Closes the socket. Clients that are connected stay for now.
    fn close_control(&mut self) {
        if let Some(listener) = self.control.listener.take() {
            self.poll.remove(listener.as_raw_fd());
        }
        self.control.readers = None;
    }

    /// No more clients come: the daemon ends.
    pub(super) fn close_doors(&mut self) {
        self.close_control();
        self.close_web();
    }

    /// Serves clients for a limited time.
    pub(super) fn serve_control(&mut self) {
        if self.pace.ready.contains(&Owner::Control) && !self.accept_clients() {
            self.pace.ready.remove(&Owner::Control);
        }
        if self.pace.ready.contains(&Owner::Web) && !self.accept_web() {
            self.pace.ready.remove(&Owner::Web);
        }
        if self.is_due(self.control.next_deadline()) {
            self.drop_overdue();
        }
        self.wake_followers();
        let until = self.clock.recent() + SHARE;
        let (first, last) = (Owner::Client(0), Owner::Client(u32::MAX));
        while self.pace.ready.range(first..=last).next().is_some() {
            let after = (Bound::Excluded(owner(self.control.last)), Bound::Included(last));
            let next = self.pace.ready.range(after).next();
            let next = next.or_else(|| self.pace.ready.range(first..=last).next()).copied();
            let Some(Owner::Client(n)) = next else { return };
            let n = usize::try_from(n).unwrap_or_default();
            self.control.last = n;
            let after = self.serve_client(n, until);
            if after != After::Ready {
                self.pace.ready.remove(&owner(n));
            }
            if self.urgent_is_due() || self.clock.recent() >= until {
                break;
            }
        }
        // A command may have changed something.
        self.wake_followers();
        if !self.control.clients.iter().flatten().any(Client::is_in_a_document) {
            self.lvs.forget_traffic();
        }
        if self.control.clients.iter().all(Option::is_none) {
            self.control.clients = Vec::new();
        }
    }

    fn wake_followers(&mut self) {
        if self.journal.last() != self.control.told {
            self.control.told = self.journal.last();
            self.pace.ready.extend(self.control.followers());
        }
    }

    /// True if more clients may wait.
    fn accept_clients(&mut self) -> bool {
        for _ in 0..ACCEPTED {
            let Some(listener) = &self.control.listener else { return false };
            match listener.accept() {
                Ok(Some(connection)) => self.admit(connection),
                Ok(None) => return false,
                Err(e) => {
                    // Without a free descriptor, the client waits until another one goes.
                    log::debug!("cannot accept a control client: {}", reason(&e));
                    return false;
                }
            }
        }
        true
    }

    /// True if commands are carried out: not while the daemon stops.
    pub(super) fn is_running(&self) -> bool {
        self.mode == Mode::Running
    }
}

/// What the operator can do about it, with the option and the keyword that name the socket.
fn hint(error: &Error, names: &str) -> String {
    match error {
        Error::Served => format!(": {names} names another one"),
        Error::Foreign => format!(": remove the file, or name another one with {names}"),
        Error::Io(_) => String::new(),
    }
}
