//! Notifications and answers of the kernel, and their consequences for interfaces and addresses.

use std::net::IpAddr;

use crate::base::addr::is_link_local;
use crate::base::link::{KernelEvent, LinkState};
use crate::daemon::runtime::Runtime;
use crate::holdings::{self, HostChange, Links};
use crate::sys::netlink;
use crate::vrrp::Input;

impl Runtime {
    /// Reads one datagram of kernel notifications; false if there was none.
    pub(in crate::daemon) fn receive_kernel(&mut self) -> bool {
        let mut events = Vec::new();
        match self.network.monitor.receive(&mut events) {
            Ok(more) => {
                self.take_events(events);
                more
            }
            Err(e) => {
                log::warn!(
                    "kernel notifications were lost ({e}); reading interfaces and addresses again"
                );
                self.resynchronise();
                true
            }
        }
    }

    /// Reads the current state from the kernel after a loss of notifications.
    pub(in crate::daemon) fn resynchronise(&mut self) {
        self.network.monitor.discard();
        match netlink::dump(&mut || self.breathe()) {
            Ok(events) => {
                self.cores.holdings(holdings::Input::Dumped(Links::dumped(events)), self.now);
                self.drain();
            }
            Err(e) => log::error!("cannot read interfaces and addresses from the kernel: {e}"),
        }
        self.read_fib();
    }

    fn take_events(&mut self, events: Vec<KernelEvent>) {
        for event in events {
            self.cores.holdings(holdings::Input::Kernel(event), self.now);
        }
        self.drain();
    }

    pub(in crate::daemon) fn on_host_change(&mut self, fact: HostChange) {
        match fact {
            HostChange::Appeared(link) => {
                self.network.originals_are_stale |= self.is_of_interest(&link);
                self.on_base_changed(&link);
                self.tell_link(&link);
                self.refilter_monitor();
            }
            HostChange::Changed(link) => self.tell_link(&link),
            HostChange::Vanished { link, index, deleted } => {
                let what = if deleted { "deleted" } else { "was renamed" };
                log::info!("Interface {link} {what}");
                if deleted {
                    self.network.rescue.release_all(|place| place.0 == index);
                }
                self.tell_link(&link);
                self.refilter_monitor();
            }
            HostChange::Added { link, address, ours } => {
                self.on_address("added to", link, address.prefix.addr, ours);
            }
            HostChange::Removed { link, address, ours } => {
                self.on_address("removed from", link, address.prefix.addr, ours);
            }
        }
    }

    fn on_address(&mut self, what: &str, link: String, addr: IpAddr, ours: bool) {
        self.address_log(what, &link, &addr);
        self.on_local_address(addr, self.cores.holdings.links().holds(&addr));
        self.on_base_changed(&link);
        if is_link_local(&addr) {
            self.renew_shields_on(&link);
        }
        // Virtual addresses of this configuration are not used as sources, so their changes are
        // ignored.
        if !ours || !self.running.virtual_addresses.contains_key(&addr) {
            self.network.stale_sources.insert(link);
        }
    }

    /// `-a`: logs every address change.
    fn address_log(&self, what: &str, link: &str, addr: &IpAddr) {
        if self.options.address_log {
            log::info!("Netlink: address {addr} {what} {link}");
        }
    }

    /// Passes the state of an interface to the core and updates its sockets.
    pub(in crate::daemon) fn tell_link(&mut self, name: &str) {
        if !self.is_of_interest(name) {
            return;
        }
        let state = self.link_state(name);
        if self.note_link(name, state) != Some(state) {
            log::info!(
                "Netlink reports {name} {}",
                if state == LinkState::Up { "up" } else { "down" }
            );
        }
        self.network.stale_sources.insert(name.to_owned());
        self.refresh_stale_sources();
        self.cores.vrrp(Input::Link { name, state }, self.now);
        self.drain();
    }

    /// Notes the state of an interface. Returns the state before.
    pub(in crate::daemon) fn note_link(
        &mut self,
        name: &str,
        state: LinkState,
    ) -> Option<LinkState> {
        let before = self.network.told_links.insert(name.to_owned(), state);
        if let Some(before) = before {
            self.journal.link(name, before, state, self.now);
        }
        before
    }

    /// True if an instance names this interface.
    pub(in crate::daemon) fn is_of_interest(&self, name: &str) -> bool {
        self.running.interesting.contains(name)
    }

    /// Sends one batch of netlink requests and reads the answers. The packet filter protects an
    /// address before it exists, and until it is gone.
    pub(in crate::daemon) fn flush_requests(&mut self) {
        self.protect();
        if self.network.filter.delays_requests() {
            return;
        }
        let mut answers = std::mem::take(&mut self.network.answers);
        if let Err(e) = self.network.requests.flush(&mut answers) {
            log::error!("cannot send netlink requests: {e}");
            // The holdings decide whether to repeat them.
            self.network.requests.give_up(e.raw_os_error().unwrap_or(libc::EIO), &mut answers);
        }
        // An interface that the file names may be gone.
        let has_made = !self.network.traces.links.is_empty();
        for (request, reply) in answers.drain(..) {
            let may_matter = has_made && self.cores.holdings.is_about_link(request);
            self.network.originals_are_stale |= may_matter;
            let input = holdings::Input::Answer { request, answer: reply.into() };
            self.cores.holdings(input, self.now);
        }
        self.network.answers = answers;
        self.unprotect();
    }
}
