//! One running probe: carries bytes between a socket and the probe.

use std::os::fd::{AsRawFd, RawFd};

use crate::base::time::{Duration, Instant};
use crate::check::probe;
use crate::check::{Timings, Verdict};
use crate::sys::datagram::Datagram;
use crate::sys::poll::Wants;
use crate::sys::reason;
use crate::sys::stream::{Received, Stream};

/// Reads of one probe before others are served.
const BUDGET: usize = 8;

/// Bytes of a stream read at once.
const READ: usize = 16 * 1024;

/// Steps of the longest conversation: connection, handshake (twice), request, head, body.
const STEPS: u32 = 6;

pub(super) struct Job {
    wire: Wire,
    /// Timeout of each step.
    timeout: Duration,
    begun: Instant,
    /// Deadline of all steps together, since a server that sends single bytes would never exceed
    /// the timeout of a step.
    limit: Instant,
    connected: Option<Instant>,
    first_byte: Option<Instant>,
}

pub(super) enum Wire {
    Stream(Stream, Box<probe::Stream>),
    Datagram(Datagram, probe::Datagram),
}

/// Result of serving a ready socket.
#[derive(PartialEq, Debug)]
pub(super) enum Progress {
    /// No progress.
    None,
    /// The timeout of the next step starts now.
    Some,
    /// The budget is spent; there may be more to read.
    Unread,
    Finished(Verdict),
}

impl Job {
    /// `delay` is the interval between probes, which limits the time for a long page.
    pub(super) fn new(wire: Wire, timeout: Duration, delay: Duration, begun: Instant) -> Self {
        let all = match wire {
            Wire::Stream(..) => timeout.saturating_mul(STEPS).max(delay),
            Wire::Datagram(..) => timeout,
        };
        Self { wire, timeout, begun, limit: begun + all, connected: None, first_byte: None }
    }

    /// Deadline of a step that begins now.
    pub(super) fn deadline(&self, now: Instant) -> Instant {
        (now + self.timeout).min(self.limit)
    }

    /// Extends a deadline that was noticed so late that the delay is not the server's.
    pub(super) fn indulge(&mut self, late: Duration, now: Instant) {
        if late >= self.timeout {
            self.limit = self.limit.max(now + self.timeout);
        }
    }

    pub(super) fn fd(&self) -> RawFd {
        match &self.wire {
            Wire::Stream(socket, _) => socket.as_raw_fd(),
            Wire::Datagram(socket, _) => socket.as_raw_fd(),
        }
    }

    pub(super) fn timings(&self, now: Instant) -> Timings {
        let since = |when: Option<Instant>| when.map(|when| when.since(self.begun));
        Timings {
            connect: since(self.connected),
            first_byte: since(self.first_byte),
            total: now.since(self.begun),
        }
    }

    /// A stream is opened, and written to. Nothing is read: an answer takes its time, and poll
    /// reports what is there when it begins to watch. A datagram has already been sent.
    pub(super) fn begin(&mut self, now: Instant) -> Progress {
        let Wire::Stream(socket, probe) = &mut self.wire else { return Progress::Some };
        if open(socket, probe) {
            self.connected = Some(now);
            write(socket, probe);
        }
        match probe.outcome() {
            Some(verdict) => Progress::Finished(verdict.clone()),
            None => Progress::Some,
        }
    }

    /// What poll is to watch for after the beginning. A socket can be written to at once, and that
    /// is no news to a probe that has nothing to write.
    pub(super) fn wants(&self) -> Wants {
        match &self.wire {
            Wire::Stream(_, probe) if !probe.is_all_sent() => Wants::Both,
            Wire::Stream(..) | Wire::Datagram(..) => Wants::Read,
        }
    }

    /// This step timed out.
    pub(super) fn time_out(&mut self) -> Verdict {
        match &mut self.wire {
            Wire::Stream(_, probe) => {
                probe.timed_out();
                probe.outcome().cloned().unwrap_or(Verdict::UP)
            }
            Wire::Datagram(_, probe) => probe.timed_out(),
        }
    }

    /// Reads and writes as much as possible without blocking.
    pub(super) fn drive(&mut self, now: Instant, bytes: &mut [u8]) -> Progress {
        let progress = match &mut self.wire {
            Wire::Stream(socket, probe) => {
                let arrives = self.connected.is_none();
                if arrives && open(socket, probe) {
                    self.connected = Some(now);
                } else if arrives && probe.outcome().is_none() {
                    return Progress::None;
                }
                match converse(socket, probe, &mut self.first_byte, now, bytes) {
                    Progress::None if arrives => Progress::Some,
                    other => other,
                }
            }
            Wire::Datagram(socket, probe) => listen(socket, probe, bytes),
        };
        if matches!((&progress, &self.wire), (Progress::Finished(_), Wire::Datagram(..))) {
            self.first_byte = Some(now);
        }
        progress
    }
}

/// True if there is a connection now. The first words, where they are ours, are on it then.
fn open(socket: &mut Stream, probe: &mut probe::Stream) -> bool {
    let opened = match probe.opening() {
        [] => socket.is_connected().map(|yes| yes.then_some(0)),
        request => socket.open(request),
    };
    match opened {
        Ok(Some(sent)) => {
            probe.start();
            probe.sent(sent);
            return true;
        }
        Ok(None) => {}
        Err(e) => probe.failed(reason(&e)),
    }
    false
}

fn converse(
    socket: &mut Stream,
    probe: &mut probe::Stream,
    first_byte: &mut Option<Instant>,
    now: Instant,
    bytes: &mut [u8],
) -> Progress {
    let mut progress = write(socket, probe);
    for _ in 0..BUDGET {
        if probe.outcome().is_some() {
            break;
        }
        match socket.read(&mut bytes[..READ]) {
            Ok(Received::Bytes(n)) => {
                first_byte.get_or_insert(now);
                probe.received(&bytes[..n]);
                progress = true;
            }
            Ok(Received::Nothing) if progress => return Progress::Some,
            Ok(Received::Nothing) => return Progress::None,
            Ok(Received::End) => probe.closed(),
            Err(e) => probe.failed(reason(&e)),
        }
        progress |= write(socket, probe);
    }
    match probe.outcome() {
        Some(verdict) => Progress::Finished(verdict.clone()),
        None => Progress::Unread,
    }
}

/// True if anything was written. Errors are left to the next read, since data sent before the
/// server closed the connection is still to be read.
fn write(socket: &mut Stream, probe: &mut probe::Stream) -> bool {
    let mut any = false;
    while !probe.pending_output().is_empty() {
        match socket.write(probe.pending_output()) {
            Ok(n @ 1..) => {
                probe.sent(n);
                any = true;
            }
            Ok(0) | Err(_) => break,
        }
    }
    any
}

fn listen(socket: &mut Datagram, probe: &probe::Datagram, bytes: &mut [u8]) -> Progress {
    for _ in 0..BUDGET {
        match socket.receive(bytes) {
            Ok(Received::Bytes(n)) => {
                if let Some(verdict) = probe.received(&bytes[..n]) {
                    return Progress::Finished(verdict);
                }
            }
            // Unrelated packets do not extend the timeout.
            Ok(Received::Nothing | Received::End) => return Progress::None,
            Err(e) => return Progress::Finished(probe.failed(reason(&e))),
        }
    }
    Progress::Unread
}
