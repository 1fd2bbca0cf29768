//! Signals as something the loop reads: a signalfd, and the names scripts use for them.
//!
//! The signals are blocked for the whole process, and a blocked signal stays blocked across fork
//! and exec; an ignored one stays ignored. Children therefore need `reset_for_child`, which
//! [`super::children`] calls for them.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use super::check;

/// What somebody asks the daemon by a signal, or the kernel tells it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Signal {
    /// SIGTERM, SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
    /// SIGUSR1: write the data dump.
    Data,
    /// SIGUSR2: write the statistics.
    Stats,
    /// SIGRTMAX - 1: write the statistics and start them anew.
    StatsClear,
    /// SIGRTMIN + 2: write the JSON dump.
    Json,
    /// SIGCHLD: children have ended. One for several of them is possible.
    Child,
    /// SIGXCPU: the limit of real-time CPU is near.
    CpuLimit,
}

/// SIGRTMIN + 2 as glibc counts. musl keeps one more for itself and counts 37, so that both are
/// taken: scripts of either kind work with a static binary.
const JSON: i32 = 36;
const JSON_MUSL: i32 = 37;
/// SIGRTMAX - 1, which is the same everywhere.
const STATS_CLEAR: i32 = 63;

const ALL: [(i32, Signal); 10] = [
    (libc::SIGTERM, Signal::Stop),
    (libc::SIGINT, Signal::Stop),
    (libc::SIGHUP, Signal::Reload),
    (libc::SIGUSR1, Signal::Data),
    (libc::SIGUSR2, Signal::Stats),
    (STATS_CLEAR, Signal::StatsClear),
    (JSON, Signal::Json),
    (JSON_MUSL, Signal::Json),
    (libc::SIGCHLD, Signal::Child),
    (libc::SIGXCPU, Signal::CpuLimit),
];

/// The number for `--signum`. Names are taken exactly.
pub fn signal_number(function: &str) -> Option<i32> {
    match function {
        "STOP" => Some(libc::SIGTERM),
        "RELOAD" => Some(libc::SIGHUP),
        "DATA" => Some(libc::SIGUSR1),
        "STATS" => Some(libc::SIGUSR2),
        "STATS_CLEAR" => Some(STATS_CLEAR),
        "JSON" => Some(JSON),
        _ => None,
    }
}

/// Sends a daemon the signal for [`Signal::Reload`].
///
/// # Errors
/// There is no such process, or it is not ours to signal.
pub fn ask_to_reload(pid: u32) -> io::Result<()> {
    let pid = libc::pid_t::try_from(pid).ok().filter(|pid| *pid > 0);
    let pid = pid.ok_or(ErrorKind::InvalidInput)?;
    // SAFETY: numbers only.
    check(unsafe { libc::kill(pid, libc::SIGHUP) })?;
    Ok(())
}

/// What SIGINT does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interrupt {
    Stops,
    /// `--ignore-sigint`.
    Ignored,
}

/// Holds the signals of [`Signal`] back, from the first moment of the program on: until they can be
/// read, none ends it in the middle of something. What comes meanwhile waits for [`Signals`].
///
/// # Errors
/// None that can be expected.
pub fn hold() -> io::Result<()> {
    mask(libc::SIG_BLOCK, &all_of_ours())
}

/// Ends [`hold`], for what is no daemon and may be interrupted. What has come has its effect now.
///
/// # Errors
/// None that can be expected.
pub fn release() -> io::Result<()> {
    mask(libc::SIG_UNBLOCK, &all_of_ours())
}

/// Signals that have come while they were held.
#[derive(Clone, Copy)]
pub(super) struct Pending(libc::sigset_t);

impl Pending {
    pub(super) fn now() -> Self {
        let mut set = empty_set();
        // SAFETY: `set` lives; a failure leaves it empty.
        unsafe { libc::sigpending(&raw mut set) };
        Self(set)
    }

    /// Sends them to this process, to which a fork has not handed them down.
    pub(super) fn repeat(&self) {
        for (number, _) in ALL {
            // SAFETY: an initialised set, and numbers.
            unsafe {
                if libc::sigismember(&raw const self.0, number) == 1 {
                    libc::kill(libc::getpid(), number);
                }
            }
        }
    }
}

fn all_of_ours() -> libc::sigset_t {
    let mut set = empty_set();
    for (number, _) in ALL {
        // SAFETY: an initialised set of ours and valid numbers.
        unsafe { libc::sigaddset(&raw mut set, number) };
    }
    set
}

/// The descriptor that becomes readable when a signal has come. Does not block.
#[derive(Debug)]
pub struct Signals {
    fd: File,
}

impl Signals {
    /// Blocks the signals of [`Signal`] for the process and ignores SIGPIPE.
    ///
    /// # Errors
    /// The system call fails, for want of descriptors or memory.
    pub fn new(interrupt: Interrupt) -> io::Result<Self> {
        ignore(libc::SIGPIPE)?;
        let ours = |number: i32| interrupt == Interrupt::Stops || number != libc::SIGINT;
        if interrupt == Interrupt::Ignored {
            ignore(libc::SIGINT)?;
        }
        let mut set = empty_set();
        for (number, _) in ALL.into_iter().filter(|&(number, _)| ours(number)) {
            // Whoever started us may have ignored SIGCHLD, and children could not be waited for.
            set_action(number, libc::SIG_DFL)?;
            // SAFETY: `set` is an initialised set of ours and the numbers are valid.
            check(unsafe { libc::sigaddset(&raw mut set, number) })?;
        }
        mask(libc::SIG_BLOCK, &set)?;
        // SAFETY: `set` lives; -1 asks for a new descriptor.
        let fd = check(unsafe {
            libc::signalfd(-1, &raw const set, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC)
        })?;
        // SAFETY: just made, and nobody else's.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { fd: File::from(fd) })
    }

    /// The next signal that has come, or `None`.
    ///
    /// # Errors
    /// Reading fails, which the kernel has no reason for.
    pub fn take(&mut self) -> io::Result<Option<Signal>> {
        loop {
            let mut record = [0; size_of::<libc::signalfd_siginfo>()];
            match self.fd.read_exact(&mut record) {
                Ok(()) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            }
            // `ssi_signo` is the first field.
            let number = u32::from_ne_bytes([record[0], record[1], record[2], record[3]]);
            let known = ALL.iter().find(|&&(n, _)| u32::try_from(n) == Ok(number));
            if let Some(&(_, signal)) = known {
                return Ok(Some(signal));
            }
        }
    }
}

impl AsRawFd for Signals {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

/// Gives a child between fork and exec the signals of a fresh process.
///
/// Safe there: it makes system calls and nothing else.
///
/// # Errors
/// A system call fails; the child should end then.
pub(super) fn reset_for_child() -> io::Result<()> {
    // The daemon may have been started with any of them ignored.
    for signal in 1..=64 {
        // Some cannot be changed, and need not.
        let _ = set_action(signal, libc::SIG_DFL);
    }
    mask(libc::SIG_SETMASK, &empty_set())
}

/// Blocks all signals for this thread; gives the mask to put back with [`set_mask`].
pub(super) fn block_all() -> io::Result<libc::sigset_t> {
    let mut all = empty_set();
    let mut before = empty_set();
    // SAFETY: `all` lives.
    unsafe { libc::sigfillset(&raw mut all) };
    // SAFETY: both live.
    match unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before) } {
        0 => Ok(before),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// Sets the mask of this thread.
pub(super) fn set_mask(to: &libc::sigset_t) -> io::Result<()> {
    mask(libc::SIG_SETMASK, to)
}

fn ignore(signal: i32) -> io::Result<()> {
    set_action(signal, libc::SIG_IGN)
}

fn set_action(signal: i32, action: libc::sighandler_t) -> io::Result<()> {
    // SAFETY: ignoring and the default run no code of ours.
    let before = unsafe { libc::signal(signal, action) };
    if before == libc::SIG_ERR {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn empty_set() -> libc::sigset_t {
    // SAFETY: a set is plain data; all zeros is valid, and sigemptyset makes it empty for sure.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        set
    }
}

fn mask(how: libc::c_int, set: &libc::sigset_t) -> io::Result<()> {
    // SAFETY: `set` lives, and the old mask is not asked for.
    match unsafe { libc::pthread_sigmask(how, set, std::ptr::null_mut()) } {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// To this thread only: other tests of the process have not blocked anything.
    fn raise(number: i32) {
        // SAFETY: raises a signal that this thread has blocked.
        assert_eq!(unsafe { libc::raise(number) }, 0);
    }

    #[test]
    fn functions_have_the_numbers_of_the_original() {
        let names = ["STOP", "RELOAD", "DATA", "STATS", "STATS_CLEAR", "JSON"];
        let numbers = names.map(|n| signal_number(n).unwrap_or(0));
        assert_eq!(numbers, [15, 1, 10, 12, 63, 36]);
        for bad in ["stop", "TDATA", "TDUMP", ""] {
            assert_eq!(signal_number(bad), None);
        }
    }

    #[test]
    fn signals_are_read_not_suffered() {
        let mut signals = Signals::new(Interrupt::Stops).expect("a signalfd");
        assert_eq!(signals.take().expect("reads"), None);
        for (number, signal) in ALL {
            raise(number);
            assert_eq!(signals.take().expect("reads"), Some(signal), "{number}");
        }
        assert_eq!(signals.take().expect("reads"), None);
    }

    #[test]
    fn what_comes_while_signals_are_held_is_read_later() {
        hold().expect("holds");
        raise(libc::SIGHUP);
        let mut signals = Signals::new(Interrupt::Stops).expect("a signalfd");
        assert_eq!(signals.take().expect("reads"), Some(Signal::Reload));
        assert_eq!(signals.take().expect("reads"), None);
        release().expect("releases");
    }

    #[test]
    fn the_mask_is_gone_in_a_child_that_resets_it() {
        let _signals = Signals::new(Interrupt::Stops).expect("a signalfd");
        reset_for_child().expect("resets");
        let mut now = empty_set();
        // SAFETY: only asks for the mask of this thread.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), &raw mut now) };
        for (number, _) in ALL {
            // SAFETY: an initialised set.
            assert_eq!(unsafe { libc::sigismember(&raw const now, number) }, 0, "{number}");
        }
        ignore(libc::SIGPIPE).expect("as the test harness had it");
    }
}
