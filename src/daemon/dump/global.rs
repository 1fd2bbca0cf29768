//! The settings of the daemon as a whole, and the defaults of instances, in keepalived's order. What
//! applies to an instance is shown with it.

mod beyond;

use super::text::{yes, Seconds, Text};
use super::track::{executed, quoted};
use super::View;
use crate::base::time::micros;
use crate::model::firewall::{Firewall, FirewallKind, IpSets};
use crate::model::global::{NetlinkBuffers, SubsystemScheduling};
use crate::model::lvs::{FlushOnStop, Lvs, Namespace, SyncDaemon};
use crate::model::notify::{Fifo, LifeScript, Mail, MailServer};
use crate::model::reload::Marker;
use crate::model::shown::{RxPolicy, Shown};
use crate::model::vrrp::Version;
use crate::model::Global;

/// The interface of static addresses without one, unless another is configured.
const DEFAULT_INTERFACE: &str = "eth0";

/// As the process of virtual routers has it, or as another.
pub(super) fn render(view: &View<'_>, out: &mut Text) {
    sections(view, false, out);
}

/// The same with what only the process of virtual routers has.
pub(super) fn render_of_routers(view: &View<'_>, out: &mut Text) {
    sections(view, true, out);
}

fn sections(view: &View<'_>, of_routers: bool, out: &mut Text) {
    let (g, lvs) = (&view.config.global, &view.config.lvs);
    out.section("Global definitions");
    names(g, lvs, out);
    if let Some(mail) = &g.mail {
        self::mail(mail, out);
    }
    alerts(&g.shown, out);
    reload(view, g, out);
    life(g, out);
    out.top("Dynamic interfaces", g.dynamic_interfaces);
    if g.dynamic_interfaces {
        out.top("Allow interface changes", g.shown.allow_link_changes);
    }
    if g.mail.as_ref().is_some_and(|mail| mail.no_faults) {
        out.top("Send emails for fault transitions", "off");
    }
    timeouts(lvs, out);
    if of_routers {
        out.top("Default interface", g.default_interface.as_deref().unwrap_or(DEFAULT_INTERFACE));
    }
    out.top("Disable local IGMP", yes(g.disable_local_igmp));
    out.top("Use VRRPv2 checksum for VRRPv3 IPv4", yes(g.shown.v3_checksum_as_v2));
    if let Some(daemon) = &lvs.sync_daemon {
        sync_daemon(daemon, out);
    }
    out.top("LVS flush", lvs.flush);
    let on_stop = match lvs.flush_on_stop {
        FlushOnStop::Off => "disabled",
        FlushOnStop::Services => "VS",
        FlushOnStop::All => "full",
    };
    out.top("LVS flush on stop", on_stop);
    fifos(g, out);
    instances(g, out);
    firewall(&g.firewall, out);
    out.top("VRRP check unicast_src", g.shown.check_unicast_src);
    out.top("VRRP skip check advert addresses", g.shown.skip_check_adv_addr);
    out.top("VRRP strict mode", g.shown.strict);
    out.top("Max auto priority", g.max_auto_priority);
    let delay = micros(g.min_auto_priority_delay);
    out.top("Min auto priority delay", format_args!("{delay} usecs"));
    for (name, wanted) in [("VRRP", &g.vrrp), ("Checker", &g.checker), ("BFD", &g.bfd)] {
        scheduling(name, wanted, out);
    }
    agents(out);
    let security = if g.script_security { "enabled" } else { "disabled" };
    out.fact(format_args!("Script security {security}"));
    if let Some(user) = g.shown.script_user {
        out.fact(format_args!("Default script uid:gid {}:{}", user.uid, user.gid));
    }
    buffers(&g.buffers, out);
    out.top("rs_init_notifies", u8::from(lvs.init_notifies));
    out.top("no_checker_emails", u8::from(lvs.no_checker_mail));
    rest(g, out);
    beyond::render(g, out);
}

fn names(g: &Global, lvs: &Lvs, out: &mut Text) {
    if let Some(dir) = &g.reload.save_dir {
        out.top("Config save dir", dir);
    }
    out.top("Network namespace", g.net_namespace.as_deref().unwrap_or("(default)"));
    let of_ipvs = match &lvs.namespace {
        Namespace::Own => "(main namespace)",
        Namespace::Initial => "(default)",
        Namespace::Named(name) => name,
    };
    out.top("Network namespace ipvs", of_ipvs);
    if let Some(name) = &g.instance_name {
        out.top("Instance name", name);
    }
    let [vrrp, lvs, bfd] = &g.shown.process_names;
    let all = [("Parent", &g.process_name), ("VRRP", vrrp), ("LVS", lvs), ("BFD", bfd)];
    for (process, name) in all {
        if let Some(name) = name {
            out.top(&format!("{process} process name"), name);
        }
    }
    let links = if g.use_symlink_paths { "Keep" } else { "Replace" };
    out.fact(format_args!("{links} symlinks in script paths"));
    if let Some(id) = &g.router_id {
        out.top("Router ID", id);
    }
}

fn mail(mail: &Mail, out: &mut Text) {
    match &mail.server {
        MailServer::Address(addr) => out.top("Smtp server", addr),
        MailServer::Name(name) => out.top("Smtp server", name),
        MailServer::File(path) => out.top("Smtp alert file", path),
    }
    out.top("Smtp server port", mail.port);
    out.top("Smtp HELO name", &mail.helo);
    out.top("Smtp server connection timeout", mail.timeout.as_secs());
    out.top("Email notification from", &mail.from);
    if !mail.recipients.is_empty() {
        out.fact("Email notification to:");
    }
    mail.recipients.iter().for_each(|to| out.line(to));
}

fn alerts(defaults: &Shown, out: &mut Text) {
    let names = ["Default smtp_alert", "Default smtp_alert_vrrp", "Default smtp_alert_checker"];
    for (name, given) in names.into_iter().zip(defaults.mail) {
        let word = match given {
            None => "unset",
            Some(true) => "on",
            Some(false) => "off",
        };
        out.top(name, word);
    }
    out.top("Checkers log all failures", defaults.log_all_failures);
}

fn reload(view: &View<'_>, g: &Global, out: &mut Text) {
    match &g.reload.check {
        Some(path) => out.fact(format_args!("Test config before reload, log to {path}")),
        None => out.fact("No test config before reload"),
    }
    if let Some(path) = &g.reload.time_file {
        let repeat = if g.reload.repeat { " (repeat)" } else { "" };
        out.top("Reload time file", format_args!("{path}{repeat}"));
        match &view.details.reload_at {
            Some(at) => out.fact(format_args!("Reload scheduled for {at}")),
            None => out.fact("No reload scheduled"),
        }
    }
    match &g.reload.marker {
        None => {}
        Some(Marker::At(path)) => out.top("Reload_file", path),
        Some(Marker::BesidePidFile) => out.top("Reload_file", "(beside the pid file)"),
    }
    out.top("keep script symlinks", g.use_symlink_paths);
    if g.dumps.use_instance {
        out.fact("Use instance name in data dumps");
    }
}

fn life(g: &Global, out: &mut Text) {
    let scripts = [("Startup", &g.startup_script, ","), ("Shutdown", &g.shutdown_script, "")];
    for (name, life, comma) in scripts {
        let Some(LifeScript { script, timeout }) = life else { continue };
        let (words, user, seconds) = (quoted(script), script.user, timeout.as_secs());
        let user = format_args!("uid:gid {}:{}{comma}", user.uid, user.gid);
        out.top(&format!("{name} script"), format_args!("{words}, {user} timeout {seconds}"));
    }
}

fn timeouts(lvs: &Lvs, out: &mut Text) {
    let t = lvs.timeouts;
    for (name, timeout) in [("TCP", t.tcp), ("TCP FIN", t.tcp_fin), ("UDP", t.udp)] {
        if let Some(seconds) = timeout {
            out.top(&format!("LVS {name} timeout"), seconds);
        }
    }
}

fn sync_daemon(daemon: &SyncDaemon, out: &mut Text) {
    if let Some(instance) = &daemon.instance {
        out.top("LVS syncd vrrp instance", instance);
    }
    out.top("LVS syncd interface", &daemon.interface);
    out.top("LVS syncd syncid", daemon.id);
    if let Some(bytes) = daemon.max_len {
        out.top("LVS syncd maxlen", bytes);
    }
    if let Some(group) = daemon.group {
        out.fact(format_args!("LVS mcast group {group}"));
    }
    if let Some(port) = daemon.port {
        out.top("LVS syncd mcast port", port);
    }
    if let Some(ttl) = daemon.ttl {
        out.top("LVS syncd mcast ttl", ttl);
    }
}

fn fifos(g: &Global, out: &mut Text) {
    for (name, fifo) in [("Global", &g.fifos.all), ("VRRP", &g.fifos.vrrp), ("LVS", &g.fifos.lvs)] {
        let Some(Fifo { path, owner, script }) = fifo else { continue };
        let name = format!("{name} notify fifo");
        out.top(&name, format_args!("{path}, uid:gid {}:{}", owner.uid, owner.gid));
        let Some(script) = script else { continue };
        let program = executed(script).map(|program| format!("path = {program}, "));
        let (program, words, user) = (program.unwrap_or_default(), quoted(script), script.user);
        let user = format_args!("uid:gid {}:{}", user.uid, user.gid);
        out.fact(format_args!("{name} {program}script = {words} '{path}', {user}"));
    }
    out.top("FIFO write vrrp states on reload", g.fifos.states_on_reload);
}

/// What instances do unless they have a setting of their own.
fn instances(g: &Global, out: &mut Text) {
    let defaults = &g.shown;
    out.top("VRRP notify priority changes", defaults.priority_changes);
    out.top("VRRP IPv4 mcast group", g.mcast_group4);
    out.top("VRRP IPv6 mcast group", g.mcast_group6);
    let garp = &defaults.garp;
    out.top("Gratuitous ARP delay", Seconds(garp.delay));
    out.top("Gratuitous ARP repeat", garp.repeat);
    out.top("Gratuitous ARP refresh timer", Seconds(garp.refresh));
    out.top("Gratuitous ARP refresh repeat", garp.refresh_repeat);
    out.top("Gratuitous ARP lower priority delay", Seconds(garp.lower_prio_delay));
    out.top("Gratuitous ARP lower priority repeat", garp.lower_prio_repeat);
    out.top("Num adverts before down", defaults.down_timer_adverts);
    let on = if garp.extra_on_all { "i/f" } else { "VMAC" };
    let every = format_args!("{}s", Seconds(garp.extra));
    out.top(&format!("Gratuitous ARP for each secondary {on}"), every);
    out.top(
        "Send advert after receive lower priority advert",
        !(defaults.lower_prio_no_advert || defaults.strict),
    );
    out.top("Send advert after receive higher priority advert", defaults.higher_prio_send_advert);
    out.top("Gratuitous ARP interval", format_args!("{:.6}", g.garp_interval.as_secs_f64()));
    out.top("Gratuitous NA interval", format_args!("{:.6}", g.gna_interval.as_secs_f64()));
    let version = match defaults.version {
        Version::V2 => 2,
        Version::V3 => 3,
    };
    out.top("VRRP default protocol version", version);
}

fn firewall(firewall: &Firewall, out: &mut Text) {
    if let FirewallKind::Iptables(tables) = &firewall.kind {
        out.top("Iptables input chain", &tables.input);
        if let Some(output) = &tables.output {
            out.top("Iptables output chain", output);
        }
        out.top("Using ipsets", tables.sets.is_some());
        if let Some(sets) = &tables.sets {
            ipsets(sets, out);
        }
    } else {
        let nft = &firewall.nftables;
        out.top("nftables table name", &nft.table);
        out.top("nftables base chain priority", nft.priority);
        let force = if nft.by_index { "" } else { "don't " };
        out.fact(format_args!("nftables {force}force use ifindex for link local IPv6"));
    }
    if let Some(marking) = &firewall.marking {
        out.top("ipvs nftables table name", &marking.table);
        out.top("ipvs nftables base chain priority", marking.priority);
        out.top("ipvs nftables start fwmark", marking.first_mark);
    }
    let with = if firewall.nftables.counters { "" } else { "out" };
    out.fact(format_args!("nftables with{with} counters"));
}

fn ipsets(sets: &IpSets, out: &mut Text) {
    let names = ["IPv4 address", "IPv6 address", "IPv6 address,iface", "IGMP", "MLD", "ND"];
    for (name, set) in names.into_iter().zip(sets.names()) {
        out.top(&format!("ipset {name} set"), set);
    }
}

fn scheduling(name: &str, wanted: &SubsystemScheduling, out: &mut Text) {
    out.top(&format!("{name} process priority"), wanted.nice.unwrap_or(0));
    out.top(&format!("{name} don't swap"), wanted.no_swap);
    out.top(&format!("{name} realtime priority"), wanted.rt_priority.unwrap_or(0));
    if !wanted.cpus.is_empty() {
        let cpus: Vec<String> = wanted.cpus.iter().map(u16::to_string).collect();
        out.top(&format!("{name} CPU Affinity"), cpus.join(" "));
    }
    out.top(&format!("{name} realtime limit"), wanted.rt_limit.unwrap_or(0));
}

/// Neither is served.
fn agents(out: &mut Text) {
    for part in ["vrrp", "checker", "RFCv2", "RFCv3", "traps"] {
        out.fact(format_args!("SNMP {part} disabled"));
    }
    out.fact("DBus disabled");
}

fn buffers(buffers: &NetlinkBuffers, out: &mut Text) {
    for (name, buffer) in [
        ("vrrp_netlink_cmd", buffers.vrrp_cmd),
        ("vrrp_netlink_monitor", buffers.vrrp_monitor),
        ("process_monitor", buffers.processes),
        ("lvs_netlink_cmd", buffers.lvs_cmd),
        ("lvs_netlink_monitor", buffers.lvs_monitor),
    ] {
        out.top(&format!("{name}_rcv_bufs"), buffer.bytes.unwrap_or(0));
        out.top(&format!("{name}_rcv_bufs_force"), u8::from(buffer.force));
    }
}

fn rest(g: &Global, out: &mut Text) {
    match g.shown.rx_policy {
        RxPolicy::Daemon => {}
        RxPolicy::Mtu => out.top("rx_bufs_policy", "MTU"),
        RxPolicy::Advert => out.top("rx_bufs_policy", "ADVERT"),
        RxPolicy::Bytes(bytes) => out.top("rx_bufs_size", bytes),
    }
    out.top("rx_bufs_multiples", g.shown.rx_multiplier);
    out.top("umask", format_args!("0{:o}", g.umask));
    if !g.startup_delay.is_zero() {
        out.top("vrrp_startup_delay", Seconds(g.startup_delay));
    }
    if g.log_unknown_vrids {
        out.fact("log_unknown_vrids");
    }
    if g.shown.owner_ignore_adverts {
        out.fact("vrrp_owner_ignore_adverts");
    }
    if let Some(prefix) = &g.vmac_prefix {
        out.top("VMAC prefix", prefix);
    }
    if let Some(prefix) = &g.vmac_addr_prefix {
        out.top("VMAC address prefix", prefix);
    }
    out.fact(format_args!("json_version {}", g.dumps.json_version.number()));
    for (name, dir) in [("usr", &g.shown.iproute_usr), ("etc", &g.shown.iproute_etc)] {
        let dir = dir.as_deref().unwrap_or("(none)");
        out.fact(format_args!("iproute {name} directory {dir}"));
    }
    let files = [("state", &g.dumps.state), ("stats", &g.dumps.stats), ("json", &g.dumps.json)];
    for (name, path) in files {
        if let Some(path) = path {
            out.fact(format_args!("{name} dump file {path}"));
        }
    }
}
