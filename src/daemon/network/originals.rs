//! Changed settings of the host and interfaces that were made, in a file from which the next run
//! restores them after a crash.

use crate::base::addr::Family;
use crate::daemon::network::igmp;
use crate::daemon::runtime::Runtime;
use crate::holdings;
use crate::sys::originals::{self, Original, Traces};
use crate::sys::{reason, sysctl};

impl Runtime {
    /// Restores the settings that an earlier run, which was killed, has changed. Returns index and
    /// name of each interface that it made.
    pub(in crate::daemon) fn restore_originals(&mut self) -> Vec<(u32, String)> {
        let Some(path) = self.network.originals_file.clone() else { return Vec::new() };
        let left = match originals::load(&path) {
            Ok(left) => left,
            Err(e) => {
                let path = path.display();
                log::warn!("{path}: original settings are not restored: {}", reason(&e));
                return Vec::new();
            }
        };
        self.network.traces = left.clone();
        let settings = left.settings.into_iter().rev();
        for Original { index, link, family, setting, before, ours } in settings {
            let known = self.cores.holdings.links().get(&link).map(|link| link.index);
            let is_same = index == 0 || known == Some(index);
            let now = sysctl::read(family, &link, &setting);
            if is_same && now.is_ok_and(|now| now == ours) {
                match sysctl::write(family, &link, &setting, &before) {
                    Ok(()) if link == sysctl::NETWORK => {
                        log::info!("{setting}, changed by an earlier run: restored to {before}")
                    }
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
        left.links
    }

    /// Removes interfaces that an earlier run made and that are not wanted any more.
    pub(in crate::daemon) fn remove_left_links(&mut self, left: Vec<(u32, String)>) {
        for (index, name) in left {
            self.cores.holdings(holdings::Input::LeftLink { index, name: &name }, self.now);
        }
        self.drain();
    }

    /// Writes the file if a setting or an interface in it is another one.
    pub(in crate::daemon) fn save_originals(&mut self) {
        if !std::mem::take(&mut self.network.originals_are_stale) {
            return;
        }
        let Some(path) = self.network.originals_file.clone() else { return };
        let links = self.cores.holdings.traces().into_iter().collect();
        let traces = Traces { settings: self.changed_settings(), links };
        if traces == self.network.traces {
            return;
        }
        match originals::save(&path, &traces) {
            Ok(()) => self.network.traces = traces,
            Err(e) => {
                let path = path.display();
                log::warn!("{path}: original settings are lost after a crash: {}", reason(&e));
            }
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
        let igmp = self.network.igmp_before.iter();
        let igmp = igmp.map(|before| original(0, sysctl::NETWORK, igmp::SETTING, before, "0"));
        of_links.chain(paths).chain(igmp).collect()
    }
}
