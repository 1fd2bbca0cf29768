//! Order of the shutdown: priority-zero adverts first, so that a backup takes over during the
//! cleanup; then all held objects are removed; then the process exits.

use std::io;

use crate::base::time::{Duration, Instant};
use crate::daemon::config::in_force;
use crate::daemon::runtime::Runtime;
use crate::daemon::tokens::{Asker, Owner};
use crate::holdings::{self, Holder};
use crate::sys::log as logging;
use crate::sys::signals::Signal;
use crate::sys::supervise::News;
use crate::sys::systemd::State;
use crate::vrrp::Input;

/// Time for the last notify scripts.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// Time for mail servers. Each mail is tried once more, and then dropped.
const LAST_MAILS: Duration = Duration::from_secs(1);
/// Time for commands to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(1);

impl Runtime {
    /// Sends priority-zero adverts and removes all held objects. Returns when the kernel holds
    /// none.
    pub(in crate::daemon) fn wind_down(&mut self) -> io::Result<()> {
        log::info!("Stopping");
        if let Some(supervisor) = &mut self.process.supervisor {
            supervisor.tell(News::Stopping);
        }
        self.close_doors();
        self.outlets.systemd.notify(State::Stopping);
        self.now = self.clock.now();
        self.commands.children.stop(self.now, |asker| matches!(asker, Asker::Track(_)));
        if !self.options.keep_vrrp {
            self.release_everything();
            self.continuity.end();
        }
        self.end_sessions();
        self.network.originals_are_stale = true;
        self.restore_local_igmp();
        self.restore_reverse_path_filter();
        self.save_originals();
        self.release_servers();
        in_force::remove(&self.process.in_force);
        self.finish_commands()
    }

    fn release_everything(&mut self) {
        self.cores.vrrp(Input::Stop, self.now);
        self.drain();
        let input = holdings::Input::Release { owner: Holder::Host };
        self.cores.holdings(input, self.now);
        self.drain();
        self.flush_adverts();
        self.stop_waiting_for_filter();
        // Each round is answered before it returns, so the loop ends: every object is removed, or
        // its removal was refused and reported.
        while !self.network.requests.is_idle() || !self.network.answers.is_empty() {
            self.flush_requests();
            self.drain();
        }
        self.remove_tables();
    }

    /// Sends the last notifications and ends all commands, with no delay beyond that.
    fn finish_commands(&mut self) -> io::Result<()> {
        let now = self.clock.now();
        self.outlets.mailer.finish(now + LAST_MAILS, &mut self.poll, now);
        let until = now + LAST_WORDS;
        self.serve_until(until, |runtime| {
            let tracks = |asker: &Asker| matches!(asker, Asker::Track(_));
            let idle =
                runtime.cores.notify.is_idle() && !runtime.outlets.mailer.is_busy(runtime.now);
            idle && !runtime.commands.children.askers().any(tracks)
        })?;
        match self.outlets.mailer.waiting() {
            0 => {}
            mails => log::warn!("mails that could not be sent are lost: {mails}"),
        }
        self.outlets.fifos.close_all(&mut self.poll);
        self.commands.children.stop_all(self.now);
        let until = self.clock.now() + GRACE;
        self.serve_until(until, |runtime| runtime.commands.children.is_empty())?;
        self.commands.children.kill_all(self.now);
        Ok(())
    }

    /// Serves only commands and FIFOs.
    fn serve_until(&mut self, until: Instant, done: impl Fn(&Self) -> bool) -> io::Result<()> {
        self.now = self.clock.now();
        while !done(self) && self.now < until {
            let deadlines = [
                self.commands.children.next_deadline(),
                self.cores.notify.next_deadline(),
                self.outlets.mailer.next_deadline(),
            ];
            let deadline = deadlines.into_iter().flatten().fold(until, Instant::min);
            let mut polled = std::mem::take(&mut self.pace.polled);
            self.poll.wait(self.now, Some(deadline), true, &mut polled)?;
            self.pace.ready.extend(polled.drain(..));
            self.pace.polled = polled;
            self.now = self.clock.now();
            if self.pace.ready.remove(&Owner::Signals) {
                while let Some(signal) = self.signals.take()? {
                    if signal == Signal::Child {
                        self.commands.children.on_sigchld(&mut self.commands.child_events);
                    }
                }
            }
            self.on_child_events();
            self.serve_commands();
            self.serve_files();
            self.pace.ready.clear();
            logging::end_turn();
        }
        Ok(())
    }
}
