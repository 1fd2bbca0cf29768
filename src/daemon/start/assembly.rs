//! The state of a daemon from its configuration and its host, before anything in the kernel changes.

use std::fs::File;
use std::path::PathBuf;

use crate::base::diag::Severity;
use crate::base::time::{Duration, Instant};
use crate::cli::exit::Status;
use crate::cli::options::Options;
use crate::daemon::commands::children::Children;
use crate::daemon::commands::processes::Processes;
use crate::daemon::commands::Commands;
use crate::daemon::config::reading::{Report, Text};
use crate::daemon::config::Running;
use crate::daemon::continuity::Continuity;
use crate::daemon::control::Control;
use crate::daemon::cores::Cores;
use crate::daemon::journal::Journal;
use crate::daemon::lvs::Lvs;
use crate::daemon::network::Network;
use crate::daemon::outlets::Outlets;
use crate::daemon::pace::Pace;
use crate::daemon::restart::Restart;
use crate::daemon::runtime::{Mode, Process, Runtime};
use crate::daemon::start::beginning::{links_of_kernel, Beginning};
use crate::daemon::start::capabilities;
use crate::daemon::start::life::{self, Then};
use crate::daemon::start::scheduling::Scheduling;
use crate::daemon::start::startup::Failure;
use crate::daemon::start::takeover::Takeover;
use crate::daemon::tokens::Owner;
use crate::model::Global;
use crate::sys::children::Starter;
use crate::sys::clock::{self, Clock};
use crate::sys::netlink::Monitor;
use crate::sys::poll::Poll;
use crate::sys::random;
use crate::sys::signals::{Interrupt, Signals};
use crate::sys::systemd::Notifier;

pub(super) fn build(
    options: &Options,
    text: Text,
    systemd: Notifier,
    processes: Processes,
    home: Option<File>,
    takeover: Option<&Takeover>,
    only_removes: bool,
) -> Result<(Runtime, Beginning), Failure> {
    let signals = if options.ignore_sigint { Interrupt::Ignored } else { Interrupt::Stops };
    let mut signals = Signals::new(signals).map_err(Failure::of("prepare for signals"))?;
    // Listening starts before the first dump, so that no change is missed.
    let monitor = Monitor::open().map_err(Failure::of("listen to the kernel"))?;
    let look = || links_of_kernel().map_err(Failure::of("read interfaces from the kernel"));
    let mut links = look()?;
    let scheduling = Scheduling::new().map_err(Failure::of("read the scheduling"))?;
    let is_first = takeover.is_none() && !only_removes;
    if let Some(script) = text.startup_script(options, &links).filter(|_| is_first) {
        if life::run("startup", &script, &mut signals, scheduling.inherited()) == Then::Stop {
            return Err(Failure::new(Status::Ok, "Stopped before anything was started"));
        }
        // The script may have created interfaces that the configuration names.
        links = look()?;
    }
    let reading = text.lower(options, &links, Report::Log, &|| {});
    if reading.is_refused() {
        let status = match reading.worst() {
            Some(Severity::Security) => Status::NoConfig,
            _ => Status::Config,
        };
        let why = reading.causes().join("; ");
        return Err(Failure::new(status, format!("The configuration cannot be used: {why}")));
    }
    let flaws = reading.flaws();
    let config = reading.into_config();
    capabilities::check(&config).map_err(|text| Failure::new(Status::Permission, text))?;
    let mut poll = Poll::new().map_err(Failure::of("create an event poll"))?;
    poll.add(std::os::fd::AsRawFd::as_raw_fd(&monitor), Owner::Monitor)
        .and_then(|()| poll.add(std::os::fd::AsRawFd::as_raw_fd(&signals), Owner::Signals))
        .map_err(Failure::of("watch descriptors"))?;
    let secret = random::bytes().map_err(Failure::of("get random numbers"))?;
    let children = Children::new(Starter::new(scheduling.inherited()));
    let runtime = Runtime {
        options: options.clone(),
        mode: Mode::Running,
        now: Instant::ZERO,
        clock: takeover.map_or_else(Clock::new, Takeover::clock),
        poll,
        signals,
        running: Running { flaws, ..Running::default() },
        cores: Cores::new(startup_delay(&config.global, clock::since_boot()), secret),
        lvs: Lvs::new(config.global.random_seed.map_or_else(random::seed, u64::from)),
        network: Network::open(monitor).map_err(|e| Failure::because(&e, e.to_string()))?,
        commands: Commands::new(children, processes),
        outlets: Outlets::new(systemd),
        journal: Journal::default(),
        control: Control::default(),
        continuity: Continuity::default(),
        pace: Pace::default(),
        restart: Restart::default(),
        process: Process {
            namespace: home,
            follows_crash: false,
            scheduling,
            supervisor: None,
            in_force: PathBuf::new(),
        },
    };
    Ok((runtime, Beginning { config, links }))
}

/// The rest of `vrrp_delay_after_boot` if it is longer than `vrrp_startup_delay`.
fn startup_delay(global: &Global, since_boot: Duration) -> Duration {
    let rest = global.delay_after_boot.saturating_sub(since_boot);
    global.startup_delay.max(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_after_boot_counts_while_it_lasts() {
        let s = Duration::from_secs;
        let delay = |after_boot, startup, since_boot| {
            let (delay_after_boot, startup_delay) = (s(after_boot), s(startup));
            let global = Global { delay_after_boot, startup_delay, ..Global::default() };
            super::startup_delay(&global, s(since_boot))
        };
        assert_eq!(delay(90, 0, 30), s(60));
        assert_eq!(delay(90, 70, 30), s(70));
        assert_eq!(delay(90, 5, 90_000), s(5));
        assert_eq!(delay(0, 0, 30), s(0));
    }
}
