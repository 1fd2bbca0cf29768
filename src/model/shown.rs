//! Defaults of `global_defs` as the file has them. Every instance and check has its own value; these are
//! what the data dump shows of the defaults themselves.

use std::time::Duration;

use super::script::User;
use super::vrrp::{Garp, Version};

/// Equal to any other: a configuration that differs in nothing else behaves the same.
#[derive(Clone, Debug)]
pub struct Shown {
    /// `vrrp_process_name`, `checker_process_name` and `bfd_process_name`, or those of
    /// `process_names`.
    pub process_names: [Option<String>; 3],
    /// `smtp_alert`, `smtp_alert_vrrp` and `smtp_alert_checker`.
    pub mail: [Option<bool>; 3],
    /// `checker_log_all_failures`
    pub log_all_failures: bool,
    /// `dynamic_interfaces allow_if_changes`
    pub allow_link_changes: bool,
    /// `v3_checksum_as_v2`
    pub v3_checksum_as_v2: bool,
    /// `vrrp_notify_priority_changes`
    pub priority_changes: bool,
    /// `vrrp_garp_master_delay` and the like.
    pub garp: Garp,
    /// `vrrp_down_timer_adverts`
    pub down_timer_adverts: u32,
    /// `vrrp_lower_prio_no_advert`
    pub lower_prio_no_advert: bool,
    /// `vrrp_higher_prio_send_advert`
    pub higher_prio_send_advert: bool,
    /// `vrrp_version`
    pub version: Version,
    /// `vrrp_check_unicast_src`
    pub check_unicast_src: bool,
    /// `vrrp_skip_check_adv_addr`
    pub skip_check_adv_addr: bool,
    /// `vrrp_strict`
    pub strict: bool,
    /// `vrrp_owner_ignore_adverts`
    pub owner_ignore_adverts: bool,
    /// `script_user`, or the user in its place.
    pub script_user: Option<User>,
    /// `vrrp_rx_bufs_policy`
    pub rx_policy: RxPolicy,
    /// `vrrp_rx_bufs_multiplier`
    pub rx_multiplier: usize,
    /// `iproute_usr_dir`
    pub iproute_usr: Option<String>,
    /// `iproute_etc_dir`
    pub iproute_etc: Option<String>,
    /// `track_group`, with the names of its instances.
    pub track_groups: Vec<(String, Vec<String>)>,
}

/// `vrrp_rx_bufs_policy`
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum RxPolicy {
    #[default]
    Daemon,
    Mtu,
    Advert,
    Bytes(usize),
}

impl Default for Shown {
    fn default() -> Self {
        Self {
            process_names: [None, None, None],
            mail: [None; 3],
            log_all_failures: false,
            allow_link_changes: false,
            v3_checksum_as_v2: false,
            priority_changes: false,
            garp: Garp::default(),
            down_timer_adverts: 3,
            lower_prio_no_advert: false,
            higher_prio_send_advert: false,
            version: Version::V2,
            check_unicast_src: false,
            skip_check_adv_addr: false,
            strict: false,
            owner_ignore_adverts: false,
            script_user: None,
            rx_policy: RxPolicy::Daemon,
            rx_multiplier: 3,
            iproute_usr: None,
            iproute_etc: None,
            track_groups: Vec::new(),
        }
    }
}

/// What checks inherit from a virtual server or a real server, as the file has it: each check has its
/// own value. Equal to any other, as [`Shown`].
#[derive(Clone, Copy, Default, Debug)]
pub struct ShownSchedule {
    /// `connect_timeout`
    pub connect_timeout: Option<Duration>,
    /// `delay_loop`
    pub delay_loop: Option<Duration>,
    /// `retry`
    pub retry: Option<u32>,
    /// `delay_before_retry`
    pub delay_before_retry: Option<Duration>,
    /// `warmup`
    pub warmup: Option<Duration>,
    /// `inhibit_on_failure` of a virtual server.
    pub inhibit: bool,
}

impl ShownSchedule {
    /// `connect_timeout` unless it is configured.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

    /// Takes what is missing from the virtual server.
    fn or(self, outer: &Self) -> Self {
        Self {
            connect_timeout: self.connect_timeout.or(outer.connect_timeout),
            delay_loop: self.delay_loop.or(outer.delay_loop),
            retry: self.retry.or(outer.retry),
            delay_before_retry: self.delay_before_retry.or(outer.delay_before_retry),
            warmup: self.warmup.or(outer.warmup),
            inhibit: self.inhibit,
        }
    }
}

/// What a real server has of it itself, which is rare. Equal to any other, as [`Shown`].
#[derive(Clone, Default, Debug)]
pub struct OwnSchedule(pub Option<Box<ShownSchedule>>);

impl OwnSchedule {
    /// With what it has from the virtual server.
    #[must_use]
    pub fn or(&self, outer: &ShownSchedule) -> ShownSchedule {
        self.0.as_deref().copied().unwrap_or_default().or(outer)
    }
}

/// Equal to any other.
macro_rules! equal {
    ($($name:ident),*) => {
        $(
            impl PartialEq for $name {
                fn eq(&self, _: &Self) -> bool {
                    true
                }
            }

            impl Eq for $name {}
        )*
    };
}

equal!(Shown, ShownSchedule, OwnSchedule);
