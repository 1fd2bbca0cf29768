//! Global settings of IPVS and the checks.

use std::net::IpAddr;

use crate::model::check::Tls;

/// Global settings of IPVS and the checks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lvs {
    pub namespace: Namespace,
    /// `lvs_timeouts`.
    pub timeouts: Timeouts,
    /// `lvs_flush`: IPVS is cleared at start.
    pub flush: bool,
    pub flush_on_stop: FlushOnStop,
    /// `lvs_sync_daemon`.
    pub sync_daemon: Option<SyncDaemon>,
    /// `rs_init_notifies`: the first state of a real server is also notified.
    pub init_notifies: bool,
    /// `no_checker_emails`: mail only for changes of a real server, not for each check.
    pub no_checker_mail: bool,
    /// `SSL`: key material of every `SSL_GET`.
    pub tls: Tls,
}

/// `net_namespace_ipvs`: network namespace of IPVS.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Namespace {
    /// That of the daemon.
    #[default]
    Own,
    /// Without a name: the one the daemon was started in.
    Initial,
    Named(String),
}

/// `lvs_timeouts` in seconds, 0..=2,678,400; `None` and 0 keep the kernel's own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Timeouts {
    pub tcp: Option<u32>,
    pub tcp_fin: Option<u32>,
    pub udp: Option<u32>,
}

/// `lvs_flush_on_stop`: what to remove on stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FlushOnStop {
    /// Configured destinations, then configured services.
    #[default]
    Off,
    /// `VS`: configured services, including their destinations.
    Services,
    /// Everything in IPVS.
    All,
}

/// `lvs_sync_daemon`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyncDaemon {
    pub interface: String,
    /// The `vrrp_instance` whose state selects which of the two daemons runs. `None`: both run.
    pub instance: Option<String>,
    /// `id`, default that of the instance, else 0.
    pub id: u8,
    /// `maxlen`; `None`, here and below: the kernel's default.
    pub max_len: Option<u16>,
    pub port: Option<u16>,
    pub ttl: Option<u8>,
    /// Multicast group.
    pub group: Option<IpAddr>,
}

impl SyncDaemon {
    /// A sync daemon with all defaults and no instance.
    pub fn on(interface: &str) -> Self {
        Self {
            interface: interface.to_owned(),
            instance: None,
            id: 0,
            max_len: None,
            port: None,
            ttl: None,
            group: None,
        }
    }
}
