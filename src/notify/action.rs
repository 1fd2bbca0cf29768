//! Everything that can come out of the core of notifications, in the order it must be done.

use std::fmt;

use super::input::Subject;
use crate::model::script::Script;

/// One run of a script. Never given out twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RunId(pub u64);

/// One of the three FIFOs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Which {
    /// `notify_fifo`.
    All,
    /// `vrrp_notify_fifo`.
    Vrrp,
    /// `lvs_notify_fifo`.
    Lvs,
}

impl Which {
    pub const ALL: [Self; 3] = [Self::All, Self::Vrrp, Self::Lvs];

    /// The keyword that names it.
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::All => "notify_fifo",
            Self::Vrrp => "vrrp_notify_fifo",
            Self::Lvs => "lvs_notify_fifo",
        }
    }
}

/// What a mail says, without its head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    pub subject: String,
    pub text: String,
    /// What it is about: of several letters about one, the newest matters most.
    pub about: Subject,
}

/// One thing to do or to report.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub enum Action {
    /// Start a script, with these arguments after its own. `Input::ScriptEnded` follows, always.
    RunScript {
        run: RunId,
        script: Script,
        extra: Vec<String>,
    },
    /// It holds up others: ask it to end, then make it.
    EndScript {
        run: RunId,
    },
    /// Lines wait: write what `Domain::pending_line` has until the FIFO is full.
    WriteFifo(Which),
    SendMail(Letter),
    /// Worth a line in the log, changes nothing.
    Noted(Note),
}

/// Events that operators should hear of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Note {
    /// Scripts come slower than changes: the scripts for this one were never run.
    Skipped { of: Subject, word: &'static str },
    /// A script runs for so long that the next one no longer waits for it.
    Overdue { of: Subject, script: String },
    /// It was asked to end, and did not.
    Abandoned { of: Subject, script: String },
    /// The reader of a FIFO is slower than changes; it will get the last states only.
    Behind { which: Which },
}

impl Note {
    /// The subject, for holding back repetitions.
    pub fn about(&self) -> String {
        match self {
            Self::Skipped { of, .. } => format!("skipped scripts of {of}"),
            Self::Overdue { of, .. } => format!("overdue scripts of {of}"),
            Self::Abandoned { of, .. } => format!("abandoned scripts of {of}"),
            Self::Behind { which } => format!("reader of {}", which.keyword()),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(name) => write!(f, "VRRP_Group({name})"),
            Self::Instance(name) => write!(f, "({name})"),
            Self::Service(id) => write!(f, "virtual server {id}"),
            Self::Server(id, name) => write!(f, "real server {name} of virtual server {id}"),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skipped { of, word } => write!(
                f,
                "{of} notify scripts for {word} are skipped: changes come faster than scripts end"
            ),
            Self::Overdue { of, script } => write!(
                f,
                "{of} notify script '{script}' has run for over {} s and the next one waits: ending it",
                super::scripts::LIMIT.as_secs()
            ),
            Self::Abandoned { of, script } => write!(
                f,
                "{of} notify script '{script}' does not end: the next one no longer waits for it"
            ),
            Self::Behind { which } => write!(
                f,
                "the reader of {} is too slow: it will hear the last states only",
                which.keyword()
            ),
        }
    }
}
