//! The files that SIGUSR1, SIGUSR2 and the JSON signal write.
//!
//! Their content is rendered here and in the submodules from a [`View`] alone; `sys::dumpfile`
//! writes the files safely.

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
    /// SIGUSR1: the complete state, for operators and for scripts that search for single lines.
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

    /// SIGUSR2: the counters of each instance.
    pub(super) fn dump_stats(&self) {
        log::info!("Printing VRRP stats for process({}) on signal", std::process::id());
        save("keepalived.stats", &stats::render(&self.view()));
    }

    /// The JSON signal. As in keepalived, no file is written without instances.
    pub(super) fn dump_json(&self) {
        if self.running.ids.is_empty() {
            return;
        }
        log::info!("Printing VRRP as json for process({}) on signal", std::process::id());
        save("keepalived.json", &json::render(&self.view()));
    }

    /// `--dump-conf`: logs the content of the SIGUSR1 file.
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
            // Not `Clock::moment`: it reports a step of the wall clock once, to the code that
            // converts time stamps of packets.
            now: self.clock.now(),
            wall: clock::wall(),
            calendar: clock::local,
        }
    }
}

/// Source of all dumps.
struct View<'a> {
    config: &'a Config,
    /// In the order of the configuration, which all dumps follow.
    ids: &'a [InstanceId],
    vrrp: &'a vrrp::Domain,
    holdings: &'a holdings::Domain,
    links: &'a Links,
    sockets: BTreeMap<&'a Endpoint, Vec<InstanceId>>,
    lateness: &'a Lateness,
    /// The same time on both clocks.
    now: Instant,
    wall: WallTime,
    calendar: fn(WallTime) -> Local,
}

impl View<'_> {
    fn instances(&self) -> impl Iterator<Item = (InstanceId, &Instance)> {
        self.ids.iter().filter_map(|&id| Some((id, self.vrrp.instance(id)?)))
    }

    /// Wall-clock time of `at`, according to the current setting of the clock.
    fn wall_at(&self, at: Instant) -> WallTime {
        let ago = micros(self.now.since(at));
        let ahead = micros(at.since(self.now));
        WallTime(self.wall.0.saturating_sub(ago).saturating_add(ahead))
    }

    /// True if the address is on its interface and held by this instance.
    fn is_set(&self, instance: &Instance, address: &VirtualAddress) -> bool {
        instance.phase() == Phase::Master && self.holdings.is_present(&Key::of(address))
    }
}

/// Writes a file. A failure is only logged.
fn save(name: &str, text: &str) {
    let dir = directory(std::env::var_os("TMPDIR").map(PathBuf::from));
    if let Err(e) = dumpfile::write_atomically(&dir, name, text) {
        log::warn!("cannot write {}: {e}", dir.join(name).display());
    }
}

/// `TMPDIR` if it is absolute: a relative path would depend on the working directory at the start.
fn directory(tmpdir: Option<PathBuf>) -> PathBuf {
    tmpdir.filter(|d| d.is_absolute()).unwrap_or_else(|| Path::new("/tmp").to_path_buf())
}

#[cfg(test)]
mod tests;
