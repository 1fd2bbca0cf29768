//! How long to wait: skew, the master-down interval, and the wait after a stall of our own.

use crate::base::time::{Duration, Instant};
use crate::model::vrrp::{Instance, Version};

/// Skew time: the lower the priority, the longer the wait.
///
/// Version 2 counts in units of a second whatever the interval (RFC 3768 §6.1); version 3 in
/// units of the master's interval (RFC 9568 §6.1), in hundredths of a second.
pub fn skew(version: Version, priority: u8, master_interval: Duration) -> Duration {
    let steps = 256 - u64::from(priority);
    match version {
        Version::V2 => Duration::from_micros(steps * 1_000_000 / 256),
        Version::V3 => Duration::from_micros(steps * centiseconds(master_interval) * 625 / 16),
    }
}

/// Master-down interval: silence of this length means there is no master.
pub fn master_down(config: &Instance, priority: u8, master_interval: Duration) -> Duration {
    master_interval * config.down_timer_adverts + skew(config.version, priority, master_interval)
}

/// The wait for a sign of life after a stall of our own: one more interval and the skew.
pub fn second_chance(config: &Instance, priority: u8, master_interval: Duration) -> Duration {
    master_interval + skew(config.version, priority, master_interval)
}

/// The next point of an absolute schedule after `due`, so that lateness does not add up.
///
/// A schedule missed by a whole interval or more starts afresh: a burst is of no use.
pub fn next_in_schedule(due: Instant, interval: Duration, now: Instant) -> Instant {
    let next = due + interval;
    if next > now {
        next
    } else {
        now + interval
    }
}

fn centiseconds(d: Duration) -> u64 {
    u64::try_from(d.as_millis() / 10).unwrap_or(u64::MAX / (256 * 625))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_2_skew_ignores_the_interval() {
        for seconds in [1, 4] {
            let s = skew(Version::V2, 100, Duration::from_secs(seconds));
            assert_eq!(s, Duration::from_micros(609_375));
        }
    }

    #[test]
    fn version_3_skew_scales_with_the_interval() {
        let s = skew(Version::V3, 103, Duration::from_millis(500));
        assert_eq!(s, Duration::from_micros(298_828));
        assert_eq!(skew(Version::V3, 255, Duration::from_millis(10)), Duration::from_micros(39));
    }

    #[test]
    fn the_schedule_does_not_drift() {
        let due = Instant::from_millis(100);
        let late = Instant::from_millis(103);
        let interval = Duration::from_millis(10);
        assert_eq!(next_in_schedule(due, interval, late), Instant::from_millis(110));
        assert_eq!(
            next_in_schedule(due, interval, Instant::from_millis(125)),
            Instant::from_millis(135)
        );
    }
}
