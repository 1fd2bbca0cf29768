//! Address families, addresses with a prefix length, link-layer addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 or IPv6.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    pub const fn of(addr: &IpAddr) -> Self {
        match addr {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// Length of an address in bits.
    pub const fn bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// The address as a number.
pub fn number_of(addr: IpAddr) -> u128 {
    match addr {
        IpAddr::V4(a) => u128::from(u32::from(a)),
        IpAddr::V6(a) => u128::from(a),
    }
}

/// The address with this number.
pub fn address_of(number: u128, family: Family) -> IpAddr {
    match u32::try_from(number) {
        Ok(number) if family == Family::V4 => Ipv4Addr::from(number).into(),
        _ => Ipv6Addr::from(number).into(),
    }
}

/// An interface address with the length of its network prefix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Prefix {
    pub addr: IpAddr,
    pub len: u8,
}

impl Prefix {
    /// A host prefix: `/32` or `/128`.
    pub const fn host(addr: IpAddr) -> Self {
        Self { addr, len: Family::of(&addr).bits() }
    }

    /// Every address of a family.
    pub const fn all(family: Family) -> Self {
        let addr = match family {
            Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        Self { addr, len: 0 }
    }

    /// The network prefix, with the host bits cleared.
    pub fn network(self) -> Self {
        let Self { addr, len } = self;
        let addr = match addr {
            IpAddr::V4(a) => {
                let host = u32::MAX.checked_shr(len.into()).unwrap_or(0);
                IpAddr::V4((a.to_bits() & !host).into())
            }
            IpAddr::V6(a) => {
                let host = u128::MAX.checked_shr(len.into()).unwrap_or(0);
                IpAddr::V6((a.to_bits() & !host).into())
            }
        };
        Self { addr, len }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.addr, self.len)
    }
}

/// An interface address as reported by the kernel (RTM_NEWADDR).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct HostAddress {
    pub prefix: Prefix,
    /// The other end of a point-to-point link; `prefix.len` is then the length of its network.
    pub peer: Option<IpAddr>,
    /// IPv4 only.
    pub broadcast: Option<Ipv4Addr>,
    /// IPv4 only: the rtnetlink scope. The scope of an IPv6 address follows from the address.
    pub scope: u8,
    /// IPv4 only. `None`: the name of the interface.
    pub label: Option<Box<str>>,
    /// IFA_F_*.
    pub flags: u32,
    /// Seconds until the address is no longer preferred as a source; `u32::MAX`: for ever.
    pub preferred: u32,
    /// IFA_PROTO, the origin of the address. `None`: unknown, or not reported (kernels before
    /// 5.18).
    pub protocol: Option<u8>,
}

impl HostAddress {
    pub const DEPRECATED: u32 = 0x20;
    pub const TENTATIVE: u32 = 0x40;
    pub const DAD_FAILED: u32 = 0x08;
    pub const OPTIMISTIC: u32 = 0x04;

    /// A permanent address with no other attributes.
    pub const fn plain(prefix: Prefix) -> Self {
        Self {
            prefix,
            peer: None,
            broadcast: None,
            scope: 0,
            label: None,
            flags: 0,
            preferred: u32::MAX,
            protocol: None,
        }
    }

    /// False while duplicate address detection is under way or has failed.
    pub const fn is_usable(&self) -> bool {
        self.flags & (Self::TENTATIVE | Self::DAD_FAILED) == 0 || self.flags & Self::OPTIMISTIC != 0
    }
}

/// IFA_PROTO of addresses added by keepalived: its routing protocol number.
pub const PROTOCOL_KEEPALIVED: u8 = 18;

/// True for `fe80::/10`, whose addresses are unique per link only.
pub const fn is_link_local(addr: &IpAddr) -> bool {
    match addr {
        IpAddr::V4(_) => false,
        IpAddr::V6(a) => a.segments()[0] & 0xffc0 == 0xfe80,
    }
}

/// An Ethernet address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    pub const BROADCAST: Self = Self([0xff; 6]);
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
