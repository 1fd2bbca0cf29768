//! Tracked scripts, files and processes: carries out actions of the tracking core and returns the
//! results.

use std::io;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use crate::base::ids::ScriptId;
use crate::base::sorted::SortedSet;
use crate::base::time::{Duration, Instant};
use crate::daemon::commands::children::ChildEvent;
use crate::daemon::cores::Message;
use crate::daemon::outlets::report::HeldBack;
use crate::daemon::retries::Lacking;
use crate::daemon::runtime::{Mode, Runtime};
use crate::daemon::tokens::{Asker, Owner};
use crate::sys::inotify::FileWatch;
use crate::sys::{children, files, open, reason};
use crate::track::{Action, Input, RunEnd};

/// Bytes read from a tracked file: more than the digits of any number.
const ENOUGH: u64 = 100;
/// Reads of file events in one turn, each of about a hundred events.
const READS: usize = 16;
/// Interval of reads while files change constantly. Most such changes are to other files in the
/// same directories.
const BREAK: Duration = Duration::from_millis(20);

/// Schedule for reading events about tracked files.
#[derive(Clone, Copy, Default, Debug)]
pub(in crate::daemon) struct FileBreaks {
    last: Option<Instant>,
    /// End of the pause, during which file events cause no wake-up.
    until: Option<Instant>,
}

impl FileBreaks {
    pub(in crate::daemon) const fn next_deadline(&self) -> Option<Instant> {
        self.until
    }

    /// Called when events are ready; true if they are to be read now rather than after a pause.
    fn is_time(&mut self, now: Instant) -> bool {
        let next = self.last.map(|last| last + BREAK).filter(|next| *next > now);
        if next.is_none() {
            self.last = Some(now);
        }
        self.until = next;
        next.is_none()
    }
}

impl Runtime {
    pub(in crate::daemon) fn execute_track(&mut self, action: Action) {
        match action {
            Action::Run { script, timeout } => self.run_track_script(script, timeout),
            Action::Abandon { script } => {
                self.commands.children.stop(self.now, |asker| *asker == Asker::Track(script));
            }
            Action::Changed { object, state } => {
                self.cores.inbox.push_back(Message::Tracked(object, state));
            }
            Action::Noted(note) => {
                if let Some(held_back) =
                    self.outlets.chatter.admit(format!("tracked {}", note.about()), self.now)
                {
                    log::info!("{note}{}", HeldBack(held_back));
                }
            }
            Action::WatchFile { name, path } => {
                self.init_file(&name, &path);
                self.watch_file(&name);
            }
            Action::UnwatchFile { name } => {
                self.commands.retries.ended(&Lacking::File(name.clone()));
                if let Some(files) = &mut self.commands.files {
                    files.unwatch(&name);
                }
            }
            Action::ScanProcesses => self.scan_processes(),
        }
    }

    fn run_track_script(&mut self, id: ScriptId, timeout: Duration) {
        let Some(config) = self.cores.track.script(id) else { return };
        let asker = Asker::Track(id);
        if let Err(e) =
            self.commands.children.start(&config.script, &[], Some(timeout), asker, self.now)
        {
            self.cores
                .inbox
                .push_back(Message::TrackExited(id, RunEnd::NotStarted(e.to_string().into())));
        }
    }

    fn init_file(&self, name: &str, path: &str) {
        let file = self.running.config.files.iter().find(|f| f.name == name);
        let Some(init) = file.and_then(|f| f.init) else { return };
        if let Err(e) = files::write_number(Path::new(path), init.value, init.overwrite) {
            log::error!("cannot write tracked file {path}: {e}");
        }
    }

    /// Watches and reads a file. Retried until it can be watched.
    pub(in crate::daemon) fn watch_file(&mut self, name: &str) {
        let lacking = Lacking::File(name.to_owned());
        let Some(path) =
            self.running.config.files.iter().find(|f| f.name == name).map(|f| f.path.clone())
        else {
            self.commands.retries.ended(&lacking);
            return;
        };
        match self.file_watch().and_then(|f| f.watch(name.to_owned(), Path::new(&path))) {
            Ok(()) if self.commands.retries.ended(&lacking) => {
                log::info!("tracked file {path} is watched now")
            }
            Ok(()) => {}
            Err(e) => {
                let why = reason(&e);
                if self.commands.retries.failed(lacking, &why, self.now) {
                    log::error!("cannot watch tracked file {path}: {why}; it is retried");
                }
            }
        }
        self.cores.inbox.push_back(Message::ReadFile(name.to_owned()));
    }

    fn file_watch(&mut self) -> io::Result<&mut FileWatch<String>> {
        let watch = match self.commands.files.take() {
            Some(watch) => watch,
            None => {
                let watch = FileWatch::new()?;
                self.poll.add(watch.as_raw_fd(), Owner::Files)?;
                watch
            }
        };
        Ok(self.commands.files.insert(watch))
    }

    /// Reads events about changed files at limited intervals.
    pub(in crate::daemon) fn serve_file_events(&mut self) {
        if self.commands.file_breaks.until.is_some_and(|until| until <= self.now) {
            self.commands.file_breaks.until = None;
            if let Some(files) = &self.commands.files {
                // Reports pending changes at once.
                if let Err(e) = self.poll.add(files.as_raw_fd(), Owner::Files) {
                    log::warn!("cannot watch tracked files: {e}");
                }
            }
        }
        if !self.pace.ready.remove(&Owner::Files) {
            return;
        }
        if self.commands.file_breaks.is_time(self.now) {
            self.on_files_changed();
        } else if let Some(files) = &self.commands.files {
            self.poll.remove(files.as_raw_fd());
        }
    }

    fn on_files_changed(&mut self) {
        let mut changed = SortedSet::new();
        if let Some(files) = &mut self.commands.files {
            for n in 0.. {
                if n == READS {
                    self.pace.ready.insert(Owner::Files);
                    break;
                }
                match files.read(&mut changed) {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(e) => {
                        log::warn!("cannot watch tracked files: {e}");
                        break;
                    }
                }
            }
        }
        self.cores.inbox.extend(changed.into_iter().map(Message::ReadFile));
        self.drain();
    }

    pub(in crate::daemon) fn read_tracked_file(&mut self, name: &str) {
        let Some(file) = self.running.config.files.iter().find(|f| f.name == name) else { return };
        let content = open::read_head(Path::new(&file.path), ENOUGH).ok();
        let input = Input::File { name, content: content.as_deref() };
        self.cores.track(input, self.now);
    }

    /// Passes events of commands to their owners.
    pub(in crate::daemon) fn on_child_events(&mut self) {
        let mut events = std::mem::take(&mut self.commands.child_events);
        for event in events.drain(..) {
            match event {
                ChildEvent::TimedOut(Asker::Track(script)) => {
                    let input = Input::TimedOut { script };
                    self.cores.track(input, self.now);
                }
                // Terminated by the shutdown.
                ChildEvent::Ended { asker: Asker::Track(_), .. } if self.mode == Mode::Stopping => {
                }
                ChildEvent::Ended { asker: Asker::Track(script), outcome, timed_out, .. } => {
                    let end = if timed_out { RunEnd::TimedOut } else { of_child(outcome) };
                    let input = Input::Exited { script, end };
                    self.cores.track(input, self.now);
                }
                ChildEvent::Ended { asker: Asker::Notify(run), outcome, .. } => {
                    if let children::Outcome::NotStarted(failure) = outcome {
                        self.on_notify_failed(run, &failure);
                    }
                    self.cores.inbox.push_back(Message::NotifyEnded(run));
                }
                ChildEvent::Ended { asker: Asker::FifoScript(which), outcome, .. } => {
                    if let children::Outcome::NotStarted(failure) = outcome {
                        log::error!("cannot run {}_script: {failure}", which.keyword());
                    }
                    log::info!("{} script terminated", which.keyword().replace('_', " "));
                }
                ChildEvent::TimedOut(Asker::Check(check)) => {
                    self.lvs.on_script_timed_out(check, self.now);
                }
                ChildEvent::Ended { asker: Asker::Check(check), pid, outcome, .. } => {
                    self.lvs.on_script_ended(check, pid, outcome, self.now);
                }
                ChildEvent::Ended { asker: Asker::Filter, outcome, timed_out, .. } => {
                    self.on_filter_command(outcome, timed_out);
                }
                // The first two have no timeout.
                ChildEvent::TimedOut(
                    Asker::Notify(_) | Asker::FifoScript(_) | Asker::Filter | Asker::Trial,
                ) => {}
                ChildEvent::Ended { asker: Asker::Trial, outcome, timed_out, .. } => {
                    self.on_trial_ended(outcome, timed_out);
                }
            }
            self.drain();
        }
        self.commands.child_events = events;
    }
}

fn of_child(outcome: children::Outcome) -> RunEnd {
    match outcome {
        children::Outcome::Exited(status) => RunEnd::Exit(i32::from(status)),
        children::Outcome::Killed(signal) => RunEnd::Signal(signal),
        children::Outcome::NotStarted(failure) => RunEnd::NotStarted(failure.to_string().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_change_is_read_at_once_and_a_flood_at_intervals() {
        let mut breaks = FileBreaks::default();
        let at = Instant::from_millis;
        assert!(breaks.is_time(at(100)) && breaks.next_deadline().is_none());
        assert!(!breaks.is_time(at(101)));
        assert_eq!(breaks.next_deadline(), Some(at(120)));
        assert!(breaks.is_time(at(120)) && breaks.next_deadline().is_none());
        assert!(breaks.is_time(at(500)));
    }
}
