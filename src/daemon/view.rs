//! What the dumps and the status are made from, without anything that could be changed through it.

use std::os::fd::RawFd;

use crate::base::ids::InstanceId;
use crate::base::sorted::SortedMap;
use crate::base::time::{micros, Instant, WallTime};
use crate::daemon::lateness::Lateness;
use crate::daemon::runtime::Runtime;
use crate::holdings::{self, Key, Links};
use crate::model::vrrp::VirtualAddress;
use crate::model::Config;
use crate::sys::clock::{self, Local};
use crate::sys::raw::Endpoint;
use crate::track;
use crate::vrrp::{self, Instance, Phase};

pub(super) struct View<'a> {
    pub(super) config: &'a Config,
    /// In the order of the configuration, which all dumps follow.
    pub(super) ids: &'a [InstanceId],
    pub(super) vrrp: &'a vrrp::Domain,
    pub(super) track: &'a track::Domain,
    pub(super) holdings: &'a holdings::Domain,
    pub(super) links: &'a Links,
    pub(super) details: Details<'a>,
    /// The kernel has IPVS, as far as it was asked.
    pub(super) has_ipvs: bool,
    pub(super) lateness: &'a Lateness,
    /// The same time on both clocks.
    pub(super) now: Instant,
    pub(super) wall: WallTime,
    pub(super) calendar: fn(WallTime) -> Local,
}

/// What only the data dump shows.
#[derive(Default)]
pub(super) struct Details<'a> {
    /// In the order of their first instances.
    pub(super) sockets: Vec<OpenSocket<'a>>,
    /// Interfaces whose change is held back.
    pub(super) held_back: Vec<&'a str>,
    /// `rp_filter` of interfaces, as it was before the daemon changed it.
    pub(super) reverse_path: Vec<(&'a str, &'a str)>,
    /// When `reload_time_file` has it.
    pub(super) reload_at: Option<String>,
}

/// A socket of instances.
pub(super) struct OpenSocket<'a> {
    pub(super) endpoint: &'a Endpoint,
    /// To receive, and to send.
    pub(super) fds: [RawFd; 2],
    /// Configured, in bytes.
    pub(super) buffer: usize,
    pub(super) members: Vec<InstanceId>,
}

impl Runtime {
    /// Without what only the data dump shows.
    pub(super) fn view(&self) -> View<'_> {
        View {
            config: &self.running.config,
            ids: &self.running.ids,
            vrrp: &self.cores.vrrp,
            track: &self.cores.track,
            holdings: &self.cores.holdings,
            links: self.cores.holdings.links(),
            details: Details::default(),
            has_ipvs: self.lvs.has_kernel(),
            lateness: &self.pace.lateness,
            // Not `Clock::moment`: it reports a step of the wall clock once, to the code that
            // converts time stamps of packets.
            now: self.clock.now(),
            wall: clock::wall(),
            calendar: clock::local,
        }
    }

    /// With all that there is.
    pub(super) fn detailed_view(&self) -> View<'_> {
        let network = &self.network;
        let (mut sockets, mut places): (Vec<OpenSocket<'_>>, _) = (Vec::new(), SortedMap::new());
        for &id in &self.running.ids {
            let Some((endpoint, fds)) = network.endpoints.socket_of(id) else { continue };
            let place = *places.entry(fds).or_insert_with(|| {
                let buffer = network.endpoints.buffer_of(id);
                sockets.push(OpenSocket { endpoint, fds, buffer, members: Vec::new() });
                sockets.len() - 1
            });
            sockets[place].members.push(id);
        }
        let changed = network.reverse_path.iter();
        let details = Details {
            sockets,
            held_back: network.debounce.held_back().collect(),
            reverse_path: changed.map(|c| (c.link.as_str(), c.before.as_str())).collect(),
            reload_at: self.running.schedule.shown(),
        };
        View { details, ..self.view() }
    }
}

impl View<'_> {
    pub(super) fn instances(&self) -> impl Iterator<Item = (InstanceId, &Instance)> {
        self.ids.iter().filter_map(|&id| Some((id, self.vrrp.instance(id)?)))
    }

    /// Wall-clock time of `at`, according to the current setting of the clock.
    pub(super) fn wall_at(&self, at: Instant) -> WallTime {
        let ago = micros(self.now.since(at));
        let ahead = micros(at.since(self.now));
        WallTime(self.wall.0.saturating_sub(ago).saturating_add(ahead))
    }

    /// True if the address is on its interface and held by this instance.
    pub(super) fn is_set(&self, instance: &Instance, address: &VirtualAddress) -> bool {
        instance.phase() == Phase::Master && self.holdings.is_present(&Key::of(address))
    }
}
