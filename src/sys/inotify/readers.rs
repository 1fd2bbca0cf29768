//! Readers of a FIFO: reports a reader that opens it after all others have closed it.
//!
//! The report only triggers a repetition of the current state. A missed event, or one of a program
//! that opens the FIFO for writing, only causes a missing or superfluous repetition.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;

use super::instance::{FileEvent, Instance, Watch};
use crate::base::sorted::SortedMap;

const OPENED: u32 = libc::IN_OPEN;
const CLOSED: u32 = libc::IN_CLOSE_NOWRITE | libc::IN_CLOSE_WRITE;

/// Watches FIFOs on behalf of keys.
#[derive(Debug)]
pub struct Readers<K> {
    instance: Instance,
    watched: SortedMap<Watch, Watched<K>>,
}

#[derive(Debug)]
struct Watched<K> {
    key: K,
    /// Opened and not closed since it is watched.
    open: u32,
    /// There was a reader before.
    had_one: bool,
}

impl<K: Ord + Copy> Readers<K> {
    /// # Errors
    /// The system call fails, for want of descriptors or of the user's instances
    /// (`fs.inotify.max_user_instances`).
    pub fn new() -> io::Result<Self> {
        Ok(Self { instance: Instance::new()?, watched: SortedMap::new() })
    }

    /// Watches a FIFO that is open already.
    ///
    /// # Errors
    /// It is not there, or the kernel has no more watches for this user.
    pub fn watch(&mut self, key: K, path: &Path) -> io::Result<()> {
        let watch = self.instance.add(path, OPENED | CLOSED)?;
        self.watched.insert(watch, Watched { key, open: 0, had_one: false });
        Ok(())
    }

    pub fn unwatch(&mut self, key: K) {
        let Self { instance, watched } = self;
        watched.retain(|watch, w| {
            if w.key == key {
                instance.remove(*watch);
            }
            w.key != key
        });
    }

    /// Reads what has happened, all of it. Adds the FIFOs that have a reader again.
    ///
    /// # Errors
    /// Reading fails, which is not expected.
    pub fn read(&mut self, again: &mut Vec<K>) -> io::Result<()> {
        let Self { instance, watched } = self;
        while instance.read(|event| take(watched, &event, again))? {}
        Ok(())
    }
}

fn take<K: Copy>(
    all: &mut SortedMap<Watch, Watched<K>>,
    event: &FileEvent<'_>,
    again: &mut Vec<K>,
) {
    if event.mask & libc::IN_Q_OVERFLOW != 0 {
        for watched in all.values_mut() {
            watched.open = 0;
        }
        return;
    }
    let Some(watched) = all.get_mut(&event.watch) else { return };
    if event.mask & OPENED != 0 {
        if watched.open == 0 && watched.had_one {
            again.push(watched.key);
        }
        watched.open += 1;
        watched.had_one = true;
    }
    if event.mask & CLOSED != 0 {
        watched.open = watched.open.saturating_sub(1);
        watched.had_one = true;
    }
}

impl<K> AsRawFd for Readers<K> {
    fn as_raw_fd(&self) -> RawFd {
        self.instance.as_raw_fd()
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files they need")]
mod tests {
    use std::fs::OpenOptions;
    use std::os::unix::fs::OpenOptionsExt as _;

    use super::*;
    use crate::sys::fifo::Fifo;
    use crate::sys::tests::TempDir;
    use crate::sys::users;

    #[test]
    fn a_reader_that_comes_back_is_told_from_the_first_and_from_a_second() {
        let dir = TempDir::new("readers");
        let path = dir.path().join("f");
        let _fifo = Fifo::open(&path, users::own()).expect("opens");
        let mut readers = Readers::new().expect("inotify");
        readers.watch('f', &path).expect("watches");
        let open = || {
            let mut options = OpenOptions::new();
            options.read(true).custom_flags(libc::O_NONBLOCK).open(&path).expect("opens")
        };
        let mut again = || {
            let mut list = Vec::new();
            readers.read(&mut list).expect("reads");
            list
        };
        let first = open();
        assert_eq!(again(), [], "the first");
        let second = open();
        drop(first);
        assert_eq!(again(), [], "one more, and the first goes");
        drop(second);
        let third = open();
        assert_eq!(again(), ['f'], "there is a reader again");
        drop(third);
        assert_eq!(again(), []);
        readers.unwatch('f');
        let _fourth = open();
        let mut list = Vec::new();
        readers.read(&mut list).expect("reads");
        assert_eq!(list, [], "it is not watched any more");
    }
}
