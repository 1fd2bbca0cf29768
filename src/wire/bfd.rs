//! BFD control packets (RFC 5880 section 4), with authentication by SHA1. Acceptance is decided in
//! `bfd::receive`, not here.

use std::fmt;
use std::ops::Deref;

use sha1::{Digest as _, Sha1};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::Malformed;

/// UDP port of single-hop sessions (RFC 5881 section 4).
pub const PORT: u16 = 3784;
/// UDP port of multihop sessions (RFC 5883 section 5).
pub const MULTIHOP_PORT: u16 = 4784;
/// The protocol version.
pub const VERSION: u8 = 1;
/// Internetwork control, as routing protocols are sent. The RFCs do not demand it, but otherwise a
/// congested link would look like one that is down.
pub const TRAFFIC_CLASS: u8 = 0xc0;
/// Length of a packet without authentication.
pub const HEADER_LEN: usize = 24;
/// Length of an authentication section with SHA1.
pub const SHA1_SECTION_LEN: usize = 28;
/// Auth Type of Keyed SHA1.
pub const KEYED_SHA1: u8 = 4;
/// Auth Type of Meticulous Keyed SHA1.
pub const METICULOUS_SHA1: u8 = 5;

/// Length of a digest, and of a key with its padding.
const DIGEST_LEN: usize = 20;
/// Offset of the digest within a packet.
const DIGEST_AT: usize = SIGNED_LEN - DIGEST_LEN;
/// Length of a packet with an authentication section with SHA1.
const SIGNED_LEN: usize = HEADER_LEN + SHA1_SECTION_LEN;
/// Type and length: the least there is of an authentication section.
const AUTH_MIN_LEN: usize = 2;

const POLL: u8 = 0x20;
const FINAL: u8 = 0x10;
const INDEPENDENT: u8 = 0x08;
const AUTHENTICATED: u8 = 0x04;
const DEMAND: u8 = 0x02;
const MULTIPOINT: u8 = 0x01;

/// The states of RFC 5880 section 6.2, by their numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SessionState {
    AdminDown = 0,
    Down = 1,
    Init = 2,
    Up = 3,
}

impl SessionState {
    pub const ALL: [Self; 4] = [Self::AdminDown, Self::Down, Self::Init, Self::Up];

    /// The word of log lines and dumps.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AdminDown => "AdminDown",
            Self::Down => "Down",
            Self::Init => "Init",
            Self::Up => "Up",
        }
    }

    const fn from_bits(bits: u8) -> Self {
        Self::ALL[(bits & 3) as usize]
    }
}

impl fmt::Display for SessionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A diagnostic code (RFC 5880 section 4.1), five bits. Codes of the future are kept as they are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Diag(u8);

impl Diag {
    pub const NONE: Self = Self(0);
    pub const TIME_EXPIRED: Self = Self(1);
    pub const NEIGHBOR_DOWN: Self = Self(3);
    pub const ADMIN_DOWN: Self = Self(7);

    pub const fn new(code: u8) -> Self {
        Self(code & 0x1f)
    }

    pub const fn code(self) -> u8 {
        self.0
    }
}

/// The name in the RFC, as keepalived logs it.
impl fmt::Display for Diag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            0 => "No Diagnostic",
            1 => "Control Detection Time Expired",
            2 => "Echo Function Failed",
            3 => "Neighbor Signaled Session Down",
            4 => "Forwarding Plane Reset",
            5 => "Path Down",
            6 => "Concatenated Path Down",
            7 => "Administratively Down",
            8 => "Reverse Concatenated Path Down",
            code => return write!(f, "Diagnostic {code}"),
        })
    }
}

/// The mandatory section as a value. Intervals are in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ControlPacket {
    pub diag: Diag,
    pub state: SessionState,
    pub poll: bool,
    pub final_: bool,
    /// C: BFD of the sender outlives its control plane.
    pub independent: bool,
    pub demand: bool,
    pub multipoint: bool,
    pub multiplier: u8,
    pub my_discriminator: u32,
    pub your_discriminator: u32,
    pub min_tx: u32,
    pub min_rx: u32,
    pub min_echo_rx: u32,
}

/// How a packet is signed.
#[derive(Clone, Copy, Debug)]
pub struct Signature<'a> {
    /// [`KEYED_SHA1`] or [`METICULOUS_SHA1`].
    pub kind: u8,
    pub key_id: u8,
    pub sequence: u32,
    /// The first twenty bytes count.
    pub key: &'a [u8],
}

/// The bytes of a packet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Encoded {
    bytes: [u8; SIGNED_LEN],
    len: u8,
}

impl Deref for Encoded {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len.into()).unwrap_or(&self.bytes)
    }
}

impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl ControlPacket {
    pub fn emit(&self, signature: Option<&Signature<'_>>) -> Encoded {
        let len = if signature.is_some() { SIGNED_LEN } else { HEADER_LEN };
        let len = u8::try_from(len).unwrap_or(0);
        let mut bytes = [0; SIGNED_LEN];
        let mut rest = bytes.as_mut_slice();
        put(&mut rest, &[VERSION << 5 | self.diag.0, self.second(signature.is_some())]);
        put(&mut rest, &[self.multiplier, len]);
        let words = [self.my_discriminator, self.your_discriminator];
        let intervals = [self.min_tx, self.min_rx, self.min_echo_rx];
        words.iter().chain(&intervals).for_each(|word| put(&mut rest, &word.to_be_bytes()));
        if let Some(Signature { kind, key_id, sequence, key }) = signature {
            put(&mut rest, &[*kind, SHA1_SECTION_LEN as u8, *key_id, 0]);
            put(&mut rest, &sequence.to_be_bytes());
            let digest = digest(&mut bytes, key);
            put(&mut &mut bytes[DIGEST_AT..], &digest);
        }
        Encoded { bytes, len }
    }

    fn second(&self, authenticated: bool) -> u8 {
        let flags = [
            (self.poll, POLL),
            (self.final_, FINAL),
            (self.independent, INDEPENDENT),
            (authenticated, AUTHENTICATED),
            (self.demand, DEMAND),
            (self.multipoint, MULTIPOINT),
        ];
        let flags = flags.iter().filter(|(is_set, _)| *is_set).fold(0, |all, (_, bit)| all | bit);
        (self.state as u8) << 6 | flags
    }
}

/// Writes to the start of `rest` and moves it behind.
fn put(rest: &mut &mut [u8], data: &[u8]) {
    let room = std::mem::take(rest);
    let (here, behind) = room.split_at_mut(data.len().min(room.len()));
    here.copy_from_slice(&data[..here.len()]);
    *rest = behind;
}

/// The digest over a packet that has the key where the digest goes (RFC 5880 section 6.7.4).
fn digest(packet: &mut [u8; SIGNED_LEN], key: &[u8]) -> [u8; DIGEST_LEN] {
    let field = &mut packet[DIGEST_AT..];
    let key = &key[..key.len().min(DIGEST_LEN)];
    field.fill(0);
    field[..key.len()].copy_from_slice(key);
    Sha1::digest(packet.as_slice()).into()
}

/// A received packet: at least the mandatory section, otherwise unchecked.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    header: &'a [u8; HEADER_LEN],
    payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// From the payload of a UDP datagram.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Malformed> {
        let header = payload.first_chunk::<HEADER_LEN>().ok_or(Malformed)?;
        Ok(Self { header, payload })
    }

    pub const fn version(&self) -> u8 {
        self.header[0] >> 5
    }

    /// The length according to the header. Whatever follows is not part of the packet.
    pub const fn length(&self) -> u8 {
        self.header[3]
    }

    /// A: there is an authentication section.
    pub const fn is_authenticated(&self) -> bool {
        self.header[1] & AUTHENTICATED != 0
    }

    /// True if the length covers what the flags announce, and all of that has arrived.
    pub fn is_length_valid(&self) -> bool {
        let least = HEADER_LEN + if self.is_authenticated() { AUTH_MIN_LEN } else { 0 };
        (least..=self.payload.len()).contains(&self.length().into())
    }

    pub fn control(&self) -> ControlPacket {
        let [first, flags, multiplier, _, ..] = *self.header;
        ControlPacket {
            diag: Diag::new(first),
            state: SessionState::from_bits(flags >> 6),
            poll: flags & POLL != 0,
            final_: flags & FINAL != 0,
            independent: flags & INDEPENDENT != 0,
            demand: flags & DEMAND != 0,
            multipoint: flags & MULTIPOINT != 0,
            multiplier,
            my_discriminator: self.word(4),
            your_discriminator: self.word(8),
            min_tx: self.word(12),
            min_rx: self.word(16),
            min_echo_rx: self.word(20),
        }
    }

    fn word(&self, at: usize) -> u32 {
        let bytes = self.header.get(at..).and_then(|rest| rest.first_chunk());
        u32::from_be_bytes(bytes.copied().unwrap_or_default())
    }

    /// Auth Type.
    pub fn auth_type(&self) -> Option<u8> {
        self.is_authenticated().then(|| self.payload.get(HEADER_LEN).copied()).flatten()
    }

    /// The authentication section, if it is one with SHA1 and of the right length.
    pub fn sha1(&self) -> Option<Sha1Section<'a>> {
        let packet = self.payload.get(..self.length().into())?;
        let packet: &[u8; SIGNED_LEN] = packet.try_into().ok()?;
        let [kind, len, key_id, _reserved, a, b, c, d, ..] = packet[HEADER_LEN..] else {
            return None;
        };
        let is_sha1 = self.is_authenticated()
            && matches!(kind, KEYED_SHA1 | METICULOUS_SHA1)
            && usize::from(len) == SHA1_SECTION_LEN;
        let sequence = u32::from_be_bytes([a, b, c, d]);
        is_sha1.then_some(Sha1Section { kind, key_id, sequence, packet })
    }
}

/// An authentication section with SHA1.
#[derive(Clone, Copy, Debug)]
pub struct Sha1Section<'a> {
    pub kind: u8,
    pub key_id: u8,
    pub sequence: u32,
    packet: &'a [u8; SIGNED_LEN],
}

impl Sha1Section<'_> {
    /// True if the packet was signed with this key. Takes the same time whatever the digest.
    pub fn is_signed_with(&self, key: &[u8]) -> bool {
        let mut packet = Zeroizing::new(*self.packet);
        let expected = digest(&mut packet, key);
        self.packet[DIGEST_AT..].ct_eq(&expected).into()
    }
}

#[cfg(test)]
mod tests;
