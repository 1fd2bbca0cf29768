//! Whom an instance or a sync group tells of changes.

use super::Scene;
use crate::config::document::Node;
use crate::config::statement::Statement;
use crate::config::value::Value;
use crate::model::notify::Notify;

/// `notify...` and `smtp_alert`, as written.
#[derive(Default)]
pub(super) struct RawNotify<'d> {
    scripts: Vec<(&'static str, Node<'d>)>,
    says_deleted: bool,
    smtp_alert: Option<bool>,
    pub priority_changes: Option<bool>,
}

impl<'d> RawNotify<'d> {
    /// Takes a statement; false if it is about something else.
    pub(super) fn take(&mut self, s: &Statement<'d>) -> bool {
        let on = match s.value {
            Value::Bool(on) => on,
            _ => true,
        };
        match s.keyword.name {
            "smtp_alert" => self.smtp_alert = Some(on),
            "notify_priority_changes" => self.priority_changes = Some(on),
            name if name == "notify" || name.starts_with("notify_") => {
                self.says_deleted |= name == "notify_deleted";
                self.scripts.push((name, s.node));
            }
            _ => return false,
        }
        true
    }

    /// Looks the commands up, and takes from `global_defs` what is not said.
    pub(super) fn settle(self, scene: &mut Scene<'_, '_>) -> Notify {
        let mut notify = Notify {
            says_deleted: self.says_deleted,
            priority_changes: self.priority_changes.unwrap_or(scene.defaults.priority_changes),
            mail: self.smtp_alert.unwrap_or(scene.defaults.smtp_alert),
            ..Notify::default()
        };
        for (name, node) in self.scripts {
            let place = match name {
                "notify_master" => &mut notify.master,
                "notify_backup" => &mut notify.backup,
                "notify_fault" => &mut notify.fault,
                "notify_stop" => &mut notify.stop,
                "notify_deleted" => &mut notify.deleted,
                "notify" => &mut notify.any,
                "notify_master_rx_lower_pri" => &mut notify.master_rx_lower_pri,
                _ => {
                    debug_assert!(false, "'{name}' is in effect and nobody reads it");
                    continue;
                }
            };
            *place = scene.notify_script(node);
        }
        notify
    }
}
