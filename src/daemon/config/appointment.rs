//! `reload_time_file`: a file names the time of a reload.

use std::io;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use crate::base::appointment::{Appointment, Civil};
use crate::base::sorted::SortedSet;
use crate::base::time::{Duration, Instant, WallTime};
use crate::daemon::runtime::Runtime;
use crate::daemon::tokens::Owner;
use crate::sys::inotify::FileWatch;
use crate::sys::{clock, files, reason};

/// Longest text of the first line.
const LONGEST: u64 = 64;
/// The wall clock may be set while nothing else happens.
const GLANCE: Duration = Duration::from_secs(60);

/// The time of the next reload, and the file that names it.
#[derive(Debug, Default)]
pub(in crate::daemon) struct Schedule {
    watch: Option<(String, FileWatch<()>)>,
    at: Option<(WallTime, Appointment)>,
}

impl Schedule {
    /// The time, by the local calendar.
    pub(in crate::daemon) fn shown(&self) -> Option<String> {
        let (at, appointment) = self.at?;
        let how = if appointment.has_date() { " (date specified)" } else { "" };
        Some(shown(at) + how)
    }
}

impl Runtime {
    /// Follows the file of the configuration in force.
    pub(in crate::daemon) fn set_up_schedule(&mut self) {
        let wanted = self.running.config.global.reload.time_file.clone();
        if self.running.schedule.watch.as_ref().map(|(path, _)| path) != wanted.as_ref() {
            if let Some((_, watch)) = self.running.schedule.watch.take() {
                self.poll.remove(watch.as_raw_fd());
            }
            self.running.schedule.watch = wanted.and_then(|path| {
                let watch = self.watch_schedule(&path);
                let failed = |e: io::Error| {
                    let why = reason(&e);
                    log::warn!("reload_time_file {path} is read at reloads only: {why}");
                };
                Some((path.clone(), watch.map_err(failed).ok()?))
            });
        }
        self.read_schedule();
    }

    fn watch_schedule(&mut self, path: &str) -> io::Result<FileWatch<()>> {
        let mut watch = FileWatch::new()?;
        watch.watch((), Path::new(path))?;
        self.poll.add(watch.as_raw_fd(), Owner::Schedule)?;
        Ok(watch)
    }

    /// Takes the time that the file names by now.
    fn read_schedule(&mut self) {
        let before = self.running.schedule.at.take();
        let found = self.running.config.global.reload.time_file.as_ref().and_then(|path| {
            let text = String::from_utf8(files::read(path, LONGEST, &|| {}).ok()?).ok()?;
            let line = text.lines().next().unwrap_or_default().trim();
            let found = Appointment::parse(line)
                .and_then(|a| Ok((a.next(clock::wall(), civil, clock::moment_of)?, a)));
            if let (Err(why), false) = (&found, line.is_empty()) {
                log::warn!("Reload time {line} {why} - ignoring");
            }
            found.ok()
        });
        let (was, is) = (before.map(|(at, _)| at), found.map(|(at, _)| at));
        match (was, is) {
            (None, Some(is)) => log::info!("Scheduling reload for {}", shown(is)),
            (Some(was), None) => log::info!("Cancelling reload scheduled for {}", shown(was)),
            (Some(was), Some(is)) if was != is => {
                log::info!("Reload time updated from {} to {}", shown(was), shown(is));
            }
            _ => {}
        }
        self.running.schedule.at = found;
    }

    /// The file has changed, or it is time.
    pub(in crate::daemon) fn serve_schedule(&mut self) {
        if self.pace.ready.remove(&Owner::Schedule) {
            let mut changed = SortedSet::new();
            if let Some((_, watch)) = &mut self.running.schedule.watch {
                if let Err(e) = watch.read(&mut changed) {
                    log::warn!("cannot watch reload_time_file: {}", reason(&e));
                }
            }
            if !changed.is_empty() {
                self.read_schedule();
            }
        }
        let Some((at, appointment)) = self.running.schedule.at else { return };
        if clock::wall() < at {
            return;
        }
        self.running.schedule.at = None;
        let reload = &self.running.config.global.reload;
        let stays = reload.repeat && !appointment.has_date();
        if let Some(path) = reload.time_file.as_ref().filter(|_| !stays) {
            if let Err(e) = files::remove(path) {
                log::warn!("cannot remove reload_time_file {path}: {}", reason(&e));
            }
        }
        log::info!("Reloading at the time of reload_time_file, {}", shown(at));
        self.reload();
    }

    pub(in crate::daemon) fn schedule_deadline(&self) -> Option<Instant> {
        let (at, _) = self.running.schedule.at?;
        let left = Duration::from_micros(at.0.saturating_sub(clock::wall().0));
        Some(self.now + left.min(GLANCE))
    }
}

fn civil(at: WallTime) -> Civil {
    let local = clock::local(at);
    let month = u8::try_from(local.month).unwrap_or_default() + 1;
    let clock::Local { year, day, hour, minute, second, .. } = local;
    Civil { year, month, day, hour, minute, second }
}

/// `2026-11-27 12:30:00`, by the local calendar.
fn shown(at: WallTime) -> String {
    let Civil { year, month, day, hour, minute, second } = civil(at);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}
