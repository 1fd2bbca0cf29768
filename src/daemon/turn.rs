//! One turn of the loop. The order is the point: packets before deadlines, VRRP before all else,
//! and nobody beyond a budget.

use std::collections::BTreeSet;
use std::io;

use crate::base::ids::CheckId;
use crate::base::time::{Duration, Instant};
use crate::daemon::lateness::{Fault, Lateness};
use crate::daemon::runtime::{Mode, Runtime};
use crate::daemon::tokens::Owner;
use crate::notify;
use crate::sys::log as logging;
use crate::track;
use crate::vrrp::{Input, Unread};

/// Packets less than this apart are a crowd.
const BUSY: Duration = Duration::from_millis(1);
/// How long a crowd may gather. A twentieth of the shortest advertisement interval.
const REST: Duration = Duration::from_micros(500);
/// Lateness that commands are not to suffer for.
const INDULGED: Duration = Duration::from_millis(10);
/// Netlink datagrams read per turn.
const KERNEL_BUDGET: usize = 64;

/// What is ready, and how far behind the loop is.
pub(super) struct Pace {
    pub(super) lateness: Lateness,
    /// Ready in this turn; what is left after the budget was spent stays for the next.
    pub(super) ready: BTreeSet<Owner>,
    pub(super) polled: Vec<Owner>,
    /// The check whose socket was served last: they take turns.
    pub(super) last_check: CheckId,
    /// Probes begun or gone on with in the turn before.
    pub(super) checks_in_turn: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            lateness: Lateness::default(),
            ready: BTreeSet::new(),
            polled: Vec::new(),
            last_check: CheckId(0),
            checks_in_turn: 0,
        }
    }
}

impl Runtime {
    /// Turns until the daemon is done.
    pub(super) fn run(&mut self) -> io::Result<()> {
        self.clock.now();
        while self.mode == Mode::Running {
            self.turn()?;
        }
        self.wind_down()
    }

    fn turn(&mut self) -> io::Result<()> {
        let deadline = self.next_deadline();
        let hurry = self.commands.processes.is_busy() || self.lvs.is_in_hurry();
        let calm = self.pace.ready.is_empty() && self.network.requests.is_idle() && !hurry;
        if calm {
            self.rest(deadline);
        }
        let idle = calm && !self.lvs.is_behind();
        let mut polled = std::mem::take(&mut self.pace.polled);
        self.poll.wait(self.clock.recent(), deadline, idle, &mut polled)?;
        self.pace.ready.extend(polled.drain(..));
        self.pace.polled = polled;

        self.now = self.clock.now();
        let started = self.now;
        let late = deadline.map_or(Duration::ZERO, |d| started.since(d));
        if late >= INDULGED {
            self.commands.children.on_late(late, started);
        }
        if let Some(fault) = self.pace.lateness.on_turn(deadline, started) {
            complain(&fault);
        }
        self.serve_vrrp();
        self.serve_kernel();
        if self.pace.ready.remove(&Owner::Signals) {
            self.on_signals();
        }
        self.serve_commands();
        self.serve_files();
        self.serve_lvs();
        self.tell_systemd();
        logging::end_turn();
        self.pace.lateness.on_end(started, self.clock.now());
        Ok(())
    }

    /// Serves VRRP in the middle of something long: nobody's advertisement waits for a reload.
    pub(super) fn catch_up(&mut self) {
        let mut polled = std::mem::take(&mut self.pace.polled);
        if let Err(e) = self.poll.wait(self.clock.now(), None, false, &mut polled) {
            log::debug!("cannot poll: {e}");
        }
        self.pace.ready.extend(polled.drain(..));
        self.pace.polled = polled;
        self.now = self.clock.now();
        self.serve_vrrp();
    }

    /// Where adverts come in by the thousand per second, they are read a few at a time: each has
    /// its time of arrival with it, so nothing is judged by when it was read. The same goes for
    /// answers to checks that began together; all the more when there are more checks than the
    /// host has time for, and the servers may be on this very processor. Never rests into a
    /// deadline.
    fn rest(&mut self, deadline: Option<Instant>) {
        let busy = self.network.heard.since(self.network.heard_before) < BUSY;
        let now = self.clock.recent();
        let adverts = busy && now.since(self.network.heard) < REST;
        let answers = std::mem::take(&mut self.pace.checks_in_turn) > 1 && self.lvs.is_probing();
        if !adverts && !answers {
            return;
        }
        let left = deadline.map_or(REST, |d| d.since(now));
        if left >= REST {
            self.poll.rest(REST);
            self.clock.now();
        }
    }

    /// VRRP: read, then decide, then send.
    ///
    /// After a stall the advertisement that would have moved a deadline is already in the socket;
    /// firing the deadline first would make every hiccup a takeover. A crowd of packets holds back
    /// nothing else: neither what masters owe, nor what others expect on other sockets.
    fn serve_vrrp(&mut self) {
        let began = self.now;
        let sockets: Vec<_> = self
            .pace
            .ready
            .iter()
            .filter_map(|o| if let Owner::VrrpSocket(id) = o { Some(*id) } else { None })
            .collect();
        for id in sockets {
            if self.receive_adverts(id, began) {
                self.pace.ready.remove(&Owner::VrrpSocket(id));
            }
        }
        if self.is_due(self.cores.vrrp.next_deadline()) {
            let unread = self.pace.ready.iter();
            let unread =
                unread.filter_map(|o| if let Owner::VrrpSocket(id) = o { Some(*id) } else { None });
            let unread = self.network.endpoints.unread(unread);
            let input = Input::DeadlineAmid(Unread::Since(&unread));
            self.cores.vrrp(input, self.now);
        }
        self.drain();
        self.flush_adverts();
    }

    /// What masters owe since this turn began is not to wait until a crowd is read. What was due
    /// before is: there was a stall, and the crowd may know better who is master.
    pub(super) fn serve_owed(&mut self, began: Instant) {
        if self.cores.vrrp.next_owed().is_some_and(|when| began < when && when <= self.now) {
            let input = Input::DeadlineAmid(Unread::Anything);
            self.cores.vrrp(input, self.now);
            self.drain();
            self.flush_adverts();
        }
    }

    /// The kernel: our requests, its news. Stops early when VRRP is due again.
    fn serve_kernel(&mut self) {
        loop {
            self.flush_requests();
            self.drain();
            self.flush_adverts();
            self.flush_announcements();
            if self.network.requests.is_idle() || self.urgent_is_due() {
                break;
            }
        }
        if self.is_due(self.cores.holdings.next_deadline()) {
            let out = &mut self.cores.holdings_actions;
            self.cores.holdings.handle(crate::holdings::Input::Deadline, self.now, out);
            self.drain();
        }
        if self.pace.ready.remove(&Owner::Monitor) {
            for n in 0.. {
                if n == KERNEL_BUDGET || self.urgent_is_due() {
                    self.pace.ready.insert(Owner::Monitor);
                    break;
                }
                if !self.receive_kernel() {
                    break;
                }
            }
            self.drain();
            self.flush_adverts();
        }
    }

    /// Commands whose time is over, and those whose time has come.
    pub(super) fn serve_commands(&mut self) {
        if self.is_due(self.commands.children.next_deadline()) {
            self.commands.children.on_deadline(self.now, &mut self.commands.child_events);
            self.on_child_events();
        }
        let running = self.mode == Mode::Running;
        if running && self.is_due(self.cores.track.next_deadline()) && !self.urgent_is_due() {
            self.cores.track(track::Input::Deadline, self.now);
            self.drain();
        }
        if self.is_due(self.cores.notify.next_deadline()) {
            self.cores.notify(notify::Input::Deadline, self.now);
            self.drain();
        }
        self.flush_adverts();
    }

    /// Tracked files and processes, FIFOs, mail.
    pub(super) fn serve_files(&mut self) {
        self.serve_file_events();
        self.serve_retries();
        self.serve_processes();
        if self.pace.ready.remove(&Owner::Fifos) {
            self.on_fifos();
        }
        if self.pace.ready.remove(&Owner::Mail) {
            self.outlets.mailer.on_ready(&mut self.poll, self.now);
        }
        if self.is_due(self.outlets.mailer.next_deadline()) {
            self.outlets.mailer.on_deadline(&mut self.poll, self.now);
        }
        self.flush_adverts();
    }

    fn is_due(&self, when: Option<Instant>) -> bool {
        when.is_some_and(|w| w <= self.now)
    }

    /// Serves VRRP if it is due, between two pieces of something long.
    pub(super) fn breathe(&mut self) {
        if self.urgent_is_due() {
            self.catch_up();
        }
    }

    /// Looks at the clock: work since the turn began may have made a deadline come.
    pub(super) fn urgent_is_due(&self) -> bool {
        self.cores.vrrp.next_deadline().is_some_and(|w| w <= self.clock.now())
    }
}

fn complain(fault: &Fault) {
    let seconds = |d: Duration| d.as_secs_f64();
    match fault {
        Fault::Stalled { late } => {
            log::warn!("A thread timer expired {:.6} seconds ago", seconds(*late));
        }
        Fault::Slow { late, own } => log::info!(
            "A deadline was served {:.1} ms late, {:.1} ms of it our own work in the turn before",
            seconds(*late) * 1e3,
            seconds(*own) * 1e3
        ),
    }
}
