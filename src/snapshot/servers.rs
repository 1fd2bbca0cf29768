//! Virtual and real servers, and their checks.

use serde::{Deserialize, Serialize};

/// One virtual server. Its scripts have run for this state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    pub name: String,
    /// It has its quorum.
    pub is_met: bool,
    /// Microseconds.
    pub since: u64,
    pub servers: Vec<Server>,
}

/// One real server. Its scripts have run for this state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub name: String,
    /// Of an operator: `drain`, `disable`, `weight N`.
    pub order: Option<String>,
    pub is_up: bool,
    /// Microseconds.
    pub since: u64,
    /// In the order of the file; `None` for those that are not known.
    pub checks: Vec<Option<Check>>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    pub is_up: bool,
    /// It had a result. Left out if so.
    #[serde(default = "yes", skip_serializing_if = "is_set")]
    pub has_run: bool,
    pub weight: Weight,
    /// Failures in a row that did not count yet.
    pub retries: u32,
    /// When its next probe is due, in microseconds; `None` if it is not probed.
    pub due: Option<u64>,
    #[serde(default)]
    pub last: Option<LastResult>,
    #[serde(default)]
    pub run: Option<CheckRun>,
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_set(flag: &bool) -> bool {
    *flag
}

/// The last result of a check.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastResult {
    pub text: String,
    /// Microseconds.
    pub at: u64,
}

/// A run of a `MISC_CHECK`. Times are microseconds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckRun {
    pub pid: i32,
    /// As it is shown.
    pub command: String,
    pub begun: u64,
    /// When it has taken too long.
    pub end: u64,
}

/// What probes of one kind found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probes {
    /// The keyword of the check.
    pub kind: String,
    pub up: u64,
    pub down: u64,
    pub unmade: u64,
    /// How many took how long, by the classes of the metrics.
    pub spans: Vec<u64>,
    /// How long all took, in microseconds.
    pub sum: u64,
}

/// What a check says about the weight of its server.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Weight {
    #[default]
    Unchanged,
    Instead(i64),
    Plus(i64),
}
