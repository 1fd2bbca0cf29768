//! Files whose content matters: says which may have changed.
//!
//! Not the file is watched but its directory, since files are replaced by renaming. A directory
//! that is missing, removed or renamed is no end: whatever exists of the path is watched, and
//! symbolic links on the way with it. Reports come after the watches are in place, so that what is
//! read then is no older than the next report.

mod chain;
pub mod readers;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use self::chain::{chain, Link};
use super::check;

/// Names that appear, go, or are written and closed.
const ENTRIES: u32 = libc::IN_CREATE
    | libc::IN_DELETE
    | libc::IN_MOVED_FROM
    | libc::IN_MOVED_TO
    | libc::IN_CLOSE_WRITE
    | WAY;
/// The directory itself goes.
const WAY: u32 = libc::IN_DELETE_SELF | libc::IN_MOVE_SELF;
/// More events than these per call wait for the next.
const BUFFER: usize = 16 * 1024;
/// Directories that change while they are being looked at are looked at again, not for ever.
const ATTEMPTS: usize = 8;

/// The kernel's number of a watched directory.
type Watch = i32;

/// Watches files on behalf of keys.
#[derive(Debug)]
pub struct FileWatch<K> {
    fd: File,
    files: BTreeMap<K, Watched>,
    /// What the kernel was asked to watch, and for whom. Beside a file that matters others may write
    /// a hundred thousand a second, so an event costs no more than looking its name up.
    watches: BTreeMap<Watch, Listeners<K>>,
    buffer: Vec<u8>,
}

/// Whom the events of one directory concern.
#[derive(Debug)]
struct Listeners<K> {
    all: BTreeSet<K>,
    /// By the name in the directory that matters to them.
    by_name: BTreeMap<OsString, BTreeSet<K>>,
}

impl<K> Default for Listeners<K> {
    fn default() -> Self {
        Self { all: BTreeSet::new(), by_name: BTreeMap::new() }
    }
}

#[derive(Debug)]
struct Watched {
    path: PathBuf,
    /// The directories, and the name in each that matters; without one, the directory itself.
    places: BTreeSet<(Watch, Option<OsString>)>,
    /// Where the file itself is, or would be.
    last: Option<(Watch, OsString)>,
}

impl<K: Ord + Clone> FileWatch<K> {
    /// # Errors
    /// The system call fails, for want of descriptors or of the user's instances
    /// (`fs.inotify.max_user_instances`).
    pub fn new() -> io::Result<Self> {
        // SAFETY: flags only.
        let fd = check(unsafe { libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC) })?;
        // SAFETY: just made, and nobody else's.
        let fd = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
        Ok(Self { fd, files: BTreeMap::new(), watches: BTreeMap::new(), buffer: vec![0; BUFFER] })
    }

    /// Watches an absolute path, which need not lead anywhere yet. Read the file afterwards.
    ///
    /// # Errors
    /// The kernel has no more watches for this user (`fs.inotify.max_user_watches`). The path is
    /// watched as far as it could be.
    pub fn watch(&mut self, key: K, path: &Path) -> io::Result<()> {
        let file = Watched { path: path.into(), places: BTreeSet::new(), last: None };
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
    /// Reading fails, which the kernel has no reason for.
    pub fn read(&mut self, changed: &mut BTreeSet<K>) -> io::Result<bool> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let count = (&self.fd).read(&mut buffer);
        if let Ok(count) = count {
            self.take(&buffer[..count.min(buffer.len())], changed);
        }
        self.buffer = buffer;
        match count {
            Ok(_) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(e) => Err(e),
        }
    }

    fn take(&mut self, bytes: &[u8], changed: &mut BTreeSet<K>) {
        // Whose way has changed.
        let mut moved = BTreeSet::new();
        for event in events(bytes) {
            if event.mask & libc::IN_Q_OVERFLOW != 0 {
                moved.extend(self.files.keys().cloned());
                continue;
            }
            let Some(listeners) = self.watches.get(&event.watch) else { continue };
            let concerned = if event.mask & (WAY | libc::IN_IGNORED) != 0 {
                Some(&listeners.all)
            } else {
                listeners.by_name.get(event.name)
            };
            for key in concerned.into_iter().flatten() {
                match self.files[key].concern(&event) {
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
                self.watches.remove(&event.watch);
            }
        }
        for key in &moved {
            if let Err(e) = self.place(key) {
                log::warn!("cannot watch {}: {e}", self.files[key].path.display());
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
            let mut places = BTreeSet::new();
            result = Ok(());
            for link in chain(&file.path) {
                let is_file = matches!(link, Link::File { .. });
                let (dir, name, mask) = match link {
                    Link::File { dir, name } | Link::Entry { dir, name } => {
                        (dir, Some(name), ENTRIES)
                    }
                    Link::Way { dir } => (dir, None, WAY),
                };
                match add(&self.fd, &dir, mask) {
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

    /// Gives back what no path leads through any more.
    fn forget_unused(&mut self) {
        let before = std::mem::take(&mut self.watches);
        for key in self.files.keys().cloned().collect::<Vec<_>>() {
            self.listen(&key);
        }
        for watch in before.into_keys().filter(|watch| !self.watches.contains_key(watch)) {
            // SAFETY: numbers only. A directory that is gone has taken its watch with it.
            unsafe { libc::inotify_rm_watch(self.fd.as_raw_fd(), watch) };
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
        self.fd.as_raw_fd()
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
    fn concern(&self, event: &Event<'_>) -> Concern {
        match event.mask {
            m if m & libc::IN_CLOSE_WRITE != 0 => Concern::Content,
            // Just opened by who is about to write it: empty still.
            m if m & libc::IN_CREATE != 0 && self.is_being_written(event) => Concern::None,
            _ => Concern::Way,
        }
    }

    /// It is the file, new, and of one name only. A second name, or a link, comes with its content.
    fn is_being_written(&self, event: &Event<'_>) -> bool {
        let is_last =
            self.last.as_ref().is_some_and(|(w, n)| *w == event.watch && *n == event.name);
        is_last && fs::metadata(&self.path).is_ok_and(|m| m.is_file() && m.nlink() == 1)
    }
}

/// Watches a directory, for these events besides those it is watched for already.
fn add(fd: &File, dir: &Path, mask: u32) -> io::Result<Watch> {
    let name = CString::new(dir.as_os_str().as_bytes())?;
    let mask = mask | libc::IN_MASK_ADD | libc::IN_ONLYDIR;
    // SAFETY: a C string that lives.
    check(unsafe { libc::inotify_add_watch(fd.as_raw_fd(), name.as_ptr(), mask) })
}

#[derive(Debug)]
struct Event<'a> {
    watch: Watch,
    mask: u32,
    /// Empty for events of the directory itself.
    name: &'a OsStr,
}

/// The events of one read, as inotify(7) lays them out.
fn events(mut bytes: &[u8]) -> impl Iterator<Item = Event<'_>> {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_at_checked(16)?;
        let word = |n: usize| head[n * 4..].first_chunk::<4>().copied();
        let length = usize::try_from(u32::from_ne_bytes(word(3)?)).ok()?;
        let (name, rest) = rest.split_at_checked(length)?;
        bytes = rest;
        let name = name.split(|b| *b == 0).next().unwrap_or_default();
        Some(Event {
            watch: i32::from_ne_bytes(word(0)?),
            mask: u32::from_ne_bytes(word(1)?),
            name: OsStr::from_bytes(name),
        })
    })
}

#[cfg(test)]
mod tests;
