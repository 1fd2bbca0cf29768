//! Everything that can go into the tracking core.

use std::fmt;

use crate::base::ids::ScriptId;
use crate::model::Config;

/// One fact.
#[derive(Debug)]
pub enum Input<'a> {
    /// The scripts, files and processes to track from now on: at the start, before the virtual
    /// routers begin, and at each reload.
    Configure(&'a Config),
    /// A run has passed its timeout: that is its result, although it may take a while to end.
    /// Optional: [`Outcome::TimedOut`] says the same once it has ended.
    TimedOut { script: ScriptId },
    /// A run is over. Once for each [`super::Action::Run`].
    Exited { script: ScriptId, outcome: Outcome },
    /// What a file holds; `None`: there is no such file, or it cannot be read. The first hundred
    /// bytes are enough.
    File { name: &'a str, content: Option<&'a [u8]> },
    /// Every process there is: the answer to [`super::Action::ScanProcesses`], and what to send
    /// when events were lost.
    ProcessScan(&'a [Process<'a>]),
    /// A process is new, or has another name or command line than before.
    ProcessSeen(Process<'a>),
    /// A process, or a thread, has ended.
    ProcessGone { pid: u32 },
    /// Time has passed.
    Deadline,
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    Exit(i32),
    Signal(i32),
    /// It was killed because it took too long.
    TimedOut,
    /// It could not be started, and why.
    NotStarted(String),
}

impl Outcome {
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Exit(0))
    }
}

/// As the reason of a failure: `exit 1`.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(status) => write!(f, "exit {status}"),
            Self::Signal(number) => write!(f, "signal {number}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::NotStarted(error) => write!(f, "not started: {error}"),
        }
    }
}

/// One process, or one more thread of it, as `/proc` shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Process<'a> {
    /// Of the process or the thread.
    pub pid: u32,
    /// The process that a thread belongs to; the same as `pid` for the process itself.
    pub leader: u32,
    /// `comm`: at most 15 bytes, without the newline.
    pub comm: &'a [u8],
    /// `cmdline`: the words, each ended by a zero byte. Empty for threads and kernel threads.
    pub cmdline: &'a [u8],
    /// Where `exe` leads to, if that may be read.
    pub exe: Option<&'a [u8]>,
}
