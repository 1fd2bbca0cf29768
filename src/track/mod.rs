//! What virtual routers and servers may depend on besides interfaces: scripts that are run, files
//! that hold a number, processes that are to be there. Pure: runs and readings are asked for as
//! actions and come back as inputs.
//!
//! What depends on an object, and with which weight, is not known here: [`Action::Changed`] goes to
//! `vrrp` and to the checks.

use crate::base::ids::ScriptId;
use crate::base::time::Instant;
use crate::model::track::{Object, TrackScript};
use crate::model::Config;

mod action;
mod files;
mod input;
mod note;
mod processes;
mod scripts;
#[cfg(test)]
mod tests;

pub use crate::base::tracked::{RunEnd, TrackState};
pub use action::Action;
pub use input::{Input, Process};
pub use note::{Flaw, Note};
pub use scripts::{Progress, ScriptPast};

/// Every tracked script, file and process of the daemon.
#[derive(Debug, Default)]
pub struct Domain {
    scripts: scripts::Scripts,
    files: files::Files,
    processes: processes::Processes,
}

impl Domain {
    /// Takes one fact. Appends what must be done, in the order it must be done.
    pub fn handle(&mut self, input: Input<'_>, now: Instant, out: &mut Vec<Action>) {
        match input {
            Input::Configure(config) => self.on_configure(config, now, out),
            Input::Recall { script, is_up, past } => self.scripts.on_recall(script, is_up, past),
            Input::TimedOut { script } => self.scripts.on_timed_out(script, out),
            Input::Exited { script, end } => self.scripts.on_exited(script, end, out),
            Input::RunNow { name } => self.scripts.on_run_now(name, now, out),
            Input::File { name, content } => self.files.on_content(name, content, out),
            Input::ProcessScan(all) => self.processes.on_scan(all, now, out),
            Input::ProcessSeen(process) => self.processes.on_seen(&process, now, out),
            Input::ProcessGone { pid } => self.processes.on_gone(pid, now, out),
            Input::Deadline => {
                self.scripts.on_deadline(now, out);
                self.processes.on_deadline(now, out);
            }
        }
    }

    /// When `handle(Input::Deadline, ..)` next has work. Early calls do nothing.
    pub fn next_deadline(&self) -> Option<Instant> {
        [self.scripts.next_deadline(), self.processes.next_deadline()].into_iter().flatten().min()
    }

    /// What [`Action::Run`] means; `None` once it is no longer configured.
    pub fn script(&self, id: ScriptId) -> Option<&TrackScript> {
        self.scripts.config(id)
    }

    /// Whether a script is up, and what else is known of it; `None` without a result.
    pub fn past(&self, script: &str, now: Instant) -> Option<(bool, ScriptPast)> {
        self.scripts.past(script, now)
    }

    /// A run of a script goes on, and is of use to the program that takes over.
    pub fn is_awaited(&self, script: ScriptId) -> bool {
        self.scripts.is_awaited(script)
    }

    pub fn script_id(&self, name: &str) -> Option<ScriptId> {
        self.scripts.id(name)
    }

    /// A run of a script goes on; `None` if it is not configured.
    pub fn is_script_running(&self, name: &str) -> Option<bool> {
        self.scripts.is_running(name)
    }

    /// How far a script is; `None` if it is not configured.
    pub fn progress(&self, script: &str) -> Option<Progress> {
        self.scripts.progress(script)
    }

    /// What is known of an object; `None` if it is not configured.
    pub fn state(&self, object: &Object) -> Option<TrackState> {
        match object {
            Object::Script(name) => self.scripts.state(name),
            Object::File(name) => self.files.state(name),
            Object::Process(name) => self.processes.state(name),
            Object::Bfd(_) => None,
        }
    }

    /// True for a script that runs at this moment.
    pub fn is_running(&self, object: &Object) -> bool {
        matches!(object, Object::Script(name) if self.scripts.is_running(name) == Some(true))
    }

    /// Whether anything here wants to know of processes that come and go.
    /// A tracked process whose `fork_delay` or `terminate_delay` runs.
    pub fn is_delayed(&self, process: &str) -> bool {
        self.processes.is_waiting(process)
    }

    pub fn watches_processes(&self) -> bool {
        self.processes.is_used()
    }

    fn on_configure(&mut self, config: &Config, now: Instant, out: &mut Vec<Action>) {
        self.scripts.on_configure(&config.scripts, now, out);
        self.files.on_configure(&config.files, out);
        self.processes.on_configure(&config.processes, out);
    }
}
