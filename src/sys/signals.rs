//! Signals read by the loop through a signalfd, and their names for scripts.
//!
//! The signals are blocked for the whole process, and a blocked signal stays blocked across fork
//! and exec; an ignored one stays ignored. Children therefore need `reset_for_child`, which
//! [`super::children`] calls for them.
//!
//! signal-hook, with handlers and a pipe, is no replacement: a handler interrupts whatever waits
//! (poll(2), and what has a time limit, is never restarted: signal(7)), real-time signals that were
//! sent twice are reported once, and a process copied from the daemon would write to the daemon's
//! pipe. The tests below check these properties.

use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, RawFd};

use nix::errno::Errno;
use nix::sys::signal::{self, SigSet, SigmaskHow};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// Request or report that a signal represents.
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

/// SIGRTMIN + 2 as glibc counts. musl reserves one more and counts 37, so both are accepted:
/// scripts of either kind work with a static binary.
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
/// There is no such process, or signalling it is not permitted.
pub fn ask_to_reload(pid: u32) -> io::Result<()> {
    let pid = libc::pid_t::try_from(pid).ok().filter(|pid| *pid > 0);
    let pid = pid.ok_or(ErrorKind::InvalidInput)?;
    Ok(signal::kill(nix::unistd::Pid::from_raw(pid), signal::SIGHUP)?)
}

/// What SIGINT does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interrupt {
    Stops,
    /// `--ignore-sigint`.
    Ignored,
}

/// Blocks the signals of [`Signal`] from the start of the program, so that none ends it at an
/// inconvenient time. Pending ones wait for [`Signals`].
///
/// # Errors
/// None are expected.
pub fn hold() -> io::Result<()> {
    Ok(ours().thread_block()?)
}

/// Ends [`hold`] for commands other than the daemon, which may be interrupted. Pending signals take
/// effect now.
///
/// # Errors
/// None that can be expected.
pub fn release() -> io::Result<()> {
    Ok(ours().thread_unblock()?)
}

/// Signals that arrived while they were blocked.
#[derive(Clone, Copy)]
pub(super) struct Pending(libc::sigset_t);

impl Pending {
    pub(super) fn now() -> Self {
        let mut set = *SigSet::empty().as_ref();
        // SAFETY: `set` lives; a failure leaves it empty.
        unsafe { libc::sigpending(&raw mut set) };
        Self(set)
    }

    /// Sends them to this process, since a fork does not pass pending signals on.
    pub(super) fn repeat(&self) {
        for (number, _) in ALL {
            if contains(&self.0, number) {
                // SAFETY: numbers only.
                unsafe { libc::kill(libc::getpid(), number) };
            }
        }
    }
}

/// Waits for one of the signals that are held; `None` if the wait was interrupted.
pub(super) fn next() -> Option<i32> {
    let mut number = 0;
    // SAFETY: both live. The set is the one that is blocked.
    let result = unsafe { libc::sigwait(ours().as_ref(), &raw mut number) };
    (result == 0).then_some(number)
}

fn ours() -> SigSet {
    set_of(ALL.into_iter().map(|(number, _)| number))
}

/// By number, as nix has no names for real-time signals.
fn set_of(numbers: impl Iterator<Item = i32>) -> SigSet {
    let mut set = *SigSet::empty().as_ref();
    for number in numbers {
        // SAFETY: an initialised set of ours; a number that is no signal's would be refused.
        unsafe { libc::sigaddset(&raw mut set, number) };
    }
    // SAFETY: it was initialised as an empty set.
    unsafe { SigSet::from_sigset_t_unchecked(set) }
}

fn contains(set: &libc::sigset_t, number: i32) -> bool {
    // SAFETY: an initialised set that lives.
    unsafe { libc::sigismember(set, number) == 1 }
}

/// The descriptor that becomes readable when a signal has come. Does not block.
#[derive(Debug)]
pub struct Signals {
    fd: SignalFd,
}

impl Signals {
    /// Blocks the signals of [`Signal`] for the process and ignores SIGPIPE.
    ///
    /// # Errors
    /// The system call fails for lack of descriptors or memory.
    pub fn new(interrupt: Interrupt) -> io::Result<Self> {
        ignore(libc::SIGPIPE)?;
        let stops = interrupt == Interrupt::Stops;
        if !stops {
            ignore(libc::SIGINT)?;
        }
        let numbers = ALL.into_iter().map(|(number, _)| number);
        let numbers = numbers.filter(|&number| stops || number != libc::SIGINT);
        for number in numbers.clone() {
            // The parent may have ignored SIGCHLD, and children could not be waited for.
            set_action(number, libc::SIG_DFL)?;
        }
        let set = set_of(numbers);
        set.thread_block()?;
        let fd = SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        Ok(Self { fd })
    }

    /// The next signal that has come, or `None`.
    ///
    /// # Errors
    /// Reading fails, which is not expected.
    pub fn take(&mut self) -> io::Result<Option<Signal>> {
        loop {
            let number = match self.fd.read_signal() {
                Ok(Some(record)) => record.ssi_signo,
                Ok(None) => return Ok(None),
                Err(Errno::EINTR) => continue,
                Err(e) => return Err(e.into()),
            };
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
    Ok(SigSet::empty().thread_set_mask()?)
}

/// Blocks all signals for this thread; returns the mask to restore.
pub(super) fn block_all() -> io::Result<SigSet> {
    Ok(SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK)?)
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

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use nix::poll::{poll, PollFd, PollFlags, PollTimeout};

    use super::*;
    use crate::sys::tests::wait;

    /// To this thread only: other tests of the process have not blocked anything.
    fn raise(number: i32) {
        // SAFETY: raises a signal that this thread has blocked.
        assert_eq!(unsafe { libc::raise(number) }, 0);
    }

    #[test]
    fn functions_have_the_numbers_of_the_original() {
        let names = ["STOP", "RELOAD", "DATA", "STATS", "STATS_CLEAR", "JSON"];
        let numbers = names.map(|n| signal_number(n).unwrap_or(0));
        let is_mips = cfg!(any(target_arch = "mips", target_arch = "mips64"));
        let (data, stats) = if is_mips { (16, 17) } else { (10, 12) };
        assert_eq!(numbers, [15, 1, data, stats, 63, 36]);
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
    fn a_real_time_signal_sent_twice_is_read_twice() {
        let mut signals = Signals::new(Interrupt::Stops).expect("a signalfd");
        for number in [JSON, STATS_CLEAR, JSON, JSON_MUSL] {
            raise(number);
        }
        let read = std::iter::from_fn(|| signals.take().expect("reads"));
        let expected = [Signal::Json, Signal::Json, Signal::Json, Signal::StatsClear];
        assert_eq!(read.collect::<Vec<_>>(), expected);
    }

    /// The state of a thread of this process, as proc_pid_stat(5) has it: `S` while it waits.
    fn state(thread: nix::unistd::Pid) -> Option<char> {
        let path = format!("/proc/self/task/{thread}/stat");
        let stat = crate::sys::open::kernel_read(std::path::Path::new(&path)).ok()?;
        let stat = String::from_utf8_lossy(&stat).into_owned();
        stat.rsplit_once(") ")?.1.chars().next()
    }

    #[test]
    fn a_signal_interrupts_no_wait() {
        let mut signals = Signals::new(Interrupt::Stops).expect("a signalfd");
        let (reader, writer) = crate::sys::pipe().expect("a pipe");
        // As a number: musl has a pointer, which cannot be moved to another thread.
        let (thread, waiting) = (nix::sys::pthread::pthread_self() as usize, nix::unistd::gettid());
        #[expect(clippy::disallowed_methods, reason = "the other end of a test needs a thread")]
        let other = std::thread::spawn(move || {
            wait(|| (state(waiting) == Some('S')).then_some(()));
            nix::sys::pthread::pthread_kill(thread as libc::pthread_t, signal::SIGHUP)
                .expect("sends");
            // The message after the signal ends the wait.
            nix::unistd::write(&writer, b"x").expect("writes");
        });
        let mut ready = [PollFd::new(reader.as_fd(), PollFlags::POLLIN)];
        assert_eq!(poll(&mut ready, PollTimeout::NONE), Ok(1));
        other.join().expect("ends");
        assert_eq!(signals.take().expect("reads"), Some(Signal::Reload));
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
        let now = SigSet::thread_get_mask().expect("the mask of this thread");
        for (number, _) in ALL {
            assert!(!contains(now.as_ref(), number), "{number}");
        }
        ignore(libc::SIGPIPE).expect("as the test harness had it");
    }
}
