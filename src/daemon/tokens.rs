//! Owners of poll tokens, and of commands.

use crate::base::ids::{CheckId, ScriptId};
use crate::daemon::network::endpoints::SocketId;
use crate::notify::{RunId, Which};

/// Owner of a token of the poll.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Owner {
    VrrpSocket(SocketId),
    Monitor,
    Signals,
    /// Watch on tracked files.
    Files,
    /// A FIFO that is writable again or has a new reader.
    Fifos,
    /// Process events.
    Processes,
    Mail,
    /// Last, so that all checks form one range.
    Check(CheckId),
}

impl From<CheckId> for Owner {
    fn from(check: CheckId) -> Self {
        Self::Check(check)
    }
}

/// Owner of a running command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Asker {
    Track(ScriptId),
    Notify(RunId),
    FifoScript(Which),
    Check(CheckId),
}

impl From<CheckId> for Asker {
    fn from(check: CheckId) -> Self {
        Self::Check(check)
    }
}
