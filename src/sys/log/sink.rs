//! Destinations of log lines. None waits for a reader unless stated.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use socket2::SockRef;

use super::output::Sink;
use crate::base::time::WallTime;
use crate::sys::{clock, open};

/// Where the host's syslog listens.
pub(super) const SYSLOG_SOCKET: &str = "/dev/log";

/// A datagram socket that is connected when needed, and again when syslog was restarted.
#[derive(Debug)]
pub(super) struct SyslogSocket {
    path: PathBuf,
    socket: Option<UnixDatagram>,
    /// When there was no listener.
    missed: Option<WallTime>,
}

/// Interval of attempts to connect to a missing syslog, each of which costs more than a line.
const PATIENCE: Duration = Duration::from_secs(1);

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

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.socket.as_ref().map(AsFd::as_fd)
    }

    fn joins(&self) -> bool {
        false
    }
}

fn is_full(e: &io::Error) -> bool {
    e.kind() == ErrorKind::WouldBlock || e.raw_os_error() == Some(libc::ENOBUFS)
}

/// Way of writing to a descriptor so that a slow reader cannot stall the daemon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// A regular file, or a description of our own that does not block.
    Plain,
    /// A socket (a service's standard error): each send has a flag not to block.
    Socket,
    /// A shared description that cannot be opened anew: written only when poll reports room.
    Polled,
}

/// A descriptor that lines are written to.
#[derive(Debug)]
pub(super) struct Stream {
    file: File,
    way: Way,
}

impl Stream {
    /// Determines how to write to `fd`.
    ///
    /// O_NONBLOCK belongs to the open description, which standard error shares with the shell and
    /// other processes, so it is not touched: pipes and terminals are opened a second time.
    fn of(shared: impl AsFd) -> io::Result<Self> {
        let file = duplicate(&shared)?;
        let kind = file.metadata()?.file_type();
        let (file, way) = if kind.is_socket() {
            (file, Way::Socket)
        } else if kind.is_fifo() || kind.is_char_device() {
            open::anew(shared.as_fd().as_raw_fd())
                .map_or((file, Way::Polled), |own| (own, Way::Plain))
        } else {
            (file, Way::Plain)
        };
        Ok(Self { file, way })
    }

    /// A log file, to be appended to; never through a link of either kind, since the default lies in
    /// /tmp.
    pub(super) fn file(path: &Path) -> io::Result<Self> {
        let file = open::append(path, 0o644).map_err(|e| {
            let text = format!("{}: {e}", path.display());
            io::Error::new(io::Error::from(e).kind(), text)
        })?;
        Ok(Self { file, way: Way::Plain })
    }

    /// Standard error as it is: waits for a reader that is slow.
    pub(super) fn patient_stderr() -> io::Result<Self> {
        Ok(Self { file: duplicate(&io::stderr())?, way: Way::Plain })
    }

    /// Standard error without blocking.
    pub(super) fn stderr() -> io::Result<Self> {
        Self::of(io::stderr())
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

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.file.as_fd())
    }

    fn joins(&self) -> bool {
        true
    }
}

fn has_room(file: &File) -> bool {
    wait_writable(file.as_fd(), Duration::ZERO)
}

/// True once `fd` takes bytes again; false if that does not happen within the limit.
pub(super) fn wait_writable(fd: BorrowedFd<'_>, limit: Duration) -> bool {
    let mut waiting = [PollFd::new(fd, PollFlags::POLLOUT)];
    let millis = PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX);
    let found = poll(&mut waiting, millis) == Ok(1);
    found && waiting[0].revents().is_some_and(|r| r.contains(PollFlags::POLLOUT))
}

/// Closed on exec, and never one of the standard descriptors.
fn duplicate(fd: &impl AsFd) -> io::Result<File> {
    Ok(File::from(fd.as_fd().try_clone_to_owned()?))
}

#[cfg(test)]
mod tests;
