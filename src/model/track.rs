//! Tracked objects other than interfaces, which affect the priority or cause FAULT.

use std::fmt;
use std::time::Duration;

use super::script::Script;

/// One `vrrp_script`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrackScript {
    pub name: String,
    pub script: Script,
    /// `interval`, from start to start; default 1 s.
    pub interval: Duration,
    /// `timeout`; default: the interval.
    pub timeout: Duration,
    /// `rise`: consecutive successes until it is up; default 1.
    pub rise: u32,
    /// `fall`: consecutive failures until it is down; default 1.
    pub fall: u32,
    /// `weight` -253..=253; 0: a failure causes FAULT.
    pub weight: i16,
    /// `weight N reverse`.
    pub reverse: bool,
    /// `init_fail`: down until `rise` successes.
    pub init_fail: bool,
}

/// `init_file [VALUE] [overwrite]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InitFile {
    pub value: i64,
    pub overwrite: bool,
}

/// One `track_file` (`vrrp_track_file`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrackFile {
    pub name: String,
    /// Absolute path.
    pub path: String,
    /// `weight` -254..=254, default 1; 0: any value but 0 causes FAULT.
    pub weight: i16,
    pub reverse: bool,
    pub init: Option<InitFile>,
}

/// `param_match`: comparison of the parameters of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParamMatch {
    /// Parameters are ignored.
    Any,
    /// The parameters are exactly those configured.
    Exact,
    /// The parameters begin with those configured.
    Partial,
    /// As `Partial`, and the last one configured need only be a prefix.
    Initial,
}

/// One `vrrp_track_process`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrackProcess {
    pub name: String,
    /// `process`: a name, or a path if it contains a slash.
    pub process: String,
    pub params: Vec<String>,
    pub param_match: ParamMatch,
    /// `full_command`: compare with the command line, not with the process name.
    pub full_command: bool,
    /// `weight` -254..=254; 0: a lost quorum causes FAULT.
    pub weight: i16,
    pub reverse: bool,
    /// `quorum` 0..=65535: minimum number of processes; default 1.
    pub quorum: u32,
    /// `quorum_max` 0..=65535: maximum number of processes.
    pub quorum_max: Option<u32>,
    /// `terminate_delay`: time before a loss of processes takes effect.
    pub terminate_delay: Duration,
    /// `fork_delay`: time before a gain of processes takes effect.
    pub fork_delay: Duration,
}

/// An object tracked by name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Object {
    Script(String),
    File(String),
    Process(String),
    Bfd(String),
}

impl Object {
    pub fn name(&self) -> &str {
        match self {
            Self::Script(name) | Self::File(name) | Self::Process(name) | Self::Bfd(name) => name,
        }
    }

    /// The kind of object, as in log lines.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Script(_) => "script",
            Self::File(_) => "file",
            Self::Process(_) => "process",
            Self::Bfd(_) => "BFD instance",
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.name())
    }
}

/// One entry of `track_script`, `track_file`, `track_process` or `track_bfd`, of an instance or of
/// its group. The weight is that of the entry, or else that of the object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tracked {
    pub object: Object,
    pub weight: i16,
    pub reverse: bool,
}
