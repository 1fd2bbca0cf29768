//! What the kernel holds when the daemon begins, and what of it an earlier run left.

use std::io;

use crate::daemon::runtime::Runtime;
use crate::holdings::{self, Action, Fact, Links};
use crate::model::Config;
use crate::sys::{netlink, process};

/// What a daemon starts with.
pub(in crate::daemon) struct Beginning {
    pub(in crate::daemon) config: Config,
    pub(in crate::daemon) links: Links,
}

impl Runtime {
    /// Takes what the kernel holds into account and starts every instance.
    pub(in crate::daemon) fn begin(&mut self, Beginning { config, links }: Beginning) {
        if config.instances.is_empty() && config.virtual_servers.is_empty() {
            log::warn!("Warning - keepalived has no configuration to run");
        }
        self.now = self.clock.now();
        // The owner of the addresses had them before keepalived came.
        let is_doubtful = config.instances.iter().any(|i| i.is_owner());
        if self.place.follows_crash && !is_doubtful && !shows_origins(&links) {
            self.cores.holdings.inherit();
        }
        let mut found = Vec::new();
        self.cores.holdings.handle(holdings::Input::Dumped(links), self.now, &mut found);
        self.cores.holdings.settle_origins();
        // Nothing is news at the start; but virtual servers have to know the addresses.
        for action in found {
            if let Action::Fact(Fact::Added { address, .. }) = action {
                self.on_local_address(address.prefix.addr, true);
            }
        }
        self.adopt(config);
        if let Some(line) = crate::daemon::outlets::report::open_to_strangers(&self.running.config)
        {
            log::info!("{line}");
        }
        #[cfg(debug_assertions)]
        self.maybe_fail(crate::daemon::start::fault::Moment::Start);
    }
}

/// Whether the kernel says who added an address (IFA_PROTO, from Linux 5.18 on).
fn shows_origins(links: &Links) -> bool {
    links.shows_origins() || is_at_least(&process::uname().release, (5, 18))
}

fn is_at_least(release: &str, wanted: (u32, u32)) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|n| n.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= wanted
}

/// The interfaces and addresses that the kernel has now.
pub(in crate::daemon) fn links_of_kernel() -> io::Result<Links> {
    netlink::dump(&mut || {}).map(Links::dumped)
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
