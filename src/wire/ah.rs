//! The IP authentication header (RFC 2402) in front of advertisements of VRRP version 2 over IPv4
//! (RFC 2338 §5.3.6.3).
//!
//! The digest covers the IP header without the fields that routers change, this header and the
//! advertisement. Routers change TOS, flags, fragment offset, TTL and header checksum (RFC 2402
//! §3.3.3.1.1.1); the digest covers zeros in their place. keepalived excludes the TTL only from
//! unicast: multicast has passed no router, so its TTL is covered.

use super::ip::{Ipv4Packet, V4_HEADER_LEN};
use super::{vrrp, Malformed};

/// The IP protocol number.
pub const PROTOCOL: u8 = 51;
/// Length with a digest of 96 bits.
pub const LEN: usize = 24;
/// Length of the digest.
pub const DIGEST_LEN: usize = 12;

/// The payload length field: in words of four bytes, without the first two.
const WORDS: u8 = 4;
const SPI: usize = 4;
const SEQUENCE: usize = 8;
const DIGEST: usize = LEN - DIGEST_LEN;

/// An authentication header in front of an advertisement, with the IP header before it.
#[derive(Clone, Copy, Debug)]
pub struct AuthHeader<'a> {
    ip: &'a [u8; V4_HEADER_LEN],
    header: &'a [u8; LEN],
    payload: &'a [u8],
}

impl<'a> AuthHeader<'a> {
    /// From an IP packet of this protocol. IP options are refused: their digest depends on each.
    pub fn parse(packet: &Ipv4Packet<'a>) -> Result<Self, Malformed> {
        let (header, payload) = packet.payload().split_first_chunk::<LEN>().ok_or(Malformed)?;
        let is_ours = matches!(header, [vrrp::PROTOCOL, WORDS, 0, 0, ..]);
        if packet.protocol() != PROTOCOL || packet.has_options() || !is_ours {
            return Err(Malformed);
        }
        Ok(Self { ip: packet.header(), header, payload })
    }

    /// The header of an IPv4 packet, if it has one, and the advertisement.
    pub fn split(packet: &Ipv4Packet<'a>) -> Result<(Option<Self>, &'a [u8]), Malformed> {
        if packet.protocol() != PROTOCOL {
            return Ok((None, packet.payload()));
        }
        let header = Self::parse(packet)?;
        Ok((Some(header), header.payload))
    }

    /// The security parameters index: the address of the sender.
    pub const fn spi(&self) -> [u8; 4] {
        let [_, _, _, _, a, b, c, d, ..] = *self.header;
        [a, b, c, d]
    }

    pub const fn sequence(&self) -> u32 {
        let [_, _, _, _, _, _, _, _, a, b, c, d, ..] = *self.header;
        u32::from_be_bytes([a, b, c, d])
    }

    pub fn digest(&self) -> &'a [u8] {
        &self.header[DIGEST..]
    }

    /// Input of the digest: both headers with zeros where routers change them, and the
    /// advertisement.
    pub fn covered(&self) -> ([u8; V4_HEADER_LEN], [u8; LEN], &'a [u8]) {
        const TOS: usize = 1;
        const TTL: usize = 8;
        const DESTINATION: usize = 16;
        let (mut ip, mut header) = (*self.ip, *self.header);
        ip[TOS] = 0;
        ip[6..8].fill(0);
        ip[10..12].fill(0);
        let is_multicast = ip[DESTINATION] >> 4 == 0xe;
        if !is_multicast {
            ip[TTL] = 0;
        }
        header[DIGEST..].fill(0);
        (ip, header, self.payload)
    }
}

/// An authentication header without its digest.
pub fn emit(spi: [u8; 4], sequence: u32) -> [u8; LEN] {
    let mut header = [0; LEN];
    header[0] = vrrp::PROTOCOL;
    header[1] = WORDS;
    header[SPI..SEQUENCE].copy_from_slice(&spi);
    header[SEQUENCE..DIGEST].copy_from_slice(&sequence.to_be_bytes());
    header
}

/// The place of the authentication header in an IPv4 packet without options.
pub fn place(packet: &mut [u8]) -> Option<&mut [u8; LEN]> {
    packet.get_mut(V4_HEADER_LEN..)?.first_chunk_mut()
}

/// Changes the sequence number of an emitted header.
pub fn set_sequence(header: &mut [u8; LEN], sequence: u32) {
    header[SEQUENCE..DIGEST].copy_from_slice(&sequence.to_be_bytes());
}

/// Writes the digest of an emitted header.
pub fn set_digest(header: &mut [u8; LEN], digest: [u8; DIGEST_LEN]) {
    header[DIGEST..].copy_from_slice(&digest);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Captured from the reference implementation.
    const PACKET: [u8; 64] = [
        0x45, 0xc0, 0x00, 0x40, 0x00, 0x01, 0x00, 0x00, 0xff, 0x33, 0xd0, 0xb5, 0x0a, 0x01, 0x00,
        0x01, 0xe0, 0x00, 0x00, 0x12, 0x70, 0x04, 0x00, 0x00, 0x0a, 0x01, 0x00, 0x01, 0x00, 0x00,
        0x00, 0x01, 0xa6, 0xa5, 0x9b, 0x7c, 0xe7, 0x80, 0x3a, 0x49, 0xbb, 0x80, 0xd3, 0x25, 0x21,
        0x03, 0x66, 0x01, 0x02, 0x01, 0x6c, 0x91, 0x0a, 0x01, 0x00, 0x68, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    fn parse(bytes: &[u8]) -> Result<(Option<AuthHeader<'_>>, &[u8]), Malformed> {
        AuthHeader::split(&Ipv4Packet::parse(bytes)?)
    }

    #[test]
    fn the_captured_header_parses_and_is_emitted_again() {
        let (header, pdu) = parse(&PACKET).unwrap();
        let header = header.unwrap();
        assert_eq!((header.spi(), header.sequence(), pdu.len()), ([10, 1, 0, 1], 1, 20));
        let mut again = emit(header.spi(), 7);
        set_sequence(&mut again, header.sequence());
        set_digest(&mut again, header.digest().try_into().unwrap());
        assert_eq!(again, PACKET[20..44]);
    }

    #[test]
    fn what_routers_change_is_not_covered() {
        let covered = |bytes: &[u8]| {
            let (header, _) = parse(bytes).unwrap();
            let (ip, header, pdu) = header.unwrap().covered();
            (ip, header, pdu.to_vec())
        };
        let is_covered = |packet: &[u8], at: usize| {
            let mut changed = packet.to_vec();
            changed[at] ^= 1;
            covered(&changed) != covered(packet)
        };
        // TOS, flags and fragment offset, checksum, and the digest itself.
        let free = [1, 6, 7, 10, 11].into_iter().chain(32..44);
        free.for_each(|at| assert!(!is_covered(&PACKET, at), "{at}"));
        for at in [4, 5, 8, 12, 16, 19, 24, 31, 44, 63] {
            assert!(is_covered(&PACKET, at), "{at}");
        }
        let mut unicast = PACKET;
        unicast[16..20].copy_from_slice(&[10, 1, 0, 2]);
        assert!(!is_covered(&unicast, 8), "the TTL of unicast");
    }

    #[test]
    fn what_is_no_such_header_is_refused() {
        for (at, value) in [(20, 6), (21, 5), (22, 1), (23, 1), (0, 0x46)] {
            let mut packet = PACKET;
            packet[at] = value;
            assert!(parse(&packet).is_err(), "{at}");
        }
        let mut short = PACKET[..43].to_vec();
        short[3] = 43;
        assert!(parse(&short).is_err());
        let mut plain = PACKET;
        plain[9] = vrrp::PROTOCOL;
        let (header, payload) = parse(&plain).unwrap();
        assert!(header.is_none() && payload.len() == 44);
    }
}
