//! Scheduling of the process: nice value, real time, locked memory, limits; and their undoing for
//! children.

use std::io;

use super::check;

/// Sets the nice value, -20 to 19.
///
/// # Errors
/// The process may not, as for most without root.
pub fn set_nice(nice: i8) -> io::Result<()> {
    // SAFETY: plain numbers; 0 is this process.
    check(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, libc::c_int::from(nice)) })?;
    Ok(())
}

/// Runs under SCHED_RR with this priority, or normally with `None`. Children inherit it until
/// [`Inherited::restore`] or [`run_normally`]: while we wait for one, it must not wait for others.
///
/// # Errors
/// The priority is not between 1 and 99, or the process may not.
pub fn set_realtime(priority: Option<u8>) -> io::Result<()> {
    let policy = if priority.is_some() { libc::SCHED_RR } else { libc::SCHED_OTHER };
    set_policy(0, policy, libc::c_int::from(priority.unwrap_or(0)))
}

/// Ends real time for a child of ours.
///
/// # Errors
/// There is no such process any more.
pub fn run_normally(child: i32) -> io::Result<()> {
    set_policy(child, libc::SCHED_OTHER, 0)
}

fn set_policy(pid: libc::pid_t, policy: libc::c_int, parameter: libc::c_int) -> io::Result<()> {
    // Asked of the kernel directly, since musl's sched_setscheduler refuses to work.
    // SAFETY: the arguments of sched_setscheduler(2), whose structure is one integer; it lives.
    let result =
        unsafe { libc::syscall(libc::SYS_sched_setscheduler, pid, policy, &raw const parameter) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Which memory is locked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Locked {
    /// What is mapped.
    Now,
    /// And what will be.
    NowAndLater,
}

/// Locks memory as soon as it is used: what never is costs nothing.
///
/// # Errors
/// The process may not, or has not the memory.
pub fn lock_memory(which: Locked) -> io::Result<()> {
    let flags = match which {
        Locked::Now => libc::MCL_CURRENT,
        Locked::NowAndLater => libc::MCL_CURRENT | libc::MCL_FUTURE,
    };
    // SAFETY: flags only.
    match check(unsafe { libc::mlockall(flags | libc::MCL_ONFAULT) }) {
        // Linux before 4.4.
        Err(e) if e.raw_os_error() == Some(libc::EINVAL) => {
            // SAFETY: flags only.
            check(unsafe { libc::mlockall(flags) })?;
        }
        result => {
            result?;
        }
    }
    Ok(())
}

/// Undoes [`lock_memory`].
///
/// # Errors
/// None that can be expected.
pub fn unlock_memory() -> io::Result<()> {
    // SAFETY: no arguments.
    check(unsafe { libc::munlockall() })?;
    Ok(())
}

/// A limit: what is enforced, and up to where that may be raised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit {
    pub soft: u64,
    pub hard: u64,
}

impl Limit {
    pub const UNLIMITED: Self = Self { soft: u64::MAX, hard: u64::MAX };
}

/// Which limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resource {
    /// Open descriptors.
    Files,
    /// Microseconds under real-time scheduling without waiting; SIGXCPU at the soft limit.
    RealTime,
    /// Size of a core dump.
    Core,
    /// Bytes of memory that may be locked.
    LockedMemory,
}

/// Reads a limit.
///
/// # Errors
/// The kernel does not tell, which it has no reason for.
pub fn limit(which: Resource) -> io::Result<Limit> {
    let mut old = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: nothing is set; `old` lives.
    unsafe { prlimit(which, std::ptr::null(), &raw mut old) }?;
    Ok(Limit { soft: old.rlim_cur, hard: old.rlim_max })
}

/// Sets a limit. Safe between fork and exec: one system call.
///
/// # Errors
/// The process may not raise the hard limit.
pub fn set_limit(which: Resource, limit: Limit) -> io::Result<()> {
    let new = libc::rlimit64 { rlim_cur: limit.soft, rlim_max: limit.hard };
    // SAFETY: `new` lives; the old limit is not asked for.
    unsafe { prlimit(which, &raw const new, std::ptr::null_mut()) }
}

/// One call per resource, because the C libraries disagree on the type of their numbers.
///
/// # Safety
/// `new` and `old` are null or point to a live limit.
unsafe fn prlimit(
    which: Resource,
    new: *const libc::rlimit64,
    old: *mut libc::rlimit64,
) -> io::Result<()> {
    // SAFETY: as the caller promises; 0 is this process.
    let result = unsafe {
        match which {
            Resource::Files => libc::prlimit64(0, libc::RLIMIT_NOFILE, new, old),
            Resource::RealTime => libc::prlimit64(0, libc::RLIMIT_RTTIME, new, old),
            Resource::Core => libc::prlimit64(0, libc::RLIMIT_CORE, new, old),
            Resource::LockedMemory => libc::prlimit64(0, libc::RLIMIT_MEMLOCK, new, old),
        }
    };
    check(result)?;
    Ok(())
}

/// What children get back: scheduling as it was before [`set_nice`] and [`set_limit`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Inherited {
    nice: i8,
    files: Limit,
    real_time: Limit,
    core: Limit,
    locked: Limit,
}

impl Inherited {
    /// Takes note of what the daemon was started with.
    ///
    /// # Errors
    /// The kernel does not tell, which it has no reason for.
    pub fn read() -> io::Result<Self> {
        Ok(Self {
            nice: nice(),
            files: limit(Resource::Files)?,
            real_time: limit(Resource::RealTime)?,
            core: limit(Resource::Core)?,
            locked: limit(Resource::LockedMemory)?,
        })
    }

    /// The nice value to go back to.
    pub const fn nice(&self) -> i8 {
        self.nice
    }

    /// For a child between fork and exec; makes system calls and nothing else.
    ///
    /// Locked memory is not inherited in the first place. What fails is left as it is: a script is
    /// to run all the same.
    pub fn restore(&self) {
        self.restore_but_real_time();
        let _ = run_normally(0);
    }

    /// The same for a child that keeps its parent waiting; the parent then makes it
    /// [`run_normally`].
    pub fn restore_but_real_time(&self) {
        let _ = set_nice(self.nice);
        let _ = set_limit(Resource::Files, self.files);
        let _ = set_limit(Resource::RealTime, self.real_time);
        let _ = set_limit(Resource::Core, self.core);
        let _ = set_limit(Resource::LockedMemory, self.locked);
    }
}

/// The nice value in force.
pub fn nice() -> i8 {
    // SAFETY: plain numbers. -1 may be an error, which does not happen for the process itself.
    let nice = unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) };
    i8::try_from(nice).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_set_and_put_back() {
        let before = Inherited::read().expect("reads");
        let core = Limit { soft: 0, hard: before.core.hard };
        set_limit(Resource::Core, core).expect("lowers");
        assert_eq!(limit(Resource::Core).expect("reads"), core);
        before.restore();
        assert_eq!(Inherited::read().expect("reads"), before);
    }

    #[test]
    fn a_priority_out_of_range_is_refused() {
        assert!(set_realtime(Some(100)).is_err());
        assert!(set_realtime(None).is_ok());
    }
}
