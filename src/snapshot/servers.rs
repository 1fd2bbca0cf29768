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
    /// In the order of the file; `None` for those without a result.
    pub checks: Vec<Option<Check>>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    pub is_up: bool,
    pub weight: Weight,
    /// Failures in a row that did not count yet.
    pub retries: u32,
    /// When its next probe is due, in microseconds; `None` if it is not probed.
    pub due: Option<u64>,
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
