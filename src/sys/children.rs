//! Commands for the operator: starting them, ending them, learning how they ended.
//!
//! There are two manners of starting. A command that runs every second borrows our memory until it
//! is executed, as with vfork: that costs the loop some 30 µs however large the daemon is. But it
//! waits for the command to be read from its disk, if it is not in memory, and must not change its
//! user, who could stop the new process just then and us with it. In the other manner the memory is
//! copied and the loop goes on: half a millisecond, and more for a large daemon.
//!
//! SIGCHLD reports that children have ended. All are waited for, not only those started here:
//! in a container we may be the first process, which inherits the orphans of all others.

mod remote;
mod shared;
mod start;

use std::io;

use nix::sys::signal::{killpg, Signal};
use nix::sys::wait::waitpid;

use super::check;
pub use remote::is_remote;
pub use start::{Child, Failure, Manner, Starter};

/// A child that has not been [`bury`]-ed yet, so that no other process has the number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pid(libc::pid_t);

impl Pid {
    /// For lines of the log.
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

/// A child that has ended and can be buried; the same one again and again until then. Whether it
/// was executed at all, [`Child::outcome`] knows.
///
/// # Errors
/// None that can be expected: to have no children is not one.
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

/// Takes a child that has ended from the table of processes. Its number is free from now on.
pub fn bury(pid: Pid) {
    // One that is just ending is waited for.
    let _ = waitpid(nix::unistd::Pid::from_raw(pid.0), None);
}

/// What can be sent to a child.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    Terminate,
    Kill,
}

/// Sends a signal to a child that was started here and to what it has started in turn, except for
/// processes that have left its group. That none is left is no error.
pub fn signal_group(pid: Pid, signal: Sent) {
    let signal = match signal {
        Sent::Terminate => Signal::SIGTERM,
        Sent::Kill => Signal::SIGKILL,
    };
    // The leader is not buried, so the group is still its own.
    let _ = killpg(nix::unistd::Pid::from_raw(pid.0), signal);
}

#[cfg(test)]
mod tests;
