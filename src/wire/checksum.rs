//! The Internet checksum: computed (RFC 1071), verified, and adjusted in place (RFC 1624).

use std::net::IpAddr;

/// A running one's-complement sum.
#[derive(Clone, Copy, Default, Debug)]
pub struct Sum(u64);

impl Sum {
    pub const fn new() -> Self {
        Self(0)
    }

    /// Adds bytes that start at an even offset; an odd last one is padded with zero.
    #[must_use]
    pub fn bytes(mut self, data: &[u8]) -> Self {
        let mut words = data.chunks_exact(2);
        for word in &mut words {
            self.0 += u64::from(u16::from_be_bytes([word[0], word[1]]));
        }
        if let [last] = words.remainder() {
            self.0 += u64::from(*last) << 8;
        }
        self
    }

    #[must_use]
    pub fn word(self, word: u16) -> Self {
        Self(self.0 + u64::from(word))
    }

    /// Adds the pseudo-header of an upper layer (RFC 793 §3.1 for IPv4, RFC 8200 §8.1 for IPv6).
    #[must_use]
    pub fn pseudo_header(
        self,
        source: IpAddr,
        destination: IpAddr,
        protocol: u8,
        len: usize,
    ) -> Self {
        // Both forms have the same sum: addresses, protocol and a length whose high part may be 0.
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        let sum = self.address(source).address(destination).word(u16::from(protocol));
        Self(sum.0 + u64::from(len >> 16) + u64::from(len & 0xffff))
    }

    fn address(self, address: IpAddr) -> Self {
        match address {
            IpAddr::V4(a) => self.bytes(&a.octets()),
            IpAddr::V6(a) => self.bytes(&a.octets()),
        }
    }

    /// The value for the checksum field, which must have been zero in the sum.
    pub fn checksum(self) -> u16 {
        !self.fold()
    }

    /// True if the sum, which includes the checksum field, is that of intact data.
    pub fn is_valid(self) -> bool {
        self.fold() == 0xffff
    }

    fn fold(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        // The loop leaves no more than sixteen bits.
        u16::try_from(sum).unwrap_or(0xffff)
    }
}

/// The checksum after one word of the data changed (RFC 1624 §3, equation 3).
pub fn adjust(checksum: u16, old: u16, new: u16) -> u16 {
    Sum::new().word(!checksum).word(!old).word(new).checksum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_rfc_1071() {
        let sum = Sum::new().bytes(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
        assert_eq!(sum.checksum(), !0xddf2);
    }

    #[test]
    fn an_odd_last_byte_counts_as_the_high_half() {
        assert_eq!(Sum::new().bytes(&[0x12]).checksum(), !0x1200);
    }

    #[test]
    fn the_example_of_rfc_1624() {
        assert_eq!(adjust(0xdd2f, 0x5555, 0x3285), 0x0000);
    }

    proptest! {
        #[test]
        fn adjusting_gives_what_computing_again_gives(
            mut data in proptest::collection::vec(any::<u8>(), 4..64), new in any::<u16>(),
        ) {
            // A sum of zeros has two representations; real headers are never all zeros.
            data[0] = 0x45;
            let before = Sum::new().bytes(&data).checksum();
            let old = u16::from_be_bytes([data[2], data[3]]);
            data[2..4].copy_from_slice(&new.to_be_bytes());
            prop_assert_eq!(adjust(before, old, new), Sum::new().bytes(&data).checksum());
        }

        #[test]
        fn a_checksum_put_in_place_verifies(
            mut data in proptest::collection::vec(any::<u8>(), 4..64),
        ) {
            data[0..2].copy_from_slice(&[0, 0]);
            let checksum = Sum::new().bytes(&data).checksum();
            data[0..2].copy_from_slice(&checksum.to_be_bytes());
            prop_assert!(Sum::new().bytes(&data).is_valid());
        }
    }
}
