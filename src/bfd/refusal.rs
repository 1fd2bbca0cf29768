//! Why a packet was refused.

use std::fmt;

/// Reason for discarding a packet, in the order of RFC 5880 section 6.8.6.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Refusal {
    TooShort {
        len: usize,
    },
    Version(u8),
    /// The length in the header is too small, or larger than the datagram.
    Length {
        claimed: u8,
        len: usize,
    },
    ZeroMultiplier,
    Multipoint,
    ZeroDiscriminator,
    /// No session has this discriminator.
    UnknownDiscriminator(u32),
    /// The session with this discriminator has another neighbour, or the other port.
    ForeignDiscriminator(u32),
    /// The packet names no session, although its sender is past the beginning of one.
    NoDiscriminator,
    /// There is no session with the sender.
    UnknownNeighbor,
    /// It came through more routers than `max_hops` allows.
    Ttl {
        ttl: u8,
        least: u8,
    },
    /// It is authenticated, and the session is not.
    Authenticated,
    /// The session is authenticated, and the packet is not.
    NotAuthenticated,
    AuthType {
        theirs: u8,
        ours: u8,
    },
    AuthKeyId {
        theirs: u8,
        ours: u8,
    },
    /// An authentication section of a wrong length.
    AuthLength,
    AuthDigest,
    /// The sequence number is none of those that may follow.
    AuthSequence {
        theirs: u32,
        last: u32,
    },
}

impl Refusal {
    /// Which of these it is, to limit how often it is logged.
    pub(super) const fn kind(&self) -> u8 {
        match self {
            Self::TooShort { .. } => 0,
            Self::Version(_) => 1,
            Self::Length { .. } => 2,
            Self::ZeroMultiplier => 3,
            Self::Multipoint => 4,
            Self::ZeroDiscriminator => 5,
            Self::UnknownDiscriminator(_) => 6,
            Self::ForeignDiscriminator(_) => 7,
            Self::NoDiscriminator => 8,
            Self::UnknownNeighbor => 9,
            Self::Ttl { .. } => 10,
            Self::Authenticated => 11,
            Self::NotAuthenticated => 12,
            Self::AuthType { .. } => 13,
            Self::AuthKeyId { .. } => 14,
            Self::AuthLength => 15,
            Self::AuthDigest => 16,
            Self::AuthSequence { .. } => 17,
        }
    }
}

/// `packet of 20 bytes, a control packet has 24 at least`
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooShort { len } => write!(f, "{len} bytes, a control packet has 24 at least"),
            Self::Version(version) => write!(f, "version {version} instead of 1"),
            Self::Length { claimed, len } => {
                write!(f, "length field {claimed} in a packet of {len} bytes")
            }
            Self::ZeroMultiplier => f.write_str("multiplier 0"),
            Self::Multipoint => f.write_str("multipoint bit set"),
            Self::ZeroDiscriminator => f.write_str("no discriminator of the sender"),
            Self::UnknownDiscriminator(number) => {
                write!(f, "no session has the discriminator 0x{number:08x}")
            }
            Self::ForeignDiscriminator(number) => {
                write!(f, "the session with the discriminator 0x{number:08x} has another neighbour")
            }
            Self::NoDiscriminator => f.write_str("no discriminator of ours"),
            Self::UnknownNeighbor => f.write_str("there is no bfd_instance with this neighbor_ip"),
            Self::Ttl { ttl, least } => write!(f, "TTL {ttl}, at least {least} is expected"),
            Self::Authenticated => f.write_str("authenticated, but the bfd_instance has no auth"),
            Self::NotAuthenticated => f.write_str("not authenticated"),
            Self::AuthType { theirs, ours } => {
                write!(f, "authentication type {theirs} instead of {ours}")
            }
            Self::AuthKeyId { theirs, ours } => write!(f, "key_id {theirs} instead of {ours}"),
            Self::AuthLength => f.write_str("authentication section of a wrong length"),
            Self::AuthDigest => f.write_str("wrong digest: the keys differ"),
            Self::AuthSequence { theirs, last } => {
                write!(f, "sequence number {theirs} does not follow {last}")
            }
        }
    }
}
