//! Mails on their way to the server: what waits, when it is tried again, and when it is given up.
//!
//! The reference opens a connection per mail and tries once. Here one connection takes all that
//! waits, and a server that is away for a while costs nothing but time.

mod note;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

pub use self::note::{Note, Server};
use super::action::Letter;
use super::mail::{self, Message, Stamp};
use super::smtp::{Command, Conversation, SmtpEvent};
use crate::base::sorted::SortedSet;
use crate::base::time::{Duration, Instant};
use crate::model::notify::{Mail, MailServer};

/// Mails that wait, of some 500 bytes each.
pub const MOST_WAITING: usize = 1024;
/// What is older is of no use to an operator.
const LIFE: Duration = Duration::from_secs(4 * 3600);
/// The first wait before another try, doubled each time.
const FIRST_RETRY: Duration = Duration::from_secs(10);
const LAST_RETRY: Duration = Duration::from_secs(30 * 60);
/// How long the addresses of a server are believed. The resolver that gives them does not say.
const ADDRESS_LIFE: Duration = Duration::from_secs(5 * 60);

/// What the executor is to do. All but `Close`, `Append` and `Noted` are answered.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub enum Task {
    /// Look a name up; `on_resolved` follows.
    Resolve(String),
    /// Open a connection; `on_connected` or `on_failed` follows.
    Connect(SocketAddr),
    /// Close the connection, or stop opening it.
    Close,
    /// Append to a file, which is made if it is not there.
    Append {
        path: String,
        bytes: Vec<u8>,
    },
    Noted(Note),
}

/// A mail that is not sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsent {
    pub message: Message,
    pub tries: u32,
    /// When it is tried next.
    pub due: Instant,
    /// When it was written.
    pub born: Instant,
}

#[derive(Debug, Default)]
enum Link {
    #[default]
    Idle,
    Resolving {
        deadline: Instant,
    },
    Connecting {
        deadline: Instant,
    },
    Talking {
        conversation: Box<Conversation>,
        item: Option<Unsent>,
    },
}

/// What is still to be hoped for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum OutboxState {
    /// What cannot be sent is tried again later.
    #[default]
    Running,
    /// The daemon ends: one more try, no longer than this.
    LastTry(Instant),
    Over,
}

#[derive(Debug, Default)]
pub struct Outbox {
    state: OutboxState,
    mail: Option<Mail>,
    queue: VecDeque<Unsent>,
    full: bool,
    link: Link,
    /// Of the server, if it has a name.
    addresses: Vec<IpAddr>,
    resolved: Option<Instant>,
    /// Which of them is in use.
    chosen: usize,
    failures: u32,
    not_before: Instant,
    serial: u64,
    events: Vec<SmtpEvent>,
}

impl Outbox {
    /// Takes over what the configuration says, at the start and at a reload.
    pub fn setup(&mut self, mail: Option<&Mail>, now: Instant, out: &mut Vec<Task>) {
        let place = |m: &Mail| (m.server.clone(), m.port, m.helo.clone());
        if self.mail.as_ref().map(place) != mail.map(place) {
            self.hang_up(now, out);
            self.addresses.clear();
            self.resolved = None;
            self.failures = 0;
            self.not_before = now;
        }
        self.mail = mail.cloned();
        if !matches!(mail, Some(Mail { server: MailServer::Address(_) | MailServer::Name(_), .. }))
        {
            self.queue.clear();
        }
        self.advance(now, out);
    }

    /// Takes a letter to be sent.
    pub fn post(&mut self, letter: &Letter, stamp: Stamp, now: Instant, out: &mut Vec<Task>) {
        let Some(mail) = &self.mail else { return };
        self.serial += 1;
        let message = mail::compose(letter, mail, stamp, self.serial);
        if let MailServer::File(path) = &mail.server {
            let bytes = message.bytes.iter().copied().filter(|b| *b != b'\r').collect();
            out.push(Task::Append { path: path.clone(), bytes });
            return;
        }
        if message.to.is_empty() {
            return;
        }
        self.queue.push_back(Unsent { message, tries: 0, due: now, born: now });
        self.shorten(out);
        self.advance(now, out);
    }

    /// The mails that are not sent, the one that is under way included.
    pub fn unsent(&self) -> Vec<Unsent> {
        let under_way = match &self.link {
            Link::Talking { item, .. } => item.clone(),
            Link::Idle | Link::Resolving { .. } | Link::Connecting { .. } => None,
        };
        under_way.into_iter().chain(self.queue.iter().cloned()).collect()
    }

    /// Mails that the program before this one could not send.
    pub fn resume(&mut self, mails: Vec<Unsent>, now: Instant, out: &mut Vec<Task>) {
        let is_sent = |mail: &Mail| !matches!(mail.server, MailServer::File(_));
        if self.mail.as_ref().is_some_and(is_sent) {
            self.queue.extend(mails);
            self.shorten(out);
            self.advance(now, out);
        }
    }

    pub fn on_resolved(
        &mut self,
        name: &str,
        result: Result<Vec<IpAddr>, String>,
        now: Instant,
        out: &mut Vec<Task>,
    ) {
        let current =
            matches!(&self.mail, Some(m) if m.server == MailServer::Name(name.to_owned()));
        if !current || !matches!(self.link, Link::Resolving { .. }) {
            return;
        }
        self.link = Link::Idle;
        match result {
            Ok(list) if !list.is_empty() => {
                self.addresses = list;
                self.resolved = Some(now);
                self.chosen = 0;
                self.advance(now, out);
            }
            Ok(_) => self.on_unknown(name, "it has no address".to_owned(), now, out),
            Err(error) => self.on_unknown(name, error, now, out),
        }
    }

    pub fn on_connected(&mut self, now: Instant) {
        if let (Link::Connecting { .. }, Some(mail)) = (&self.link, &self.mail) {
            let conversation = Box::new(Conversation::new(&mail.helo, mail.timeout, now));
            self.link = Link::Talking { conversation, item: None };
        }
    }

    /// The connection could not be opened.
    pub fn on_failed(&mut self, error: &str, now: Instant, out: &mut Vec<Task>) {
        if !matches!(self.link, Link::Connecting { .. }) {
            return;
        }
        self.link = Link::Idle;
        if self.chosen + 1 < self.addresses.len() {
            self.chosen += 1;
            return self.advance(now, out);
        }
        self.on_trouble(Command::Connect, error.to_owned(), now, out);
        self.chosen = 0;
        self.resolved = None;
    }

    pub fn pending_output(&self) -> &[u8] {
        match &self.link {
            Link::Talking { conversation, .. } => conversation.pending_output(),
            _ => &[],
        }
    }

    pub fn sent(&mut self, n: usize) {
        if let Link::Talking { conversation, .. } = &mut self.link {
            conversation.sent(n);
        }
    }

    pub fn received(&mut self, bytes: &[u8], now: Instant, out: &mut Vec<Task>) {
        self.converse(now, out, |c, events| c.received(bytes, now, events));
    }

    /// The server closed the connection, or it broke.
    pub fn closed(&mut self, now: Instant, out: &mut Vec<Task>) {
        self.converse(now, out, |c, events| c.closed(events));
    }

    /// The daemon ends: whatever waits is tried once, until then.
    pub fn finish(&mut self, until: Instant, now: Instant, out: &mut Vec<Task>) {
        self.state = OutboxState::LastTry(until);
        self.not_before = now;
        self.queue.iter_mut().for_each(|item| item.due = now);
        self.advance(now, out);
    }

    pub fn on_deadline(&mut self, now: Instant, out: &mut Vec<Task>) {
        if matches!(self.state, OutboxState::LastTry(until) if until <= now) {
            self.state = OutboxState::Over;
            return self.hang_up(now, out);
        }
        match self.link {
            Link::Idle => {}
            Link::Resolving { deadline } if deadline <= now => {
                self.link = Link::Idle;
                if let Some(MailServer::Name(name)) = self.mail.as_ref().map(|m| m.server.clone()) {
                    self.on_unknown(&name, "no answer in time".to_owned(), now, out);
                }
            }
            Link::Connecting { deadline } if deadline <= now => {
                out.push(Task::Close);
                self.on_failed("no connection in time", now, out);
            }
            Link::Talking { .. } => {
                self.converse(now, out, |c, events| c.on_deadline(now, events));
            }
            Link::Resolving { .. } | Link::Connecting { .. } => {}
        }
        self.advance(now, out);
    }

    /// When `on_deadline` next has work. Early calls do nothing.
    pub fn next_deadline(&self) -> Option<Instant> {
        let next = match &self.link {
            Link::Idle if self.state == OutboxState::Over => None,
            Link::Idle => {
                let due = self.queue.iter().map(|item| item.due).min();
                due.map(|due| due.max(self.not_before))
            }
            Link::Resolving { deadline } | Link::Connecting { deadline } => Some(*deadline),
            Link::Talking { conversation, .. } => conversation.next_deadline(),
        };
        match self.state {
            OutboxState::LastTry(until) => next.map(|next| next.min(until)),
            OutboxState::Running | OutboxState::Over => next,
        }
    }

    /// Nothing is under way, and nothing waits.
    pub fn is_idle(&self) -> bool {
        matches!(self.link, Link::Idle) && self.queue.is_empty()
    }

    /// Mail is under way, or will be in a moment.
    pub fn is_busy(&self, now: Instant) -> bool {
        match self.link {
            Link::Idle => self.next_deadline().is_some_and(|next| next <= now),
            Link::Resolving { .. } | Link::Connecting { .. } | Link::Talking { .. } => true,
        }
    }

    /// Mails that are not sent yet.
    pub fn waiting(&self) -> usize {
        let under_way = matches!(self.link, Link::Talking { item: Some(_), .. });
        self.queue.len() + usize::from(under_way)
    }

    /// Gets on with it, if nothing is under way.
    fn advance(&mut self, now: Instant, out: &mut Vec<Task>) {
        self.expire(now, out);
        if !matches!(self.link, Link::Idle) || self.next_deadline().is_none_or(|d| d > now) {
            return;
        }
        let Some(mail) = &self.mail else { return };
        let deadline = now + mail.timeout;
        match &mail.server {
            MailServer::Address(addr) => self.addresses = vec![*addr],
            MailServer::Name(name) => {
                if self.resolved.is_none_or(|at| now.since(at) >= ADDRESS_LIFE) {
                    out.push(Task::Resolve(name.clone()));
                    self.link = Link::Resolving { deadline };
                    return;
                }
            }
            MailServer::File(_) => return,
        }
        if let Some(Server(addr)) = self.server() {
            out.push(Task::Connect(addr));
            self.link = Link::Connecting { deadline };
        }
    }

    fn server(&self) -> Option<Server> {
        let port = self.mail.as_ref()?.port;
        Some(Server(SocketAddr::new(*self.addresses.get(self.chosen)?, port)))
    }

    /// Lets the conversation go on, and draws the consequences.
    fn converse(
        &mut self,
        now: Instant,
        out: &mut Vec<Task>,
        step: impl FnOnce(&mut Conversation, &mut Vec<SmtpEvent>),
    ) {
        let Link::Talking { conversation, .. } = &mut self.link else { return };
        let mut events = std::mem::take(&mut self.events);
        step(conversation, &mut events);
        for event in events.drain(..) {
            self.on_event(event, now, out);
        }
        self.events = events;
    }

    fn on_event(&mut self, event: SmtpEvent, now: Instant, out: &mut Vec<Task>) {
        match event {
            SmtpEvent::Ready => self.next_mail(now),
            SmtpEvent::Refused { command, address, reply } => {
                if let Some(server) = self.server() {
                    out.push(Task::Noted(Note::Refused { command, server, address, reply }));
                }
            }
            SmtpEvent::Over { taken, retry } => self.on_over(taken, retry, now, out),
            SmtpEvent::Ended { at, trouble } => {
                self.link = Link::Idle;
                out.push(Task::Close);
                match trouble {
                    Some(trouble) => self.on_trouble(at, trouble.to_string(), now, out),
                    None => self.advance(now, out),
                }
            }
        }
    }

    fn next_mail(&mut self, now: Instant) {
        let Link::Talking { conversation, item } = &mut self.link else { return };
        let next = self.queue.iter().position(|item| item.due <= now);
        match next.and_then(|n| self.queue.remove(n)) {
            Some(next) => {
                conversation.send(&next.message, now);
                *item = Some(next);
            }
            None => conversation.quit(now),
        }
        if self.queue.is_empty() {
            self.full = false;
        }
    }

    fn on_over(&mut self, taken: usize, retry: Vec<String>, now: Instant, out: &mut Vec<Task>) {
        let Link::Talking { item, .. } = &mut self.link else { return };
        let Some(mut item) = item.take() else { return };
        if taken > 0 {
            self.failures = 0;
            let subject = item.message.subject.clone();
            out.push(Task::Noted(Note::Sent { subject, taken }));
        }
        if !retry.is_empty() {
            item.message.to = retry;
            item.due = now + back_off(item.tries);
            item.tries = item.tries.saturating_add(1);
            self.queue.push_back(item);
            self.shorten(out);
        }
    }

    /// The server is of no use for the time being.
    fn on_trouble(&mut self, command: Command, trouble: String, now: Instant, out: &mut Vec<Task>) {
        let retry = self.put_off(now);
        let waiting = self.waiting();
        if let Some(server) = self.server() {
            let note = Note::Trouble { command, server, trouble, waiting, retry };
            out.push(Task::Noted(note));
        }
    }

    fn on_unknown(&mut self, name: &str, error: String, now: Instant, out: &mut Vec<Task>) {
        let retry = self.put_off(now);
        let (name, waiting) = (name.to_owned(), self.waiting());
        out.push(Task::Noted(Note::Unknown { name, error, waiting, retry }));
    }

    /// `None`: that was the last try.
    fn put_off(&mut self, now: Instant) -> Option<Duration> {
        if self.state != OutboxState::Running {
            self.state = OutboxState::Over;
            return None;
        }
        let retry = back_off(self.failures);
        self.failures = self.failures.saturating_add(1);
        self.not_before = now + retry;
        Some(retry)
    }

    /// Leaves the server; what is under way waits again.
    fn hang_up(&mut self, now: Instant, out: &mut Vec<Task>) {
        match std::mem::take(&mut self.link) {
            Link::Idle | Link::Resolving { .. } => {}
            Link::Connecting { .. } => out.push(Task::Close),
            Link::Talking { item, .. } => {
                out.push(Task::Close);
                if let Some(mut item) = item {
                    item.due = now;
                    self.queue.push_front(item);
                }
            }
        }
    }

    fn expire(&mut self, now: Instant, out: &mut Vec<Task>) {
        self.queue.retain(|item| {
            let stays = now.since(item.born) < LIFE;
            if !stays {
                let subject = item.message.subject.clone();
                out.push(Task::Noted(Note::Expired { subject }));
            }
            stays
        });
    }

    /// Drops one if too many wait: the oldest of those that a newer one is about as well, or else
    /// the oldest of all.
    fn shorten(&mut self, out: &mut Vec<Task>) {
        if self.queue.len() <= MOST_WAITING {
            return;
        }
        let mut newer = SortedSet::new();
        let mut victim = 0;
        for (n, item) in self.queue.iter().enumerate().rev() {
            if !newer.insert(&item.message.about) {
                victim = n;
            }
        }
        self.queue.remove(victim);
        if !self.full {
            self.full = true;
            out.push(Task::Noted(Note::Full));
        }
    }
}

fn back_off(tries: u32) -> Duration {
    FIRST_RETRY.saturating_mul(1 << tries.min(16)).min(LAST_RETRY)
}

#[cfg(test)]
mod tests;
