//! Taking over from a program that is restarted by command.

use std::fs::File;
use std::os::fd::RawFd;
use std::path::PathBuf;

use crate::base::sorted::SortedMap;
use crate::base::time::Duration;
use crate::cli::exit::Status;
use crate::cli::options::Options;
use crate::daemon::config::reading::{Report, Text};
use crate::daemon::restart::Restart;
use crate::daemon::start::beginning::links_of_kernel;
use crate::snapshot::Snapshot;
use crate::sys::clock::Clock;
use crate::sys::pidfile::PidFiles;
use crate::sys::process::StandIn;
use crate::sys::supervise::Supervisor;
use crate::sys::{log as logging, reason, takeover};

/// What the program before this one has left.
pub(in crate::daemon) struct Takeover {
    pub(in crate::daemon) snapshot: Snapshot,
    pid_files: Vec<File>,
    pub(in crate::daemon) supervisor: Option<Supervisor>,
    stand_in: Option<StandIn>,
    /// Sockets of BFD sessions.
    sockets: SortedMap<RawFd, File>,
    /// Closed when dropped: once there are new ones.
    _replaced: Vec<File>,
}

impl Takeover {
    /// `None` for a program that is started in the usual way.
    ///
    /// # Errors
    /// What was left is of no use, and has been closed. The start is as after a crash.
    pub(in crate::daemon) fn begin() -> Option<Result<Self, String>> {
        let inherited = takeover::inherited()?;
        let begun = inherited.map_err(|e| reason(&e).to_string()).and_then(Self::of);
        if begun.is_err() {
            takeover::close_all();
        }
        Some(begun)
    }

    fn of(mut inherited: takeover::Inheritance) -> Result<Self, String> {
        let snapshot = Snapshot::parse(&inherited.text)?;
        let mut take = |fd: &i32| {
            inherited.take(*fd).map_err(|e| format!("descriptor {fd} is missing: {}", reason(&e)))
        };
        let descriptors = &snapshot.descriptors;
        let pid_files = descriptors.pid_files.iter().map(&mut take).collect::<Result<_, _>>()?;
        let supervisor = descriptors.supervisor.as_ref().map(&mut take).transpose()?;
        let supervisor = supervisor.map(Supervisor::inherited);
        let replaced = descriptors.replaced.iter().map(&mut take).collect::<Result<_, _>>()?;
        let stand_in = descriptors.stand_in.as_ref().map(&mut take).transpose()?;
        let stand_in = stand_in.map(StandIn::inherited);
        let sockets = snapshot.bfd.descriptors().map(|fd| Ok((fd, take(&fd)?)));
        let sockets = sockets.collect::<Result<_, String>>()?;
        std::env::set_current_dir(&snapshot.directory)
            .map_err(|e| format!("directory {}: {}", snapshot.directory, reason(&e)))?;
        Ok(Self { snapshot, pid_files, supervisor, stand_in, sockets, _replaced: replaced })
    }

    /// The clock of the daemon, which goes on.
    pub(in crate::daemon) fn clock(&self) -> Clock {
        Clock::since(Duration::from_micros(self.snapshot.clock))
    }

    /// What the runtime takes over while it begins.
    pub(in crate::daemon) fn hand_over(&mut self, to: &mut Restart) {
        (to.stand_in, to.sockets) = (self.stand_in.take(), std::mem::take(&mut self.sockets));
    }

    /// The pid files, still locked, unless they have other names now.
    pub(in crate::daemon) fn pid_files(&mut self, paths: &[PathBuf]) -> Option<PidFiles> {
        PidFiles::adopted(paths, std::mem::take(&mut self.pid_files))
    }
}

/// The trial: whether this program would take over, with its reasons on standard error.
pub fn try_snapshot(mut options: Options) -> Status {
    options.config_test = Some(crate::cli::options::ConfigTest { output: None });
    if logging::install(options.log_setup()).is_err() {
        return Status::Failure;
    }
    match tried(&options) {
        Ok(status) => status,
        Err(why) => {
            log::error!("{why}");
            Status::Failure
        }
    }
}

fn tried(options: &Options) -> Result<Status, String> {
    let mut text = String::new();
    std::io::Read::read_to_string(&mut std::io::stdin(), &mut text)
        .map_err(|e| format!("the snapshot cannot be read: {}", reason(&e)))?;
    let snapshot = Snapshot::parse(&text)?;
    std::env::set_current_dir(&snapshot.directory)
        .map_err(|e| format!("directory {}: {}", snapshot.directory, reason(&e)))?;
    let text = Text::read(options, &|| {});
    if text.is_missing() {
        return Err(format!("nothing to run: {}", text.causes().join("; ")));
    }
    let links = links_of_kernel().map_err(|e| format!("cannot read interfaces: {e}"))?;
    let reading = text.lower(options, &links, Report::Nothing, &|| {});
    let flaws = match reading.is_refused() {
        true => reading.causes(),
        false => reading.new_flaws(&snapshot.flaws),
    };
    for flaw in &flaws {
        log::error!("{flaw}");
    }
    Ok(if flaws.is_empty() { Status::Ok } else { Status::Config })
}
