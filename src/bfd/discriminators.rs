//! Numbers that cannot be foreseen, and discriminators made of them.

use std::fmt;

use sha1::{Digest as _, Sha1};
use zeroize::Zeroizing;

use super::Domain;

/// A sequence of which no number says anything about the others: digests of a secret and a counter.
/// The neighbours see many of them, so a plain generator would not do.
pub(super) struct Unpredictable {
    secret: Zeroizing<[u8; 16]>,
    count: u64,
}

impl Unpredictable {
    pub(super) fn new(secret: [u8; 16]) -> Self {
        Self { secret: Zeroizing::new(secret), count: 0 }
    }

    pub(super) fn draw(&mut self) -> u32 {
        self.count += 1;
        let digest = Sha1::new().chain_update(*self.secret).chain_update(self.count.to_be_bytes());
        let [a, b, c, d, ..] = <[u8; 20]>::from(digest.finalize());
        u32::from_be_bytes([a, b, c, d])
    }
}

impl fmt::Debug for Unpredictable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unpredictable(.., {})", self.count)
    }
}

impl Domain {
    /// A discriminator that no session has. It is not zero.
    pub(super) fn fresh_discriminator(&mut self) -> u32 {
        loop {
            let number = self.unpredictable.draw();
            if number != 0 && !self.by_discriminator.contains_key(&number) {
                return number;
            }
        }
    }
}
