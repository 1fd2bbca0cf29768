//! What happens when the daemon itself fails: its text is logged, farewells go out, addresses go.

use std::panic::{self, AssertUnwindSafe};

use crate::cli::options::Options;
use crate::daemon::runtime::Runtime;
use crate::vrrp::Phase;

/// Brings the text of a panic into the log, where a daemon without a terminal can be heard.
pub(in crate::daemon) fn log_panics(options: &Options) {
    let to_console = options.log_console && options.foreground;
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        log::error!("a defect in keepalived itself: {info}");
        // It has the line already.
        if !to_console {
            before(info);
        }
    }));
}

/// Runs `work`; `None` if it panicked, which is logged by then.
pub(in crate::daemon) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    // What was half done is not gone on with: after a panic things are only let go of.
    panic::catch_unwind(AssertUnwindSafe(work)).ok()
}

impl Runtime {
    /// Ends what others rely on after a failure of our own: an address that stays means two masters.
    ///
    /// Services of IPVS stay: they do no harm, connections go on, and the next start brings them in
    /// line.
    pub(in crate::daemon) fn abandon(&mut self) {
        // Anything may be broken now, so that each step stands alone; the one that matters most
        // relies on nothing.
        let _ = caught(|| self.say_goodbye());
        self.network.rescue.fire();
        let _ = caught(|| self.restore_settings());
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
