//! Which notifications of the kernel wake the daemon.

use crate::daemon::runtime::Runtime;

impl Runtime {
    /// Hears of all interfaces.
    pub(in crate::daemon) fn unfilter_monitor(&self) {
        self.filter_monitor(None);
    }

    /// Lets the kernel hold back what matters to no instance: changes on other interfaces. While one that
    /// matters is missing, new interfaces have to be heard of.
    pub(in crate::daemon) fn refilter_monitor(&mut self) {
        let mut indices = Vec::new();
        // Checks that rest without an address have to hear of it, wherever it is.
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
                log::debug!("cannot learn our netlink port: {e}");
                return;
            }
        };
        if let Err(e) = self.network.monitor.watch_only(links, own) {
            log::warn!("cannot filter kernel news: {e}");
        }
    }
}
