//! Commands, tracked files and tracked processes.

use crate::base::sorted::SortedSet;
use crate::base::time::Instant;
use crate::daemon::retries::Retries;
use crate::daemon::tokens::Asker;
use crate::notify::Which;
use crate::sys::inotify::FileWatch;

pub(super) mod children;
pub(super) mod processes;
pub(super) mod tracking;

use children::{ChildEvent, Children};
use processes::Processes;
use tracking::FileBreaks;

pub(super) struct Commands {
    pub(super) children: Children<Asker>,
    pub(super) child_events: Vec<ChildEvent<Asker>>,
    pub(super) processes: Processes,
    /// Opened for the first tracked file.
    pub(super) files: Option<FileWatch<String>>,
    pub(super) file_breaks: FileBreaks,
    pub(super) retries: Retries,
    /// Scripts that read FIFOs and were started before a restart.
    pub(super) readers: SortedSet<Which>,
}

impl Commands {
    pub(super) fn new(children: Children<Asker>, processes: Processes) -> Self {
        Self {
            children,
            child_events: Vec::new(),
            processes,
            files: None,
            file_breaks: FileBreaks::default(),
            retries: Retries::default(),
            readers: SortedSet::new(),
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let all = [
            self.children.next_deadline(),
            self.processes.next_deadline(),
            self.file_breaks.next_deadline(),
            self.retries.next_deadline(),
        ];
        all.into_iter().flatten().min()
    }
}
