//! Opens the files that a configuration or an operator names, and those of the kernel.
//! `clippy.toml` forbids every other way of opening a file.
//!
//! Opening can do harm in three ways:
//!
//! * It waits: for the other end of a FIFO, for the carrier of a terminal, for the holder of a lease
//!   (fcntl(2), F_SETLEASE), which any owner of a file can take. Hence O_NONBLOCK, always.
//! * It never ends: `/dev/zero`, or a file that grows as it is read. Hence regular files only, and a
//!   limit to what is read.
//! * It writes elsewhere: through a symbolic link, or to a file that has another name besides. Hence
//!   neither is written to. Directories on the way are the operator's choice.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::RawFd;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

mod unfit;

use zeroize::Zeroizing;

use crate::model::secret::Secret;

pub use unfit::Unfit;

/// Without waiting, without becoming the terminal of the session. Closed in children (as by std).
const FLAGS: libc::c_int = libc::O_NONBLOCK | libc::O_NOCTTY;
/// The same, and through no link.
const UNLINKED: libc::c_int = FLAGS | libc::O_NOFOLLOW;
/// Bytes that are read at once.
const PIECE: u64 = 256 << 10;
/// Size limit of kernel files that are read whole; the longest are lists of mounts.
const KERNEL_LIMIT: u64 = 16 << 20;

/// The whole of a regular file that has at most `limit` bytes.
///
/// # Errors
/// It is not there, not regular, too large, leased or unreadable.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Unfit> {
    let (file, metadata) = reader(path)?;
    whole(file, &metadata, limit, &|| {})
}

/// The whole of a regular file that has at most `limit` bytes, of which no copy is left in memory;
/// and its permissions.
///
/// # Errors
/// It is not there, not regular, too large, leased or unreadable.
pub fn read_secret(path: &Path, limit: u64) -> Result<(Secret, u32), Unfit> {
    let (file, metadata) = reader(path)?;
    // Room to spare, for a vector that grows leaves its former contents behind.
    let room = usize::try_from(2 * limit).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(Unfit::TooLarge(limit));
    }
    Ok((Secret::new(&bytes), metadata.mode()))
}

/// The first bytes of a regular file, `most` at most.
///
/// # Errors
/// It is not there, not regular, leased or unreadable.
pub fn read_head(path: &Path, most: u64) -> Result<Vec<u8>, Unfit> {
    let mut bytes = Vec::new();
    reader(path)?.0.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A regular file to be read in pieces.
///
/// # Errors
/// It is not there, not regular, leased or unreadable.
pub fn reader(path: &Path) -> Result<(File, Metadata), Unfit> {
    fitting(path, OpenOptions::new().read(true), FLAGS, regular)
}

/// A regular file to be read, in a directory where others may put links.
///
/// # Errors
/// It is not there, a link, not regular, leased or unreadable.
pub(super) fn unlinked(path: &Path) -> Result<(File, Metadata), Unfit> {
    fitting(path, OpenOptions::new().read(true), UNLINKED, regular)
}

/// The whole of such a file, `limit` bytes at most.
///
/// # Errors
/// As with [`unlinked`], or it is too large.
pub(super) fn read_unlinked(path: &Path, limit: u64) -> Result<Vec<u8>, Unfit> {
    let (file, metadata) = unlinked(path)?;
    whole(file, &metadata, limit, &|| {})
}

/// A file of ours to add to, made with this mode if it is missing. A character device will do as
/// well, for logs on a console or to `/dev/null`.
///
/// # Errors
/// The name leads elsewhere (a link, a second name), or the file is none, leased or not writable.
pub fn append(path: &Path, mode: u32) -> Result<File, Unfit> {
    let is_device = |m: &Metadata| m.file_type().is_char_device();
    writer(path, OpenOptions::new().append(true).create(true).mode(mode), is_device)
}

/// A file of ours to read and write, as it is; made with this mode if it is missing.
///
/// # Errors
/// The name leads elsewhere (a link, a second name), or the file is none, leased or not writable.
pub fn own(path: &Path, mode: u32) -> Result<File, Unfit> {
    let mut options = OpenOptions::new();
    writer(path, options.read(true).write(true).create(true).mode(mode), |_| false)
}

/// A file of ours that is emptied first; made with this mode if it is missing.
///
/// # Errors
/// The name leads elsewhere (a link, a second name), or the file is none, leased or not writable.
pub fn overwrite(path: &Path, mode: u32) -> Result<File, Unfit> {
    // Not emptied before it is known to be ours.
    let file = writer(path, OpenOptions::new().write(true).create(true).mode(mode), |_| false)?;
    file.set_len(0)?;
    Ok(file)
}

/// A new file. An existing one is never opened.
///
/// # Errors
/// Something has the name (`AlreadyExists`), or the file cannot be made.
pub(super) fn create_new(path: &Path, mode: u32) -> Result<File, Unfit> {
    Ok(with(OpenOptions::new().read(true).write(true).create_new(true).mode(mode), UNLINKED, path)?)
}

/// A FIFO, both ends of it: so it has a reader always.
///
/// # Errors
/// The name leads to something else, if only by a link, or the FIFO may not be used.
pub fn fifo(path: &Path) -> Result<(File, Metadata), Unfit> {
    let is_fifo = |m: &Metadata| match m.file_type() {
        kind if kind.is_fifo() => Ok(()),
        kind if kind.is_symlink() => Err(Unfit::Link),
        _ => Err(Unfit::NotFifo),
    };
    fitting(path, OpenOptions::new().read(true).write(true), UNLINKED, is_fifo)
}

/// What a descriptor leads to, opened anew for writing: with flags that are not shared.
///
/// # Errors
/// It may not be opened, as a socket or the terminal of another user.
pub fn anew(fd: RawFd) -> io::Result<File> {
    let path = format!("/proc/self/fd/{fd}");
    with(OpenOptions::new().write(true), FLAGS, Path::new(&path))
}

/// `/dev/null`, to read and write.
///
/// # Errors
/// It is missing, or there are no descriptors left.
pub fn null() -> io::Result<File> {
    with(OpenOptions::new().read(true).write(true), FLAGS, Path::new("/dev/null"))
}

/// A file of the kernel's that stands for something, as a network namespace.
///
/// # Errors
/// There is none, or it may not be opened.
pub fn handle(path: &Path) -> Result<File, Unfit> {
    Ok(reader(path)?.0)
}

/// What the kernel says in one of its files, below `/proc` or `/sys`.
///
/// # Errors
/// There is no such file, or it may not be read.
pub fn kernel_read(path: &Path) -> io::Result<Vec<u8>> {
    kernel_read_head(path, KERNEL_LIMIT)
}

/// The same, `most` bytes at most.
///
/// # Errors
/// There is no such file, or it may not be read.
pub(super) fn kernel_read_head(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    with(OpenOptions::new().read(true), FLAGS, path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes a value to a file of the kernel.
///
/// # Errors
/// There is no such file, or the value is refused.
pub fn kernel_write(path: &Path, value: &[u8]) -> io::Result<()> {
    with(OpenOptions::new().write(true).truncate(true), UNLINKED, path)?.write_all(value)
}

/// The whole of an open file that has at most `limit` bytes, with `meanwhile` between any two pieces.
///
/// # Errors
/// It is too large, or unreadable.
pub(super) fn whole(
    file: File,
    metadata: &Metadata,
    limit: u64,
    meanwhile: &dyn Fn(),
) -> Result<Vec<u8>, Unfit> {
    if metadata.len() > limit {
        return Err(Unfit::TooLarge(limit));
    }
    // A file may grow while it is read, and some have no size at all.
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    let mut file = file.take(limit.saturating_add(1));
    while (&mut file).take(PIECE).read_to_end(&mut bytes)? > 0 {
        meanwhile();
    }
    if bytes.len() as u64 > limit {
        return Err(Unfit::TooLarge(limit));
    }
    Ok(bytes)
}

fn writer(
    path: &Path,
    options: &mut OpenOptions,
    is_welcome: impl Fn(&Metadata) -> bool,
) -> Result<File, Unfit> {
    let fits = |m: &Metadata| {
        if is_welcome(m) {
            return Ok(());
        }
        regular(m)?;
        match m.nlink() {
            0 | 1 => Ok(()),
            names => Err(Unfit::Names(names)),
        }
    };
    Ok(fitting(path, options, UNLINKED, fits)?.0)
}

/// Opens what `fits`. It is looked at before, as opening a device may already do something, and
/// after, as the name may lead elsewhere by then.
fn fitting(
    path: &Path,
    options: &mut OpenOptions,
    flags: libc::c_int,
    fits: impl Fn(&Metadata) -> Result<(), Unfit>,
) -> Result<(File, Metadata), Unfit> {
    let follows = flags & libc::O_NOFOLLOW == 0;
    let found = if follows { fs::metadata(path) } else { fs::symlink_metadata(path) };
    match found {
        // It is made, or opening it fails for the same reason.
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        found => fits(&found?)?,
    }
    let file = with(options, flags, path)?;
    let metadata = file.metadata()?;
    fits(&metadata)?;
    Ok((file, metadata))
}

fn regular(found: &Metadata) -> Result<(), Unfit> {
    let kind = found.file_type();
    match kind {
        _ if kind.is_file() => Ok(()),
        _ if kind.is_symlink() => Err(Unfit::Link),
        _ if kind.is_dir() => Err(Unfit::Directory),
        _ if kind.is_fifo() => Err(Unfit::NotRegular("a FIFO")),
        _ if kind.is_socket() => Err(Unfit::NotRegular("a socket")),
        _ => Err(Unfit::NotRegular("a device")),
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the place where files are opened")]
fn with(options: &mut OpenOptions, flags: libc::c_int, path: &Path) -> io::Result<File> {
    options.custom_flags(flags).open(path)
}

#[cfg(test)]
mod tests;
