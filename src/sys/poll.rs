//! The only place that waits: mio's poll, a slab of owners, and a timer with microsecond
//! resolution.
//!
//! mio rounds its own timeout up to milliseconds, a tenth of the shortest advertisement interval;
//! so the earliest deadline is armed on a timerfd, which is polled like any socket.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, RawFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Token};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::time::{clock_nanosleep, ClockId, ClockNanosleepFlags};

use crate::base::sorted::SortedMap;
use crate::base::time::Instant;

const TIMER: Token = Token(0);
/// Zero would disarm the timer.
const SHORTEST_WAIT: Duration = Duration::from_micros(1);
/// As many seconds as the smallest platform counts: decades.
const LONGEST_WAIT: Duration = Duration::from_secs(i32::MAX as u64);
/// From here on, a turn begins with cold caches.
const RARE: Duration = Duration::from_millis(2);
const LONGEST_REST: Duration = Duration::from_millis(5);

/// Events of interest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wants {
    Read,
    Write,
    Both,
}

/// Watched descriptors and their owners.
pub struct Poll<O> {
    poll: mio::Poll,
    events: Events,
    timer: TimerFd,
    armed: Option<Instant>,
    /// The last call of `wait`.
    waited: Instant,
    /// Slot n has token n + 1.
    owners: Vec<Option<O>>,
    slots: SortedMap<RawFd, usize>,
    /// Freed in this batch; reused only after it, so that no old event reaches a new owner.
    retired: Vec<usize>,
    free: Vec<usize>,
}

impl<O: Copy> Poll<O> {
    pub fn new() -> io::Result<Self> {
        let poll = mio::Poll::new()?;
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(nix::sys::timerfd::ClockId::CLOCK_MONOTONIC, flags)?;
        let fd = timer.as_fd().as_raw_fd();
        poll.registry().register(&mut SourceFd(&fd), TIMER, Interest::READABLE)?;
        Ok(Self {
            poll,
            events: Events::with_capacity(64),
            timer,
            armed: None,
            waited: Instant::ZERO,
            owners: Vec::new(),
            slots: SortedMap::new(),
            retired: Vec::new(),
            free: Vec::new(),
        })
    }

    /// Watches a descriptor for reading on behalf of `owner`.
    pub fn add(&mut self, fd: RawFd, owner: O) -> io::Result<()> {
        self.watch(fd, owner, Wants::Read)
    }

    /// Watches a descriptor. Readiness is reported once, until reading or writing has failed for
    /// lack of data or room.
    pub fn watch(&mut self, fd: RawFd, owner: O, wants: Wants) -> io::Result<()> {
        let slot = self.free.pop().unwrap_or(self.owners.len());
        let token = Token(slot + 1);
        let interest = match wants {
            Wants::Read => Interest::READABLE,
            Wants::Write => Interest::WRITABLE,
            Wants::Both => Interest::READABLE | Interest::WRITABLE,
        };
        if let Err(e) = self.poll.registry().register(&mut SourceFd(&fd), token, interest) {
            if slot < self.owners.len() {
                self.free.push(slot);
            }
            return Err(e);
        }
        if slot == self.owners.len() {
            self.owners.push(None);
        }
        self.owners[slot] = Some(owner);
        self.slots.insert(fd, slot);
        Ok(())
    }

    /// Stops watching; call it before the descriptor is closed.
    pub fn remove(&mut self, fd: RawFd) {
        if let Some(slot) = self.slots.remove(&fd) {
            self.owners[slot] = None;
            self.retired.push(slot);
            // A descriptor that poll no longer knows needs no removal.
            let _ = self.poll.registry().deregister(&mut SourceFd(&fd));
        }
    }

    /// Stops watching a descriptor that is closed next. Closing it also removes it from the poll,
    /// since no other process has it open.
    pub fn release(&mut self, fd: RawFd) {
        if let Some(slot) = self.slots.remove(&fd) {
            self.owners[slot] = None;
            self.retired.push(slot);
        }
    }

    /// Number of watched descriptors, and of slots for them.
    #[cfg(test)]
    pub(crate) fn watched(&self) -> (usize, usize) {
        (self.slots.len(), self.owners.len())
    }

    /// Waits until something is ready, or `deadline`; not at all if `idle` is false.
    ///
    /// Appends the owners that are ready. The timer itself is no owner: the caller knows the
    /// deadline. An interrupted wait is an empty one.
    pub fn wait(
        &mut self,
        now: Instant,
        deadline: Option<Instant>,
        idle: bool,
        ready: &mut Vec<O>,
    ) -> io::Result<()> {
        self.free.append(&mut self.retired);
        let waits = idle && deadline.is_none_or(|d| d > now);
        // A timer that fires too early costs one empty turn; moving it for every packet that puts
        // a deadline off would cost a system call each. The turn costs more if packets are rare.
        let is_rare = now.since(self.waited) > RARE;
        let moved = |d: Instant| self.armed.is_none_or(|armed| d < armed || is_rare && d != armed);
        if let (true, Some(deadline)) = (waits, deadline.filter(|d| moved(*d))) {
            self.arm(now, deadline)?;
        }
        self.waited = now;
        match self.poll.poll(&mut self.events, (!waits).then_some(Duration::ZERO)) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(e) => return Err(e),
        }
        for event in &self.events {
            match event.token() {
                TIMER => self.armed = None,
                Token(n) => ready.extend(self.owners.get(n - 1).copied().flatten()),
            }
        }
        Ok(())
    }

    /// Sleeps briefly so that many packets cause only one wake-up.
    ///
    /// A signal may cut it short.
    pub fn rest(&self, span: Duration) {
        let span = TimeSpec::from_duration(span.min(LONGEST_REST));
        let _ = clock_nanosleep(ClockId::CLOCK_MONOTONIC, ClockNanosleepFlags::empty(), &span);
    }

    /// Relative, so that the timer is independent of the daemon's clock. Never read: arming it anew
    /// clears it, and poll reports each expiry once.
    fn arm(&mut self, now: Instant, deadline: Instant) -> io::Result<()> {
        let left = deadline.since(now).clamp(SHORTEST_WAIT, LONGEST_WAIT);
        let expiry = Expiration::OneShot(TimeSpec::from_duration(left));
        self.timer.set(expiry, TimerSetTimeFlags::empty())?;
        self.armed = Some(deadline);
        Ok(())
    }
}
