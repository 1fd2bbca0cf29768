//! What the kernel holds when the daemon begins, and what of it an earlier run left.

use std::io;

use super::links::LinkTable;
use super::runtime::Runtime;
use crate::holdings;
use crate::model::Config;
use crate::sys::{netlink, process};

impl Runtime {
    /// Takes what the kernel holds into account and starts every instance.
    pub(super) fn begin(&mut self, config: Config) {
        if config.instances.is_empty() && config.virtual_servers.is_empty() {
            log::warn!("Warning - keepalived has no configuration to run");
        }
        self.now = self.clock.now();
        let addresses: Vec<_> = self.links.all_addresses().map(|(i, a)| (i, a.clone())).collect();
        for (_, address) in &addresses {
            self.on_local_address(address.prefix.addr, true);
        }
        // The owner of the addresses had them before keepalived came.
        let is_doubtful = config.instances.iter().any(|i| i.is_owner());
        if self.follows_crash && !is_doubtful && !shows_origins(&self.links) {
            self.holdings.inherit();
        }
        let links = self.links.indices_by_name().clone();
        let input = holdings::Input::Dumped { links, addresses };
        self.holdings.handle(input, self.now, &mut self.holdings_actions);
        self.holdings.settle_origins();
        self.adopt(config);
        if let Some(line) = super::report::open_to_strangers(&self.config) {
            log::info!("{line}");
        }
        #[cfg(debug_assertions)]
        self.maybe_fail(super::fault::Moment::Start);
    }
}

/// Whether the kernel says who added an address (IFA_PROTO, from Linux 5.18 on).
fn shows_origins(links: &LinkTable) -> bool {
    links.all_addresses().any(|(_, a)| a.protocol.is_some())
        || is_at_least(&process::uname().release, (5, 18))
}

fn is_at_least(release: &str, wanted: (u32, u32)) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|n| n.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= wanted
}

/// The interfaces and addresses that the kernel has now.
pub(super) fn links_of_kernel() -> io::Result<LinkTable> {
    let mut table = LinkTable::default();
    table.replace(netlink::dump(&mut || {})?, &mut Vec::new());
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_as_numbers() {
        for (release, is_new) in [
            ("5.18.0", true),
            ("5.4.0-91-generic", false),
            ("6.1-rc1", true),
            ("4.18.0", false),
            ("", false),
        ] {
            assert_eq!(is_at_least(release, (5, 18)), is_new, "{release}");
        }
    }
}
