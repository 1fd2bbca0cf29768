//! The program as a daemon or as a configuration test: logging, the background, the exit status.

use std::io;

use crate::base::diag::Severity;
use crate::base::time::Duration;
use crate::cli::exit::Status;
use crate::cli::help;
use crate::cli::options::Options;
use crate::daemon::config::reading::{Report, Text};
use crate::daemon::restart::Restart;
use crate::daemon::start::ask_reload;
use crate::daemon::start::beginning::links_of_kernel;
use crate::daemon::start::defect::log_panics;
use crate::daemon::start::respawn::Role;
use crate::daemon::start::startup::{start, Failure};
use crate::daemon::start::takeover::Takeover;
use crate::sys::log::{self as logging, Spec};
use crate::sys::memory;
use crate::sys::process;
use crate::sys::reason;
use crate::sys::signals;
use crate::sys::systemd;

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
    if options.config_test.is_some() {
        // Nothing has been started that would have to be undone.
        let _ = signals::release();
        return match logging::install(options.log_setup()) {
            Ok(()) => {
                warn_of_variable(of_environment);
                test_config(&options)
            }
            Err(e) => no_log(&e),
        };
    }
    let mut takeover = Takeover::begin();
    // The parent shows whether systemd started the process; the background would hide it.
    let is_from_systemd = systemd::is_parent();
    let restart = Restart::of_process().unwrap_or_default();
    let role = match &mut takeover {
        Some(Ok(takeover)) => Role::taken_over(&mut options, takeover.supervisor.take()),
        _ => Role::take(&mut options),
    };
    let role = match role {
        Ok(role) => role,
        Err(e) => {
            report_early(&format!("keepalived: cannot become a daemon: {}", reason(&e)));
            return Status::Failure;
        }
    };
    if let Err(e) = logging::install(options.log_setup()) {
        return no_log(&e);
    }
    warn_of_variable(of_environment);
    log_panics(&options);
    banner(&options);
    if let Some(after) = &role.after {
        log::error!("{after}");
    }
    let takeover = takeover.and_then(|begun| {
        let why =
            |e| log::error!("Cannot go on from the snapshot: {e}. The start is as after a crash");
        begun.map_err(why).ok()
    });
    let console = options.log_console && options.foreground;
    let (status, readiness) = start(&mut options, role, restart, takeover, is_from_systemd);
    let status = status.unwrap_or_else(|Failure { status, message }| {
        log::error!("{message}");
        // Without a syslog daemon, this is the only report. It has no effect once the terminal is
        // detached.
        if !console {
            report_early(&format!("keepalived: {message}"));
        }
        status
    });
    if let Some(readiness) = readiness {
        readiness.failed(status.code());
    }
    logging::finish(Duration::from_secs(1));
    status
}

fn warn_of_variable(of_environment: Result<Option<Spec>, String>) {
    if let Err(wrong) = of_environment {
        log::warn!("The variable {} is ignored: {wrong}", logging::VARIABLE);
    }
}

fn no_log(error: &io::Error) -> Status {
    report_early(&format!("Cannot open the log file: {}", reason(error)));
    Status::Failure
}

/// `-t`: all diagnostics, and a status with their severity.
fn test_config(options: &Options) -> Status {
    let mut text = Text::read(options, &|| {});
    text.visit_namespace();
    let reading = links_of_kernel().map(|links| text.lower(options, &links, Report::Log, &|| {}));
    match reading {
        Ok(reading) => match reading.worst() {
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

fn banner(options: &Options) {
    log::info!("Starting {}", help::banner());
    log::info!("Running on {}", process::uname().running_on());
    if let Some(line) = help::missing_parts() {
        log::info!("{line}");
    }
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
