//! Unsolicited neighbour advertisements (RFC 4861 §4.4, §7.2.6), the gratuitous ARP of IPv6.

use std::net::{IpAddr, Ipv6Addr};

use super::checksum::Sum;
use super::ether::{self, EtherType};
use super::ip;
use crate::base::addr::Mac;

const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const ALL_NODES_MAC: Mac = Mac([0x33, 0x33, 0, 0, 0, 1]);
/// The advertisement with its one option.
const MESSAGE_LEN: usize = 32;

/// Ethernet header, IPv6 header, neighbour advertisement with the link-layer address.
pub const FRAME_LEN: usize = ether::HEADER_LEN + ip::V6_HEADER_LEN + MESSAGE_LEN;

/// The frame that announces the MAC of `address` on a link.
///
/// Override is always set, so that caches change at once; `router` must be set if this host
/// forwards: hosts drop a default router that advertises with the flag clear (RFC 4861 §7.2.5).
pub fn unsolicited(mac: Mac, address: Ipv6Addr, router: bool) -> [u8; FRAME_LEN] {
    const ICMPV6: u8 = 58;
    const ROUTER: u8 = 0x80;
    const OVERRIDE: u8 = 0x20;
    let mut message = [0; MESSAGE_LEN];
    message[0] = 136;
    message[4] = OVERRIDE | if router { ROUTER } else { 0 };
    message[8..24].copy_from_slice(&address.octets());
    // Option 2, target link-layer address, one unit of eight bytes.
    message[24..26].copy_from_slice(&[2, 1]);
    message[26..32].copy_from_slice(&mac.0);
    let checksum = Sum::new()
        .pseudo_header(IpAddr::V6(address), IpAddr::V6(ALL_NODES), ICMPV6, MESSAGE_LEN)
        .bytes(&message)
        .checksum();
    message[2..4].copy_from_slice(&checksum.to_be_bytes());

    let mut out = [0; FRAME_LEN];
    out[..14].copy_from_slice(&ether::header(ALL_NODES_MAC, mac, EtherType::Ipv6));
    // Version 6; payload length, next header, and hop limit 255 as receivers require (§7.1.2).
    out[14..22].copy_from_slice(&[0x60, 0, 0, 0, 0, 32, ICMPV6, 255]);
    out[22..38].copy_from_slice(&address.octets());
    out[38..54].copy_from_slice(&ALL_NODES.octets());
    out[54..].copy_from_slice(&message);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: Ipv6Addr = Ipv6Addr::new(0xfd01, 0, 0, 0, 0, 0, 0, 0x106);
    const MAC: Mac = Mac([2, 0, 0, 0, 0, 9]);

    #[test]
    fn from_the_address_to_all_nodes_with_override() {
        let frame = unsolicited(MAC, ADDRESS, false);
        assert_eq!(frame.len(), 86);
        assert_eq!(frame[..6], [0x33, 0x33, 0, 0, 0, 1]);
        assert_eq!(frame[12..22], [0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, 58, 255]);
        assert_eq!(frame[22..38], ADDRESS.octets());
        assert_eq!(frame[38..54], ALL_NODES.octets());
        assert_eq!(frame[54..56], [136, 0]);
        assert_eq!(frame[58..62], [0x20, 0, 0, 0]);
        assert_eq!(frame[62..78], ADDRESS.octets());
        assert_eq!(frame[78..], [2, 1, 2, 0, 0, 0, 0, 9]);
        let sum = Sum::new().pseudo_header(ADDRESS.into(), ALL_NODES.into(), 58, 32);
        assert!(sum.bytes(&frame[54..]).is_valid());
    }

    #[test]
    fn a_router_sets_the_router_flag() {
        assert_eq!(unsolicited(MAC, ADDRESS, true)[58], 0xa0);
    }
}
