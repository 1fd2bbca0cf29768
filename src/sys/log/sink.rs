//! Where log lines end: each output takes a line at once or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use socket2::SockRef;

use crate::sys::check;

/// Where the host's syslog listens.
pub(super) const SYSLOG_SOCKET: &str = "/dev/log";

/// How many lines an output did not take since it last took one.
#[derive(Debug, Default)]
pub(super) struct Loss(u64);

impl Loss {
    /// Sends a line, behind one that tells of the loss before it; 1 if this one was lost too.
    pub(super) fn around(&mut self, text: &str, mut send: impl FnMut(&str) -> bool) -> u64 {
        if self.0 > 0 && send(&format!("{} log lines were lost here", self.0)) {
            self.0 = 0;
        }
        let lost = u64::from(!send(text));
        self.0 += lost;
        lost
    }
}

/// Syslog, with its losses.
#[derive(Debug)]
pub(super) struct SyslogSink {
    pub(super) socket: SyslogSocket,
    pub(super) lost: Loss,
}

impl SyslogSink {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self { socket: SyslogSocket { path: path.into(), socket: None }, lost: Loss::default() }
    }
}

/// A datagram socket that is connected when needed, and again when syslog was restarted.
#[derive(Debug)]
pub(super) struct SyslogSocket {
    path: PathBuf,
    socket: Option<UnixDatagram>,
}

impl SyslogSocket {
    pub(super) fn send(&mut self, line: &[u8]) -> bool {
        // The first failure may only mean that syslog was restarted since the last line.
        for _ in 0..2 {
            let Some(socket) = self.connected() else { return false };
            match socket.send(line) {
                Ok(_) => return true,
                Err(e) if is_full(&e) => return false,
                Err(_) => self.socket = None,
            }
        }
        false
    }

    fn connected(&mut self) -> Option<&UnixDatagram> {
        if self.socket.is_none() {
            let socket = UnixDatagram::unbound().ok()?;
            socket.set_nonblocking(true).ok()?;
            socket.connect(&self.path).ok()?;
            self.socket = Some(socket);
        }
        self.socket.as_ref()
    }
}

fn is_full(e: &io::Error) -> bool {
    e.kind() == ErrorKind::WouldBlock || e.raw_os_error() == Some(libc::ENOBUFS)
}

/// A stream of lines, with its losses.
#[derive(Debug)]
pub(super) struct Sink {
    pub(super) stream: Stream,
    pub(super) lost: Loss,
}

impl Sink {
    /// Standard error, in the way that does not block.
    pub(super) fn stderr() -> io::Result<Self> {
        Self::of(io::stderr().as_raw_fd())
    }

    fn of(fd: libc::c_int) -> io::Result<Self> {
        Ok(Self { stream: Stream::of(fd)?, lost: Loss::default() })
    }
}

/// A log file that can be opened anew.
#[derive(Debug)]
pub(super) struct FileSink {
    path: PathBuf,
    sink: Sink,
}

impl FileSink {
    /// Opens for appending; never through a symbolic link, since the default lies in /tmp.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let sink = Sink { stream: open_log(&path)?, lost: Loss::default() };
        Ok(Self { path, sink })
    }

    pub(super) fn reopen(&mut self) -> io::Result<()> {
        self.sink.stream = open_log(&self.path)?;
        Ok(())
    }

    pub(super) fn sink(&mut self) -> &mut Sink {
        &mut self.sink
    }
}

fn open_log(path: &Path) -> io::Result<Stream> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o644)
        // Without waiting for the reader of a FIFO, and without becoming a terminal's session.
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)?;
    Ok(Stream { file, way: Way::Plain, rest: Vec::new() })
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
    /// The end of a line that was taken only in part. It goes first.
    rest: Vec<u8>,
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
            let own = OpenOptions::new()
                .write(true)
                .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
                .open(format!("/proc/self/fd/{fd}"));
            own.map_or((file, Way::Polled), |own| (own, Way::Plain))
        } else {
            (file, Way::Plain)
        };
        Ok(Self { file, way, rest: Vec::new() })
    }

    /// True if the line was taken, be it that its end still waits here.
    pub(super) fn send(&mut self, line: &[u8]) -> bool {
        let mut rest = std::mem::take(&mut self.rest);
        let done = self.write(&rest).unwrap_or(0);
        rest.drain(..done);
        self.rest = rest;
        if !self.rest.is_empty() {
            return false;
        }
        let Ok(done) = self.write(line) else { return false };
        self.rest.extend_from_slice(&line[done..]);
        true
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        loop {
            let result = match self.way {
                Way::Plain => self.file.write(bytes),
                Way::Socket => SockRef::from(&self.file)
                    .send_with_flags(bytes, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL),
                Way::Polled if !has_room(&self.file) => Err(ErrorKind::WouldBlock.into()),
                Way::Polled => self.file.write(&bytes[..bytes.len().min(libc::PIPE_BUF)]),
            };
            match result {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

fn has_room(file: &File) -> bool {
    let mut poll = libc::pollfd { fd: file.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
    // SAFETY: one pollfd, which is ours and lives.
    let n = unsafe { libc::poll(&raw mut poll, 1, 0) };
    n == 1 && poll.revents & libc::POLLOUT != 0
}

fn duplicate(fd: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: fcntl looks the number up; a wrong one is an error.
    let copy = check(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3) })?;
    // SAFETY: just made, and nobody else's.
    Ok(unsafe { std::os::fd::FromRawFd::from_raw_fd(copy) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::pipe;
    use crate::sys::tests::TempDir;
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    const LINE: &[u8] = &[b'x'; 1000];

    fn fill(stream: &mut Stream) -> usize {
        let taken = (0..10_000).take_while(|_| stream.send(LINE)).count();
        assert!(taken < 10_000, "never full");
        taken
    }

    /// Fills `stream`, reads all from the other end, and looks whether whole lines came.
    fn stalls_and_recovers(stream: &mut Stream, mut reader: impl Read) {
        let taken = fill(stream);
        let mut got = vec![0; taken * LINE.len() - stream.rest.len()];
        reader.read_exact(&mut got).expect("what was taken");
        assert!(stream.send(b"y"), "takes lines again");
        let mut tail = vec![0; taken * LINE.len() - got.len() + 1];
        reader.read_exact(&mut tail).expect("the rest of the last line, and one more");
        assert_eq!(tail.pop(), Some(b'y'));
        assert!(tail.iter().all(|&b| b == b'x'));
    }

    #[test]
    fn a_full_pipe_takes_no_line_and_does_not_block() {
        let (reader, writer) = pipe().expect("a pipe");
        let mut stream = Stream::of(writer.as_raw_fd()).expect("a stream");
        assert_eq!(stream.way, Way::Plain);
        stalls_and_recovers(&mut stream, File::from(reader));
    }

    #[test]
    fn the_shared_end_of_a_pipe_stays_blocking() {
        let (_reader, writer) = pipe().expect("a pipe");
        let _stream = Stream::of(writer.as_raw_fd()).expect("a stream");
        // SAFETY: only asks for flags.
        let flags = unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_GETFL) };
        assert_eq!(flags & libc::O_NONBLOCK, 0);
    }

    #[test]
    fn a_pipe_that_cannot_be_opened_anew_is_polled() {
        let (reader, writer) = pipe().expect("a pipe");
        let mut stream = Stream { file: File::from(writer), way: Way::Polled, rest: Vec::new() };
        stalls_and_recovers(&mut stream, File::from(reader));
    }

    #[test]
    fn a_full_socket_takes_no_line_and_does_not_block() {
        let (reader, writer) = UnixStream::pair().expect("a pair");
        let mut stream = Stream::of(writer.as_raw_fd()).expect("a stream");
        assert_eq!(stream.way, Way::Socket);
        stalls_and_recovers(&mut stream, reader);
    }

    #[test]
    fn a_reader_that_is_gone_is_a_lost_line() {
        let (reader, writer) = pipe().expect("a pipe");
        let mut stream = Stream::of(writer.as_raw_fd()).expect("a stream");
        drop(reader);
        assert!(!stream.send(b"x"));
    }

    #[test]
    fn lost_lines_are_told_when_lines_are_taken_again() {
        let mut lost = Loss::default();
        assert_eq!(lost.around("a", |_| false), 1);
        assert_eq!(lost.around("b", |_| false), 1);
        let mut seen = Vec::new();
        let mut take = |text: &str| {
            seen.push(text.to_owned());
            true
        };
        assert_eq!(lost.around("c", &mut take), 0);
        assert_eq!(lost.around("d", &mut take), 0);
        assert_eq!(seen, ["2 log lines were lost here", "c", "d"]);
    }

    #[test]
    fn syslog_is_found_again_after_a_restart() {
        let dir = TempDir::new("syslog");
        let path = dir.path().join("log");
        let mut syslog = SyslogSocket { path: path.clone(), socket: None };
        assert!(!syslog.send(b"nobody listens"));
        for text in [&b"first"[..], b"second"] {
            let _ = std::fs::remove_file(&path);
            let server = UnixDatagram::bind(&path).expect("binds");
            assert!(syslog.send(text));
            let mut got = [0; 64];
            let n = server.recv(&mut got).expect("a line");
            assert_eq!(&got[..n], text);
        }
    }

    #[test]
    fn a_full_syslog_takes_no_line_and_does_not_block() {
        let dir = TempDir::new("syslog-full");
        let path = dir.path().join("log");
        let _server = UnixDatagram::bind(&path).expect("binds");
        let mut syslog = SyslogSocket { path, socket: None };
        let taken = (0..100_000).take_while(|_| syslog.send(LINE)).count();
        assert!((1..100_000).contains(&taken), "{taken}");
    }

    #[test]
    fn a_log_file_is_appended_to_and_can_be_rotated() {
        let dir = TempDir::new("logfile");
        let path = dir.path().join("k.log");
        std::fs::write(&path, "old\n").expect("writes");
        let mut file = FileSink::open(path.clone()).expect("opens");
        assert!(file.sink().stream.send(b"new\n"));
        assert_eq!(std::fs::read_to_string(&path).expect("reads"), "old\nnew\n");
        std::fs::rename(&path, dir.path().join("k.log.1")).expect("renames");
        file.reopen().expect("opens again");
        assert!(file.sink().stream.send(b"newer\n"));
        assert_eq!(std::fs::read_to_string(&path).expect("reads"), "newer\n");
    }

    #[test]
    fn a_log_file_is_not_reached_through_a_link() {
        let dir = TempDir::new("loglink");
        let target = dir.path().join("target");
        std::os::unix::fs::symlink(&target, dir.path().join("k.log")).expect("links");
        assert!(FileSink::open(dir.path().join("k.log")).is_err());
        assert!(!target.exists());
    }
}
