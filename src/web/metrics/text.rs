//! The text format: heads, samples, escapes.

use std::fmt::{self, Display, Write};

use super::{Family, MetricType};
use crate::status::{Spans, Time};

/// Where the samples of one family go.
pub(super) struct Samples<'a> {
    pub(super) family: &'static Family,
    pub(super) is_begun: &'a mut bool,
    pub(super) out: &'a mut String,
}

/// A label and its value.
pub(super) type Label<'a> = (&'static str, &'a dyn Display);

impl Samples<'_> {
    pub(super) fn add(&mut self, labels: &[Label<'_>], value: impl Value) {
        self.sample("", labels, &value);
    }

    /// A histogram.
    pub(super) fn spans(&mut self, labels: &[Label<'_>], spans: &Spans) {
        let with = |bound: &dyn Display, total: u64, samples: &mut Self| {
            let mut all = Vec::with_capacity(labels.len() + 1);
            all.extend(labels.iter().map(|(name, value)| (*name, *value)));
            all.push(("le", bound));
            samples.sample("_bucket", &all, &total);
        };
        for (bound, total) in &spans.up_to {
            with(&ShownValue(bound), *total, self);
        }
        with(&"+Inf", spans.count, self);
        self.sample("_sum", labels, &spans.sum);
        self.sample("_count", labels, &spans.count);
    }

    fn sample(&mut self, suffix: &str, labels: &[Label<'_>], value: &dyn Value) {
        self.begin();
        self.out.push_str(self.family.name);
        self.out.push_str(suffix);
        for (n, (name, value)) in labels.iter().enumerate() {
            self.out.push(if n == 0 { '{' } else { ',' });
            self.out.push_str(name);
            self.out.push_str("=\"");
            // Writing to a string cannot fail.
            let _ = write!(Escaped(self.out), "{value}");
            self.out.push('"');
        }
        if !labels.is_empty() {
            self.out.push('}');
        }
        self.out.push(' ');
        let _ = value.write(self.out);
        self.out.push('\n');
    }

    /// The head of the family, before its first sample.
    fn begin(&mut self) {
        if std::mem::replace(self.is_begun, true) {
            return;
        }
        let Family { name, kind, help, .. } = self.family;
        let kind = match kind {
            MetricType::Gauge => "gauge",
            MetricType::Counter => "counter",
            MetricType::Histogram => "histogram",
        };
        let _ = write!(self.out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }
}

/// The value of a label.
struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '\\' => self.0.push_str("\\\\"),
                '"' => self.0.push_str("\\\""),
                '\n' => self.0.push_str("\\n"),
                c => self.0.push(c),
            }
        }
        Ok(())
    }
}

/// The value of a sample.
pub(super) trait Value {
    fn write(&self, out: &mut String) -> fmt::Result;
}

struct ShownValue<'a, T: Value>(&'a T);

impl<T: Value> Display for ShownValue<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.0.write(&mut text)?;
        f.write_str(&text)
    }
}

macro_rules! whole {
    ($($type:ty),*) => {$(
        impl Value for $type {
            fn write(&self, out: &mut String) -> fmt::Result {
                write!(out, "{self}")
            }
        }
    )*};
}

whole!(u64, u32, u8, usize, i32);

impl Value for bool {
    fn write(&self, out: &mut String) -> fmt::Result {
        out.write_str(if *self { "1" } else { "0" })
    }
}

impl Value for f64 {
    /// The shortest text that reads back, never with an exponent.
    fn write(&self, out: &mut String) -> fmt::Result {
        match *self {
            Self::INFINITY => out.write_str("+Inf"),
            Self::NEG_INFINITY => out.write_str("-Inf"),
            value => write!(out, "{value}"),
        }
    }
}

impl Value for Time {
    /// In seconds since 1970, to a tenth: it comes from two clocks that are read one after the other,
    /// and would be another one each time.
    fn write(&self, out: &mut String) -> fmt::Result {
        let tenths = self.0 .0.saturating_add(50_000) / 100_000;
        write!(out, "{}.{}", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::WallTime;

    fn written(value: &impl Value) -> String {
        ShownValue(value).to_string()
    }

    #[test]
    fn numbers_are_plain() {
        assert_eq!(written(&0.1), "0.1");
        assert_eq!(written(&1e-7), "0.0000001");
        assert_eq!(written(&f64::NAN), "NaN");
        assert_eq!(written(&f64::INFINITY), "+Inf");
        assert_eq!(written(&u64::MAX), "18446744073709551615");
        assert_eq!(written(&Time(WallTime(1_795_386_538_642_958))), "1795386538.6");
    }
}
