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
