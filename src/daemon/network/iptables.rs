//! Runs the commands of iptables and ipset for the packet filter. Requests for addresses wait for
//! them, but not for long.

use std::io;

use crate::base::sorted::SortedSet;
use crate::base::time::{Duration, Instant};
use crate::daemon::commands::children::ChildEvent;
use crate::daemon::config::fixed::shields_of_links;
use crate::daemon::network::firewall::entry_of;
use crate::daemon::runtime::Runtime;
use crate::daemon::tokens::Asker;
use crate::firewall::iptables::{Command, Run, Step};
use crate::firewall::{Entry, Input};
use crate::holdings::{possible_shields_of, Links};
use crate::model::script::Script;
use crate::model::Config;
use crate::sys::children::{Outcome, Streams};
use crate::sys::{reason, scriptfacts, users};

/// Longest run of a command.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for all commands at the end.
const LAST_COMMANDS: Duration = Duration::from_secs(5);
/// Pause between two looks at a command then.
const PAUSE: Duration = Duration::from_millis(1);
/// Requests for addresses wait for their protection for this time. An address that comes later than
/// that would break more connections than one that is not protected yet.
const PATIENCE: Duration = Duration::from_millis(500);

/// A delay of all requests to the kernel.
#[derive(Debug, Default)]
pub(super) enum Delay {
    #[default]
    None,
    Until(Instant),
    /// It was too long, and does not begin again before all entries are answered.
    Over,
}

impl Delay {
    /// Takes note of entries without an answer.
    pub(super) fn update(&mut self, is_asked: bool, now: Instant) {
        match self {
            _ if !is_asked => *self = Self::None,
            Self::None => *self = Self::Until(now + PATIENCE),
            Self::Until(end) if *end <= now => {
                log::warn!(
                    "Addresses that are not accepted are added before they are protected: iptables \
                     has not finished in {} ms",
                    PATIENCE.as_millis()
                );
                *self = Self::Over;
            }
            Self::Until(_) | Self::Over => {}
        }
    }

    pub(super) const fn end(&self) -> Option<Instant> {
        match self {
            Self::Until(end) => Some(*end),
            Self::None | Self::Over => None,
        }
    }
}

/// All entries that an earlier run with this configuration, or one in which it accepted its
/// addresses, may have had. Rules contain names of interfaces only, so an interface need not exist.
pub(super) fn possible(config: &Config, links: &Links) -> SortedSet<Entry> {
    let of_instances = config.instances.iter().flat_map(|i| possible_shields_of(i));
    let of_host = config.instances.iter().flat_map(|i| shields_of_links(config, i));
    let index = |name: &String| links.get(name).map_or(0, |link| link.index);
    let entry = |shield| entry_of(&shield, links, index, |name| Some(name.clone()));
    of_instances.chain(of_host).filter_map(entry).collect()
}

impl Runtime {
    /// Starts the command that the packet filter wants to be run.
    pub(super) fn start_filter_command(&mut self) {
        let Some(run) = self.network.filter.run.take() else { return };
        if let Err(e) = self.try_start(&run) {
            let why = format!("cannot run {}: {}", run.program(), reason(&e));
            self.network.filter.input(Input::Ended(Err(why)), self.now);
        }
    }

    fn try_start(&mut self, run: &Run) -> io::Result<()> {
        let own = users::own();
        let facts = scriptfacts::command(run.program(), own).map_err(io::Error::other)?;
        let argv = std::iter::once(run.program()).chain(arguments(run).iter().copied());
        let argv = argv.map(str::to_owned).collect();
        let script = Script { path: facts.path, argv, user: own, by_shell: false };
        let input = match run {
            Run::Save(_) => "",
            Run::Restore(Step { input, .. }) => input,
        };
        let streams = Streams::new(input)?;
        let (children, timeout) = (&mut self.commands.children, Some(TIMEOUT));
        children.start_with(&script, &streams, timeout, Asker::Filter, self.now)?;
        self.network.filter.streams = Some(streams);
        Ok(())
    }

    pub(in crate::daemon) fn on_filter_command(&mut self, outcome: Outcome, timed_out: bool) {
        let Some(mut streams) = self.network.filter.streams.take() else { return };
        let result = match streams.read() {
            Ok([output, errors]) => result(outcome, timed_out, output, &errors),
            Err(e) => Err(reason(&e)),
        };
        self.network.filter.input(Input::Ended(result), self.now);
        self.start_filter_command();
    }

    /// Waits for the last commands. VRRP needs nothing any more.
    pub(super) fn finish_filter_commands(&mut self) {
        self.now = self.clock.now();
        let until = self.now + LAST_COMMANDS;
        self.start_filter_command();
        while self.network.filter.streams.is_some() && self.now < until {
            self.await_filter_command();
        }
    }

    /// Waits a moment for the command that runs.
    pub(super) fn await_filter_command(&mut self) {
        self.poll.rest(PAUSE);
        self.now = self.clock.now();
        let events = &mut self.commands.child_events;
        self.commands.children.on_sigchld(events);
        let ours = events
            .iter()
            .position(|event| matches!(event, ChildEvent::Ended { asker: Asker::Filter, .. }));
        if let Some(ChildEvent::Ended { outcome, timed_out, .. }) = ours.map(|n| events.remove(n)) {
            self.on_filter_command(outcome, timed_out);
        }
    }
}

const fn arguments(run: &Run) -> &'static [&'static str] {
    match run {
        Run::Save(Command::Ipset) => &["save"],
        Run::Save(Command::Iptables(_)) => &["-t", "filter"],
        Run::Restore(Step { command: Command::Ipset, .. }) => &["restore"],
        // Waits for another program that changes the rules at this moment, at most 5 s.
        Run::Restore(Step { command: Command::Iptables(_), .. }) => &["--noflush", "-w", "5"],
    }
}

fn result(
    outcome: Outcome,
    timed_out: bool,
    output: String,
    errors: &str,
) -> Result<String, String> {
    let complaint = errors.lines().map(str::trim).find(|line| !line.is_empty());
    Err(match outcome {
        _ if timed_out => format!("it was terminated after {} s", TIMEOUT.as_secs()),
        Outcome::Exited(0) => return Ok(output),
        Outcome::Exited(status) => {
            complaint.map_or_else(|| format!("exit status {status}"), str::to_owned)
        }
        Outcome::Killed(signal) => format!("it was killed by signal {signal}"),
        Outcome::NotStarted(failure) => failure.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_ends_once_and_begins_anew_when_all_is_answered() {
        let at = Instant::from_millis;
        let mut delay = Delay::default();
        delay.update(false, at(0));
        assert_eq!(delay.end(), None);
        delay.update(true, at(100));
        delay.update(true, at(300));
        assert_eq!(delay.end(), Some(at(600)));
        delay.update(true, at(600));
        assert_eq!(delay.end(), None);
        delay.update(true, at(700));
        assert_eq!(delay.end(), None, "it is over");
        delay.update(false, at(800));
        delay.update(true, at(900));
        assert_eq!(delay.end(), Some(at(1400)));
    }

    #[test]
    fn a_failed_command_says_why() {
        let of = |outcome, errors| result(outcome, false, "rules".into(), errors);
        assert_eq!(of(Outcome::Exited(0), "a warning"), Ok("rules".into()));
        let errors = "\niptables-restore: line 2 failed\nmore\n";
        assert_eq!(of(Outcome::Exited(1), errors), Err("iptables-restore: line 2 failed".into()));
        assert_eq!(of(Outcome::Exited(4), ""), Err("exit status 4".into()));
        assert!(result(Outcome::Killed(15), true, String::new(), "").is_err());
    }
}
