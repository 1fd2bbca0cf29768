//! Scheduling of the process: nice value, real time, locked memory, limits; and their undoing for
//! children.

use std::ffi::CString;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::sys::mman::{mlockall, munlockall, MlockAllFlags};
use nix::sys::resource::{getrlimit, rlim_t, setrlimit, Resource as Limited, RLIM_INFINITY};
use nix::sys::signal::{self, SaFlags, SigAction, SigHandler, SigSet, Signal};

use super::check;

/// Sets the nice value, -20 to 19.
///
/// # Errors
/// Not permitted, as for most processes without root.
pub fn set_nice(nice: i8) -> io::Result<()> {
    // SAFETY: plain numbers; 0 is this process.
    check(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, libc::c_int::from(nice)) })?;
    Ok(())
}

/// Runs under SCHED_RR with this priority, or normally with `None`. Children inherit it until
/// [`Inherited::restore`] or `run_normally`: while the daemon waits for a child, the child must
/// not be preempted.
///
/// # Errors
/// The priority is not between 1 and 99, or the process lacks permission.
pub fn set_realtime(priority: Option<u8>) -> io::Result<()> {
    let policy = if priority.is_some() { libc::SCHED_RR } else { libc::SCHED_OTHER };
    set_policy(0, policy, libc::c_int::from(priority.unwrap_or(0)))
}

/// Ends real-time scheduling of a child.
///
/// # Errors
/// There is no such process any more.
pub(super) fn run_normally(child: i32) -> io::Result<()> {
    set_policy(child, libc::SCHED_OTHER, 0)
}

fn set_policy(pid: libc::pid_t, policy: libc::c_int, parameter: libc::c_int) -> io::Result<()> {
    // A direct system call, since musl's sched_setscheduler always fails. SAFETY: the arguments of
    // sched_setscheduler(2), whose structure is one integer; it lives.
    let result =
        unsafe { libc::syscall(libc::SYS_sched_setscheduler, pid, policy, &raw const parameter) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Processors that a process may run on, as the kernel has it: a bit for each.
pub type CpuSet = [usize; 4096 / WORD];

const WORD: usize = usize::BITS as usize;

/// Restricts the process to these processors. Commands started later are not restricted.
///
/// # Errors
/// None of them exists, or is allowed.
pub fn set_cpus(cpus: &[u16]) -> io::Result<()> {
    let mut set: CpuSet = [0; 4096 / WORD];
    for cpu in cpus.iter().map(|cpu| usize::from(*cpu)) {
        if let Some(word) = set.get_mut(cpu / WORD) {
            *word |= 1 << (cpu % WORD);
        }
    }
    PINNED.store(true, Ordering::Relaxed);
    put_cpus(&set)
}

/// Undoes [`set_cpus`].
///
/// # Errors
/// The processors of the start are no longer there.
pub fn put_cpus(set: &CpuSet) -> io::Result<()> {
    // A direct system call, since the C library's set is smaller. SAFETY: the set has the length
    // given, and lives.
    let result =
        unsafe { libc::syscall(libc::SYS_sched_setaffinity, 0, size_of::<CpuSet>(), set.as_ptr()) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

fn cpus() -> io::Result<CpuSet> {
    let mut set: CpuSet = [0; 4096 / WORD];
    // SAFETY: the set has the length given, and is ours.
    let result = unsafe {
        libc::syscall(libc::SYS_sched_getaffinity, 0, size_of::<CpuSet>(), set.as_mut_ptr())
    };
    if result >= 0 {
        Ok(set)
    } else {
        Err(io::Error::last_os_error())
    }
}

/// The process was restricted, so its children have to be freed.
static PINNED: AtomicBool = AtomicBool::new(false);

/// Ends real-time scheduling when the soft limit of [`Resource::RealTime`] is reached, so that work
/// without end cannot block the host. [`overran`] reports it.
///
/// # Errors
/// None are expected.
pub fn yield_at_limit() -> io::Result<()> {
    extern "C" fn on_limit(_: libc::c_int) {
        OVERRAN.store(true, Ordering::Relaxed);
        let _ = run_normally(0);
    }
    let handler = SigHandler::Handler(on_limit);
    let action = SigAction::new(handler, SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler makes one system call and stores to an atomic.
    unsafe { signal::sigaction(Signal::SIGXCPU, &action) }?;
    let mut set = SigSet::empty();
    set.add(Signal::SIGXCPU);
    Ok(set.thread_unblock()?)
}

/// True once after each time that the limit was reached.
pub fn overran() -> bool {
    OVERRAN.load(Ordering::Relaxed) && OVERRAN.swap(false, Ordering::Relaxed)
}

static OVERRAN: AtomicBool = AtomicBool::new(false);

/// Gives the process another name, of at most 15 bytes, for ps(1) and the like.
///
/// # Errors
/// The name contains a zero.
pub fn set_process_name(name: &str) -> io::Result<()> {
    let name = CString::new(name)?;
    Ok(nix::sys::prctl::set_name(&name)?)
}

/// Which memory is locked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Locked {
    /// What is mapped.
    Now,
    /// And what will be.
    NowAndLater,
}

/// Locks memory when it is first used, so that unused memory costs nothing.
///
/// # Errors
/// Not permitted, or not enough memory.
pub fn lock_memory(which: Locked) -> io::Result<()> {
    let flags = match which {
        Locked::Now => MlockAllFlags::MCL_CURRENT,
        Locked::NowAndLater => MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE,
    };
    let on_fault = MlockAllFlags::from_bits_retain(libc::MCL_ONFAULT);
    match mlockall(flags | on_fault) {
        // Linux before 4.4.
        Err(Errno::EINVAL) => Ok(mlockall(flags)?),
        result => Ok(result?),
    }
}

/// Undoes [`lock_memory`].
///
/// # Errors
/// None are expected.
pub fn unlock_memory() -> io::Result<()> {
    Ok(munlockall()?)
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

impl From<Resource> for Limited {
    fn from(which: Resource) -> Self {
        match which {
            Resource::Files => Self::RLIMIT_NOFILE,
            Resource::RealTime => Self::RLIMIT_RTTIME,
            Resource::Core => Self::RLIMIT_CORE,
            Resource::LockedMemory => Self::RLIMIT_MEMLOCK,
        }
    }
}

/// Reads a limit.
///
/// # Errors
/// The kernel cannot be queried, which is not expected.
pub fn limit(which: Resource) -> io::Result<Limit> {
    let (soft, hard) = getrlimit(which.into())?;
    Ok(Limit { soft: widened(soft), hard: widened(hard) })
}

/// Sets a limit. Safe between fork and exec: one system call.
///
/// # Errors
/// The process may not raise the hard limit.
pub fn set_limit(which: Resource, limit: Limit) -> io::Result<()> {
    Ok(setrlimit(which.into(), narrowed(limit.soft), narrowed(limit.hard))?)
}

#[expect(clippy::useless_conversion, reason = "glibc has 32 bits for it on machines of 32 bits")]
fn widened(limit: rlim_t) -> u64 {
    if limit == RLIM_INFINITY {
        u64::MAX
    } else {
        limit.into()
    }
}

#[expect(clippy::useless_conversion, reason = "glibc has 32 bits for it on machines of 32 bits")]
fn narrowed(limit: u64) -> rlim_t {
    limit.try_into().unwrap_or(RLIM_INFINITY)
}

/// Scheduling restored for children, as it was before [`set_nice`] and [`set_limit`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Inherited {
    nice: i8,
    files: Limit,
    real_time: Limit,
    core: Limit,
    locked: Limit,
    cpus: CpuSet,
}

impl Inherited {
    /// Records the initial scheduling of the daemon.
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
            cpus: cpus()?,
        })
    }

    /// The nice value to restore.
    pub const fn nice(&self) -> i8 {
        self.nice
    }

    /// The processors to restore.
    pub const fn cpus(&self) -> &CpuSet {
        &self.cpus
    }

    /// The limit of real-time scheduling to restore.
    pub const fn real_time(&self) -> Limit {
        self.real_time
    }

    /// For a child between fork and exec; makes system calls and nothing else.
    ///
    /// Locked memory is not inherited in the first place. Failures are ignored, since the script
    /// has to run nevertheless.
    pub fn restore(&self) {
        self.restore_but_real_time();
        let _ = run_normally(0);
    }

    /// The same for a child that keeps its parent waiting; the parent then makes it
    /// [`run_normally`].
    pub(super) fn restore_but_real_time(&self) {
        let _ = set_nice(self.nice);
        let _ = set_limit(Resource::Files, self.files);
        let _ = set_limit(Resource::RealTime, self.real_time);
        let _ = set_limit(Resource::Core, self.core);
        let _ = set_limit(Resource::LockedMemory, self.locked);
        if PINNED.load(Ordering::Relaxed) {
            let _ = put_cpus(&self.cpus);
        }
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
    fn a_process_is_restricted_to_processors_and_freed() {
        // Affinity belongs to the thread, so other tests do not notice.
        let before = cpus().expect("reads");
        let allowed =
            |cpu: &u16| before[usize::from(*cpu) / WORD] >> (usize::from(*cpu) % WORD) & 1 == 1;
        let one = (0..4096_u16).find(allowed).expect("there is a processor");
        set_cpus(&[one]).expect("restricts");
        let bits = |set: CpuSet| set.iter().map(|word| word.count_ones()).sum::<u32>();
        assert_eq!(bits(cpus().expect("reads")), 1);
        assert!(set_cpus(&[4095]).is_err());
        put_cpus(&before).expect("restores");
        assert_eq!(cpus().expect("reads"), before);
    }

    #[test]
    fn the_limit_of_real_time_is_noticed_once() {
        yield_at_limit().expect("installs");
        assert!(!overran());
        signal::raise(Signal::SIGXCPU).expect("is sent to this thread");
        assert!(overran());
        assert!(!overran());
    }

    #[test]
    fn a_priority_out_of_range_is_refused() {
        assert!(set_realtime(Some(100)).is_err());
        assert!(set_realtime(None).is_ok());
    }
}
