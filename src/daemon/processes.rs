//! Who is running: what the kernel tells of processes, or what `/proc` shows every second.

use std::os::fd::AsRawFd as _;

use super::runtime::{Owner, Runtime};
use crate::base::time::{Duration, Instant};
use crate::sys::procevent::{Event, Got, ProcessMonitor};
use crate::sys::procscan::{look, Found, Scan};
use crate::track::{Input, Process};

/// Entries of `/proc` that are looked at in one turn.
const PIECE: usize = 64;
/// Where the kernel tells nothing.
const EVERY: Duration = Duration::from_secs(1);
/// Datagrams read in one turn.
const BUDGET: usize = 64;

/// A process, or a thread of it, that may be another than before, or is gone.
#[derive(Clone, Copy, Debug)]
struct News {
    pid: u32,
    leader: u32,
    gone: bool,
}

/// How processes are followed.
#[derive(Debug, Default)]
pub(super) struct Processes {
    monitor: Option<ProcessMonitor>,
    /// Poll knows of it.
    watched: bool,
    scan: Option<Scan>,
    /// What came during a scan; it counts after it.
    held: Vec<News>,
    /// Without events: when to look again.
    again: Option<Instant>,
    /// It was said that we have to look.
    told: bool,
}

impl Processes {
    /// To be called before a network namespace is entered, where nothing is told.
    pub(super) fn subscribed() -> Self {
        Self { monitor: ProcessMonitor::open().ok(), ..Self::default() }
    }

    pub(super) const fn next_deadline(&self) -> Option<Instant> {
        self.again
    }

    /// There is more to be looked at in the next turn.
    pub(super) const fn is_busy(&self) -> bool {
        self.scan.is_some()
    }
}

impl Runtime {
    /// Subscribes or unsubscribes, as the configuration needs it.
    pub(super) fn set_up_processes(&mut self) {
        if !self.track.watches_processes() {
            if let Some(monitor) = self.processes.monitor.take() {
                self.poll.remove(monitor.as_raw_fd());
            }
            self.processes = Processes::default();
            return;
        }
        if self.processes.monitor.is_none() {
            match ProcessMonitor::open() {
                Ok(monitor) => self.processes.monitor = Some(monitor),
                Err(e) if !self.processes.told => {
                    self.processes.told = true;
                    log::warn!(
                        "{e}: tracked processes are looked for in /proc every {} s instead",
                        EVERY.as_secs()
                    );
                }
                Err(_) => {}
            }
        }
        let Some(monitor) = self.processes.monitor.as_ref().filter(|_| !self.processes.watched)
        else {
            return;
        };
        match self.poll.add(monitor.as_raw_fd(), Owner::Processes) {
            Ok(()) => self.processes.watched = true,
            Err(e) => {
                log::error!("cannot watch process events: {e}");
                self.processes.monitor = None;
            }
        }
    }

    pub(super) fn scan_processes(&mut self) {
        match Scan::new() {
            Ok(scan) => self.processes.scan = Some(scan),
            Err(e) => {
                log::error!("cannot look for processes: {e}");
                self.processes.again = Some(self.now + EVERY);
            }
        }
    }

    pub(super) fn serve_processes(&mut self) {
        if self.processes.again.is_some_and(|at| at <= self.now) {
            self.processes.again = None;
            self.scan_processes();
        }
        if self.ready.remove(&Owner::Processes) && self.read_process_events() {
            self.ready.insert(Owner::Processes);
        }
        let Some(scan) = &mut self.processes.scan else { return };
        let Some(found) = scan.advance(PIECE) else { return };
        self.processes.scan = None;
        let all: Vec<_> = found.iter().map(|f| process(f, f.leader)).collect();
        self.track.handle(Input::ProcessScan(&all), self.now, &mut self.track_actions);
        for news in std::mem::take(&mut self.processes.held) {
            self.take_news(news);
        }
        if self.processes.monitor.is_none() && self.track.watches_processes() {
            self.processes.again = Some(self.now + EVERY);
        }
        self.drain();
    }

    /// True if there may be more.
    fn read_process_events(&mut self) -> bool {
        let Some(mut monitor) = self.processes.monitor.take() else { return false };
        let mut list = Vec::new();
        let mut more = true;
        for _ in 0..BUDGET {
            match monitor.receive(|event| list.extend(news(&event))) {
                Ok(Got::Events) => {}
                Ok(Got::Lost) => self.scan_processes(),
                Ok(Got::Nothing) => {
                    more = false;
                    break;
                }
                Err(e) => {
                    log::warn!("cannot read process events: {e}");
                    more = false;
                    break;
                }
            }
        }
        self.processes.monitor = Some(monitor);
        if self.processes.is_busy() {
            self.processes.held.append(&mut list);
        }
        for news in list {
            self.take_news(news);
        }
        self.drain();
        more
    }

    fn take_news(&mut self, news: News) {
        let News { pid, leader, gone } = news;
        let found = if gone { None } else { look(pid) };
        let input = match &found {
            Some(found) => Input::ProcessSeen(process(found, leader)),
            None => Input::ProcessGone { pid },
        };
        self.track.handle(input, self.now, &mut self.track_actions);
    }
}

fn process(found: &Found, leader: u32) -> Process<'_> {
    let Found { pid, comm, cmdline, exe, .. } = found;
    Process { pid: *pid, leader, comm, cmdline, exe: exe.as_deref() }
}

fn news(event: &Event<'_>) -> Option<News> {
    match *event {
        Event::Ack(_) => None,
        Event::Fork { pid, leader }
        | Event::Exec { pid, leader }
        | Event::Comm { pid, leader, .. } => Some(News { pid, leader, gone: false }),
        Event::Exit { pid, leader } => Some(News { pid, leader, gone: true }),
    }
}
