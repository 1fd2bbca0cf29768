//! A copy of the configuration in force, beside the pid file: with it, a start that finds the
//! configuration unusable can still remove what a run before it has left in the kernel.

use std::path::{Path, PathBuf};

use crate::config::{print, Secrets};
use crate::model::Config;
use crate::sys::dumpfile;

/// Path of the copy for a pid file, such as `/run/keepalived.in-force`.
pub(in crate::daemon) fn path(pid_file: &Path) -> PathBuf {
    pid_file.with_extension("in-force")
}

/// Replaces the copy.
pub(in crate::daemon) fn write(path: &Path, config: &Config) {
    let text = print(config, Secrets::Shown);
    if let Err(e) = dumpfile::replace(path, &text, dumpfile::PRIVATE) {
        let path = path.display();
        log::warn!("Cannot write {path}: {e}. After a crash, a start that refuses the configuration will leave addresses behind");
    }
}

/// Nothing is left in the kernel.
pub(in crate::daemon) fn remove(path: &Path) {
    // It may never have existed.
    let _ = std::fs::remove_file(path);
}
