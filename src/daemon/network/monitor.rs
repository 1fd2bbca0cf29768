//! Selection of the kernel's notifications.

use crate::base::addr::Family;
use crate::daemon::runtime::Runtime;
use crate::holdings::{self, Fib};
use crate::model::Config;
use crate::sys::netlink::{self, FibKinds};
use crate::sys::reason;

/// Kinds of routes and rules that the configuration wants.
pub(in crate::daemon) fn fib_kinds(config: &Config) -> FibKinds {
    let instances = config.instances.iter();
    let routes = instances.clone().flat_map(|i| &i.routes).chain(&config.static_routes);
    let rules = instances.flat_map(|i| &i.rules).chain(&config.static_rules);
    let mut kinds = FibKinds::default();
    for route in routes {
        match route.route.family {
            Family::V4 => kinds.routes_v4 = true,
            Family::V6 => kinds.routes_v6 = true,
        }
    }
    for rule in rules {
        match rule.rule.family {
            Family::V4 => kinds.rules_v4 = true,
            Family::V6 => kinds.rules_v6 = true,
        }
    }
    kinds
}

impl Runtime {
    /// Receives changes of the kinds of routes and rules that the configuration wants, and reads
    /// those that exist.
    pub(in crate::daemon) fn watch_fib(&mut self) {
        let kinds = fib_kinds(&self.running.config);
        match self.network.monitor.watch_fib(kinds) {
            Ok(true) => self.read_fib(),
            Ok(false) => {}
            Err(e) => log::warn!("cannot receive changes of routes and rules: {}", reason(&e)),
        }
    }

    /// Reads the routes and rules of keepalived from the kernel.
    pub(in crate::daemon) fn read_fib(&mut self) {
        let kinds = self.network.monitor.fib_kinds();
        if kinds.is_none() {
            return;
        }
        match netlink::dump_fib(kinds, &mut || self.breathe()) {
            Ok((routes, rules)) => {
                let input = holdings::Input::Fib(Fib::dumped(routes, rules));
                self.cores.holdings(input, self.now);
                self.drain();
            }
            Err(e) => log::error!("cannot read routes and rules from the kernel: {}", reason(&e)),
        }
    }

    /// Receives notifications of all interfaces.
    pub(in crate::daemon) fn unfilter_monitor(&self) {
        self.filter_monitor(None);
    }

    /// Has the kernel drop changes on interfaces that no instance uses. While a required interface
    /// is missing, new interfaces are not filtered.
    pub(in crate::daemon) fn refilter_monitor(&mut self) {
        let mut indices = Vec::new();
        // Checks suspended for lack of an address depend on changes on every interface.
        let depends = self.running.config.virtual_servers.iter().any(|vs| vs.ha_suspend);
        // The kernel chooses the interface of a route that names none.
        let mut complete = !self.options.address_log && !depends && !self.running.has_open_routes;
        for name in &self.running.interesting {
            match self.cores.holdings.links().get(name) {
                Some(link) => indices.push(link.index),
                None => complete = false,
            }
        }
        self.filter_monitor(complete.then_some(&indices));
    }

    fn filter_monitor(&self, links: Option<&[u32]>) {
        let own = match self.network.requests.port() {
            Ok(own) => own,
            Err(e) => {
                log::debug!("cannot read the netlink port: {e}");
                return;
            }
        };
        if let Err(e) = self.network.monitor.watch_only(links, own) {
            log::warn!("cannot filter kernel notifications: {e}");
        }
    }
}
