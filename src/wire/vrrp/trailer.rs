//! The trailer of signed advertisements, an extension of keepalived (`auth_hmac`).
//!
//! It follows the advertisement, of either version and over either family of addresses. No length
//! and no checksum of VRRP covers it; over IPv6, the kernel's checksum does.

use std::net::IpAddr;

use super::super::Malformed;
use crate::base::time::WallTime;

pub const TRAILER_LEN: usize = 28;
/// Length of the HMAC: the first half of that of SHA-256.
pub const MAC_LEN: usize = 16;
/// Length of the fields before the HMAC.
const FIELDS_LEN: usize = TRAILER_LEN - MAC_LEN;
/// HMAC-SHA-256, truncated to 128 bits.
const HMAC_SHA_256: u8 = 1;

/// A sequence number: seconds since 1970, their fraction in 16 bits, and a counter of 16 bits, as
/// one number that wraps around (RFC 1982).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sequence(pub u64);

impl Sequence {
    /// The first sequence number of a point in time.
    pub const fn at(wall: WallTime) -> Self {
        const SECOND: u64 = 1_000_000;
        let fraction = (wall.0 % SECOND) * 0x1_0000 / SECOND;
        Self((wall.0 / SECOND) << 32 | fraction << 16)
    }

    /// Seconds since 1970, modulo 2^32.
    pub const fn seconds(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    pub const fn is_after(self, other: Self) -> bool {
        self.0.wrapping_sub(other.0) as i64 > 0
    }

    /// By how many seconds it is ahead of a point in time.
    pub const fn ahead_of(self, wall: WallTime) -> i32 {
        self.seconds().wrapping_sub(Self::at(wall).seconds()) as i32
    }
}

/// A trailer, of which the type and the reserved bits are valid.
#[derive(Clone, Copy, Debug)]
pub struct Trailer<'a>(&'a [u8; TRAILER_LEN]);

impl<'a> Trailer<'a> {
    /// From what follows the advertisement.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let bytes: &[u8; TRAILER_LEN] = bytes.try_into().map_err(|_| Malformed)?;
        match bytes {
            [HMAC_SHA_256, _, 0, 0, ..] => Ok(Self(bytes)),
            _ => Err(Malformed),
        }
    }

    pub const fn key_id(&self) -> u8 {
        self.0[1]
    }

    pub fn sequence(&self) -> Sequence {
        let [_, _, _, _, sequence @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *self.0;
        Sequence(u64::from_be_bytes(sequence))
    }

    /// What the HMAC covers of the trailer: all before it.
    pub fn fields(&self) -> &'a [u8] {
        &self.0[..FIELDS_LEN]
    }

    pub fn mac(&self) -> &'a [u8] {
        &self.0[FIELDS_LEN..]
    }
}

/// A trailer without its HMAC.
pub fn emit(key_id: u8, sequence: Sequence) -> [u8; TRAILER_LEN] {
    let mut trailer = [0; TRAILER_LEN];
    trailer[0] = HMAC_SHA_256;
    trailer[1] = key_id;
    trailer[4..FIELDS_LEN].copy_from_slice(&sequence.0.to_be_bytes());
    trailer
}

/// Writes the HMAC of an emitted trailer.
pub fn set_mac(trailer: &mut [u8; TRAILER_LEN], mac: [u8; MAC_LEN]) {
    trailer[FIELDS_LEN..].copy_from_slice(&mac);
}

/// Input of the HMAC before the advertisement: what identifies the virtual router, and the sender.
pub fn pseudo_header(version: u8, vrid: u8, source: IpAddr) -> [u8; 20] {
    let mut header = [0, version, vrid, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    match source {
        IpAddr::V4(a) => {
            header[0] = 4;
            header[4..8].copy_from_slice(&a.octets());
        }
        IpAddr::V6(a) => {
            header[0] = 6;
            header[4..].copy_from_slice(&a.octets());
        }
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_number_is_a_time_with_a_counter() {
        // The first known-answer vector: 0x6b033e79 s, 0xe17c of 0x10000.
        let wall = WallTime(0x6b03_3e79 * 1_000_000 + 880_800);
        assert_eq!(Sequence::at(wall), Sequence(0x6b03_3e79_e17c_0000));
        assert_eq!(Sequence::at(wall).seconds(), 0x6b03_3e79);
        let full = Sequence(0x6b03_3e79_e17c_ffff);
        assert_eq!(full.next(), Sequence(0x6b03_3e79_e17d_0000));
        assert_eq!(Sequence::at(WallTime(wall.0 + 3_000_000)).ahead_of(wall), 3);
        assert_eq!(Sequence::at(WallTime(wall.0 - 4_000_000)).ahead_of(wall), -4);
    }

    #[test]
    fn order_survives_the_wrap_of_2106() {
        let (before, after) = (Sequence(u64::MAX), Sequence(u64::MAX).next());
        assert!(after.is_after(before) && !before.is_after(after));
        assert!(!before.is_after(before));
        let wall = WallTime(0xffff_ffff * 1_000_000);
        assert_eq!(Sequence::at(WallTime(wall.0 + 2_000_000)).ahead_of(wall), 2);
    }

    #[test]
    fn an_emitted_trailer_parses_and_any_other_form_does_not() {
        let mut bytes = emit(7, Sequence(0x0102_0304_0506_0708));
        set_mac(&mut bytes, [9; MAC_LEN]);
        let trailer = Trailer::parse(&bytes).unwrap();
        assert_eq!((trailer.key_id(), trailer.sequence().0), (7, 0x0102_0304_0506_0708));
        assert_eq!((trailer.fields(), trailer.mac()), (&bytes[..12], &[9; MAC_LEN][..]));
        for at in [0, 2, 3] {
            let mut bytes = bytes;
            bytes[at] ^= 2;
            assert!(Trailer::parse(&bytes).is_err(), "{at}");
        }
        assert!(Trailer::parse(&bytes[..27]).is_err());
        assert!(Trailer::parse(&[bytes.as_slice(), &[0]].concat()).is_err());
    }
}
