//! HMAC (RFC 2104) of several pieces, cut to the length that is sent, and compared in constant time.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::model::secret::Secret;
use crate::wire::ah;
use crate::wire::vrrp::trailer;

/// HMAC-MD5-96 (RFC 2403).
pub(super) fn md5_96(key: &Secret, pieces: &[&[u8]]) -> [u8; ah::DIGEST_LEN] {
    let mut mac = Hmac::<Md5>::new_from_slice(key.bytes()).expect("any length is a key");
    pieces.iter().for_each(|piece| mac.update(piece));
    head(&mac.finalize().into_bytes())
}

/// HMAC-SHA-256-128 (RFC 4868).
pub(super) fn sha_256_128(key: &Secret, pieces: &[&[u8]]) -> [u8; trailer::MAC_LEN] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.bytes()).expect("any length is a key");
    pieces.iter().for_each(|piece| mac.update(piece));
    head(&mac.finalize().into_bytes())
}

/// True if both are the same. The time it takes says nothing about where they differ.
pub(super) fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

fn head<const N: usize>(whole: &[u8]) -> [u8; N] {
    *whole.first_chunk().expect("longer than what is sent")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_rfc_2202_and_rfc_4231() {
        let key = Secret::new(&[0x0b; 16]);
        let md5 = [0x92, 0x94, 0x72, 0x7a, 0x36, 0x38, 0xbb, 0x1c, 0x13, 0xf4, 0x8e, 0xf8];
        assert_eq!(md5_96(&key, &[b"Hi ", b"There"]), md5);
        let key = Secret::new(b"Jefe");
        let sha = [
            0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95,
            0x75, 0xc7,
        ];
        assert_eq!(sha_256_128(&key, &[b"what do ya want ", b"for nothing?"]), sha);
    }

    #[test]
    fn only_the_same_is_the_same() {
        assert!(is_same(b"abc", b"abc"));
        assert!(!is_same(b"abc", b"abd") && !is_same(b"abc", b"ab"));
    }
}
