//! Notification settings: mail, FIFOs, commands.

use super::text::{put, Printer};
use crate::model::notify::{Mail, MailServer, Notify};
use crate::model::Global;

impl Printer {
    pub(super) fn outlets(&mut self, global: &Global) {
        let fifos = &global.fifos;
        macro_rules! fifo {
            ($name:literal $fifo:expr) => {
                put!(self, GLOBAL_DEFS { for fifo in $fifo.iter() => {
                    $name: &fifo.path, fifo.owner;
                    $name "_script": &fifo.script;
                } })
            };
        }
        macro_rules! life {
            ($name:literal $life:expr) => {
                put!(self, GLOBAL_DEFS { for life in $life.iter() => {
                    $name: &life.script;
                    $name "_timeout": life.timeout.as_secs();
                } })
            };
        }
        global.mail.iter().for_each(|mail| self.mail(mail));
        fifo!("notify_fifo" fifos.all);
        fifo!("vrrp_notify_fifo" fifos.vrrp);
        fifo!("lvs_notify_fifo" fifos.lvs);
        put!(self, GLOBAL_DEFS { "fifo_write_vrrp_states_on_reload" if fifos.states_on_reload });
        life!("startup_script" global.startup_script);
        life!("shutdown_script" global.shutdown_script);
    }

    fn mail(&mut self, mail: &Mail) {
        put!(self, GLOBAL_DEFS {
            match &mail.server => {
                MailServer::Address(addr) => { "smtp_server": addr.to_string(), mail.port }
                MailServer::Name(name) => { "smtp_server": name, mail.port }
                MailServer::File(path) => { "smtp_alert_file": path }
            };
            "smtp_helo_name": &mail.helo;
            "smtp_connect_timeout": mail.timeout.as_secs();
            "notification_email_from": &mail.from;
            "notification_email" => each &mail.recipients;
            "no_email_faults" if mail.no_faults;
        });
    }

    /// Of an instance or a group.
    pub(super) fn notify(&mut self, n: &Notify) {
        put!(self, VRRP_INSTANCE | VRRP_SYNC_GROUP {
            "notify_master": &n.master;
            "notify_backup": &n.backup;
            "notify_fault": &n.fault;
            "notify_stop": &n.stop;
        });
        put!(self, VRRP_INSTANCE { "notify_deleted": &n.deleted });
        put!(self, VRRP_INSTANCE | VRRP_SYNC_GROUP { "notify": &n.any });
        put!(self, VRRP_INSTANCE {
            "notify_master_rx_lower_pri": &n.master_rx_lower_pri;
            "notify_deleted" if n.says_deleted && n.deleted.is_none();
        });
        put!(self, VRRP_INSTANCE | VRRP_SYNC_GROUP {
            "notify_priority_changes" if n.priority_changes;
            "smtp_alert" if n.mail;
        });
    }
}
