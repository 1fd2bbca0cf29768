//! Files that hold the process id, and the lock that keeps a second daemon away.
//!
//! keepalived runs a process per subsystem with a file for each. Here all files contain the id of
//! the one process, so that scripts which read any of them keep working.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{fcntl, FcntlArg};

use super::open::{self, Unfit};
use super::{process, reason};

/// Where the files lie by default.
const RUN: &str = "/run";

/// Owner of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Owner {
    /// The daemon as a whole.
    Main,
    Vrrp,
    Checkers,
    Bfd,
}

impl Owner {
    const fn stem(self) -> &'static str {
        match self {
            Self::Main => "keepalived",
            Self::Vrrp => "vrrp",
            Self::Checkers => "checkers",
            Self::Bfd => "bfd",
        }
    }
}

/// Settings that determine the paths unless the command line does.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Location<'a> {
    /// `use_pid_dir`.
    pub use_pid_dir: bool,
    /// `instance NAME`.
    pub instance: Option<&'a str>,
    /// `net_namespace NAME` or `-s`.
    pub namespace: Option<&'a str>,
}

impl Location<'_> {
    /// `/run`, `/run/keepalived` or `/run/keepalived/NAMESPACE`.
    pub fn directory(&self) -> PathBuf {
        let mut directory = PathBuf::from(RUN);
        if self.use_pid_dir || self.instance.is_some() || self.namespace.is_some() {
            directory.push("keepalived");
        }
        directory.extend(self.namespace);
        directory
    }

    /// The file of `owner`: `vrrp.pid`, `vrrp_INSTANCE.pid`.
    pub fn path(&self, owner: Owner) -> PathBuf {
        let stem = owner.stem();
        let name = match self.instance {
            Some(instance) => format!("{stem}_{instance}.pid"),
            None => format!("{stem}.pid"),
        };
        self.directory().join(name)
    }
}

/// Why a file could not be taken.
#[derive(Debug)]
pub enum Error {
    /// Another process holds its lock: a daemon is running already.
    Locked(PathBuf),
    Io {
        path: PathBuf,
        source: io::Error,
    },
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Locked(path) => {
                write!(f, "Another process has pid file {} locked", path.display())
            }
            Self::Io { path, source } => {
                write!(f, "Cannot open {} pidfile: {}", path.display(), reason(source))
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Locked(_) => None,
            Self::Io { source, .. } => Some(source),
        }
    }
}

/// The files of this daemon, locked. Dropping it releases the locks and leaves the files.
#[derive(Debug, Default)]
pub struct PidFiles {
    files: Vec<PidFile>,
    /// Directories made for them or shared with other daemons, the innermost first.
    directories: Vec<PathBuf>,
}

#[derive(Debug)]
struct PidFile {
    path: PathBuf,
    file: File,
}

impl PidFiles {
    /// Creates and locks empty files. The locks belong to the open files, so that they stay when
    /// the process forks to become a daemon; the id is written after that.
    ///
    /// # Errors
    /// One cannot be had. Those taken before are removed again.
    pub fn claim(paths: impl IntoIterator<Item = PathBuf>) -> Result<Self, Error> {
        let mut taken = Self::default();
        for path in paths {
            if let Err(e) = taken.add(path) {
                taken.remove();
                return Err(e);
            }
        }
        Ok(taken)
    }

    /// Files of these names that the program before this one has locked; `None` unless they are
    /// in place, one for each name.
    pub fn adopted(paths: &[PathBuf], files: Vec<File>) -> Option<Self> {
        if paths.len() != files.len() {
            return None;
        }
        let mut taken = Self::default();
        for (path, file) in paths.iter().zip(files) {
            if !is_at(&file, path).unwrap_or(false) {
                return None;
            }
            taken.directories.extend(make_directories(path).ok()?);
            taken.files.push(PidFile { path: path.clone(), file });
        }
        Some(taken)
    }

    /// The descriptors that hold the locks.
    pub fn descriptors(&self) -> Vec<RawFd> {
        self.files.iter().map(|PidFile { file, .. }| file.as_raw_fd()).collect()
    }

    fn add(&mut self, path: PathBuf) -> Result<(), Error> {
        let failed = |source| Error::Io { path: path.clone(), source };
        self.directories.extend(make_directories(&path).map_err(failed)?);
        let file = lock(&path).map_err(failed)?.ok_or_else(|| Error::Locked(path.clone()))?;
        self.files.push(PidFile { path, file });
        Ok(())
    }

    /// Writes the process id into all files.
    ///
    /// # Errors
    /// A file cannot be written; the others are.
    pub fn write(&mut self, pid: u32) -> Result<(), Error> {
        let mut failed = None;
        for PidFile { path, file } in &mut self.files {
            let text = format!("{pid}\n");
            let written = file.set_len(0).and_then(|()| file.write_all_at(text.as_bytes(), 0));
            if let Err(source) = written {
                failed = Some(Error::Io { path: path.clone(), source });
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Removes all files, and their directory if it is empty then.
    pub fn remove(&mut self) {
        for file in self.files.drain(..) {
            remove_file(&file);
        }
        for directory in self.directories.drain(..) {
            // Another daemon may have its files there.
            let _ = fs::remove_dir(directory);
        }
    }
}

/// Removes the name if it still is that of our file.
fn remove_file(PidFile { path, file }: &PidFile) {
    if is_at(file, path).unwrap_or(false) {
        // Another program may have removed it already.
        let _ = fs::remove_file(path);
    }
}

/// Makes `/run/keepalived` and below; other directories are the operator's. Returns those that may
/// be removed at the end.
fn make_directories(path: &Path) -> io::Result<Vec<PathBuf>> {
    let ours = Path::new(RUN).join("keepalived");
    let mut below: Vec<PathBuf> = path
        .ancestors()
        .skip(1)
        .take_while(|d| d.starts_with(&ours))
        .map(Path::to_path_buf)
        .collect();
    for directory in below.iter().rev() {
        match DirBuilder::new().mode(0o755).create(directory) {
            // The umask of the daemon would make it inaccessible.
            Ok(()) => fs::set_permissions(directory, Permissions::from_mode(0o755))?,
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
    below.dedup();
    Ok(below)
}

/// The daemon that has this file locked, by the number in it; `None` where it is not locked, or not
/// there.
///
/// # Errors
/// It cannot be read, or is locked and has no number (yet).
pub fn holder(path: &Path) -> io::Result<Option<u32>> {
    let file = match open::unlinked(path) {
        Err(Unfit::Missing) => return Ok(None),
        other => other?.0,
    };
    if !is_locked(&file)? {
        return Ok(None);
    }
    let mut text = [0; 16];
    let len = file.read_at(&mut text, 0)?;
    let number = std::str::from_utf8(&text[..len]).ok().and_then(|t| t.trim().parse().ok());
    number.map(Some).ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "no process id in it"))
}

/// Opens a file, making it if need be, and locks it; `None` if another process has it locked.
fn lock(path: &Path) -> io::Result<Option<File>> {
    loop {
        let file = open::own(path, 0o644)?;
        if !try_lock(&file)? {
            return Ok(None);
        }
        // A daemon that was just ending may have removed the name before we had the lock.
        if is_at(&file, path)? {
            file.set_permissions(Permissions::from_mode(0o644))?;
            file.set_len(0)?;
            return Ok(Some(file));
        }
    }
}

/// True if the name still leads to the open file.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (open.dev(), open.ino())),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

/// Takes the write lock that belongs to the open file, not to the process; false if it is taken.
fn try_lock(file: &File) -> io::Result<bool> {
    match fcntl(file, FcntlArg::F_OFD_SETLK(&write_lock())) {
        Ok(_) => Ok(true),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

/// Description of another program that has this file locked, if it is known not to be keepalived.
pub fn foreign_holder(path: &Path) -> Option<String> {
    let (file, _) = open::unlinked(path).ok()?;
    // The owner of a process lock is known to the kernel; keepalived's own locks need the number in
    // the file.
    let pid = match locking_process(&file).ok()? {
        Some(pid) => pid,
        None => holder(path).ok()??,
    };
    let name = process::name_of(pid)?;
    (!name.starts_with("keepalived")).then(|| format!("process {pid} ({name})"))
}

fn locking_process(file: &File) -> io::Result<Option<u32>> {
    let mut in_the_way = write_lock();
    fcntl(file, FcntlArg::F_GETLK(&mut in_the_way))?;
    Ok(u32::try_from(in_the_way.l_pid).ok().filter(|pid| *pid > 0))
}

fn is_locked(file: &File) -> io::Result<bool> {
    let mut in_the_way = write_lock();
    fcntl(file, FcntlArg::F_OFD_GETLK(&mut in_the_way))?;
    Ok(libc::c_int::from(in_the_way.l_type) != libc::F_UNLCK)
}

/// The write lock of a whole file.
fn write_lock() -> libc::flock {
    // SAFETY: integers, for which zero is valid; a length of 0 is the whole file.
    let mut range: libc::flock = unsafe { std::mem::zeroed() };
    // The constant has another width than the structure.
    range.l_type = libc::F_WRLCK as libc::c_short;
    range
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files they need")]
mod tests {
    use super::*;
    use crate::sys::tests::TempDir;

    fn claim(paths: &[&Path]) -> Result<PidFiles, Error> {
        PidFiles::claim(paths.iter().map(|p| p.to_path_buf()))
    }

    fn text(path: &Path) -> String {
        fs::read_to_string(path).expect("reads")
    }

    #[test]
    fn names_are_those_of_the_original() {
        let path = |place: Location<'_>, owner| place.path(owner).display().to_string();
        let plain = Location::default();
        assert_eq!(path(plain, Owner::Main), "/run/keepalived.pid");
        assert_eq!(path(plain, Owner::Vrrp), "/run/vrrp.pid");
        assert_eq!(path(plain, Owner::Checkers), "/run/checkers.pid");
        assert_eq!(path(plain, Owner::Bfd), "/run/bfd.pid");
        let own = Location { use_pid_dir: true, ..plain };
        assert_eq!(path(own, Owner::Main), "/run/keepalived/keepalived.pid");
        let named = Location { instance: Some("inst1"), ..plain };
        assert_eq!(path(named, Owner::Vrrp), "/run/keepalived/vrrp_inst1.pid");
        let both = Location { namespace: Some("blue"), ..named };
        assert_eq!(path(both, Owner::Main), "/run/keepalived/blue/keepalived_inst1.pid");
    }

    #[test]
    fn holds_the_id_and_may_be_read_by_all() {
        let dir = TempDir::new("pid");
        let path = dir.path().join("k.pid");
        fs::write(&path, "a longer text from before").expect("writes");
        let mut files = claim(&[&path]).expect("is free");
        assert_eq!(text(&path), "");
        files.write(42).expect("writes");
        assert_eq!(text(&path), "42\n");
        let mode = fs::metadata(&path).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
        files.remove();
        assert!(!path.exists());
    }

    #[test]
    fn a_second_daemon_is_kept_away_and_touches_nothing() {
        let dir = TempDir::new("pid-second");
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        let mut first = claim(&[&a]).expect("is free");
        first.write(42).expect("writes");
        let e = claim(&[&b, &a]).expect_err("is locked");
        assert!(matches!(&e, Error::Locked(path) if *path == a));
        assert_eq!(e.to_string(), format!("Another process has pid file {} locked", a.display()));
        assert_eq!(text(&a), "42\n");
        assert!(!b.exists(), "what was taken before is removed");
        first.remove();
        claim(&[&a]).expect("is free again");
    }

    #[test]
    fn never_through_a_link_nor_into_a_fifo() {
        let dir = TempDir::new("pid-link");
        let (victim, path) = (dir.path().join("victim"), dir.path().join("k.pid"));
        fs::write(&victim, "precious").expect("writes");
        std::os::unix::fs::symlink(&victim, &path).expect("links");
        assert!(matches!(claim(&[&path]), Err(Error::Io { .. })));
        fs::remove_file(&path).expect("removes");
        fs::hard_link(&victim, &path).expect("links");
        assert!(matches!(claim(&[&path]), Err(Error::Io { .. })));
        assert_eq!(text(&victim), "precious");
    }

    #[test]
    fn the_holder_of_a_file_is_the_one_that_locks_it() {
        let dir = TempDir::new("pid-holder");
        let path = dir.path().join("k.pid");
        assert_eq!(holder(&path).expect("nothing there"), None);
        let mut files = claim(&[&path]).expect("is free");
        assert!(holder(&path).is_err(), "not yet written");
        files.write(42).expect("writes");
        assert_eq!(holder(&path).expect("reads"), Some(42));
        drop(files);
        assert_eq!(holder(&path).expect("reads"), None, "left behind by a dead one");
    }

    #[test]
    fn a_file_that_replaced_ours_is_left_alone() {
        let dir = TempDir::new("pid-replaced");
        let path = dir.path().join("k.pid");
        let mut files = claim(&[&path]).expect("is free");
        fs::remove_file(&path).expect("removes");
        fs::write(&path, "another").expect("writes");
        files.remove();
        assert_eq!(text(&path), "another");
    }

    #[test]
    fn an_error_names_the_file_and_the_cause() {
        let e = claim(&[Path::new("/nonexistent/k.pid")]).expect_err("no directory");
        assert_eq!(
            e.to_string(),
            "Cannot open /nonexistent/k.pid pidfile: No such file or directory"
        );
        let cause = std::error::Error::source(&e).expect("a cause").to_string();
        assert!(cause.starts_with("No such file or directory"), "{cause}");
    }
}
