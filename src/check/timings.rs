//! How long the parts of a probe took, and a whole result in words.

use std::fmt;

use crate::base::time::Duration;
use crate::base::verdict::Verdict;
use crate::model::probed::Probed;

/// How long after the beginning of a probe something came.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Timings {
    pub connect: Option<Duration>,
    pub first_byte: Option<Duration>,
    /// The whole probe.
    pub total: Duration,
}

impl fmt::Display for Timings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(connect) = self.connect {
            write!(f, "connect {}, ", Millis(connect))?;
        }
        if let Some(first_byte) = self.first_byte {
            write!(f, "first byte {}, ", Millis(first_byte))?;
        }
        write!(f, "total {}", Millis(self.total))
    }
}

struct Millis(Duration);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} ms", self.0.as_secs_f64() * 1000.0)
    }
}

/// The last result of a check: `HTTP_GET 10.1.38.13:80 /: status 503, expected 200-299 (connect
/// 0.4 ms, first byte 1.2 ms, total 1.3 ms)`.
#[derive(Clone, Copy, Debug)]
pub struct LastResult<'a> {
    pub probed: Probed<'a>,
    pub verdict: &'a Verdict,
    pub timings: Option<&'a Timings>,
}

impl fmt::Display for LastResult<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.probed, self.verdict)?;
        self.timings.map_or(Ok(()), |timings| write!(f, " ({timings})"))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::check::schedule::tests::pages;
    use crate::check::Reason;
    use crate::model::check::{Check, Connect, Kind, Schedule};

    #[test]
    fn a_result_names_what_was_probed_and_how_long_it_took() {
        let check = |kind| Check {
            kind,
            schedule: Schedule::default(),
            alpha: false,
            log_all_failures: false,
        };
        let http = check(pages(1, false));
        let verdict = Verdict::Down(Reason::Status { found: 503, expected: vec![200..=299] });
        let timings = Timings {
            connect: Some(Duration::from_micros(420)),
            first_byte: Some(Duration::from_micros(1_200)),
            total: Duration::from_millis(2),
        };
        let probed = Probed { config: &http, page: 0 };
        let told = LastResult { probed, verdict: &verdict, timings: Some(&timings) };
        assert_eq!(
            told.to_string(),
            "HTTP_GET 127.0.0.1:80 /0: status 503, expected 200-299 \
             (connect 0.4 ms, first byte 1.2 ms, total 2.0 ms)"
        );
        let ping = check(Kind::Ping(Connect::to(IpAddr::V4(Ipv4Addr::LOCALHOST), 80)));
        let probed = Probed { config: &ping, page: 0 };
        let told = LastResult { probed, verdict: &Verdict::UP, timings: None };
        assert_eq!(told.to_string(), "PING_CHECK 127.0.0.1: success");
    }
}
