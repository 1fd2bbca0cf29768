//! The daemon as a whole: its process, configuration, queues and punctuality.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Order, Time};
use crate::base::histogram::Histogram;

#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Daemon {
    pub version: String,
    pub pid: u32,
    /// `instance` of the configuration.
    pub instance_name: Option<String>,
    pub net_namespace: Option<String>,
    pub started: Time,
    /// How often another program took its place by command.
    pub restarts: u32,
    /// A restart is under way.
    pub restarting: bool,
    /// Why the last restart did not take place.
    pub restart_refused: Option<String>,
    /// When this was composed.
    pub now: Time,
    pub configuration: Configuration,
    pub queues: Queues,
    pub lateness: Lateness,
    /// Results of checks, by kind.
    pub checks: Vec<CheckResults>,
    /// The filter of log lines that an operator set by command.
    pub log_filter: Option<String>,
    /// Maintenance, if it is on.
    pub maintenance: Option<Order>,
    /// The number of the last event.
    pub last_event: u64,
    pub instances: usize,
    pub services: usize,
}

/// The configuration that runs, and what became of the last reload.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Configuration {
    pub file: String,
    /// When the one that runs was read.
    pub loaded: Time,
    /// It has errors that were corrected, or parts that were left out.
    pub flawed: bool,
    /// `None`: there was no reload.
    pub last_reload: Option<Reload>,
    /// Reloads since the start, and those that were refused.
    pub reloads: u64,
    pub reloads_refused: u64,
}

/// What a reload did, or would do.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Reload {
    pub at: Time,
    pub accepted: bool,
    /// Why it was refused, in a sentence.
    pub reason: Option<String>,
    /// What is wrong with the text.
    pub complaints: Vec<Complaint>,
    /// What it changes. Empty if it was refused, or if nothing differs.
    pub changes: Vec<String>,
}

/// One thing that is wrong with a text. Secrets in it are not shown.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Complaint {
    /// `error`, `warning`.
    pub severity: String,
    pub file: Option<String>,
    pub line: Option<u32>,
    pub column: Option<u32>,
    pub text: String,
    pub hint: Option<String>,
}

/// `/etc/keepalived/keepalived.conf:7:3: error: text`, as compilers do.
impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
            for number in [self.line, self.column].into_iter().flatten() {
                write!(f, "{number}:")?;
            }
            f.write_str(" ")?;
        }
        write!(f, "{}: {}", self.severity, self.text)
    }
}

/// Work that waits.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Queues {
    /// Mails that are not sent yet.
    pub mails: usize,
    /// Changes whose notify scripts wait for those of earlier changes.
    pub notifications: usize,
    /// Lines that wait for the readers of FIFOs.
    pub fifo_lines: usize,
    /// Commands that run: tracked scripts, notify scripts, checks.
    pub commands: usize,
    /// Checks that run, and those that wait for others.
    pub checks_running: usize,
    pub checks_waiting: usize,
    /// Log lines that were dropped because no reader took them.
    pub log_lines_dropped: u64,
}

/// How late the turns of the loop were.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Lateness {
    pub turns: u64,
    /// Those more than a millisecond late.
    pub late_turns: u64,
    /// Seconds.
    pub worst: f64,
    /// Of turns that began at a deadline or after it.
    pub spans: Spans,
}

/// Spans of time, counted by their length.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Spans {
    /// Lengths in seconds with the number of spans that were no longer.
    pub up_to: Vec<(f64, u64)>,
    pub count: u64,
    /// Seconds.
    pub sum: f64,
}

impl From<&Histogram> for Spans {
    fn from(histogram: &Histogram) -> Self {
        let (up_to, count) = histogram.totals();
        let up_to = up_to.map(|(bound, total)| (bound.as_secs_f64(), total)).collect();
        Self { up_to, count, sum: histogram.sum().as_secs_f64() }
    }
}

/// What checks of one kind found since the start.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct CheckResults {
    /// `HTTP_GET`
    pub kind: String,
    pub up: u64,
    pub down: u64,
    /// This host could not make them.
    pub unmade: u64,
    /// How long they took.
    pub spans: Spans,
}
