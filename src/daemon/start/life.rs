//! `startup_script` and `shutdown_script`: run before everything else starts and after it has
//! ended.

use std::io;
use std::os::fd::AsRawFd as _;

use crate::base::time::{Duration, Instant};
use crate::daemon::commands::children::{ChildEvent, Children};
use crate::model::notify::LifeScript;
use crate::sys::children::{Outcome, Starter};
use crate::sys::clock::Clock;
use crate::sys::poll::Poll;
use crate::sys::sched::Inherited;
use crate::sys::signals::{Signal, Signals};

/// Time from the timeout of a script until it is abandoned. It is terminated, then killed two
/// seconds later; a process that survives may hang in the kernel for ever.
const PATIENCE: Duration = Duration::from_secs(5);

/// Decision of the daemon after a script.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::daemon) enum Then {
    GoOn,
    /// A signal to stop arrived meanwhile.
    Stop,
}

/// Runs a script and waits for its end or timeout. `what` is `startup` or `shutdown`.
pub(in crate::daemon) fn run(
    what: &str,
    life: &LifeScript,
    signals: &mut Signals,
    inherited: Inherited,
) -> Then {
    log::info!("Running {what} script {}", life.script.shown());
    match run_to_end(what, life, signals, inherited) {
        Ok(then) => then,
        Err(e) => {
            log::error!("cannot run {what} script {}: {e}", life.script.shown());
            Then::GoOn
        }
    }
}

fn run_to_end(
    what: &str,
    life: &LifeScript,
    signals: &mut Signals,
    inherited: Inherited,
) -> io::Result<Then> {
    let clock = Clock::new();
    let mut poll = Poll::new()?;
    poll.add(signals.as_raw_fd(), ())?;
    let mut children = Children::new(Starter::new(inherited));
    let now = clock.now();
    children.start(&life.script, &[], Some(life.timeout), (), now)?;
    let (mut events, mut ready, mut then) = (Vec::new(), Vec::new(), Then::GoOn);
    let mut given_up = now + life.timeout + PATIENCE;
    while !children.is_empty() {
        if given_up <= clock.now() {
            log::error!("the {what} script cannot be terminated; continuing without it");
            break;
        }
        let deadline = children.next_deadline().map_or(given_up, |d| Instant::min(d, given_up));
        poll.wait(clock.now(), Some(deadline), true, &mut ready)?;
        ready.clear();
        while let Some(signal) = signals.take()? {
            match signal {
                Signal::Child => children.on_sigchld(&mut events),
                Signal::Stop => {
                    then = Then::Stop;
                    children.stop_all(clock.now());
                    given_up = given_up.min(clock.now() + PATIENCE);
                }
                _ => {}
            }
        }
        children.on_deadline(clock.now(), &mut events);
        for event in events.drain(..) {
            tell(what, &event);
        }
    }
    poll.remove(signals.as_raw_fd());
    Ok(then)
}

/// keepalived, too, repeats the word `script`.
fn tell(what: &str, event: &ChildEvent<()>) {
    match event {
        ChildEvent::TimedOut(()) => log::warn!("{what} script timed out"),
        ChildEvent::Ended { timed_out: true, .. } => {}
        ChildEvent::Ended { outcome: Outcome::Exited(0), .. } => {
            log::info!("{what} script script succeeded");
        }
        ChildEvent::Ended { outcome: Outcome::Exited(status), .. } => {
            log::warn!("{what} script script failed, status {status}");
        }
        ChildEvent::Ended { outcome: Outcome::Killed(signal), .. } => {
            log::warn!("{what} script script failed, signal {signal}");
        }
        ChildEvent::Ended { outcome: Outcome::NotStarted(failure), .. } => {
            log::warn!("{what} script script failed: {failure}");
        }
    }
}
