//! Addresses: 16 bytes for either family; IPv4 uses the first four.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::base::addr::Family;
use crate::wire::netlink::exactly;
use crate::wire::Malformed;

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

pub(super) const fn af(family: Family) -> u16 {
    match family {
        Family::V4 => AF_INET,
        Family::V6 => AF_INET6,
    }
}

pub(super) const fn family_of(af: u16) -> Result<Family, Malformed> {
    match af {
        AF_INET => Ok(Family::V4),
        AF_INET6 => Ok(Family::V6),
        _ => Err(Malformed),
    }
}

pub(super) fn octets(addr: IpAddr) -> [u8; 16] {
    match addr {
        IpAddr::V4(a) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&a.octets());
            bytes
        }
        IpAddr::V6(a) => a.octets(),
    }
}

pub(super) fn parse(value: &[u8], family: Family) -> Result<IpAddr, Malformed> {
    match family {
        Family::V4 => {
            let (head, _) = value.split_first_chunk::<4>().ok_or(Malformed)?;
            Ok(Ipv4Addr::from(*head).into())
        }
        Family::V6 => exactly::<16>(value).map(|a| Ipv6Addr::from(a).into()),
    }
}
