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

/// The effective capabilities of the process.
///
/// # Errors
/// The kernel does not support this version of the interface (Linux 2.6.26).
pub fn effective() -> io::Result<Held> {
    const VERSION_3: u32 = 0x2008_0522;
    // __user_cap_header_struct: version, and 0 for this process.
    let mut header = [VERSION_3, 0];
    // Two __user_cap_data_struct: effective, permitted, inheritable, of 32 capabilities each.
    let mut data = [[0_u32; 3]; 2];
    // SAFETY: the header and the room for two structures, as this version asks for; they live.
    let result = unsafe { libc::syscall(libc::SYS_capget, header.as_mut_ptr(), data.as_mut_ptr()) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Held(u64::from(data[0][0]) | u64::from(data[1][0]) << 32))
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
