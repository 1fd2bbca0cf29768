//! Carries out the actions of the outbox: connections, look-ups, the file of `smtp_alert_file`.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use crate::base::ratelimit::RateLimit;
use crate::base::time::{Duration, Instant};
use crate::daemon::outlets::report::HeldBack;
use crate::daemon::tokens::Owner;
use crate::model::notify::Mail;
use crate::notify::mail::Stamp;
use crate::notify::outbox::{Note, Outbox, Task, Unsent};
use crate::notify::Letter;
use crate::sys::clock;
use crate::sys::lookup::Lookup;
use crate::sys::open;
use crate::sys::poll::{Poll, Wants};
use crate::sys::reason;
use crate::sys::stream::{First, Received, Stream, Via};

/// Rate of lines about failed mails, since a thousand may fail for one reason.
const SHOWN: u32 = 20;
const SHOWN_EVERY: Duration = Duration::from_secs(60);

/// Connects the outbox to the network. Poll events of `Owner::Mail` are passed to `on_ready`.
#[derive(Debug)]
pub(in crate::daemon) struct Mailer {
    outbox: Outbox,
    stream: Option<Stream>,
    lookup: Option<(String, Lookup)>,
    tasks: Vec<Task>,
    limit: RateLimit,
}

impl Mailer {
    pub(in crate::daemon) fn new() -> Self {
        Self {
            outbox: Outbox::default(),
            stream: None,
            lookup: None,
            tasks: Vec::new(),
            limit: RateLimit::new(SHOWN, SHOWN_EVERY),
        }
    }

    /// Applies the configuration at the start and at a reload.
    pub(in crate::daemon) fn setup(
        &mut self,
        mail: Option<&Mail>,
        poll: &mut Poll<Owner>,
        now: Instant,
    ) {
        self.outbox.setup(mail, now, &mut self.tasks);
        self.carry_on(poll, now);
    }

    /// Sends a letter, or queues it until the server is reachable.
    pub(in crate::daemon) fn post(
        &mut self,
        letter: &Letter,
        poll: &mut Poll<Owner>,
        now: Instant,
    ) {
        let wall = clock::wall();
        let stamp = Stamp { wall, offset_minutes: clock::zone_minutes(wall) };
        self.outbox.post(letter, stamp, now, &mut self.tasks);
        self.carry_on(poll, now);
    }

    pub(in crate::daemon) fn on_ready(&mut self, poll: &mut Poll<Owner>, now: Instant) {
        self.on_answer(poll, now);
        self.on_stream(poll, now);
        self.carry_on(poll, now);
    }

    pub(in crate::daemon) fn on_deadline(&mut self, poll: &mut Poll<Owner>, now: Instant) {
        self.outbox.on_deadline(now, &mut self.tasks);
        self.carry_on(poll, now);
    }

    pub(in crate::daemon) fn next_deadline(&self) -> Option<Instant> {
        self.outbox.next_deadline()
    }

    /// Tries all waiting mails once before the daemon ends at `until`.
    pub(in crate::daemon) fn finish(
        &mut self,
        until: Instant,
        poll: &mut Poll<Owner>,
        now: Instant,
    ) {
        self.outbox.finish(until, now, &mut self.tasks);
        self.carry_on(poll, now);
    }

    /// The mails that are not sent.
    pub(in crate::daemon) fn unsent(&self) -> Vec<Unsent> {
        self.outbox.unsent()
    }

    /// Takes over mails of the program before this one.
    pub(in crate::daemon) fn resume(
        &mut self,
        mails: Vec<Unsent>,
        poll: &mut Poll<Owner>,
        now: Instant,
    ) {
        self.outbox.resume(mails, now, &mut self.tasks);
        self.carry_on(poll, now);
    }

    /// True if mail is being sent or is about to be.
    pub(in crate::daemon) fn is_busy(&self, now: Instant) -> bool {
        self.outbox.is_busy(now)
    }

    /// Number of unsent mails.
    pub(in crate::daemon) fn waiting(&self) -> usize {
        self.outbox.waiting()
    }

    /// The child that looks up the server's name has answered.
    fn on_answer(&mut self, poll: &mut Poll<Owner>, now: Instant) {
        let Some((name, lookup)) = &mut self.lookup else { return };
        let Some(result) = lookup.result() else { return };
        let name = std::mem::take(name);
        self.forget_lookup(poll);
        self.outbox.on_resolved(&name, result, now, &mut self.tasks);
    }

    fn on_stream(&mut self, poll: &mut Poll<Owner>, now: Instant) {
        let mut buffer = [0; 4096];
        // The outbox limits the length of replies and ends the conversation.
        while let Some(stream) = &mut self.stream {
            // Checked each time, since a reply may have led to another connection that is already
            // readable.
            match stream.is_connected() {
                Ok(true) => self.outbox.on_connected(now),
                Ok(false) => return,
                Err(e) => return self.on_broken(&e, poll, now),
            }
            match stream.read(&mut buffer) {
                Ok(Received::Bytes(n)) => {
                    self.outbox.received(&buffer[..n], now, &mut self.tasks);
                    self.carry_on(poll, now);
                }
                Ok(Received::End) => {
                    self.outbox.closed(now, &mut self.tasks);
                    return self.close(poll);
                }
                Ok(Received::Nothing) => return,
                Err(e) => return self.on_broken(&e, poll, now),
            }
        }
    }

    /// The connection failed or was lost; the outbox knows which.
    fn on_broken(&mut self, error: &io::Error, poll: &mut Poll<Owner>, now: Instant) {
        self.close(poll);
        self.outbox.on_failed(&reason(error), now, &mut self.tasks);
        self.outbox.closed(now, &mut self.tasks);
    }

    /// Executes tasks and their follow-ups, then sends pending commands.
    fn carry_on(&mut self, poll: &mut Poll<Owner>, now: Instant) {
        while !self.tasks.is_empty() {
            for task in std::mem::take(&mut self.tasks) {
                self.execute(task, poll, now);
            }
        }
        self.flush(poll, now);
    }

    fn execute(&mut self, task: Task, poll: &mut Poll<Owner>, now: Instant) {
        match task {
            Task::Resolve(name) => {
                if let Err(e) = self.look_up(&name, poll) {
                    self.outbox.on_resolved(&name, Err(reason(&e)), now, &mut self.tasks);
                }
            }
            Task::Connect(to) => {
                if let Err(e) = self.connect(to, poll) {
                    self.outbox.on_failed(&reason(&e), now, &mut self.tasks);
                }
            }
            Task::Close => self.close(poll),
            Task::Append { path, bytes } => {
                if let Err(e) = append(&path, &bytes) {
                    self.warn(
                        &format!("cannot append a mail to smtp_alert_file {path}: {}", reason(&e)),
                        now,
                    );
                }
            }
            Task::Noted(note) => self.report(&note, now),
        }
    }

    fn report(&mut self, note: &Note, now: Instant) {
        if note.is_warning() {
            self.warn(&note.to_string(), now);
        } else {
            log::info!("{note}");
        }
    }

    fn warn(&mut self, line: &str, now: Instant) {
        if let Some(held_back) = self.limit.admit(now) {
            log::warn!("{line}{}", HeldBack(held_back));
        }
    }

    fn look_up(&mut self, name: &str, poll: &mut Poll<Owner>) -> io::Result<()> {
        self.forget_lookup(poll);
        let lookup = Lookup::start(name)?;
        poll.add(lookup.as_raw_fd(), Owner::Mail)?;
        self.lookup = Some((name.to_owned(), lookup));
        Ok(())
    }

    fn forget_lookup(&mut self, poll: &mut Poll<Owner>) {
        if let Some((_, lookup)) = self.lookup.take() {
            poll.remove(lookup.as_raw_fd());
        }
    }

    fn connect(&mut self, to: SocketAddr, poll: &mut Poll<Owner>) -> io::Result<()> {
        self.close(poll);
        let stream = Stream::connect(to, &Via::default(), First::Them)?;
        poll.watch(stream.as_raw_fd(), Owner::Mail, Wants::Both)?;
        self.stream = Some(stream);
        Ok(())
    }

    fn close(&mut self, poll: &mut Poll<Owner>) {
        if let Some(stream) = self.stream.take() {
            poll.remove(stream.as_raw_fd());
        }
    }

    fn flush(&mut self, poll: &mut Poll<Owner>, now: Instant) {
        while let (Some(stream), output @ [_, ..]) =
            (&mut self.stream, self.outbox.pending_output())
        {
            match stream.write(output) {
                Ok(0) => return,
                Ok(n) => self.outbox.sent(n),
                Err(e) => {
                    self.on_broken(&e, poll, now);
                    return self.carry_on(poll, now);
                }
            }
        }
    }
}

fn append(path: &str, bytes: &[u8]) -> io::Result<()> {
    open::append(Path::new(path), 0o644)?.write_all(bytes)
}

#[cfg(test)]
mod tests;
