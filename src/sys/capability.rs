//! Capabilities of the process (capabilities(7)).

use std::io;

use crate::base::capability::Set;

/// `__user_cap_header_struct`: the version of the interface (Linux 2.6.26), and 0 for this process.
const HEADER: [u32; 2] = [0x2008_0522, 0];

/// Two `__user_cap_data_struct`: effective, permitted, inheritable, of 32 capabilities each.
type Sets = [[u32; 3]; 2];
const EFFECTIVE: usize = 0;

/// What decides what this process and its commands may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Facts {
    pub effective: Set,
    /// The user is root.
    pub is_root: bool,
    /// A program that is executed gets no more than this one has (`no_new_privs`), or root gets no
    /// more than another user (`SECBIT_NOROOT`).
    pub is_confined: bool,
}

/// # Errors
/// As for [`effective`].
pub fn facts() -> io::Result<Facts> {
    // SAFETY: numbers only.
    let (bits, no_new) = unsafe {
        (
            libc::prctl(libc::PR_GET_SECUREBITS, 0, 0, 0, 0),
            libc::prctl(libc::PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
        )
    };
    let is_confined = super::check(bits)? & SECBIT_NOROOT != 0 || super::check(no_new)? != 0;
    let is_root = nix::unistd::geteuid().is_root();
    Ok(Facts { effective: effective()?, is_root, is_confined })
}

/// securebits.h
const SECBIT_NOROOT: libc::c_int = 1;

/// The effective capabilities of the process.
///
/// # Errors
/// The kernel does not support this version of the interface.
pub fn effective() -> io::Result<Set> {
    let data = sets()?;
    Ok(whole(&data, EFFECTIVE))
}

/// No capability is effective until [`take_up`].
///
/// # Errors
/// As for [`effective`].
pub fn lay_down() -> io::Result<()> {
    set(&sets()?.map(|[_, permitted, inheritable]| [0, permitted, inheritable]))
}

/// All that are permitted are effective.
///
/// # Errors
/// As for [`effective`].
pub fn take_up() -> io::Result<()> {
    set(&sets()?.map(|[_, permitted, inheritable]| [permitted, permitted, inheritable]))
}

/// Gives up all capabilities but these, for good: they are not permitted any more.
///
/// # Errors
/// As for [`effective`].
pub fn keep(these: Set) -> io::Result<()> {
    let [low, high] = halves(these);
    let [first, second] = sets()?;
    let cut = |[effective, permitted, inheritable]: [u32; 3], these| {
        [effective & these, permitted & these, inheritable]
    };
    set(&[cut(first, low), cut(second, high)])
}

/// The same, and nothing is inherited by programs that are executed.
///
/// # Errors
/// As for [`effective`].
pub(super) fn keep_alone(these: Set) -> io::Result<()> {
    let [low, high] = halves(these);
    let [first, second] = sets()?;
    let cut =
        |[effective, permitted, _]: [u32; 3], these| [effective & these, permitted & these, 0];
    set(&[cut(first, low), cut(second, high)])
}

/// Only these stay in effect; the others stay permitted, for the programs that are executed.
///
/// # Errors
/// As for [`effective`].
pub fn act_with(these: Set) -> io::Result<()> {
    let [low, high] = halves(these);
    let [first, second] = sets()?;
    let cut = |[effective, permitted, inheritable]: [u32; 3], these| {
        [effective & these, permitted, inheritable]
    };
    set(&[cut(first, low), cut(second, high)])
}

/// The first 32 and the others.
const fn halves(set: Set) -> [u32; 2] {
    [set.0 as u32, (set.0 >> 32) as u32]
}

fn whole(sets: &Sets, which: usize) -> Set {
    Set(u64::from(sets[0][which]) | u64::from(sets[1][which]) << 32)
}

fn set(sets: &Sets) -> io::Result<()> {
    let header = HEADER;
    // SAFETY: the header and two structures, as this version asks for; they live.
    let result = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr()) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn sets() -> io::Result<Sets> {
    let (mut header, mut data) = (HEADER, Sets::default());
    // SAFETY: the header and the room for two structures, as this version asks for; they live.
    let result = unsafe { libc::syscall(libc::SYS_capget, header.as_mut_ptr(), data.as_mut_ptr()) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "/proc neither waits nor goes on for ever")]
    fn the_kernel_says_what_it_says_in_proc() {
        let status = std::fs::read_to_string("/proc/self/status").expect("/proc is mounted");
        let line = status.lines().find_map(|l| l.strip_prefix("CapEff:")).expect("a line");
        let expected = u64::from_str_radix(line.trim(), 16).expect("a number");
        assert_eq!(effective().expect("an answer"), Set(expected));
    }
}
