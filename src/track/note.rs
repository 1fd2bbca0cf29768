//! What trackers log. Lines that operators search for are byte-compatible with keepalived.

use std::fmt;

use crate::base::tracked::RunEnd;

/// What is worth a line in the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Note {
    /// As many successes in a row as it takes.
    ScriptSucceeded {
        script: String,
    },
    /// As many failures in a row as it takes; the last one.
    ScriptFailed {
        script: String,
        end: RunEnd,
    },
    /// Another exit status than the last time.
    Returning {
        script: String,
        status: i32,
    },
    /// The next run is due, but the last one is not over. Logged once for each run.
    StillRunning {
        script: String,
    },
    /// The same script as before the reload: its result stands.
    KeptOnReload {
        script: String,
        is_up: bool,
    },
    /// A file holds no number and counts as 0. Logged when that begins.
    FileCountsAsZero {
        file: String,
        flaw: Flaw,
    },
    QuorumGained {
        process: String,
    },
    QuorumLost {
        process: String,
    },
}

impl Note {
    /// The name of the script, file or process.
    pub fn about(&self) -> &str {
        match self {
            Self::ScriptSucceeded { script }
            | Self::ScriptFailed { script, .. }
            | Self::Returning { script, .. }
            | Self::StillRunning { script }
            | Self::KeptOnReload { script, .. } => script,
            Self::FileCountsAsZero { file, .. } => file,
            Self::QuorumGained { process } | Self::QuorumLost { process } => process,
        }
    }
}

/// Why a file counts as 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// It is not there, or cannot be read.
    Missing,
    /// It does not begin with a number.
    NotANumber,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ScriptSucceeded { script } => write!(f, "VRRP_Script({script}) succeeded"),
            Self::ScriptFailed { script, end } => {
                write!(f, "VRRP_Script({script}) ")?;
                match end {
                    RunEnd::Exit(status) => write!(f, "failed (exited with status {status})"),
                    RunEnd::Signal(number) => write!(f, "failed (due to signal {number})"),
                    RunEnd::TimedOut => f.write_str("timed_out"),
                    RunEnd::NotStarted(error) => write!(f, "failed (cannot be started: {error})"),
                }
            }
            Self::Returning { script, status } => {
                write!(f, "Script `{script}` now returning {status}")
            }
            Self::StillRunning { script } => {
                write!(f, "Track script {script} is already running, expect idle - skipping run")
            }
            Self::KeptOnReload { script, is_up } => {
                let verdict = if *is_up { "successful" } else { "unsuccessful" };
                write!(f, "VRRP_Script({script}) considered {verdict} on reload")
            }
            Self::FileCountsAsZero { file, flaw: Flaw::Missing } => {
                write!(f, "tracked file {file} cannot be read: counts as 0")
            }
            Self::FileCountsAsZero { file, flaw: Flaw::NotANumber } => {
                write!(f, "tracked file {file} does not begin with a number: counts as 0")
            }
            Self::QuorumGained { process } => {
                write!(f, "Quorum gained for tracked process {process}")
            }
            Self::QuorumLost { process } => {
                write!(f, "Quorum lost for tracked process {process}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_find_the_lines_they_search_for() {
        let script = || "S".to_owned();
        let failed = |end| Note::ScriptFailed { script: script(), end };
        let lines = [
            (Note::ScriptSucceeded { script: script() }, "VRRP_Script(S) succeeded"),
            (failed(RunEnd::Exit(3)), "VRRP_Script(S) failed (exited with status 3)"),
            (failed(RunEnd::Signal(9)), "VRRP_Script(S) failed (due to signal 9)"),
            (failed(RunEnd::TimedOut), "VRRP_Script(S) timed_out"),
            (Note::Returning { script: script(), status: 3 }, "Script `S` now returning 3"),
            (
                Note::StillRunning { script: script() },
                "Track script S is already running, expect idle - skipping run",
            ),
            (
                Note::KeptOnReload { script: script(), is_up: false },
                "VRRP_Script(S) considered unsuccessful on reload",
            ),
            (Note::QuorumLost { process: "P".into() }, "Quorum lost for tracked process P"),
        ];
        for (note, line) in lines {
            assert_eq!(note.to_string(), line);
        }
    }
}
