//! Required capabilities. A router that becomes MASTER without being able to add its addresses
//! takes them from a healthy peer to no purpose.

use crate::base::capability::Capability;
use crate::model::Config;
use crate::sys::capability;

/// Features of this configuration with the capabilities they need.
fn needs(config: &Config) -> Vec<(&'static str, Capability)> {
    let mut list = Vec::new();
    if !config.instances.is_empty() {
        list.push(("vrrp_instance", Capability::NetRaw));
    }
    if config.instances.iter().any(|i| i.all_addresses().next().is_some()) {
        list.push(("virtual_ipaddress", Capability::NetAdmin));
    }
    if !config.static_addresses.is_empty() {
        list.push(("static_ipaddress", Capability::NetAdmin));
    }
    if !config.virtual_servers.is_empty() {
        list.push(("virtual_server", Capability::NetAdmin));
    }
    list
}

/// # Errors
/// Names a missing capability and the feature that needs it.
pub(in crate::daemon) fn check(config: &Config) -> Result<(), String> {
    let Ok(held) = capability::effective() else { return Ok(()) };
    match needs(config).into_iter().find(|(_, needed)| !held.has(*needed)) {
        None => Ok(()),
        Some((feature, needed)) => Err(format!(
            "{needed} is missing, which {feature} needs: start keepalived as root, or with this capability (AmbientCapabilities= of systemd)"
        )),
    }
}
