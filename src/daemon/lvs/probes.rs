//! Running probes and their sockets. `check` implements the protocols; `check::Pool` decides when a
//! probe begins and evaluates its result.
//!
//! The owner of the poll and the clock calls `begin` and `abort` for the pool, `on_ready` for
//! events, `on_deadline` in time, and passes `finished` probes back to the pool.

use std::ops::Bound;

use crate::base::addr::Family;
use crate::base::deadlines::NumberedDeadlines;
use crate::base::ids::CheckId;
use crate::base::rng::Rng;
use crate::base::sorted::{SortedMap, SortedSet};
use crate::base::time::{Duration, Instant};
use crate::base::verdict::ProbeStep;
use crate::check::dns::Dns;
use crate::check::http::Page;
use crate::check::ping::Ping;
use crate::check::probe;
use crate::check::smtp::Smtp;
use crate::check::talk::Talk;
use crate::check::tcp::Tcp;
use crate::check::tls::{Client, Filter};
use crate::check::udp::Udp;
use crate::check::{Reason, Timings, Verdict};
use crate::daemon::tokens::Owner;
use crate::model::check::{Check, Connect, Http, Kind};
use crate::sys::children::{Outcome, Pid};
use crate::sys::datagram::Datagram;
use crate::sys::poll::Poll;
use crate::sys::reason;
use crate::sys::stream::{Fault, First, Stream};

mod connection;
mod job;
mod scripts;
#[cfg(test)]
mod tests;

use connection::via;
use job::{Job, Progress, Wire};
use scripts::Scripts;

/// Size of the longest datagram; all probes share one buffer.
const BUFFER: usize = 64 * 1024;

/// A finished probe.
#[derive(PartialEq, Debug)]
pub(in crate::daemon) struct Finished {
    pub(in crate::daemon) check: CheckId,
    pub(in crate::daemon) verdict: Verdict,
    pub(in crate::daemon) timings: Timings,
}

/// Work that `begin` leaves to its caller.
#[derive(PartialEq, Eq, Debug)]
#[must_use]
pub(in crate::daemon) enum Begun {
    Probing,
    /// Start the script, then call `script_started` or `unmade`.
    Script,
}

/// All running probes.
pub(in crate::daemon) struct Probes {
    jobs: SortedMap<CheckId, Job>,
    scripts: Scripts,
    deadlines: NumberedDeadlines<CheckId>,
    /// Probes that used up their share while ready, served in round-robin order.
    unread: SortedSet<CheckId>,
    last_unread: CheckId,
    finished: Vec<Finished>,
    tls: Option<Client>,
    bytes: Box<[u8]>,
    rng: Rng,
    /// Sequence number of echo requests.
    sequence: u16,
    steps: u64,
}

impl Probes {
    pub(in crate::daemon) fn new(seed: u64) -> Self {
        Self {
            jobs: SortedMap::new(),
            scripts: Scripts::default(),
            deadlines: NumberedDeadlines::default(),
            unread: SortedSet::new(),
            last_unread: CheckId(0),
            finished: Vec::new(),
            tls: None,
            bytes: vec![0; BUFFER].into(),
            rng: Rng::new(seed),
            sequence: 0,
            steps: 0,
        }
    }

    /// Sets the key material of `SSL_GET`. Running probes keep theirs.
    pub(in crate::daemon) fn set_tls(&mut self, client: Option<Client>) {
        self.tls = client;
    }

    /// Probes finished since the last call.
    pub(in crate::daemon) fn finished(&mut self) -> Vec<Finished> {
        std::mem::take(&mut self.finished)
    }

    /// Returns the list for reuse of its allocation.
    pub(in crate::daemon) fn recycle(&mut self, mut list: Vec<Finished>) {
        list.clear();
        if self.finished.is_empty() {
            self.finished = list;
        }
    }

    pub(in crate::daemon) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// True if answers are expected.
    pub(in crate::daemon) fn is_any(&self) -> bool {
        !self.jobs.is_empty()
    }

    /// Number of probe steps.
    pub(in crate::daemon) const fn steps(&self) -> u64 {
        self.steps
    }

    /// Number of probes to read without waiting for an event.
    pub(in crate::daemon) fn unread(&self) -> usize {
        self.unread.len()
    }

    /// Begins to probe page `page` of a check.
    pub(in crate::daemon) fn begin(
        &mut self,
        check: CheckId,
        config: &Check,
        page: usize,
        now: Instant,
        poll: &mut Poll<Owner>,
    ) -> Begun {
        let delay = config.schedule.delay_loop;
        let job = match &config.kind {
            Kind::Misc(_) if self.scripts.is_stuck(check) => Err(Reason::Overran),
            Kind::Misc(_) => return Begun::Script,
            Kind::File(_) | Kind::Bfd(_) => {
                self.unmade(check, "it has no probe".to_owned());
                return Begun::Probing;
            }
            Kind::Tcp(to) => stream(to, probe::Stream::new(Talk::Tcp(Tcp::default())), delay, now),
            Kind::Smtp(to, smtp) => {
                stream(to, probe::Stream::new(Talk::Smtp(Smtp::new(smtp))), delay, now)
            }
            Kind::Http(to, http) => {
                self.page(to, http, page).and_then(|probe| stream(to, probe, delay, now))
            }
            Kind::Dns(to, dns) => {
                let id = u16::try_from(self.rng.between(0, 1 << 16)).unwrap_or(0);
                let probe = probe::Datagram::Dns(Dns::new(dns, id));
                if probe.request().is_empty() {
                    Err(Reason::Name(dns.name.clone()))
                } else {
                    datagram(to, Datagram::udp(to.target(), &via(to)), probe, now)
                }
            }
            Kind::Udp(to, udp) => {
                let probe = probe::Datagram::Udp(Udp::new(udp));
                datagram(to, Datagram::udp(to.target(), &via(to)), probe, now)
            }
            Kind::Ping(to) => {
                self.sequence = self.sequence.wrapping_add(1);
                let ping = Ping::new(Family::of(&to.addr), self.sequence, self.secret());
                let socket = Datagram::ping(to.target(), &via(to));
                datagram(to, socket, probe::Datagram::Ping(ping), now)
            }
        };
        match job {
            Ok(job) => self.enter(check, job, now, poll),
            Err(reason) => self.refused(check, reason),
        }
        Begun::Probing
    }

    /// Returns half of a random number: from a whole one, a receiver could compute the next.
    fn secret(&mut self) -> u32 {
        (self.rng.draw() >> 32) as u32
    }

    fn page(&self, to: &Connect, http: &Http, page: usize) -> Result<probe::Stream, Reason> {
        let url = http.urls.get(page).or_else(|| http.urls.first());
        let url = url.ok_or_else(|| Reason::Unmade("no url is configured".to_owned()))?;
        let talk = Talk::Http(Box::new(Page::new(http, url, to.target())));
        if !http.tls {
            return Ok(probe::Stream::new(talk));
        }
        let unusable = || Reason::Unmade("the keys for TLS cannot be used".to_owned());
        let client = self.tls.as_ref().ok_or_else(unusable)?;
        let filter = Filter::new(client, url.sni_name.as_deref(), to.target())?;
        Ok(probe::Stream::over_tls(talk, filter))
    }

    /// Registers the socket and takes the first step, which completes many probes on the local
    /// host.
    fn enter(&mut self, check: CheckId, mut job: Job, now: Instant, poll: &mut Poll<Owner>) {
        self.steps += 1;
        if let Progress::Finished(verdict) = job.begin(now) {
            let timings = job.timings(now);
            self.finished.push(Finished { check, verdict, timings });
            return;
        }
        if let Err(e) = poll.watch(job.fd(), Owner::Check(check), job.wants()) {
            self.unmade(check, format!("cannot watch the socket: {}", reason(&e)));
            return;
        }
        self.deadlines.set(check, Some(job.deadline(now)));
        self.jobs.insert(check, job);
    }

    /// Removes a probe. True if its script has to be stopped.
    pub(in crate::daemon) fn abort(&mut self, check: CheckId, poll: &mut Poll<Owner>) -> bool {
        self.close(check, poll);
        self.scripts.forget(check)
    }

    fn close(&mut self, check: CheckId, poll: &mut Poll<Owner>) -> Option<Job> {
        self.deadlines.set(check, None);
        self.unread.remove(&check);
        let job = self.jobs.remove(&check)?;
        poll.release(job.fd());
        Some(job)
    }

    /// The socket of a probe is readable or writable.
    pub(in crate::daemon) fn on_ready(
        &mut self,
        check: CheckId,
        now: Instant,
        poll: &mut Poll<Owner>,
    ) {
        self.unread.remove(&check);
        let Some(job) = self.jobs.get_mut(&check) else { return };
        self.steps += 1;
        match job.drive(now, &mut self.bytes) {
            Progress::None => {}
            Progress::Some => self.deadlines.set(check, Some(job.deadline(now))),
            Progress::Unread => {
                self.deadlines.set(check, Some(job.deadline(now)));
                self.unread.insert(check);
            }
            Progress::Finished(verdict) => self.finish(check, verdict, now, poll),
        }
    }

    /// Continues one of the probes that used up their share; false if there is none.
    pub(in crate::daemon) fn on_unread(&mut self, now: Instant, poll: &mut Poll<Owner>) -> bool {
        let behind = (Bound::Excluded(self.last_unread), Bound::Unbounded);
        let next = self.unread.range(behind).next().or_else(|| self.unread.first());
        let Some(check) = next.copied() else { return false };
        self.last_unread = check;
        self.on_ready(check, now, poll);
        true
    }

    /// Handles one probe that timed out; false if there is none. Data that arrived meanwhile
    /// counts, since the daemon may have been late.
    pub(in crate::daemon) fn on_deadline(&mut self, now: Instant, poll: &mut Poll<Owner>) -> bool {
        let Some((due, check)) = self.deadlines.pop_due(now) else { return false };
        if let Some(over) = self.scripts.give_up(check) {
            self.script_over(check, over, now);
            return true;
        }
        if let Some(job) = self.jobs.get_mut(&check) {
            job.indulge(now.since(due), now);
        }
        self.on_ready(check, now, poll);
        if self.deadlines.of(&check).is_none_or(|deadline| deadline <= now) {
            if let Some(job) = self.jobs.get_mut(&check) {
                let verdict = job.time_out();
                self.finish(check, verdict, now, poll);
            }
        }
        true
    }

    fn finish(&mut self, check: CheckId, verdict: Verdict, now: Instant, poll: &mut Poll<Owner>) {
        if let Some(job) = self.close(check, poll) {
            let timings = job.timings(now);
            self.finished.push(Finished { check, verdict, timings });
        }
    }

    /// The probe could not be made for a local reason.
    fn unmade(&mut self, check: CheckId, why: String) {
        self.refused(check, Reason::Unmade(why));
    }

    /// Finishes a probe that could not begin.
    pub(in crate::daemon) fn refused(&mut self, check: CheckId, reason: Reason) {
        let verdict = Verdict::Down(reason);
        self.finished.push(Finished { check, verdict, timings: Timings::default() });
    }

    /// The script of a check that runs within its time, and when it began.
    pub(in crate::daemon) fn script(&self, check: CheckId) -> Option<(Pid, Instant)> {
        self.scripts.of(check)
    }

    pub(in crate::daemon) fn script_started(&mut self, check: CheckId, pid: Pid, now: Instant) {
        self.scripts.started(check, pid, now);
    }

    /// The script of a check timed out and is being terminated.
    pub(in crate::daemon) fn on_script_timed_out(&mut self, check: CheckId, now: Instant) {
        if self.scripts.time_out(check) {
            self.deadlines.set(check, Some(now + scripts::ENDING));
        }
    }

    pub(in crate::daemon) fn on_script_ended(
        &mut self,
        check: CheckId,
        pid: Pid,
        outcome: Outcome,
        is_dynamic: bool,
        now: Instant,
    ) {
        if let Some(over) = self.scripts.ended(check, pid, outcome, is_dynamic) {
            self.deadlines.set(check, None);
            self.script_over(check, over, now);
        }
    }

    fn script_over(&mut self, check: CheckId, (begun, verdict): scripts::Over, now: Instant) {
        let timings = Timings { total: now.since(begun), ..Timings::default() };
        self.finished.push(Finished { check, verdict, timings });
    }
}

impl From<Fault> for Reason {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Ours(error) => Self::Unmade(reason(&error)),
            Fault::Theirs(error) => Self::Failed(ProbeStep::Connecting, reason(&error)),
        }
    }
}

fn stream(
    to: &Connect,
    probe: probe::Stream,
    delay: Duration,
    now: Instant,
) -> Result<Job, Reason> {
    let first = if probe.waits_for_greeting() { First::Them } else { First::Us };
    let socket = Stream::connect(to.target(), &via(to), first)?;
    if probe.is_encrypted() {
        // The end of a handshake and the following request are written separately.
        socket.send_at_once().map_err(Fault::Ours)?;
    }
    Ok(Job::new(Wire::Stream(socket, Box::new(probe)), to.timeout, delay, now))
}

fn datagram(
    to: &Connect,
    socket: Result<Datagram, Fault>,
    probe: probe::Datagram,
    now: Instant,
) -> Result<Job, Reason> {
    let mut socket = socket?;
    // Without a sent request, silence proves nothing.
    if !socket.send(probe.request()).map_err(Fault::of)? {
        return Err(Reason::Unmade("the send buffer is full".to_owned()));
    }
    Ok(Job::new(Wire::Datagram(socket, probe), to.timeout, Duration::ZERO, now))
}
