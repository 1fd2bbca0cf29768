//! Without a service manager: a process waits for the daemon and starts it again.
//!
//! The new daemon goes on where the old one was, as its state file says. After three deaths in a
//! minute, or if it cannot start again, a last one removes what is left in the kernel.

use std::collections::VecDeque;

use crate::base::time::{Duration, Instant};
use crate::cli::exit::Status;
use crate::cli::options::Options;
use crate::sys::clock::Clock;
use crate::sys::process::{self, Readiness};
use crate::sys::supervise::{self, Death, Remains, Supervisor};

/// Deaths after which the daemon is not started again.
const MOST_DEATHS: usize = 3;
/// Time within which they count.
const WINDOW: Duration = Duration::from_secs(60);

/// What this process is for.
pub(in crate::daemon) struct Role {
    pub(in crate::daemon) readiness: Readiness,
    /// The process that waits for this one.
    pub(in crate::daemon) supervisor: Option<Supervisor>,
    /// To be logged: what happened before.
    pub(in crate::daemon) after: Option<String>,
    /// Only to remove what an earlier run has left.
    pub(in crate::daemon) only_removes: bool,
}

/// What follows from the end of a daemon.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Next {
    End(u8),
    Again(String),
    /// With this status, once what is left is removed.
    Remove(u8, String),
}

/// The recent deaths.
#[derive(Default)]
struct Deaths {
    times: VecDeque<Instant>,
    /// It was ready once.
    has_run: bool,
}

impl Deaths {
    fn next(&mut self, remains: &Remains, now: Instant) -> Next {
        let how = match remains.death {
            Death::Exited(status) => format!("ended with status {status}"),
            Death::Killed(signal) => format!("was killed by signal {signal}"),
        };
        let (status, is_killed) = match remains.death {
            Death::Exited(status) => (status, false),
            Death::Killed(_) => (Status::Software.code(), true),
        };
        if status == Status::Ok.code() || remains.was_stopping && !is_killed {
            return Next::End(status);
        } else if remains.was_stopping {
            return Next::Remove(status, format!("The daemon {how} while it stopped"));
        } else if !remains.was_ready {
            // At the first start, it has said why, and has taken nothing.
            return match self.has_run || is_killed {
                true => Next::Remove(status, format!("The daemon {how} while it started")),
                false => Next::End(status),
            };
        }
        self.has_run = true;
        while self.times.front().is_some_and(|first| *first + WINDOW <= now) {
            self.times.pop_front();
        }
        self.times.push_back(now);
        if self.times.len() >= MOST_DEATHS {
            let text = format!("The daemon {how}, and died {MOST_DEATHS} times in a minute");
            return Next::Remove(status, text);
        }
        Next::Again(format!("The daemon {how} and was started again"))
    }
}

impl Role {
    /// For a program that is restarted by command: it is in the background if it was.
    pub(in crate::daemon) fn taken_over(
        options: &mut Options,
        supervisor: Option<Supervisor>,
    ) -> std::io::Result<Self> {
        if !options.foreground {
            options.make_absolute(&std::env::current_dir()?);
            process::leave_directory()?;
        }
        let readiness = Readiness::foreground();
        Ok(Self { readiness, supervisor, after: None, only_removes: false })
    }

    /// Goes to the background and leaves a process that waits, as the options say. That process does
    /// not return.
    ///
    /// # Errors
    /// No process can be made.
    pub(in crate::daemon) fn take(options: &mut Options) -> std::io::Result<Self> {
        let readiness = if options.foreground {
            Readiness::foreground()
        } else {
            if let Ok(cwd) = std::env::current_dir() {
                options.make_absolute(&cwd);
            }
            process::daemonise()?
        };
        let plain =
            |readiness| Self { readiness, supervisor: None, after: None, only_removes: false };
        let is_wanted = options.respawn || !options.foreground && !options.dont_respawn;
        if !is_wanted {
            return Ok(plain(readiness));
        }
        let (clock, mut deaths) = (Clock::new(), Deaths::default());
        let mut role = plain(readiness);
        let mut last = Status::Software.code();
        loop {
            let watched = match supervise::split()? {
                Ok(watched) => watched,
                Err(supervisor) => {
                    role.supervisor = Some(supervisor);
                    return Ok(role);
                }
            };
            let was_last = role.only_removes;
            // Its readiness is that of the first daemon alone.
            role = plain(Readiness::foreground());
            if !options.foreground {
                watched.detach();
            }
            let remains = watched.wait();
            match deaths.next(&remains, clock.now()) {
                // It has done what it could.
                _ if was_last => process::exit_now(last),
                Next::End(status) => process::exit_now(status),
                Next::Again(text) => role.after = Some(text),
                Next::Remove(status, text) => {
                    last = status;
                    role.after = Some(format!("{text}: it is not started again"));
                    role.only_removes = true;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remains(death: Death, was_ready: bool) -> Remains {
        Remains { death, was_ready, was_stopping: false }
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1_000)
    }

    #[test]
    fn three_deaths_in_a_minute_are_the_end() {
        let mut deaths = Deaths::default();
        let killed = remains(Death::Killed(9), true);
        for seconds in [0, 59, 61, 120] {
            assert!(matches!(deaths.next(&killed, at(seconds)), Next::Again(_)), "{seconds}");
        }
        let Next::Remove(70, text) = deaths.next(&killed, at(120)) else { panic!("it goes on") };
        assert_eq!(text, "The daemon was killed by signal 9, and died 3 times in a minute");
    }

    #[test]
    fn what_ends_as_asked_is_not_started_again() {
        let mut deaths = Deaths::default();
        assert_eq!(deaths.next(&remains(Death::Exited(0), true), at(0)), Next::End(0));
        let stopping = Remains { was_stopping: true, ..remains(Death::Exited(1), true) };
        assert_eq!(deaths.next(&stopping, at(0)), Next::End(1));
        let killed = Remains { was_stopping: true, ..remains(Death::Killed(9), true) };
        assert!(matches!(deaths.next(&killed, at(0)), Next::Remove(70, _)));
    }

    #[test]
    fn a_start_that_fails_is_the_end() {
        let mut deaths = Deaths::default();
        assert_eq!(deaths.next(&remains(Death::Exited(2), false), at(0)), Next::End(2));
        assert!(matches!(deaths.next(&remains(Death::Exited(70), true), at(0)), Next::Again(_)));
        // What the one before has left is there.
        assert!(matches!(
            deaths.next(&remains(Death::Exited(2), false), at(1)),
            Next::Remove(2, _)
        ));
    }
}
