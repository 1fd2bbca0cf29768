//! Another program in the place of this one, in the same process: with a snapshot in sealed memory
//! and with some of the descriptors.

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::{fcntl, FcntlArg, FdFlag, SealFlag};
use nix::sys::memfd::{memfd_create, MFdFlags};
use nix::unistd::execve;

use crate::base::sorted::SortedSet;

/// The number of the descriptor with the snapshot.
pub(super) const VARIABLE: &str = "KEEPALIVED_SNAPSHOT";

/// Most bytes of a snapshot that are read.
const MOST: u64 = 64 << 20;

/// What the program before this one has left.
#[derive(Debug)]
pub struct Inheritance {
    /// The snapshot.
    pub text: String,
    taken: SortedSet<RawFd>,
}

/// What the program before this one has left; `None` if this one does not take over.
///
/// # Errors
/// The variable names no sealed file in memory, or it has no text.
pub fn inherited() -> Option<io::Result<Inheritance>> {
    let number = std::env::var_os(VARIABLE)?;
    Some(read(&number))
}

fn read(number: &OsStr) -> io::Result<Inheritance> {
    let number: Option<RawFd> = number.to_str().and_then(|text| text.parse().ok());
    let mut inheritance = Inheritance { text: String::new(), taken: SortedSet::new() };
    let mut file = inheritance.take(number.ok_or(io::ErrorKind::InvalidInput)?)?;
    // Only a file in memory has seals, and with these, it is as it was written.
    let seals = SealFlag::from_bits_truncate(fcntl(&file, FcntlArg::F_GET_SEALS)?);
    if !seals.contains(seals_of_snapshot()) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not sealed"));
    }
    file.seek(SeekFrom::Start(0))?;
    file.take(MOST).read_to_string(&mut inheritance.text)?;
    Ok(inheritance)
}

impl Inheritance {
    /// Takes a descriptor that was left open, once; it is closed on exec again.
    ///
    /// # Errors
    /// Nothing is open under this number, or it was taken before.
    pub fn take(&mut self, fd: RawFd) -> io::Result<File> {
        if fd <= libc::STDERR_FILENO || !self.taken.insert(fd) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        set_flag(fd, FdFlag::FD_CLOEXEC)?;
        // SAFETY: it is open. The numbers come from the program before this one, which kept them
        // open for this; this program has opened none of them, as they were in use.
        Ok(File::from(unsafe { OwnedFd::from_raw_fd(fd) }))
    }
}

fn seals_of_snapshot() -> SealFlag {
    SealFlag::F_SEAL_SEAL | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_WRITE
}

/// The file of the running program, where a newer one may be by now.
///
/// # Errors
/// `/proc` is not there.
pub fn program() -> io::Result<PathBuf> {
    let path = std::fs::read_link("/proc/self/exe")?;
    // It was replaced while this one started.
    let bytes = path.as_os_str().as_bytes();
    let bytes = bytes.strip_suffix(b" (deleted)").unwrap_or(bytes);
    Ok(PathBuf::from(OsStr::from_bytes(bytes)))
}

/// Replaces this program; `kept` are the descriptors that stay open. Returns only if that fails, and
/// then nothing has changed.
pub fn replace(path: &Path, argv: &[OsString], snapshot: &str, kept: &[RawFd]) -> io::Error {
    match prepared(path, argv, snapshot) {
        Ok((path, argv, environment, file)) => {
            let all = || kept.iter().copied().chain([file.as_raw_fd()]);
            let opened = all().try_for_each(|fd| set_flag(fd, FdFlag::empty()));
            let failure = match opened {
                Ok(()) => match execve(&path, &argv, &environment) {
                    Ok(never) => match never {},
                    Err(e) => e.into(),
                },
                Err(e) => e,
            };
            for fd in all() {
                // One that cannot be changed was not changed before.
                let _ = set_flag(fd, FdFlag::FD_CLOEXEC);
            }
            failure
        }
        Err(e) => e,
    }
}

type Prepared = (CString, Vec<CString>, Vec<CString>, File);

fn prepared(path: &Path, argv: &[OsString], snapshot: &str) -> io::Result<Prepared> {
    let mut file =
        File::from(memfd_create(c"snapshot", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?);
    file.write_all(snapshot.as_bytes())?;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals_of_snapshot()))?;
    let argv = argv.iter().map(|word| CString::new(word.as_bytes())).collect::<Result<_, _>>()?;
    let others = std::env::vars_os().filter(|(name, _)| name != VARIABLE);
    let pairs = others.chain([(VARIABLE.into(), file.as_raw_fd().to_string().into())]);
    let environment = pairs.map(|(name, value): (OsString, OsString)| {
        CString::new([name.into_vec(), value.into_vec()].join(&b'='))
    });
    let environment = environment.collect::<Result<_, _>>()?;
    Ok((CString::new(path.as_os_str().as_bytes())?, argv, environment, file))
}

fn set_flag(fd: RawFd, flag: FdFlag) -> io::Result<()> {
    // SAFETY: numbers only.
    super::check(unsafe { libc::fcntl(fd, libc::F_SETFD, flag.bits()) }).map(drop)
}

/// Closes all descriptors but the standard ones, before any others are opened.
pub fn close_all() {
    // SAFETY: numbers only; the program has no descriptors yet.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
}
