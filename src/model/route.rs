//! Configured routes and rules.

use std::fmt;
use std::rc::Rc;

use crate::base::route::Route;
use crate::base::rule::Rule;

/// One entry of `virtual_routes` or `static_routes`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct VirtualRoute {
    pub route: Route<String>,
    pub placement: Placement,
    /// `no_track`: not restored when it is removed externally, and its interfaces do not affect the
    /// instance.
    pub no_track: bool,
    pub origin: Origin,
}

/// Place of a route among others of equal destination, table and metric.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Placement {
    /// `add`: refused if there is another one.
    Alone,
    /// `append`
    Last,
    /// `prepend`, the default.
    First,
}

/// One entry of `virtual_rules` or `static_rules`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct VirtualRule {
    pub rule: Rule,
    /// `no_track`: not restored when it is removed externally, and its interfaces do not affect the
    /// instance.
    pub no_track: bool,
    pub origin: Origin,
}

impl fmt::Display for VirtualRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.no_track {
            f.write_str("no_track ")?;
        }
        f.write_str(match self.placement {
            Placement::Alone => "add ",
            Placement::Last => "append ",
            Placement::First => "",
        })?;
        self.route.fmt(f)
    }
}

impl VirtualRoute {
    /// The interface that the entry names, unless it has several paths. The instance is in FAULT
    /// while it is down, but for `no_track`.
    pub fn interface(&self) -> Option<&String> {
        match &self.route.next_hops[..] {
            [only] => only.link.as_ref(),
            _ => None,
        }
    }
}

impl fmt::Display for VirtualRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.no_track {
            f.write_str("no_track ")?;
        }
        self.rule.fmt(f)
    }
}

impl VirtualRule {
    /// The interfaces that the entry names. The instance is in FAULT while one is down, but for
    /// `no_track`.
    pub fn interfaces(&self) -> impl Iterator<Item = &String> {
        self.rule.iif.iter().chain(&self.rule.oif)
    }
}

/// Place in the configuration, for messages. Entries that differ only in this are equal, so that a
/// line more above them changes nothing.
#[derive(Clone, Debug)]
pub struct Origin(pub Rc<str>);

impl PartialEq for Origin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Origin {}

impl PartialOrd for Origin {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Origin {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
