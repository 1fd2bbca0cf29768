//! Times as JSON.

use serde::{Deserialize, Serialize};

use crate::base::time::{micros, Duration, WallTime};

/// A time by the wall clock; in JSON, seconds since 1970 with a fraction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug, Serialize, Deserialize)]
#[serde(into = "f64", from = "f64")]
pub struct Time(pub WallTime);

impl Time {
    /// How long before `now`; zero if it is later.
    pub const fn until(self, now: Self) -> Duration {
        Duration::from_micros(now.0 .0.saturating_sub(self.0 .0))
    }
}

impl From<Time> for f64 {
    fn from(Time(WallTime(micros)): Time) -> Self {
        Duration::from_micros(micros).as_secs_f64()
    }
}

impl From<f64> for Time {
    /// What is no time becomes 1970.
    fn from(seconds: f64) -> Self {
        let seconds = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        // The nearest microsecond, for a fraction has no exact form.
        Self(WallTime(micros(seconds + Duration::from_nanos(500))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_json_to_the_microsecond() {
        for at in [0, 1, 1_795_386_538_642_958, 1_795_386_538_999_999] {
            let time = Time(WallTime(at));
            let text = serde_json::to_string(&time).expect("a number");
            assert_eq!(serde_json::from_str::<Time>(&text).expect(&text), time, "{text}");
        }
        for odd in ["-1", "1e300"] {
            assert_eq!(serde_json::from_str::<Time>(odd).expect(odd), Time::default());
        }
    }
}
