//! Commands of operators: starting them, terminating them, and collecting their exit status.
//!
//! There are two ways of starting. A command that runs every second shares the daemon's memory
//! until it is executed, as with vfork: that takes some 30 µs regardless of the daemon's size. But
//! the daemon waits while the command is read from disk if it is not in memory, and the command
//! must not change its user, who could stop the new process at that moment and the daemon with it.
//! In the other way the memory is copied and the loop continues: half a millisecond, and more for a
//! large daemon.
//!
//! SIGCHLD reports that children have ended. All are waited for, not only those started here: in a
//! container the daemon may be the init process, which inherits all orphans.

mod remote;
mod shared;
mod start;
mod streams;

use std::io;

use nix::sys::signal::{killpg, Signal};
use nix::sys::wait::waitpid;

use super::check;
pub use remote::is_remote;
pub use start::{Child, Failure, Manner, Starter};
pub use streams::Streams;

/// A child that has not been reaped by [`bury`], so that its process id is not reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pid(libc::pid_t);

impl Pid {
    /// For log lines.
    pub const fn number(self) -> i32 {
        self.0
    }
}

/// How a child ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Exited(u8),
    /// By this signal.
    Killed(i32),
    /// The command was never executed.
    NotStarted(Failure),
}

/// A child that has ended and can be reaped; the same one is returned until then.
/// [`Child::outcome`] knows whether it was executed at all.
///
/// # Errors
/// None are expected; having no children is not an error.
pub fn ended() -> io::Result<Option<(Pid, Outcome)>> {
    // SAFETY: plain data, for which zero is valid.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: `info` lives.
    match check(unsafe { libc::waitid(libc::P_ALL, 0, &raw mut info, flags) }) {
        Ok(_) => {}
        Err(e) if e.raw_os_error() == Some(libc::ECHILD) => return Ok(None),
        Err(e) => return Err(e),
    }
    // SAFETY: waitid fills in these two, and zero was there before if no child has ended.
    let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
    if pid == 0 {
        return Ok(None);
    }
    let outcome = if info.si_code == libc::CLD_EXITED {
        Outcome::Exited(u8::try_from(status & 0xff).unwrap_or(u8::MAX))
    } else {
        Outcome::Killed(status)
    };
    Ok(Some((Pid(pid), outcome)))
}

/// Removes a child that has ended from the process table. Its process id may be reused from now on.
pub fn bury(pid: Pid) {
    // Waits for a child that is just ending.
    let _ = waitpid(nix::unistd::Pid::from_raw(pid.0), None);
}

/// Signals for a child.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    Terminate,
    Kill,
}

/// Sends a signal to a child and its descendants, except those that have left its process group. An
/// empty group is not an error.
pub fn signal_group(pid: Pid, signal: Sent) {
    let signal = match signal {
        Sent::Terminate => Signal::SIGTERM,
        Sent::Kill => Signal::SIGKILL,
    };
    // The leader has not been reaped, so the group id is not reused.
    let _ = killpg(nix::unistd::Pid::from_raw(pid.0), signal);
}

#[cfg(test)]
mod tests;
