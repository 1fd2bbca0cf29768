//! The order of ending: farewells first, so that a backup takes over while we still clean up;
//! then everything we hold; then out.

use std::io;

use super::runtime::Runtime;
use crate::holdings;
use crate::sys::systemd::State;
use crate::vrrp::Input;

impl Runtime {
    /// Says goodbye and lets go. Returns when the kernel holds nothing of ours any more.
    pub(super) fn wind_down(&mut self) -> io::Result<()> {
        log::info!("Stopping");
        self.systemd.notify(State::Stopping);
        self.now = self.clock.now();
        if self.options.keep_vrrp {
            return Ok(());
        }
        self.vrrp.handle(Input::Stop, self.now, &mut self.vrrp_actions);
        self.drain();
        self.flush_adverts();
        // Each round is answered before it returns, so this ends: everything is removed, or the
        // kernel has refused and that was told.
        while !self.requests.is_idle() || !self.answers.is_empty() {
            self.flush_requests();
            self.drain();
        }
        self.promoted.restore();
        Ok(())
    }

    /// The last resort after a failure of our own: an address that stays means two masters.
    ///
    /// Uses nothing but the list of what is installed and a request socket.
    pub(super) fn abandon(&mut self) {
        let installed: Vec<_> = self.holdings.installed().cloned().collect();
        for address in &installed {
            if let Some(link) = self.links.get(&address.interface) {
                let asker = (holdings::Key::of(address), holdings::Op::Remove);
                self.requests.remove(link.index, address, asker);
            }
        }
        let mut answers = Vec::new();
        while !self.requests.is_idle() && self.requests.flush(&mut answers).is_ok() {}
    }
}
