//! `global_defs`: settings of the daemon, and defaults of instances.

use super::mail;
use super::script::Rules;
use crate::base::addr::Family;
use crate::base::time::Duration;
use crate::config::document::Document;
use crate::config::host::{Host, LinkFacts};
use crate::config::keywords::{
    ChecksDefaults, RawExtra, RawFifos, RawGlobal, RawLifeScript, RawSync, GLOBAL_DEFS,
};
use crate::config::names::Directories;
use crate::config::statement::Checker;
use crate::model::control::{ControlGroup, ControlSocket, MetricsListen};
use crate::model::lvs::Lvs;
use crate::model::shown::{RxPolicy, Shown};
use crate::model::vrrp::{Garp, Version};
use crate::model::Global;

/// Defaults of instances.
pub(super) struct Defaults {
    pub version: Version,
    pub strict: bool,
    pub dynamic_interfaces: bool,
    pub vmac_prefix: String,
    pub vmac_addr_prefix: String,
    pub mcast_group4: std::net::Ipv4Addr,
    pub mcast_group6: std::net::Ipv6Addr,
    pub garp_delay: u32,
    pub garp_repeat: u32,
    pub garp_refresh: u32,
    pub garp_refresh_repeat: u32,
    pub garp_lower_prio_delay: u32,
    pub garp_lower_prio_repeat: u32,
    /// `vrrp_garp_extra_if`
    pub garp_extra: RawExtra,
    pub down_timer_adverts: u32,
    pub lower_prio_no_advert: bool,
    pub higher_prio_send_advert: bool,
    pub check_unicast_src: bool,
    pub skip_check_adv_addr: bool,
    pub owner_ignore_adverts: bool,
    pub v3_checksum_as_v2: bool,
    pub rx_buffer: RxBuffer,
    pub scripts: Rules,
    /// `smtp_alert_vrrp`, or else `smtp_alert`.
    pub smtp_alert: bool,
    pub priority_changes: bool,
    pub checks: ChecksDefaults,
}

/// Contents of `global_defs`.
pub(super) struct Globals<'d> {
    pub global: Global,
    pub defaults: Defaults,
    pub directories: Directories,
    pub lvs: Lvs,
    pub sync: Option<RawSync<'d>>,
    pub outlets: Outlets<'d>,
}

/// FIFOs and commands that are looked up when the rules for scripts are known.
pub(super) struct Outlets<'d> {
    pub fifos: RawFifos<'d>,
    pub startup: RawLifeScript<'d>,
    pub shutdown: RawLifeScript<'d>,
}

/// `vrrp_rx_bufs_policy` and `vrrp_rx_bufs_multiplier`.
pub(super) struct RxBuffer {
    policy: RxPolicy,
    multiplier: usize,
}

impl RxBuffer {
    /// The share of an instance, from its family, the number of addresses it advertises, and its
    /// interface.
    pub(super) fn share(
        &self,
        family: Family,
        addresses: usize,
        link: Option<LinkFacts>,
    ) -> Option<usize> {
        let unit = match self.policy {
            RxPolicy::Daemon => return None,
            RxPolicy::Bytes(bytes) => return Some(bytes).filter(|&bytes| bytes > 0),
            RxPolicy::Mtu => link?.mtu as usize,
            RxPolicy::Advert => {
                let (head, size) = match family {
                    Family::V4 => (20 + 8 + 8, 4),
                    Family::V6 => (40 + 8, 16),
                };
                head + size * addresses
            }
        };
        Some(unit.saturating_mul(self.multiplier))
    }
}

/// Reads every `global_defs`, regardless of its position.
pub(super) fn lower<'d>(
    doc: &'d Document,
    host: &dyn Host,
    checker: &mut Checker<'_>,
) -> Globals<'d> {
    let mut raw = RawGlobal::default();
    for node in doc.roots().filter(|n| n.keyword().text == "global_defs") {
        checker.fill(node.children(), &GLOBAL_DEFS, &mut raw);
    }
    let scripts = Rules::new(&raw.scripts, host, checker);
    let mut global = std::mem::take(&mut raw.global);
    global.router_id = raw.router_id.map(str::to_owned).or_else(|| host.hostname());
    global.mail = mail::lower(&raw.mail, host, checker);
    (global.control_socket, global.control_read_group) = control(&raw, host, checker);
    global.metrics_listen = metrics(&raw, checker);
    let mut firewall = std::mem::take(&mut raw.firewall);
    if let Some(span) = firewall.collision() {
        let table = &firewall.nftables.table;
        let text = format!(
            "'{table}' is the table of nftables already: nftables_ipvs is ignored, name another table"
        );
        checker.out.error("nftables_ipvs", span, text);
        firewall.drop_marks();
    }
    if let Some(span) = firewall.iptables.as_ref().map(|given| given.span) {
        if firewall.is_double() {
            let text = "Both iptables and nftables have been specified - ignoring iptables";
            checker.out.error("vrrp_iptables", span, text);
        }
    }
    global.firewall = firewall.lower();
    global.script_security = raw.scripts.security;
    global.use_symlink_paths = raw.scripts.symlinks;
    let defaults = defaults(&raw, &global, scripts);
    global.shown = shown(&raw, std::mem::take(&mut global.shown), &defaults);
    Globals {
        defaults,
        global,
        directories: directories(&raw),
        lvs: raw.lvs,
        sync: raw.sync,
        outlets: Outlets { fifos: raw.fifos, startup: raw.startup, shutdown: raw.shutdown },
    }
}

/// The control socket and the group that may read from it.
fn control(
    raw: &RawGlobal<'_>,
    host: &dyn Host,
    checker: &mut Checker<'_>,
) -> (Option<ControlSocket>, Option<ControlGroup>) {
    let socket = raw.control.as_ref().and_then(|given| {
        let socket = ControlSocket::named(given.value);
        if matches!(&socket, ControlSocket::At(path) if !path.starts_with('/')) {
            let text = format!(
                "control_socket '{}' is neither a path that begins with / nor off - ignoring",
                given.value
            );
            checker.out.error("control_socket", given.span, text);
            return None;
        }
        Some(socket)
    });
    let group = raw.control_group.as_ref().and_then(|given| {
        let (name, gid) = (given.value.to_owned(), host.group(given.value));
        if gid.is_none() {
            let text = format!("control_read_group: group '{name}' does not exist - ignoring");
            checker.out.error("control_read_group", given.span, text);
        }
        gid.map(|gid| ControlGroup { name, gid })
    });
    (socket, group)
}

/// Where metrics and the status page are served.
fn metrics(raw: &RawGlobal<'_>, checker: &mut Checker<'_>) -> Option<MetricsListen> {
    let given = raw.metrics.as_ref()?;
    let listen = MetricsListen::parse(given.value).filter(|listen| match listen {
        MetricsListen::Unix(path) => path.starts_with('/'),
        MetricsListen::Off | MetricsListen::Network(_) => true,
    });
    if listen.is_none() {
        let text = format!(
            "metrics_listen '{}' is no PORT, ADDRESS:PORT, unix:/PATH or off - ignoring",
            given.value
        );
        checker.out.error("metrics_listen", given.span, text);
    }
    listen
}

/// The directories of iproute2.
fn directories(raw: &RawGlobal<'_>) -> Directories {
    let usual = Directories::default();
    let given = |word: Option<&str>, usual| word.map_or(usual, str::to_owned);
    Directories { etc: given(raw.iproute_etc, usual.etc), usr: given(raw.iproute_usr, usual.usr) }
}

/// Fills in settings that follow from others.
fn defaults(raw: &RawGlobal<'_>, global: &Global, scripts: Rules) -> Defaults {
    // `vrrp_min_garp`: unset repeats are reduced to a single message.
    let (delay, repeat) = if raw.min_garp { (0, 1) } else { (5, 5) };
    let garp = &raw.garp;
    let garp_delay = garp.delay.unwrap_or(delay);
    let vmac_prefix = global.vmac_prefix.as_deref().unwrap_or("vrrp");
    let vmac_addr_prefix = global.vmac_addr_prefix.as_deref().unwrap_or(vmac_prefix);
    let garp_repeat = garp.repeat.unwrap_or(repeat);
    Defaults {
        version: raw.version.unwrap_or(Version::V2),
        strict: raw.strict,
        dynamic_interfaces: global.dynamic_interfaces,
        vmac_prefix: vmac_prefix.to_owned(),
        vmac_addr_prefix: vmac_addr_prefix.to_owned(),
        mcast_group4: global.mcast_group4,
        mcast_group6: global.mcast_group6,
        garp_delay,
        garp_repeat,
        garp_refresh: garp.refresh.unwrap_or(0),
        garp_refresh_repeat: garp.refresh_repeat.unwrap_or(1),
        garp_lower_prio_delay: garp.lower_prio_delay.map_or(garp_delay, |given| given.value),
        garp_lower_prio_repeat: garp.lower_prio_repeat.map_or(garp_repeat, |given| given.value),
        garp_extra: garp.extra,
        down_timer_adverts: raw.down_timer_adverts.unwrap_or(3),
        lower_prio_no_advert: raw.lower_prio_no_advert,
        higher_prio_send_advert: raw.higher_prio_send_advert,
        check_unicast_src: raw.check_unicast_src,
        skip_check_adv_addr: raw.skip_check_adv_addr,
        owner_ignore_adverts: raw.owner_ignore_adverts,
        v3_checksum_as_v2: raw.v3_checksum_as_v2,
        rx_buffer: RxBuffer { policy: raw.rx_policy, multiplier: raw.rx_multiplier.unwrap_or(3) },
        scripts,
        smtp_alert: raw.smtp_alert_vrrp.or(raw.smtp_alert).unwrap_or(false),
        priority_changes: raw.priority_changes,
        checks: ChecksDefaults { mail: raw.checks.mail.or(raw.smtp_alert), ..raw.checks },
    }
}

/// The names of `process_names`.
const PROCESS_NAMES: [&str; 3] = ["keepalived_vrrp", "keepalived_lvs", "keepalived_bfd"];

/// The defaults as the data dump shows them.
fn shown(raw: &RawGlobal<'_>, given: Shown, resolved: &Defaults) -> Shown {
    let mut names = given.process_names.clone();
    for (name, builtin) in names.iter_mut().zip(PROCESS_NAMES) {
        if raw.builtin_names {
            name.get_or_insert_with(|| builtin.to_owned());
        }
    }
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    Shown {
        process_names: names,
        mail: [raw.smtp_alert, raw.smtp_alert_vrrp, raw.checks.mail],
        log_all_failures: raw.checks.log_all_failures,
        v3_checksum_as_v2: raw.v3_checksum_as_v2,
        priority_changes: raw.priority_changes,
        garp: Garp {
            delay: seconds(resolved.garp_delay),
            repeat: resolved.garp_repeat,
            refresh: seconds(resolved.garp_refresh),
            refresh_repeat: resolved.garp_refresh_repeat,
            lower_prio_delay: seconds(resolved.garp_lower_prio_delay),
            lower_prio_repeat: resolved.garp_lower_prio_repeat,
            extra: seconds(raw.garp.extra.every.unwrap_or(0)),
            extra_on_all: raw.garp.extra.all,
        },
        down_timer_adverts: resolved.down_timer_adverts,
        lower_prio_no_advert: raw.lower_prio_no_advert,
        higher_prio_send_advert: raw.higher_prio_send_advert,
        version: resolved.version,
        check_unicast_src: raw.check_unicast_src,
        skip_check_adv_addr: raw.skip_check_adv_addr,
        strict: raw.strict,
        owner_ignore_adverts: raw.owner_ignore_adverts,
        script_user: resolved.scripts.user(),
        rx_policy: raw.rx_policy,
        rx_multiplier: resolved.rx_buffer.multiplier,
        iproute_usr: raw.iproute_usr.map(str::to_owned),
        iproute_etc: raw.iproute_etc.map(str::to_owned),
        ..given
    }
}
