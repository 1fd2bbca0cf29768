//! The process itself: daemonising, umask, standard descriptors, and the name of the kernel.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd as _, AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::signal::kill;
use nix::sys::stat::{umask, Mode};
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout, setsid, Pid};

use super::{check, open, pipe, signals};

/// Reports the outcome of the startup to the process that the operator started.
///
/// That process ends with the status reported, and with 1 if this is dropped or the daemon dies
/// first. In the foreground there is no such process, and nothing happens.
#[derive(Debug, Default)]
#[must_use = "the process that was started waits for it"]
pub struct Readiness {
    pipe: Option<File>,
}

impl Readiness {
    /// For a daemon that stays in the foreground.
    pub const fn foreground() -> Self {
        Self { pipe: None }
    }

    /// The daemon is running: releases the standard descriptors and the waiting process.
    ///
    /// # Errors
    /// `/dev/null` cannot be opened. Success is reported to the waiting process all the same.
    pub fn ready(self) -> io::Result<()> {
        let detached = if self.pipe.is_some() { detach_standard() } else { Ok(()) };
        self.tell(0);
        detached
    }

    /// The daemon ends with this status.
    pub fn failed(self, status: u8) {
        self.tell(status);
    }

    fn tell(mut self, status: u8) {
        if let Some(pipe) = &mut self.pipe {
            // The waiting process may have been killed, which is no reason to stop.
            let _ = pipe.write_all(&[status]);
        }
    }
}

/// Continues in the background, in a session of its own without a terminal, in `/`.
///
/// Returns in the new process only. The one that called waits for [`Readiness`] and ends. Output
/// still goes to the terminal until then, so that errors at the start are visible there.
///
/// Only for a process with one thread: others do not exist in the new one. The one that waits can be
/// interrupted; signals that were held until now ([`signals::hold`]) are the new one's.
///
/// # Errors
/// No process can be made. The caller then ends, and a process that waits ends with 1.
pub fn daemonise() -> io::Result<Readiness> {
    let (reader, writer) = pipe()?;
    let pending = signals::Pending::now();
    if fork()? != 0 {
        drop(writer);
        let _ = signals::release();
        exit_now(wait_for_status(reader));
    }
    drop(reader);
    // It fails only for the leader of a group, which a new process is not.
    setsid()?;
    // The leader of a session could still acquire a terminal; its child cannot.
    if fork()? != 0 {
        exit_now(0);
    }
    pending.repeat();
    leave_directory()?;
    Ok(Readiness { pipe: Some(File::from(writer)) })
}

/// Continues in `/`, for a process that is in the background already.
///
/// # Errors
/// None are expected.
pub fn leave_directory() -> io::Result<()> {
    std::env::set_current_dir("/")
}

fn wait_for_status(reader: OwnedFd) -> u8 {
    let mut status = [1];
    // The end of the pipe without a byte: the daemon died while it started.
    match File::from(reader).read_exact(&mut status) {
        Ok(()) => status[0],
        Err(_) => 1,
    }
}

/// The far end of a stand-in: it works until this is closed, by hand or with this process.
#[derive(Debug)]
pub struct StandIn(UnixStream);

impl StandIn {
    /// The program before this one has made it.
    pub fn inherited(file: File) -> Self {
        Self(UnixStream::from(OwnedFd::from(file)))
    }

    /// Has it end its work, and waits for its last word, which comes after all that it did.
    ///
    /// # Errors
    /// It is dead, or says nothing for so long.
    pub fn relieve(mut self, limit: Duration) -> io::Result<String> {
        self.0.set_read_timeout(Some(limit))?;
        self.0.shutdown(Shutdown::Write)?;
        let mut word = String::new();
        self.0.read_to_string(&mut word)?;
        Ok(word)
    }
}

impl AsRawFd for StandIn {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// For the process that stands in: when to end.
#[derive(Debug)]
pub struct Relief(UnixStream);

impl Relief {
    /// True once it is relieved, or if waiting fails; waits for that at most so long.
    pub fn wait(&self, limit: Duration) -> bool {
        let mut fds = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        // Rounded up: a deadline that is a fraction of a millisecond away has not come.
        let millis = limit.as_micros().div_ceil(1_000);
        let timeout = PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX);
        !matches!(poll(&mut fds, timeout), Ok(0))
    }
}

/// Copies this process, and has the copy do some work until it is relieved; the result is its last
/// word. Then it ends without running destructors.
///
/// Only for a process with one thread. The copy has all descriptors, so that it can use the sockets.
///
/// # Errors
/// No process or socket can be made.
pub fn stand_in(work: impl FnOnce(&Relief) -> String) -> io::Result<StandIn> {
    let (near, far) = UnixStream::pair()?;
    if fork()? != 0 {
        return Ok(StandIn(far));
    }
    drop(far);
    work_until_relieved(near, work);
    exit_now(0);
}

/// Closes its end: the memory of a large process takes a while to release, and its word is waited
/// for.
fn work_until_relieved(near: UnixStream, work: impl FnOnce(&Relief) -> String) {
    let mut relief = Relief(near);
    // What panics here ends here.
    let word = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&relief)));
    // The process that it stood in for may be gone.
    let _ = word.map(|word| relief.0.write_all(word.as_bytes()));
}

pub(super) fn fork() -> io::Result<libc::pid_t> {
    // SAFETY: the process has one thread (`daemonise` requires it), so that the child finds all
    // locks and memory in order.
    check(unsafe { libc::fork() })
}

/// Ends without running destructors, which belong to the process that this one was copied from.
pub fn exit_now(status: u8) -> ! {
    // SAFETY: takes a number and does not return.
    unsafe { libc::_exit(libc::c_int::from(status)) }
}

/// Puts `/dev/null` in the place of standard input, output and error.
fn detach_standard() -> io::Result<()> {
    let null = open::null()?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    Ok(dup2_stderr(&null)?)
}

/// True while a process has this number.
pub fn exists(pid: u32) -> bool {
    let Ok(pid) = libc::pid_t::try_from(pid) else { return false };
    matches!(kill(Pid::from_raw(pid), None), Ok(()) | Err(Errno::EPERM))
}

/// The kernel's name of a process; `None` if it does not exist here.
pub fn name_of(pid: u32) -> Option<String> {
    let name = open::kernel_read(Path::new(&format!("/proc/{pid}/comm"))).ok()?;
    Some(String::from_utf8_lossy(&name).trim_end().to_owned())
}

/// Sets the umask and returns the old one.
pub fn set_umask(mask: u32) -> u32 {
    umask(Mode::from_bits_truncate(mask & 0o777)).bits()
}

/// Result of `uname`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Uname {
    pub system: String,
    pub host: String,
    pub release: String,
    pub version: String,
}

impl Uname {
    /// The host's name up to the first dot: the default of `--config-id`.
    pub fn short_host(&self) -> &str {
        self.host.split('.').next().unwrap_or_default()
    }

    /// `Linux 6.1.0 #1 SMP`, for the lines that say where this runs.
    pub fn running_on(&self) -> String {
        format!("{} {} {}", self.system, self.release, self.version)
    }
}

/// Reads the names of the kernel and the host.
pub fn uname() -> Uname {
    let names = nix::sys::utsname::uname().expect("the kernel has no reason to refuse");
    let text = |name: &OsStr| name.to_string_lossy().into_owned();
    Uname {
        system: text(names.sysname()),
        host: text(names.nodename()),
        release: text(names.release()),
        version: text(names.version()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waiting_process_learns_the_status() {
        for status in [0, 2] {
            let (reader, writer) = pipe().expect("a pipe");
            Readiness { pipe: Some(File::from(writer)) }.tell(status);
            assert_eq!(wait_for_status(reader), status);
        }
    }

    #[test]
    fn a_daemon_that_dies_while_starting_is_a_failure() {
        let (reader, writer) = pipe().expect("a pipe");
        drop(Readiness { pipe: Some(File::from(writer)) });
        assert_eq!(wait_for_status(reader), 1);
    }

    #[test]
    fn the_foreground_keeps_its_standard_descriptors() {
        let descriptors = || {
            [0, 1, 2].map(|fd| std::fs::read_link(format!("/proc/self/fd/{fd}")).expect("is open"))
        };
        let before = descriptors();
        Readiness::foreground().ready().expect("nothing to do");
        assert_eq!(descriptors(), before);
    }

    #[test]
    fn the_last_word_of_a_stand_in() {
        // Both ends in one process: the word is in the socket when it is read.
        let relieve = |work: fn(&Relief) -> String| {
            let (near, far) = UnixStream::pair().expect("a socket");
            far.shutdown(Shutdown::Write).expect("it is open");
            work_until_relieved(near, work);
            StandIn(far).relieve(Duration::from_secs(60)).expect("it has ended")
        };
        let obeys = |relief: &Relief| {
            assert!(relief.wait(Duration::from_secs(60)), "it is relieved");
            "word".to_owned()
        };
        assert_eq!(relieve(obeys), "word");
        assert_eq!(relieve(|_| std::panic::panic_any(())), "");
        // One that is stuck.
        let (_near, far) = UnixStream::pair().expect("a socket");
        let silent = StandIn(far).relieve(Duration::from_millis(10)).expect_err("no word");
        assert_eq!(silent.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn the_host_name_is_short() {
        let mut names = uname();
        assert_eq!(names.system, "Linux");
        assert!(!names.release.is_empty());
        names.host = "a.example.org".into();
        assert_eq!(names.short_host(), "a");
    }
}
