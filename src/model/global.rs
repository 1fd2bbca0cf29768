//! `global_defs` and the top-level keywords without a block, as far as they have an effect.
//!
//! Defaults that an instance can override are resolved when the instance is lowered; only settings
//! of the daemon as a whole are kept here.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::firewall::Firewall;
use super::notify::{Fifos, LifeScript, Mail};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Global {
    /// `router_id`; default: the host name (filled in at start).
    pub router_id: Option<String>,
    /// `vrrp_startup_delay`: until it is over, no advertisement is sent or processed.
    pub startup_delay: Duration,
    /// `dynamic_interfaces`: an interface may be missing at start.
    pub dynamic_interfaces: bool,
    /// `log_unknown_vrids`.
    pub log_unknown_vrids: bool,
    /// `vrrp_mcast_group4`, default 224.0.0.18 (RFC 9568 §5.1.1.2).
    pub mcast_group4: Ipv4Addr,
    /// `vrrp_mcast_group6`, default ff02::12 (RFC 9568 §5.1.2.2).
    pub mcast_group6: Ipv6Addr,
    /// `vrrp_garp_interval`: minimum time between gratuitous ARPs on one interface; 0: none.
    pub garp_interval: Duration,
    /// `vrrp_gna_interval`: the same for neighbour advertisements.
    pub gna_interval: Duration,
    /// `vrrp_rx_bufs_*` resolved to bytes; `None` leaves the daemon's own default.
    pub rx_buffer: Option<usize>,
    /// `default_interface`: for static addresses without an interface.
    pub default_interface: Option<String>,
    /// `net_namespace`.
    pub net_namespace: Option<String>,
    /// `instance NAME`: distinguishes several daemons on one host.
    pub instance_name: Option<String>,
    /// `use_pid_dir`, also implied by `instance`.
    pub use_pid_dir: bool,
    /// `umask`, default 0177.
    pub umask: u32,
    /// `vrrp_priority`: nice value -20..=19.
    pub nice: Option<i8>,
    /// `vrrp_rt_priority`: SCHED_RR priority 1..=99.
    pub rt_priority: Option<u8>,
    /// `vrrp_no_swap`: lock all memory.
    pub no_swap: bool,
    /// `nftables`, `vrrp_iptables` and what belongs to them.
    pub firewall: Firewall,
    /// `smtp_server`; `None`: no mail is sent.
    pub mail: Option<Mail>,
    pub fifos: Fifos,
    /// `enable_script_security`: commands that users other than root can change do not run as root.
    pub script_security: bool,
    /// `use_symlink_paths`: commands are executed by the configured path, not by the resolved one.
    pub use_symlink_paths: bool,
    /// `startup_script`: finishes before anything else starts.
    pub startup_script: Option<LifeScript>,
    /// `shutdown_script`: runs after everything else has stopped.
    pub shutdown_script: Option<LifeScript>,
}

impl Default for Global {
    fn default() -> Self {
        Self {
            router_id: None,
            startup_delay: Duration::ZERO,
            dynamic_interfaces: false,
            log_unknown_vrids: false,
            mcast_group4: Ipv4Addr::new(224, 0, 0, 18),
            mcast_group6: Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12),
            garp_interval: Duration::ZERO,
            gna_interval: Duration::ZERO,
            rx_buffer: None,
            default_interface: None,
            net_namespace: None,
            instance_name: None,
            use_pid_dir: false,
            umask: 0o177,
            nice: None,
            rt_priority: None,
            no_swap: false,
            firewall: Firewall::default(),
            mail: None,
            fifos: Fifos::default(),
            script_security: false,
            use_symlink_paths: false,
            startup_script: None,
            shutdown_script: None,
        }
    }
}
