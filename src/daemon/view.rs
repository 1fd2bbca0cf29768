//! What the dumps and the status are made from, without anything that could be changed through it.

use std::collections::BTreeMap;

use crate::base::ids::InstanceId;
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
    pub(super) sockets: BTreeMap<&'a Endpoint, Vec<InstanceId>>,
    pub(super) lateness: &'a Lateness,
    /// The same time on both clocks.
    pub(super) now: Instant,
    pub(super) wall: WallTime,
    pub(super) calendar: fn(WallTime) -> Local,
}

impl Runtime {
    /// Without sockets.
    pub(super) fn view(&self) -> View<'_> {
        View {
            config: &self.running.config,
            ids: &self.running.ids,
            vrrp: &self.cores.vrrp,
            track: &self.cores.track,
            holdings: &self.cores.holdings,
            links: self.cores.holdings.links(),
            sockets: BTreeMap::new(),
            lateness: &self.pace.lateness,
            // Not `Clock::moment`: it reports a step of the wall clock once, to the code that
            // converts time stamps of packets.
            now: self.clock.now(),
            wall: clock::wall(),
            calendar: clock::local,
        }
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
