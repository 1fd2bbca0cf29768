//! A process without the rights to execute programs, to make most system calls, and to write most
//! files: for good, as the kernel takes none of it back.

#[cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), path = "confine/no_calls.rs")]
mod calls;
mod files;

use std::io;

use nix::sys::prctl;

use crate::base::capability::Set;
use crate::sys::{capability, check};

pub use calls::{filter, Filter};
pub use files::write_only_below;

/// No program that is executed from now on gets more rights than this one has.
///
/// # Errors
/// Linux before 3.5.
pub fn refuse_new_rights() -> io::Result<()> {
    Ok(prctl::set_no_new_privs()?)
}

/// Gives up all capabilities but these, also for programs that are executed.
///
/// # Errors
/// The kernel does not support this version of the interface.
pub fn keep_only(these: Set) -> io::Result<()> {
    for number in (0..64).filter(|number| these.0 & 1 << number == 0) {
        // It takes CAP_SETPCAP, and without it a program that is executed gets nothing new either. The
        // kernel has fewer than 64.
        // SAFETY: numbers only.
        unsafe { libc::prctl(libc::PR_CAPBSET_DROP, number as libc::c_ulong, 0, 0, 0) };
    }
    capability::keep_alone(these)
}

/// Makes no other system calls from now on.
///
/// # Errors
/// The kernel has no filters of system calls.
pub fn obey(filter: &Filter) -> io::Result<()> {
    let program = filter.program();
    let length = u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut().cast() };
    // Refused calls are logged by the kernel (audit), if it can: Linux 4.14.
    let log = libc::SECCOMP_FILTER_FLAG_LOG;
    let install = |flags: libc::c_ulong| {
        let mode = libc::SECCOMP_SET_MODE_FILTER;
        // SAFETY: the program and its instructions live. They have the layout of the kernel, which
        // copies and checks them.
        check(unsafe { libc::syscall(libc::SYS_seccomp, mode, flags, &raw const program) } as i32)
    };
    install(log).or_else(|_| install(0)).map(drop)
}
