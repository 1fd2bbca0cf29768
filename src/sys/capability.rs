//! Capabilities of the process (capabilities(7)).

use std::fmt;
use std::io;

/// Those that the daemon needs, by their numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Capability {
    NetAdmin = 12,
    NetRaw = 13,
    IpcLock = 14,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NetAdmin => "CAP_NET_ADMIN",
            Self::NetRaw => "CAP_NET_RAW",
            Self::IpcLock => "CAP_IPC_LOCK",
        })
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held(u64);

impl Held {
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u64) != 0
    }
}

/// `__user_cap_header_struct`: the version of the interface (Linux 2.6.26), and 0 for this process.
const HEADER: [u32; 2] = [0x2008_0522, 0];

/// Two `__user_cap_data_struct`: effective, permitted, inheritable, of 32 capabilities each.
type Sets = [[u32; 3]; 2];

/// The effective capabilities of the process.
///
/// # Errors
/// The kernel does not support this version of the interface.
pub fn effective() -> io::Result<Held> {
    let data = sets()?;
    Ok(Held(u64::from(data[0][0]) | u64::from(data[1][0]) << 32))
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
        assert_eq!(effective().expect("an answer"), Held(expected));
    }

    #[test]
    fn each_has_its_bit() {
        let all = [Capability::NetAdmin, Capability::NetRaw, Capability::IpcLock];
        let of = |set: u64| all.into_iter().filter(move |c| Held(set).has(*c)).collect::<Vec<_>>();
        assert_eq!(of(0x4400), [Capability::IpcLock]);
        assert_eq!(of(0x3000), [Capability::NetAdmin, Capability::NetRaw]);
        assert_eq!(of(0), []);
    }
}
