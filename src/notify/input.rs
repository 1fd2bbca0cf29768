//! Everything that can enter the core of notifications.

use std::fmt;

use super::action::{RunId, Which};
use crate::base::ids::ServiceId;
use crate::base::name::SharedName;
use crate::base::tally::Tally;
use crate::base::verdict::Verdict;
use crate::model::notify::Notify;
use crate::model::probed::Probed;
use crate::model::script::Script;
use crate::model::Global;

/// What notifications say a virtual router or a sync group is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum State {
    Master,
    Backup,
    Fault,
    /// The daemon ends.
    Stop,
    /// No longer configured. Notified as FAULT unless `notify_deleted` says otherwise.
    Deleted,
}

impl State {
    /// The word of scripts and FIFOs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Master => "MASTER",
            Self::Backup => "BACKUP",
            Self::Fault => "FAULT",
            Self::Stop => "STOP",
            Self::Deleted => "DELETED",
        }
    }
}

/// What a notification is about. In the order in which the states of all are written to a FIFO.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Subject {
    Group(SharedName),
    Instance(SharedName),
    Service(ServiceId),
    /// By the name it is shown with.
    Server(ServiceId, SharedName),
}

/// Where a group or an instance stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    pub object: Subject,
    pub state: State,
    /// 0 for groups.
    pub priority: u8,
}

/// Why a virtual server is notified to be up or down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ServiceEvent {
    Starting(Tally),
    /// The quorum was gained or lost.
    Quorum(Tally),
    /// A reload took it away.
    Removing,
    ShuttingDown,
}

/// What a mail says of a real server.
#[derive(Clone, Copy, Debug)]
pub enum ServerNews<'a> {
    /// What a check found.
    Check { probed: Probed<'a>, verdict: &'a Verdict },
    /// A reload took the server away.
    Removing,
    /// The daemon ends.
    ShuttingDown,
}

/// Why it happened, for formats that have room for that; nothing where it is said already.
#[derive(Clone, Copy)]
pub struct Because<'a>(pub Option<&'a dyn fmt::Display>);

impl Because<'_> {
    pub const NOTHING: Self = Self(None);
}

impl fmt::Debug for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(cause) => write!(f, "{cause}"),
            None => f.write_str("-"),
        }
    }
}

#[derive(Debug)]
pub enum Input<'a> {
    /// What the configuration says: at the start, and at a reload before any change it causes.
    Setup(&'a Global),
    /// After a reload: where every group and every instance stands, in the order of the file. What
    /// is not in it is gone, or has another name now.
    Standing(&'a [Standing]),
    /// Before the program was replaced, this state was notified: it is no news.
    Recall {
        object: Subject,
        state: State,
        /// The effective one.
        priority: Option<u8>,
    },
    /// The same of a virtual server, or of one of its real servers.
    RecallServed {
        service: &'a str,
        server: Option<&'a str>,
        up: bool,
    },
    /// An instance changed its state.
    Instance {
        name: &'a SharedName,
        state: State,
        /// The effective one.
        priority: u8,
        /// The sync group it belongs to.
        group: Option<&'a SharedName>,
        notify: &'a Notify,
        because: Because<'a>,
    },
    /// A sync group changed its state as a whole.
    Group {
        name: &'a SharedName,
        state: State,
        notify: &'a Notify,
        because: Because<'a>,
    },
    /// As master, an instance heard a router of lower priority.
    LowerPriority {
        name: &'a SharedName,
        priority: u8,
        notify: &'a Notify,
    },
    /// The effective priority of an instance changed.
    Priority {
        name: &'a SharedName,
        priority: u8,
        notify: &'a Notify,
    },
    /// A virtual server went up or down, or is reported as it is.
    Service {
        id: ServiceId,
        /// `[ADDR]:PROTOCOL:PORT`.
        name: &'a str,
        up: bool,
        event: ServiceEvent,
        /// `quorum_up` or `quorum_down`.
        script: Option<&'a Script>,
        /// `smtp_alert`.
        mail: bool,
        because: Because<'a>,
    },
    /// A real server went up or down, or is reported as it is.
    Server {
        service: ServiceId,
        service_name: &'a str,
        name: &'a str,
        up: bool,
        /// `notify_up` or `notify_down`.
        script: Option<&'a Script>,
    },
    /// A mail about a real server. It comes after everything its cause has brought about.
    CheckMail {
        service: ServiceId,
        service_name: &'a str,
        name: &'a str,
        up: bool,
        news: ServerNews<'a>,
    },
    /// No longer configured. Its last notification was given.
    Forget(&'a Subject),
    /// A script that was asked for is over, or could not be started.
    ScriptEnded(RunId),
    /// The FIFO is open for reading, or no longer.
    FifoReader {
        which: Which,
        present: bool,
    },
    Deadline,
}
