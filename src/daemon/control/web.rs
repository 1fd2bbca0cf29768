//! Clients of the web: the listener, requests, and the end of a connection.

use std::os::fd::AsRawFd as _;

use super::answer::Answer;
use super::clients::{blocked, After, Caller, Client};
use super::document::{Form, Writing};
use super::{hint, Door, ACCEPTED};
use crate::base::time::Duration;
use crate::control::session::Session;
use crate::daemon::runtime::Runtime;
use crate::daemon::tokens::Owner;
use crate::model::control::MetricsListen;
use crate::status::Time;
use crate::sys::control::Connection;
use crate::sys::web::Listener;
use crate::sys::{clock, reason};
use crate::vrrp::Phase;
use crate::web::{
    health, Body, ContentType, Document, Json, Method, Metrics, Page, Refusal, Request,
};

/// Time for everything: a client on the network must not keep its place for ever.
pub(super) const WHOLE_TIME: Duration = Duration::from_secs(120);
/// Time in which a client may take note of the end of its connection.
const FAREWELL: Duration = Duration::from_secs(2);
/// Most bytes that are read meanwhile.
const MOST_IGNORED: usize = 256 << 10;

/// The socket, and what it was configured as.
pub(super) struct Web {
    listener: Listener,
    wanted: MetricsListen,
    /// The group that may use it, if it is in the file system.
    group: Option<u32>,
}

/// A connection whose reply is sent.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Farewell {
    is_said: bool,
    ignored: usize,
}

impl Runtime {
    /// Opens, moves or closes the socket as it is configured. The command line comes first.
    pub(in crate::daemon) fn set_up_web(&mut self) {
        let global = &self.running.config.global;
        let wanted = self.options.metrics.as_ref().or(global.metrics_listen.as_ref());
        let wanted = wanted.cloned().unwrap_or(MetricsListen::Off);
        let group = match wanted {
            MetricsListen::Unix(_) => global.control_read_group.as_ref().map(|group| group.gid),
            MetricsListen::Off | MetricsListen::Network(_) => None,
        };
        let open = self.control.web.as_ref().filter(|web| web.listener.is_in_place());
        if open.is_some_and(|web| web.wanted == wanted && web.group == group) {
            return;
        }
        self.close_web();
        let listener = match Listener::bind(&wanted, group) {
            Ok(Some(listener)) => listener,
            Ok(None) => return,
            Err(e) => {
                let hint = hint(&e, "--metrics or metrics_listen");
                log::warn!("cannot serve metrics at {wanted}: {e}; a reload tries again{hint}");
                return;
            }
        };
        match self.poll.add(listener.as_raw_fd(), Owner::Web) {
            Ok(()) => {
                log::info!("Metrics and the status page are served at {wanted}");
                self.control.web = Some(Web { listener, wanted, group });
            }
            Err(e) => log::error!("cannot watch the socket of metrics: {}", reason(&e)),
        }
    }

    /// Closes the socket. Clients that are connected get their replies.
    pub(super) fn close_web(&mut self) {
        if let Some(web) = self.control.web.take() {
            self.poll.remove(web.listener.as_raw_fd());
        }
    }

    /// True if more clients may wait.
    pub(super) fn accept_web(&mut self) -> bool {
        for _ in 0..ACCEPTED {
            // Any host may try as often as it likes.
            if self.urgent_is_due() {
                return true;
            }
            let Some(web) = &self.control.web else { return false };
            match web.listener.accept() {
                Ok(Some(connection)) => {
                    if self.control.is_full(Door::Web) {
                        turn_away(&connection);
                        continue;
                    }
                    let session = Session::until(self.now, self.now + WHOLE_TIME);
                    self.enter(connection, session, Caller::Web(Farewell::default()));
                }
                Ok(None) => return false,
                Err(e) => {
                    log::debug!("cannot accept a client of the web: {}", reason(&e));
                    return false;
                }
            }
        }
        true
    }

    /// Reads and begins to answer; `None` if another step can follow at once.
    pub(super) fn step_web(&self, client: &mut Client, farewell: Farewell) -> Option<After> {
        let session = &mut client.session;
        if session.is_ending {
            return self.part(client, farewell);
        }
        match Request::parse(session.unread()) {
            Ok(Some(request)) => {
                session.begin_answer(self.now);
                client.answer = self.begin_page(&request, session);
                session.is_ending = client.answer.is_none();
                return None;
            }
            Ok(None) if session.room() > 0 => {}
            failed => {
                let refusal = failed.err().unwrap_or(Refusal::TooLarge);
                session.begin_answer(self.now);
                session.say(refusal.reply(Method::Get).as_bytes(), self.now);
                session.is_ending = true;
                return None;
            }
        }
        client.receive()
    }

    /// `None`: the reply is complete.
    fn begin_page(&self, request: &Request, session: &mut Session) -> Option<Answer> {
        let Request { method, ref path, takes_chunks } = *request;
        let (kind, document) = match path.as_str() {
            "/" => {
                let page = Page::new(|at: Time| clock::local(at.0).long());
                (ContentType::Page, Document::Page(page))
            }
            "/metrics" => (ContentType::Metrics, Document::Metrics(Metrics::default())),
            "/status.json" => (ContentType::Json, Document::Json(Json::default())),
            other => {
                let reply = match other {
                    "/healthz" => health(self.ailment().as_deref(), method),
                    _ => Refusal::Path.reply(method),
                };
                session.say(reply.as_bytes(), self.now);
                return None;
            }
        };
        let body = Body::of(method, takes_chunks);
        session.say(body.head(kind).as_bytes(), self.now);
        let writing = || Writing::new(document, Form::Http(body), self.now);
        (method == Method::Get).then(|| Answer::Document(Box::new(writing())))
    }

    /// Why the daemon is not well: that this is answered at all says that the loop runs.
    fn ailment(&self) -> Option<String> {
        let mut instances = self.cores.vrrp.instances().map(|(_, i)| i);
        let ill = instances.find(|i| i.phase() == Phase::Fault)?;
        let faults: Vec<_> = ill.faults().map(ToString::to_string).collect();
        Some(format!("{} is in FAULT: {}", ill.config().name, faults.join(", ")))
    }

    /// Ends a connection so that the client gets the reply: what it still sends would have the
    /// kernel reset the connection, and the reply with it.
    fn part(&self, client: &mut Client, farewell: Farewell) -> Option<After> {
        let mut farewell = farewell;
        if !farewell.is_said {
            farewell.is_said = true;
            client.connection.finish();
            client.session.end_by(self.now + FAREWELL);
        }
        let mut buffer = [0; 4096];
        let read = client.connection.read(&mut buffer);
        farewell.ignored += read.as_ref().map_or(0, |read| *read);
        client.caller = Caller::Web(farewell);
        match read {
            Ok(0) => Some(After::Gone),
            Ok(_) if farewell.ignored >= MOST_IGNORED => Some(After::Gone),
            Ok(_) => None,
            Err(e) => blocked(&e),
        }
    }
}

/// One attempt to say why; the client is not waited for.
fn turn_away(connection: &Connection) {
    // What is not read would have the kernel reset the connection.
    let _ = connection.read(&mut [0; 4096]);
    let _ = connection.write(Refusal::Busy.reply(Method::Get).as_bytes());
    connection.finish();
}

/// The same for one that did not ask in time.
pub(super) fn complain(connection: &Connection) {
    let _ = connection.write(Refusal::Slow.reply(Method::Get).as_bytes());
}
