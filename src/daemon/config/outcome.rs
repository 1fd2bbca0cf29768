//! Outcome of a reload, written to a file next to the pid file so that a command can wait for it.

use std::path::{Path, PathBuf};

use crate::sys::dumpfile;

/// Size limit of the file.
const LIMIT: u64 = 64 << 10;

/// Outcome of one reload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::daemon) struct Outcome {
    /// Start of the reload in microseconds of CLOCK_MONOTONIC. The outcome answers requests made
    /// before it.
    pub(in crate::daemon) began: u64,
    pub(in crate::daemon) accepted: bool,
    /// Reasons for the refusal, or errors in a file that was accepted nevertheless.
    pub(in crate::daemon) reasons: Vec<String>,
}

impl Outcome {
    fn emit(&self) -> String {
        let word = if self.accepted { "accepted" } else { "refused" };
        let mut text = format!("{} {word}\n", self.began);
        for reason in &self.reasons {
            text.push_str(reason);
            text.push('\n');
        }
        text
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (began, word) = lines.next()?.split_once(' ')?;
        let accepted = match word {
            "accepted" => true,
            "refused" => false,
            _ => return None,
        };
        let reasons = lines.map(str::to_owned).collect();
        Some(Self { began: began.parse().ok()?, accepted, reasons })
    }

    /// Replaces the previous outcome.
    pub(in crate::daemon) fn write(&self, path: &Path) {
        if let Err(e) = dumpfile::replace(path, &self.emit(), dumpfile::PRIVATE) {
            log::warn!("Cannot write {}, so --reload-and-wait will time out: {e}", path.display());
        }
    }

    /// The last outcome, if it can be read.
    pub(in crate::daemon) fn read(path: &Path) -> Option<Self> {
        let text = dumpfile::read(path, LIMIT).ok()?;
        Self::parse(&String::from_utf8_lossy(&text))
    }
}

/// Removes the file when the daemon ends.
pub(in crate::daemon) fn remove(path: &Path) {
    // Most daemons never reload.
    let _ = std::fs::remove_file(path);
}

/// Path of the outcome file for a pid file, such as `/run/keepalived.outcome`.
pub(in crate::daemon) fn path(pid_file: &Path) -> PathBuf {
    pid_file.with_extension("outcome")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_outcome_is_read_back() {
        for (accepted, reasons) in [(true, vec![]), (false, vec!["(Line 7) x".to_owned(); 3])] {
            let outcome = Outcome { began: 7, accepted, reasons };
            assert_eq!(Outcome::parse(&outcome.emit()), Some(outcome));
        }
        for other in ["", "7", "7 maybe", "x accepted"] {
            assert_eq!(Outcome::parse(other), None, "{other}");
        }
    }

    #[test]
    fn the_outcome_file_is_next_to_the_pid_file() {
        assert_eq!(path(Path::new("/run/keepalived.pid")), Path::new("/run/keepalived.outcome"));
        assert_eq!(path(Path::new("/x/main")), Path::new("/x/main.outcome"));
    }
}
