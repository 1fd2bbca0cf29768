//! One turn of the loop. Packets come before deadlines and VRRP before everything else; all work
//! has a budget.

use std::io;

use crate::base::time::{Duration, Instant};
use crate::daemon::lateness::Fault;
use crate::daemon::pace::{self, Others};
use crate::daemon::runtime::{Mode, Runtime};
use crate::daemon::tokens::Owner;
use crate::notify;
use crate::sys::log as logging;
use crate::sys::memory;
use crate::track;
use crate::vrrp::{Input, Unread};

/// Lateness from which the timeouts of commands are extended.
const INDULGED: Duration = Duration::from_millis(10);
/// Netlink datagrams read per turn.
const KERNEL_BUDGET: usize = 64;

impl Runtime {
    /// Runs the loop until the daemon ends.
    pub(super) fn run(&mut self) -> io::Result<()> {
        self.clock.now();
        self.look_at_others();
        while self.mode == Mode::Running {
            self.turn()?;
            self.maybe_restart();
        }
        self.wind_down()
    }

    fn turn(&mut self) -> io::Result<()> {
        let others = self.pace.others;
        let first = others.deadline.into_iter().chain(self.cores.urgent_deadline()).min();
        // One that was past in the last turn already means "at once": it says nothing of lateness.
        let deadline = first.map(|due| due.max(self.now));
        let calm = others.is_calm && self.pace.ready.is_empty();
        if calm {
            self.rest(deadline);
        }
        let idle = calm && !others.is_behind;
        let mut polled = std::mem::take(&mut self.pace.polled);
        self.poll.wait(self.clock.recent(), deadline, idle, &mut polled)?;
        self.pace.ready.extend(polled.drain(..));
        self.pace.polled = polled;

        self.now = self.clock.now();
        let started = self.now;
        let late = deadline.map_or(Duration::ZERO, |d| started.since(d));
        if late >= INDULGED {
            self.commands.children.on_late(late, started);
            self.pace.stirred = true;
        }
        self.process.scheduling.on_turn(late);
        if let Some(fault) = self.pace.lateness.on_turn(deadline, started) {
            complain(&fault);
        }
        self.serve_urgent();
        // Most turns are about packets alone, and what follows is long.
        let is_stirred = std::mem::take(&mut self.pace.stirred);
        if is_stirred || !idle || !self.pace.ready.is_empty() || self.is_due(others.deadline) {
            self.serve_others()?;
            self.look_at_others();
        }
        logging::end_turn();
        self.pace.lateness.on_end(started, self.clock.now());
        Ok(())
    }

    /// Notes when what may be delayed has work again. Packets alone change nothing of that.
    fn look_at_others(&mut self) {
        let hurry = self.commands.processes.is_busy() || self.lvs.is_in_hurry();
        self.pace.others = Others {
            deadline: self.next_deadline(),
            is_calm: self.network.is_idle() && !hurry,
            is_behind: self.lvs.is_behind(),
        };
    }

    /// Serves everything that may be delayed.
    fn serve_others(&mut self) -> io::Result<()> {
        self.serve_kernel();
        self.save_originals();
        self.serve_links();
        if self.pace.ready.remove(&Owner::Signals) {
            self.on_signals();
        }
        self.serve_commands();
        self.serve_files();
        self.serve_lvs();
        self.serve_control();
        self.serve_schedule();
        self.note_orders();
        self.tell_systemd();
        // States changed a while ago: a good time to clean up.
        if self.outlets.chatter.forget_quiet(self.now) {
            memory::give_back();
        }
        Ok(())
    }

    /// Serves VRRP and BFD in the middle of long work, so that a reload delays no packet.
    pub(super) fn catch_up(&mut self) {
        let mut polled = std::mem::take(&mut self.pace.polled);
        if let Err(e) = self.poll.wait(self.clock.now(), None, false, &mut polled) {
            log::debug!("cannot poll: {e}");
        }
        self.pace.ready.extend(polled.drain(..));
        self.pace.polled = polled;
        self.now = self.clock.now();
        self.serve_urgent();
    }

    /// BFD first: a virtual router may follow a session.
    fn serve_urgent(&mut self) {
        self.serve_bfd();
        self.serve_vrrp();
    }

    /// Pauses so that packets of a burst are read in batches. The same applies to answers to checks
    /// that began together, particularly if the host has too little time for its checks and the
    /// servers share its processor. The pause never extends past a deadline.
    fn rest(&mut self, deadline: Option<Instant>) {
        let now = self.clock.recent();
        let answers = std::mem::take(&mut self.pace.checks_in_turn) > 1 && self.lvs.is_probing();
        let packets = self.pace.arrivals.pause(now);
        let Some(pause) = packets.or_else(|| answers.then_some(pace::SHORTEST)) else { return };
        let left = deadline.map_or(pause, |d| d.since(now));
        if left >= pace::SHORTEST {
            self.poll.rest(pause.min(left));
            self.clock.now();
        }
    }

    /// Serves VRRP: reads, decides, then sends.
    ///
    /// After a stall, the advertisement that would have moved a deadline is already in the socket;
    /// firing the deadline first would turn every stall into a takeover. A burst of packets delays
    /// neither the advertisements of masters nor the packets on other sockets.
    fn serve_vrrp(&mut self) {
        let began = self.now;
        let sockets: Vec<_> = self
            .pace
            .ready
            .iter()
            .filter_map(|o| if let Owner::VrrpSocket(id) = o { Some(*id) } else { None })
            .collect();
        if sockets.is_empty() && !self.is_due(self.cores.vrrp.next_deadline()) {
            return;
        }
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

    /// Sends adverts that became due in this turn without waiting until a burst is read. Adverts
    /// due earlier do wait: after a stall, the burst may contain the adverts of a new master.
    pub(super) fn serve_owed(&mut self, began: Instant) {
        if self.cores.vrrp.next_owed().is_some_and(|when| began < when && when <= self.now) {
            let input = Input::DeadlineAmid(Unread::Anything);
            self.cores.vrrp(input, self.now);
            self.drain();
            self.flush_adverts();
        }
    }

    /// Sends requests to the kernel and reads its notifications. Stops early when VRRP is due
    /// again.
    fn serve_kernel(&mut self) {
        self.serve_tables();
        loop {
            self.flush_requests();
            self.drain();
            self.flush_adverts();
            self.flush_announcements();
            if self.network.is_idle() || self.urgent_is_due() {
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

    /// Ends commands that timed out and starts those that are due.
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

    /// Serves tracked files and processes, FIFOs and mail.
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

    pub(super) fn is_due(&self, when: Option<Instant>) -> bool {
        when.is_some_and(|w| w <= self.now)
    }

    /// Serves VRRP and BFD if they are due, between two pieces of long work.
    pub(super) fn breathe(&mut self) {
        if self.urgent_is_due() {
            self.catch_up();
        }
    }

    /// Reads the clock again, since work in this turn may have reached a deadline.
    pub(super) fn urgent_is_due(&self) -> bool {
        self.cores.urgent_deadline().is_some_and(|w| w <= self.clock.now())
    }
}

fn complain(fault: &Fault) {
    let seconds = |d: Duration| d.as_secs_f64();
    match fault {
        Fault::Stalled { late } => {
            log::warn!("A thread timer expired {:.6} seconds ago", seconds(*late));
        }
        Fault::Slow { late, own } => log::info!(
            "A deadline was served {:.1} ms late, {:.1} ms of it own work in the previous turn",
            seconds(*late) * 1e3,
            seconds(*own) * 1e3
        ),
    }
}
