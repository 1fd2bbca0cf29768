//! Handling of panics: the message is logged, priority-zero adverts are sent, addresses are
//! removed.

use std::panic::{self, AssertUnwindSafe};

use crate::base::errno::KernelReply;
use crate::cli::options::Options;
use crate::daemon::config::in_force;
use crate::daemon::runtime::Runtime;
use crate::holdings::{Op, Request, RequestId};
use crate::vrrp::Phase;

/// Writes panic messages to the log, since a daemon has no terminal.
pub(in crate::daemon) fn log_panics(options: &Options) {
    let to_console = options.log_console && options.foreground;
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        log::error!("internal error in keepalived: {info}");
        // The terminal already shows the line.
        if !to_console {
            before(info);
        }
    }));
}

/// Runs `work`. `None` if it panicked, which has been logged.
pub(in crate::daemon) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    // Interrupted work is not continued: after a panic, state is only released.
    panic::catch_unwind(AssertUnwindSafe(work)).ok()
}

impl Runtime {
    /// Releases the addresses after an internal failure, since an address that stays means two
    /// masters.
    ///
    /// IPVS services stay: they do no harm, connections continue, and the next start updates them.
    pub(in crate::daemon) fn abandon(&mut self) {
        // Any state may be inconsistent, so each step is independent, and the most important one
        // relies on no state.
        let _ = caught(|| self.continuity.end());
        let _ = caught(|| self.say_goodbye());
        self.network.rescue.fire();
        let _ = caught(|| self.remove_remains());
        let _ = caught(|| self.abandon_tables());
        let _ = caught(|| self.restore_settings());
        let _ = caught(|| self.restore_reverse_path_filter());
        let _ = caught(|| self.restore_local_igmp());
        in_force::remove(&self.process.in_force);
    }

    /// Removes what has no message prepared for this case.
    fn remove_remains(&mut self) {
        let id = RequestId(0);
        for (index, item) in self.cores.holdings.remains() {
            self.request(&Request { id, index, op: Op::Remove(item) });
        }
        let mut answers: Vec<(RequestId, KernelReply)> = Vec::new();
        while !self.network.requests.is_idle() {
            if self.network.requests.flush(&mut answers).is_err() {
                return;
            }
        }
    }

    fn restore_settings(&self) {
        for (index, setting, before) in self.cores.holdings.changed_settings() {
            let _ = self.write_setting(index, setting, before);
        }
    }

    fn say_goodbye(&mut self) {
        let all = self.cores.vrrp.instances();
        let masters = all.filter(|(_, i)| i.phase() == Phase::Master).map(|(id, _)| id);
        for id in masters.collect::<Vec<_>>() {
            self.queue_advert(id, 0);
        }
        self.flush_adverts();
    }
}
