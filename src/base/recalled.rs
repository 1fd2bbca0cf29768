//! What the program that was replaced by this one knew of real servers and their checks.

use super::time::Instant;
use super::verdict::Weight;

/// A virtual server.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct RecalledService {
    /// Whether it had its quorum, and since when.
    pub quorum: Option<(bool, Instant)>,
    /// By their places.
    pub servers: Vec<RecalledServer>,
}

/// A real server. Of a run that ended without warning, only `was_up` is known.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct RecalledServer {
    pub was_up: Option<bool>,
    /// Since when it was up or down.
    pub since: Option<Instant>,
    /// By their places; `None` for those that are not known.
    pub checks: Vec<Option<RecalledCheck>>,
}

/// A check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecalledCheck {
    pub was_up: bool,
    /// It had a result; otherwise `was_up` is only assumed.
    pub had_run: bool,
    pub weight: Weight,
    /// Failures in a row that did not count yet.
    pub retries: u32,
    /// When its next probe is due, if it is probed.
    pub due: Option<Instant>,
    /// Its last result in words, and when it came.
    pub last: Option<(Box<str>, Instant)>,
    /// Its script runs.
    pub run: Option<RecalledRun>,
}

/// A run of a script that goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecalledRun {
    pub pid: i32,
    pub begun: Instant,
    /// When it has taken too long.
    pub end: Instant,
}
