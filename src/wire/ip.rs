//! The IPv4 header: parsed from raw sockets, which deliver it, and emitted for sockets with
//! `IP_HDRINCL`. The kernel handles the IPv6 header.

use std::net::Ipv4Addr;

use super::checksum::{adjust, Sum};
use super::Malformed;

/// Length of an IPv4 header without options, the only kind emitted.
pub const V4_HEADER_LEN: usize = 20;
pub const V6_HEADER_LEN: usize = 40;

/// An IPv4 packet with consistent lengths.
#[derive(Clone, Copy, Debug)]
pub struct Ipv4Packet<'a> {
    header: &'a [u8; V4_HEADER_LEN],
    payload: &'a [u8],
}

impl<'a> Ipv4Packet<'a> {
    /// Parses a packet. Link-layer padding after the total length is cut.
    pub fn parse(data: &'a [u8]) -> Result<Self, Malformed> {
        let header = data.first_chunk::<V4_HEADER_LEN>().ok_or(Malformed)?;
        let header_len = usize::from(header[0] & 0x0f) * 4;
        let total_len = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header[0] >> 4 != 4 || header_len < V4_HEADER_LEN {
            return Err(Malformed);
        }
        let payload = data.get(header_len..total_len).ok_or(Malformed)?;
        Ok(Self { header, payload })
    }

    /// The header without its options.
    pub const fn header(&self) -> &'a [u8; V4_HEADER_LEN] {
        self.header
    }

    pub const fn has_options(&self) -> bool {
        self.header[0] & 0x0f > 5
    }

    pub const fn ttl(&self) -> u8 {
        self.header[8]
    }

    pub const fn protocol(&self) -> u8 {
        self.header[9]
    }

    pub fn source(&self) -> Ipv4Addr {
        let [.., a, b, c, d, _, _, _, _] = *self.header;
        Ipv4Addr::new(a, b, c, d)
    }

    pub fn destination(&self) -> Ipv4Addr {
        let [.., a, b, c, d] = *self.header;
        Ipv4Addr::new(a, b, c, d)
    }

    /// The payload after the header and its options, up to the total length.
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }
}

/// The variable fields of the IPv4 header of an advertisement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ipv4Header {
    pub source: Ipv4Addr,
    pub destination: Ipv4Addr,
    pub protocol: u8,
    pub ttl: u8,
    pub tos: u8,
    pub ident: u16,
    pub payload_len: usize,
}

impl Ipv4Header {
    /// The header with its checksum. The length field is truncated for payloads beyond 64 KiB,
    /// which are never sent.
    pub fn emit(&self) -> [u8; V4_HEADER_LEN] {
        let total = u16::try_from(self.payload_len.saturating_add(V4_HEADER_LEN));
        let mut out = [0; V4_HEADER_LEN];
        out[0] = 0x45;
        out[1] = self.tos;
        out[2..4].copy_from_slice(&total.unwrap_or(u16::MAX).to_be_bytes());
        out[4..6].copy_from_slice(&self.ident.to_be_bytes());
        out[8] = self.ttl;
        out[9] = self.protocol;
        out[12..16].copy_from_slice(&self.source.octets());
        out[16..20].copy_from_slice(&self.destination.octets());
        let checksum = Sum::new().bytes(&out).checksum();
        out[10..12].copy_from_slice(&checksum.to_be_bytes());
        out
    }
}

/// Changes the identification of an emitted header.
pub fn set_ident(header: &mut [u8; V4_HEADER_LEN], ident: u16) {
    let old = u16::from_be_bytes([header[4], header[5]]);
    let checksum = adjust(u16::from_be_bytes([header[10], header[11]]), old, ident);
    header[4..6].copy_from_slice(&ident.to_be_bytes());
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Ipv4Header = Ipv4Header {
        source: Ipv4Addr::new(10, 1, 0, 1),
        destination: Ipv4Addr::new(224, 0, 0, 18),
        protocol: 112,
        ttl: 255,
        tos: 0xc0,
        ident: 1,
        payload_len: 24,
    };
    /// The header of a captured advertisement.
    const BYTES: [u8; 20] = [
        0x45, 0xc0, 0x00, 0x2c, 0x00, 0x01, 0x00, 0x00, 0xff, 0x70, 0xd0, 0x8c, 0x0a, 0x01, 0x00,
        0x01, 0xe0, 0x00, 0x00, 0x12,
    ];

    #[test]
    fn emits_the_captured_header() {
        assert_eq!(HEADER.emit(), BYTES);
    }

    #[test]
    fn another_ident_has_another_checksum() {
        let mut header = HEADER.emit();
        set_ident(&mut header, 0xfffe);
        assert_eq!(header, Ipv4Header { ident: 0xfffe, ..HEADER }.emit());
    }

    #[test]
    fn padding_after_the_total_length_is_cut_and_options_are_skipped() {
        let mut data = HEADER.emit().to_vec();
        data[0] = 0x46;
        data.extend_from_slice(&[0; 40]);
        let packet = Ipv4Packet::parse(&data).unwrap();
        assert_eq!(packet.payload().len(), 20);
        assert_eq!(packet.ttl(), 255);
        assert_eq!(packet.protocol(), 112);
        assert_eq!(packet.source(), HEADER.source);
        assert_eq!(packet.destination(), HEADER.destination);
    }

    #[test]
    fn inconsistent_lengths_are_refused() {
        let mut data = HEADER.emit().to_vec();
        data.extend_from_slice(&[0; 24]);
        assert!(Ipv4Packet::parse(&data).is_ok());
        for len in 0..data.len() {
            assert!(Ipv4Packet::parse(&data[..len]).is_err(), "{len} bytes");
        }
        data[0] = 0x44;
        assert!(Ipv4Packet::parse(&data).is_err(), "header shorter than a header");
        data[0] = 0x65;
        assert!(Ipv4Packet::parse(&data).is_err(), "version 6");
        data[0] = 0x45;
        data[2..4].copy_from_slice(&[0, 19]);
        assert!(Ipv4Packet::parse(&data).is_err(), "total length below the header");
    }
}
