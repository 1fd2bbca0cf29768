//! Notification of changes: scripts, FIFOs and mail.

use std::net::IpAddr;
use std::time::Duration;

use super::script::{Script, User};

/// Notification settings of an instance or a sync group, with defaults resolved.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Notify {
    /// `notify_master`.
    pub master: Option<Box<Script>>,
    /// `notify_backup`.
    pub backup: Option<Box<Script>>,
    /// `notify_fault`.
    pub fault: Option<Box<Script>>,
    /// `notify_stop`.
    pub stop: Option<Box<Script>>,
    /// `notify_deleted SCRIPT` (instances).
    pub deleted: Option<Box<Script>>,
    /// `notify_deleted`: removal by a reload is reported as DELETED, not as FAULT (instances).
    pub says_deleted: bool,
    /// `notify`: run for every change, with four more arguments.
    pub any: Option<Box<Script>>,
    /// `notify_master_rx_lower_pri` (instances).
    pub master_rx_lower_pri: Option<Box<Script>>,
    /// `notify_priority_changes`: changes of the effective priority are written to the FIFOs
    /// (instances).
    pub priority_changes: bool,
    /// `smtp_alert`.
    pub mail: bool,
}

/// `smtp_server` and the other mail settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    pub server: MailServer,
    /// Default 25.
    pub port: u16,
    /// `smtp_helo_name`; default: the host name.
    pub helo: String,
    /// `smtp_connect_timeout`, for every step of the SMTP session; default 30 s.
    pub timeout: Duration,
    /// `notification_email_from`; default: user@host.
    pub from: String,
    /// `notification_email`: `a@b` or `Name <a@b>`.
    pub recipients: Vec<String>,
    /// `no_email_faults`: no mail for FAULT.
    pub no_faults: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MailServer {
    Address(IpAddr),
    /// Resolved when needed, without blocking the daemon.
    Name(String),
    /// `smtp_alert_file`: messages are appended to this file instead.
    File(String),
}

/// `notify_fifo`, `vrrp_notify_fifo` or `lvs_notify_fifo`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fifo {
    pub path: String,
    /// Owner of the FIFO, if the daemon creates it.
    pub owner: User,
    /// Reader, started with the path as an additional argument.
    pub script: Option<Script>,
}

/// The three FIFOs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fifos {
    /// `notify_fifo`: events of virtual routers and of virtual servers.
    pub all: Option<Fifo>,
    /// `vrrp_notify_fifo`.
    pub vrrp: Option<Fifo>,
    /// `lvs_notify_fifo`.
    pub lvs: Option<Fifo>,
    /// `fifo_write_vrrp_states_on_reload`.
    pub states_on_reload: bool,
}

/// `startup_script` or `shutdown_script`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LifeScript {
    pub script: Script,
    /// `startup_script_timeout`, `shutdown_script_timeout`; default 10 s.
    pub timeout: Duration,
}
