//! The state file, mapped into memory: a record is written with a few stores and no system call, and
//! the kernel keeps it when the daemon dies.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::num::NonZeroUsize;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use nix::fcntl::posix_fallocate;
use nix::sys::mman::{mmap, munmap, MapFlags, ProtFlags};

use super::{dumpfile, legacy, open};
use crate::wire::statefile::{self, Identity, Record, HEAD, RECORD};

/// More than any host needs: one million records.
const LIMIT: u64 = 32 << 20;

/// The mapping at hand, for the handler of SIGBUS.
static START: AtomicUsize = AtomicUsize::new(0);
static LEN: AtomicUsize = AtomicUsize::new(0);

/// The file that belongs to a pid file, and is used by one daemon as that is.
pub fn beside(pid_file: &Path) -> PathBuf {
    legacy::beside(pid_file, "state")
}

/// What the run before has left; nothing if there is no file.
///
/// # Errors
/// The file is unreadable, of another boot, a copy or damaged, or it is open to others.
pub fn load(path: &Path) -> io::Result<Vec<Record>> {
    let text = "it is not ours, or others can read or write it";
    let Some((file, metadata)) = legacy::open(path, 0o077, text)? else { return Ok(Vec::new()) };
    let bytes = open::whole(file, &metadata, LIMIT, &|| {})?;
    statefile::parse(&bytes, &identity(&metadata)?)
        .map_err(|refusal| io::Error::new(ErrorKind::InvalidData, refusal.to_string()))
}

/// Removes what the run before has left.
///
/// # Errors
/// The directory is not writable.
pub fn remove(path: &Path) -> io::Result<()> {
    legacy::remove(path)
}

/// A state file in use. Dropping it leaves the file.
#[derive(Debug)]
pub struct StateFile {
    words: NonNull<AtomicU32>,
    /// Records it has room for.
    room: u32,
}

impl StateFile {
    /// Puts a file with room for so many records in the place of the one that is there.
    ///
    /// # Errors
    /// The directory is not writable or full, or there are too many records. The file that is there
    /// is unchanged.
    pub fn create(path: &Path, room: u32, records: &[Option<Record>]) -> io::Result<Self> {
        let (directory, name) = dumpfile::parts(path)?;
        let (temporary, file) = dumpfile::create(directory, name, dumpfile::PRIVATE)?;
        let made = Self::map(&file, room).and_then(|made| {
            made.fill(&identity(&file.metadata()?)?, records);
            fs::rename(&temporary, path).map(|()| made)
        });
        if made.is_err() {
            // The first failure is more informative than a second one.
            let _ = fs::remove_file(&temporary);
        }
        let made = made?;
        LEN.store(0, Ordering::SeqCst);
        START.store(made.words.as_ptr() as usize, Ordering::SeqCst);
        LEN.store(made.bytes(), Ordering::SeqCst);
        Ok(made)
    }

    fn map(file: &File, room: u32) -> io::Result<Self> {
        let len = size(room);
        let length = i64::try_from(len).ok().filter(|len| *len as u64 <= LIMIT);
        // A store to a page that the file system has no room for would be fatal.
        posix_fallocate(file, 0, length.ok_or(ErrorKind::FileTooLarge)?)?;
        let length = NonZeroUsize::new(len).ok_or(ErrorKind::InvalidInput)?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping, at an address of the kernel's choice; it is used through atomics
        // only. If the file is truncated by others, the handler of SIGBUS puts memory in its place.
        let at = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, file, 0) }?;
        Ok(Self { words: at.cast(), room })
    }

    fn fill(&self, identity: &Identity, records: &[Option<Record>]) {
        for (word, value) in self.words().iter().zip(statefile::head(identity)) {
            word.store(value, Ordering::Relaxed);
        }
        for (place, record) in (0..).zip(records) {
            self.put(place, record.as_ref());
        }
    }

    /// Writes a record, or clears its place.
    pub fn put(&self, place: u32, record: Option<&Record>) {
        let from = HEAD + place as usize * RECORD;
        let Some(words) = self.words().get(from..from + RECORD) else { return };
        let values = record.map_or([0; RECORD], Record::words);
        for (word, value) in words.iter().zip(values) {
            word.store(value, Ordering::Release);
        }
    }

    /// Records it has room for.
    pub const fn room(&self) -> u32 {
        self.room
    }

    fn words(&self) -> &[AtomicU32] {
        // SAFETY: the mapping has this length, is aligned to pages, and lives as long as `self`.
        unsafe { std::slice::from_raw_parts(self.words.as_ptr(), self.bytes() / size_of::<u32>()) }
    }

    const fn bytes(&self) -> usize {
        size(self.room)
    }
}

impl Drop for StateFile {
    fn drop(&mut self) {
        if START.load(Ordering::SeqCst) == self.words.as_ptr() as usize {
            LEN.store(0, Ordering::SeqCst);
        }
        // SAFETY: mapped in `map` with this length, and not used any more.
        let _ = unsafe { munmap(self.words.cast(), self.bytes()) };
    }
}

/// More than the limit of a file if the room is more than a processor of 32 bits can address.
const fn size(room: u32) -> usize {
    (room as usize).saturating_mul(RECORD).saturating_add(HEAD).saturating_mul(size_of::<u32>())
}

/// For the handler of SIGBUS: if the state file was truncated, puts memory in its place, which the
/// next run will not see.
pub(super) fn replace_lost(fault: usize) -> bool {
    let (start, len) = (START.load(Ordering::SeqCst), LEN.load(Ordering::SeqCst));
    if len == 0 || !(start..start + len).contains(&fault) {
        return false;
    }
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    // SAFETY: replaces the mapping of `StateFile`, which is used through atomics only.
    unsafe {
        libc::mmap(start as *mut libc::c_void, len, protection, flags, -1, 0) != libc::MAP_FAILED
    }
}

/// The boot of the host, and the file.
fn identity(metadata: &fs::Metadata) -> io::Result<Identity> {
    let text = open::kernel_read(Path::new("/proc/sys/kernel/random/boot_id"))?;
    let digits = text.iter().filter_map(|digit| char::from(*digit).to_digit(16));
    let mut boot = [0_u32; 4];
    for (n, digit) in digits.take(32).enumerate() {
        boot[n / 8] = boot[n / 8] << 4 | digit;
    }
    Ok(Identity { boot, device: metadata.dev(), inode: metadata.ino() })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files they need")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    use super::super::tests::TempDir;
    use super::*;
    use crate::wire::statefile::{Key, Value};

    fn master(name: &str, at: u64) -> Record {
        let interval = Duration::from_secs(1);
        let advertised = Duration::from_micros(at);
        Record { key: Key::of(&[name]), value: Value::Master { interval, advertised } }
    }

    #[test]
    fn records_are_found_by_the_next_run() {
        let dir = TempDir::new("statefile");
        let path = beside(&dir.path().join("vrrp.pid"));
        assert_eq!(path, dir.path().join("vrrp.state"));
        assert_eq!(load(&path).expect("no file, no records"), []);
        let file = StateFile::create(&path, 3, &[None, Some(master("a", 1))]).expect("makes it");
        assert_eq!((file.room(), load(&path).expect("reads")), (3, vec![master("a", 1)]));
        file.put(1, Some(&master("a", u64::MAX >> 1)));
        file.put(2, Some(&master("b", 2)));
        file.put(3, Some(&master("c", 3)));
        let all = vec![master("a", u64::MAX >> 1), master("b", 2)];
        assert_eq!(load(&path).expect("without a copy in between"), all);
        file.put(1, None);
        drop(file);
        assert_eq!(load(&path).expect("after the end"), all[1..]);
        remove(&path).expect("removes it");
        remove(&path).expect("nothing to remove");
        assert!(!path.exists());
    }

    #[test]
    fn a_file_of_others_or_of_another_place_is_refused() {
        let dir = TempDir::new("statefile-others");
        let path = dir.path().join("vrrp.state");
        StateFile::create(&path, 1, &[Some(master("a", 1))]).expect("makes it");
        let copy = dir.path().join("copy.state");
        fs::copy(&path, &copy).expect("copies");
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o600)).expect("ours");
        assert_eq!(load(&copy).expect_err("a copy").to_string(), "it is a copy");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("ours");
        assert_eq!(load(&path).expect_err("open").kind(), ErrorKind::PermissionDenied);
        std::os::unix::fs::symlink(&path, dir.path().join("link")).expect("links");
        assert!(load(&dir.path().join("link")).is_err());
    }

    #[test]
    fn without_a_directory_there_is_no_file() {
        let dir = TempDir::new("statefile-none");
        assert!(StateFile::create(&dir.path().join("none/vrrp.state"), 1, &[]).is_err());
        assert!(StateFile::create(&dir.path().join("vrrp.state"), u32::MAX, &[]).is_err());
        assert_eq!(fs::read_dir(dir.path()).expect("there").count(), 0, "nothing is left behind");
    }
}
