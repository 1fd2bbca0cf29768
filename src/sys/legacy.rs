//! Files that a run of the daemon leaves for the next one, beside the pid file.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{open, users};

/// The file that belongs to a pid file, and is used by one daemon as that is.
pub(super) fn beside(pid_file: &Path, extension: &str) -> PathBuf {
    let name = pid_file.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".pid").unwrap_or(&name);
    pid_file.with_file_name(format!("{stem}.{extension}"))
}

/// `None` if there is no file. `denied`: permissions that none but the owner may have.
///
/// # Errors
/// The file is not ours, unreadable, or it has such a permission: then `text` is the reason.
pub(super) fn open(path: &Path, denied: u32, text: &str) -> io::Result<Option<(File, Metadata)>> {
    let (file, metadata) = match open::unlinked(path).map_err(io::Error::from) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    if metadata.uid() != users::own().uid || metadata.mode() & denied != 0 {
        return Err(io::Error::new(ErrorKind::PermissionDenied, text));
    }
    Ok(Some((file, metadata)))
}

/// Removes the file, if there is one.
///
/// # Errors
/// The directory is not writable.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}
