//! Resources of the process: memory, descriptors, core dumps.
//!
//! Every refusal is only a warning: a daemon with ordinary scheduling is better than none.

use std::io;
use std::path::{Path, PathBuf};

use crate::base::capability::Capability;
use crate::sys::capability;
use crate::sys::sched::{self, Limit, Locked, Resource};
use crate::sys::{open, reason};

/// Locks current and future memory.
///
/// Under a limit, only current memory is locked, since later allocations would fail and end the
/// daemon.
pub(super) fn lock_memory() -> io::Result<()> {
    let raised = sched::set_limit(Resource::LockedMemory, Limit::UNLIMITED);
    let Err(why) = raised else { return sched::lock_memory(Locked::NowAndLater) };
    if capability::effective().is_ok_and(|held| held.has(Capability::IpcLock)) {
        return sched::lock_memory(Locked::NowAndLater);
    }
    sched::lock_memory(Locked::Now)?;
    log::warn!(
        "no_swap: memory is locked as it is now, and what comes later is not: the limit of locked \
         memory cannot be raised ({}). Give the daemon CAP_IPC_LOCK, or LimitMEMLOCK=infinity in its \
         unit",
        reason(&why)
    );
    Ok(())
}

/// Raises the limit to `wanted` open descriptors as far as permitted. Returns the limit in force.
pub(in crate::daemon) fn raise_file_limit(wanted: u64) -> u64 {
    let current = match sched::limit(Resource::Files) {
        Ok(limit) if limit.soft >= wanted => return limit.soft,
        Ok(limit) => limit,
        Err(e) => {
            log::warn!("Cannot read the limit of open files: {e}");
            return wanted;
        }
    };
    // Only a privileged process may raise the hard limit.
    for limit in [
        Limit { soft: wanted, hard: current.hard.max(wanted) },
        Limit { soft: current.hard.min(wanted), hard: current.hard },
    ] {
        if sched::set_limit(Resource::Files, limit).is_ok() {
            if limit.soft < wanted {
                log::warn!("{wanted} open files are needed, {} are allowed", limit.soft);
            }
            return limit.soft;
        }
    }
    log::warn!("{wanted} open files are needed, {} are allowed", current.soft);
    current.soft
}

/// The kernel's pattern for names of core dumps, while changed by `--core-dump-pattern`.
#[derive(Debug)]
pub(in crate::daemon) struct CorePattern {
    file: PathBuf,
    before: Vec<u8>,
}

impl CorePattern {
    /// File of the host-wide setting.
    const FILE: &'static str = "/proc/sys/kernel/core_pattern";

    /// Sets the pattern.
    ///
    /// # Errors
    /// Only root may.
    pub(in crate::daemon) fn set(pattern: &str) -> io::Result<Self> {
        Self::set_at(Path::new(Self::FILE), pattern)
    }

    fn set_at(file: &Path, pattern: &str) -> io::Result<Self> {
        let before = open::kernel_read(file)?;
        open::kernel_write(file, pattern.as_bytes())?;
        Ok(Self { file: file.to_path_buf(), before })
    }

    /// The pattern to restore is another one: this one was set by the program before.
    pub(in crate::daemon) fn instead_of(mut self, before: Option<String>) -> Self {
        if let Some(before) = before {
            self.before = before.into_bytes();
        }
        self
    }

    /// The pattern to restore.
    pub(in crate::daemon) fn before(&self) -> String {
        String::from_utf8_lossy(&self.before).into_owned()
    }

    /// Restores the old pattern.
    ///
    /// # Errors
    /// Only root may.
    pub(in crate::daemon) fn restore(self) -> io::Result<()> {
        open::kernel_write(&self.file, &self.before)
    }
}

/// Lets the process leave core dumps of any size (`--core-dump`).
pub(in crate::daemon) fn lift_core_limit() {
    let result = sched::set_limit(Resource::Core, Limit::UNLIMITED);
    is_done(result, || "Cannot lift the limit of core dumps".to_owned());
}

pub(super) fn is_done(result: io::Result<()>, what: impl FnOnce() -> String) -> bool {
    if let Err(e) = &result {
        log::warn!("{}: {}", what(), reason(e));
    }
    result.is_ok()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files they need")]
mod tests {
    use super::*;

    #[test]
    fn the_file_limit_is_never_lowered() {
        let now = sched::limit(Resource::Files).expect("reads");
        assert_eq!(raise_file_limit(1), now.soft);
        assert_eq!(sched::limit(Resource::Files).expect("reads"), now);
    }

    #[test]
    fn the_core_pattern_is_restored() {
        let file = std::env::temp_dir().join(format!("core-pattern-{}", std::process::id()));
        std::fs::write(&file, "|/lib/systemd/x\n").expect("writes");
        let pattern = CorePattern::set_at(&file, "core").expect("sets");
        assert_eq!(std::fs::read(&file).expect("reads"), b"core");
        pattern.restore().expect("restores");
        assert_eq!(std::fs::read(&file).expect("reads"), b"|/lib/systemd/x\n");
        std::fs::remove_file(&file).expect("removes");
    }
}
