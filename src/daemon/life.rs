//! `startup_script` and `shutdown_script`: before everything else begins, and after it has ended.

use std::io;
use std::os::fd::AsRawFd as _;

use super::children::{Children, Event};
use crate::model::notify::LifeScript;
use crate::sys::children::{Outcome, Starter};
use crate::sys::clock::Clock;
use crate::sys::poll::Poll;
use crate::sys::sched::Inherited;
use crate::sys::signals::{Signal, Signals};

/// Whether the daemon is to go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Then {
    GoOn,
    /// Somebody told it to stop meanwhile.
    Stop,
}

/// Runs a script and waits for its end, or for its timeout. `what` is `startup` or `shutdown`.
pub(super) fn run(what: &str, life: &LifeScript, signals: &mut Signals) -> Then {
    log::info!("Running {what} script {}", life.script.shown());
    match run_to_end(what, life, signals) {
        Ok(then) => then,
        Err(e) => {
            log::error!("cannot run {what} script {}: {e}", life.script.shown());
            Then::GoOn
        }
    }
}

fn run_to_end(what: &str, life: &LifeScript, signals: &mut Signals) -> io::Result<Then> {
    let clock = Clock::new();
    let mut poll = Poll::new()?;
    poll.add(signals.as_raw_fd(), ())?;
    let mut children = Children::new(Starter::new(Inherited::read()?));
    let now = clock.now();
    children.start(&life.script, &[], Some(life.timeout), (), now)?;
    let (mut events, mut ready, mut then) = (Vec::new(), Vec::new(), Then::GoOn);
    while !children.is_empty() {
        poll.wait(clock.now(), children.next_deadline(), true, &mut ready)?;
        ready.clear();
        while let Some(signal) = signals.take()? {
            match signal {
                Signal::Child => children.on_sigchld(&mut events),
                Signal::Stop => {
                    then = Then::Stop;
                    children.stop_all(clock.now());
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

/// The word is doubled, as in keepalived.
fn tell(what: &str, event: &Event<()>) {
    match event {
        Event::TimedOut(()) => log::warn!("{what} script timed out"),
        Event::Ended { timed_out: true, .. } => {}
        Event::Ended { outcome: Outcome::Exited(0), .. } => {
            log::info!("{what} script script succeeded");
        }
        Event::Ended { outcome: Outcome::Exited(status), .. } => {
            log::warn!("{what} script script failed, status {status}");
        }
        Event::Ended { outcome: Outcome::Killed(signal), .. } => {
            log::warn!("{what} script script failed, signal {signal}");
        }
        Event::Ended { outcome: Outcome::NotStarted(failure), .. } => {
            log::warn!("{what} script script failed: {failure}");
        }
    }
}
