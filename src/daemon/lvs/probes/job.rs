//! One running probe: carries bytes between a socket and the probe.

use std::os::fd::{AsRawFd, RawFd};

use crate::base::time::{Duration, Instant};
use crate::check::probe;
use crate::check::{Timings, Verdict};
use crate::sys::datagram::Datagram;
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

    /// Continues a stream as far as possible. A datagram has already been sent.
    pub(super) fn begin(&mut self, now: Instant, bytes: &mut [u8]) -> Progress {
        match self.wire {
            Wire::Stream(..) => self.drive(now, bytes),
            Wire::Datagram(..) => Progress::Some,
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
                if arrives {
                    match socket.is_connected() {
                        Ok(false) => return Progress::None,
                        Ok(true) => {
                            self.connected = Some(now);
                            probe.start();
                        }
                        Err(e) => probe.failed(reason(&e)),
                    }
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
