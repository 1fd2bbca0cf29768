//! `--reload-and-wait`: requests a reload of the running daemon and exits with its outcome.

use std::path::Path;

use crate::base::time::Duration;
use crate::cli::exit::Status;
use crate::cli::options::Options;
use crate::daemon::config::outcome::{self, Outcome};
use crate::daemon::config::reading::Text;
use crate::daemon::start::startup::pid_paths;
use crate::sys::clock::Clock;
use crate::sys::pidfile;
use crate::sys::poll::Poll;
use crate::sys::process;
use crate::sys::signals;

/// Longer than the longest configuration takes, shorter than the timeout of systemd.
const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Returns the lines for the operator and the exit status.
pub(in crate::daemon) fn run(options: &Options) -> (Vec<String>, Status) {
    match ask(options) {
        Ok(Outcome { accepted: true, reasons, .. }) => (reasons, Status::Ok),
        Ok(Outcome { accepted: false, reasons, .. }) => (reasons, Status::Config),
        Err(text) => (vec![text], Status::Failure),
    }
}

fn ask(options: &Options) -> Result<Outcome, String> {
    // The configuration file may set the location of the pid file.
    let text = Text::read(options, &|| {});
    let place = text.place();
    let paths = pid_paths(options, &place);
    let Some(file) = paths.first() else { return Err("there is no pid file".to_owned()) };
    let shown = file.display();
    let pid = match pidfile::holder(file) {
        Ok(Some(pid)) => pid,
        Ok(None) => return Err(format!("no keepalived runs with pid file {shown}")),
        Err(e) => return Err(format!("cannot read pid file {shown}: {e}")),
    };
    let clock = Clock::new();
    let asked = clock.monotonic_micros();
    signals::ask_to_reload(pid).map_err(|e| format!("cannot signal process {pid}: {e}"))?;
    wait(&clock, asked, pid, &outcome::path(file))
}

fn wait(clock: &Clock, asked: u64, pid: u32, path: &Path) -> Result<Outcome, String> {
    let mut poll = Poll::<()>::new().map_err(|e| format!("cannot wait: {e}"))?;
    let end = clock.now() + PATIENCE;
    loop {
        // Read first: a daemon that ended may have answered before.
        let alive = process::exists(pid);
        if let Some(outcome) = Outcome::read(path).filter(|o| o.began >= asked) {
            return Ok(outcome);
        }
        if !alive {
            return Err("keepalived ended before it had reloaded; see its log".to_owned());
        }
        let now = clock.now();
        if now >= end {
            let limit = PATIENCE.as_secs();
            return Err(format!("no answer within {limit} s in {}; see the log", path.display()));
        }
        let next = now + BETWEEN_LOOKS;
        poll.wait(now, Some(next), true, &mut Vec::new())
            .map_err(|e| format!("cannot wait: {e}"))?;
    }
}
