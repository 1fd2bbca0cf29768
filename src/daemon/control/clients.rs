//! Clients: who they are, and what can be done for one of them at once.

use std::io;
use std::os::fd::AsRawFd as _;

use super::answer::Answer;
use super::web::{self, Farewell};
use super::{owner, Control, Door};
use crate::base::time::Instant;
use crate::control::session::{Overdue, Session};
use crate::control::{Code, Failure, Reply, Request};
use crate::daemon::runtime::Runtime;
use crate::daemon::tokens::Owner;
use crate::sys::control::{Connection, Peer};
use crate::sys::poll::Wants;
use crate::sys::{reason, users};

pub(super) struct Client {
    pub(super) connection: Connection,
    pub(super) session: Session,
    pub(super) caller: Caller,
    pub(super) answer: Option<Answer>,
}

/// Who a client is, which decides how it is spoken to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Caller {
    Local(Rights),
    /// Anyone, who may read.
    Web(Farewell),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Rights {
    uid: u32,
    may_change: bool,
}

/// What is to become of a client after it was served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum After {
    /// It has to read or write first.
    Waits,
    /// There is more to do for it.
    Ready,
    Gone,
}

impl Client {
    pub(super) const fn door(&self) -> Door {
        match self.caller {
            Caller::Local(_) => Door::Local,
            Caller::Web(_) => Door::Web,
        }
    }

    pub(super) const fn is_in_a_document(&self) -> bool {
        matches!(self.answer, Some(Answer::Document(_)))
    }

    /// Reads some bytes of a request; `None` if there may be more.
    pub(super) fn receive(&mut self) -> Option<After> {
        let mut buffer = [0; 2048];
        let room = self.session.room().min(buffer.len());
        if room == 0 {
            // It sends more while it follows than one request.
            return Some(After::Gone);
        }
        match self.connection.read(&mut buffer[..room]) {
            Ok(0) => Some(After::Gone),
            Ok(read) => {
                self.session.received(&buffer[..read]);
                None
            }
            Err(e) => blocked(&e),
        }
    }
}

impl Control {
    /// The rights of a user; `None`: it may do nothing.
    fn rights(&self, peer: &Peer) -> Option<Rights> {
        let may_change = peer.uid == 0 || peer.uid == users::own().uid;
        let may_read = may_change || self.readers.is_some_and(|group| peer.is_in(group));
        may_read.then_some(Rights { uid: peer.uid, may_change })
    }
}

impl Runtime {
    pub(super) fn admit(&mut self, connection: Connection) {
        let rights = match connection.peer() {
            Ok(peer) => self.control.rights(&peer),
            Err(e) => {
                log::debug!("cannot identify a control client: {}", reason(&e));
                None
            }
        };
        let Some(rights) = rights else {
            return send_away(&connection, Code::Denied, "your user may not use this socket");
        };
        if self.control.is_full(Door::Local) {
            return send_away(&connection, Code::Busy, "there are too many clients: try again");
        }
        self.enter(connection, Session::new(self.now), Caller::Local(rights));
    }

    /// Finds a place for a client.
    pub(super) fn enter(&mut self, connection: Connection, session: Session, caller: Caller) {
        let control = &mut self.control;
        let place = control.clients.iter().position(Option::is_none);
        let n = place.unwrap_or(control.clients.len());
        if let Err(e) = self.poll.watch(connection.as_raw_fd(), owner(n), Wants::Both) {
            log::debug!("cannot watch a client: {}", reason(&e));
            return;
        }
        if n == control.clients.len() {
            control.clients.push(None);
        }
        control.clients[n] = Some(Client { connection, session, caller, answer: None });
        self.pace.ready.insert(owner(n));
    }

    pub(super) fn drop_overdue(&mut self) {
        for n in 0..self.control.clients.len() {
            let Some(client) = &self.control.clients[n] else { continue };
            match client.session.overdue(self.now) {
                None => continue,
                Some(Overdue::Asking) => match client.caller {
                    Caller::Local(_) => {
                        let text = "no request came in time";
                        send_away(&client.connection, Code::Timeout, text);
                    }
                    Caller::Web(_) => web::complain(&client.connection),
                },
                // It has read everything, and only keeps the connection.
                Some(Overdue::Reading) if client.session.pending_output().is_empty() => {}
                Some(Overdue::Reading) => {
                    let what = match client.door() {
                        Door::Local => "control client",
                        Door::Web => "client of the web",
                    };
                    log::debug!("a {what} does not read: its connection is closed");
                }
            }
            self.drop_client(n);
        }
    }

    /// Their group may no longer be the one that may read.
    pub(super) fn drop_readers(&mut self) {
        for n in 0..self.control.clients.len() {
            let client = self.control.clients.get(n).and_then(Option::as_ref);
            let is_reader = |client: &Client| match client.caller {
                Caller::Local(rights) => !rights.may_change,
                Caller::Web(_) => false,
            };
            if client.is_some_and(is_reader) {
                self.drop_client(n);
            }
        }
    }

    fn drop_client(&mut self, n: usize) {
        if let Some(client) = self.control.clients.get_mut(n).and_then(Option::take) {
            self.poll.release(client.connection.as_raw_fd());
            self.pace.ready.remove(&owner(n));
            // Another one may have waited for its descriptor.
            self.pace.ready.extend([Owner::Control, Owner::Web]);
        }
    }

    /// Does for one client what can be done at once, in small steps.
    pub(super) fn serve_client(&mut self, n: usize, until: Instant) -> After {
        // Its commands need the daemon as a whole.
        let Some(mut client) = self.control.clients.get_mut(n).and_then(Option::take) else {
            return After::Gone;
        };
        let after = loop {
            match self.step_client(&mut client) {
                Some(after) => break after,
                None if self.urgent_is_due() || self.clock.recent() >= until => break After::Ready,
                None => {}
            }
        };
        self.control.clients[n] = Some(client);
        if after == After::Gone {
            self.drop_client(n);
        }
        after
    }

    /// One step; `None` if another one can follow at once.
    fn step_client(&mut self, client: &mut Client) -> Option<After> {
        let session = &mut client.session;
        if let Some(answer) = client.answer.as_mut().filter(|_| session.has_room()) {
            self.answer(answer, session);
            if answer.is_over() {
                client.answer = None;
                // A connection of the web is for one answer.
                session.is_ending |= matches!(client.caller, Caller::Web(_));
                return None;
            }
            if !answer.is_idle() {
                return None;
            }
        }
        let session = &mut client.session;
        if !session.pending_output().is_empty() {
            return match client.connection.write(session.pending_output()) {
                Ok(sent) => {
                    session.sent(sent, self.now);
                    None
                }
                Err(e) => blocked(&e),
            };
        }
        match client.caller {
            Caller::Local(rights) => self.step_local(client, rights),
            Caller::Web(farewell) => self.step_web(client, farewell),
        }
    }

    fn step_local(&mut self, client: &mut Client, rights: Rights) -> Option<After> {
        let session = &mut client.session;
        if session.is_ending {
            return Some(After::Gone);
        }
        match session.take_request(self.now) {
            Ok(None) => {}
            Ok(Some(line)) => {
                client.answer = self.take_request(&line, rights, session);
                return None;
            }
            Err(_) => {
                session.reply(&Reply::error(Code::Request, "the request is too long"), self.now);
                session.is_ending = true;
                return None;
            }
        }
        client.receive()
    }

    /// Begins to answer a request.
    fn take_request(
        &mut self,
        line: &[u8],
        rights: Rights,
        session: &mut Session,
    ) -> Option<Answer> {
        let request = match Request::parse(line) {
            Ok(request) => request,
            Err(failure) => {
                session.reply(&Reply::Error(failure), self.now);
                return None;
            }
        };
        if !rights.may_change && !request.command.only_reads() {
            let text = "your user may read, and change nothing";
            session.reply(&Reply::error(Code::Denied, text), self.now);
            return None;
        }
        match self.command(request.command, rights.uid) {
            Ok(answer) => Some(answer),
            Err(Failure { code, text }) => {
                session.reply(&Reply::error(code, text), self.now);
                None
            }
        }
    }
}

pub(super) fn blocked(error: &io::Error) -> Option<After> {
    match error.kind() {
        io::ErrorKind::WouldBlock => Some(After::Waits),
        io::ErrorKind::Interrupted => None,
        _ => Some(After::Gone),
    }
}

/// One attempt to say why; the client is not waited for.
fn send_away(connection: &Connection, code: Code, text: &str) {
    let mut line = Vec::new();
    Reply::error(code, text).emit(&mut line);
    let _ = connection.write(&line);
}
