//! Source addresses and sockets of instances.

use crate::base::ids::InstanceId;
use crate::base::sorted::SortedSet;
use crate::daemon::network::endpoints::endpoint_of;
use crate::daemon::retries::Lacking;
use crate::daemon::runtime::Runtime;
use crate::model::firewall::FirewallKind;
use crate::model::Config;
use crate::sys::reason;
use crate::vrrp::Input;

impl Runtime {
    /// Determines the source addresses and sockets of instances again: of those on interfaces whose
    /// addresses changed, and of those without an interface, whose address may be on any.
    pub(in crate::daemon) fn refresh_stale_sources(&mut self) {
        let mut concerned = SortedSet::new();
        let stale = std::mem::take(&mut self.network.stale_sources);
        for link in stale.iter().map(String::as_str).chain([""]) {
            concerned.extend(self.running.instances_on.get(link).into_iter().flatten().copied());
        }
        for id in concerned {
            self.refresh_source(id);
        }
    }

    pub(in crate::daemon) fn refresh_source(&mut self, id: InstanceId) {
        let Some(config) = self.instance_config(id) else { return };
        let links = self.cores.holdings.links();
        let source = links.source(&config, &self.running.virtual_addresses);
        let index = |name: &str| links.get(name).map(|link| link.index);
        let is_dropped = drops_reports(&self.running.config);
        let error = match endpoint_of(&config, is_dropped, index, source) {
            Some(endpoint) => {
                let poll = &mut self.poll;
                self.network
                    .endpoints
                    .attach(id, config.vrid, &endpoint, poll)
                    .err()
                    .map(|e| reason(&e))
            }
            None => None,
        };
        match &error {
            None => {
                self.commands.retries.ended(&Lacking::Socket(id));
            }
            Some(why) => {
                if self.commands.retries.failed(Lacking::Socket(id), why, self.now) {
                    log::warn!("({}) {why}; it is retried", config.name);
                }
            }
        }
        let known = self.cores.vrrp.instance(id).map(crate::vrrp::Instance::source);
        if known != Some(source) {
            let input = Input::Source { id, source };
            self.cores.vrrp(input, self.now);
        }
        let input = Input::Socket { id, error };
        self.cores.vrrp(input, self.now);
    }
}

/// True if no report of group membership leaves through a VMAC. iptables cannot send them through
/// its base instead.
pub(in crate::daemon) const fn drops_reports(config: &Config) -> bool {
    matches!(config.global.firewall.kind, FirewallKind::Iptables(_))
}
