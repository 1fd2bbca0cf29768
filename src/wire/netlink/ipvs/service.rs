//! Services: the addresses and ports that clients connect to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use super::address::{af, family_of, octets};
use super::{address, Name, Stats, CMD_ATTR_SERVICE};
use crate::base::addr::Family;
use crate::wire::netlink::{attributes, be16_of, exactly, text_of, u16_of, u32_of, Writer};
use crate::wire::Malformed;

const AF: u16 = 1;
const PROTOCOL: u16 = 2;
const ADDR: u16 = 3;
const PORT: u16 = 4;
const FWMARK: u16 = 5;
const SCHED_NAME: u16 = 6;
const FLAGS: u16 = 7;
const TIMEOUT: u16 = 8;
const NETMASK: u16 = 9;
const STATS: u16 = 10;
const PE_NAME: u16 = 11;
const STATS64: u16 = 12;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Protocol {
    Tcp = 6,
    Udp = 17,
    Sctp = 132,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        })
    }
}

/// Key of a service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ServiceKey {
    Address { protocol: Protocol, addr: IpAddr, port: u16 },
    FwMark { family: Family, mark: u32 },
}

impl ServiceKey {
    pub const fn family(&self) -> Family {
        match self {
            Self::Address { addr, .. } => Family::of(addr),
            Self::FwMark { family, .. } => *family,
        }
    }

    pub(super) fn emit(&self, w: &mut Writer<'_>) {
        w.nested(CMD_ATTR_SERVICE, |w| self.emit_attributes(w));
    }

    fn emit_attributes(&self, w: &mut Writer<'_>) {
        w.u16(AF, af(self.family()));
        match *self {
            Self::FwMark { mark, .. } => w.u32(FWMARK, mark),
            Self::Address { protocol, addr, port } => {
                w.u16(PROTOCOL, protocol as u16);
                w.bytes(ADDR, &octets(addr));
                w.be16(PORT, port);
            }
        }
    }
}

impl fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { protocol, addr, port } => write!(f, "[{addr}]:{protocol}:{port}"),
            Self::FwMark { mark, .. } => write!(f, "FWM {mark}"),
        }
    }
}

/// Flags of a service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ServiceFlags(pub u32);

impl ServiceFlags {
    pub const PERSISTENT: Self = Self(0x1);
    /// Set by the kernel on every service in its table.
    pub const HASHED: Self = Self(0x2);
    pub const ONE_PACKET: Self = Self(0x4);
    /// The meaning depends on the scheduler; `sh` and `mh`: fall back to another destination.
    pub const SCHEDULER_1: Self = Self(0x8);
    /// `sh` and `mh`: take the port into account.
    pub const SCHEDULER_2: Self = Self(0x10);
    pub const SCHEDULER_3: Self = Self(0x20);

    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// A service with all its settings.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Service {
    pub key: ServiceKey,
    pub scheduler: Name,
    pub flags: ServiceFlags,
    /// Persistence timeout, in seconds.
    pub timeout: u32,
    /// Granularity of persistence: the netmask as a number for IPv4, the prefix length for IPv6.
    pub netmask: u32,
    /// The persistence engine.
    pub engine: Option<Name>,
}

impl Service {
    /// A service without persistence and flags.
    pub const fn new(key: ServiceKey, scheduler: Name) -> Self {
        let netmask = match key.family() {
            Family::V4 => u32::MAX,
            Family::V6 => 128,
        };
        Self { key, scheduler, flags: ServiceFlags(0), timeout: 0, netmask, engine: None }
    }

    /// True if the service `seen` in the kernel satisfies this one.
    pub fn is_held_as(&self, seen: &Self) -> bool {
        let bare = |s: &Self| Self { flags: s.flags.without(ServiceFlags::HASHED), ..*s };
        bare(self) == bare(seen)
    }

    pub(super) fn emit(&self, w: &mut Writer<'_>) {
        w.nested(CMD_ATTR_SERVICE, |w| {
            self.key.emit_attributes(w);
            let text = |w: &mut Writer<'_>, kind, name: Name| {
                let (bytes, len) = name.terminated();
                w.bytes(kind, &bytes[..len]);
            };
            text(w, SCHED_NAME, self.scheduler);
            if let Some(engine) = self.engine {
                text(w, PE_NAME, engine);
            }
            let mut flags = [0xff; 8];
            flags[..4].copy_from_slice(&self.flags.0.to_ne_bytes());
            w.bytes(FLAGS, &flags);
            w.u32(TIMEOUT, self.timeout);
            match self.key.family() {
                Family::V4 => w.bytes(NETMASK, &self.netmask.to_be_bytes()),
                Family::V6 => w.u32(NETMASK, self.netmask),
            }
        });
    }
}

/// A service from a kernel dump.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SeenService {
    pub service: Service,
    pub stats: Stats,
}

impl SeenService {
    /// Parses the attributes of a message.
    pub fn parse(list: &[u8]) -> Result<Self, Malformed> {
        for attribute in attributes(list) {
            if let (CMD_ATTR_SERVICE, value) = attribute? {
                return Fields::parse(value)?.seen();
            }
        }
        Err(Malformed)
    }
}

/// Raw attributes: the meaning of some depends on others.
#[derive(Default)]
struct Fields<'a> {
    af: u16,
    protocol: u16,
    addr: &'a [u8],
    port: u16,
    mark: Option<u32>,
    scheduler: &'a [u8],
    engine: &'a [u8],
    flags: u32,
    timeout: u32,
    netmask: [u8; 4],
    stats: Option<Stats>,
    stats64: Option<Stats>,
}

impl<'a> Fields<'a> {
    fn parse(list: &'a [u8]) -> Result<Self, Malformed> {
        let mut f = Self::default();
        for attribute in attributes(list) {
            let (kind, value) = attribute?;
            match kind {
                AF => f.af = u16_of(value)?,
                PROTOCOL => f.protocol = u16_of(value)?,
                ADDR => f.addr = value,
                PORT => f.port = be16_of(value)?,
                FWMARK => f.mark = Some(u32_of(value)?),
                SCHED_NAME => f.scheduler = text_of(value),
                PE_NAME => f.engine = text_of(value),
                FLAGS => f.flags = u32_of(value.get(..4).ok_or(Malformed)?)?,
                TIMEOUT => f.timeout = u32_of(value)?,
                NETMASK => f.netmask = exactly(value)?,
                STATS => f.stats = Some(Stats::parse(value)?),
                STATS64 => f.stats64 = Some(Stats::parse(value)?),
                _ => {}
            }
        }
        Ok(f)
    }

    fn key(&self) -> Result<ServiceKey, Malformed> {
        let family = family_of(self.af)?;
        if let Some(mark) = self.mark {
            return Ok(ServiceKey::FwMark { family, mark });
        }
        let protocol = match self.protocol {
            6 => Protocol::Tcp,
            17 => Protocol::Udp,
            132 => Protocol::Sctp,
            _ => return Err(Malformed),
        };
        let addr = address::parse(self.addr, family)?;
        Ok(ServiceKey::Address { protocol, addr, port: self.port })
    }

    fn seen(self) -> Result<SeenService, Malformed> {
        let key = self.key()?;
        let netmask = match key.family() {
            Family::V4 => Ipv4Addr::from(self.netmask).into(),
            Family::V6 => u32::from_ne_bytes(self.netmask),
        };
        let service = Service {
            key,
            scheduler: Name::of_bytes(self.scheduler).ok_or(Malformed)?,
            flags: ServiceFlags(self.flags),
            timeout: self.timeout,
            netmask,
            engine: Name::of_bytes(self.engine),
        };
        Ok(SeenService { service, stats: self.stats64.or(self.stats).unwrap_or_default() })
    }
}
