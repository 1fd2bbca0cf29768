//! Gratuitous ARP over Ethernet (RFC 826, RFC 5227 §1.1): "this address is at that MAC now".

use std::net::Ipv4Addr;

use super::ether::{self, EtherType};
use crate::base::addr::Mac;

/// Ethernet header and ARP packet, without padding: the driver pads.
pub const FRAME_LEN: usize = ether::HEADER_LEN + 28;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    Request = 1,
    Reply = 2,
}

/// The frame that announces the MAC of `address` on a link.
///
/// It should be a request, as sent by the reference and recommended by RFC 5227 §3, because some
/// hosts ignore unsolicited replies; as in the reference, the target MAC is the broadcast address,
/// not zero.
pub fn gratuitous(operation: Operation, mac: Mac, address: Ipv4Addr) -> [u8; FRAME_LEN] {
    let mut out = [0; FRAME_LEN];
    out[..14].copy_from_slice(&ether::header(Mac::BROADCAST, mac, EtherType::Arp));
    // Hardware type Ethernet, protocol type IPv4, address lengths 6 and 4, operation.
    out[14..22].copy_from_slice(&[0, 1, 0x08, 0x00, 6, 4, 0, operation as u8]);
    out[22..28].copy_from_slice(&mac.0);
    out[28..32].copy_from_slice(&address.octets());
    out[32..38].copy_from_slice(&Mac::BROADCAST.0);
    out[38..42].copy_from_slice(&address.octets());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broadcast_request_for_the_own_address() {
        let (mac, address) = (Mac([2, 0, 0, 0, 0, 9]), Ipv4Addr::new(10, 1, 0, 101));
        let frame = gratuitous(Operation::Request, mac, address);
        let mut expected: [u8; 42] = [
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x08, 0x06, // Ethernet
            0, 1, 8, 0, 6, 4, 0, 1, // fixed part
            2, 0, 0, 0, 0, 9, 10, 1, 0, 101, // sender
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 10, 1, 0, 101, // target
        ];
        assert_eq!(frame, expected);
        expected[21] = 2;
        assert_eq!(gratuitous(Operation::Reply, mac, address), expected);
    }
}
