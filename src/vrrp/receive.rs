//! Is this advertisement acceptable (RFC 9568 §7.1), and if not, why not.
//!
//! The order of the checks is the reference's: it decides which reason is reported and counted
//! when several apply. What an acceptable advertisement means is decided by the instance.

pub(super) mod addresses;
mod counters;
mod reject;

use std::net::{IpAddr, Ipv4Addr};

use subtle::ConstantTimeEq as _;

use super::auth::{self, Guard};
use crate::base::addr::Family;
use crate::base::time::{Duration, Instant, WallTime};
use crate::model::vrrp::{Authentication, ChecksumForm, Delivery, Instance, Version};
use crate::wire::ah::AuthHeader;
use crate::wire::ip::V4_HEADER_LEN;
use crate::wire::vrrp::trailer::TRAILER_LEN;
use crate::wire::vrrp::{self as wire, Packet};

pub use addresses::AddressSet;
pub use counters::{Counters, Errors};
pub use reject::{Reject, Remark, Remarks};

/// An advertisement as a socket delivered it.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    pub source: IpAddr,
    /// `None` if the kernel did not say.
    pub destination: Option<IpAddr>,
    /// TTL or hop limit; `None` if the kernel did not say.
    pub ttl: Option<u8>,
    /// When the kernel received it.
    pub arrived: Instant,
    /// The same by the wall clock, which sequence numbers are compared with.
    pub wall: WallTime,
    /// The authentication header before `pdu`.
    pub header: Option<AuthHeader<'a>>,
    /// What follows the IP header and the authentication header, up to the IP total length.
    pub pdu: &'a [u8],
}

/// An acceptable advertisement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Advert {
    pub source: IpAddr,
    pub priority: u8,
    /// The sender's interval, which version 3 learns from.
    pub interval: Duration,
    pub arrived: Instant,
    /// How its checksum was computed, where there is more than one way: version 3 over IPv4.
    pub form: Option<ChecksumForm>,
}

/// What the examining instance is and wants.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub config: &'a Instance,
    /// The address we send from.
    pub source: Option<IpAddr>,
    pub effective_priority: u8,
    /// The addresses of `config`.
    pub addresses: &'a AddressSet,
    /// False to trust the addresses: `skip_check_adv_addr`, in BACKUP, from the known master.
    pub compare_addresses: bool,
}

/// Examines one advertisement with our VRID and counts the outcome.
///
/// A peer may cause any result as often as it likes, so log lines must be limited; see
/// [`Reject::kind`].
pub fn examine(
    received: &Received<'_>,
    context: &Context<'_>,
    guard: Option<&mut Guard>,
    counters: &mut Counters,
) -> Result<(Advert, Remarks), Reject> {
    let result = check(received, context, guard, counters);
    match &result {
        Ok((advert, remarks)) => counters.count_accepted(advert.priority, remarks),
        Err(reject) => counters.count_rejected(reject),
    }
    result
}

fn check(
    received: &Received<'_>,
    context: &Context<'_>,
    guard: Option<&mut Guard>,
    counters: &mut Counters,
) -> Result<(Advert, Remarks), Reject> {
    let &Context { config, .. } = context;
    let &Received { source, arrived, pdu, .. } = received;
    let packet = Packet::parse(pdu).map_err(|_| Reject::TooShort { source, len: pdu.len() })?;
    if packet.vrid() != config.vrid {
        return Err(Reject::Vrid { source, ours: config.vrid, theirs: packet.vrid() });
    }
    check_header(received, &packet, config)?;
    check_length(received, &packet, config)?;
    check_ttl(received, config)?;
    check_version(received, &packet, config)?;
    let (proof, clock) = auth::verify(guard.as_deref(), received, &packet, config)?;
    if config.version == Version::V2 {
        check_version_2(received, &packet, config)?;
    }
    if packet.kind() != wire::ADVERTISEMENT {
        return Err(Reject::Type { source, kind: packet.kind() });
    }
    let mut remarks = Remarks { clock, ..Remarks::default() };
    let (ours, theirs) = (config.advert_interval, packet.interval());
    if ours != theirs {
        // Only version 3 comes here with a difference.
        remarks.interval = Some(Remark::IntervalDiffers { ours, theirs });
    }
    let form = check_checksum(received, &packet, context)?;
    remarks.checksum = remark_on(form, source, config);
    check_destination(received, context)?;
    if config.owner_ignore_adverts && context.effective_priority == 255 {
        return Err(Reject::OwnerIgnores { source });
    }
    // The reference counts here, before the check of the peer: the numbers stay comparable.
    counters.advert_rcvd += 1;
    if context.compare_addresses {
        remarks.addresses = compare_addresses(received, &packet, context);
    }
    check_peer(received, config)?;
    if let Some(guard) = guard {
        guard.note(proof, received, config);
    }
    let priority = packet.priority();
    Ok((Advert { source, priority, interval: theirs, arrived, form }, remarks))
}

/// Authentication header and configuration go together (RFC 2338 §7.1).
fn check_header(
    received: &Received<'_>,
    packet: &Packet<'_>,
    config: &Instance,
) -> Result<(), Reject> {
    let source = received.source;
    match (&config.authentication, &received.header) {
        (Authentication::Header(_), None) => {
            Err(Reject::AuthMismatch { source, ours: 2, theirs: packet.legacy_auth_type() })
        }
        (Authentication::Header(_), Some(_)) | (_, None) => Ok(()),
        (ours, Some(_)) => {
            Err(Reject::AuthMismatch { source, ours: auth_type(ours, config.family), theirs: 2 })
        }
    }
}

/// The number of version 2.
const fn auth_type(authentication: &Authentication, family: Family) -> u8 {
    match (authentication, family) {
        (Authentication::Pass(_), Family::V4) => 1,
        (Authentication::Header(_), Family::V4) => 2,
        _ => 0,
    }
}

/// The length must be exactly what the header implies, but for padding to the shortest payload of
/// Ethernet that some sender counted into the IP length, or the trailer of a signed advertisement.
fn check_length(
    received: &Received<'_>,
    packet: &Packet<'_>,
    config: &Instance,
) -> Result<(), Reject> {
    const SHORTEST_PAYLOAD: usize = 46;
    let (len, expected) = (received.pdu.len(), packet.expected_len(config.family));
    let is_padded = config.family == Family::V4
        && len > expected
        && (len - expected) % 4 == 2
        && V4_HEADER_LEN + len <= SHORTEST_PAYLOAD;
    let may_be_signed = matches!(config.authentication, Authentication::Signed(_));
    let is_signed = may_be_signed && len == expected + TRAILER_LEN;
    if len == expected || is_padded || is_signed {
        return Ok(());
    }
    Err(Reject::Length { source: received.source, len, expected })
}

/// RFC 9568 §5.1.1.3: a router would have decremented it. Unicast may come through routers.
const fn check_ttl(received: &Received<'_>, config: &Instance) -> Result<(), Reject> {
    match (&config.delivery, received.ttl) {
        (Delivery::Multicast { .. }, Some(ttl)) if ttl != 255 => {
            Err(Reject::Ttl { source: received.source, ttl })
        }
        _ => Ok(()),
    }
}

fn check_version(
    received: &Received<'_>,
    packet: &Packet<'_>,
    config: &Instance,
) -> Result<(), Reject> {
    let ours = match config.version {
        Version::V2 => 2,
        Version::V3 => 3,
    };
    if packet.version() != ours {
        return Err(Reject::Version { source: received.source, ours, theirs: packet.version() });
    }
    Ok(())
}

/// What only version 2 demands: the same authentication and the same interval (RFC 3768 §7.1,
/// RFC 2338 §7.1).
fn check_version_2(
    received: &Received<'_>,
    packet: &Packet<'_>,
    config: &Instance,
) -> Result<(), Reject> {
    let source = received.source;
    let theirs = packet.auth_type();
    if theirs > 2 {
        return Err(Reject::AuthType { source, theirs });
    }
    let ours = auth_type(&config.authentication, config.family);
    if theirs != ours {
        return Err(Reject::AuthMismatch { source, ours, theirs });
    }
    if let (Authentication::Pass(password), 1) = (&config.authentication, ours) {
        let field = packet.auth_data(config.family);
        if !field.is_some_and(|field| field.ct_eq(password).into()) {
            return Err(Reject::Password { source });
        }
    }
    let (ours, theirs) = (wire::interval_s(config.advert_interval), packet.interval_s());
    if ours != theirs {
        return Err(Reject::Interval { source, ours, theirs });
    }
    Ok(())
}

/// Verifies the checksum; for IPv6 the kernel has done so.
///
/// Version 3 over IPv4 exists with a pseudo-header and without (RFC 9568 §5.2.8), and the
/// reference once took the multicast group for the peer's address: all are accepted.
fn check_checksum(
    received: &Received<'_>,
    packet: &Packet<'_>,
    context: &Context<'_>,
) -> Result<Option<ChecksumForm>, Reject> {
    let &Context { config, .. } = context;
    if config.family == Family::V6 {
        return Ok(None);
    }
    let source = received.source;
    let fits = |pseudo| packet.is_checksum_valid(Family::V4, pseudo);
    if config.version == Version::V2 {
        return if fits(None) { Ok(None) } else { Err(Reject::Checksum { source }) };
    }
    let group = IpAddr::V4(wire::GROUP_V4);
    let is_unicast = matches!(config.delivery, Delivery::Unicast { .. });
    let form = if fits(Some((source, destination(received, context)))) {
        ChecksumForm::PseudoHeader
    } else if fits(None) {
        ChecksumForm::AsV2
    } else if is_unicast && fits(Some((source, group))) {
        ChecksumForm::OldUnicast
    } else {
        return Err(Reject::Checksum { source });
    };
    Ok(Some(form))
}

/// A form that we do not send ourselves is worth a remark.
fn remark_on(form: Option<ChecksumForm>, source: IpAddr, config: &Instance) -> Option<Remark> {
    let form = form?;
    let is_unicast = matches!(config.delivery, Delivery::Unicast { .. });
    let ours = match config.checksum {
        ChecksumForm::OldUnicast if !is_unicast => ChecksumForm::PseudoHeader,
        ours => ours,
    };
    (form != ours).then_some(Remark::ChecksumForm { source, form })
}

/// Where the packet went, or must have gone if the kernel did not say.
fn destination(received: &Received<'_>, context: &Context<'_>) -> IpAddr {
    match (received.destination, &context.config.delivery) {
        (Some(destination), _) => destination,
        (None, Delivery::Multicast { group }) => *group,
        (None, Delivery::Unicast { .. }) => {
            context.source.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
        }
    }
}

/// Multicast is for multicast instances, and nothing is for its sender.
fn check_destination(received: &Received<'_>, context: &Context<'_>) -> Result<(), Reject> {
    let source = received.source;
    let multicast = matches!(context.config.delivery, Delivery::Multicast { .. });
    if received.destination.is_some_and(|to| to.is_multicast() != multicast) {
        return Err(Reject::Destination { source, multicast });
    }
    if context.source == Some(source) {
        return Err(Reject::OwnAddress { source });
    }
    Ok(())
}

/// Another list of addresses is worth a remark, no more: "the receiver MAY" (RFC 9568 §7.1).
fn compare_addresses(
    received: &Received<'_>,
    packet: &Packet<'_>,
    context: &Context<'_>,
) -> Option<Remark> {
    let (source, config, ours) = (received.source, context.config, context.addresses);
    let theirs = usize::from(packet.address_count());
    if theirs != ours.count {
        return Some(Remark::AddressCount { source, ours: ours.count, theirs });
    }
    let same = ours.is(packet.addresses(config.family));
    (!same).then_some(Remark::AddressList { source, vrid: config.vrid, missing: None })
}

impl Remark {
    /// The remark as it is logged: what takes a search is looked for only then.
    pub(super) fn completed(self, received: &Received<'_>, config: &Instance) -> Self {
        match (self, Packet::parse(received.pdu)) {
            (Self::AddressList { source, vrid, .. }, Ok(packet)) => {
                let missing = addresses::missing(config, packet.addresses(config.family));
                Self::AddressList { source, vrid, missing }
            }
            (other, _) => other,
        }
    }
}

/// `check_unicast_src`: only peers, and only from as far away as each may be.
fn check_peer(received: &Received<'_>, config: &Instance) -> Result<(), Reject> {
    let Delivery::Unicast { peers, check_source: true, .. } = &config.delivery else {
        return Ok(());
    };
    let source = received.source;
    let Some(peer) = peers.iter().find(|peer| peer.addr == source) else {
        return Err(Reject::UnknownPeer { source });
    };
    let (min, max) = (peer.min_ttl, peer.max_ttl);
    match received.ttl {
        Some(ttl) if !(min..=max).contains(&ttl) => Err(Reject::PeerTtl { source, ttl, min, max }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
