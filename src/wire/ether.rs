//! The Ethernet header in front of what we put on a link ourselves.

use crate::base::addr::Mac;

pub const HEADER_LEN: usize = 14;

/// The type field: what follows the header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EtherType {
    Arp,
    Ipv6,
}

impl EtherType {
    pub const fn number(self) -> u16 {
        match self {
            Self::Arp => 0x0806,
            Self::Ipv6 => 0x86dd,
        }
    }
}

/// The fourteen bytes before the payload.
pub fn header(destination: Mac, source: Mac, kind: EtherType) -> [u8; HEADER_LEN] {
    let mut out = [0; HEADER_LEN];
    out[0..6].copy_from_slice(&destination.0);
    out[6..12].copy_from_slice(&source.0);
    out[12..14].copy_from_slice(&kind.number().to_be_bytes());
    out
}
