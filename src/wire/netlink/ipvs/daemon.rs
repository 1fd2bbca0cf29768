//! The kernel's sync daemons, which synchronise connections with another director.

use std::net::{IpAddr, Ipv4Addr};

use super::address::octets;
use super::{address, Name, CMD_ATTR_DAEMON};
use crate::base::addr::Family;
use crate::wire::netlink::{attributes, text_of, u16_of, u32_of, u8_of, Writer};
use crate::wire::Malformed;

const STATE: u16 = 1;
const MCAST_IFN: u16 = 2;
const SYNC_ID: u16 = 3;
const SYNC_MAXLEN: u16 = 4;
const MCAST_GROUP: u16 = 5;
const MCAST_GROUP6: u16 = 6;
const MCAST_PORT: u16 = 7;
const MCAST_TTL: u16 = 8;

/// Direction of the synchronisation. Both can run at once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    Master = 1,
    Backup = 2,
}

/// A sync daemon; the kernel chooses values that are `None`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Daemon {
    pub role: Role,
    pub interface: Name,
    pub id: u32,
    /// Maximum payload of a packet.
    pub max_len: Option<u16>,
    pub port: Option<u16>,
    pub ttl: Option<u8>,
    /// The multicast group.
    pub group: Option<IpAddr>,
}

/// The kernel's default port.
const DEFAULT_PORT: u16 = 8848;
const DEFAULT_TTL: u8 = 1;
const DEFAULT_GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 81));

impl Daemon {
    /// True if the daemon `seen` in the kernel satisfies this one.
    pub fn is_held_as(&self, seen: &Self) -> bool {
        let chosen = |d: &Self| Self {
            max_len: self.max_len.and(d.max_len),
            port: d.port.or(Some(DEFAULT_PORT)),
            ttl: d.ttl.or(Some(DEFAULT_TTL)),
            group: d.group.or(Some(DEFAULT_GROUP)),
            ..*d
        };
        chosen(self) == chosen(seen)
    }

    pub(super) fn emit(&self, w: &mut Writer<'_>) {
        w.nested(CMD_ATTR_DAEMON, |w| {
            w.u32(STATE, self.role as u32);
            let (name, len) = self.interface.terminated();
            w.bytes(MCAST_IFN, &name[..len]);
            w.u32(SYNC_ID, self.id);
            if let Some(max_len) = self.max_len {
                w.u16(SYNC_MAXLEN, max_len);
            }
            if let Some(port) = self.port {
                w.u16(MCAST_PORT, port);
            }
            if let Some(ttl) = self.ttl {
                w.u8(MCAST_TTL, ttl);
            }
            match self.group {
                Some(IpAddr::V4(group)) => w.bytes(MCAST_GROUP, &group.octets()),
                Some(group) => w.bytes(MCAST_GROUP6, &octets(group)),
                None => {}
            }
        });
    }

    /// Parses the attributes of a message.
    pub fn parse(list: &[u8]) -> Result<Self, Malformed> {
        for attribute in attributes(list) {
            if let (CMD_ATTR_DAEMON, value) = attribute? {
                return Self::parse_attributes(value);
            }
        }
        Err(Malformed)
    }

    fn parse_attributes(list: &[u8]) -> Result<Self, Malformed> {
        let (mut role, mut interface, mut id) = (None, None, 0);
        let (mut max_len, mut port, mut ttl, mut group) = (None, None, None, None);
        for attribute in attributes(list) {
            let (kind, value) = attribute?;
            match kind {
                STATE => role = Some(u32_of(value)?),
                MCAST_IFN => interface = Name::of_bytes(text_of(value)),
                SYNC_ID => id = u32_of(value)?,
                SYNC_MAXLEN => max_len = Some(u16_of(value)?),
                MCAST_GROUP => group = Some(address::parse(value, Family::V4)?),
                MCAST_GROUP6 => group = Some(address::parse(value, Family::V6)?),
                MCAST_PORT => port = Some(u16_of(value)?),
                MCAST_TTL => ttl = Some(u8_of(value)?),
                _ => {}
            }
        }
        let role = match role {
            Some(1) => Role::Master,
            Some(2) => Role::Backup,
            _ => return Err(Malformed),
        };
        let interface = interface.ok_or(Malformed)?;
        Ok(Self { role, interface, id, max_len, port, ttl, group })
    }
}

pub(super) fn emit_role(role: Role, w: &mut Writer<'_>) {
    w.nested(CMD_ATTR_DAEMON, |w| w.u32(STATE, role as u32));
}
