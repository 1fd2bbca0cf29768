//! Where log lines end. None of these waits for a reader, except where that is said.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::SockRef;

use super::output::Sink;
use crate::base::time::WallTime;
use crate::sys::{check, clock, open};

/// Where the host's syslog listens.
pub(super) const SYSLOG_SOCKET: &str = "/dev/log";

/// A datagram socket that is connected when needed, and again when syslog was restarted.
#[derive(Debug)]
pub(super) struct SyslogSocket {
    path: PathBuf,
    socket: Option<UnixDatagram>,
    /// When nobody listened there.
    missed: Option<WallTime>,
}

/// How long a host without a syslog is left alone: looking for one costs more than a line.
const PATIENCE: Duration = Duration::from_millis(100);

impl SyslogSocket {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), socket: None, missed: None }
    }

    fn connect(&mut self) -> io::Result<UnixDatagram> {
        let now = clock::wall();
        let ago = |missed: WallTime| Duration::from_micros(missed.0.abs_diff(now.0));
        if self.missed.is_some_and(|missed| ago(missed) < PATIENCE) {
            return Err(ErrorKind::NotFound.into());
        }
        self.missed = Some(now);
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.connect(&self.path)?;
        self.missed = None;
        Ok(socket)
    }
}

impl Sink for SyslogSocket {
    fn send(&mut self, line: &[u8]) -> io::Result<usize> {
        // The first failure may only mean that syslog was restarted since the last line.
        for _ in 0..2 {
            let socket = match self.socket.take() {
                Some(socket) => socket,
                None => match self.connect() {
                    Ok(socket) => socket,
                    // It may start, or come back: lines wait for it.
                    Err(_) => return Err(ErrorKind::WouldBlock.into()),
                },
            };
            match socket.send(line) {
                Err(e) if !is_full(&e) => {}
                outcome => {
                    self.socket = Some(socket);
                    return outcome.map_err(|_| ErrorKind::WouldBlock.into());
                }
            }
        }
        Err(ErrorKind::NotConnected.into())
    }

    fn descriptor(&self) -> Option<RawFd> {
        self.socket.as_ref().map(AsRawFd::as_raw_fd)
    }

    fn joins(&self) -> bool {
        false
    }
}

fn is_full(e: &io::Error) -> bool {
    e.kind() == ErrorKind::WouldBlock || e.raw_os_error() == Some(libc::ENOBUFS)
}

/// A log file that can be opened anew.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    stream: Stream,
}

impl LogFile {
    /// Opens for appending; never through a link of either kind, since the default lies in /tmp.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        Ok(Self { stream: open_log(&path)?, path })
    }

    pub(super) fn reopen(&mut self) -> io::Result<()> {
        self.stream = open_log(&self.path)?;
        Ok(())
    }
}

impl Sink for LogFile {
    fn send(&mut self, line: &[u8]) -> io::Result<usize> {
        self.stream.send(line)
    }

    fn descriptor(&self) -> Option<RawFd> {
        self.stream.descriptor()
    }

    fn joins(&self) -> bool {
        true
    }
}

fn open_log(path: &Path) -> io::Result<Stream> {
    let file = open::append(path, 0o644).map_err(|e| {
        let text = format!("{}: {e}", path.display());
        io::Error::new(io::Error::from(e).kind(), text)
    })?;
    Ok(Stream { file, way: Way::Plain })
}

/// How a descriptor is written so that a slow reader cannot stall us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// A regular file, or a description of our own that does not block.
    Plain,
    /// A socket (a service's standard error): each send says that it must not block.
    Socket,
    /// A shared description that cannot be opened anew: written only when poll says there is room.
    Polled,
}

/// A descriptor that lines are written to.
#[derive(Debug)]
pub(super) struct Stream {
    file: File,
    way: Way,
}

impl Stream {
    /// Finds out how to write to `fd`.
    ///
    /// O_NONBLOCK belongs to the open description, which standard error shares with the shell and
    /// everybody else, so it is not touched: pipes and terminals are opened a second time.
    fn of(fd: libc::c_int) -> io::Result<Self> {
        let file = File::from(duplicate(fd)?);
        let kind = file.metadata()?.file_type();
        let (file, way) = if kind.is_socket() {
            (file, Way::Socket)
        } else if kind.is_fifo() || kind.is_char_device() {
            open::anew(fd).map_or((file, Way::Polled), |own| (own, Way::Plain))
        } else {
            (file, Way::Plain)
        };
        Ok(Self { file, way })
    }

    /// Standard error as it is: waits for a reader that is slow.
    pub(super) fn patient_stderr() -> io::Result<Self> {
        let file = File::from(duplicate(io::stderr().as_raw_fd())?);
        Ok(Self { file, way: Way::Plain })
    }

    /// Standard error in a way that does not wait.
    pub(super) fn stderr() -> io::Result<Self> {
        Self::of(io::stderr().as_raw_fd())
    }
}

impl Sink for Stream {
    fn send(&mut self, line: &[u8]) -> io::Result<usize> {
        loop {
            let result = match self.way {
                Way::Plain => self.file.write(line),
                Way::Socket => SockRef::from(&self.file)
                    .send_with_flags(line, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL),
                Way::Polled if !has_room(&self.file) => Err(ErrorKind::WouldBlock.into()),
                Way::Polled => self.file.write(&line[..line.len().min(libc::PIPE_BUF)]),
            };
            match result {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn descriptor(&self) -> Option<RawFd> {
        Some(self.file.as_raw_fd())
    }

    fn joins(&self) -> bool {
        true
    }
}

fn has_room(file: &File) -> bool {
    wait_writable(file.as_raw_fd(), Duration::ZERO)
}

/// True once `fd` takes bytes again; false if that does not happen within the limit.
pub(super) fn wait_writable(fd: RawFd, limit: Duration) -> bool {
    let mut poll = libc::pollfd { fd, events: libc::POLLOUT, revents: 0 };
    let millis = libc::c_int::try_from(limit.as_millis()).unwrap_or(libc::c_int::MAX);
    // SAFETY: one pollfd, which is ours and lives.
    let n = unsafe { libc::poll(&raw mut poll, 1, millis) };
    n == 1 && poll.revents & libc::POLLOUT != 0
}

fn duplicate(fd: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: fcntl looks the number up; a wrong one is an error.
    let copy = check(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3) })?;
    // SAFETY: just made, and nobody else's.
    Ok(unsafe { std::os::fd::FromRawFd::from_raw_fd(copy) })
}

#[cfg(test)]
mod tests;
