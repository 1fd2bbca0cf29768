//! What the daemon may take of the host: scheduling, memory, descriptors, core dumps.
//!
//! Every refusal is a warning, never the end: a daemon with ordinary scheduling is worth more than
//! none.

use std::io;
use std::path::{Path, PathBuf};

use crate::model::Global;
use crate::sys::capability::{self, Capability};
use crate::sys::sched::{self, Inherited, Limit, Locked, Resource};
use crate::sys::{open, reason};

/// Scheduling in force, and what it was before.
#[derive(Debug)]
pub(in crate::daemon) struct Scheduling {
    inherited: Inherited,
    wanted: Wanted,
    /// SCHED_RR priority in force.
    realtime: Option<u8>,
}

/// The part of the configuration that matters here.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Wanted {
    nice: Option<i8>,
    rt_priority: Option<u8>,
    no_swap: bool,
}

impl Wanted {
    const fn of(global: &Global) -> Self {
        Self { nice: global.nice, rt_priority: global.rt_priority, no_swap: global.no_swap }
    }
}

impl Scheduling {
    /// Takes note of what the process was started with; changes nothing.
    ///
    /// # Errors
    /// The kernel does not tell, which it has no reason for.
    pub(in crate::daemon) fn new() -> io::Result<Self> {
        Ok(Self { inherited: Inherited::read()?, wanted: Wanted::default(), realtime: None })
    }

    /// How things were when the daemon started: commands get it back.
    pub(in crate::daemon) const fn inherited(&self) -> Inherited {
        self.inherited
    }

    /// Brings the process to what the configuration asks for; at start and after each reload.
    pub(in crate::daemon) fn apply(&mut self, global: &Global) {
        let wanted = Wanted::of(global);
        if wanted.nice != self.wanted.nice {
            let nice = wanted.nice.unwrap_or_else(|| self.inherited.nice());
            is_done(sched::set_nice(nice), || format!("Cannot set nice value {nice}"));
        }
        if wanted.no_swap != self.wanted.no_swap {
            if wanted.no_swap {
                is_done(lock_memory(), || "Cannot lock memory".to_owned());
            } else {
                is_done(sched::unlock_memory(), || "Cannot unlock memory".to_owned());
            }
        }
        self.wanted = wanted;
        self.set_realtime(wanted.rt_priority);
    }

    /// Ordinary scheduling for a while: reading a configuration is not worth real time.
    pub(in crate::daemon) fn suspend_realtime(&mut self) {
        self.set_realtime(None);
    }

    /// Ends [`Scheduling::suspend_realtime`].
    pub(in crate::daemon) fn resume_realtime(&mut self) {
        self.set_realtime(self.wanted.rt_priority);
    }

    fn set_realtime(&mut self, priority: Option<u8>) {
        if priority == self.realtime {
            return;
        }
        let what = || match priority {
            Some(priority) => format!("Cannot set real-time priority {priority}"),
            None => "Cannot leave real-time scheduling".to_owned(),
        };
        if is_done(sched::set_realtime(priority), what) {
            self.realtime = priority;
        }
    }
}

/// Locks the memory in use, and all that will be.
///
/// Where a limit stays in force, later memory would run into it, and the daemon with it: then only
/// what there is now is locked.
fn lock_memory() -> io::Result<()> {
    let raised = sched::set_limit(Resource::LockedMemory, Limit::UNLIMITED);
    let Err(why) = raised else { return sched::lock_memory(Locked::NowAndLater) };
    if capability::effective().is_ok_and(|held| held.has(Capability::IpcLock)) {
        return sched::lock_memory(Locked::NowAndLater);
    }
    sched::lock_memory(Locked::Now)?;
    log::warn!(
        "vrrp_no_swap: memory is locked as it is now, and what comes later is not: the limit of locked \
         memory cannot be raised ({}). Give the daemon CAP_IPC_LOCK, or LimitMEMLOCK=infinity in its \
         unit",
        reason(&why)
    );
    Ok(())
}

/// Makes room for `wanted` open descriptors as far as that is allowed; gives how many there may be.
pub(in crate::daemon) fn raise_file_limit(wanted: u64) -> u64 {
    let current = match sched::limit(Resource::Files) {
        Ok(limit) if limit.soft >= wanted => return limit.soft,
        Ok(limit) => limit,
        Err(e) => {
            log::warn!("Cannot read the limit of open files: {e}");
            return wanted;
        }
    };
    // Only a privileged process may go beyond the hard limit.
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

/// The kernel's pattern for names of core dumps, while it is ours (`--core-dump-pattern`).
#[derive(Debug)]
pub(in crate::daemon) struct CorePattern {
    file: PathBuf,
    before: Vec<u8>,
}

impl CorePattern {
    /// Where the kernel keeps it, for the whole host.
    const FILE: &'static str = "/proc/sys/kernel/core_pattern";

    /// Sets it.
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

    /// Puts the old one back.
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

fn is_done(result: io::Result<()>, what: impl FnOnce() -> String) -> bool {
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
    fn the_file_limit_goes_no_lower() {
        let now = sched::limit(Resource::Files).expect("reads");
        assert_eq!(raise_file_limit(1), now.soft);
        assert_eq!(sched::limit(Resource::Files).expect("reads"), now);
    }

    #[test]
    fn the_core_pattern_is_put_back() {
        let file = std::env::temp_dir().join(format!("core-pattern-{}", std::process::id()));
        std::fs::write(&file, "|/lib/systemd/x\n").expect("writes");
        let pattern = CorePattern::set_at(&file, "core").expect("sets");
        assert_eq!(std::fs::read(&file).expect("reads"), b"core");
        pattern.restore().expect("restores");
        assert_eq!(std::fs::read(&file).expect("reads"), b"|/lib/systemd/x\n");
        std::fs::remove_file(&file).expect("removes");
    }
}
