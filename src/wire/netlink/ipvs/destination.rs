//! Destinations: the real servers behind a service.

use std::fmt;
use std::net::IpAddr;

use super::address::{af, family_of, octets};
use super::{address, ServiceKey, Stats, CMD_ATTR_DEST};
use crate::base::addr::Family;
use crate::wire::netlink::{attributes, be16_of, u16_of, u32_of, u8_of, Writer};
use crate::wire::Malformed;

const ADDR: u16 = 1;
const PORT: u16 = 2;
const FWD_METHOD: u16 = 3;
const WEIGHT: u16 = 4;
const U_THRESH: u16 = 5;
const L_THRESH: u16 = 6;
const ACTIVE_CONNS: u16 = 7;
const INACT_CONNS: u16 = 8;
const PERSIST_CONNS: u16 = 9;
const STATS: u16 = 10;
const ADDR_FAMILY: u16 = 11;
const STATS64: u16 = 12;
const TUN_TYPE: u16 = 13;
const TUN_PORT: u16 = 14;
const TUN_FLAGS: u16 = 15;

/// The kernel uses the other bits of the word for flags.
const METHOD_MASK: u32 = 7;

/// Key of a destination within a service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DestinationKey {
    pub addr: IpAddr,
    pub port: u16,
}

impl DestinationKey {
    pub(super) fn emit(&self, w: &mut Writer<'_>) {
        w.nested(CMD_ATTR_DEST, |w| self.emit_attributes(w));
    }

    fn emit_attributes(&self, w: &mut Writer<'_>) {
        w.u16(ADDR_FAMILY, af(Family::of(&self.addr)));
        w.bytes(ADDR, &octets(self.addr));
        w.be16(PORT, self.port);
    }
}

impl fmt::Display for DestinationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]:{}", self.addr, self.port)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Encapsulation {
    IpIp,
    Gue,
    Gre,
}

/// Encapsulation of packets to a destination.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Tunnel {
    pub encapsulation: Encapsulation,
    /// The UDP port of GUE.
    pub port: u16,
    /// [`Tunnel::CHECKSUM`] and [`Tunnel::REMOTE_CHECKSUM`].
    pub flags: u16,
}

impl Tunnel {
    pub const CHECKSUM: u16 = 1;
    pub const REMOTE_CHECKSUM: u16 = 2;
    /// Supported by all kernels.
    pub const IPIP: Self = Self { encapsulation: Encapsulation::IpIp, port: 0, flags: 0 };
}

/// Forwarding method of a destination.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Forwarding {
    /// Address translation.
    Masq,
    /// Delivery to this host.
    Local,
    Tunnel(Tunnel),
    /// Direct routing: only the link-layer address changes.
    Route,
    /// Set by the kernel for transparent caches.
    Bypass,
}

impl Forwarding {
    const fn number(self) -> u32 {
        match self {
            Self::Masq => 0,
            Self::Local => 1,
            Self::Tunnel(_) => 2,
            Self::Route => 3,
            Self::Bypass => 4,
        }
    }
}

/// A destination with all its settings.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Destination {
    pub key: DestinationKey,
    pub forwarding: Forwarding,
    pub weight: i32,
    /// Number of connections above which it gets no new ones; 0: no limit.
    pub upper_threshold: u32,
    /// Number of connections below which it gets new ones again; 0: three quarters of the upper
    /// threshold.
    pub lower_threshold: u32,
}

impl Destination {
    /// The destination as passed to the kernel for this service: only address translation can
    /// change the port, and port 0 stands for that of the service.
    #[must_use]
    pub const fn behind(mut self, service: &ServiceKey) -> Self {
        let port = match service {
            ServiceKey::Address { port, .. } => *port,
            ServiceKey::FwMark { .. } => 0,
        };
        if !matches!(self.forwarding, Forwarding::Masq) || self.key.port == 0 {
            self.key.port = port;
        }
        self
    }

    pub(super) fn emit(&self, w: &mut Writer<'_>) {
        w.nested(CMD_ATTR_DEST, |w| {
            self.key.emit_attributes(w);
            w.u32(FWD_METHOD, self.forwarding.number());
            w.bytes(WEIGHT, &self.weight.to_ne_bytes());
            if let Forwarding::Tunnel(tunnel) = self.forwarding {
                w.u8(TUN_TYPE, tunnel.encapsulation as u8);
                w.be16(TUN_PORT, tunnel.port);
                w.u16(TUN_FLAGS, tunnel.flags);
            }
            w.u32(U_THRESH, self.upper_threshold);
            w.u32(L_THRESH, self.lower_threshold);
        });
    }
}

/// A destination from a kernel dump.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SeenDestination {
    pub destination: Destination,
    pub active_connections: u32,
    pub inactive_connections: u32,
    pub persistent_connections: u32,
    pub stats: Stats,
}

impl SeenDestination {
    /// Parses the attributes of a message. Kernels before 3.18 report no family: it is that of the
    /// service.
    pub fn parse(list: &[u8], family: Family) -> Result<Self, Malformed> {
        for attribute in attributes(list) {
            if let (CMD_ATTR_DEST, value) = attribute? {
                return Fields::parse(value)?.seen(family);
            }
        }
        Err(Malformed)
    }
}

/// Raw attributes: the meaning of some depends on others.
#[derive(Default)]
struct Fields<'a> {
    af: Option<u16>,
    addr: &'a [u8],
    port: Option<u16>,
    method: u32,
    weight: u32,
    upper_threshold: u32,
    lower_threshold: u32,
    active: u32,
    inactive: u32,
    persistent: u32,
    tunnel: u8,
    tunnel_port: u16,
    tunnel_flags: u16,
    stats: Option<Stats>,
    stats64: Option<Stats>,
}

impl<'a> Fields<'a> {
    fn parse(list: &'a [u8]) -> Result<Self, Malformed> {
        let mut f = Self::default();
        for attribute in attributes(list) {
            let (kind, value) = attribute?;
            match kind {
                ADDR_FAMILY => f.af = Some(u16_of(value)?),
                ADDR => f.addr = value,
                PORT => f.port = Some(be16_of(value)?),
                FWD_METHOD => f.method = u32_of(value)?,
                WEIGHT => f.weight = u32_of(value)?,
                U_THRESH => f.upper_threshold = u32_of(value)?,
                L_THRESH => f.lower_threshold = u32_of(value)?,
                ACTIVE_CONNS => f.active = u32_of(value)?,
                INACT_CONNS => f.inactive = u32_of(value)?,
                PERSIST_CONNS => f.persistent = u32_of(value)?,
                TUN_TYPE => f.tunnel = u8_of(value)?,
                TUN_PORT => f.tunnel_port = be16_of(value)?,
                TUN_FLAGS => f.tunnel_flags = u16_of(value)?,
                STATS => f.stats = Some(Stats::parse(value)?),
                STATS64 => f.stats64 = Some(Stats::parse(value)?),
                _ => {}
            }
        }
        Ok(f)
    }

    fn tunnel(&self) -> Result<Tunnel, Malformed> {
        let encapsulation = match self.tunnel {
            0 => Encapsulation::IpIp,
            1 => Encapsulation::Gue,
            2 => Encapsulation::Gre,
            _ => return Err(Malformed),
        };
        Ok(Tunnel { encapsulation, port: self.tunnel_port, flags: self.tunnel_flags })
    }

    fn seen(self, family: Family) -> Result<SeenDestination, Malformed> {
        let family = self.af.map_or(Ok(family), family_of)?;
        let addr = address::parse(self.addr, family)?;
        let forwarding = match self.method & METHOD_MASK {
            0 => Forwarding::Masq,
            1 => Forwarding::Local,
            2 => Forwarding::Tunnel(self.tunnel()?),
            3 => Forwarding::Route,
            4 => Forwarding::Bypass,
            _ => return Err(Malformed),
        };
        let destination = Destination {
            key: DestinationKey { addr, port: self.port.ok_or(Malformed)? },
            forwarding,
            weight: i32::from_ne_bytes(self.weight.to_ne_bytes()),
            upper_threshold: self.upper_threshold,
            lower_threshold: self.lower_threshold,
        };
        Ok(SeenDestination {
            destination,
            active_connections: self.active,
            inactive_connections: self.inactive,
            persistent_connections: self.persistent,
            stats: self.stats64.or(self.stats).unwrap_or_default(),
        })
    }
}
