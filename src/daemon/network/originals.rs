//! Changed settings of the host, in a file from which the next run restores them after a crash.

use crate::base::addr::Family;
use crate::daemon::runtime::Runtime;
use crate::sys::originals::{self, Original};
use crate::sys::{reason, sysctl};

impl Runtime {
    /// Restores what an earlier run, which was killed, has changed.
    pub(in crate::daemon) fn restore_originals(&mut self) {
        let Some(path) = self.network.originals_file.clone() else { return };
        let left = match originals::load(&path) {
            Ok(left) => left,
            Err(e) => {
                let path = path.display();
                return log::warn!("{path}: original settings are not restored: {}", reason(&e));
            }
        };
        for Original { index, link, family, setting, before, ours } in left.into_iter().rev() {
            let known = self.cores.holdings.links().get(&link).map(|link| link.index);
            let is_same = index == 0 || known == Some(index);
            let now = sysctl::read(family, &link, &setting);
            if is_same && now.is_ok_and(|now| now == ours) {
                match sysctl::write(family, &link, &setting, &before) {
                    Ok(()) => log::info!(
                        "{setting} of {link}, changed by an earlier run: restored to {before}"
                    ),
                    Err(e) => {
                        log::warn!("cannot restore {setting} of {link}: {}", reason(&e));
                    }
                }
            }
        }
        self.network.originals_are_stale = true;
    }

    /// Writes the file if a setting was changed or restored.
    pub(in crate::daemon) fn save_originals(&mut self) {
        if !std::mem::take(&mut self.network.originals_are_stale) {
            return;
        }
        let Some(path) = self.network.originals_file.clone() else { return };
        if let Err(e) = originals::save(&path, &self.changed_settings()) {
            let path = path.display();
            log::warn!("{path}: original settings are lost after a crash: {}", reason(&e));
        }
    }

    fn changed_settings(&self) -> Vec<Original> {
        let original = |index, link: &str, setting: &str, before: &str, ours: &str| Original {
            index,
            link: link.to_owned(),
            family: Family::V4,
            setting: setting.to_owned(),
            before: before.to_owned(),
            ours: ours.to_owned(),
        };
        let links = self.cores.holdings.links();
        let name = |index| links.by_index(index).map(|link| link.name.as_str());
        let of_links =
            self.cores.holdings.changed_settings().filter_map(|(index, setting, before)| {
                Some(original(
                    index,
                    name(index)?,
                    setting.name(),
                    before,
                    &setting.value().to_string(),
                ))
            });
        let index = |name: &str| links.get(name).map_or(0, |link| link.index);
        let paths = self.network.reverse_path.iter().map(|changed| {
            original(
                index(&changed.link),
                &changed.link,
                "rp_filter",
                &changed.before,
                &changed.ours,
            )
        });
        of_links.chain(paths).collect()
    }
}
