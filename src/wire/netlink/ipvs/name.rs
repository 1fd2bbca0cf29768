//! Names of schedulers, persistence engines and interfaces: at most 15 bytes.

use std::fmt;

/// A name as stored by the kernel. Never empty, so that a missing name is an `Option`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    len: u8,
    bytes: [u8; 15],
}

impl Name {
    /// `None`: empty, too long for the kernel, or with a zero byte.
    pub fn new(text: &str) -> Option<Self> {
        Self::of_bytes(text.as_bytes())
    }

    /// A name sent by the kernel, up to the first zero byte.
    pub(super) fn of_bytes(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; 15];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        let len = u8::try_from(text.len()).ok().filter(|len| *len > 0 && !text.contains(&0))?;
        Some(Self { len, bytes })
    }

    /// As text; `?` if it is not UTF-8, which is possible for interface names only.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or("?")
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The bytes with a terminating zero, and their length.
    pub(super) fn terminated(&self) -> ([u8; 16], usize) {
        let mut out = [0; 16];
        out[..15].copy_from_slice(&self.bytes);
        (out, usize::from(self.len) + 1)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_name_is_refused() {
        assert_eq!(Name::new("wlc").map(|n| n.to_string()), Some("wlc".to_owned()));
        assert!(Name::new("fifteen-letters").is_some());
        for bad in ["", "sixteen-letters.", "a\0b"] {
            assert_eq!(Name::new(bad), None, "{bad:?}");
        }
    }
}
