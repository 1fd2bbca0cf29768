//! Running commands: their owners, their timeouts and their termination.
//!
//! A command past its timeout is terminated together with its descendants; two seconds later it is
//! killed, repeatedly until it is gone. Its exit status is then ignored. Lateness of the daemon
//! extends the timeout, since the host was probably busy or stopped, and a command that ended
//! meanwhile was in time.

use std::io;

use crate::base::deadlines::Deadlines;
use crate::base::sorted::SortedMap;
use crate::base::time::{Duration, Instant};
use crate::model::script::Script;
use crate::sys::children::{self, Child, Manner, Outcome, Pid, Sent, Starter, Streams};

/// Time from SIGTERM to SIGKILL, and between further SIGKILLs.
const GRACE: Duration = Duration::from_secs(2);
/// Interval for processes that survive SIGKILL because they wait in the kernel, perhaps for a file
/// server.
const UNKILLABLE: Duration = Duration::from_secs(10);

/// A command that ran within this time is still in memory, so starting it does not block.
const WARM: Duration = Duration::from_secs(60);

/// Running commands, each started for an asker.
#[derive(Debug)]
pub(in crate::daemon) struct Children<A> {
    starter: Starter,
    running: SortedMap<Pid, Running<A>>,
    deadlines: Deadlines<Pid>,
    /// By path.
    started: SortedMap<String, Started>,
}

/// Facts known about a command from earlier starts.
#[derive(Clone, Copy, Debug)]
struct Started {
    last: Instant,
    /// `None` until it is needed.
    is_remote: Option<bool>,
}

#[derive(Debug)]
struct Running<A> {
    child: Child,
    asker: A,
    stage: RunStage,
    timed_out: bool,
    /// Remaining extension for lateness of the daemon. The total equals the timeout.
    indulgence: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum RunStage {
    Running,
    /// SIGTERM was sent.
    Terminated,
    /// SIGKILL was sent this many times.
    Killed(u32),
}

/// Event of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::daemon) enum ChildEvent<A> {
    /// The timeout expired. `Ended` follows when the process has ended, which can take for ever.
    TimedOut(A),
    Ended {
        asker: A,
        pid: Pid,
        outcome: Outcome,
        /// The timeout had expired, so the daemon caused the outcome.
        timed_out: bool,
    },
}

impl<A: Clone> Children<A> {
    pub(in crate::daemon) fn new(starter: Starter) -> Self {
        Self {
            starter,
            running: SortedMap::new(),
            deadlines: Deadlines::default(),
            started: SortedMap::new(),
        }
    }

    /// Starts `script` with `extra` arguments after its own. Without a timeout it may run
    /// indefinitely.
    ///
    /// # Errors
    /// It cannot be started. Most failures are reported later, as [`Outcome::NotStarted`].
    pub(in crate::daemon) fn start(
        &mut self,
        script: &Script,
        extra: &[&str],
        timeout: Option<Duration>,
        asker: A,
        now: Instant,
    ) -> io::Result<Pid> {
        let manner = self.manner(&script.path, now);
        let child = self.starter.start(script, extra, manner)?;
        Ok(self.watch(child, timeout, asker, now))
    }

    /// Starts `script`, which reads and writes these streams.
    ///
    /// # Errors
    /// As for [`Children::start`].
    pub(in crate::daemon) fn start_with(
        &mut self,
        script: &Script,
        streams: &Streams,
        timeout: Option<Duration>,
        asker: A,
        now: Instant,
    ) -> io::Result<Pid> {
        let child = self.starter.start_with(script, &[], Manner::Copy, Some(streams))?;
        Ok(self.watch(child, timeout, asker, now))
    }

    fn watch(&mut self, child: Child, timeout: Option<Duration>, asker: A, now: Instant) -> Pid {
        let pid = child.pid();
        self.deadlines.set(pid, timeout.map(|t| now + t));
        let indulgence = timeout.unwrap_or_default();
        let stage = RunStage::Running;
        self.running.insert(pid, Running { child, asker, stage, timed_out: false, indulgence });
        pid
    }

    /// Chooses how to start a command. Frequent commands take the cheap way; others may have to be
    /// read from a busy disk, and a remote file may be unavailable.
    fn manner(&mut self, path: &str, now: Instant) -> Manner {
        let Some(known) = self.started.get_mut(path) else {
            self.started.insert(path.to_owned(), Started { last: now, is_remote: None });
            return Manner::Copy;
        };
        let is_warm = now.since(std::mem::replace(&mut known.last, now)) < WARM;
        if is_warm && !*known.is_remote.get_or_insert_with(|| children::is_remote(path)) {
            Manner::Borrow
        } else {
            Manner::Copy
        }
    }

    pub(in crate::daemon) fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Owners of the running commands.
    pub(in crate::daemon) fn askers(&self) -> impl Iterator<Item = &A> {
        self.running.values().map(|r| &r.asker)
    }

    /// Earliest timeout.
    pub(in crate::daemon) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// The turn began `late`. Called before anything else in the turn, to extend all timeouts.
    pub(in crate::daemon) fn on_late(&mut self, late: Duration, now: Instant) {
        for (pid, running) in &mut self.running {
            let Some(deadline) = self.deadlines.of(pid) else { continue };
            if running.stage == RunStage::Running {
                let more = late.min(running.indulgence);
                running.indulgence -= more;
                // An overdue command gets the extension from now on, since it is unknown how long
                // it was stopped before its timeout.
                self.deadlines.set(
                    *pid,
                    Some(if more.is_zero() { deadline } else { deadline.max(now) + more }),
                );
            }
        }
    }

    /// SIGCHLD: reaps all processes that have ended.
    pub(in crate::daemon) fn on_sigchld(&mut self, out: &mut Vec<ChildEvent<A>>) {
        loop {
            match children::ended() {
                Ok(Some((pid, said))) => self.on_ended(pid, said, out),
                Ok(None) => return,
                Err(e) => {
                    log::warn!("cannot wait for commands: {e}");
                    return;
                }
            }
        }
    }

    /// Handles timeouts, after reaping commands that ended in time.
    pub(in crate::daemon) fn on_deadline(&mut self, now: Instant, out: &mut Vec<ChildEvent<A>>) {
        if self.deadlines.next().is_none_or(|d| d > now) {
            return;
        }
        self.on_sigchld(out);
        while let Some((_, pid)) = self.deadlines.pop_due(now) {
            let Some(running) = self.running.get_mut(&pid) else { continue };
            if running.stage == RunStage::Running {
                running.timed_out = true;
                out.push(ChildEvent::TimedOut(running.asker.clone()));
            }
            self.press(pid, now);
        }
    }

    /// Terminates the commands of some owners and kills them after a while. This does not count as
    /// a timeout.
    pub(in crate::daemon) fn stop(&mut self, now: Instant, which: impl Fn(&A) -> bool) {
        let chosen = |r: &Running<A>| r.stage == RunStage::Running && which(&r.asker);
        let pids: Vec<_> =
            self.running.iter().filter(|(_, r)| chosen(r)).map(|(p, _)| *p).collect();
        for pid in pids {
            self.press(pid, now);
        }
    }

    /// Terminates all commands.
    pub(in crate::daemon) fn stop_all(&mut self, now: Instant) {
        self.stop(now, |_| true);
    }

    /// The running commands with their askers.
    pub(in crate::daemon) fn running(&self) -> impl Iterator<Item = (i32, &A)> {
        self.running.iter().map(|(pid, r)| (pid.number(), &r.asker))
    }

    /// When a command has taken too long.
    pub(in crate::daemon) fn end_of(&self, pid: i32) -> Option<Instant> {
        let mut all = self.running.keys().filter(|known| known.number() == pid);
        self.deadlines.of(all.next()?)
    }

    /// Takes over a command that the program before this one has started.
    pub(in crate::daemon) fn adopt(
        &mut self,
        child: Child,
        timeout: Option<Duration>,
        asker: A,
        now: Instant,
    ) {
        self.watch(child, timeout, asker, now);
    }

    /// Kills the commands of some owners at once.
    pub(in crate::daemon) fn kill_some(&self, which: impl Fn(&A) -> bool) {
        for (pid, _) in self.running.iter().filter(|(_, r)| which(&r.asker)) {
            children::signal_group(*pid, Sent::Kill);
        }
    }

    /// Kills all commands immediately when the daemon cannot wait any longer.
    pub(in crate::daemon) fn kill_all(&mut self, now: Instant) {
        for (pid, running) in &mut self.running {
            running.stage = RunStage::Terminated;
            self.deadlines.set(*pid, Some(now));
        }
        while let Some((_, pid)) = self.deadlines.pop_due(now) {
            self.press(pid, now);
        }
    }

    /// Sends the next signal.
    fn press(&mut self, pid: Pid, now: Instant) {
        let Some(running) = self.running.get_mut(&pid) else { return };
        let (stage, signal, wait) = match running.stage {
            RunStage::Running => (RunStage::Terminated, Sent::Terminate, GRACE),
            RunStage::Terminated => (RunStage::Killed(1), Sent::Kill, GRACE),
            RunStage::Killed(n) => (RunStage::Killed(n.saturating_add(1)), Sent::Kill, UNKILLABLE),
        };
        children::signal_group(pid, signal);
        running.stage = stage;
        self.deadlines.set(pid, Some(now + wait));
    }

    fn on_ended(&mut self, pid: Pid, said: Outcome, out: &mut Vec<ChildEvent<A>>) {
        self.deadlines.set(pid, None);
        // An orphan that was reparented to this process because it is init.
        let Some(running) = self.running.remove(&pid) else { return children::bury(pid) };
        // Kills the remaining descendants of a timed-out command. Background processes of a
        // successful command are left alone.
        if running.timed_out || matches!(running.stage, RunStage::Killed(_)) {
            children::signal_group(pid, Sent::Kill);
        }
        children::bury(pid);
        let outcome = running.child.outcome(said);
        out.push(ChildEvent::Ended {
            asker: running.asker,
            pid,
            outcome,
            timed_out: running.timed_out,
        });
    }
}

#[cfg(test)]
mod tests;
