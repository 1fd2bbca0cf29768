//! Notification settings and commands of an instance or a sync group.

use super::Scene;
use crate::config::keywords::RawNotify;
use crate::model::notify::Notify;

/// Looks up the commands, and takes defaults from `global_defs`.
pub(super) fn notify(scene: &mut Scene<'_, '_>, raw: &RawNotify<'_>) -> Notify {
    Notify {
        master: raw.master.and_then(|node| scene.notify_script(node)).map(Box::new),
        backup: raw.backup.and_then(|node| scene.notify_script(node)).map(Box::new),
        fault: raw.fault.and_then(|node| scene.notify_script(node)).map(Box::new),
        stop: raw.stop.and_then(|node| scene.notify_script(node)).map(Box::new),
        deleted: raw.deleted.and_then(|node| scene.notify_script(node)).map(Box::new),
        any: raw.any.and_then(|node| scene.notify_script(node)).map(Box::new),
        master_rx_lower_pri: raw
            .master_rx_lower_pri
            .and_then(|node| scene.notify_script(node))
            .map(Box::new),
        says_deleted: raw.deleted.is_some(),
        priority_changes: raw.priority_changes.unwrap_or(scene.defaults.priority_changes),
        mail: raw.smtp_alert.unwrap_or(scene.defaults.smtp_alert),
    }
}
