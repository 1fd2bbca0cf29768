//! Captured frames, decoded as advertisements and announcements.
//!
//! Written from the RFCs, independently of the product's parser, so that its errors are not
//! repeated.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::capture::Frame;

/// One VRRP advertisement (RFC 9568 §5, RFC 3768 §5).
#[derive(Clone, Debug)]
pub(crate) struct Advert {
    pub(crate) at: Duration,
    pub(crate) mac: [u8; 6],
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) ttl: u8,
    pub(crate) version: u8,
    pub(crate) vrid: u8,
    pub(crate) priority: u8,
    pub(crate) interval: Duration,
    pub(crate) addresses: Vec<IpAddr>,
    /// Version 2 over IPv4: type and data.
    pub(crate) auth: Option<(u8, [u8; 8])>,
    pub(crate) checksum_ok: bool,
}

/// A gratuitous ARP or an unsolicited neighbour advertisement.
#[derive(Clone, Debug)]
pub(crate) struct Announcement {
    pub(crate) at: Duration,
    pub(crate) mac: [u8; 6],
    pub(crate) address: IpAddr,
}

/// Intervals between consecutive advertisements.
pub(crate) fn gaps(adverts: &[Advert]) -> Vec<Duration> {
    adverts.windows(2).map(|pair| pair[1].at.saturating_sub(pair[0].at)).collect()
}

struct Packet<'f> {
    source: IpAddr,
    destination: IpAddr,
    ttl: u8,
    protocol: u8,
    payload: &'f [u8],
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

fn v4(bytes: &[u8], at: usize) -> Option<IpAddr> {
    Some(Ipv4Addr::from(array::<4>(bytes, at)?).into())
}

fn v6(bytes: &[u8], at: usize) -> Option<IpAddr> {
    Some(Ipv6Addr::from(array::<16>(bytes, at)?).into())
}

fn packet(frame: &[u8]) -> Option<Packet<'_>> {
    let ip = frame.get(14..)?;
    match array::<2>(frame, 12)? {
        [0x08, 0x00] => {
            let head = usize::from(ip.first()? & 15) * 4;
            let total = usize::from(u16::from_be_bytes(array(ip, 2)?));
            let payload = ip.get(head..total)?;
            Some(Packet {
                source: v4(ip, 12)?,
                destination: v4(ip, 16)?,
                ttl: *ip.get(8)?,
                protocol: *ip.get(9)?,
                payload,
            })
        }
        [0x86, 0xdd] => {
            let length = usize::from(u16::from_be_bytes(array(ip, 4)?));
            let payload = ip.get(40..40 + length)?;
            Some(Packet {
                source: v6(ip, 8)?,
                destination: v6(ip, 24)?,
                ttl: *ip.get(7)?,
                protocol: *ip.get(6)?,
                payload,
            })
        }
        _ => None,
    }
}

pub(super) fn advert(frame: &Frame) -> Option<Advert> {
    let packet = packet(&frame.bytes)?;
    let pdu = packet.payload;
    if packet.protocol != 112 || pdu.len() < 8 {
        return None;
    }
    let version = pdu[0] >> 4;
    let size = if packet.source.is_ipv4() { 4 } else { 16 };
    let read = if size == 4 { v4 } else { v6 };
    let count = usize::from(pdu[3]);
    let addresses = (0..count).map(|i| read(pdu, 8 + i * size)).collect::<Option<Vec<_>>>()?;
    let (interval, auth) = if version == 2 {
        let data = array(pdu, 8 + count * size);
        (Duration::from_secs(pdu[5].into()), data.map(|data| (pdu[4], data)))
    } else {
        let centiseconds = u64::from(u16::from_be_bytes([pdu[4] & 15, pdu[5]]));
        (Duration::from_millis(centiseconds * 10), None)
    };
    Some(Advert {
        at: frame.at,
        mac: array(&frame.bytes, 6)?,
        source: packet.source,
        destination: packet.destination,
        ttl: packet.ttl,
        version,
        vrid: pdu[1],
        priority: pdu[2],
        interval,
        addresses,
        auth,
        checksum_ok: checksum(&pseudo_header(&packet, version), pdu) == 0,
    })
}

/// None for version 2 over IPv4 (RFC 3768 §5.3.8).
fn pseudo_header(packet: &Packet<'_>, version: u8) -> Vec<u8> {
    let length = u16::try_from(packet.payload.len()).unwrap_or(u16::MAX).to_be_bytes();
    match (packet.source, packet.destination) {
        (IpAddr::V4(from), IpAddr::V4(to)) if version == 3 => {
            [&from.octets()[..], &to.octets(), &[0, 112], &length].concat()
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            [&from.octets()[..], &to.octets(), &[0, 0], &length, &[0, 0, 0, 112]].concat()
        }
        _ => Vec::new(),
    }
}

/// RFC 1071, over two parts of even length (the last may be odd).
pub(super) fn checksum(head: &[u8], body: &[u8]) -> u16 {
    let words = head.chunks(2).chain(body.chunks(2));
    let mut sum: u32 =
        words.map(|w| u32::from(w[0]) << 8 | w.get(1).map_or(0, |b| u32::from(*b))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("folded to sixteen bits")
}

pub(super) fn announcement(frame: &Frame) -> Option<Announcement> {
    let bytes = &frame.bytes;
    let mac = array(bytes, 6)?;
    if array::<2>(bytes, 12)? == [0x08, 0x06] {
        let (sender, target) = (v4(bytes, 28)?, v4(bytes, 38)?);
        return (sender == target).then_some(Announcement { at: frame.at, mac, address: sender });
    }
    let packet = packet(bytes)?;
    let unsolicited = packet.protocol == 58
        && packet.payload.first() == Some(&136)
        && packet.payload.get(4)? & 0x40 == 0;
    unsolicited.then_some(Announcement { at: frame.at, mac, address: v6(packet.payload, 8)? })
}
