//! Makes the digest of a page as it arrives.
//!
//! It distinguishes pages. It is no protection against two that were made to agree.

use std::fmt;

use md5::Digest as _;

use crate::base::verdict::Digest;

/// A digest in the making.
#[derive(Clone, Default)]
pub struct Hasher(md5::Md5);

impl Hasher {
    pub fn received(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all there was up to now.
    pub fn digest(&self) -> Digest {
        Digest(self.0.clone().finalize().into())
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hasher({})", self.digest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_rfc_1321() {
        let mut hasher = Hasher::default();
        assert_eq!(hasher.digest().to_string(), "d41d8cd98f00b204e9800998ecf8427e");
        for byte in b"abc" {
            hasher.received(&[*byte]);
        }
        assert_eq!(hasher.digest().to_string(), "900150983cd24fb0d6963f7d28e17f72");
    }
}
