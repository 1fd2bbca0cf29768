//! Files that tell others of a reload: its marker, what is wrong with a text, and copies.

use std::path::{Path, PathBuf};

use super::in_force;
use crate::config::{print, Secrets};
use crate::daemon::config::reading::Reading;
use crate::daemon::runtime::Runtime;
use crate::model::reload::Marker;
use crate::model::Config;
use crate::sys::{dumpfile, files, reason};

/// Others look for it.
const MARKER_MODE: u32 = 0o644;

impl Runtime {
    /// The path of the file that exists while the configuration is read.
    fn marker(&self) -> Option<PathBuf> {
        match self.running.config.global.reload.marker.as_ref()? {
            Marker::At(path) => Some(path.into()),
            Marker::BesidePidFile => Some(self.process.in_force.with_extension("reload")),
        }
    }

    /// The configuration is being read.
    pub(super) fn set_marker(&self) -> Option<PathBuf> {
        let path = self.marker()?;
        write(&path, "", MARKER_MODE);
        Some(path)
    }

    /// `reload_check_config`: writes what is wrong with a text.
    pub(super) fn write_complaints(&self, reading: &Reading) {
        let path = self.running.config.global.reload.check.as_deref();
        if let Some(path) = path.filter(|path| *path != "/dev/null") {
            write(Path::new(path), &reading.text_of_complaints(), dumpfile::PRIVATE);
        }
    }

    /// `reload_check_config`: a text with any error is refused.
    pub(super) fn is_objectionable(&self, reading: &Reading) -> bool {
        self.running.config.global.reload.check.is_some() && reading.has_errors()
    }

    /// `config_save_dir`: keeps the configuration that is put in force.
    pub(in crate::daemon) fn save_configuration(&self, config: &Config) {
        let Some(folder) = self.save_folder(config) else { return };
        let name = format!("keepalived.conf.{}.{}", std::process::id(), self.running.saved);
        let text = print(config, Secrets::Shown);
        write(&folder.join(name), &text, dumpfile::PRIVATE);
    }

    /// Keeps the state `pre` and `post` a reload.
    pub(super) fn save_state(&self, when: &str) {
        let Some(folder) = self.save_folder(&self.running.config) else { return };
        for (part, text) in self.state_files() {
            let (pid, n) = (std::process::id(), self.running.saved);
            let name = format!("keepalived_{part}.{pid}.{n}.{when}");
            write(&folder.join(name), &text, dumpfile::PRIVATE);
        }
    }

    fn save_folder(&self, config: &Config) -> Option<PathBuf> {
        let folder = PathBuf::from(config.global.reload.save_dir.as_ref()?);
        match files::make_private_folder(&folder) {
            Ok(()) => Some(folder),
            Err(e) => {
                log::warn!("config_save_dir {}: {}", folder.display(), reason(&e));
                None
            }
        }
    }
}

/// The configuration was read.
pub(super) fn remove_marker(path: Option<PathBuf>) {
    if let Some(path) = path {
        in_force::remove(&path);
    }
}

fn write(path: &Path, text: &str, mode: u32) {
    if let Err(e) = dumpfile::replace(path, text, mode) {
        log::warn!("Cannot write {}: {}", path.display(), reason(&e));
    }
}
