//! Times in scenarios of cores that have deadlines.

use std::str::FromStr;

use keepalived::base::time::Instant;

use super::scenario::Fallible;

pub(crate) fn parsed<T: FromStr>(text: &str) -> Fallible<T> {
    text.parse().map_err(|_| format!("cannot understand {text}"))
}

/// `SECONDS[.FRACTION]`, exact to the microsecond.
pub(crate) fn instant(text: &str) -> Fallible<Instant> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let micros: u64 = parsed(&format!("{fraction:0<6}"))?;
    Ok(Instant::from_micros(parsed::<u64>(whole)? * 1_000_000 + micros))
}
