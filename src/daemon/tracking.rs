//! Tracked scripts, files and processes: what their core asks for is done here, and what comes of
//! it goes back.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use super::children::Event;
use super::report::HeldBack;
use super::runtime::{Asker, Message, Mode, Owner, Runtime};
use crate::base::ids::ScriptId;
use crate::base::time::Duration;
use crate::sys::inotify::FileWatch;
use crate::sys::{children, files, open};
use crate::track::{Action, Input, Outcome};

/// Of a tracked file: more than any number has digits.
const ENOUGH: u64 = 100;
/// Of events about files, in one turn: some hundred each.
const READS: usize = 8;

impl Runtime {
    pub(super) fn execute_track(&mut self, action: Action) {
        match action {
            Action::Run { script, timeout } => self.run_track_script(script, timeout),
            Action::Abandon { script } => {
                self.children.stop(self.now, |asker| *asker == Asker::Track(script));
            }
            Action::Changed { object, state } => {
                self.inbox.push_back(Message::Tracked(object, state));
            }
            Action::Noted(note) => {
                if let Some(held_back) =
                    self.chatter.admit(format!("tracked {}", note.about()), self.now)
                {
                    log::info!("{note}{}", HeldBack(held_back));
                }
            }
            Action::WatchFile { name, path } => self.watch_file(name, &path),
            Action::UnwatchFile { name } => {
                if let Some(files) = &mut self.files {
                    files.unwatch(&name);
                }
            }
            Action::ScanProcesses => self.scan_processes(),
        }
    }

    fn run_track_script(&mut self, id: ScriptId, timeout: Duration) {
        let Some(config) = self.track.script(id) else { return };
        let asker = Asker::Track(id);
        if let Err(e) = self.children.start(&config.script, &[], Some(timeout), asker, self.now) {
            self.inbox.push_back(Message::TrackExited(id, Outcome::NotStarted(e.to_string())));
        }
    }

    fn watch_file(&mut self, name: String, path: &str) {
        if let Some(init) = self.config.files.iter().find(|f| f.name == name).and_then(|f| f.init) {
            if let Err(e) = files::write_number(Path::new(path), init.value, init.overwrite) {
                log::error!("cannot write tracked file {path}: {e}");
            }
        }
        if let Err(e) = self.file_watch().and_then(|f| f.watch(name.clone(), Path::new(path))) {
            log::error!("cannot watch tracked file {path}: {e}");
        }
        self.inbox.push_back(Message::ReadFile(name));
    }

    fn file_watch(&mut self) -> io::Result<&mut FileWatch<String>> {
        let watch = match self.files.take() {
            Some(watch) => watch,
            None => {
                let watch = FileWatch::new()?;
                self.poll.add(watch.as_raw_fd(), Owner::Files)?;
                watch
            }
        };
        Ok(self.files.insert(watch))
    }

    pub(super) fn on_files_changed(&mut self) {
        let mut changed = BTreeSet::new();
        if let Some(files) = &mut self.files {
            for n in 0.. {
                if n == READS {
                    self.ready.insert(Owner::Files);
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
        self.inbox.extend(changed.into_iter().map(Message::ReadFile));
        self.drain();
    }

    pub(super) fn read_tracked_file(&mut self, name: &str) {
        let Some(file) = self.config.files.iter().find(|f| f.name == name) else { return };
        let content = open::read_head(Path::new(&file.path), ENOUGH).ok();
        let input = Input::File { name, content: content.as_deref() };
        self.track.handle(input, self.now, &mut self.track_actions);
    }

    /// Something happened to commands: tells whoever asked for them.
    pub(super) fn on_child_events(&mut self) {
        let mut events = std::mem::take(&mut self.child_events);
        for event in events.drain(..) {
            match event {
                Event::TimedOut(Asker::Track(script)) => {
                    let input = Input::TimedOut { script };
                    self.track.handle(input, self.now, &mut self.track_actions);
                }
                // Ended by us, since the daemon ends.
                Event::Ended { asker: Asker::Track(_), .. } if self.mode == Mode::Stopping => {}
                Event::Ended { asker: Asker::Track(script), outcome, timed_out, .. } => {
                    let outcome = if timed_out { Outcome::TimedOut } else { of_child(outcome) };
                    let input = Input::Exited { script, outcome };
                    self.track.handle(input, self.now, &mut self.track_actions);
                }
                Event::Ended { asker: Asker::Notify(run), outcome, .. } => {
                    if let children::Outcome::NotStarted(failure) = outcome {
                        self.on_notify_failed(run, &failure);
                    }
                    self.inbox.push_back(Message::NotifyEnded(run));
                }
                Event::Ended { asker: Asker::FifoScript(which), outcome, .. } => {
                    if let children::Outcome::NotStarted(failure) = outcome {
                        log::error!("cannot run {}_script: {failure}", which.keyword());
                    }
                    log::info!("{} script terminated", which.keyword().replace('_', " "));
                }
                Event::TimedOut(Asker::Check(check)) => {
                    self.lvs.on_script_timed_out(check, self.now);
                }
                Event::Ended { asker: Asker::Check(check), pid, outcome, .. } => {
                    self.lvs.on_script_ended(check, pid, outcome, self.now);
                }
                // Nobody gave them a time.
                Event::TimedOut(Asker::Notify(_) | Asker::FifoScript(_)) => {}
            }
            self.drain();
        }
        self.child_events = events;
    }
}

fn of_child(outcome: children::Outcome) -> Outcome {
    match outcome {
        children::Outcome::Exited(status) => Outcome::Exit(i32::from(status)),
        children::Outcome::Killed(signal) => Outcome::Signal(signal),
        children::Outcome::NotStarted(failure) => Outcome::NotStarted(failure.to_string()),
    }
}
