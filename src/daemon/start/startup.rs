//! Order of the startup: read and check the configuration, claim the pid files, open all resources,
//! start.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use crate::base::diag::Severity;
use crate::base::time::{Duration, Instant};
use crate::cli::exit::Status;
use crate::cli::help;
use crate::cli::options::Options;
use crate::daemon::commands::children::Children;
use crate::daemon::commands::processes::Processes;
use crate::daemon::commands::Commands;
use crate::daemon::config::outcome;
use crate::daemon::config::reading::Text;
use crate::daemon::config::Running;
use crate::daemon::cores::Cores;

use crate::daemon::lvs::Lvs;
use crate::daemon::network::Network;
use crate::daemon::outlets::Outlets;
use crate::daemon::runtime::{Mode, Process, Runtime};
use crate::daemon::start::ask_reload;
use crate::daemon::start::beginning::{links_of_kernel, Beginning};
use crate::daemon::start::capabilities;
use crate::daemon::start::defect::{caught, log_panics};
use crate::daemon::start::life::{self, Then};
use crate::daemon::start::privileges::{lift_core_limit, CorePattern};
use crate::daemon::start::scheduling::Scheduling;
use crate::daemon::tokens::Owner;
use crate::daemon::turn::Pace;
use crate::model::Global;
use crate::sys::children::Starter;
use crate::sys::clock::{self, Clock};
use crate::sys::log::{self as logging, Spec};
use crate::sys::memory;
use crate::sys::netlink::Monitor;
use crate::sys::netns;
use crate::sys::originals;
use crate::sys::pidfile::{self, Location, PidFiles};
use crate::sys::poll::Poll;
use crate::sys::process::{self, Readiness};
use crate::sys::random;
use crate::sys::reason;
use crate::sys::signals::{self, Interrupt, Signals};
use crate::sys::systemd::{Notifier, State};

/// Runs the daemon or tests the configuration. Returns the exit status.
pub fn run(mut options: Options) -> Status {
    memory::set_up();
    if options.reload_and_wait {
        let (lines, status) = ask_reload::run(&options);
        lines.iter().for_each(|line| report_early(line));
        return status;
    }
    let of_environment =
        if options.log_filter.is_none() { Spec::of_environment() } else { Ok(None) };
    if let Ok(Some(filter)) = &of_environment {
        options.log_filter = Some(filter.clone());
    }
    if let Err(e) = logging::install(options.log_setup()) {
        report_early(&format!("Cannot open the log file: {}", reason(&e)));
        return Status::Failure;
    }
    if let Err(wrong) = of_environment {
        log::warn!("The variable {} is ignored: {wrong}", logging::VARIABLE);
    }
    if options.config_test.is_some() {
        // Nothing has been started that would have to be undone.
        let _ = signals::release();
        return test_config(&options);
    }
    log_panics(&options);
    banner(&options);
    let console = options.log_console && options.foreground;
    let status = start(&mut options).unwrap_or_else(|Failure { status, message }| {
        log::error!("{message}");
        // Without a syslog daemon, this is the only report. It has no effect once the terminal is
        // detached.
        if !console {
            report_early(&format!("keepalived: {message}"));
        }
        status
    });
    logging::finish(Duration::from_secs(1));
    status
}

/// Reason for a failed start.
struct Failure {
    status: Status,
    message: String,
}

impl Failure {
    fn new(status: Status, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    fn of(what: &str) -> impl Fn(io::Error) -> Self + '_ {
        move |e| Self::because(&e, format!("cannot {what}: {}", reason(&e)))
    }

    fn because(error: &io::Error, message: String) -> Self {
        let status = match error.kind() {
            io::ErrorKind::PermissionDenied => Status::Permission,
            _ => Status::Failure,
        };
        Self::new(status, message)
    }
}

/// `-t`: all diagnostics, and a status with their severity.
fn test_config(options: &Options) -> Status {
    let mut text = Text::read(options, &|| {});
    text.visit_namespace();
    let reading = links_of_kernel().map(|links| text.lower(options, &links, &|| {}));
    match reading {
        Ok(reading) => match reading.worst {
            Some(Severity::Security | Severity::Insecure) => Status::TEST_SECURITY,
            Some(Severity::Fatal | Severity::Error) => Status::TestErrors,
            Some(Severity::Warning | Severity::Note) | None => Status::Ok,
        },
        Err(e) => {
            log::error!("{e}");
            Status::Failure
        }
    }
}

fn start(options: &mut Options) -> Result<Status, Failure> {
    if options.core_dump || options.core_pattern.is_some() {
        lift_core_limit();
    }
    let core_pattern = options.core_pattern.as_deref().and_then(|p| match CorePattern::set(p) {
        Ok(before) => Some(before),
        Err(e) => {
            log::warn!("Cannot set the pattern of core dumps: {e}");
            None
        }
    });
    let result = detach_and_serve(options);
    if let Some(Err(e)) = core_pattern.map(CorePattern::restore) {
        log::warn!("Cannot restore the pattern of core dumps: {e}");
    }
    result
}

/// Enters the network namespace, detaches, claims the pid files, and serves.
fn detach_and_serve(options: &mut Options) -> Result<Status, Failure> {
    process::set_umask(options.umask.unwrap_or(0o177));
    // The parent shows whether systemd started the process; daemonising would change the parent.
    let systemd = Notifier::from_environment();
    let text = Text::read(options, &|| {});
    if text.is_missing() {
        text.tell(options, &|| {});
        let why = text.causes().join("; ");
        return Err(Failure::new(Status::NoConfig, format!("Nothing to run: {why}")));
    }
    let processes = Processes::subscribed();
    let home = text.namespace.as_ref().and_then(|_| netns::home().ok());
    if let Err(e) = text.enter_namespace() {
        let name = text.namespace.as_deref().unwrap_or_default();
        log::error!("Unable to set network namespace {name} - exiting");
        return Err(Failure::because(&e, text.namespace_trouble(&e)));
    }
    let readiness = if options.foreground {
        Readiness::foreground()
    } else {
        if let Ok(cwd) = std::env::current_dir() {
            options.make_absolute(&cwd);
        }
        process::daemonise().map_err(Failure::of("become a daemon"))?
    };
    logging::set_pid();
    let place = text.place();
    if place.instance.is_some() || place.namespace.is_some() {
        logging::set_ident(&ident(&place));
    }
    let pid_paths = pid_paths(options, &place);
    // There is one process, so the first file suffices for requests.
    let outcome_file = pid_paths.first().map(|path| outcome::path(path)).unwrap_or_default();
    // If they can be claimed, existing files are from a daemon that was killed.
    let follows_crash = pid_paths.iter().any(|path| path.exists());
    let originals_file = pid_paths.first().map(|path| originals::beside(path));
    let mut pid_files = match PidFiles::claim(pid_paths) {
        Ok(files) => files,
        Err(pidfile::Error::Locked(path)) => {
            if let Some(other) = pidfile::foreign_holder(&path) {
                readiness.failed(Status::Failure.code());
                let text = format!(
                    "Pid file {} is locked by {other}, which is not keepalived",
                    path.display()
                );
                return Err(Failure::new(Status::Failure, text));
            }
            log::info!("Another process has pid file {} locked", path.display());
            log::info!("daemon is already running");
            readiness.failed(Status::Ok.code());
            return Ok(Status::Ok);
        }
        Err(e) => {
            readiness.failed(Status::Failure.code());
            return Err(Failure::new(Status::Failure, e.to_string()));
        }
    };
    let mut readiness = Some(readiness);
    let result = caught(|| {
        let (mut runtime, beginning) = build(options, text, systemd, processes, home)?;
        runtime.process.follows_crash = follows_crash;
        runtime.network.originals_file = originals_file;
        runtime.outlets.outcome_file.clone_from(&outcome_file);
        serve(&mut runtime, beginning, &mut pid_files, &mut readiness)
    });
    let result = result.unwrap_or_else(|| Err(defect()));
    if let (Some(readiness), Err(failure)) = (readiness, &result) {
        readiness.failed(failure.status.code());
    }
    pid_files.remove();
    outcome::remove(&outcome_file);
    result
}

/// Identifier in the log, distinct for several daemons on one host.
fn ident(place: &Location<'_>) -> String {
    let mut ident = "Keepalived".to_owned();
    for part in [place.namespace, place.instance].into_iter().flatten() {
        ident.push('_');
        ident.push_str(part);
    }
    ident
}

/// Runs from the first change in the kernel to the end of the daemon. No address remains after a
/// failure, since that would mean two masters.
fn serve(
    runtime: &mut Runtime,
    beginning: Beginning,
    pid_files: &mut PidFiles,
    readiness: &mut Option<Readiness>,
) -> Result<Status, Failure> {
    if let Err(e) = runtime.network.rescue.arm(!runtime.options.no_syslog) {
        log::warn!("Addresses will not be removed after a crash: {e}");
    }
    match caught(|| live(runtime, beginning, pid_files, readiness)) {
        Some(Ok(())) => {
            log::info!("Stopped {}", help::banner());
            Ok(Status::Ok)
        }
        Some(Err(e)) => {
            runtime.abandon();
            Err(Failure::of("go on")(e))
        }
        None => {
            runtime.abandon();
            Err(defect())
        }
    }
}

fn defect() -> Failure {
    Failure::new(
        Status::Software,
        "Terminated by an internal error in keepalived; the virtual addresses were removed. Please report the lines above",
    )
}

fn live(
    runtime: &mut Runtime,
    beginning: Beginning,
    pid_files: &mut PidFiles,
    readiness: &mut Option<Readiness>,
) -> io::Result<()> {
    runtime.begin(beginning);
    if runtime.options.dump_conf {
        runtime.finish_adoption();
        runtime.dump_config();
    }
    if let Err(e) = pid_files.write(std::process::id()) {
        log::warn!("{e}");
    }
    log::info!("Startup complete");
    if let Some(Err(e)) = readiness.take().map(Readiness::ready) {
        log::warn!("cannot leave the terminal: {e}");
    }
    runtime.outlets.systemd.notify(State::Ready { pid: std::process::id() });
    runtime.run()?;
    if let Some(script) = runtime.running.config.global.shutdown_script.clone() {
        let inherited = runtime.process.scheduling.inherited();
        let _ = life::run("shutdown", &script, &mut runtime.signals, inherited);
    }
    Ok(())
}

fn build(
    options: &Options,
    text: Text,
    systemd: Notifier,
    processes: Processes,
    home: Option<File>,
) -> Result<(Runtime, Beginning), Failure> {
    let signals = if options.ignore_sigint { Interrupt::Ignored } else { Interrupt::Stops };
    let mut signals = Signals::new(signals).map_err(Failure::of("prepare for signals"))?;
    // Listening starts before the first dump, so that no change is missed.
    let monitor = Monitor::open().map_err(Failure::of("listen to the kernel"))?;
    let look = || links_of_kernel().map_err(Failure::of("read interfaces from the kernel"));
    let mut links = look()?;
    let scheduling = Scheduling::new().map_err(Failure::of("read the scheduling"))?;
    if let Some(script) = text.startup_script(&links) {
        if life::run("startup", &script, &mut signals, scheduling.inherited()) == Then::Stop {
            return Err(Failure::new(Status::Ok, "Stopped before anything was started"));
        }
        // The script may have created interfaces that the configuration names.
        links = look()?;
    }
    let reading = text.lower(options, &links, &|| {});
    if reading.is_refused() {
        let status = match reading.worst {
            Some(Severity::Security) => Status::NoConfig,
            _ => Status::Config,
        };
        let why = reading.causes.join("; ");
        return Err(Failure::new(status, format!("The configuration cannot be used: {why}")));
    }
    let flawed = reading.is_flawed();
    let config = reading.config;
    capabilities::check(&config).map_err(|text| Failure::new(Status::Permission, text))?;
    let mut poll = Poll::new().map_err(Failure::of("create an event poll"))?;
    poll.add(std::os::fd::AsRawFd::as_raw_fd(&monitor), Owner::Monitor)
        .and_then(|()| poll.add(std::os::fd::AsRawFd::as_raw_fd(&signals), Owner::Signals))
        .map_err(Failure::of("watch descriptors"))?;
    let children = Children::new(Starter::new(scheduling.inherited()));
    let runtime = Runtime {
        options: options.clone(),
        mode: Mode::Running,
        now: Instant::ZERO,
        clock: Clock::new(),
        poll,
        signals,
        running: Running { flawed, ..Running::default() },
        cores: Cores::new(startup_delay(&config.global, clock::since_boot())),
        lvs: Lvs::new(config.global.random_seed.map_or_else(random::seed, u64::from)),
        network: Network::open(monitor).map_err(|e| Failure::because(&e, e.to_string()))?,
        commands: Commands::new(children, processes),
        outlets: Outlets::new(systemd),
        pace: Pace::default(),
        process: Process { namespace: home, follows_crash: false, scheduling },
    };
    Ok((runtime, Beginning { config, links }))
}

/// The rest of `vrrp_delay_after_boot` if it is longer than `vrrp_startup_delay`.
fn startup_delay(global: &Global, since_boot: Duration) -> Duration {
    let rest = global.delay_after_boot.saturating_sub(since_boot);
    global.startup_delay.max(rest)
}

/// Scripts may read any of keepalived's pid files, so all hold the pid of the one process.
pub(in crate::daemon) fn pid_paths(options: &Options, place: &Location<'_>) -> Vec<PathBuf> {
    let given = [
        (pidfile::Owner::Main, &options.pid_file, true),
        (pidfile::Owner::Vrrp, &options.vrrp_pid_file, options.run_vrrp),
        (pidfile::Owner::Checkers, &options.checkers_pid_file, options.run_checkers),
        (pidfile::Owner::Bfd, &options.bfd_pid_file, options.run_bfd),
    ];
    given
        .into_iter()
        .filter(|(_, _, wanted)| *wanted)
        .map(|(owner, path, _)| path.clone().unwrap_or_else(|| place.path(owner)))
        .collect()
}

fn banner(options: &Options) {
    log::info!("Starting {}", help::banner());
    log::info!("Running on {}", process::uname().running_on());
    for line in help::command_line(&options.argv) {
        log::info!("{line}");
    }
    for note in options.notes() {
        log::info!("{note}");
    }
    log::info!("Configuration file {}", options.config_file().display());
}

fn report_early(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(io::stderr(), "{line}");
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
