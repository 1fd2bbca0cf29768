//! What an instance sends. When, and whether at all, is decided elsewhere.
//!
//! A packet is built once and kept; what changes from one advertisement to the next, the
//! identification and sometimes the priority, is patched into it.

use std::net::IpAddr;

use crate::base::addr::Family;
use crate::model::signing::SigningMode;
use crate::model::vrrp::{Authentication, ChecksumForm, Delivery, Instance, Version};
use crate::wire::ah;
use crate::wire::ip::{self, Ipv4Header};
use crate::wire::vrrp::trailer::TRAILER_LEN;
use crate::wire::vrrp::{self as wire, Advertisement, Auth, Form};

/// Replaces `out` by what is handed to the socket for one destination.
///
/// IPv4: the IP header and the advertisement, with identification 1. IPv6: the advertisement
/// alone, for the kernel writes the header. All checksums are in place in either case. The place of
/// an authentication header or a signature is empty until `Guard::seal`.
pub fn emit(
    config: &Instance,
    priority: u8,
    source: IpAddr,
    destination: IpAddr,
    out: &mut Vec<u8>,
) {
    emit_as(config, config.checksum, priority, source, destination, out);
}

/// As [`emit`], with another form of the checksum: the one that a peer was heard to use.
pub fn emit_as(
    config: &Instance,
    checksum: ChecksumForm,
    priority: u8,
    source: IpAddr,
    destination: IpAddr,
    out: &mut Vec<u8>,
) {
    out.clear();
    let advertisement = Advertisement {
        form: form(config),
        vrid: config.vrid,
        priority,
        interval: config.advert_interval,
    };
    if let (IpAddr::V4(from), IpAddr::V4(to)) = (source, destination) {
        let header = Ipv4Header {
            source: from,
            destination: to,
            protocol: if has_header(config) { ah::PROTOCOL } else { wire::PROTOCOL },
            ttl: hops(config).unwrap_or(255),
            tos: wire::TRAFFIC_CLASS,
            ident: 1,
            payload_len: len(config),
        };
        out.extend_from_slice(&header.emit());
        if has_header(config) {
            out.extend_from_slice(&ah::emit(from.octets(), 0));
        }
    }
    let addresses = config.addresses.iter().map(|a| a.prefix.addr);
    let pseudo = pseudo(config, checksum, source, destination);
    advertisement.emit(config.family, addresses, pseudo, out);
    if is_signed(config) {
        out.extend_from_slice(&[0; TRAILER_LEN]);
    }
}

/// Authentication header in front of the advertisement.
fn has_header(config: &Instance) -> bool {
    config.family == Family::V4 && matches!(config.authentication, Authentication::Header(_))
}

/// Trailer behind the advertisement.
fn is_signed(config: &Instance) -> bool {
    matches!(&config.authentication, Authentication::Signed(signing)
        if signing.mode != SigningMode::ReceiveOnly)
}

/// The hop limit to ask for; `None` leaves it to the socket: 255 for multicast, and for unicast
/// 255 over IPv4 and the kernel's default over IPv6, as the reference does.
pub const fn hops(config: &Instance) -> Option<u8> {
    match config.delivery {
        Delivery::Multicast { .. } => None,
        Delivery::Unicast { ttl, .. } => ttl,
    }
}

/// Length of what follows the IP header.
pub fn len(config: &Instance) -> usize {
    let addresses = config.addresses.iter().filter(|a| Family::of(&a.prefix.addr) == config.family);
    let count = addresses.count().min(usize::from(u8::MAX));
    let header = if has_header(config) { ah::LEN } else { 0 };
    let trailer = if is_signed(config) { TRAILER_LEN } else { 0 };
    header + Advertisement::len(form(config), config.family, count) + trailer
}

/// Changes the priority of a packet that [`emit`] made: the last advertisement has priority 0.
pub fn set_priority(packet: &mut [u8], config: &Instance, priority: u8) {
    let start = match config.family {
        Family::V4 if has_header(config) => ip::V4_HEADER_LEN + ah::LEN,
        Family::V4 => ip::V4_HEADER_LEN,
        Family::V6 => 0,
    };
    let header = packet.get_mut(start..).and_then(|pdu| pdu.first_chunk_mut());
    if let Some(header) = header {
        wire::set_priority(header, priority);
    }
}

/// Changes the identification of an IPv4 packet that [`emit`] made; IPv6 has none.
pub fn set_ident(packet: &mut [u8], family: Family, ident: u16) {
    if let (Family::V4, Some(header)) = (family, packet.first_chunk_mut()) {
        ip::set_ident(header, ident);
    }
}

/// The identification after `ident`: zero is left out, for the kernel would replace it.
pub const fn next_ident(ident: u16) -> u16 {
    match ident.wrapping_add(1) {
        0 => 1,
        next => next,
    }
}

const fn form(config: &Instance) -> Form {
    match (config.version, &config.authentication, config.family) {
        (Version::V3, ..) => Form::V3,
        (Version::V2, Authentication::Pass(data), Family::V4) => Form::V2(Auth::Pass(*data)),
        (Version::V2, Authentication::Header(_), Family::V4) => Form::V2(Auth::Header),
        // Over IPv6, there is no field to put it in.
        (Version::V2, ..) => Form::V2(Auth::None),
    }
}

/// The addresses that the checksum covers (RFC 9568 §5.2.8).
fn pseudo(
    config: &Instance,
    checksum: ChecksumForm,
    source: IpAddr,
    destination: IpAddr,
) -> Option<(IpAddr, IpAddr)> {
    match (config.family, config.version, checksum) {
        (Family::V6, _, _) => Some((source, destination)),
        (Family::V4, Version::V2, _) | (Family::V4, Version::V3, ChecksumForm::AsV2) => None,
        (Family::V4, Version::V3, ChecksumForm::PseudoHeader) => Some((source, destination)),
        (Family::V4, Version::V3, ChecksumForm::OldUnicast) => match config.delivery {
            Delivery::Multicast { .. } => Some((source, destination)),
            Delivery::Unicast { .. } => Some((source, IpAddr::V4(wire::GROUP_V4))),
        },
    }
}

#[cfg(test)]
pub(super) mod tests;
