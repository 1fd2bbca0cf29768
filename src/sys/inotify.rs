//! Reports possible changes of watched files.
//!
//! The directory of a file is watched rather than the file, since files are replaced by renaming.
//! If directories are missing, removed or renamed, the existing part of the path is watched,
//! including symbolic links. Reports follow the setup of watches, so that contents read then are no
//! older than the next report.

mod chain;
mod instance;
pub mod readers;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use self::chain::{chain, Link};
use self::instance::{FileEvent, Instance, Watch};
use super::reason;
use crate::base::sorted::{SortedMap, SortedSet};

/// Names that appear, go, or are written and closed.
const ENTRIES: u32 = libc::IN_CREATE
    | libc::IN_DELETE
    | libc::IN_MOVED_FROM
    | libc::IN_MOVED_TO
    | libc::IN_CLOSE_WRITE
    | WAY;
/// The directory itself goes.
const WAY: u32 = libc::IN_DELETE_SELF | libc::IN_MOVE_SELF;
/// Directories that change during their inspection are inspected again, a limited number of times.
const ATTEMPTS: usize = 8;

/// Watches files on behalf of keys.
#[derive(Debug)]
pub struct FileWatch<K> {
    instance: Instance,
    files: SortedMap<K, Watched>,
    /// Watches of the kernel with their keys. Other programs may write a hundred thousand files a
    /// second in the same directory, so an event costs only a look-up of its name.
    watches: SortedMap<Watch, Listeners<K>>,
}

/// Keys concerned by the events of one directory.
#[derive(Debug)]
struct Listeners<K> {
    all: SortedSet<K>,
    /// By the name in the directory that matters to them.
    by_name: SortedMap<OsString, SortedSet<K>>,
}

impl<K> Default for Listeners<K> {
    fn default() -> Self {
        Self { all: SortedSet::new(), by_name: SortedMap::new() }
    }
}

#[derive(Debug)]
struct Watched {
    path: PathBuf,
    /// The directories, and the name in each that matters; without one, the directory itself.
    places: SortedSet<(Watch, Option<OsString>)>,
    /// Where the file itself is, or would be.
    last: Option<(Watch, OsString)>,
}

impl<K: Ord + Clone> FileWatch<K> {
    /// # Errors
    /// The system call fails, for want of descriptors or of the user's instances
    /// (`fs.inotify.max_user_instances`).
    pub fn new() -> io::Result<Self> {
        Ok(Self { instance: Instance::new()?, files: SortedMap::new(), watches: SortedMap::new() })
    }

    /// Watches an absolute path, which need not lead anywhere yet. Read the file afterwards.
    ///
    /// # Errors
    /// The kernel has no more watches for this user (`fs.inotify.max_user_watches`). The path is
    /// watched as far as it could be.
    pub fn watch(&mut self, key: K, path: &Path) -> io::Result<()> {
        let file = Watched { path: path.into(), places: SortedSet::new(), last: None };
        let before = self.files.insert(key.clone(), file);
        let placed = self.place(&key);
        match before {
            None => self.listen(&key),
            Some(_) => self.forget_unused(),
        }
        placed
    }

    pub fn unwatch(&mut self, key: &K) {
        self.files.remove(key);
        self.forget_unused();
    }

    /// Reads what has happened; true if there may be more. Adds the files that may have changed.
    ///
    /// # Errors
    /// Reading fails, which is not expected.
    pub fn read(&mut self, changed: &mut SortedSet<K>) -> io::Result<bool> {
        let mut moved = SortedSet::new();
        let Self { instance, files, watches } = self;
        let more = instance.read(|event| take(files, watches, &event, changed, &mut moved));
        self.follow(moved, changed);
        more
    }

    /// Watches anew what may lead elsewhere now.
    fn follow(&mut self, mut moved: SortedSet<K>, changed: &mut SortedSet<K>) {
        for key in &moved {
            if let Err(e) = self.place(key) {
                log::warn!("cannot watch {}: {}", self.files[key].path.display(), reason(&e));
            }
        }
        if !moved.is_empty() {
            self.forget_unused();
        }
        changed.append(&mut moved);
    }

    /// Asks the kernel to watch what decides about this path now.
    fn place(&mut self, key: &K) -> io::Result<()> {
        let Some(file) = self.files.get_mut(key) else { return Ok(()) };
        file.places.clear();
        let mut result = Ok(());
        // Looked at again: it may have changed before it was watched.
        for _ in 0..ATTEMPTS {
            let mut places = SortedSet::new();
            result = Ok(());
            for link in chain(&file.path) {
                let is_file = matches!(link, Link::File { .. });
                let (dir, name, mask) = match link {
                    Link::File { dir, name } | Link::Entry { dir, name } => {
                        (dir, Some(name), ENTRIES)
                    }
                    Link::Way { dir } => (dir, None, WAY),
                };
                match self.instance.add(&dir, mask | libc::IN_MASK_ADD | libc::IN_ONLYDIR) {
                    Ok(watch) => {
                        self.watches.entry(watch).or_default();
                        file.last = name.clone().filter(|_| is_file).map(|n| (watch, n));
                        places.insert((watch, name));
                    }
                    Err(e) => result = Err(e),
                }
            }
            let before = std::mem::replace(&mut file.places, places);
            if before == file.places {
                break;
            }
        }
        result
    }

    /// Removes watches that no path leads through any more.
    fn forget_unused(&mut self) {
        let before = std::mem::take(&mut self.watches);
        for key in self.files.keys().cloned().collect::<Vec<_>>() {
            self.listen(&key);
        }
        for watch in before.into_keys().filter(|watch| !self.watches.contains_key(watch)) {
            self.instance.remove(watch);
        }
    }

    /// Enters a path with the directories that decide about it.
    fn listen(&mut self, key: &K) {
        let Some(file) = self.files.get(key) else { return };
        for (watch, name) in &file.places {
            let listeners = self.watches.entry(*watch).or_default();
            listeners.all.insert(key.clone());
            if let Some(name) = name {
                listeners.by_name.entry(name.clone()).or_default().insert(key.clone());
            }
        }
    }
}

impl<K> AsRawFd for FileWatch<K> {
    fn as_raw_fd(&self) -> RawFd {
        self.instance.as_raw_fd()
    }
}

/// Sorts the files that an event concerns: those whose content may have `changed`, and those whose
/// path has `moved`.
fn take<K: Ord + Clone>(
    files: &SortedMap<K, Watched>,
    watches: &mut SortedMap<Watch, Listeners<K>>,
    event: &FileEvent<'_>,
    changed: &mut SortedSet<K>,
    moved: &mut SortedSet<K>,
) {
    if event.mask & libc::IN_Q_OVERFLOW != 0 {
        moved.extend(files.keys().cloned());
        return;
    }
    let Some(listeners) = watches.get(&event.watch) else { return };
    let concerned = if event.mask & (WAY | libc::IN_IGNORED) != 0 {
        Some(&listeners.all)
    } else {
        listeners.by_name.get(event.name)
    };
    for key in concerned.into_iter().flatten() {
        match files[key].concern(event) {
            Concern::None => {}
            Concern::Content => {
                changed.insert(key.clone());
            }
            Concern::Way => {
                moved.insert(key.clone());
            }
        }
    }
    if event.mask & libc::IN_IGNORED != 0 {
        watches.remove(&event.watch);
    }
}

/// What an event means for a path.
enum Concern {
    None,
    Content,
    /// It may lead elsewhere.
    Way,
}

impl Watched {
    /// Of an event in one of its directories, with its name if there is one.
    fn concern(&self, event: &FileEvent<'_>) -> Concern {
        match event.mask {
            m if m & libc::IN_CLOSE_WRITE != 0 => Concern::Content,
            // Just created by a writer, and still empty.
            m if m & libc::IN_CREATE != 0 && self.is_being_written(event) => Concern::None,
            _ => Concern::Way,
        }
    }

    /// It is the file, new, and of one name only. A second name, or a link, comes with its content.
    fn is_being_written(&self, event: &FileEvent<'_>) -> bool {
        let is_last =
            self.last.as_ref().is_some_and(|(w, n)| *w == event.watch && *n == event.name);
        is_last && fs::metadata(&self.path).is_ok_and(|m| m.is_file() && m.nlink() == 1)
    }
}

#[cfg(test)]
mod tests;
