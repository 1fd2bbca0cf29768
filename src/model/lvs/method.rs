//! Schedulers, forwarding methods and persistence.

use std::net::Ipv4Addr;

/// `lvs_sched`, by the kernel's names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scheduler {
    Rr,
    Wrr,
    Lc,
    Wlc,
    Lblc,
    Lblcr,
    Sh,
    Mh,
    Dh,
    Fo,
    Ovf,
    Sed,
    Nq,
    Twos,
}

impl Scheduler {
    pub const ALL: [Self; 14] = [
        Self::Rr,
        Self::Wrr,
        Self::Lc,
        Self::Wlc,
        Self::Lblc,
        Self::Lblcr,
        Self::Sh,
        Self::Mh,
        Self::Dh,
        Self::Fo,
        Self::Ovf,
        Self::Sed,
        Self::Nq,
        Self::Twos,
    ];

    /// The name in the configuration, which is the kernel's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rr => "rr",
            Self::Wrr => "wrr",
            Self::Lc => "lc",
            Self::Wlc => "wlc",
            Self::Lblc => "lblc",
            Self::Lblcr => "lblcr",
            Self::Sh => "sh",
            Self::Mh => "mh",
            Self::Dh => "dh",
            Self::Fo => "fo",
            Self::Ovf => "ovf",
            Self::Sed => "sed",
            Self::Nq => "nq",
            Self::Twos => "twos",
        }
    }
}

/// Scheduler flags; their meaning depends on the scheduler.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SchedulerFlags {
    /// `flag-1`, `sh-fallback`, `mh-fallback`.
    pub first: bool,
    /// `flag-2`, `sh-port`, `mh-port`.
    pub second: bool,
    /// `flag-3`.
    pub third: bool,
}

/// `lvs_method`: forwarding of packets to a real server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Forwarding {
    /// `NAT`, the only one that can change the port.
    #[default]
    Nat,
    /// `DR`.
    Direct,
    /// `TUN`, the only one that can change the family.
    Tunnel(Tunnel),
}

/// `type` and options of `TUN`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Tunnel {
    #[default]
    Ipip,
    Gue {
        port: u16,
        checksum: TunnelChecksum,
    },
    Gre {
        /// `csum`.
        checksum: bool,
    },
}

/// The checksum of a GUE tunnel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum TunnelChecksum {
    /// `nocsum`.
    #[default]
    None,
    /// `csum`.
    Plain,
    /// `remcsum`: remote checksum offload.
    Remote,
}

/// `persistence_timeout` and `persistence_granularity`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Persistence {
    /// Seconds, 1..=2,678,400.
    pub timeout: u32,
    /// Clients treated as one; `None`: each address separately.
    pub granularity: Option<Granularity>,
}

/// `persistence_granularity`, of the family of the virtual server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Granularity {
    Mask(Ipv4Addr),
    /// 1..=128.
    Prefix(u8),
}
