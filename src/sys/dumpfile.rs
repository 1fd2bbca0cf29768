//! Files for others to read, complete before they appear, never written through a link.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::{open, random};

/// State of the daemon is readable only by its owner.
pub const PRIVATE: u32 = 0o600;
/// A dump is readable by those whom the umask leaves the right; by default only by its owner.
pub const DUMP: u32 = 0o666;
/// A user who fills a public directory with our temporary names has to guess this many of them.
const ATTEMPTS: u32 = 8;

/// Puts a file of this text at `dir/name` and gives its path. The umask restricts its mode.
///
/// An existing file, link or FIFO of that name is replaced, not written to. Readers see the old
/// text or the new one, never a part.
///
/// # Errors
/// The directory is not writable or full, or the name is a directory. The name is then unchanged,
/// and nothing is left behind.
pub fn write_atomically(dir: &Path, name: &str, text: &str, mode: u32) -> io::Result<PathBuf> {
    let target = dir.join(name);
    let (temporary, mut file) = create(dir, name, mode)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| fs::rename(&temporary, &target));
    match written {
        Ok(()) => Ok(target),
        Err(e) => {
            // The first failure is more informative than a second one.
            let _ = fs::remove_file(&temporary);
            Err(e)
        }
    }
}

/// The same for a path.
///
/// # Errors
/// Those of [`write_atomically`], or the path names no file.
pub fn replace(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let (directory, name) = parts(path)?;
    write_atomically(directory, name, text, mode).map(drop)
}

/// The directory and the name of a file.
pub(super) fn parts(path: &Path) -> io::Result<(&Path, &str)> {
    let name = path.file_name().and_then(|name| name.to_str());
    path.parent().zip(name).ok_or_else(|| ErrorKind::InvalidInput.into())
}

/// Reads a file written by [`write_atomically`], up to `limit` bytes.
///
/// # Errors
/// It is missing, not a file, or larger.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    Ok(open::read_unlinked(path, limit)?)
}

/// A new file beside the target: a rename does not leave its file system.
pub(super) fn create(dir: &Path, name: &str, mode: u32) -> io::Result<(PathBuf, File)> {
    let mut attempts = 0;
    loop {
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{:016x}", random::seed()));
        let path = dir.join(hidden);
        attempts += 1;
        match open::create_new(&path, mode).map_err(io::Error::from) {
            Ok(file) => return Ok((path, file)),
            Err(e) if e.kind() == ErrorKind::AlreadyExists && attempts < ATTEMPTS => {}
            Err(e) => return Err(e),
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files they need")]
mod tests {
    use std::os::unix::fs::{symlink, PermissionsExt as _};

    use super::super::tests::TempDir;
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<_> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_under_its_name_alone_and_for_its_owner_alone() {
        let dir = TempDir::new("dump-new");
        let path = write_atomically(dir.path(), "k.data", "text\n", PRIVATE).unwrap();
        assert_eq!(path, dir.path().join("k.data"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "text\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names(dir.path()), ["k.data"]);
    }

    #[test]
    fn an_older_file_is_replaced_and_not_written_to() {
        let dir = TempDir::new("dump-old");
        let path = dir.path().join("k.data");
        fs::write(&path, "a longer text from before\n").unwrap();
        let before = File::open(&path).unwrap();
        write_atomically(dir.path(), "k.data", "new\n", PRIVATE).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new\n");
        assert_eq!(io::read_to_string(before).unwrap(), "a longer text from before\n");
    }

    #[test]
    fn a_link_is_replaced_and_its_target_untouched() {
        let dir = TempDir::new("dump-link");
        let (path, victim) = (dir.path().join("k.data"), dir.path().join("victim"));
        fs::write(&victim, "mine").unwrap();
        symlink(&victim, &path).unwrap();
        write_atomically(dir.path(), "k.data", "new\n", PRIVATE).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }

    #[test]
    fn a_directory_in_the_way_stays_and_nothing_is_left_behind() {
        let dir = TempDir::new("dump-dir");
        fs::create_dir(dir.path().join("k.data")).unwrap();
        write_atomically(dir.path(), "k.data", "new\n", PRIVATE).unwrap_err();
        assert_eq!(names(dir.path()), ["k.data"]);
        assert!(fs::metadata(dir.path().join("k.data")).unwrap().is_dir());
    }

    #[test]
    fn a_missing_directory_is_an_error() {
        let dir = TempDir::new("dump-none");
        let e = write_atomically(&dir.path().join("no"), "k.data", "new\n", PRIVATE).unwrap_err();
        assert_eq!(e.kind(), ErrorKind::NotFound);
    }
}
