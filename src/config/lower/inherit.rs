//! Settings that a check has from its real server, and that from its virtual server.

use std::time::Duration;

use crate::config::value::Value;

/// As far as they were given.
#[derive(Clone, Copy, Default)]
pub(super) struct Inherited {
    pub retry: Option<u32>,
    pub delay_before_retry: Option<Duration>,
    pub warmup: Option<Duration>,
    pub delay_loop: Option<Duration>,
    pub connect_timeout: Option<Duration>,
    pub alpha: Option<bool>,
}

impl Inherited {
    /// Takes a statement if it is one of these.
    pub(super) fn take(&mut self, name: &str, value: Value<'_>) -> bool {
        match (name, value) {
            ("retry", Value::Int(n)) => self.retry = u32::try_from(n).ok(),
            ("delay_before_retry", Value::Micros(n)) => self.delay_before_retry = Some(micros(n)),
            ("warmup", Value::Micros(n)) => self.warmup = Some(micros(n)),
            ("delay_loop", Value::Micros(n)) => self.delay_loop = Some(micros(n)),
            ("connect_timeout", Value::Micros(n)) => self.connect_timeout = Some(micros(n)),
            ("alpha", value) => self.alpha = Some(is_on(value)),
            _ => return false,
        }
        true
    }

    /// What is missing here is taken from `outer`.
    pub(super) fn or(self, outer: Self) -> Self {
        Self {
            retry: self.retry.or(outer.retry),
            delay_before_retry: self.delay_before_retry.or(outer.delay_before_retry),
            warmup: self.warmup.or(outer.warmup),
            delay_loop: self.delay_loop.or(outer.delay_loop),
            connect_timeout: self.connect_timeout.or(outer.connect_timeout),
            alpha: self.alpha.or(outer.alpha),
        }
    }

    /// `delay_loop` with its default.
    pub(super) fn delay_loop(&self) -> Duration {
        self.delay_loop.unwrap_or(Duration::from_secs(60))
    }
}

const fn micros(n: u64) -> Duration {
    Duration::from_micros(n)
}

/// The value of a switch: bare is on.
pub(super) fn is_on(value: Value<'_>) -> bool {
    value != Value::Bool(false)
}
