//! Tracked scripts, files and processes: what their core asks for is done here, and what comes of
//! it goes back.

use super::children::Event;
use super::runtime::{Asker, Message, Runtime};
use crate::base::ids::ScriptId;
use crate::base::time::Duration;
use crate::sys::children;
use crate::track::{Action, Input, Outcome};

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
            Action::Noted(note) => log::info!("{note}"),
            Action::WatchFile { .. } | Action::UnwatchFile { .. } | Action::ScanProcesses => {}
        }
    }

    fn run_track_script(&mut self, id: ScriptId, timeout: Duration) {
        let Some(config) = self.track.script(id) else { return };
        let asker = Asker::Track(id);
        if let Err(e) = self.children.start(&config.script, &[], Some(timeout), asker, self.now) {
            self.inbox.push_back(Message::TrackExited(id, Outcome::NotStarted(e.to_string())));
        }
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
                Event::Ended { asker: Asker::Track(script), outcome, timed_out, .. } => {
                    let outcome = if timed_out { Outcome::TimedOut } else { of_child(outcome) };
                    let input = Input::Exited { script, outcome };
                    self.track.handle(input, self.now, &mut self.track_actions);
                }
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
