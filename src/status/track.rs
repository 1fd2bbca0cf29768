//! What virtual routers depend on, and what the kernel holds for them.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Time;

/// The kinds of objects that have a history.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    #[default]
    Daemon,
    Instance,
    Group,
    Interface,
    Script,
    File,
    Process,
    /// As it is tracked: its session has the same name.
    Bfd,
    Service,
    Server,
}

impl ObjectKind {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Daemon => "daemon",
            Self::Instance => "instance",
            Self::Group => "group",
            Self::Interface => "interface",
            Self::Script => "script",
            Self::File => "file",
            Self::Process => "process",
            Self::Bfd => "BFD session",
            Self::Service => "virtual server",
            Self::Server => "real server",
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A tracked interface, script, file, process or BFD session.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Track {
    pub kind: ObjectKind,
    pub name: String,
    /// `up`, `down (exit 1)`, `value 7`, `pending`.
    pub state: String,
    /// A script that runs at this moment.
    pub running: bool,
    /// The time of the last change, if there was one.
    pub since: Option<Time>,
    /// The number of instances that track it.
    pub instances: usize,
    /// The first of them, with the weight it has for each.
    pub tracked_by: Vec<Weighed>,
}

/// An instance that tracks an object.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Weighed {
    pub instance: String,
    pub weight: i16,
    pub reverse: bool,
}

/// A BFD session.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    pub name: String,
    pub neighbor: Option<IpAddr>,
    pub state: String,
    pub since: Time,
    pub why: Option<String>,
    /// The last packet of the neighbour.
    pub heard: Option<Time>,
    pub sent: u64,
    pub received: u64,
    pub refused: u64,
}

/// An object that the kernel is to hold.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Holding {
    /// The instance; `None`: it is wanted whatever the states of the instances.
    pub instance: Option<String>,
    pub object: String,
    /// Its interface.
    pub interface: Option<String>,
    pub presence: Presence,
}

/// Whether the kernel has it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    Present,
    /// The kernel has been asked for it.
    Requested,
    /// It is requested again later.
    #[default]
    Missing,
    /// The kernel refused it; it is requested again later.
    Refused,
    /// Its interface does not exist.
    NoInterface,
    /// Another program removed it, and it is not restored.
    Waived,
}

impl Presence {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Requested => "requested",
            Self::Missing => "missing",
            Self::Refused => "refused",
            Self::NoInterface => "no interface",
            Self::Waived => "waived",
        }
    }
}

impl Track {
    /// True unless it is down, missing or without a result. A file with a number counts as up.
    pub fn is_up(&self) -> bool {
        self.state == "up" || self.state.starts_with("value")
    }
}
