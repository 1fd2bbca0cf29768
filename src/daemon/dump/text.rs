//! Format of values in the dumps.

use std::fmt::{self, Write as _};

use super::View;
use crate::base::addr::Family;
use crate::base::time::{Duration, WallTime};
use crate::model::vrrp::{Broadcast, Scope, VirtualAddress};

/// The text of a dump, growing line by line.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    pub(super) fn section(&mut self, title: &str) {
        self.put(format_args!("------< {title} >------"));
    }

    /// A value of a section, or the first line of a block: ` KEY = VALUE`.
    pub(super) fn top(&mut self, key: &str, value: impl fmt::Display) {
        self.put(format_args!(" {key} = {value}"));
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

/// Date without the year, so that the time of day comes last and a fraction can follow.
fn without_year(date: &str) -> &str {
    date.rsplit_once(' ').map_or(date, |(rest, _year)| rest)
}

/// A virtual address in the syntax of the configuration, followed by `set` if it is on its
/// interface: `10.1.0.101/24 dev e0 scope global set`. A virtual interface is shown with the one
/// below it, `base`: `dev vrrp.51@e0`.
pub(super) fn address(a: &VirtualAddress, base: Option<&str>, is_set: bool) -> String {
    let family = Family::of(&a.prefix.addr);
    let mut out = a.prefix.addr.to_string();
    // With a peer, the length is the peer's.
    if a.peer.is_none() && a.prefix.len < family.bits() {
        let _ = write!(out, "/{}", a.prefix.len);
    }
    if let Broadcast::Address(broadcast) = a.broadcast {
        let _ = write!(out, " brd {broadcast}");
    }
    let _ = write!(out, " dev {}", a.interface);
    if let Some(base) = base {
        let _ = write!(out, "@{base}");
    }
    let _ = write!(out, " scope {}", ScopeName(a.scope));
    if let Some(label) = &a.label {
        let _ = write!(out, " label {label}");
    }
    if let Some(peer) = a.peer {
        let _ = write!(out, " peer {peer}/{}", a.prefix.len);
    }
    let v6 = family == Family::V6;
    let flags = [
        (a.home, "home"),
        (v6 && !a.nodad, "-nodad"),
        (a.mngtmpaddr, "mngtmpaddr"),
        (a.noprefixroute, "noprefixroute"),
        (a.autojoin, "autojoin"),
        (a.no_track, "no_track"),
        (v6 && a.preferred_lft == Some(0), "deprecated"),
        (v6 && a.preferred_lft.is_none(), "preferred_lft forever"),
    ];
    for (_, word) in flags.iter().filter(|(on, _)| *on) {
        let _ = write!(out, " {word}");
    }
    if let Some(seconds) = a.preferred_lft.filter(|&s| v6 && s > 0) {
        let _ = write!(out, " preferred_lft {seconds}");
    }
    if is_set {
        out.push_str(" set");
    }
    out
}

struct ScopeName(Scope);

impl fmt::Display for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Scope::GLOBAL => "global",
            Scope::SITE => "site",
            Scope::LINK => "link",
            Scope::HOST => "host",
            Scope::NOWHERE => "nowhere",
            Scope(number) => return write!(f, "{number}"),
        })
    }
}

/// A value, or the placeholder for none.
pub(super) fn or_none<T: fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(|| "(none)".to_owned(), |v| v.to_string())
}

pub(super) const fn enabled(on: bool) -> &'static str {
    if on {
        "enabled"
    } else {
        "disabled"
    }
}
