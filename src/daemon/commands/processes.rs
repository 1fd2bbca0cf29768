//! Running processes, from process events of the kernel or from scans of `/proc` every second.

use std::collections::VecDeque;
use std::os::fd::AsRawFd as _;

use crate::base::time::{Duration, Instant};
use crate::daemon::network::buffers::is_set;
use crate::daemon::runtime::Runtime;
use crate::daemon::tokens::Owner;
use crate::model::global::ReceiveBuffer;
use crate::sys::procevent::{Got, ProcessEvent, ProcessMonitor};
use crate::sys::procscan::{look, FoundProcess, Scan};
use crate::track::{Input, Process};

/// Entries of `/proc` read in one turn.
const PIECE: usize = 64;
/// Interval of scans without process events.
const EVERY: Duration = Duration::from_secs(1);
/// Datagrams read in one turn. Each may need a look-up in `/proc`, which takes some 50 µs.
const BUDGET: usize = 32;
/// Most events kept during a scan; beyond that, another scan is cheaper.
const MOST_HELD: usize = 16 * 1024;
/// Keyword for the receive buffer.
const ROOM: &str = "process_monitor_rcv_bufs";
/// Size up to which it is doubled.
const MOST_ROOM: usize = 64 << 20;

/// A process or thread that may run another program now, or is gone.
#[derive(Clone, Copy, Debug)]
struct News {
    pid: u32,
    leader: u32,
    gone: bool,
}

/// State of process monitoring.
#[derive(Debug, Default)]
pub(in crate::daemon) struct Processes {
    monitor: Option<ProcessMonitor>,
    /// The monitor is registered with poll.
    watched: bool,
    scan: Option<Scan>,
    /// Start of the last scan.
    began: Option<Instant>,
    /// Events during a scan, applied after it.
    held: VecDeque<News>,
    /// Events were lost during the scan, so another one is needed.
    stale: bool,
    /// Time of the next scan if events are unavailable or were lost.
    again: Option<Instant>,
    /// Receive buffer in force.
    room: ReceiveBuffer,
    /// The fallback to scans was logged.
    told: bool,
    /// The failure to read `/proc` was logged.
    blind: bool,
}

impl Processes {
    /// Must be called before a network namespace is entered, where no events are delivered.
    pub(in crate::daemon) fn subscribed() -> Self {
        Self { monitor: ProcessMonitor::open().ok(), ..Self::default() }
    }

    pub(in crate::daemon) const fn next_deadline(&self) -> Option<Instant> {
        self.again
    }

    /// True if work is left for the next turn.
    pub(in crate::daemon) fn is_busy(&self) -> bool {
        self.scan.is_some() || !self.held.is_empty()
    }
}

impl Runtime {
    /// Subscribes or unsubscribes as the configuration requires.
    pub(in crate::daemon) fn set_up_processes(&mut self) {
        if !self.cores.track.watches_processes() {
            if let Some(monitor) = self.commands.processes.monitor.take() {
                self.poll.remove(monitor.as_raw_fd());
            }
            self.commands.processes = Processes::default();
            return;
        }
        if self.commands.processes.monitor.is_none() {
            match ProcessMonitor::open() {
                Ok(monitor) => self.commands.processes.monitor = Some(monitor),
                Err(e) if !self.commands.processes.told => {
                    self.commands.processes.told = true;
                    log::warn!(
                        "{e}: scanning /proc for tracked processes every {} s instead",
                        EVERY.as_secs()
                    );
                }
                Err(_) => {}
            }
        }
        self.make_room(self.running.config.global.buffers.processes);
        let Some(monitor) =
            self.commands.processes.monitor.as_ref().filter(|_| !self.commands.processes.watched)
        else {
            return;
        };
        match self.poll.add(monitor.as_raw_fd(), Owner::Processes) {
            Ok(()) => self.commands.processes.watched = true,
            Err(e) => {
                log::error!("cannot watch process events: {e}");
                self.commands.processes.monitor = None;
            }
        }
    }

    fn make_room(&mut self, room: ReceiveBuffer) {
        let processes = &mut self.commands.processes;
        if let Some(monitor) = processes.monitor.as_ref().filter(|_| room != processes.room) {
            processes.room = room;
            is_set(ROOM, monitor.set_receive_buffer(room));
        }
    }

    /// Doubles a configured receive buffer that was too small.
    fn make_more_room(&mut self, monitor: &ProcessMonitor) {
        let room = self.commands.processes.room;
        let Some(bytes) = room.bytes.map(|bytes| bytes * 2).filter(|bytes| *bytes <= MOST_ROOM)
        else {
            return;
        };
        log::info!("Setting global_def {ROOM} to {bytes} - recommend updating configuration file");
        let room = ReceiveBuffer { bytes: Some(bytes), ..room };
        self.commands.processes.room = room;
        is_set(ROOM, monitor.set_receive_buffer(room));
    }

    pub(in crate::daemon) fn scan_processes(&mut self) {
        let processes = &mut self.commands.processes;
        processes.began = Some(self.now);
        processes.again = None;
        processes.stale = false;
        // The scan starts after these events.
        processes.held.clear();
        match Scan::new() {
            Ok(scan) => {
                processes.scan = Some(scan);
                processes.blind = false;
            }
            Err(e) => {
                if !std::mem::replace(&mut processes.blind, true) {
                    log::error!("cannot scan /proc for processes: {e}");
                }
                processes.again = Some(self.now + EVERY);
            }
        }
    }

    /// Handles lost events. Under constant loss, scans run at intervals, and each is completed,
    /// since restarting them would complete none.
    fn on_events_lost(&mut self) {
        let processes = &mut self.commands.processes;
        processes.held.clear();
        if processes.scan.is_some() {
            processes.stale = true;
            return;
        }
        let next = processes.began.map_or(self.now, |began| began + EVERY);
        if next <= self.now {
            self.scan_processes();
        } else {
            processes.again = Some(next);
        }
    }

    pub(in crate::daemon) fn serve_processes(&mut self) {
        if self.commands.processes.again.is_some_and(|at| at <= self.now) {
            self.scan_processes();
        }
        // Events held during a scan come first.
        let is_late =
            self.commands.processes.scan.is_none() && !self.commands.processes.held.is_empty();
        if !is_late && self.pace.ready.remove(&Owner::Processes) && self.read_process_events() {
            self.pace.ready.insert(Owner::Processes);
        }
        match &mut self.commands.processes.scan {
            Some(scan) => {
                if let Some(found) = scan.advance(PIECE) {
                    self.on_scanned(&found);
                }
            }
            None => self.take_held(),
        }
        self.drain();
    }

    fn on_scanned(&mut self, found: &[FoundProcess]) {
        self.commands.processes.scan = None;
        let all: Vec<_> = found.iter().map(|f| process(f, f.leader)).collect();
        self.cores.track(Input::ProcessScan(&all), self.now);
        let more = self.commands.processes.monitor.is_none() || self.commands.processes.stale;
        if more && self.cores.track.watches_processes() {
            self.commands.processes.again = Some(self.now + EVERY);
        }
    }

    fn take_held(&mut self) {
        for _ in 0..BUDGET {
            let Some(news) = self.commands.processes.held.pop_front() else { return };
            self.take_news(news);
            if self.urgent_is_due() {
                return;
            }
        }
    }

    /// Returns true if there may be more.
    fn read_process_events(&mut self) -> bool {
        let Some(mut monitor) = self.commands.processes.monitor.take() else { return false };
        let mut list = Vec::new();
        let mut more = true;
        for _ in 0..BUDGET {
            match monitor.receive(|event| list.extend(news(&event))) {
                Ok(Got::Events) => {}
                Ok(Got::Lost) => {
                    self.make_more_room(&monitor);
                    self.on_events_lost();
                }
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
            for news in list.drain(..) {
                if self.commands.processes.is_busy() {
                    self.commands.processes.held.push_back(news);
                } else {
                    self.take_news(news);
                }
            }
            if self.commands.processes.held.len() > MOST_HELD {
                self.on_events_lost();
            }
            if self.urgent_is_due() {
                break;
            }
        }
        self.commands.processes.monitor = Some(monitor);
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
        self.cores.track(input, self.now);
    }
}

fn process(found: &FoundProcess, leader: u32) -> Process<'_> {
    let FoundProcess { pid, comm, cmdline, exe, .. } = found;
    Process { pid: *pid, leader, comm, cmdline, exe: exe.as_deref() }
}

fn news(event: &ProcessEvent<'_>) -> Option<News> {
    match *event {
        ProcessEvent::Ack(_) => None,
        ProcessEvent::Fork { pid, leader }
        | ProcessEvent::Exec { pid, leader }
        | ProcessEvent::Comm { pid, leader, .. } => Some(News { pid, leader, gone: false }),
        ProcessEvent::Exit { pid, leader } => Some(News { pid, leader, gone: true }),
    }
}
