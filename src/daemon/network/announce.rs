//! Gratuitous ARP and neighbour advertisements: queued by the announcer, sent when they are due.

use std::io;
use std::net::IpAddr;

use crate::base::ids::InstanceId;
use crate::base::link::LinkKind;
use crate::daemon::network::announcer::Announcement;
use crate::daemon::network::RETRY_SENDS;
use crate::daemon::outlets::report::HeldBack;
use crate::daemon::runtime::Runtime;
use crate::sys::sysctl;
use crate::wire::{arp, ndisc};

impl Runtime {
    /// Sends some of the waiting gratuitous ARPs and neighbour advertisements.
    pub(in crate::daemon) fn flush_announcements(&mut self) {
        /// Frames sent between two checks of the clock.
        const MOST: usize = 64;
        loop {
            let mut due = std::mem::take(&mut self.network.due_announcements);
            if self.network.frames.is_empty() {
                self.network.announcer.take_due(self.now, MOST, &mut due);
            }
            for a in due.drain(..) {
                self.queue_frame(&a);
            }
            self.network.due_announcements = due;
            if self.network.frames.is_empty() {
                break;
            }
            let failed = |(), result: io::Result<()>| {
                if let Err(e) = result {
                    log::debug!("cannot send gratuitous ARP or neighbour advertisement: {e}");
                }
            };
            if !self.network.link_socket.send(
                &mut self.network.frames,
                &mut self.network.scratch,
                failed,
            ) {
                self.network.retry_sends = Some(self.now + RETRY_SENDS);
                break;
            }
            if self.urgent_is_due() {
                break;
            }
        }
    }

    fn queue_frame(&mut self, a: &Announcement) {
        let Some(link) = self.cores.holdings.links().get(&a.link) else { return };
        let (true, Some(mac)) = (link.arp, link.mac) else { return };
        if log::log_enabled!(log::Level::Debug) {
            let about = format!("frames of {}", a.owner);
            if let Some(held_back) = self.outlets.chatter.admit(about, self.now) {
                let what = match a.addr {
                    IpAddr::V4(_) => "gratuitous ARP",
                    IpAddr::V6(_) => "unsolicited Neighbour Advert",
                };
                let (link, addr, rest) = (&a.link, a.addr, HeldBack(held_back));
                log::debug!("Sending {what} on {link} for {addr}{rest}");
            }
        }
        match a.addr {
            IpAddr::V4(addr) => {
                // A master that has yet to yield answers a request, with the same virtual MAC: the
                // bridges would send its traffic there again.
                let owner = self.cores.vrrp.instance(a.owner);
                let is_answered = owner.is_some_and(|i| i.has_rival(self.now));
                let operation = match is_answered && link.kind == LinkKind::PRIVATE_MACVLAN {
                    true => arp::Operation::Reply,
                    false => arp::Operation::Request,
                };
                let frame = arp::gratuitous(operation, mac, addr);
                self.network.link_socket.queue(&mut self.network.frames, (), link.index, &frame);
            }
            IpAddr::V6(addr) => {
                let frame = ndisc::unsolicited(mac, addr, sysctl::is_forwarding(&link.name));
                self.network.link_socket.queue(&mut self.network.frames, (), link.index, &frame);
            }
        }
    }

    pub(in crate::daemon) fn announce(&mut self, id: InstanceId, repeat: u32) {
        let Some(config) = self.instance_config(id) else { return };
        for address in config.all_addresses() {
            let (link, addr) = (address.interface.clone(), address.prefix.addr);
            self.network.announcer.push(Announcement { owner: id, link, addr }, repeat);
        }
        if repeat > 0 && log::log_enabled!(log::Level::Debug) {
            let about = format!("announcements of {}", config.name);
            let Some(held_back) = self.outlets.chatter.admit(about, self.now) else { return };
            if held_back > 0 {
                let name = &config.name;
                log::debug!("({name}) {held_back} announcements were not logged");
            }
            for address in config.all_addresses() {
                let (name, link, addr) = (&config.name, &address.interface, address.prefix.addr);
                let what = match addr {
                    IpAddr::V4(_) => "gratuitous ARPs",
                    IpAddr::V6(_) => "Unsolicited Neighbour Adverts",
                };
                log::debug!("({name}) Sending/queueing {what} on {link} for {addr}");
            }
        }
    }

    pub(in crate::daemon) fn announce_source(&mut self, id: InstanceId) {
        let Some(i) = self.cores.vrrp.instance(id) else { return };
        let link = i.config().source_link().map(Into::into);
        if let (Some(link), Some(addr)) = (link, i.source()) {
            self.network.announcer.push(Announcement { owner: id, link, addr }, 1);
        }
    }

    /// `garp_extra_if`: announces the first address on each further interface of the instance.
    pub(in crate::daemon) fn announce_elsewhere(&mut self, id: InstanceId) {
        let Some(config) = self.instance_config(id) else { return };
        for address in config.announced_elsewhere() {
            let (link, addr) = (address.interface.clone(), address.prefix.addr);
            self.network.announcer.push(Announcement { owner: id, link, addr }, 1);
        }
    }
}
