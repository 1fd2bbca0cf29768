//! `global_defs` and the top-level keywords without a block, as far as they have an effect.
//!
//! Defaults that an instance can override are resolved when the instance is lowered; here they are
//! kept for display only.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::control::{ControlGroup, ControlSocket, MetricsListen};
use super::dumps::Dumps;
use super::firewall::Firewall;
use super::notify::{Fifos, LifeScript, Mail};
use super::reload::Reload;
use super::sandbox::Sandbox;
use super::shown::Shown;

/// Scheduling that is asked for one subsystem.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct SubsystemScheduling {
    /// Nice value -20..=19.
    pub nice: Option<i8>,
    /// SCHED_RR priority 1..=99.
    pub rt_priority: Option<u8>,
    /// Lock all memory.
    pub no_swap: bool,
    /// Numbers of processors; empty: all.
    pub cpus: Vec<u16>,
    /// Microseconds of processor time under real-time scheduling without waiting.
    pub rt_limit: Option<u32>,
}

/// Receive buffer of a netlink socket.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ReceiveBuffer {
    /// `None`: the daemon's own default.
    pub bytes: Option<usize>,
    /// Beyond the limit of the system.
    pub force: bool,
}

impl ReceiveBuffer {
    /// The larger one, for a socket that serves both.
    pub fn or_larger(self, other: Self) -> Self {
        let (bytes, given) = (self.bytes.max(other.bytes), |b: Self| b.force && b.bytes.is_some());
        Self { bytes, force: given(self) || given(other) }
    }
}

/// Receive buffers of netlink sockets.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct NetlinkBuffers {
    /// `vrrp_netlink_cmd_rcv_bufs`
    pub vrrp_cmd: ReceiveBuffer,
    /// `vrrp_netlink_monitor_rcv_bufs`
    pub vrrp_monitor: ReceiveBuffer,
    /// `lvs_netlink_cmd_rcv_bufs`
    pub lvs_cmd: ReceiveBuffer,
    /// `lvs_netlink_monitor_rcv_bufs`
    pub lvs_monitor: ReceiveBuffer,
    /// `process_monitor_rcv_bufs`
    pub processes: ReceiveBuffer,
}

impl NetlinkBuffers {
    /// Of the one socket that monitors interfaces and addresses.
    pub fn monitor(&self) -> ReceiveBuffer {
        self.vrrp_monitor.or_larger(self.lvs_monitor)
    }
}

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
    pub buffers: NetlinkBuffers,
    /// `vmac_prefix`: start of the names of virtual interfaces; default: vrrp.
    pub vmac_prefix: Option<String>,
    /// `vmac_addr_prefix`: the same for those of single addresses; default: `vmac_prefix`.
    pub vmac_addr_prefix: Option<String>,
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
    /// `vrrp_priority`, `vrrp_rt_priority` and the like.
    pub vrrp: SubsystemScheduling,
    /// `checker_priority` and the like.
    pub checker: SubsystemScheduling,
    /// `bfd_priority` and the like.
    pub bfd: SubsystemScheduling,
    /// `max_auto_priority`: real-time priority up to which the daemon raises itself when it is late;
    /// 0: never.
    pub max_auto_priority: u8,
    /// `min_auto_priority_delay`: lateness that is worth it.
    pub min_auto_priority_delay: Duration,
    /// `vrrp_delay_after_boot`: as `startup_delay`, counted from the boot of the host.
    pub delay_after_boot: Duration,
    /// `process_name`, at most 15 bytes.
    pub process_name: Option<String>,
    /// `random_seed`
    pub random_seed: Option<u32>,
    /// `disable_local_igmp`: the host does not report its membership in link-local groups.
    pub disable_local_igmp: bool,
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
    /// `control_socket`; `None`: beside the pid file.
    pub control_socket: Option<ControlSocket>,
    /// `control_read_group`: may read the status through the control socket.
    pub control_read_group: Option<ControlGroup>,
    /// For display only.
    pub shown: Shown,
    pub dumps: Dumps,
    pub reload: Reload,
    /// `metrics_listen`: where metrics and the status page are served; `None`: nowhere.
    pub metrics_listen: Option<MetricsListen>,
    /// `sandbox`
    pub sandbox: Sandbox,
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
            buffers: NetlinkBuffers::default(),
            vmac_prefix: None,
            vmac_addr_prefix: None,
            default_interface: None,
            net_namespace: None,
            instance_name: None,
            use_pid_dir: false,
            umask: 0o177,
            vrrp: SubsystemScheduling::default(),
            checker: SubsystemScheduling::default(),
            bfd: SubsystemScheduling::default(),
            max_auto_priority: 0,
            min_auto_priority_delay: Duration::from_secs(1),
            delay_after_boot: Duration::ZERO,
            process_name: None,
            random_seed: None,
            disable_local_igmp: false,
            firewall: Firewall::default(),
            mail: None,
            fifos: Fifos::default(),
            script_security: false,
            use_symlink_paths: false,
            control_socket: None,
            control_read_group: None,
            shown: Shown::default(),
            dumps: Dumps::default(),
            reload: Reload::default(),
            metrics_listen: None,
            sandbox: Sandbox::On,
            startup_script: None,
            shutdown_script: None,
        }
    }
}
