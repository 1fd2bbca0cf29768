//! Landlock: files are written below some directories only, and none is executed.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::path::PathBuf;

use nix::fcntl::{open, OFlag};
use nix::sys::stat::Mode;

use crate::sys::check;

/// Rights of landlock.h, by the version that has them first.
const EXECUTE: u64 = 1 << 0;
const WRITE_FILE: u64 = 1 << 1;
const REMOVE_DIR: u64 = 1 << 4;
const REMOVE_FILE: u64 = 1 << 5;
const MAKE_CHAR: u64 = 1 << 6;
const MAKE_DIR: u64 = 1 << 7;
const MAKE_REG: u64 = 1 << 8;
const MAKE_SOCK: u64 = 1 << 9;
const MAKE_FIFO: u64 = 1 << 10;
const MAKE_BLOCK: u64 = 1 << 11;
const MAKE_SYM: u64 = 1 << 12;
const REFER: u64 = 1 << 13;
const TRUNCATE: u64 = 1 << 14;

const OF_FILES: u64 = WRITE_FILE | TRUNCATE;
const OF_DIRECTORIES: u64 =
    OF_FILES | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO;
const ALL: u64 = OF_DIRECTORIES | EXECUTE | MAKE_CHAR | MAKE_BLOCK | MAKE_SYM | REFER;

/// The rights that this version knows.
const fn known(version: i32) -> u64 {
    match version {
        1 => ALL & !(REFER | TRUNCATE),
        2 => ALL & !TRUNCATE,
        _ => ALL,
    }
}

const CREATE_RULESET_VERSION: u32 = 1;
const RULE_PATH_BENEATH: u32 = 1;

/// `struct landlock_path_beneath_attr`
#[repr(C, packed)]
struct PathBeneath {
    allowed: u64,
    parent: i32,
}

/// Restricts this process for good: it writes these files, and what is below these directories.
/// Others it may read, as far as their modes allow. Those that do not exist are left out.
///
/// # Errors
/// The kernel has no Landlock, or it is not in use.
pub fn write_only_below(places: &[PathBuf]) -> io::Result<()> {
    // SAFETY: without a structure, it gives a number.
    let version = check(unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<u64>(),
            0usize,
            CREATE_RULESET_VERSION,
        )
    } as i32)?;
    let handled = known(version);
    // SAFETY: the first field of the structure, whose length is given; it lives.
    let rules = check(unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            &raw const handled,
            size_of_val(&handled),
            0u32,
        )
    } as i32)?;
    // SAFETY: a new descriptor, of which nothing else knows.
    let rules = unsafe { OwnedFd::from_raw_fd(rules) };
    for place in places {
        let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
        let Ok(file) = open(place, flags, Mode::empty()).map(File::from) else { continue };
        let is_directory = file.metadata().is_ok_and(|found| found.is_dir());
        let allowed = handled & if is_directory { OF_DIRECTORIES } else { OF_FILES };
        let rule = PathBeneath { allowed, parent: file.as_raw_fd() };
        // SAFETY: the structure that belongs to this kind of rule; it lives.
        check(unsafe {
            libc::syscall(
                libc::SYS_landlock_add_rule,
                rules.as_raw_fd(),
                RULE_PATH_BENEATH,
                &raw const rule,
                0u32,
            )
        } as i32)?;
    }
    // SAFETY: numbers only.
    check(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0u32) } as i32)
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_kernels_know_fewer_rights() {
        assert_eq!(known(1) & (REFER | TRUNCATE), 0);
        assert_eq!(known(2) & (REFER | TRUNCATE), REFER);
        assert_eq!(known(7), ALL);
        assert_eq!(size_of::<PathBeneath>(), 12);
    }
}
