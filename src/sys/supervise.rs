//! A process that does nothing but wait for the daemon, so that it can be started again.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{fcntl, FcntlArg, OFlag};
use nix::sys::wait::{waitpid, WaitPidFlag, WaitStatus};
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout, Pid};

use super::{capability, open, pipe, process, signals};

/// How the daemon ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Death {
    Exited(u8),
    /// By this signal.
    Killed(i32),
}

/// What the daemon says to the process that waits for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum News {
    /// The start is complete.
    Ready,
    /// It ends because it was asked to.
    Stopping,
}

impl News {
    const fn byte(self) -> u8 {
        match self {
            Self::Ready => b'R',
            Self::Stopping => b'S',
        }
    }
}

/// The daemon's end.
#[derive(Debug)]
pub struct Supervisor(File);

impl Supervisor {
    /// The one that the program before this one had.
    pub const fn inherited(file: File) -> Self {
        Self(file)
    }

    /// Never waits. The process that waits may have been killed, which changes nothing.
    pub fn tell(&mut self, news: News) {
        let _ = self.0.write_all(&[news.byte()]);
    }
}

impl AsRawFd for Supervisor {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// The waiting end.
#[derive(Debug)]
pub struct Watched {
    pid: Pid,
    news: File,
}

/// What is left of a daemon.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remains {
    pub death: Death,
    pub was_ready: bool,
    pub was_stopping: bool,
}

/// Copies this process: the copy becomes the daemon.
///
/// # Errors
/// No process or pipe can be made.
pub fn split() -> io::Result<Result<Watched, Supervisor>> {
    let (reader, writer) = pipe()?;
    match process::fork()? {
        0 => {
            fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
            Ok(Err(Supervisor(File::from(writer))))
        }
        pid => Ok(Ok(Watched { pid: Pid::from_raw(pid), news: File::from(reader) })),
    }
}

impl Watched {
    /// Lets go of the terminal, if there is one.
    pub fn detach(&self) {
        if let Ok(null) = open::null() {
            let _ = dup2_stdin(&null)
                .and_then(|()| dup2_stdout(&null))
                .and_then(|()| dup2_stderr(&null));
        }
    }

    /// Waits for its end. Signals for the daemon are passed on. No capability is effective meanwhile:
    /// only the next daemon needs them.
    pub fn wait(self) -> Remains {
        // Where the kernel refuses, all goes on as it is.
        let _ = capability::lay_down();
        let remains = self.watch();
        let _ = capability::take_up();
        remains
    }

    fn watch(mut self) -> Remains {
        loop {
            // The end may have come before the wait.
            if let Some(death) = self.death() {
                return self.remains(death);
            }
            if let Some(number) = signals::next() {
                if number != libc::SIGCHLD {
                    // SAFETY: numbers only. Real-time signals have no names; and the daemon, which is
                    // not buried yet, may have ended just now.
                    unsafe { libc::kill(self.pid.as_raw(), number) };
                }
            }
        }
    }

    /// Orphans are buried as well: this may be the init process of a container.
    fn death(&self) -> Option<Death> {
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, status)) if pid == self.pid => {
                    return Some(Death::Exited(u8::try_from(status & 0xff).unwrap_or(u8::MAX)));
                }
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == self.pid => {
                    return Some(Death::Killed(signal as i32));
                }
                // Without children, the daemon has been buried by a mistake of ours.
                Err(Errno::ECHILD) => return Some(Death::Killed(libc::SIGKILL)),
                Ok(WaitStatus::StillAlive) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    fn remains(&mut self, death: Death) -> Remains {
        let mut said = Vec::new();
        // Scripts of the daemon may hold the other end for a while.
        let open = fcntl(&self.news, FcntlArg::F_SETFL(OFlag::O_NONBLOCK));
        if open.is_ok() {
            let _ = self.news.read_to_end(&mut said);
        }
        Remains {
            death,
            was_ready: said.contains(&News::Ready.byte()),
            was_stopping: said.contains(&News::Stopping.byte()),
        }
    }
}
