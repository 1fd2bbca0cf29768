//! The Ethernet header of frames that the daemon builds itself.

use crate::base::addr::Mac;

pub const HEADER_LEN: usize = 14;

/// EtherType: protocol of the payload.
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

/// The 14-byte header.
pub fn header(destination: Mac, source: Mac, kind: EtherType) -> [u8; HEADER_LEN] {
    let mut out = [0; HEADER_LEN];
    out[0..6].copy_from_slice(&destination.0);
    out[6..12].copy_from_slice(&source.0);
    out[12..14].copy_from_slice(&kind.number().to_be_bytes());
    out
}
