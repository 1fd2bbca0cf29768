//! At most so many of a line per interval: for lines that a peer can cause.

use super::time::{Duration, Instant};

/// Lets `burst` events through per `interval` and counts what it held back.
#[derive(Debug, Clone)]
pub struct RateLimit {
    burst: u32,
    interval: Duration,
    started: Option<Instant>,
    passed: u32,
    held: u32,
}

impl RateLimit {
    pub const fn new(burst: u32, interval: Duration) -> Self {
        Self { burst, interval, started: None, passed: 0, held: 0 }
    }

    /// `Some(held back since the last one that passed)` when this event may be shown.
    pub fn admit(&mut self, now: Instant) -> Option<u32> {
        let fresh = self.started.is_none_or(|started| now.since(started) >= self.interval);
        if fresh {
            self.started = Some(now);
            self.passed = 0;
        }
        if self.passed >= self.burst {
            self.held = self.held.saturating_add(1);
            return None;
        }
        self.passed += 1;
        Some(std::mem::take(&mut self.held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_back_and_then_tells_how_many() {
        let mut limit = RateLimit::new(2, Duration::from_secs(60));
        let shown: Vec<_> = (0..5).map(|i| limit.admit(Instant::from_millis(i))).collect();
        assert_eq!(shown, [Some(0), Some(0), None, None, None]);
        assert_eq!(limit.admit(Instant::from_millis(60_000)), Some(3));
    }
}
