//! The commands that run: for whom, how long they may, and how they are made to end.
//!
//! A command past its timeout is asked to end, with all it has started; two seconds later it is
//! killed, and again until it is gone. What it says when it ends no longer matters then. How much
//! of its time it had is judged kindly: if the daemon was late the host was probably busy or
//! stopped, and a command that has ended meanwhile was in time.

use std::collections::BTreeMap;
use std::io;

use crate::base::deadlines::Deadlines;
use crate::base::time::{Duration, Instant};
use crate::model::script::Script;
use crate::sys::children::{self, Child, Manner, Outcome, Pid, Sent, Starter};

/// From asking to killing, and to killing again.
const GRACE: Duration = Duration::from_secs(2);
/// Whoever survives being killed waits in the kernel, for a file server maybe.
const UNKILLABLE: Duration = Duration::from_secs(10);

/// What ran within this time is in memory still, and need not be waited for.
const WARM: Duration = Duration::from_secs(60);

/// Running commands, each started for an asker.
#[derive(Debug)]
pub(in crate::daemon) struct Children<A> {
    starter: Starter,
    running: BTreeMap<Pid, Running<A>>,
    deadlines: Deadlines<Pid>,
    /// By path.
    started: BTreeMap<String, Started>,
}

/// What is known of a command from earlier starts.
#[derive(Clone, Copy, Debug)]
struct Started {
    last: Instant,
    /// Unknown until it matters.
    is_remote: Option<bool>,
}

#[derive(Debug)]
struct Running<A> {
    child: Child,
    asker: A,
    stage: Stage,
    timed_out: bool,
    /// What is left to be added to its time for the daemon's lateness: in all, its timeout once
    /// more.
    indulgence: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Running,
    /// Asked to end.
    Terminated,
    /// So many times.
    Killed(u32),
}

/// What happened to a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::daemon) enum Event<A> {
    /// Its time is over. `Ended` comes when it has given in, which can take for ever.
    TimedOut(A),
    Ended {
        asker: A,
        pid: Pid,
        outcome: Outcome,
        /// Its time was over before; the outcome is our doing.
        timed_out: bool,
    },
}

impl<A: Clone> Children<A> {
    pub(in crate::daemon) const fn new(starter: Starter) -> Self {
        Self {
            starter,
            running: BTreeMap::new(),
            deadlines: Deadlines::new(),
            started: BTreeMap::new(),
        }
    }

    /// Starts `script` with `extra` arguments after its own. Without a timeout it may run for ever.
    ///
    /// # Errors
    /// It cannot be started. Often this is known later: [`Outcome::NotStarted`].
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
        let pid = child.pid();
        self.deadlines.set(pid, timeout.map(|t| now + t));
        let indulgence = timeout.unwrap_or_default();
        let stage = Stage::Running;
        self.running.insert(pid, Running { child, asker, stage, timed_out: false, indulgence });
        Ok(pid)
    }

    /// What runs often is started cheaply. What does not may have to be read from a busy disk, and
    /// what is remote may not come at all.
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

    /// Whom the running commands were started for.
    pub(in crate::daemon) fn askers(&self) -> impl Iterator<Item = &A> {
        self.running.values().map(|r| &r.asker)
    }

    /// When somebody's time is over.
    pub(in crate::daemon) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// The turn began `late`: call this before anything else in it. That time counts for nobody.
    pub(in crate::daemon) fn on_late(&mut self, late: Duration, now: Instant) {
        for (pid, running) in &mut self.running {
            let Some(deadline) = self.deadlines.of(pid) else { continue };
            if running.stage == Stage::Running {
                let more = late.min(running.indulgence);
                running.indulgence -= more;
                // What is overdue already gets it from now on: for how long it was stopped before
                // its time was over, nobody knows.
                self.deadlines.set(
                    *pid,
                    Some(if more.is_zero() { deadline } else { deadline.max(now) + more }),
                );
            }
        }
    }

    /// SIGCHLD: buries everybody who has ended.
    pub(in crate::daemon) fn on_sigchld(&mut self, out: &mut Vec<Event<A>>) {
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

    /// Time has passed. Looks first whether somebody has ended in time, unnoticed so far.
    pub(in crate::daemon) fn on_deadline(&mut self, now: Instant, out: &mut Vec<Event<A>>) {
        if self.deadlines.next().is_none_or(|d| d > now) {
            return;
        }
        self.on_sigchld(out);
        while let Some((_, pid)) = self.deadlines.pop_due(now) {
            let Some(running) = self.running.get_mut(&pid) else { continue };
            if running.stage == Stage::Running {
                running.timed_out = true;
                out.push(Event::TimedOut(running.asker.clone()));
            }
            self.press(pid, now);
        }
    }

    /// Asks the commands of some askers to end, and kills them if they have not after a while. They
    /// have not timed out.
    pub(in crate::daemon) fn stop(&mut self, now: Instant, which: impl Fn(&A) -> bool) {
        let chosen = |r: &Running<A>| r.stage == Stage::Running && which(&r.asker);
        let pids: Vec<_> =
            self.running.iter().filter(|(_, r)| chosen(r)).map(|(p, _)| *p).collect();
        for pid in pids {
            self.press(pid, now);
        }
    }

    /// Asks all of them.
    pub(in crate::daemon) fn stop_all(&mut self, now: Instant) {
        self.stop(now, |_| true);
    }

    /// Kills all of them at once: the daemon cannot wait any longer.
    pub(in crate::daemon) fn kill_all(&mut self, now: Instant) {
        for (pid, running) in &mut self.running {
            running.stage = Stage::Terminated;
            self.deadlines.set(*pid, Some(now));
        }
        while let Some((_, pid)) = self.deadlines.pop_due(now) {
            self.press(pid, now);
        }
    }

    /// The next step towards an end.
    fn press(&mut self, pid: Pid, now: Instant) {
        let Some(running) = self.running.get_mut(&pid) else { return };
        let (stage, signal, wait) = match running.stage {
            Stage::Running => (Stage::Terminated, Sent::Terminate, GRACE),
            Stage::Terminated => (Stage::Killed(1), Sent::Kill, GRACE),
            Stage::Killed(n) => (Stage::Killed(n.saturating_add(1)), Sent::Kill, UNKILLABLE),
        };
        children::signal_group(pid, signal);
        running.stage = stage;
        self.deadlines.set(pid, Some(now + wait));
    }

    fn on_ended(&mut self, pid: Pid, said: Outcome, out: &mut Vec<Event<A>>) {
        self.deadlines.set(pid, None);
        // Not ours: an orphan that was given to us because we are the first process.
        let Some(running) = self.running.remove(&pid) else { return children::bury(pid) };
        // The rest of what did not end in time. What a command leaves running in good order is
        // its own affair.
        if running.timed_out || matches!(running.stage, Stage::Killed(_)) {
            children::signal_group(pid, Sent::Kill);
        }
        children::bury(pid);
        let outcome = running.child.outcome(said);
        out.push(Event::Ended { asker: running.asker, pid, outcome, timed_out: running.timed_out });
    }
}

#[cfg(test)]
mod tests;
