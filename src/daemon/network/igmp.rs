//! `disable_local_igmp`: the host does not report its membership in link-local groups.

use std::io;

use crate::daemon::runtime::Runtime;
use crate::sys::{reason, sysctl};

pub(super) const SETTING: &str = "igmp_link_local_mcast_reports";

impl Runtime {
    /// Applies the configuration at the start and after each reload.
    pub(in crate::daemon) fn set_local_igmp(&mut self) {
        if !self.running.config.global.disable_local_igmp {
            return self.restore_local_igmp();
        }
        if self.network.igmp_before.is_some() {
            return;
        }
        self.network.originals_are_stale = true;
        match sysctl::set(sysctl::NETWORK, SETTING, "0") {
            Ok(before) => self.network.igmp_before = Some(before),
            Err(e) if e.raw_os_error() == Some(libc::EEXIST) => {}
            Err(e) => complain(&e),
        }
    }

    /// Restores the value that the daemon changed.
    pub(in crate::daemon) fn restore_local_igmp(&mut self) {
        let Some(before) = self.network.igmp_before.take() else { return };
        self.network.originals_are_stale = true;
        match sysctl::set(sysctl::NETWORK, SETTING, &before) {
            Err(e) if e.raw_os_error() != Some(libc::EEXIST) => complain(&e),
            _ => {}
        }
    }
}

fn complain(error: &io::Error) {
    log::warn!("disable_local_igmp: cannot set {SETTING}: {}", reason(error));
}
