//! `global_defs` as it is written.

use std::net::IpAddr;
use std::time::Duration;

use super::firewall::{RawFirewall, CHAIN, SET};
use super::garp::{RawExtra, VRRP_GARP_EXTRA_IF};
use super::instance::RawGarp;
use super::sync::{timeouts, RawSync, LVS_SYNC_DAEMON, LVS_TIMEOUTS};
use super::vlink::is_link_name;
use super::vrrp::version;
use crate::config::document::{Node, Word};
use crate::config::keyword::{int, seconds, strict, Bad, Repeat, ValueKind};
use crate::config::table::{
    address, any, borrowed, flag, link, many, maybe_number, maybe_word, names, number, options,
    row, script, switch, table, text, time, word, Given, Setting, Table,
};
use crate::config::value::umask;
use crate::model::dumps::JsonVersion;
use crate::model::lvs::{FlushOnStop, Lvs};
use crate::model::notify::MailServer;
use crate::model::reload::Marker;
use crate::model::sandbox::Sandbox;
use crate::model::shown::RxPolicy;
use crate::model::vrrp::Version;
use crate::model::Global;

const INT32: ValueKind = strict(-2_147_483_648, 2_147_483_647);
/// The highest number of a processor.
const MOST_CPUS: u16 = 4095;
const CPU: ValueKind = strict(0, MOST_CPUS as i64);
/// A path and its owner.
const OWNED_PATH: &[ValueKind] = &[ValueKind::Text, ValueKind::Text, ValueKind::Text];
const SMTP_PORT: u16 = 25;

#[derive(Default)]
pub(in crate::config) struct RawGlobal<'d> {
    /// Settings used as written.
    pub global: Global,
    /// `process_names`
    pub builtin_names: bool,
    pub router_id: Option<&'d str>,
    pub iproute_etc: Option<&'d str>,
    pub iproute_usr: Option<&'d str>,
    pub strict: bool,
    pub version: Option<Version>,
    pub garp: RawGarp,
    pub min_garp: bool,
    pub down_timer_adverts: Option<u32>,
    pub lower_prio_no_advert: bool,
    pub higher_prio_send_advert: bool,
    pub check_unicast_src: bool,
    pub skip_check_adv_addr: bool,
    pub owner_ignore_adverts: bool,
    pub v3_checksum_as_v2: bool,
    pub rx_policy: RxPolicy,
    pub rx_multiplier: Option<usize>,
    pub scripts: RawScriptRules<'d>,
    pub mail: RawMail<'d>,
    pub fifos: RawFifos<'d>,
    pub startup: RawLifeScript<'d>,
    pub shutdown: RawLifeScript<'d>,
    pub smtp_alert: Option<bool>,
    pub smtp_alert_vrrp: Option<bool>,
    pub priority_changes: bool,
    pub lvs: Lvs,
    pub sync: Option<RawSync<'d>>,
    pub checks: ChecksDefaults,
    pub firewall: RawFirewall,
    pub control: Option<Given<&'d str>>,
    pub control_group: Option<Given<&'d str>>,
    pub metrics: Option<Given<&'d str>>,
}

/// Defaults of checks and servers.
#[derive(Clone, Copy, Default)]
pub(in crate::config) struct ChecksDefaults {
    /// `smtp_alert_checker`.
    pub mail: Option<bool>,
    /// `checker_log_all_failures`.
    pub log_all_failures: bool,
}

/// Settings for running scripts.
#[derive(Default)]
pub(in crate::config) struct RawScriptRules<'d> {
    pub user: Option<Node<'d>>,
    pub security: bool,
    pub symlinks: bool,
}

/// `smtp_server` and what belongs to it.
#[derive(Default)]
pub(in crate::config) struct RawMail<'d> {
    pub server: Option<Given<(MailServer, u16)>>,
    pub file: Option<Given<&'d str>>,
    pub helo: Option<&'d str>,
    pub timeout: Option<Duration>,
    pub from: Option<&'d str>,
    pub recipients: Vec<Word<'d>>,
    pub no_faults: bool,
}

/// A FIFO and its command.
#[derive(Default)]
pub(in crate::config) struct RawFifo<'d> {
    pub fifo: Option<Node<'d>>,
    pub script: Option<Node<'d>>,
}

#[derive(Default)]
pub(in crate::config) struct RawFifos<'d> {
    pub all: RawFifo<'d>,
    pub vrrp: RawFifo<'d>,
    pub lvs: RawFifo<'d>,
}

/// A command at start or stop, and how long it may take.
#[derive(Default)]
pub(in crate::config) struct RawLifeScript<'d> {
    pub script: Option<Node<'d>>,
    pub timeout: Option<Duration>,
}

borrowed!(RawGlobal);

pub(in crate::config) static GLOBAL_DEFS: Table<RawGlobal<'static>> = table!(RawGlobal<'static>, "global_defs", [
    // There are no child processes: their names are for display.
    flag("process_names") => |raw, _| raw.builtin_names = true,
    word("process_name", &[ValueKind::Short(15)]).bad(Bad::Cut).default("the name of the program")
        => |raw, s| raw.global.process_name = Some(s.value.to_owned()),
    word("vrrp_process_name", &[ValueKind::Short(15)]).default("the name of the program").bad(Bad::Cut)
        => |raw, s| raw.global.shown.process_names[0] = Some(s.value.to_owned()),
    word("checker_process_name", &[ValueKind::Short(15)]).default("the name of the program").bad(Bad::Cut)
        => |raw, s| raw.global.shown.process_names[1] = Some(s.value.to_owned()),
    word("lvs_process_name", &[ValueKind::Short(15)]).bad(Bad::Cut).noted("checker_process_name"),
    word("bfd_process_name", &[ValueKind::Short(15)]).default("the name of the program").bad(Bad::Cut)
        => |raw, s| raw.global.shown.process_names[2] = Some(s.value.to_owned()),
    switch("use_symlink_paths") => |raw, s| raw.scripts.symlinks = s.value,
    text("router_id").default("the host name") => |raw, s| raw.router_id = Some(s.value),
    text("notification_email_from").default("the user of the daemon at the host name")
        => |raw, s| raw.mail.from = Some(s.value),
    word("smtp_server", &[ValueKind::Text, strict(1, 65_535)]).default("none; the port is 25")
        => |raw, s| raw.mail.server(s),
    text("smtp_alert_file").default("none")
        => |raw, s| raw.mail.file = Some(s.here(s.value)),
    text("smtp_helo_name").default("the host name")
        => |raw, s| raw.mail.helo = Some(s.value),
    number("smtp_connect_timeout", &[int(1, 4294)])
        .default("30")
        .bad(Bad::Raise)
        => |raw, s| raw.mail.timeout = Some(Duration::from_secs(s.number())),
    names("notification_email", ValueKind::Text).default("none") => |raw, mut s| s.names(&mut raw.mail.recipients),
    switch("smtp_alert").default("on for real servers, off for all others") => |raw, s| raw.smtp_alert = Some(s.value),
    script("startup_script") => |raw, s| raw.startup.script = Some(s.node()),
    number("startup_script_timeout", &[int(1, 1000)]).default("10")
        => |raw, s| raw.startup.timeout = Some(Duration::from_secs(s.number())),
    script("shutdown_script") => |raw, s| raw.shutdown.script = Some(s.node()),
    number("shutdown_script_timeout", &[int(1, 1000)]).default("10")
        => |raw, s| raw.shutdown.timeout = Some(Duration::from_secs(s.number())),
    maybe_number("max_auto_priority", &[int(-1, 99)]).default("0 (never); without a number 99")
        => |raw, s| raw.global.max_auto_priority = s.number_or(99),
    number("min_auto_priority_delay", &[int(1, 10_000_000)]).default("1000000")
        => |raw, s| {
            raw.global.min_auto_priority_delay = Duration::from_micros(s.number());
        },
    switch("smtp_alert_vrrp").default("smtp_alert")
        => |raw, s| raw.smtp_alert_vrrp = Some(s.value),
    switch("smtp_alert_checker").default("smtp_alert")
        => |raw, s| raw.checks.mail = Some(s.value),
    switch("checker_log_all_failures") => |raw, s| raw.checks.log_all_failures = s.value,
    maybe_word("dynamic_interfaces", &[ValueKind::OneOf(&["allow_if_changes"])])
        .default("off")
        .bad(Bad::Bare)
        => |raw, s| {
            raw.global.dynamic_interfaces = true;
            raw.global.shown.allow_link_changes = s.value.is_some();
        },
    flag("no_email_faults") => |raw, _| raw.mail.no_faults = true,
    link("default_interface").default("eth0")
        => |raw, s| raw.global.default_interface = Some(s.value.to_owned()),
    flag("disable_local_igmp") => |raw, _| raw.global.disable_local_igmp = true,
    flag("v3_checksum_as_v2") => |raw, _| raw.v3_checksum_as_v2 = true,
    options("lvs_timeouts", &LVS_TIMEOUTS.entry).default("the values of the kernel") => |raw, s| timeouts(&mut raw.lvs.timeouts, s),
    flag("lvs_flush") => |raw, _| raw.lvs.flush = true,
    maybe_word("lvs_flush_on_stop", &[ValueKind::OneOf(&["VS"])]).default("off")
        => |raw, s| raw.lvs.flush_on_stop = match s.value {
            None => FlushOnStop::All,
            Some(_) => FlushOnStop::Services,
        },
    maybe_word("lvs_flush_onstop", &[ValueKind::OneOf(&["VS"])]).alias("lvs_flush_on_stop"),
    options("lvs_sync_daemon", &LVS_SYNC_DAEMON.entry)
        .default("none; id is the virtual_router_id of inst")
        .repeat(Repeat::FirstCounts)
        => |raw, s| raw.sync = RawSync::read(s),
    address("vrrp_mcast_group4", &[ValueKind::Group4]).default("224.0.0.18") => |raw, s| raw.group(s),
    address("vrrp_mcast_group6", &[ValueKind::Group6]).default("ff02::12") => |raw, s| raw.group(s),
    number("vrrp_garp_master_delay", &[int(0, 4294)]).default("5")
        => |raw, s| raw.garp.delay = Some(s.number()),
    number("vrrp_garp_master_repeat", &[int(1, 4_294_967_295)]).default("5").bad(Bad::Raise)
        => |raw, s| raw.garp.repeat = Some(s.number()),
    number("vrrp_garp_master_refresh", &[int(0, 4_294_967_295)])
        .default("0 (no refresh)")
        .bad(Bad::Use(0))
        => |raw, s| raw.garp.refresh = Some(s.number()),
    number("vrrp_garp_master_refresh_repeat", &[int(1, 4_294_967_295)]).default("1").bad(Bad::Raise)
        => |raw, s| raw.garp.refresh_repeat = Some(s.number()),
    number("vrrp_garp_lower_prio_delay", &[int(0, 4294)]).default("vrrp_garp_master_delay")
        => |raw, s| raw.garp.lower_prio_delay = Some(s.here(s.number())),
    number("vrrp_garp_lower_prio_repeat", &[int(0, 2_147_483_647)])
        .default("vrrp_garp_master_repeat")
        => |raw, s| raw.garp.lower_prio_repeat = Some(s.here(s.number())),
    number("vrrp_down_timer_adverts", &[int(1, 100)]).default("3")
        => |raw, s| raw.down_timer_adverts = Some(s.number()),
    time("vrrp_garp_interval", &[seconds(1, 4_294_967_295)]).default("0 (no limit)")
        => |raw, s| raw.global.garp_interval = s.value,
    time("vrrp_gna_interval", &[seconds(1, 4_294_967_295)]).default("0 (no limit)")
        => |raw, s| raw.global.gna_interval = s.value,
    switch("vrrp_min_garp") => |raw, s| raw.min_garp = s.value,
    options("vrrp_garp_extra_if", &VRRP_GARP_EXTRA_IF.entry).default("0 (off)")
        => |raw, s| RawExtra::read(&mut raw.garp.extra, s, &VRRP_GARP_EXTRA_IF),
    options("vrrp_vmac_garp_intvl", &VRRP_GARP_EXTRA_IF.entry).outdated("vrrp_garp_extra_if"),
    switch("vrrp_lower_prio_no_advert") => |raw, s| raw.lower_prio_no_advert = s.value,
    switch("vrrp_higher_prio_send_advert") => |raw, s| raw.higher_prio_send_advert = s.value,
    number("vrrp_version", &[int(2, 3)]).default("2")
        => |raw, s| raw.version = Some(version(s.value)),
    row("vrrp_iptables", 0, &[CHAIN, CHAIN])
        .default("none; without names INPUT and OUTPUT")
        .repeat(Repeat::FirstCounts)
        .sets::<RawGlobal<'static>>(|raw, s| raw.firewall.chains(&s)),
    row("vrrp_ipsets", 0, &[SET; 6])
        .default("keepalived, keepalived6, keepalived_if6, keepalived_igmp, keepalived_mld and keepalived_nd")
        .sets::<RawGlobal<'static>>(|raw, s| raw.firewall.sets(s)),
    maybe_word("nftables", &[ValueKind::Short(30)])
        .default("keepalived")
        .repeat(Repeat::FirstCounts)
        => |raw, s| raw.firewall.table(s.value),
    number("nftables_priority", &[INT32])
        .default("-1")
        => |raw, s| raw.firewall.nftables.priority = s.number(),
    flag("nftables_ifindex")
        .default("off (names)")
        => |raw, _| raw.firewall.nftables.by_index = true,
    flag("vrrp_check_unicast_src") => |raw, _| raw.check_unicast_src = true,
    switch("vrrp_skip_check_adv_addr") => |raw, s| raw.skip_check_adv_addr = s.value,
    switch("vrrp_strict") => |raw, s| raw.strict = s.value,
    number("vrrp_priority", &[int(-20, 19)]).default("unchanged").bad(Bad::Use(0))
        => |raw, s| raw.global.vrrp.nice = Some(s.number()),
    flag("vrrp_no_swap") => |raw, _| raw.global.vrrp.no_swap = true,
    number("vrrp_rt_priority", &[int(1, 99)]).default("none").bad(Bad::Clamp)
        => |raw, s| raw.global.vrrp.rt_priority = Some(s.number()),
    many("vrrp_cpu_affinity", CPU).default("all")
        => |raw, s| raw.global.vrrp.cpus = cpus(&s),
    number("vrrp_rlimit_rttime", &[int(1, 4_294_967_295)]).default("none").bad(Bad::Use(0))
        => |raw, s| raw.global.vrrp.rt_limit = Some(s.number()).filter(|&micros| micros > 0),
    number("vrrp_rlimit_rtime", &[int(1, 4_294_967_295)]).noted("vrrp_rlimit_rttime"),
    maybe_word("nftables_ipvs", &[ValueKind::Short(30)])
        .default("none; without a name keepalived_ipvs")
        .repeat(Repeat::FirstCounts)
        => |raw, s| raw.firewall.mark_table(s.here(s.value)),
    number("nftables_ipvs_priority", &[INT32])
        .default("-1")
        => |raw, s| raw.firewall.marking.priority = s.number(),
    number("nftables_ipvs_start_fwmark", &[strict(1, 4_294_967_295)])
        .default("1000")
        => |raw, s| raw.firewall.marking.first_mark = s.number(),
    flag("nftables_counters")
        => |raw, _| raw.firewall.nftables.counters = true,
    row("notify_fifo", 1, OWNED_PATH)
        .default("none; the owner is script_user")
        .repeat(Repeat::FirstCounts)
        => |raw, s| raw.fifos.all.fifo = Some(s.node()),
    script("notify_fifo_script") => |raw, s| raw.fifos.all.script = Some(s.node()),
    row("vrrp_notify_fifo", 1, OWNED_PATH).default("none").repeat(Repeat::FirstCounts)
        => |raw, s| raw.fifos.vrrp.fifo = Some(s.node()),
    script("vrrp_notify_fifo_script") => |raw, s| raw.fifos.vrrp.script = Some(s.node()),
    switch("vrrp_notify_priority_changes") => |raw, s| raw.priority_changes = s.value,
    flag("fifo_write_vrrp_states_on_reload") => |raw, _| raw.global.fifos.states_on_reload = true,
    row("lvs_notify_fifo", 1, OWNED_PATH).default("none").repeat(Repeat::FirstCounts)
        => |raw, s| raw.fifos.lvs.fifo = Some(s.node()),
    script("lvs_notify_fifo_script") => |raw, s| raw.fifos.lvs.script = Some(s.node()),
    number("checker_priority", &[int(-20, 19)]).default("unchanged").bad(Bad::Use(0))
        => |raw, s| raw.global.checker.nice = Some(s.number()),
    flag("checker_no_swap") => |raw, _| raw.global.checker.no_swap = true,
    number("checker_rt_priority", &[int(1, 99)]).default("none").bad(Bad::Clamp)
        => |raw, s| raw.global.checker.rt_priority = Some(s.number()),
    many("checker_cpu_affinity", CPU).default("all")
        => |raw, s| raw.global.checker.cpus = cpus(&s),
    number("checker_rlimit_rttime", &[int(1, 4_294_967_295)]).default("none").bad(Bad::Use(0))
        => |raw, s| raw.global.checker.rt_limit = Some(s.number()).filter(|&micros| micros > 0),
    number("checker_rlimit_rtime", &[int(1, 4_294_967_295)]).noted("checker_rlimit_rttime"),
    number("bfd_priority", &[int(-20, 19)]).default("unchanged").bad(Bad::Use(0))
        => |raw, s| raw.global.bfd.nice = Some(s.number()),
    flag("bfd_no_swap") => |raw, _| raw.global.bfd.no_swap = true,
    number("bfd_rt_priority", &[int(1, 99)]).default("none").bad(Bad::Clamp)
        => |raw, s| raw.global.bfd.rt_priority = Some(s.number()),
    many("bfd_cpu_affinity", CPU).default("all")
        => |raw, s| raw.global.bfd.cpus = cpus(&s),
    number("bfd_rlimit_rttime", &[int(1, 4_294_967_295)]).default("none").bad(Bad::Use(0))
        => |raw, s| raw.global.bfd.rt_limit = Some(s.number()).filter(|&micros| micros > 0),
    number("bfd_rlimit_rtime", &[int(1, 4_294_967_295)]).noted("bfd_rlimit_rttime"),
    text("snmp_socket").default("that of the SNMP library").repeat(Repeat::FirstCounts).later(),
    flag("enable_traps").later(),
    flag("enable_snmp_vrrp").later(),
    flag("enable_snmp_keepalived").alias("enable_snmp_vrrp").later(),
    flag("enable_snmp_rfc").later(),
    flag("enable_snmp_rfcv2").later(),
    flag("enable_snmp_rfcv3").later(),
    flag("enable_snmp_checker").later(),
    time("snmp_vs_stats_update_interval", &[seconds(1_000, 30_000_000)]).default("5").later(),
    time("snmp_rs_stats_update_interval", &[seconds(1_000, 30_000_000)])
        .default("snmp_vs_stats_update_interval")
        .later(),
    flag("enable_dbus").later(),
    text("dbus_service_name").default("org.keepalived.Vrrp1").later(),
    text("dbus_no_interface_name").default("none").later(),
    row("script_user", 1, &[ValueKind::Text, ValueKind::Text])
        .default("keepalived_script if it exists; else the user of the daemon, or with enable_script_security none")
        => |raw, s| raw.scripts.user = Some(s.node()),
    flag("enable_script_security") => |raw, _| raw.scripts.security = true,
    number("vrrp_netlink_cmd_rcv_bufs", &[strict(0, 2_147_483_647)]).default("that of the system")
        => |raw, s| raw.global.buffers.vrrp_cmd.bytes = buffer(&s),
    switch("vrrp_netlink_cmd_rcv_bufs_force")
        => |raw, s| raw.global.buffers.vrrp_cmd.force = s.value,
    number("vrrp_netlink_monitor_rcv_bufs", &[strict(0, 2_147_483_647)]).default("4 MiB")
        => |raw, s| raw.global.buffers.vrrp_monitor.bytes = buffer(&s),
    switch("vrrp_netlink_monitor_rcv_bufs_force")
        => |raw, s| raw.global.buffers.vrrp_monitor.force = s.value,
    number("process_monitor_rcv_bufs", &[strict(0, 2_147_483_647)]).default("4 MiB")
        => |raw, s| raw.global.buffers.processes.bytes = buffer(&s),
    switch("process_monitor_rcv_bufs_force")
        => |raw, s| raw.global.buffers.processes.force = s.value,
    number("lvs_netlink_cmd_rcv_bufs", &[strict(0, 2_147_483_647)]).default("that of the system")
        => |raw, s| raw.global.buffers.lvs_cmd.bytes = buffer(&s),
    switch("lvs_netlink_cmd_rcv_bufs_force")
        => |raw, s| raw.global.buffers.lvs_cmd.force = s.value,
    number("lvs_netlink_monitor_rcv_bufs", &[strict(0, 2_147_483_647)]).default("4 MiB")
        => |raw, s| raw.global.buffers.lvs_monitor.bytes = buffer(&s),
    switch("lvs_netlink_monitor_rcv_bufs_force")
        => |raw, s| raw.global.buffers.lvs_monitor.force = s.value,
    switch("rs_init_notifies") => |raw, s| raw.lvs.init_notifies = s.value,
    switch("no_checker_emails") => |raw, s| raw.lvs.no_checker_mail = s.value,
    many("vrrp_rx_bufs_policy", ValueKind::Text).default("1 MiB for each socket") => |raw, s| raw.rx_policy(s),
    number("vrrp_rx_bufs_multiplier", &[strict(1, 4_294_967_295)]).default("3")
        => |raw, s| raw.rx_multiplier = Some(s.number()),
    time("vrrp_startup_delay", &[seconds(1_000, 4_294_967_295)]).default("0")
        => |raw, s| raw.global.startup_delay = s.value,
    time("vrrp_delay_after_boot", &[seconds(1_000, 4_294_967_295)]).default("0")
        => |raw, s| raw.global.delay_after_boot = s.value,
    flag("log_unknown_vrids") => |raw, _| raw.global.log_unknown_vrids = true,
    switch("vrrp_owner_ignore_adverts") => |raw, s| raw.owner_ignore_adverts = s.value,
    text("vmac_prefix").default("vrrp").repeat(Repeat::FirstCounts)
        => |raw, mut s| raw.global.vmac_prefix = prefix(&mut s),
    text("vmac_addr_prefix")
        .default("vmac_prefix")
        .repeat(Repeat::FirstCounts)

        => |raw, mut s| raw.global.vmac_addr_prefix = prefix(&mut s),
    many("umask", ValueKind::Text).default("0177") => |raw, s| raw.umask(s),
    text("control_socket").default("beside the pid file").repeat(Repeat::FirstCounts)
        => |raw, s| raw.control = Some(s.here(s.value)),
    text("control_read_group").default("none").repeat(Repeat::FirstCounts)
        => |raw, s| raw.control_group = Some(s.here(s.value)),
    text("metrics_listen").default("off").repeat(Repeat::FirstCounts)
        => |raw, s| raw.metrics = Some(s.here(s.value)),
    word("sandbox", &[ValueKind::OneOf(Sandbox::NAMES)]).default("on").repeat(Repeat::FirstCounts)
        => |raw, s| raw.global.sandbox = Sandbox::named(s.value).unwrap_or_default(),
    number("random_seed", &[strict(0, 4_294_967_295)]).default("chosen by the kernel")
        => |raw, s| raw.global.random_seed = Some(s.number()),
    maybe_word("reload_check_config", &[ValueKind::Text]).default("off; without a name /dev/null")
        => |raw, s| raw.global.reload.check = Some(s.value.unwrap_or("/dev/null").to_owned()),
    text("reload_time_file").default("none")
        => |raw, s| raw.global.reload.time_file = Some(s.value.to_owned()),
    flag("reload_repeat") => |raw, _| raw.global.reload.repeat = true,
    maybe_word("reload_file", &[ValueKind::Text])
        .default("none; without a name keepalived.reload beside the pid file")
        => |raw, s| raw.global.reload.marker = Some(match s.value {
            Some(path) => Marker::At(path.to_owned()),
            None => Marker::BesidePidFile,
        }),
    // Handled by the reader of the text.
    any("include_check", ValueKind::Text).default("none; without a word all four") => |_, _| {},
    text("config_save_dir").default("none")
        => |raw, s| raw.global.reload.save_dir = Some(s.value.to_owned()),
    // The files themselves are read, once.
    text("tmp_config_directory").default("a file in memory").repeat(Repeat::FirstCounts)
        => |_, _| {},
    switch("data_use_instance") => |raw, s| raw.global.dumps.use_instance = s.value,
    number("json_version", &[int(1, 2)]).default("1") => |raw, s| {
        let is_object = s.number::<u8>() == 2;
        raw.global.dumps.json_version =
            if is_object { JsonVersion::Object } else { JsonVersion::List };
    },
    text("iproute_usr_dir").default("/usr/share/iproute2")
        => |raw, s| raw.iproute_usr = Some(s.value),
    text("iproute_etc_dir").default("/etc/iproute2")
        => |raw, s| raw.iproute_etc = Some(s.value),
    text("state_dump_file").default("keepalived.data in the temporary directory")
        => |raw, s| raw.global.dumps.state = Some(s.value.to_owned()),
    text("stats_dump_file").default("keepalived.stats in the temporary directory")
        => |raw, s| raw.global.dumps.stats = Some(s.value.to_owned()),
    text("json_dump_file").default("keepalived.json in the temporary directory")
        => |raw, s| raw.global.dumps.json = Some(s.value.to_owned()),
]);

/// All processors if one of the words, which was reported, is none.
fn cpus(s: &Setting<'_, '_, '_, ()>) -> Vec<u16> {
    let numbers: Option<Vec<u16>> = s.node().args().map(|word| word.text.parse().ok()).collect();
    numbers.filter(|all| all.iter().all(|cpu| *cpu <= MOST_CPUS)).unwrap_or_default()
}

/// 0 leaves the default.
fn buffer(s: &Setting<'_, '_, '_, i64>) -> Option<usize> {
    Some(s.number()).filter(|&bytes| bytes > 0)
}

/// The start of a name of interfaces.
fn prefix(s: &mut Setting<'_, '_, '_, &str>) -> Option<String> {
    if is_link_name(&s.value.chars().take(7).collect::<String>()) {
        return Some(s.value.to_owned());
    }
    s.error(format!("'{}' cannot begin the name of an interface: it is ignored", s.value));
    None
}

impl RawMail<'_> {
    /// With a bad port, which was reported, there is no server.
    fn server(&mut self, s: Setting<'_, '_, '_, &str>) {
        let port = match s.node().arg(1) {
            None => Some(SMTP_PORT),
            Some(word) => word.text.parse().ok().filter(|&port| port != 0),
        };
        let server = match s.value.parse() {
            Ok(addr) => MailServer::Address(addr),
            Err(_) => MailServer::Name(s.value.to_owned()),
        };
        self.server = port.map(|port| s.here((server, port)));
    }
}

impl<'d> RawGlobal<'d> {
    fn group(&mut self, mut s: Setting<'_, '_, 'd, IpAddr>) {
        match s.value {
            IpAddr::V4(addr) => self.global.mcast_group4 = addr,
            IpAddr::V6(addr) => {
                if addr.segments()[0] & 0xf != 2 {
                    let name = s.statement.keyword.name;
                    s.error(format!("{name} '{addr}' is not link-local"));
                }
                self.global.mcast_group6 = addr;
            }
        }
    }

    /// A number in any base, or names of bits joined by `|`, with blanks or without.
    fn umask(&mut self, mut s: Setting<'_, '_, 'd, ()>) {
        let text: String = s.node().args().map(|word| word.text).collect();
        match umask(&text).and_then(|mode| u32::try_from(mode).ok()) {
            Some(mode) => self.global.umask = mode,
            None => {
                let text = format!("umask '{text}' is not a file mode such as 0177: it is ignored");
                s.error(text);
            }
        }
    }

    /// A number wins over a word, `MTU` over `ADVERT`.
    fn rx_policy(&mut self, s: Setting<'_, '_, 'd, ()>) {
        const NAME: &str = "vrrp_rx_bufs_policy";
        let mut policy = None;
        for word in s.node().args() {
            let given = if word.text.eq_ignore_ascii_case("MTU") {
                RxPolicy::Mtu
            } else if word.text.eq_ignore_ascii_case("ADVERT") {
                RxPolicy::Advert
            } else if let Ok(bytes) = word.text.parse() {
                RxPolicy::Bytes(bytes)
            } else {
                let text = format!("{NAME} '{}' is not MTU, ADVERT or a number", word.text);
                s.checker.out.error(NAME, word.span, text);
                continue;
            };
            policy = Some(match (policy, given) {
                (None, given) => given,
                (Some(before), given) => {
                    let text = format!(
                        "{NAME} takes one word: a number counts before MTU, and MTU before ADVERT"
                    );
                    s.checker.out.error(NAME, word.span, text);
                    match (before, given) {
                        (RxPolicy::Bytes(n), _) | (_, RxPolicy::Bytes(n)) => RxPolicy::Bytes(n),
                        (RxPolicy::Mtu, _) | (_, RxPolicy::Mtu) => RxPolicy::Mtu,
                        _ => given,
                    }
                }
            });
        }
        if let Some(policy) = policy {
            self.rx_policy = policy;
        }
    }
}
