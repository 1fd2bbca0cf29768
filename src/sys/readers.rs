//! Whether somebody has a FIFO open, besides us.
//!
//! A FIFO that we hold open ourselves does not tell when its reader goes away, so the opens and
//! closes of others are counted (inotify(7)).

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::check;

/// Some events at a time; those of a FIFO have no name.
const BUFFER: usize = 4096;
const HEADER: usize = size_of::<libc::inotify_event>();

/// The readers of one FIFO.
#[derive(Debug)]
pub struct Readers {
    events: File,
    open: u32,
}

impl Readers {
    /// Begins to count. To be called when the FIFO is there, before we open it ourselves.
    ///
    /// # Errors
    /// The path is gone, or the user has no more inotify instances or watches.
    pub(super) fn watch(path: &Path) -> io::Result<Self> {
        // SAFETY: flags only.
        let fd = check(unsafe { libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC) })?;
        // SAFETY: just made, and nobody else's.
        let events = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
        let name = CString::new(path.as_os_str().as_bytes())?;
        let mask = libc::IN_OPEN | libc::IN_CLOSE;
        // SAFETY: a C string that lives.
        check(unsafe { libc::inotify_add_watch(events.as_raw_fd(), name.as_ptr(), mask) })?;
        // One who opened it before the watch is noticed by this: without a reader it fails.
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        let early = OpenOptions::new().write(true).custom_flags(flags).open(path).is_ok();
        Ok(Self { events, open: u32::from(early) })
    }

    /// We have opened it ourselves since: that one does not count.
    pub(super) fn discount(&mut self) {
        while self.read().unwrap_or(false) {}
        self.open = self.open.saturating_sub(1);
    }

    /// Takes in what happened; true if there may be more.
    ///
    /// # Errors
    /// Reading fails, which the kernel has no reason for.
    pub fn read(&mut self) -> io::Result<bool> {
        let mut buffer = [0; BUFFER];
        match self.events.read(&mut buffer) {
            Ok(count) => {
                self.take(buffer.get(..count).unwrap_or_default());
                Ok(true)
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(e) => Err(e),
        }
    }

    /// Somebody else has it open.
    pub const fn is_any(&self) -> bool {
        self.open > 0
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while bytes.len() >= HEADER {
            let word = |at: usize| {
                let word = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
                u32::from_ne_bytes(word.unwrap_or_default())
            };
            let (mask, name) = (word(4), word(12));
            if mask & libc::IN_OPEN != 0 {
                self.open = self.open.saturating_add(1);
            } else if mask & libc::IN_CLOSE != 0 {
                self.open = self.open.saturating_sub(1);
            }
            let length = HEADER.saturating_add(usize::try_from(name).unwrap_or(usize::MAX));
            bytes = bytes.get(length..).unwrap_or_default();
        }
    }
}

impl AsRawFd for Readers {
    fn as_raw_fd(&self) -> RawFd {
        self.events.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::script::User;
    use crate::sys::fifo::Fifo;

    /// Who the test runs as, so that nothing is given away.
    fn own() -> User {
        // SAFETY: no arguments, cannot fail.
        unsafe { User { uid: libc::geteuid(), gid: libc::getegid() } }
    }

    fn seen(fifo: &mut Fifo) -> bool {
        while fifo.readers.read().expect("inotify can be read") {}
        fifo.readers.is_any()
    }

    #[test]
    fn readers_come_and_go_and_we_do_not_count() {
        let name = format!("keepalived-readers.{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let first = Fifo::open(&path, own()).expect("the name is free");
        let early = OpenOptions::new().read(true).open(&path).expect("it has a writer");
        drop(first);
        let mut fifo = Fifo::open(&path, own()).expect("it is still there");
        assert!(seen(&mut fifo), "one who was there before");
        drop(early);
        assert!(!seen(&mut fifo));
        let again = [(); 2].map(|()| OpenOptions::new().read(true).open(&path).expect("a FIFO"));
        assert!(seen(&mut fifo));
        let [one, other] = again;
        drop(one);
        assert!(seen(&mut fifo), "the other one is still there");
        drop(other);
        assert!(!seen(&mut fifo));
        drop(fifo);
        std::fs::remove_file(path).expect("it was made here");
    }
}
