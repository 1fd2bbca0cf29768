//! The settings of the daemon as a whole, in keepalived's order. What instances may override is shown
//! with each instance.

use super::text::{Seconds, Text};
use super::track::with_user;
use super::View;
use crate::base::time::micros;
use crate::model::firewall::{Firewall, FirewallKind};
use crate::model::global::{NetlinkBuffers, SubsystemScheduling};
use crate::model::lvs::{FlushOnStop, Lvs, Namespace, SyncDaemon};
use crate::model::notify::{Fifo, LifeScript, Mail, MailServer};
use crate::model::Global;

pub(super) fn render(view: &View<'_>, out: &mut Text) {
    let (g, lvs) = (&view.config.global, &view.config.lvs);
    out.section("Global definitions");
    names(g, lvs, out);
    if let Some(mail) = &g.mail {
        self::mail(mail, out);
    }
    life(g, out);
    out.top("Dynamic interfaces", g.dynamic_interfaces);
    if g.mail.as_ref().is_some_and(|mail| mail.no_faults) {
        out.top("Send emails for fault transitions", "off");
    }
    timeouts(lvs, out);
    if let Some(name) = &g.default_interface {
        out.top("Default interface", name);
    }
    out.top("Disable local IGMP", yes(g.disable_local_igmp));
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
    out.top("VRRP IPv4 mcast group", g.mcast_group4);
    out.top("VRRP IPv6 mcast group", g.mcast_group6);
    out.top("Gratuitous ARP interval", format_args!("{:.6}", g.garp_interval.as_secs_f64()));
    out.top("Gratuitous NA interval", format_args!("{:.6}", g.gna_interval.as_secs_f64()));
    firewall(&g.firewall, out);
    out.top("Max auto priority", g.max_auto_priority);
    let delay = micros(g.min_auto_priority_delay);
    out.top("Min auto priority delay", format_args!("{delay} usecs"));
    for (name, wanted) in [("VRRP", &g.vrrp), ("Checker", &g.checker), ("BFD", &g.bfd)] {
        scheduling(name, wanted, out);
    }
    let security = if g.script_security { "enabled" } else { "disabled" };
    out.fact(format_args!("Script security {security}"));
    buffers(&g.buffers, out);
    out.top("rs_init_notifies", u8::from(lvs.init_notifies));
    out.top("no_checker_emails", u8::from(lvs.no_checker_mail));
    out.top("umask", format_args!("0{:o}", g.umask));
    beyond(g, out);
}

const fn yes(is_so: bool) -> &'static str {
    if is_so {
        "yes"
    } else {
        "no"
    }
}

fn names(g: &Global, lvs: &Lvs, out: &mut Text) {
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
    if let Some(name) = &g.process_name {
        out.top("Parent process name", name);
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

fn life(g: &Global, out: &mut Text) {
    for (name, life) in
        [("Startup script", &g.startup_script), ("Shutdown script", &g.shutdown_script)]
    {
        if let Some(LifeScript { script, timeout }) = life {
            out.top(name, format_args!("{}, timeout {}", with_user(script), timeout.as_secs()));
        }
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
        if let Some(script) = script {
            out.top(&format!("{name} script"), with_user(script));
        }
    }
}

fn firewall(firewall: &Firewall, out: &mut Text) {
    match &firewall.kind {
        FirewallKind::Default => {}
        FirewallKind::Nftables => {
            let nft = &firewall.nftables;
            out.top("nftables table name", &nft.table);
            out.top("nftables base chain priority", nft.priority);
            let force = if nft.by_index { "" } else { "don't " };
            out.fact(format_args!("nftables {force}force use ifindex for link local IPv6"));
        }
        FirewallKind::Iptables(tables) => {
            out.top("Iptables input chain", &tables.input);
            if let Some(output) = &tables.output {
                out.top("Iptables output chain", output);
            }
        }
    }
    if let Some(marking) = &firewall.marking {
        out.top("ipvs nftables table name", &marking.table);
        out.top("ipvs nftables base chain priority", marking.priority);
        out.top("ipvs nftables start fwmark", marking.first_mark);
    }
    if !matches!(firewall.kind, FirewallKind::Iptables(_)) {
        let with = if firewall.nftables.counters { "" } else { "out" };
        out.fact(format_args!("nftables with{with} counters"));
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
    if let Some(micros) = wanted.rt_limit {
        out.top(&format!("{name} realtime limit"), micros);
    }
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

/// Lines that keepalived does not have.
fn beyond(g: &Global, out: &mut Text) {
    out.top("Use pid directory", g.use_pid_dir);
    out.top("VRRP startup delay", Seconds(g.startup_delay));
    out.top("VRRP delay after boot", Seconds(g.delay_after_boot));
    out.top("Log unknown VRIDs", g.log_unknown_vrids);
}
