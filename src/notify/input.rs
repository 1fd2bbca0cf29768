//! Everything that can enter the core of notifications.

use super::action::{RunId, Which};
use crate::base::ids::ServiceId;
use crate::model::notify::Notify;
use crate::model::script::Script;
use crate::model::Global;

/// What a virtual router or a sync group is told to be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum State {
    Master,
    Backup,
    Fault,
    /// The daemon ends.
    Stop,
    /// No longer configured. Told as FAULT unless `notify_deleted` says otherwise.
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

/// Whoever something is told of. In the order in which a FIFO is told where all things stand.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Object {
    Group(String),
    Instance(String),
    Service(ServiceId),
    /// By the name it is shown with.
    Server(ServiceId, String),
}

/// Where a group or an instance stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    pub object: Object,
    pub state: State,
    /// 0 for groups.
    pub priority: u8,
}

/// The weight of the live servers against the quorum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tally {
    pub quorum: u32,
    pub hysteresis: u32,
    pub threshold: u64,
    pub weight: u64,
}

/// Why a virtual server is told to be up or down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ServiceEvent {
    Starting(Tally),
    /// The quorum was gained or lost.
    Quorum(Tally),
    /// A reload took it away.
    Removing,
    ShuttingDown,
}

/// What a check says, as mails word it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict<'a> {
    Tcp,
    /// HTTP_GET and SSL_GET.
    Http,
    /// With the reason if it failed.
    Smtp(&'a str),
    Misc,
    MiscTimedOut,
    Dns,
    Udp,
    Ping,
    File,
    Bfd(&'a str),
    /// Not a check: a reload took the server away.
    Removing,
    /// Not a check: the daemon ends.
    ShuttingDown,
}

#[derive(Debug)]
pub enum Input<'a> {
    /// What the configuration says: at the start, and at a reload before any change it causes.
    Setup(&'a Global),
    /// After a reload: where every group and every instance stands, in the order of the file. What
    /// is not in it is gone, or has another name now.
    Standing(&'a [Standing]),
    /// An instance changed its state.
    Instance {
        name: &'a str,
        state: State,
        /// The effective one.
        priority: u8,
        /// The sync group it belongs to.
        group: Option<&'a str>,
        notify: &'a Notify,
    },
    /// A sync group changed its state as a whole.
    Group {
        name: &'a str,
        state: State,
        notify: &'a Notify,
    },
    /// As master, an instance heard somebody less entitled.
    LowerPriority {
        name: &'a str,
        priority: u8,
        notify: &'a Notify,
    },
    /// The effective priority of an instance changed.
    Priority {
        name: &'a str,
        priority: u8,
        notify: &'a Notify,
    },
    /// A virtual server went up or down, or that it is so is told.
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
    },
    /// A real server went up or down, or that it is so is told.
    Server {
        service: ServiceId,
        service_name: &'a str,
        name: &'a str,
        up: bool,
        /// `notify_up` or `notify_down`.
        script: Option<&'a Script>,
    },
    /// What a check said is to be mailed. It comes after everything the check has caused.
    CheckMail {
        service: ServiceId,
        service_name: &'a str,
        name: &'a str,
        up: bool,
        verdict: Verdict<'a>,
    },
    /// No longer configured. What was to be told of it has been told.
    Forget(&'a Object),
    /// A script that was asked for is over, or could not be started.
    ScriptEnded(RunId),
    /// Somebody has the FIFO open for reading, or nobody any more.
    FifoReader {
        which: Which,
        present: bool,
    },
    Deadline,
}
