//! A FIFO that reports changes to a reader, a line at a time.
//!
//! It is open for reading too, as in keepalived, so that lines wait for the next reader and the end
//! of a reader does no harm. A line is written whole or not at all (pipe(7), PIPE_BUF). If the pipe
//! is full, the caller keeps the newest lines, and poll reports when there is room again. Readers
//! are not monitored, since some open and close the FIFO for every line.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{fchown, MetadataExt as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::open::{self, Unfit};
use super::{reason, users};
use crate::model::script::User;

/// Longer lines are not written whole. The same for every FIFO of Linux.
pub const LONGEST: usize = libc::PIPE_BUF;

/// An open FIFO.
#[derive(Debug)]
pub struct Fifo {
    file: File,
    path: PathBuf,
    /// Created by this process; otherwise it existed before.
    made: bool,
}

/// Result of writing a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    Written,
    /// No room: wait until poll reports that the FIFO is writable.
    Kept,
}

/// Why a FIFO cannot be used.
#[derive(Debug)]
pub enum Error {
    Make(PathBuf, io::Error),
    Open(PathBuf, Unfit),
    Owner(PathBuf, User, io::Error),
    /// It belongs to this user, who is neither the one configured nor the daemon's.
    Foreign(PathBuf, u32),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Make(path, e) => {
                write!(f, "cannot make FIFO {}: {}", path.display(), reason(e))
            }
            Self::Open(path, e) => write!(f, "cannot open FIFO {}: {e}", path.display()),
            Self::Owner(path, user, e) => write!(
                f,
                "cannot give FIFO {} to user {}, group {}: {}",
                path.display(),
                user.uid,
                user.gid,
                reason(e)
            ),
            Self::Foreign(path, uid) => write!(
                f,
                "FIFO {} belongs to user {uid}, neither the daemon's nor the configured one: \
                 remove it",
                path.display()
            ),
        }
    }
}

impl std::error::Error for Error {}

impl Fifo {
    /// Opens a FIFO, which is created for `owner` if it is missing.
    ///
    /// # Errors
    /// It cannot be made or opened, something else is there, or it belongs to another user.
    pub fn open(path: &Path, owner: User) -> Result<Self, Error> {
        let made = make(path).map_err(|e| Error::Make(path.into(), e))?;
        let (file, found) = open::fifo(path).map_err(|e| Error::Open(path.into(), e))?;
        examine(path, &found, owner)?;
        let fifo = Self { file, path: path.into(), made };
        if made {
            let given = fchown(&fifo.file, Some(owner.uid), Some(owner.gid));
            if let Err(e) = given {
                fifo.remove();
                return Err(Error::Owner(path.into(), owner, e));
            }
        }
        Ok(fifo)
    }

    /// Writes a line, which has its newline at the end and is not longer than [`LONGEST`].
    ///
    /// # Errors
    /// The kernel refuses, which is not expected.
    pub fn write(&self, line: &[u8]) -> io::Result<Line> {
        debug_assert!(line.len() <= LONGEST);
        loop {
            return match (&self.file).write(line) {
                Ok(_) => Ok(Line::Written),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(Line::Kept),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => Err(e),
            };
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// True if the path still leads to this FIFO: it was neither removed nor replaced.
    pub fn is_in_place(&self) -> bool {
        let (own, there) = (self.file.metadata(), fs::symlink_metadata(&self.path));
        matches!((own, there), (Ok(own), Ok(there)) if is_same(&own, &there))
    }

    /// Closes the FIFO and removes it if it was made here and is still the same.
    pub fn remove(self) {
        let (own, there) = (self.file.metadata(), fs::symlink_metadata(&self.path));
        if self.made && matches!((own, there), (Ok(own), Ok(there)) if is_same(&own, &there)) {
            if let Err(e) = fs::remove_file(&self.path) {
                log::warn!("cannot remove FIFO {}: {}", self.path.display(), reason(&e));
            }
        }
    }
}

fn is_same(a: &Metadata, b: &Metadata) -> bool {
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// Readable whenever lines wait in it: only its writability is of interest.
impl AsRawFd for Fifo {
    fn as_raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

/// True if it was made, false if something of the name is there.
fn make(path: &Path) -> io::Result<bool> {
    // The daemon's umask makes that 0600, unless the operator has set another.
    match mkfifo(path, Mode::from_bits_truncate(0o644)) {
        Ok(()) => Ok(true),
        Err(Errno::EEXIST) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

fn examine(path: &Path, found: &Metadata, owner: User) -> Result<(), Error> {
    if found.uid() != users::own().uid && found.uid() != owner.uid {
        return Err(Error::Foreign(path.into(), found.uid()));
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files they need")]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Read as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    use super::*;
    use crate::sys::poll::{Poll, Wants};
    use crate::sys::tests::TempDir;
    use crate::sys::users::own;

    const NOBODY: User = User { uid: 65534, gid: 65534 };

    fn open(path: &Path) -> Fifo {
        Fifo::open(path, own()).expect("opens")
    }

    fn reader(path: &Path) -> File {
        OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).expect("opens")
    }

    /// All that can be read now.
    fn content(file: &mut File) -> String {
        let mut text = Vec::new();
        let _ = file.read_to_end(&mut text);
        String::from_utf8(text).expect("text")
    }

    #[test]
    fn lines_wait_for_the_next_reader() {
        let dir = TempDir::new("fifo");
        let path = dir.path().join("f");
        let fifo = open(&path);
        assert_eq!(fifo.write(b"one\n").expect("writes"), Line::Written);
        assert_eq!(content(&mut reader(&path)), "one\n");
        // That reader is gone now.
        assert_eq!(fifo.write(b"two\n").expect("writes"), Line::Written);
        assert_eq!(content(&mut reader(&path)), "two\n");
    }

    #[test]
    fn a_full_pipe_takes_whole_lines_only_and_says_when_it_has_room() {
        let dir = TempDir::new("full");
        let path = dir.path().join("f");
        let fifo = open(&path);
        let mut poll = Poll::new().expect("polls");
        poll.watch(fifo.as_raw_fd(), (), Wants::Write).expect("watches");
        let line = format!("{:0999}\n", 7);
        let mut written = 0;
        while fifo.write(line.as_bytes()).expect("writes") == Line::Written {
            written += 1;
        }
        assert!(written > 60, "{written} lines fit");
        let now = crate::base::time::Instant::ZERO;
        let mut ready = Vec::new();
        poll.wait(now, Some(now), true, &mut ready).expect("waits");
        ready.clear();
        poll.wait(now, Some(now), true, &mut ready).expect("waits");
        assert!(ready.is_empty());
        assert_eq!(content(&mut reader(&path)), line.repeat(written));
        poll.wait(now, Some(now), true, &mut ready).expect("waits");
        assert_eq!(ready, [()]);
        assert_eq!(fifo.write(line.as_bytes()).expect("writes"), Line::Written);
    }

    #[test]
    fn it_is_removed_by_who_made_it() {
        let dir = TempDir::new("made");
        let path = dir.path().join("f");
        let fifo = open(&path);
        // Adopted, so it is not ours to remove.
        open(&path).remove();
        assert!(path.exists());
        fifo.remove();
        assert!(!path.exists());
        // Something else has its name now.
        let fifo = open(&path);
        fs::remove_file(&path).unwrap();
        fs::write(&path, "").unwrap();
        fifo.remove();
        assert!(path.exists());
    }

    #[test]
    fn only_a_fifo_of_a_proper_owner_is_used() {
        let dir = TempDir::new("owner");
        let plain = dir.path().join("plain");
        fs::write(&plain, "").unwrap();
        let refused = Fifo::open(&plain, own());
        assert!(matches!(refused, Err(Error::Open(_, Unfit::NotFifo))), "{refused:?}");
        let (pipe, link) = (dir.path().join("pipe"), dir.path().join("link"));
        let _fifo = open(&pipe);
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        let refused = Fifo::open(&link, own());
        assert!(matches!(refused, Err(Error::Open(_, Unfit::Link))), "{refused:?}");
        let path = dir.path().join("f");
        if own().uid != 0 {
            let refused = Fifo::open(&path, NOBODY);
            assert!(matches!(refused, Err(Error::Owner(..))), "{refused:?}");
            assert!(!path.exists());
            return;
        }
        let fifo = Fifo::open(&path, NOBODY).expect("opens");
        assert_eq!(fs::metadata(&path).unwrap().uid(), NOBODY.uid);
        Fifo::open(&path, NOBODY).expect("opens");
        let refused = Fifo::open(&path, own());
        assert!(matches!(refused, Err(Error::Foreign(_, 65534))), "{refused:?}");
        fifo.remove();
    }
}
