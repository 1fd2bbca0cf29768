//! Virtual interfaces: requests to the kernel, and the settings of the host that they need.

use std::io;
use std::rc::Rc;

use crate::base::addr::Family;
use crate::base::ids::InstanceId;
use crate::base::link::Surroundings;
use crate::daemon::runtime::{Mode, Runtime};
use crate::holdings::RequestId;
use crate::model::vlink::{VirtualLink, VirtualLinkKind};
use crate::model::vrrp::Instance;
use crate::model::Config;
use crate::sys::netlink::Inet4Conf;
use crate::sys::{reason, sysctl};

/// Answers to it are ignored.
const NO_REQUEST: RequestId = RequestId(0);

impl Runtime {
    pub(super) fn create_link(&mut self, link: &VirtualLink, place: Surroundings, id: RequestId) {
        self.network.originals_are_stale = true;
        self.network.requests.create_link(link, place, id);
    }

    /// Applies all settings, and then sets the interface up. The last request answers for all.
    pub(super) fn prepare_link(
        &mut self,
        index: u32,
        link: &VirtualLink,
        place: Surroundings,
        id: RequestId,
    ) {
        let requests = &mut self.network.requests;
        if let VirtualLinkKind::Macvlan { mac } = link.kind {
            let known = self.cores.holdings.links().by_index(index);
            if known.is_some_and(|known| known.mac != Some(mac)) {
                requests.set_link_mac(index, mac, NO_REQUEST);
            }
            let is_v4 = uses(&self.running.config.instances, link, Family::V4);
            requests.set_link_inet4(index, settings(is_v4), NO_REQUEST);
            requests.stop_link_local(index, NO_REQUEST);
        }
        let known = self.cores.holdings.links().by_index(index);
        if known.is_some_and(|known| known.master != place.vrf.unwrap_or(0)) {
            requests.set_link_master(index, place.vrf, NO_REQUEST);
        }
        if known.is_some_and(|known| known.group != place.group) {
            requests.set_link_group(index, place.group, NO_REQUEST);
        }
        let is_v6 = uses(&self.running.config.instances, link, Family::V6);
        let disabled = if is_v6 || !link.is_vmac() { "0" } else { "1" };
        let written = sysctl::change(Family::V6, &link.name, "disable_ipv6", disabled);
        if let Err(e) = written.map(drop).or_else(unless_unneeded) {
            log::warn!("cannot set disable_ipv6 of {}: {}", link.name, reason(&e));
        }
        requests.raise_link(index, id);
        if link.notify_base {
            self.notify_of_base(place);
        }
    }

    pub(super) fn delete_link(
        &mut self,
        index: u32,
        link: &VirtualLink,
        place: Surroundings,
        id: RequestId,
    ) {
        match index {
            0 => self.network.requests.delete_link_named(&link.name, id),
            index => self.network.requests.delete_link(index, id),
        }
        if link.notify_base {
            self.notify_of_base(place);
        }
    }

    /// Carries out pending requests for virtual interfaces, so that the instances that use them do
    /// not begin without them. The kernel creates and reports an interface at once, but iptables may
    /// have to protect it first, for which requests wait a limited time.
    pub(in crate::daemon) fn await_virtual_links(&mut self) {
        /// Most rounds: an interface takes three.
        const ROUNDS: usize = 10_000;
        for _ in 0..ROUNDS {
            self.drain();
            if self.network.requests.is_idle() || !self.cores.holdings.is_making_links() {
                return;
            }
            self.flush_requests();
            if self.network.filter.delays_requests() {
                self.await_filter_command();
            }
            self.drain();
            while self.receive_kernel() {}
            self.breathe();
        }
    }

    /// Makes the kernel forget the neighbours on the VMACs of an instance that is no longer MASTER.
    /// Otherwise it would check five seconds later that they are still there, with questions from
    /// the virtual MAC, and the bridges would send the master's traffic here. Setting the MAC that
    /// an interface has already does that with one request.
    pub(in crate::daemon) fn forget_neighbours(&mut self, id: InstanceId) {
        let Some(config) = self.instance_config(id).filter(|_| self.mode == Mode::Running) else {
            return;
        };
        for link in config.virtual_links() {
            let VirtualLinkKind::Macvlan { mac } = link.kind else { continue };
            if let Some(known) = self.cores.holdings.links().get(&link.name) {
                self.network.requests.set_link_mac(known.index, mac, NO_REQUEST);
            }
        }
    }

    /// `netlink_notify_msg`: the base is set to the group that it has.
    fn notify_of_base(&mut self, place: Surroundings) {
        let group = self.cores.holdings.links().by_index(place.base).map_or(0, |base| base.group);
        self.network.requests.set_link_group(place.base, group, NO_REQUEST);
    }

    /// A VMAC receives packets from addresses that are routed through its base, and the kernel uses
    /// the stricter one of the interface's and the general setting. So the general one becomes 0,
    /// and every other interface gets its value.
    pub(in crate::daemon) fn prepare_for_virtual_links(&mut self) {
        if !has_ipv4_vmac(&self.running.config) {
            return self.restore_reverse_path_filter();
        }
        if !self.network.reverse_path.is_empty() {
            return;
        }
        let links = self.cores.holdings.links().all().map(|link| link.name.to_string());
        match release_general(links.collect()) {
            Ok(changed) => self.network.reverse_path = changed,
            Err(e) => log::warn!("cannot set rp_filter: {}", reason(&e)),
        }
        self.network.originals_are_stale = true;
    }

    /// Restores what [`Self::prepare_for_virtual_links`] changed, unless it was changed again.
    pub(in crate::daemon) fn restore_reverse_path_filter(&mut self) {
        for changed in std::mem::take(&mut self.network.reverse_path).into_iter().rev() {
            let now = sysctl::read(Family::V4, &changed.link, RP_FILTER);
            if now.is_ok_and(|now| now == changed.ours) {
                let _ = sysctl::write(Family::V4, &changed.link, RP_FILTER, &changed.before);
                log::info!(
                    "NOTICE: resetting sysctl net.ipv4.conf.{}.rp_filter to {}",
                    changed.link,
                    changed.before
                );
            }
            self.network.originals_are_stale = true;
        }
    }
}

fn has_ipv4_vmac(config: &Config) -> bool {
    let needs = |instance: &Rc<Instance>| {
        instance.virtual_links().any(|link| link.is_vmac() && instance.uses(link, Family::V4))
    };
    config.instances.iter().any(needs)
}

const RP_FILTER: &str = "rp_filter";

/// A value of `rp_filter` that the daemon changed.
pub(in crate::daemon) struct Changed {
    pub(in crate::daemon) link: String,
    pub(in crate::daemon) before: String,
    pub(in crate::daemon) ours: String,
}

fn release_general(links: Vec<String>) -> io::Result<Vec<Changed>> {
    let general = sysctl::read(Family::V4, "all", RP_FILTER)?;
    let mut changed = Vec::new();
    let strictness = |value: &str| value.parse::<u8>().unwrap_or(0);
    if strictness(&general) == 0 {
        return Ok(changed);
    }
    let mut set = |link: String, value: &str| -> io::Result<()> {
        let before = sysctl::read(Family::V4, &link, RP_FILTER)?;
        let is_weaker = strictness(&before) < strictness(value);
        if is_weaker || value == "0" {
            sysctl::write(Family::V4, &link, RP_FILTER, value)?;
            log::info!(
                "NOTICE: setting sysctl net.ipv4.conf.{link}.rp_filter from {before} to {value}"
            );
            changed.push(Changed { link, before, ours: value.to_owned() });
        }
        Ok(())
    };
    for link in ["default".to_owned()].into_iter().chain(links) {
        // An interface may be gone by now.
        if let Err(e) = set(link, &general) {
            log::debug!("rp_filter: {}", reason(&e));
        }
    }
    set("all".to_owned(), "0")?;
    Ok(changed)
}

/// Settings of a VMAC.
const fn settings(is_v4: bool) -> &'static [(Inet4Conf, u32)] {
    if is_v4 {
        &[
            (Inet4Conf::ArpIgnore, 1),
            (Inet4Conf::AcceptLocal, 1),
            (Inet4Conf::RpFilter, 0),
            (Inet4Conf::PromoteSecondaries, 1),
        ]
    } else {
        &[(Inet4Conf::ArpIgnore, 1)]
    }
}

fn uses(instances: &[Rc<Instance>], link: &VirtualLink, family: Family) -> bool {
    instances.iter().any(|instance| instance.uses(link, family))
}

/// It has the value already, or there is no IPv6.
fn unless_unneeded(e: io::Error) -> io::Result<()> {
    if e.raw_os_error() == Some(libc::EEXIST) || e.kind() == io::ErrorKind::NotFound {
        Ok(())
    } else {
        Err(e)
    }
}
