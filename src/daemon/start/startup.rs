//! Order of the startup: enter the namespace, claim the pid files, start, serve; and what follows from
//! a failure.

use std::io;
use std::path::PathBuf;

use crate::cli::exit::Status;
use crate::cli::help;
use crate::cli::options::Options;
use crate::daemon::commands::processes::Processes;
use crate::daemon::config::reading::Text;
use crate::daemon::config::{in_force, outcome};
use crate::daemon::restart::Restart;
use crate::daemon::runtime::Runtime;
use crate::daemon::start::assembly::build;
use crate::daemon::start::beginning::Beginning;
use crate::daemon::start::defect::caught;
use crate::daemon::start::left::Files;
use crate::daemon::start::life;
use crate::daemon::start::privileges::{lift_core_limit, CorePattern};
use crate::daemon::start::respawn::Role;
use crate::daemon::start::takeover::Takeover;
use crate::sys::log::{self as logging};
use crate::sys::netns;
use crate::sys::pidfile::{self, Location, PidFiles};
use crate::sys::process::{self, Readiness};
use crate::sys::reason;
use crate::sys::supervise::{News, Supervisor};
use crate::sys::systemd::{Notifier, State};

/// Reason for a failed start.
pub(super) struct Failure {
    pub(super) status: Status,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(status: Status, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(super) fn of(what: &str) -> impl Fn(io::Error) -> Self + '_ {
        move |e| Self::because(&e, format!("cannot {what}: {}", reason(&e)))
    }

    /// The configuration is missing, or it was refused.
    const fn is_of_configuration(&self) -> bool {
        matches!(self.status, Status::Config | Status::NoConfig)
    }

    pub(super) fn because(error: &io::Error, message: String) -> Self {
        let status = match error.kind() {
            io::ErrorKind::PermissionDenied => Status::Permission,
            _ => Status::Failure,
        };
        Self::new(status, message)
    }
}

/// Also gives the readiness that was not reported.
pub(super) fn start(
    options: &mut Options,
    role: Role,
    mut restart: Restart,
    takeover: Option<Takeover>,
    is_from_systemd: bool,
) -> (Result<Status, Failure>, Option<Readiness>) {
    let before = takeover.as_ref().and_then(|t| t.snapshot.core_pattern.clone());
    if options.core_dump || options.core_pattern.is_some() {
        lift_core_limit();
    }
    let core_pattern = options.core_pattern.as_deref().and_then(|p| match CorePattern::set(p) {
        Ok(set) => Some(set.instead_of(before)),
        Err(e) => {
            log::warn!("Cannot set the pattern of core dumps: {e}");
            None
        }
    });
    restart.core_pattern = core_pattern.as_ref().map(CorePattern::before);
    let Role { readiness, supervisor, only_removes, .. } = role;
    let mut readiness = Some(readiness);
    let course = Course { supervisor, only_removes, takeover, is_from_systemd };
    let result = claim_and_serve(options, restart, course, &mut readiness);
    if let Some(Err(e)) = core_pattern.map(CorePattern::restore) {
        log::warn!("Cannot restore the pattern of core dumps: {e}");
    }
    (result, readiness)
}

/// What led to this run, and what it is for.
pub(super) struct Course {
    pub(super) supervisor: Option<Supervisor>,
    pub(super) only_removes: bool,
    pub(super) takeover: Option<Takeover>,
    pub(super) is_from_systemd: bool,
}

/// Enters the network namespace, claims the pid files, and serves.
fn claim_and_serve(
    options: &Options,
    mut restart: Restart,
    mut course: Course,
    readiness: &mut Option<Readiness>,
) -> Result<Status, Failure> {
    process::set_umask(options.umask.unwrap_or(0o177));
    let systemd = Notifier::to_environment(course.is_from_systemd);
    let text = Text::read(options, &|| {});
    let missing = text.is_missing().then(|| {
        text.tell(options, &|| {});
        let why = text.causes().join("; ");
        Failure::new(Status::NoConfig, format!("Nothing to run: {why}"))
    });
    let processes = Processes::subscribed();
    let home = text.namespace.as_ref().and_then(|_| netns::home().ok());
    if let Err(e) = text.enter_namespace() {
        let name = text.namespace.as_deref().unwrap_or_default();
        log::error!("Unable to set network namespace {name} - exiting");
        return Err(Failure::because(&e, text.namespace_trouble(&e)));
    }
    logging::set_pid();
    let place = text.place();
    if place.instance.is_some() || place.namespace.is_some() {
        logging::set_ident(&ident(&place));
    }
    let pid_paths = pid_paths(options, &place);
    // There is one process, so the first file suffices for requests.
    let outcome_file = pid_paths.first().map(|path| outcome::path(path)).unwrap_or_default();
    let control_path = pid_paths.first().map(|path| path.with_extension("sock"));
    let control_path = control_path.unwrap_or_default();
    // If they can be claimed, existing files are from a daemon that was killed.
    let follows_crash = pid_paths.iter().any(|path| path.exists());
    let missing = match missing {
        Some(failure) if !follows_crash => return Err(failure),
        missing => missing,
    };
    let files = Files::beside(&pid_paths, follows_crash);
    let adopted = course.takeover.as_mut().and_then(|t| t.pid_files(&pid_paths));
    let mut pid_files = match adopted.map_or_else(|| PidFiles::claim(pid_paths), Ok) {
        Ok(files) => files,
        Err(pidfile::Error::Locked(path)) => {
            if let Some(other) = pidfile::foreign_holder(&path) {
                let text = format!(
                    "Pid file {} is locked by {other}, which is not keepalived",
                    path.display()
                );
                return Err(Failure::new(Status::Failure, text));
            }
            log::info!("Another process has pid file {} locked", path.display());
            log::info!("daemon is already running");
            log::info!(
                "a second one needs 'instance' or 'net_namespace' in its configuration, or pid files \
                 of its own (-p, -r, -c, -b)"
            );
            return Ok(Status::Ok);
        }
        Err(e) => return Err(Failure::new(Status::Failure, e.to_string())),
    };
    let result = caught(|| {
        restart.pid_files = pid_files.descriptors();
        let (takeover, only_removes) = (course.takeover.as_ref(), course.only_removes);
        if only_removes && files.in_force.exists() {
            // What was in force is left, whatever the configuration says by now.
            return files.remove_remains(options, course.supervisor.take(), &mut pid_files);
        }
        let begun = missing.map_or_else(
            || build(options, text, systemd, processes, home, takeover, only_removes),
            Err,
        );
        let (mut runtime, beginning) = match begun {
            Err(failure) if failure.is_of_configuration() => {
                files.remove_after_crash(options, &mut pid_files);
                return Err(failure);
            }
            begun => begun?,
        };
        runtime.restart = restart;
        files.hand_over(&mut runtime, course.only_removes);
        if let Some(takeover) = &mut course.takeover {
            takeover.hand_over(&mut runtime.restart);
        }
        runtime.process.supervisor = course.supervisor.take();
        runtime.outlets.outcome_file.clone_from(&outcome_file);
        runtime.control.default_path = control_path;
        serve(&mut runtime, beginning, course, &mut pid_files, readiness)
    });
    let result = result.unwrap_or_else(|| Err(defect()));
    pid_files.remove();
    outcome::remove(&outcome_file);
    result
}

/// Part of the identifier in the log, distinct for several daemons on one host.
fn ident(place: &Location<'_>) -> String {
    let mut ident = String::new();
    for part in [place.namespace, place.instance].into_iter().flatten() {
        ident.push('_');
        ident.push_str(part);
    }
    ident
}

/// Runs from the first change in the kernel to the end of the daemon. No address remains after a
/// failure, since that would mean two masters.
pub(super) fn serve(
    runtime: &mut Runtime,
    beginning: Beginning,
    course: Course,
    pid_files: &mut PidFiles,
    readiness: &mut Option<Readiness>,
) -> Result<Status, Failure> {
    let syslog = !runtime.options.no_syslog;
    let armed = match runtime.process.supervisor {
        Some(_) => runtime.network.rescue.stand_by(syslog),
        None => runtime.network.rescue.arm(syslog),
    };
    if let Err(e) = armed {
        log::warn!("Addresses will not be removed after a crash: {e}");
    }
    match caught(|| live(runtime, beginning, course, pid_files, readiness)) {
        Some(Ok(())) => {
            log::info!("Stopped {}", help::banner());
            Ok(Status::Ok)
        }
        Some(Err(e)) => {
            runtime.abandon();
            Err(Failure::of("go on")(e))
        }
        // It was ready, and goes on where it was.
        None if runtime.process.supervisor.is_some() && readiness.is_none() => {
            let text = "Terminated by an internal error in keepalived, and started again. Please report the lines above";
            Err(Failure::new(Status::Software, text))
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
    mut course: Course,
    pid_files: &mut PidFiles,
    readiness: &mut Option<Readiness>,
) -> io::Result<()> {
    let snapshot = course.takeover.as_ref().map(|takeover| &takeover.snapshot);
    if !course.only_removes {
        in_force::write(&runtime.process.in_force, &beginning.config);
        runtime.save_configuration(&beginning.config);
    }
    runtime.begin(beginning, snapshot);
    // What is replaced by now is closed.
    (runtime.restart.stand_in, course.takeover) = (None, None);
    if course.only_removes {
        return runtime.wind_down();
    }
    runtime.give_up_rights();
    if runtime.options.dump_conf {
        runtime.finish_adoption();
        runtime.dump_config();
    }
    if let Err(e) = pid_files.write(std::process::id()) {
        log::warn!("{e}");
    }
    // First: a reader of the log may end this process as soon as it sees the line.
    if let Some(supervisor) = &mut runtime.process.supervisor {
        supervisor.tell(News::Ready);
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
