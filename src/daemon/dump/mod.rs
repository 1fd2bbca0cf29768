//! The files that SIGUSR1, SIGUSR2 and the JSON signal write.
//!
//! Their content is rendered here and in the submodules from a [`View`] alone; `sys::dumpfile`
//! writes the files safely.

mod bfd;
mod data;
mod global;
mod instance;
mod json;
mod lvs;
mod stats;
mod text;
mod track;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::base::ids::InstanceId;
use crate::daemon::runtime::Runtime;
use crate::daemon::view::View;
use crate::sys::dumpfile;
use crate::sys::raw::Endpoint;

impl Runtime {
    /// SIGUSR1: the complete state, for operators and for scripts that search for single lines.
    pub(super) fn dump_data(&self) {
        log::info!("Printing VRRP data for process({}) on signal", std::process::id());
        save("keepalived.data", &data::render(&self.view_with_sockets()));
        if !self.running.config.virtual_servers.is_empty() {
            log::info!("Printing checker data for process({}) on signal", std::process::id());
            save("keepalived_check.data", &self.render_servers());
        }
        if !self.running.config.bfd.is_empty() {
            log::info!("Printing BFD data for process({}) on signal", std::process::id());
            save("keepalived_bfd.data", &bfd::render(&self.view(), &self.cores.bfd));
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
        let sessions = match self.running.config.bfd.is_empty() {
            true => String::new(),
            false => bfd::render(&self.view(), &self.cores.bfd),
        };
        for line in data::render(&self.view_with_sockets())
            .lines()
            .chain(servers.lines())
            .chain(sessions.lines())
        {
            log::info!("{line}");
        }
    }

    /// With the sockets, which only the data dump shows.
    fn view_with_sockets(&self) -> View<'_> {
        let mut sockets: BTreeMap<&Endpoint, Vec<InstanceId>> = BTreeMap::new();
        for &id in &self.running.ids {
            if let Some(endpoint) = self.network.endpoints.of(id) {
                sockets.entry(endpoint).or_default().push(id);
            }
        }
        View { sockets, ..self.view() }
    }
}

/// Writes a file. A failure is only logged.
fn save(name: &str, text: &str) {
    let dir = directory(std::env::var_os("TMPDIR").map(PathBuf::from));
    if let Err(e) = dumpfile::write_atomically(&dir, name, text, dumpfile::DUMP) {
        log::warn!("cannot write {}: {e}", dir.join(name).display());
    }
}

/// `TMPDIR` if it is absolute: a relative path would depend on the working directory at the start.
fn directory(tmpdir: Option<PathBuf>) -> PathBuf {
    tmpdir.filter(|d| d.is_absolute()).unwrap_or_else(|| Path::new("/tmp").to_path_buf())
}

#[cfg(test)]
mod tests;
