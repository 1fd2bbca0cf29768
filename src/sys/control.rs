//! The control socket: a stream socket in the file system, and who is at its other end.

use std::fs;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::stat::{fchmod, umask, Mode};
use socket2::{Domain, SockAddr, Socket, Type};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 128;
/// Most further groups of a client that are looked at.
const MOST_GROUPS: usize = 1024;

/// A bound socket. Its file is removed when it is dropped.
#[derive(Debug)]
pub struct Listener {
    listener: UnixListener,
    path: PathBuf,
    /// Device and number of the file, which may be another one by then.
    file: (u64, u64),
}

/// Why a socket cannot be had.
#[derive(Debug)]
pub enum Error {
    /// Another process serves it.
    Served,
    /// There is a file that is no socket.
    Foreign,
    Io(io::Error),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Served => f.write_str("another process serves it"),
            Self::Foreign => f.write_str("there is a file that is not a socket"),
            Self::Io(e) => f.write_str(&super::reason(e)),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Listener {
    /// Makes the socket, for its owner alone, or also for a group. A file that was left behind is
    /// replaced.
    ///
    /// # Errors
    /// Another process serves it, something else has its name, or the system refuses.
    pub fn bind(path: &Path, group: Option<u32>) -> Result<Self, Error> {
        let mode = if group.is_some() { 0o660 } else { 0o600 };
        let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
        let address = SockAddr::unix(path)?;
        // The file has the mode of the socket without the umask, from the first moment on.
        fchmod(&socket, Mode::from_bits_truncate(mode)).map_err(io::Error::from)?;
        let before = umask(Mode::from_bits_truncate(0o777 & !mode));
        let bound = match socket.bind(&address) {
            Err(e) if e.kind() == ErrorKind::AddrInUse => match clear(path, &address) {
                Ok(()) => socket.bind(&address).map_err(Error::from),
                Err(e) => Err(e),
            },
            other => other.map_err(Error::from),
        };
        umask(before);
        bound?;
        let file = fs::symlink_metadata(path)?;
        let made = Self {
            listener: UnixListener::from(std::os::fd::OwnedFd::from(socket)),
            path: path.to_owned(),
            file: (file.dev(), file.ino()),
        };
        if let Some(group) = group {
            std::os::unix::fs::lchown(path, None, Some(group))?;
        }
        let listener = Socket::from(made.listener.try_clone()?);
        listener.listen(BACKLOG)?;
        Ok(made)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// False if another program removed or replaced the file.
    pub fn is_in_place(&self) -> bool {
        let named = fs::symlink_metadata(&self.path);
        named.is_ok_and(|named| (named.dev(), named.ino()) == self.file)
    }

    /// The next client; `None` if no other waits.
    pub fn accept(&self) -> io::Result<Option<Connection>> {
        match self.listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(true)?;
                Ok(Some(Connection(stream.into())))
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(e) => Err(e),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.is_in_place() {
            // Another program may have removed it already.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl AsRawFd for Listener {
    fn as_raw_fd(&self) -> RawFd {
        self.listener.as_raw_fd()
    }
}

/// Removes a socket that no process serves.
fn clear(path: &Path, address: &SockAddr) -> Result<(), Error> {
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return Err(Error::Foreign);
    }
    let probe = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
    match probe.connect(address) {
        Err(e) if e.kind() == ErrorKind::ConnectionRefused => Ok(fs::remove_file(path)?),
        // Also one whose queue is full.
        _ => Err(Error::Served),
    }
}

/// One end of a connection.
#[derive(Debug)]
pub struct Connection(Socket);

/// The user of the process at the other end, when it connected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peer {
    pub uid: u32,
    gid: u32,
    groups: Vec<u32>,
}

impl Peer {
    pub fn is_in(&self, group: u32) -> bool {
        self.gid == group || self.groups.contains(&group)
    }
}

impl Connection {
    /// Connects and waits at most so long for each reply.
    pub fn open(path: &Path, patience: Option<Duration>) -> io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(patience)?;
        stream.set_write_timeout(patience)?;
        Ok(Self(stream.into()))
    }

    /// The other end reads no more than what was written. What it sends can still be read.
    pub fn finish(&self) {
        // It may be gone already.
        let _ = self.0.shutdown(Shutdown::Write);
    }

    /// Reads some bytes; 0 at the end.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.0).read(buffer)
    }

    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        (&self.0).write(bytes)
    }

    pub fn peer(&self) -> io::Result<Peer> {
        // SAFETY: plain integers, for which zero is valid.
        let mut found: libc::ucred = unsafe { std::mem::zeroed() };
        let mut length = libc::socklen_t::try_from(size_of_val(&found)).unwrap_or_default();
        // SAFETY: the kernel writes at most `length` bytes to a structure of that size.
        let result = unsafe {
            libc::getsockopt(
                self.0.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERCRED,
                (&raw mut found).cast(),
                &raw mut length,
            )
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Peer { uid: found.uid, gid: found.gid, groups: self.groups() })
    }

    /// The further groups; none if the kernel cannot say.
    fn groups(&self) -> Vec<u32> {
        let mut groups = vec![0_u32; MOST_GROUPS];
        let mut length =
            libc::socklen_t::try_from(size_of_val(groups.as_slice())).unwrap_or_default();
        // SAFETY: the kernel writes at most `length` bytes to a list of that size.
        let result = unsafe {
            libc::getsockopt(
                self.0.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        let count = usize::try_from(length).unwrap_or_default() / size_of::<u32>();
        groups.truncate(if result == 0 { count } else { 0 });
        groups
    }
}

impl From<Socket> for Connection {
    fn from(socket: Socket) -> Self {
        Self(socket)
    }
}

impl AsRawFd for Connection {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files they need")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::sys::tests::TempDir;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("is there").permissions().mode() & 0o777
    }

    #[test]
    fn the_socket_is_for_its_owner_or_a_group() {
        let dir = TempDir::new("control");
        let path = dir.path().join("k.sock");
        let listener = Listener::bind(&path, None).expect("binds");
        assert_eq!(mode(&path), 0o600);
        drop(listener);
        assert!(!path.exists(), "it is removed at the end");
        let group = nix::unistd::getegid().as_raw();
        let _listener = Listener::bind(&path, Some(group)).expect("binds");
        assert_eq!(mode(&path), 0o660);
    }

    #[test]
    fn what_is_left_is_replaced_and_what_is_served_is_not() {
        let dir = TempDir::new("control-stale");
        let path = dir.path().join("k.sock");
        let listener = Listener::bind(&path, None).expect("binds");
        assert!(matches!(Listener::bind(&path, None), Err(Error::Served)));
        // As after a crash: the file stays, without a process.
        let left = dir.path().join("left.sock");
        drop(UnixListener::bind(&left).expect("binds"));
        let again = Listener::bind(&left, None).expect("replaces it");
        assert!(matches!(again.accept(), Ok(None)));
        drop(listener);
        fs::write(&path, "precious").expect("writes");
        assert!(matches!(Listener::bind(&path, None), Err(Error::Foreign)));
        assert_eq!(fs::read_to_string(&path).expect("reads"), "precious");
    }

    #[test]
    fn a_file_that_replaced_ours_is_left_alone() {
        let dir = TempDir::new("control-replaced");
        let path = dir.path().join("k.sock");
        let listener = Listener::bind(&path, None).expect("binds");
        assert!(listener.is_in_place());
        fs::remove_file(&path).expect("removes");
        fs::write(&path, "another").expect("writes");
        assert!(!listener.is_in_place());
        drop(listener);
        assert!(path.exists());
    }

    #[test]
    fn the_user_at_the_other_end_is_known() {
        let dir = TempDir::new("control-peer");
        let path = dir.path().join("k.sock");
        let listener = Listener::bind(&path, None).expect("binds");
        let client = Connection::open(&path, None).expect("connects");
        let served = listener.accept().expect("accepts").expect("a client");
        let peer = served.peer().expect("known");
        assert_eq!(peer.uid, nix::unistd::geteuid().as_raw());
        assert!(peer.is_in(nix::unistd::getegid().as_raw()));
        assert_eq!(client.write(b"x").expect("writes"), 1);
        let mut buffer = [0; 8];
        assert_eq!(served.read(&mut buffer).expect("reads"), 1);
        assert_eq!(served.read(&mut buffer).map_err(|e| e.kind()), Err(ErrorKind::WouldBlock));
    }
}
