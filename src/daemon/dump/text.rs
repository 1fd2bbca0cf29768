//! Format of values in the dumps.

use std::fmt::{self, Write as _};

use crate::base::time::{Duration, WallTime};
use crate::daemon::view::View;
use crate::status::Address;

/// The text of a dump, growing line by line.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    pub(super) fn section(&mut self, title: &str) {
        self.put(format_args!("------< {title} >------"));
    }

    /// The beginning of a block of a section.
    pub(super) fn subsection(&mut self, title: &str) {
        self.put(format_args!(" ------< {title} >------"));
    }

    /// The beginning of a block within a block.
    pub(super) fn inner_section(&mut self, title: &str) {
        self.put(format_args!("   ------< {title} >------"));
    }

    /// A value of a section, or the first line of a block: ` KEY = VALUE`.
    pub(super) fn top(&mut self, key: &str, value: impl fmt::Display) {
        self.put(format_args!(" {key} = {value}"));
    }

    /// A line of a section that is not of the form of a pair.
    pub(super) fn fact(&mut self, line: impl fmt::Display) {
        self.put(format_args!(" {line}"));
    }

    /// A value of a block: `   KEY = VALUE`.
    pub(super) fn pair(&mut self, key: &str, value: impl fmt::Display) {
        self.put(format_args!("   {key} = {value}"));
    }

    /// A line of a block that is not of the form of a pair.
    pub(super) fn line(&mut self, line: impl fmt::Display) {
        self.put(format_args!("   {line}"));
    }

    /// One item of the list that a line of a block introduces.
    pub(super) fn item(&mut self, item: impl fmt::Display) {
        self.put(format_args!("     {item}"));
    }

    /// A value of an item: `     KEY = VALUE`.
    pub(super) fn pair_of_item(&mut self, key: &str, value: impl fmt::Display) {
        self.put(format_args!("     {key} = {value}"));
    }

    pub(super) fn finish(self) -> String {
        self.0
    }

    fn put(&mut self, line: fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}

/// Seconds with as many decimals as needed: `1`, `0.5`.
pub(super) struct Seconds(pub(super) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, micros) = (self.0.as_secs(), self.0.subsec_micros());
        if micros == 0 {
            write!(f, "{whole}")
        } else {
            f.write_str(format!("{whole}.{micros:06}").trim_end_matches('0'))
        }
    }
}

/// `1795386538.642958`: seconds since 1970.
pub(super) struct Epoch(pub(super) WallTime);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 .0 / 1_000_000, self.0 .0 % 1_000_000)
    }
}

/// `1795386538.642958 (Sun Nov 22 22:28:58.642958 2026)`.
pub(super) fn stamp(view: &View<'_>, at: WallTime) -> String {
    let date = (view.calendar)(at);
    format!(
        "{} ({date}.{:06} {})",
        Epoch(at),
        at.0 % 1_000_000,
        date.year,
        date = without_year(&date.long())
    )
}

/// `1795386538.642958 (Sun Nov 22 22:28:58 2026.642958)`: the same in sections that keepalived writes
/// otherwise.
pub(super) fn stamp_after_year(view: &View<'_>, at: WallTime) -> String {
    let date = (view.calendar)(at).long();
    format!("{} ({date}.{:06})", Epoch(at), at.0 % 1_000_000)
}

/// `4.000000`: seconds with all decimals.
pub(super) fn decimal(time: Duration) -> String {
    format!("{:.6}", time.as_secs_f64())
}

/// Date without the year, so that the time of day comes last and a fraction can follow.
fn without_year(date: &str) -> &str {
    date.rsplit_once(' ').map_or(date, |(rest, _year)| rest)
}

/// A virtual address, followed by `set` if it is on its interface.
pub(super) fn address(a: Address) -> String {
    let mut text = a.address;
    if a.present {
        text.push_str(" set");
    }
    text
}

/// A value, or the placeholder for none.
pub(super) fn or_none<T: fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(|| "(none)".to_owned(), |v| v.to_string())
}

pub(super) const fn yes(is_so: bool) -> &'static str {
    if is_so {
        "yes"
    } else {
        "no"
    }
}

pub(super) const fn enabled(on: bool) -> &'static str {
    if on {
        "enabled"
    } else {
        "disabled"
    }
}
