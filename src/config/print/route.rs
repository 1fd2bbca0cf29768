//! Routes and rules, whose words are those of their `Display`.

use super::fits::{quoted, Fits};
use super::form::line;
use super::text::Printer;
use crate::base::rule::Rule;
use crate::config::keywords::{VIRTUAL_ROUTES, VIRTUAL_RULES};
use crate::model::route::{VirtualRoute, VirtualRule};

/// Names of interfaces and algorithms are written as the reader takes them back.
impl Fits<{ line(&VIRTUAL_ROUTES.entry) }> for VirtualRoute {
    fn write(&self, out: &mut Printer) {
        let mut route = self.clone();
        let links = route.route.next_hops.iter_mut().filter_map(|hop| hop.link.as_mut());
        for name in links.chain(&mut route.route.metrics.congestion) {
            *name = quoted(name).into_owned();
        }
        out.word(route);
    }
}

impl Fits<{ line(&VIRTUAL_RULES.entry) }> for VirtualRule {
    fn write(&self, out: &mut Printer) {
        let link = |name: &String| quoted(name).into_owned();
        let (iif, oif) = (self.rule.iif.as_ref().map(link), self.rule.oif.as_ref().map(link));
        out.word(Self { rule: Rule { iif, oif, ..self.rule.clone() }, ..self.clone() });
    }
}
