//! Path characteristics of a route: `mtu`, `rtt` and so on.

use super::route::RawRoute;
use crate::base::route::metric;
use crate::config::entry::Item;
use crate::config::keyword::{int, opt, ValueKind};
use crate::config::statement::Checker;
use crate::config::table::{opt_rows, OptRow};

const U32: ValueKind = int(0, 4_294_967_295);
const LOCK: &[&str] = &["lock"];

pub(super) const METRICS: [OptRow<RawRoute<'static>>; 16] = opt_rows![RawRoute<'static>:
    opt("mtu").before(LOCK).value(U32) => |raw, item, _| raw.metric(metric::MTU, item),
    opt("hoplimit").value(int(0, 255)) => |raw, item, _| raw.metric(metric::HOPLIMIT, item),
    opt("advmss").before(LOCK).value(U32) => |raw, item, _| raw.metric(metric::ADVMSS, item),
    opt("rtt").before(LOCK).value(ValueKind::RouteTime)
        => |raw, item, checker| raw.time(metric::RTT, 8, item, checker),
    opt("rttvar").before(LOCK).value(ValueKind::RouteTime)
        => |raw, item, checker| raw.time(metric::RTTVAR, 4, item, checker),
    opt("rto_min").before(LOCK).value(ValueKind::RouteTime)
        => |raw, item, checker| raw.time(metric::RTO_MIN, 1, item, checker),
    opt("reordering").before(LOCK).value(U32)
        => |raw, item, _| raw.metric(metric::REORDERING, item),
    opt("window").value(U32) => |raw, item, _| raw.metric(metric::WINDOW, item),
    opt("cwnd").before(LOCK).value(U32) => |raw, item, _| raw.metric(metric::CWND, item),
    opt("ssthresh").before(LOCK).value(U32) => |raw, item, _| raw.metric(metric::SSTHRESH, item),
    opt("initcwnd").value(U32) => |raw, item, _| raw.metric(metric::INITCWND, item),
    opt("initrwnd").value(U32) => |raw, item, _| raw.metric(metric::INITRWND, item),
    opt("features").value(ValueKind::OneOf(&["ecn"])).minor()
        => |raw, _, _| raw.set_metric(metric::FEATURES, metric::FEATURE_ECN),
    opt("quickack").value(int(0, 1)) => |raw, item, _| raw.metric(metric::QUICKACK, item),
    opt("congctl").before(LOCK).value(ValueKind::Short(15)) => |raw, item, _| {
        raw.lock(metric::CC_ALGO, &item);
        raw.metrics.congestion = Some(item.word.text.to_owned());
    },
    opt("fastopen_no_cookie").value(int(0, 1))
        => |raw, item, _| raw.metric(metric::FASTOPEN_NO_COOKIE, item),
];

impl<'d> RawRoute<'d> {
    fn metric(&mut self, kind: u16, item: Item<'d>) {
        self.lock(kind, &item);
        self.set_metric(kind, item.number());
    }

    fn set_metric(&mut self, kind: u16, value: u32) {
        self.metrics.values.insert(kind, value);
    }

    fn lock(&mut self, kind: u16, item: &Item<'d>) {
        let bit = 1 << kind;
        self.metrics.locked &= !bit;
        if item.before.is_some() {
            self.metrics.locked |= bit;
        }
    }

    /// A time, which the kernel counts in milliseconds divided by `unit`. A number alone is in the
    /// unit of the kernel.
    fn time(&mut self, kind: u16, unit: u32, item: Item<'d>, checker: &mut Checker<'_>) {
        const LIMITS: std::ops::RangeInclusive<u32> = 200..=120_000;
        let (name, word) = (metric::name(kind), item.word);
        let value = kernel_time(word.text, unit);
        let used = value.clamp(LIMITS.start() * unit, LIMITS.end() * unit);
        if used != value {
            let ms = used / unit;
            let text =
                format!("{name} '{}' is not from 200 ms to 120 s: {ms} ms is used", word.text);
            checker.out.error(name, word.span, text);
        }
        self.lock(kind, &item);
        self.set_metric(kind, used);
    }
}

/// A number with `s` or `ms`, or in the unit of the kernel. Decimals below that unit do not count.
fn kernel_time(text: &str, unit: u32) -> u32 {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().unwrap_or(0.0);
    let scale = match &text[end..] {
        "" => 1.0,
        "s" | "sec" | "secs" => 1000.0 * f64::from(unit),
        _ => f64::from(unit),
    };
    // Converting saturates.
    (number * scale) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_the_unit_of_the_kernel() {
        for (text, unit, value) in [
            ("1600", 8, 1600),
            ("200ms", 8, 1600),
            ("1s", 8, 8000),
            ("1.5sec", 4, 6000),
            ("0.25secs", 1, 250),
            ("250.9msec", 1, 250),
            ("99999999999s", 8, u32::MAX),
        ] {
            assert_eq!(kernel_time(text, unit), value, "{text}");
        }
    }
}
