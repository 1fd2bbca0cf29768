//! Seeded pseudo-random numbers: SplitMix64 (Steele, Lea, Flood 2014).

#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to below `high`. (The bias is negligible for the small ranges in use.)
    pub const fn between(&mut self, low: u64, high: u64) -> u64 {
        if high <= low {
            return low;
        }
        low + self.draw() % (high - low)
    }

    pub const fn one_in(&mut self, n: u64) -> bool {
        self.between(0, n) == 0
    }

    /// True with a probability of `n` in a thousand.
    pub const fn per_mille(&mut self, n: u32) -> bool {
        self.between(0, 1000) < n as u64
    }

    /// One element of a non-empty slice.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let n = usize::try_from(self.draw() % from.len() as u64).expect("less than the length");
        &from[n]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_sequence() {
        let mut rng = Rng::new(1_234_567);
        assert_eq!(rng.draw(), 6_457_827_717_110_365_317);
        assert_eq!(rng.draw(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn limits_are_kept() {
        let mut rng = Rng::new(7);
        assert!((0..1000).all(|_| (3..6).contains(&rng.between(3, 6))));
        assert_eq!(rng.between(4, 4), 4);
        assert!(!rng.per_mille(0) && rng.per_mille(1000));
    }
}
