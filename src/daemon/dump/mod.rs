//! The files that SIGUSR1, SIGUSR2 and the JSON signal write.
//!
//! Their content is rendered here and in the submodules from a [`View`] alone; `sys::dumpfile`
//! writes the files safely.

mod bfd;
mod data;
mod fib;
mod global;
mod instance;
mod json;
mod link;
mod lvs;
mod path;
mod stats;
mod text;
mod track;

use std::path::PathBuf;

use path::Name;

use crate::base::parts;
use crate::daemon::runtime::Runtime;
use crate::daemon::view::View;
use crate::model::dumps::JsonVersion;
use crate::sys::dumpfile;

impl Runtime {
    /// SIGUSR1: the complete state, for operators and for scripts that search for single lines.
    pub(super) fn dump_data(&self) {
        self.save_data("_parent", &data::render_globals(&self.detailed_view()));
        for (part, text) in self.state_files() {
            let (name, suffix) = match part {
                "check" => ("checker", "_check"),
                "bfd" => ("BFD", "_bfd"),
                _ => ("VRRP", ""),
            };
            log::info!("Printing {name} data for process({}) on signal", std::process::id());
            self.save_data(suffix, &text);
        }
    }

    /// What SIGUSR1 writes, by the part of the daemon.
    pub(super) fn state_files(&self) -> Vec<(&'static str, String)> {
        let mut files = vec![("vrrp", data::render(&self.detailed_view()))];
        if parts::LVS && !self.running.config.virtual_servers.is_empty() {
            let services: Vec<_> = self.lvs.services().collect();
            files.push(("check", lvs::render(&self.detailed_view(), &services, &self.lvs.pool)));
        }
        if parts::BFD && !self.running.config.bfd.is_empty() {
            let sockets = &self.network.sessions;
            let receivers = sockets.receivers().map(|(port, fd)| (port.is_multihop(), fd));
            let sender = |id| sockets.sender(id);
            let fds = bfd::Descriptors { receivers: receivers.collect(), sender: &sender };
            files.push(("bfd", bfd::render(&self.detailed_view(), &self.cores.bfd, &fds)));
        }
        files
    }

    /// SIGUSR2: the counters of each instance.
    pub(super) fn dump_stats(&self) {
        log::info!("Printing VRRP stats for process({}) on signal", std::process::id());
        let given = self.running.config.global.dumps.stats.as_deref();
        let name = Name { given, usual: "keepalived.stats", part: "", daemon: "" };
        save(name, &stats::render(&self.view()));
    }

    /// The JSON signal. Without instances, no file is written, unless there are virtual servers: they
    /// are in an object, as with `json_version 2`, for old readers would not find their way in a list.
    pub(super) fn dump_json(&self) {
        let config = &self.running.config;
        if config.instances.is_empty() && config.virtual_servers.is_empty() {
            return;
        }
        log::info!("Printing VRRP as json for process({}) on signal", std::process::id());
        let is_list = config.global.dumps.json_version == JsonVersion::List;
        let text = match is_list && !config.instances.is_empty() {
            true => json::render(&self.view()),
            false => json::render_all(&self.view(), &self.journal, self.lvs.services()),
        };
        let given = config.global.dumps.json.as_deref();
        save(Name { given, usual: "keepalived.json", part: "", daemon: "" }, &text);
    }

    fn save_data(&self, part: &str, text: &str) {
        let global = &self.running.config.global;
        let daemon = [&global.net_namespace, &global.instance_name].into_iter().flatten();
        let daemon = daemon.filter(|_| global.dumps.use_instance);
        let daemon = daemon.map(String::as_str).collect::<Vec<_>>().join("_");
        let given = global.dumps.state.as_deref();
        save(Name { given, usual: "keepalived.data", part, daemon: &daemon }, text);
    }

    /// `--dump-conf`: logs the content of the SIGUSR1 file.
    pub(super) fn dump_config(&self) {
        for (_, text) in self.state_files() {
            text.lines().for_each(|line| log::info!("{line}"));
        }
    }
}

/// Writes a file. A failure is only logged.
fn save(name: Name<'_>, text: &str) {
    let temporary = path::temporary(std::env::var_os("TMPDIR").map(PathBuf::from));
    let (dir, name) = name.place(&temporary);
    if let Err(e) = dumpfile::write_atomically(&dir, &name, text, dumpfile::DUMP) {
        log::warn!("cannot write {}: {e}", dir.join(name).display());
    }
}

#[cfg(test)]
mod tests;
