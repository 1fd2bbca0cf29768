//! Routes and rules.

use std::fmt;
use std::rc::Rc;

use super::{line, quoted, Printer};
use crate::base::rule::Rule;
use crate::model::route::{VirtualRoute, VirtualRule};

impl Printer {
    pub(super) fn routes(&mut self, name: &str, routes: &[Rc<VirtualRoute>]) -> fmt::Result {
        if routes.is_empty() {
            return Ok(());
        }
        self.block(format_args!("{name}"), |out| out.route_lines(routes))
    }

    pub(super) fn route_lines(&mut self, routes: &[Rc<VirtualRoute>]) -> fmt::Result {
        routes.iter().try_for_each(|route| line!(self, "{}", quoted_route(route)))
    }

    pub(super) fn rules(&mut self, name: &str, rules: &[Rc<VirtualRule>]) -> fmt::Result {
        if rules.is_empty() {
            return Ok(());
        }
        self.block(format_args!("{name}"), |out| out.rule_lines(rules))
    }

    pub(super) fn rule_lines(&mut self, rules: &[Rc<VirtualRule>]) -> fmt::Result {
        rules.iter().try_for_each(|rule| line!(self, "{}", quoted_rule(rule)))
    }
}

/// The same route with its words as the reader takes them back.
fn quoted_route(route: &VirtualRoute) -> VirtualRoute {
    let mut route = route.clone();
    for link in route.route.next_hops.iter_mut().filter_map(|hop| hop.link.as_mut()) {
        *link = quoted(link).into_owned();
    }
    if let Some(name) = &mut route.route.metrics.congestion {
        *name = quoted(name).into_owned();
    }
    route
}

fn quoted_rule(rule: &VirtualRule) -> VirtualRule {
    let link = |name: &String| quoted(name).into_owned();
    let (iif, oif) = (rule.rule.iif.as_ref().map(link), rule.rule.oif.as_ref().map(link));
    VirtualRule { rule: Rule { iif, oif, ..rule.rule.clone() }, ..rule.clone() }
}
