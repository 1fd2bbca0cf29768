//! argv in, exit code out.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use keepalived::cli::exit::Status;
use keepalived::cli::help;
use keepalived::cli::options::{self, Complaint, Request};
use keepalived::sys::{lookup, process, signals};

fn main() -> ExitCode {
    // Before anything else: a signal that comes early has the effect of one that comes later.
    let held = signals::hold();
    debug_assert!(held.is_ok());
    let argv: Vec<OsString> = std::env::args_os().collect();
    if let [_, flag, name] = argv.as_slice() {
        if lookup::FLAGS.iter().any(|known| flag == known) {
            interruptible();
            print(&keepalived::daemon::outlets::resolve::run(flag, name).unwrap_or_default());
            return Status::Ok.into();
        }
    }
    if argv.get(1).is_some_and(|flag| flag == keepalived::daemon::TRIAL) {
        interruptible();
        let mut argv = argv;
        argv.remove(1);
        return match options::parse(&argv).request {
            Request::Run(options) => keepalived::daemon::try_snapshot(*options),
            _ => {
                eprint("the options are not understood\n");
                Status::Failure
            }
        }
        .into();
    }
    let program = argv.first().map_or_else(|| OsStr::new("keepalived"), OsString::as_os_str);
    let status = match Path::new(program).file_name().and_then(OsStr::to_str) {
        Some("kactl") => return kactl(argv.get(1..).unwrap_or_default()),
        Some("genhash") => genhash(argv.get(1..).unwrap_or_default()),
        _ => keepalived(program, &argv),
    };
    status.into()
}

fn keepalived(program: &OsStr, argv: &[OsString]) -> Status {
    let parsed = options::parse(argv);
    for complaint in parsed.complaints {
        match complaint {
            Complaint::Stderr(line) => eprint(&format!("{line}\n")),
            Complaint::Stdout(line) => print(&format!("{line}\n")),
        }
    }
    if !matches!(parsed.request, Request::Run(_)) {
        interruptible();
    }
    match parsed.request {
        Request::Run(options) => return keepalived::daemon::run(*options),
        Request::Refuse => return Status::Failure,
        Request::Genhash(arguments) => return genhash(&arguments),
        Request::Help => eprint(&help::usage(program)),
        Request::Version => eprint(&help::version(&process::uname().running_on())),
        Request::Signum(function) => match signals::signal_number(&function) {
            Some(number) => print(&format!("{number}\n")),
            None => {
                eprint(&format!("Unknown sigfunc {function}\n"));
                return Status::Failure;
            }
        },
    }
    Status::Ok
}

/// Everything but the daemon has nothing to undo, and ends at once on a signal.
fn interruptible() {
    let released = signals::release();
    debug_assert!(released.is_ok());
}

fn kactl(arguments: &[OsString]) -> ExitCode {
    interruptible();
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    keepalived::kactl::run(arguments, &mut out, &mut err).code().into()
}

fn genhash(arguments: &[OsString]) -> Status {
    interruptible();
    let outcome = keepalived::genhash::run(arguments);
    let _ = std::io::stdout().write_all(&outcome.stdout);
    eprint(&outcome.stderr);
    outcome.status
}

/// The print macros panic when the reader is gone.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn eprint(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
