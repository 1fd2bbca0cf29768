//! Filter for notifications of the kernel.

use crate::daemon::runtime::Runtime;

impl Runtime {
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
        let mut complete = !self.options.address_log && !depends;
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
