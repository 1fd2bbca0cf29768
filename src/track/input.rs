//! Everything that can go into the tracking core.

use super::scripts::ScriptPast;
use crate::base::ids::ScriptId;
use crate::base::tracked::RunEnd;
use crate::model::Config;

/// One fact.
#[derive(Debug)]
pub enum Input<'a> {
    /// The scripts, files and processes to track from now on: at the start, before the virtual
    /// routers begin, and at each reload.
    Configure(&'a Config),
    /// Before the daemon was restarted, this script was up or down. Before [`Input::Configure`].
    Recall { script: &'a str, is_up: bool, past: Option<ScriptPast> },
    /// A run has passed its timeout: that is its result, although it may take a while to end.
    /// Optional: [`RunEnd::TimedOut`] says the same once it has ended.
    TimedOut { script: ScriptId },
    /// A run is over. Once for each [`super::Action::Run`].
    Exited { script: ScriptId, end: RunEnd },
    /// A script is to run now, unless it runs. Its schedule begins with that.
    RunNow { name: &'a str },
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
