//! Why an advertisement was dropped, or taken with a frown; and how the log says it.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::model::vrrp::ChecksumForm;

/// Why an advertisement was dropped. It changed nothing but a counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reject {
    TooShort {
        source: IpAddr,
        len: usize,
    },
    /// Not our virtual router.
    Vrid {
        source: IpAddr,
        ours: u8,
        theirs: u8,
    },
    /// Not the length that its header implies.
    Length {
        source: IpAddr,
        len: usize,
        expected: usize,
    },
    Ttl {
        source: IpAddr,
        ttl: u8,
    },
    Version {
        source: IpAddr,
        ours: u8,
        theirs: u8,
    },
    /// Version 2: no such authentication type.
    AuthType {
        source: IpAddr,
        theirs: u8,
    },
    /// Version 2: another authentication type than ours.
    AuthMismatch {
        source: IpAddr,
        ours: u8,
        theirs: u8,
    },
    Password {
        source: IpAddr,
    },
    /// Authentication header: the index is not the address of the sender.
    Spi {
        source: IpAddr,
        spi: [u8; 4],
    },
    /// Authentication header: another password, or the packet was changed.
    Digest {
        source: IpAddr,
    },
    /// Authentication header: the number is not after the last one.
    Sequence {
        source: IpAddr,
        sequence: u32,
        last: u32,
    },
    /// `auth_hmac`: no trailer.
    Unsigned {
        source: IpAddr,
    },
    /// `auth_hmac`: not the form of a trailer.
    Trailer {
        source: IpAddr,
    },
    /// `auth_hmac`: the clocks differ too much, by so many seconds.
    Stale {
        source: IpAddr,
        skew: u32,
        window: u32,
    },
    /// `auth_hmac`: no key has this number.
    UnknownKey {
        source: IpAddr,
        id: u8,
    },
    /// `auth_hmac`: another key, or the packet was changed.
    Signature {
        source: IpAddr,
    },
    /// `auth_hmac`: the number is not after the last one.
    Replayed {
        source: IpAddr,
    },
    /// We have no key to verify it.
    NoKey {
        source: IpAddr,
    },
    /// Version 2: another interval than ours, in seconds.
    Interval {
        source: IpAddr,
        ours: u8,
        theirs: u8,
    },
    Type {
        source: IpAddr,
        kind: u8,
    },
    Checksum {
        source: IpAddr,
    },
    /// Unicast for a multicast instance, or the other way round.
    Destination {
        source: IpAddr,
        multicast: bool,
    },
    /// Sent by ourselves, or by another host with our address.
    OwnAddress {
        source: IpAddr,
    },
    /// `owner_ignore_adverts`.
    OwnerIgnores {
        source: IpAddr,
    },
    /// `check_unicast_src`: not a configured peer.
    UnknownPeer {
        source: IpAddr,
    },
    /// `check_unicast_src`: outside `min_ttl` and `max_ttl` of the peer.
    PeerTtl {
        source: IpAddr,
        ttl: u8,
        min: u8,
        max: u8,
    },
}

impl Reject {
    /// A number per reason, none shared with [`Remark::kind`], for holding back repetitions.
    pub const fn kind(&self) -> u16 {
        match self {
            Self::TooShort { .. } => 0,
            Self::Vrid { .. } => 1,
            Self::Length { .. } => 2,
            Self::Ttl { .. } => 3,
            Self::Version { .. } => 4,
            Self::AuthType { .. } => 5,
            Self::AuthMismatch { .. } => 6,
            Self::Password { .. } => 7,
            Self::Interval { .. } => 8,
            Self::Type { .. } => 9,
            Self::Checksum { .. } => 10,
            Self::Destination { .. } => 11,
            Self::OwnAddress { .. } => 12,
            Self::OwnerIgnores { .. } => 13,
            Self::UnknownPeer { .. } => 14,
            Self::PeerTtl { .. } => 15,
            Self::Spi { .. } => 16,
            Self::Digest { .. } => 17,
            Self::Sequence { .. } => 18,
            Self::Unsigned { .. } => 19,
            Self::Trailer { .. } => 20,
            Self::Stale { .. } => 21,
            Self::UnknownKey { .. } => 22,
            Self::Signature { .. } => 23,
            Self::Replayed { .. } => 24,
            Self::NoKey { .. } => 25,
        }
    }

    /// It was sent for our virtual router, and is refused for what it is.
    pub(in crate::vrrp) const fn is_for_us(&self) -> bool {
        !matches!(self, Self::Vrid { .. } | Self::OwnerIgnores { .. })
    }

    /// The sender is a router that advertises our virtual router. What came from afar, is damaged,
    /// played back or has our own address says nothing about any router.
    pub(in crate::vrrp) const fn is_of_a_router(&self) -> bool {
        matches!(
            self,
            Self::Version { .. }
                | Self::AuthType { .. }
                | Self::AuthMismatch { .. }
                | Self::Password { .. }
                | Self::Digest { .. }
                | Self::Unsigned { .. }
                | Self::Stale { .. }
                | Self::UnknownKey { .. }
                | Self::Signature { .. }
                | Self::Interval { .. }
                | Self::Destination { .. }
                | Self::UnknownPeer { .. }
                | Self::PeerTtl { .. }
        )
    }

    /// The reason in a few words, to be put in brackets behind the sender.
    pub fn brief(self) -> impl fmt::Display {
        Brief(self)
    }
}

struct Brief(Reject);

impl fmt::Display for Brief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Reject::TooShort { .. } => f.write_str("too short"),
            Reject::Vrid { theirs, .. } => write!(f, "VRID {theirs}"),
            Reject::Length { .. } => f.write_str("wrong length"),
            Reject::Ttl { ttl, .. } => write!(f, "TTL {ttl}, not 255"),
            Reject::Version { ours, theirs, .. } => write!(f, "version {theirs}, ours is {ours}"),
            Reject::AuthType { theirs, .. } => write!(f, "authentication type {theirs}"),
            Reject::AuthMismatch { ours, theirs, .. } => {
                write!(f, "authentication type {theirs}, ours is {ours}")
            }
            Reject::Password { .. } => f.write_str("wrong password"),
            Reject::Spi { .. } => f.write_str("authentication header of another address"),
            Reject::Digest { .. } => f.write_str("wrong digest"),
            Reject::Sequence { .. } | Reject::Replayed { .. } => f.write_str("replayed"),
            Reject::Unsigned { .. } => f.write_str("unsigned"),
            Reject::Trailer { .. } => f.write_str("malformed signature"),
            Reject::Stale { skew, .. } => write!(f, "clock {skew} s off"),
            Reject::UnknownKey { id, .. } => write!(f, "signed with unknown key {id}"),
            Reject::Signature { .. } => f.write_str("wrong signature"),
            Reject::NoKey { .. } => f.write_str("no key of ours"),
            Reject::Interval { ours, theirs, .. } => {
                write!(f, "interval {theirs} s, ours is {ours} s")
            }
            Reject::Type { kind, .. } => write!(f, "packet type {kind}"),
            Reject::Checksum { .. } => f.write_str("wrong checksum"),
            Reject::Destination { multicast: true, .. } => f.write_str("unicast"),
            Reject::Destination { multicast: false, .. } => f.write_str("multicast"),
            Reject::OwnAddress { .. } => f.write_str("our own address"),
            Reject::OwnerIgnores { .. } => f.write_str("ignored by the owner"),
            Reject::UnknownPeer { .. } => f.write_str("not a unicast peer"),
            Reject::PeerTtl { ttl, min, max, .. } => write!(f, "TTL {ttl}, not {min}-{max}"),
        }
    }
}

/// The text behind `(INSTANCE) `.
impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooShort { source, len } => {
                write!(f, "packet from {source} too short ({len} bytes)")
            }
            Self::Vrid { source, ours, theirs } => {
                write!(f, "received VRID {theirs} from {source}, expecting {ours}")
            }
            Self::Length { source, len, expected } => {
                write!(f, "invalid packet length from {source}: {len} bytes, expected {expected}")
            }
            Self::Ttl { source, ttl } => {
                write!(f, "invalid TTL/HL. Received {ttl} and expect 255 from {source}")
            }
            Self::Version { source, ours, theirs } => {
                write!(f, "invalid version. {theirs} and expect {ours} from {source}")
            }
            Self::AuthType { source, theirs } => {
                write!(f, "invalid auth type: {theirs} from {source}")
            }
            Self::AuthMismatch { source, ours, theirs } => {
                write!(f, "received a {theirs} auth, expecting {ours}! from {source}")
            }
            Self::Password { source } => write!(f, "received an invalid passwd from {source}!"),
            Self::Spi { source, spi: [a, b, c, d] } => {
                write!(f, "received an authentication header of {a}.{b}.{c}.{d} from {source}")
            }
            Self::Digest { source } => {
                write!(
                    f,
                    "invalid authentication header from {source}: another password, or changed"
                )
            }
            Self::Sequence { source, sequence, last } => write!(
                f,
                "replayed authentication header from {source}: number {sequence} after {last}"
            ),
            Self::Unsigned { source } => {
                write!(f, "missing authentication trailer from {source}")
            }
            Self::Trailer { source } => {
                write!(f, "malformed authentication trailer from {source}")
            }
            Self::Stale { source, skew, window } => write!(
                f,
                "stale authentication trailer from {source}, \
                 clock skew {skew} sec exceeds window {window} sec"
            ),
            Self::UnknownKey { source, id } => {
                write!(f, "unknown authentication key id {id} from {source}")
            }
            Self::Signature { source } => write!(f, "invalid authentication HMAC from {source}"),
            Self::Replayed { source } => {
                write!(f, "replayed authentication trailer from {source}")
            }
            Self::NoKey { source } => write!(f, "no key to verify an advert from {source}"),
            Self::Interval { source, ours, theirs } => write!(
                f,
                "advertisement interval mismatch with {source} mine={ours} sec rcv'd={theirs} sec"
            ),
            Self::Type { source, kind } => {
                write!(f, "invalid packet type {kind} from {source}, expecting 1")
            }
            Self::Checksum { source } => write!(f, "invalid VRRP checksum from {source}"),
            Self::Destination { source, multicast: true } => {
                write!(f, "received a unicast advert from {source}, expecting multicast")
            }
            Self::Destination { source, multicast: false } => {
                write!(f, "received a multicast advert from {source}, expecting unicast")
            }
            Self::OwnAddress { source } => {
                write!(f, "received an advert from our own address {source}")
            }
            Self::OwnerIgnores { source } => {
                write!(f, "address owner ignores the advert from {source}")
            }
            Self::UnknownPeer { source } => {
                write!(f, "unicast source address {source} is not a configured peer")
            }
            Self::PeerTtl { source, ttl, min, max } => {
                write!(f, "TTL/HL {ttl} from unicast peer {source} not in range {min}-{max}")
            }
        }
    }
}

/// What is odd about an advertisement that was accepted nevertheless.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Remark {
    AddressCount {
        source: IpAddr,
        ours: usize,
        theirs: usize,
    },
    /// As many as ours, but this one of ours is not among them; looked for only if it is logged.
    AddressList {
        source: IpAddr,
        vrid: u8,
        missing: Option<IpAddr>,
    },
    /// Version 3: the sender's interval is not ours.
    IntervalDiffers {
        ours: Duration,
        theirs: Duration,
    },
    /// Version 3 over IPv4: a checksum that is right, but not the way we compute it.
    ChecksumForm {
        source: IpAddr,
        form: ChecksumForm,
    },
    /// `auth_hmac`: the clocks differ by more than half of what is allowed, in seconds.
    ClockSkew {
        source: IpAddr,
        skew: u32,
        window: u32,
    },
}

impl Remark {
    /// As [`Reject::kind`].
    pub const fn kind(&self) -> u16 {
        match self {
            Self::AddressCount { .. } => 100,
            Self::AddressList { .. } => 101,
            Self::IntervalDiffers { .. } => 102,
            Self::ChecksumForm { .. } => 103,
            Self::ClockSkew { .. } => 104,
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::AddressCount { source, ours, theirs } => write!(
                f,
                "received an invalid ip number count {theirs}, expected {ours}! from {source}"
            ),
            Self::AddressList { source, vrid, missing } => {
                write!(f, "ip address associated with VRID {vrid} not present in MASTER advert")?;
                if let Some(missing) = missing {
                    write!(f, " : {missing}")?;
                }
                write!(f, " (from {source})")
            }
            Self::IntervalDiffers { ours, theirs } => write!(
                f,
                "advertisement interval mismatch ours = {} centi-sec rcv'd={} centi-sec",
                ours.as_millis() / 10,
                theirs.as_millis() / 10
            ),
            Self::ChecksumForm { source, form } => {
                let how = match form {
                    ChecksumForm::PseudoHeader => "with the pseudo-header",
                    ChecksumForm::AsV2 => "without the pseudo-header",
                    ChecksumForm::OldUnicast => "in the old unicast form",
                };
                write!(f, "{source} computes the VRRPv3 checksum {how}, unlike us")
            }
            Self::ClockSkew { source, skew, window } => write!(
                f,
                "the clock of {source} differs by {skew} sec; adverts are refused beyond {window} sec"
            ),
        }
    }
}

/// At most one remark on each subject.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Remarks {
    pub addresses: Option<Remark>,
    pub interval: Option<Remark>,
    pub checksum: Option<Remark>,
    pub clock: Option<Remark>,
}

impl IntoIterator for Remarks {
    type Item = Remark;
    type IntoIter = std::iter::Flatten<std::array::IntoIter<Option<Remark>, 4>>;

    fn into_iter(self) -> Self::IntoIter {
        [self.clock, self.interval, self.checksum, self.addresses].into_iter().flatten()
    }
}
