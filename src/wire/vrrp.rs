//! VRRP advertisements: version 2 (RFC 3768, with the password of RFC 2338) and version 3
//! (RFC 5798, RFC 9568). Acceptance is decided in `vrrp::receive`, not here.

pub mod trailer;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::checksum::{adjust, Sum};
use super::Malformed;
use crate::base::addr::Family;

/// The IP protocol number.
pub const PROTOCOL: u8 = 112;
/// Internetwork control (RFC 791 §3.1): advertisements must pass a congested link.
pub const TRAFFIC_CLASS: u8 = 0xc0;
/// The only packet type.
pub const ADVERTISEMENT: u8 = 1;
/// The IPv4 multicast group (RFC 9568 §5.1.1.2).
pub const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// The IPv6 multicast group (RFC 9568 §5.1.2.2).
pub const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);

pub const HEADER_LEN: usize = 8;
/// Offset of the checksum: the kernel fills it in for IPv6 (RFC 3542 §3.1).
pub const CHECKSUM_OFFSET: usize = 6;
/// Length of the authentication data at the end of version 2 advertisements over IPv4.
pub const AUTH_DATA_LEN: usize = 8;

const fn address_len(family: Family) -> usize {
    match family {
        Family::V4 => 4,
        Family::V6 => 16,
    }
}

/// Length of the authentication data. Version 2 over IPv6 is an extension of the reference, without
/// authentication data.
const fn auth_data_len(version: u8, family: Family) -> usize {
    if version == 2 && matches!(family, Family::V4) {
        AUTH_DATA_LEN
    } else {
        0
    }
}

/// A received advertisement: at least a header, otherwise unchecked.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    header: &'a [u8; HEADER_LEN],
    pdu: &'a [u8],
}

impl<'a> Packet<'a> {
    /// From the payload of the IP packet.
    pub fn parse(pdu: &'a [u8]) -> Result<Self, Malformed> {
        let header = pdu.first_chunk::<HEADER_LEN>().ok_or(Malformed)?;
        Ok(Self { header, pdu })
    }

    pub const fn version(&self) -> u8 {
        self.header[0] >> 4
    }

    pub const fn kind(&self) -> u8 {
        self.header[0] & 0x0f
    }

    pub const fn vrid(&self) -> u8 {
        self.header[1]
    }

    pub const fn priority(&self) -> u8 {
        self.header[2]
    }

    /// Number of addresses according to the header.
    pub const fn address_count(&self) -> u8 {
        self.header[3]
    }

    /// Version 2: 0 none, 1 password, 2 authentication header.
    pub const fn auth_type(&self) -> u8 {
        self.header[4]
    }

    /// The same, and 0 for version 3.
    pub const fn legacy_auth_type(&self) -> u8 {
        match self.version() {
            2 => self.auth_type(),
            _ => 0,
        }
    }

    /// Version 2: the interval in seconds.
    pub const fn interval_s(&self) -> u8 {
        self.header[5]
    }

    /// Version 3: the interval in centiseconds, twelve bits.
    pub const fn interval_cs(&self) -> u16 {
        u16::from_be_bytes([self.header[4], self.header[5]]) & 0x0fff
    }

    /// The interval in the unit of the packet's version.
    pub fn interval(&self) -> Duration {
        match self.version() {
            2 => Duration::from_secs(u64::from(self.interval_s())),
            _ => Duration::from_millis(u64::from(self.interval_cs()) * 10),
        }
    }

    /// Length of the advertisement according to its header.
    pub fn expected_len(&self, family: Family) -> usize {
        HEADER_LEN
            + usize::from(self.address_count()) * address_len(family)
            + auth_data_len(self.version(), family)
    }

    /// The addresses that are present.
    pub fn addresses(&self, family: Family) -> Addresses<'a> {
        let len = usize::from(self.address_count()) * address_len(family);
        let body = self.pdu.get(HEADER_LEN..).unwrap_or_default();
        Addresses { body: body.get(..len).unwrap_or(body), family }
    }

    /// The password field, if the advertisement is long enough.
    pub fn auth_data(&self, family: Family) -> Option<[u8; AUTH_DATA_LEN]> {
        if auth_data_len(self.version(), family) == 0 {
            return None;
        }
        let data = self.pdu.get(self.expected_len(family) - AUTH_DATA_LEN..)?;
        data.first_chunk().copied()
    }

    /// What follows the advertisement.
    pub fn rest(&self, family: Family) -> &'a [u8] {
        self.pdu.get(self.expected_len(family)..).unwrap_or_default()
    }

    /// The advertisement up to its checksum, and from there on to the length that its header
    /// implies.
    pub fn around_checksum(&self, family: Family) -> Option<(&'a [u8], &'a [u8])> {
        let whole = self.pdu.get(..self.expected_len(family))?;
        Some((whole.get(..CHECKSUM_OFFSET)?, whole.get(HEADER_LEN..)?))
    }

    /// True if the checksum over the expected length is valid, with or without a pseudo-header.
    pub fn is_checksum_valid(&self, family: Family, pseudo: Option<(IpAddr, IpAddr)>) -> bool {
        let Some(pdu) = self.pdu.get(..self.expected_len(family)) else { return false };
        sum(pdu, pseudo).is_valid()
    }
}

/// The addresses of an advertisement, in its order.
#[derive(Clone, Debug)]
pub struct Addresses<'a> {
    body: &'a [u8],
    family: Family,
}

impl Iterator for Addresses<'_> {
    type Item = IpAddr;

    fn next(&mut self) -> Option<IpAddr> {
        match self.family {
            Family::V4 => {
                let (octets, rest) = self.body.split_first_chunk::<4>()?;
                self.body = rest;
                Some(IpAddr::V4(Ipv4Addr::from(*octets)))
            }
            Family::V6 => {
                let (octets, rest) = self.body.split_first_chunk::<16>()?;
                self.body = rest;
                Some(IpAddr::V6(Ipv6Addr::from(*octets)))
            }
        }
    }
}

/// Authentication of version 2 over IPv4 (RFC 2338 §5.3.6): a password, or the authentication
/// header in front of the advertisement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Auth {
    None,
    Pass([u8; AUTH_DATA_LEN]),
    Header,
}

impl Auth {
    pub const fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Pass(_) => 1,
            Self::Header => 2,
        }
    }
}

/// Version-specific parts of the wire format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    V2(Auth),
    V3,
}

/// An advertisement as a value with borrowed addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Advertisement {
    pub form: Form,
    pub vrid: u8,
    pub priority: u8,
    pub interval: Duration,
}

impl Advertisement {
    /// Length with `count` addresses.
    pub const fn len(form: Form, family: Family, count: usize) -> usize {
        let version = match form {
            Form::V2(_) => 2,
            Form::V3 => 3,
        };
        HEADER_LEN + count * address_len(family) + auth_data_len(version, family)
    }

    /// Appends the advertisement with its checksum, which covers `pseudo` if given.
    ///
    /// Addresses of the other family are left out, as are those after the 255th.
    pub fn emit(
        &self,
        family: Family,
        addresses: impl Iterator<Item = IpAddr>,
        pseudo: Option<(IpAddr, IpAddr)>,
        out: &mut Vec<u8>,
    ) {
        let start = out.len();
        let (version, [high, low]) = match self.form {
            Form::V2(auth) => (2, [auth.number(), interval_s(self.interval)]),
            Form::V3 => (3, interval_cs(self.interval).to_be_bytes()),
        };
        let first = version << 4 | ADVERTISEMENT;
        out.extend_from_slice(&[first, self.vrid, self.priority, 0, high, low, 0, 0]);
        let mut count = 0;
        for address in addresses.filter(|a| Family::of(a) == family).take(usize::from(u8::MAX)) {
            match address {
                IpAddr::V4(a) => out.extend_from_slice(&a.octets()),
                IpAddr::V6(a) => out.extend_from_slice(&a.octets()),
            }
            count += 1;
        }
        match (self.form, family) {
            (Form::V2(Auth::None | Auth::Header), Family::V4) => {
                out.extend_from_slice(&[0; AUTH_DATA_LEN])
            }
            (Form::V2(Auth::Pass(data)), Family::V4) => out.extend_from_slice(&data),
            _ => {}
        }
        let Some(pdu) = out.get_mut(start..) else { return };
        if let Some(field) = pdu.get_mut(3) {
            *field = count;
        }
        let checksum = sum(pdu, pseudo).checksum();
        if let Some(field) = pdu.get_mut(CHECKSUM_OFFSET..CHECKSUM_OFFSET + 2) {
            field.copy_from_slice(&checksum.to_be_bytes());
        }
    }
}

fn sum(pdu: &[u8], pseudo: Option<(IpAddr, IpAddr)>) -> Sum {
    let sum = Sum::new().bytes(pdu);
    match pseudo {
        Some((source, destination)) => sum.pseudo_header(source, destination, PROTOCOL, pdu.len()),
        None => sum,
    }
}

/// Interval in seconds for version 2; the model limits it to one octet.
pub fn interval_s(interval: Duration) -> u8 {
    u8::try_from(interval.as_secs()).unwrap_or(u8::MAX)
}

/// Interval in centiseconds for version 3; the model limits it to twelve bits.
pub fn interval_cs(interval: Duration) -> u16 {
    const MAX: u16 = 0x0fff;
    u16::try_from(interval.as_millis() / 10).unwrap_or(MAX).min(MAX)
}

/// Changes the priority of an emitted advertisement, and adjusts its checksum.
pub fn set_priority(header: &mut [u8; HEADER_LEN], priority: u8) {
    let [_, _, old, count, _, _, high, low] = *header;
    let before = u16::from_be_bytes([old, count]);
    let after = u16::from_be_bytes([priority, count]);
    let checksum = adjust(u16::from_be_bytes([high, low]), before, after);
    header[2] = priority;
    header[CHECKSUM_OFFSET..].copy_from_slice(&checksum.to_be_bytes());
}

#[cfg(test)]
mod tests;
