//! Key material.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A key. It never appears in a debug output, is compared in constant time, and its memory is
/// overwritten when it is dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<Box<[u8]>>);

impl Secret {
    pub fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_equal_by_their_bytes_and_never_shown() {
        let key = Secret::new(b"topsecret");
        assert_eq!(key, key.clone());
        assert_ne!(key, Secret::new(b"topsecreT"));
        assert_ne!(key, Secret::new(b"topsecret1"));
        assert_eq!(format!("{key:?} {:#?}", Some(&key)), "Secret(..) Some(\n    Secret(..),\n)");
    }
}
