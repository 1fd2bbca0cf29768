//! The files that a run leaves for the next one if it is killed, and the removal of what it has left in
//! the kernel.

use std::path::PathBuf;

use crate::cli::exit::Status;
use crate::cli::options::Options;
use crate::daemon::commands::processes::Processes;
use crate::daemon::config::in_force;
use crate::daemon::config::reading::Text;
use crate::daemon::continuity::Continuity;
use crate::daemon::runtime::Runtime;
use crate::daemon::start::assembly::build;
use crate::daemon::start::startup::{serve, Course, Failure};
use crate::sys::pidfile::PidFiles;
use crate::sys::supervise::Supervisor;
use crate::sys::systemd::Notifier;
use crate::sys::{netns, originals, statefile};

/// Files that a run leaves for the next one if it is killed.
pub(super) struct Files {
    originals: Option<PathBuf>,
    state: Option<PathBuf>,
    pub(super) in_force: PathBuf,
    /// A run before this one was killed.
    follows_crash: bool,
}

impl Files {
    pub(super) fn beside(pid_paths: &[PathBuf], follows_crash: bool) -> Self {
        let pid_file = pid_paths.first();
        Self {
            originals: pid_file.map(|path| originals::beside(path)),
            state: pid_file.map(|path| statefile::beside(path)),
            in_force: pid_file.map(|path| in_force::path(path)).unwrap_or_default(),
            follows_crash,
        }
    }

    pub(super) fn hand_over(&self, runtime: &mut Runtime, only_removes: bool) {
        runtime.network.originals_file.clone_from(&self.originals);
        let continuity = if only_removes { Continuity::without_past } else { Continuity::open };
        runtime.continuity = self.state.clone().map(continuity).unwrap_or_default();
        runtime.process.follows_crash = self.follows_crash || runtime.continuity.has_past;
        runtime.process.in_force.clone_from(&self.in_force);
    }

    /// The configuration cannot be used. What a run that was killed has left does not stay,
    /// for an address that stays means two masters.
    pub(super) fn remove_after_crash(&self, options: &Options, pid_files: &mut PidFiles) {
        if !self.follows_crash || !self.in_force.exists() {
            return;
        }
        log::warn!("The run before was killed: what it has left is removed");
        if let Err(failure) = self.remove_remains(options, None, pid_files) {
            log::error!("Addresses may have been left behind: {}", failure.message);
        }
    }

    /// Takes over what was in force, and lets go of it.
    pub(super) fn remove_remains(
        &self,
        options: &Options,
        supervisor: Option<Supervisor>,
        pid_files: &mut PidFiles,
    ) -> Result<Status, Failure> {
        let options = Options { config_file: Some(self.in_force.clone()), ..options.clone() };
        let text = Text::read(&options, &|| {});
        let home = text.namespace.as_ref().and_then(|_| netns::home().ok());
        text.enter_namespace().map_err(Failure::of("enter the network namespace"))?;
        let (systemd, processes) = (Notifier::to_environment(false), Processes::subscribed());
        let (mut runtime, beginning) = build(&options, text, systemd, processes, home, None, true)?;
        self.hand_over(&mut runtime, true);
        runtime.process.supervisor = supervisor;
        let (only_removes, takeover, is_from_systemd) = (true, None, false);
        let course = Course { supervisor: None, only_removes, takeover, is_from_systemd };
        serve(&mut runtime, beginning, course, pid_files, &mut None)
    }
}
