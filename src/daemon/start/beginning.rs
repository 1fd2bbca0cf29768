//! Objects in the kernel when the daemon starts, including those left by an earlier run.

use std::io;

use crate::cli::help;
use crate::daemon::restart::{SnapshotIndex, NO_ANSWER};
use crate::daemon::runtime::Runtime;
use crate::holdings::{self, Links};
use crate::model::Config;
use crate::snapshot::Snapshot;
use crate::sys::{netlink, process};

/// Initial configuration and interfaces.
pub(in crate::daemon) struct Beginning {
    pub(in crate::daemon) config: Config,
    pub(in crate::daemon) links: Links,
}

impl Runtime {
    /// Starts every instance from the current state of the kernel. `snapshot`: of the program that
    /// this one takes over from.
    pub(in crate::daemon) fn begin(
        &mut self,
        Beginning { config, links }: Beginning,
        snapshot: Option<&Snapshot>,
    ) {
        let is_idle = config.instances.is_empty() && config.virtual_servers.is_empty();
        if is_idle && config.bfd.is_empty() {
            log::warn!("Warning - keepalived has no configuration to run");
        }
        self.now = self.clock.now();
        if let Some(snapshot) = snapshot {
            self.recall(snapshot);
        }
        self.running.loaded = self.now;
        self.journal.started(&help::banner(), self.now);
        // The address owner had its addresses before keepalived started.
        let is_doubtful = config.instances.iter().any(|i| i.is_owner());
        if self.process.follows_crash && !is_doubtful && !shows_origins(&links) {
            self.cores.holdings.inherit();
        }
        // Initial addresses are not reported as changes.
        self.cores.holdings.handle(holdings::Input::Dumped(links), self.now, &mut Vec::new());
        self.cores.holdings.resolve_origins();
        let left = self.restore_originals();
        self.restart.recalled = snapshot.cloned().map(SnapshotIndex::new);
        self.adopt(config);
        if let Some(recalled) = self.restart.recalled.take() {
            self.recall_rest(&recalled);
        } else {
            self.recall_lowering_orders(NO_ANSWER);
        }
        self.remove_left_links(left);
        self.set_up_schedule();
        if let Some(line) = crate::daemon::outlets::report::open_to_strangers(&self.running.config)
        {
            log::info!("{line}");
        }
        #[cfg(debug_assertions)]
        self.maybe_fail(crate::daemon::start::fault::Moment::Start);
    }
}

/// True if the kernel reports the origin of addresses (IFA_PROTO, since Linux 5.18).
fn shows_origins(links: &Links) -> bool {
    links.shows_origins() || is_at_least(&process::uname().release, (5, 18))
}

fn is_at_least(release: &str, wanted: (u32, u32)) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|n| n.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= wanted
}

/// Current interfaces and addresses of the kernel.
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
