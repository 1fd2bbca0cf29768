//! `vrrp_sync_group` as it is written.

use super::notify::RawNotify;
use super::track::{
    RawLink, TrackList, TRACK_BFD, TRACK_FILES, TRACK_INTERFACE, TRACK_PROCESS, TRACK_SCRIPT,
};
use crate::config::document::Word;
use crate::config::keyword::{Repeat, ValueKind};
use crate::config::table::{borrowed, entries, flag, names, script, switch, table, Table};

#[derive(Default)]
pub(in crate::config) struct RawGroup<'d> {
    pub name: Word<'d>,
    pub members: Vec<Word<'d>>,
    pub links: Vec<RawLink<'d>>,
    pub tracked: Vec<TrackList<'d>>,
    pub notify: RawNotify<'d>,
    pub tracking_weight: bool,
}

borrowed!(RawGroup);

pub(in crate::config) static VRRP_SYNC_GROUP: Table<RawGroup<'static>> = table!(RawGroup<'static>, "vrrp_sync_group", [
    names("group", ValueKind::Text).repeat(Repeat::FirstCounts)
        => |raw, mut s| s.names(&mut raw.members),
    entries("track_interface", &TRACK_INTERFACE.entry)
        => |raw, mut s| s.lines(&mut raw.links, RawLink::read),
    entries("track_script", &TRACK_SCRIPT.entry)
        => |raw, s| raw.tracked.push(TrackList::scripts(s.node())),
    entries("track_file", &TRACK_FILES.entry)
        => |raw, s| raw.tracked.push(TrackList::files(s.node())),
    entries("track_process", &TRACK_PROCESS.entry)
        => |raw, s| raw.tracked.push(TrackList::processes(s.node())),
    entries("track_bfd", &TRACK_BFD.entry)
        => |raw, s| raw.tracked.push(TrackList::sessions(s.node())),
    script("notify_backup") => |raw, s| raw.notify.backup = Some(s.node()),
    script("notify_master") => |raw, s| raw.notify.master = Some(s.node()),
    script("notify_fault") => |raw, s| raw.notify.fault = Some(s.node()),
    script("notify_stop") => |raw, s| raw.notify.stop = Some(s.node()),
    script("notify") => |raw, s| raw.notify.any = Some(s.node()),
    switch("smtp_alert").default("smtp_alert_vrrp, else smtp_alert in global_defs, else off")
        => |raw, s| raw.notify.smtp_alert = Some(s.value),
    flag("global_tracking").outdated("sync_group_tracking_weight"),
    flag("sync_group_tracking_weight") => |raw, _| raw.tracking_weight = true,
    switch("notify_priority_changes").default("vrrp_notify_priority_changes")
        => |raw, s| raw.notify.priority_changes = Some(s.value),
]);
