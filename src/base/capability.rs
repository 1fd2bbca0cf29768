//! Capabilities by name and number, and sets of them.

use std::fmt;

/// Those that the daemon may need, by their numbers (capabilities(7)).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Capability {
    Chown = 0,
    DacOverride = 1,
    Fowner = 3,
    Kill = 5,
    SetGid = 6,
    SetUid = 7,
    NetBindService = 10,
    NetAdmin = 12,
    NetRaw = 13,
    IpcLock = 14,
    SysPtrace = 19,
    SysAdmin = 21,
    SysNice = 23,
    SysResource = 24,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chown => "CAP_CHOWN",
            Self::DacOverride => "CAP_DAC_OVERRIDE",
            Self::Fowner => "CAP_FOWNER",
            Self::Kill => "CAP_KILL",
            Self::SetGid => "CAP_SETGID",
            Self::SetUid => "CAP_SETUID",
            Self::NetBindService => "CAP_NET_BIND_SERVICE",
            Self::NetAdmin => "CAP_NET_ADMIN",
            Self::NetRaw => "CAP_NET_RAW",
            Self::IpcLock => "CAP_IPC_LOCK",
            Self::SysPtrace => "CAP_SYS_PTRACE",
            Self::SysAdmin => "CAP_SYS_ADMIN",
            Self::SysNice => "CAP_SYS_NICE",
            Self::SysResource => "CAP_SYS_RESOURCE",
        })
    }
}

/// A set of capabilities, of any numbers.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Set(pub u64);

impl Set {
    pub const EMPTY: Self = Self(0);

    #[must_use]
    pub const fn with(self, capability: Capability) -> Self {
        Self(self.0 | 1 << capability as u64)
    }

    pub const fn has(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u64) != 0
    }

    /// Those that are in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Capability> for Set {
    fn from_iter<I: IntoIterator<Item = Capability>>(list: I) -> Self {
        list.into_iter().fold(Self::EMPTY, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_bit() {
        let all = [Capability::NetAdmin, Capability::NetRaw, Capability::IpcLock];
        let of = |set: u64| all.into_iter().filter(move |c| Set(set).has(*c)).collect::<Vec<_>>();
        assert_eq!(of(0x4400), [Capability::IpcLock]);
        assert_eq!(of(0x3000), [Capability::NetAdmin, Capability::NetRaw]);
        assert_eq!(of(0), []);
        assert_eq!(all.into_iter().collect::<Set>(), Set(0x7000));
        assert_eq!(Set(0x7000).and(Set(0x4400)), Set(0x4000));
    }
}
