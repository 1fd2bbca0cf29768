//! `sandbox strict`: the daemon writes files in few places, and makes the system calls of a program that
//! executes no other.

use std::path::{Path, PathBuf};

use crate::base::sorted::SortedSet;
use crate::daemon::runtime::Runtime;
use crate::model::control::{ControlSocket, MetricsListen};
use crate::model::notify::MailServer;
use crate::model::reload::Marker;
use crate::model::Config;
use crate::sys::{confine, reason};

impl Runtime {
    /// Files: before the capabilities, without which the kernel would refuse it on older kernels.
    pub(super) fn confine_files(&self) {
        if let Err(e) = confine::refuse_new_rights() {
            log::error!("sandbox strict: the kernel cannot refuse new rights: {}", reason(&e));
        }
        let places = self.written();
        match confine::write_only_below(&places) {
            Ok(()) => {
                let names: Vec<_> =
                    places.iter().map(|place| place.display().to_string()).collect();
                log::info!("Files are written below these only: {}", names.join(" "));
            }
            Err(e) => log::warn!(
                "sandbox strict: files are not protected, as Landlock is not to be had: {}",
                reason(&e)
            ),
        }
    }

    /// Where this daemon writes.
    fn written(&self) -> Vec<PathBuf> {
        let options = &self.options;
        let temporary = std::env::var_os("TMPDIR").map(PathBuf::from);
        let temporary = temporary.filter(|path| path.is_absolute());
        let temporary = temporary.unwrap_or_else(|| PathBuf::from("/tmp"));
        let control = options.control.as_ref().and_then(of_control).map(Path::new);
        let metrics = options.metrics.as_ref().and_then(of_metrics).map(Path::new);
        // The others of the run directory are beside these.
        let of_run = [&self.process.in_force, &self.control.default_path];
        let given = [
            &options.log_file,
            &options.pid_file,
            &options.vrrp_pid_file,
            &options.checkers_pid_file,
            &options.bfd_pid_file,
        ];
        let files = of_run.into_iter().chain(given.into_iter().flatten()).map(PathBuf::as_path);
        let files = files.chain(control).chain(metrics);
        written(&self.running.config, files, &temporary).into_iter().collect()
    }
}

fn of_control(socket: &ControlSocket) -> Option<&String> {
    match socket {
        ControlSocket::At(path) => Some(path),
        ControlSocket::Off => None,
    }
}

fn of_metrics(listen: &MetricsListen) -> Option<&String> {
    match listen {
        MetricsListen::Unix(path) => Some(path),
        MetricsListen::Off | MetricsListen::Network(_) => None,
    }
}

/// The directories of these files, and of those that the configuration names.
fn written<'a>(
    config: &'a Config,
    files: impl Iterator<Item = &'a Path>,
    temporary: &Path,
) -> SortedSet<PathBuf> {
    let global = &config.global;
    let mut list: SortedSet<_> = ["/proc/sys/net", "/dev/null"].map(PathBuf::from).into();
    list.insert(temporary.to_owned());
    list.extend(global.reload.save_dir.as_deref().map(PathBuf::from));
    let fifos = [&global.fifos.all, &global.fifos.vrrp, &global.fifos.lvs].into_iter().flatten();
    let mail = global.mail.as_ref().and_then(|mail| match &mail.server {
        MailServer::File(path) => Some(path),
        MailServer::Address(_) | MailServer::Name(_) => None,
    });
    let control = global.control_socket.as_ref().and_then(of_control);
    let metrics = global.metrics_listen.as_ref().and_then(of_metrics);
    let marker = global.reload.marker.as_ref().and_then(|marker| match marker {
        Marker::At(path) => Some(path),
        Marker::BesidePidFile => None,
    });
    let dumps = &global.dumps;
    let named =
        fifos.map(|fifo| &fifo.path).chain(mail).chain(control).chain(metrics).chain(marker);
    let named = named.chain([&dumps.state, &dumps.stats, &dumps.json].into_iter().flatten());
    let named = named.chain([&global.reload.check, &global.reload.time_file].into_iter().flatten());
    let named = named.chain(config.files.iter().map(|file| &file.path));
    let named = named.map(Path::new).chain(files).filter(|path| path.is_absolute());
    list.extend(named.filter_map(|path| path.parent()).map(Path::to_owned));
    // A file in the top directory does not open everything.
    list.remove(Path::new("/"));
    list
}

/// The filter of system calls: last, as it refuses what the other steps need.
pub(super) fn confine_calls() {
    match confine::filter().and_then(|filter| confine::obey(&filter).map(|()| filter.calls())) {
        Ok(calls) => log::info!("System calls: {calls} are allowed; no program can be executed"),
        Err(e) => {
            log::error!("sandbox strict: system calls are not filtered: {}", reason(&e));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_where_the_configuration_says() {
        let mut config = Config::default();
        config.global.reload.save_dir = Some("/var/saved".into());
        config.global.dumps.state = Some("/var/dumps/state".into());
        config.global.dumps.json = Some("relative".into());
        config.global.control_socket = Some(ControlSocket::At("/top.sock".into()));
        let files = [Path::new("/run/k/keepalived.in-force")].into_iter();
        let list = written(&config, files, Path::new("/tmp"));
        let list: Vec<_> = list.iter().map(|place| place.to_str().expect("text")).collect();
        let expected = ["/dev/null", "/proc/sys/net", "/run/k", "/tmp", "/var/dumps", "/var/saved"];
        assert_eq!(list, expected);
    }
}
