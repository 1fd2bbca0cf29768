//! The files that SIGUSR1, SIGUSR2 and the JSON signal write.
//!
//! What they say is made here and below, from a [`View`] and nothing else; how a file is written
//! safely is the business of `sys::dumpfile`.

mod data;
mod instance;
mod json;
mod lvs;
mod stats;
mod text;
mod track;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::base::ids::InstanceId;
use crate::base::time::{micros, Instant, WallTime};
use crate::daemon::lateness::Lateness;
use crate::daemon::runtime::Runtime;
use crate::holdings::{self, Key, Links};
use crate::model::vrrp::VirtualAddress;
use crate::model::Config;
use crate::sys::clock::{self, Local};
use crate::sys::dumpfile;
use crate::sys::raw::Endpoint;
use crate::vrrp::{self, Instance, Phase};

impl Runtime {
    /// SIGUSR1: everything known, for a human and for scripts that look for single lines.
    pub(super) fn dump_data(&self) {
        log::info!("Printing VRRP data for process({}) on signal", std::process::id());
        save("keepalived.data", &data::render(&self.view()));
        if !self.running.config.virtual_servers.is_empty() {
            log::info!("Printing checker data for process({}) on signal", std::process::id());
            save("keepalived_check.data", &self.render_servers());
        }
    }

    fn render_servers(&self) -> String {
        lvs::render(&self.view(), self.lvs.services(), &self.lvs.pool)
    }

    /// SIGUSR2: what each instance has counted.
    pub(super) fn dump_stats(&self) {
        log::info!("Printing VRRP stats for process({}) on signal", std::process::id());
        save("keepalived.stats", &stats::render(&self.view()));
    }

    /// The JSON signal. As with keepalived, there is no file where there is no instance.
    pub(super) fn dump_json(&self) {
        if self.running.ids.is_empty() {
            return;
        }
        log::info!("Printing VRRP as json for process({}) on signal", std::process::id());
        save("keepalived.json", &json::render(&self.view()));
    }

    /// `--dump-conf`: what SIGUSR1 writes, to the log.
    pub(super) fn dump_config(&self) {
        let servers = match self.running.config.virtual_servers.is_empty() {
            true => String::new(),
            false => self.render_servers(),
        };
        for line in data::render(&self.view()).lines().chain(servers.lines()) {
            log::info!("{line}");
        }
    }

    fn view(&self) -> View<'_> {
        let mut sockets: BTreeMap<&Endpoint, Vec<InstanceId>> = BTreeMap::new();
        for &id in &self.running.ids {
            if let Some(endpoint) = self.network.endpoints.of(id) {
                sockets.entry(endpoint).or_default().push(id);
            }
        }
        View {
            config: &self.running.config,
            ids: &self.running.ids,
            vrrp: &self.cores.vrrp,
            holdings: &self.cores.holdings,
            links: self.cores.holdings.links(),
            sockets,
            lateness: &self.pace.lateness,
            // Not `Clock::moment`: it tells a step of the wall clock once, and that is for those
            // who convert the stamps of packets.
            now: self.clock.now(),
            wall: clock::wall(),
            calendar: clock::local,
        }
    }
}

/// All that a dump is made of.
struct View<'a> {
    config: &'a Config,
    /// In the order of the configuration, which is the order of everything shown.
    ids: &'a [InstanceId],
    vrrp: &'a vrrp::Domain,
    holdings: &'a holdings::Domain,
    links: &'a Links,
    sockets: BTreeMap<&'a Endpoint, Vec<InstanceId>>,
    lateness: &'a Lateness,
    /// The same moment on both clocks.
    now: Instant,
    wall: WallTime,
    calendar: fn(WallTime) -> Local,
}

impl View<'_> {
    fn instances(&self) -> impl Iterator<Item = (InstanceId, &Instance)> {
        self.ids.iter().filter_map(|&id| Some((id, self.vrrp.instance(id)?)))
    }

    /// What the wall clock, as it is set now, showed or will show at `at`.
    fn wall_at(&self, at: Instant) -> WallTime {
        let ago = micros(self.now.since(at));
        let ahead = micros(at.since(self.now));
        WallTime(self.wall.0.saturating_sub(ago).saturating_add(ahead))
    }

    /// The address is on its interface because of this instance.
    fn is_set(&self, instance: &Instance, address: &VirtualAddress) -> bool {
        instance.phase() == Phase::Master && self.holdings.is_present(&Key::of(address))
    }
}

/// A failure must not disturb anything: it is told, that is all.
fn save(name: &str, text: &str) {
    let dir = directory(std::env::var_os("TMPDIR").map(PathBuf::from));
    if let Err(e) = dumpfile::write_atomically(&dir, name, text) {
        log::warn!("cannot write {}: {e}", dir.join(name).display());
    }
}

/// `TMPDIR` where it is absolute: a relative one would depend on where the daemon was started.
fn directory(tmpdir: Option<PathBuf>) -> PathBuf {
    tmpdir.filter(|d| d.is_absolute()).unwrap_or_else(|| Path::new("/tmp").to_path_buf())
}

#[cfg(test)]
mod tests;
