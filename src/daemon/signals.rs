//! Signals.

use crate::daemon::runtime::{Mode, Runtime};
use crate::sys::signals::Signal;

impl Runtime {
    pub(super) fn on_signals(&mut self) {
        loop {
            match self.signals.take() {
                Ok(Some(signal)) => self.on_signal(signal),
                Ok(None) => return,
                Err(e) => {
                    log::error!("cannot read signals: {e}");
                    return;
                }
            }
        }
    }

    fn on_signal(&mut self, signal: Signal) {
        match signal {
            Signal::Stop => self.mode = Mode::Stopping,
            Signal::Reload => self.reload(),
            Signal::Data => self.dump_data(),
            Signal::Stats => {
                self.dump_stats();
                #[cfg(debug_assertions)]
                self.maybe_fail(crate::daemon::start::fault::Moment::Stats);
            }
            Signal::StatsClear => {
                self.dump_stats();
                self.cores.vrrp.clear_counters();
            }
            Signal::Json => self.dump_json(),
            Signal::Child => {
                self.commands.children.on_sigchld(&mut self.commands.child_events);
                self.on_child_events();
            }
            Signal::CpuLimit => log::warn!("the real-time CPU limit is nearly reached"),
        }
    }
}
