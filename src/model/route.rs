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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::base::addr::{Family, Prefix};
    use crate::base::route::NextHop;
    use crate::base::rule::{Rule, RuleAction};

    /// A default route via eth1, of a given place in the configuration.
    pub(crate) fn route(metric: u32, place: &str) -> VirtualRoute {
        let hop = NextHop::plain(Some([10, 0, 0, 1].into()), Some("eth1".to_owned()));
        let plain = Route::plain(Prefix::all(Family::V4));
        let route = Route { metric: Some(metric), next_hops: vec![hop], ..plain };
        let origin = Origin(place.into());
        VirtualRoute { route, placement: Placement::First, no_track: false, origin }
    }

    /// A rule for what comes in on eth2 and leaves on eth3.
    pub(crate) fn rule(priority: u32) -> VirtualRule {
        let rule = Rule {
            iif: Some("eth2".to_owned()),
            oif: Some("eth3".to_owned()),
            ..Rule::plain(Family::V4, priority, RuleAction::Table(100))
        };
        VirtualRule { rule, no_track: false, origin: Origin("k.conf:1".into()) }
    }

    #[test]
    fn interfaces_of_routes_and_rules_are_those_of_the_instance() {
        let mut instance = crate::model::vrrp::tests::instance("A", 1);
        instance.routes = vec![Rc::new(route(1, ""))].into();
        instance.rules = vec![Rc::new(rule(100))].into();
        let names: Vec<_> = instance.interfaces_of_objects().collect();
        assert_eq!(names, ["eth1", "eth2", "eth3"]);
        let quiet = Rc::new(VirtualRoute { no_track: true, ..route(1, "") });
        instance.routes = vec![quiet].into();
        let several = |mut several: VirtualRoute| {
            let hop = several.route.next_hops[0].clone();
            several.route.next_hops.push(hop);
            several
        };
        instance.routes.edit(|routes| routes.push(Rc::new(several(route(2, "")))));
        instance.rules = vec![Rc::new(VirtualRule { no_track: true, ..rule(100) })].into();
        assert_eq!(instance.interfaces_of_objects().count(), 0);
    }

    #[test]
    fn entries_are_shown_in_the_words_of_the_configuration() {
        let shown = route(5, "");
        assert_eq!(shown.to_string(), "default via 10.0.0.1 dev eth1 metric 5");
        let shown = VirtualRoute { no_track: true, placement: Placement::Last, ..shown };
        let expected = "no_track append default via 10.0.0.1 dev eth1 metric 5";
        assert_eq!(shown.to_string(), expected);
        assert_eq!(rule(100).to_string(), "iif eth2 oif eth3 priority 100 table 100");
    }
}
