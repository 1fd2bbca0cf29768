//! The built-in definitions: `${_PWD}`, `${_INSTANCE}`, `${_RANDOM}`, `${_ENV}`, `${_HASH}`,
//! `${_BANG}`.

use crate::base::sorted::SortedMap;
use crate::config::loader::Loader;

/// Sources of the built-in definitions.
pub(in crate::config) struct Builtins<'t> {
    pub(in crate::config) loader: &'t dyn Loader,
    pub(in crate::config) config_id: &'t str,
    pub(in crate::config) env: &'t SortedMap<String, String>,
    pub(in crate::config) random: Random,
}

/// Value of a use of a built-in definition.
pub(super) enum Answer {
    Value(String),
    /// The use is wrong, and this is used instead.
    Corrected(String, String),
    /// The use is wrong and stays as it is.
    Wrong(String),
    /// There is no such definition.
    Unknown,
}

impl Builtins<'_> {
    pub(super) fn value(&mut self, name: &str, parameters: &str, dir: &str) -> Answer {
        let parameters: Vec<&str> = parameters.split_ascii_whitespace().collect();
        let plain = |value: String| match parameters.is_empty() {
            true => Answer::Value(value),
            false => Answer::Wrong(format!("'{name}' takes no parameter")),
        };
        match name {
            "_HASH" => plain("#".to_owned()),
            "_BANG" => plain("!".to_owned()),
            "_INSTANCE" => plain(self.config_id.to_owned()),
            "_PWD" => plain(self.loader.absolute(dir)),
            "_ENV" => self.environment(&parameters),
            "_RANDOM" => self.random(&parameters),
            _ => Answer::Unknown,
        }
    }

    fn environment(&self, parameters: &[&str]) -> Answer {
        match parameters {
            [name] => Answer::Value(self.env.get(*name).cloned().unwrap_or_default()),
            _ => Answer::Wrong("'_ENV' takes the name of one environment variable".to_owned()),
        }
    }

    fn random(&mut self, parameters: &[&str]) -> Answer {
        let wrong = || Answer::Wrong("'_RANDOM' takes a minimum and a maximum".to_owned());
        let Ok(numbers) =
            parameters.iter().map(|p| p.parse::<u32>()).collect::<Result<Vec<_>, _>>()
        else {
            return wrong();
        };
        let (min, max) = match numbers[..] {
            [] => (0, DEFAULT_MAX),
            [min] => (min, DEFAULT_MAX),
            [min, max] => (min, max),
            _ => return wrong(),
        };
        if min > max {
            let why = format!("'_RANDOM': the minimum {min} is above the maximum {max}");
            return Answer::Corrected(min.to_string(), why);
        }
        Answer::Value(self.random.within(min, max).to_string())
    }
}

const DEFAULT_MAX: u32 = 32767;

/// Numbers that differ from use to use, from a seed.
pub(in crate::config) struct Random(pub(in crate::config) u64);

impl Random {
    fn within(&mut self, min: u32, max: u32) -> u32 {
        let count = u64::from(max - min) + 1;
        let scaled = (u128::from(self.next()) * u128::from(count)) >> 64;
        min + u32::try_from(scaled).unwrap_or(0)
    }

    /// SplitMix64: spreads even neighbouring seeds well.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_numbers_reach_both_bounds_and_nothing_else() {
        let mut random = Random(1);
        let mut seen = [0u32; 3];
        for _ in 0..300 {
            seen[(random.within(5, 7) - 5) as usize] += 1;
        }
        assert!(seen.iter().all(|&n| n > 50), "{seen:?}");
        assert_eq!(random.within(9, 9), 9);
        let _ = random.within(0, u32::MAX);
    }
}
