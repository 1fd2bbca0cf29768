//! Everything that can come out of the tracking core, in the order it must be done.

use crate::base::ids::ScriptId;
use crate::base::time::Duration;
use crate::base::tracked::TrackState;
use crate::model::track::Object;

use super::note::Note;

/// One thing to do or to report.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub enum Action {
    /// Start the script, see `Domain::script`; answer with `Input::Exited`. After `timeout` it is to
    /// be terminated.
    Run { script: ScriptId, timeout: Duration },
    /// The run that goes on is of no interest any more: terminate it. It needs no answer.
    Abandon { script: ScriptId },
    /// Watch the file and report what it holds with `Input::File`, now and whenever it changes.
    WatchFile { name: String, path: String },
    /// No longer watch the file.
    UnwatchFile { name: String },
    /// Report all processes with `Input::ProcessScan`.
    ScanProcesses,
    /// The state of an object, the first time included.
    Changed { object: Object, state: TrackState },
    /// Worth a line in the log, changes nothing.
    Noted(Note),
}
