//! The rules of virtual servers.

use super::*;
use crate::model::lvs::{
    FlushOnStop, Forwarding, Granularity, GroupEntry, Persistence, Protocol, Scheduler, Service,
    SyncDaemon, Tunnel, TunnelChecksum, VirtualServer,
};

/// Settings of a valid virtual server, except real servers.
const USUAL: &str = "lvs_sched rr\nlvs_method NAT\nprotocol TCP\n";
const SERVER: &str = "real_server 192.0.2.10 80 {\n}\n";

fn read(text: &str) -> (Config, Vec<String>) {
    let (config, told) = lowered(text);
    (config, without_place(told))
}

/// The virtual server 192.0.2.1 80 with `lines` and nothing else.
#[track_caller]
fn bare(lines: &str, want: &[&str]) -> VirtualServer {
    let (config, told) = read(&format!("virtual_server 192.0.2.1 80 {{\n{lines}\n}}"));
    assert_eq!(told, want, "{lines}");
    (*config.virtual_servers[0]).clone()
}

/// The same with the settings of a valid one.
#[track_caller]
fn with_usual(lines: &str, want: &[&str]) -> VirtualServer {
    bare(&format!("{USUAL}{lines}\n{SERVER}"), want)
}

#[test]
fn what_is_missing_is_told_and_filled_in() {
    let vs = bare(
        SERVER,
        &[
            "Error (192.0.2.1 80) lvs_method is missing: NAT is used",
            "Error (192.0.2.1 80) protocol is missing: UDP is used",
            "Error (192.0.2.1 80) lvs_sched is missing: wlc is used",
        ],
    );
    assert_eq!(vs.protocol, Some(Protocol::Udp));
    assert_eq!((vs.scheduler, vs.forwarding), (Scheduler::Wlc, Forwarding::Nat));
    assert_eq!((vs.quorum, vs.hysteresis, vs.delay_loop), (1, 0, Duration::from_secs(60)));
    assert!(!vs.mail && !vs.alpha && !vs.omega && vs.persistence.is_none());
    let server = &vs.servers[0];
    assert!(server.mail && !server.alpha && server.checks.is_empty());
    assert_eq!((server.weight, server.port), (1, 80));
}

#[test]
fn without_a_real_server_it_is_left_out() {
    let (config, told) = read(&format!("virtual_server 192.0.2.1 80 {{\n{USUAL}}}"));
    assert!(config.virtual_servers.is_empty());
    assert_eq!(told, ["Error (192.0.2.1 80) no real_server is given: it is left out"]);
}

#[test]
fn a_mark_has_no_protocol_and_no_port() {
    let (config, told) = read(
        "virtual_server fwmark 7 {\nlvs_sched rr\nlvs_method DR\nprotocol TCP\nha_suspend\nops\n\
         real_server 2001:db8::1 80 {\nTCP_CHECK {\n}\n}\n}",
    );
    assert_eq!(
        told,
        [
            "Error (fwmark 7) protocol is ignored with fwmark",
            "Error (fwmark 7) ha_suspend is ignored: fwmark has no address",
            "Error (fwmark 7) port 80 of real_server is ignored: with fwmark only NAT has one",
        ]
    );
    let vs = &config.virtual_servers[0];
    assert_eq!((&vs.service, vs.protocol), (&Service::Fwmark(7), None));
    assert_eq!((vs.family, vs.servers[0].port), (Family::V6, 0));
    let connect = vs.servers[0].checks[0].kind.connect().unwrap();
    assert_eq!(connect.port, 80, "the check keeps the port as it is written");
    assert!(vs.one_packet && !vs.ha_suspend && vs.persistence.is_none());
}

#[test]
fn without_a_port_there_is_persistence() {
    let text = format!("virtual_server 192.0.2.1 {{\n{USUAL}real_server 192.0.2.10 {{\n}}\n}}");
    let (config, told) = read(&text);
    assert_eq!(told, ["Error (192.0.2.1) without a port it has to be persistent: for 360 s"]);
    let persistence = config.virtual_servers[0].persistence;
    assert_eq!(persistence, Some(Persistence { timeout: 360, granularity: None }));
    let vs = with_usual("persistence_timeout", &[]);
    assert_eq!(vs.persistence.map(|p| p.timeout), Some(360));
    let vs = with_usual("persistence_granularity 255.255.255.0", &[]);
    let mask = Granularity::Mask("255.255.255.0".parse().unwrap());
    assert_eq!(vs.persistence, Some(Persistence { timeout: 360, granularity: Some(mask) }));
    let vs = with_usual(
        "persistence_granularity 64",
        &["Error (192.0.2.1 80) persistence_granularity is ignored: the virtual server is IPv4"],
    );
    assert_eq!(vs.persistence, Some(Persistence { timeout: 360, granularity: None }));
}

#[test]
fn an_engine_is_for_what_is_persistent() {
    let idle =
        "Warning (192.0.2.1 80) persistence_engine has no effect without persistence_timeout";
    assert_eq!(with_usual("persistence_engine sip", &[idle]).persistence, None);
    let vs = with_usual("persistence_engine sip\npersistence_timeout 9", &[]);
    assert_eq!(vs.persistence_engine.as_deref(), Some("sip"));
}

#[test]
fn a_quorum_can_be_reached_and_is_above_its_hysteresis() {
    let lines = "quorum 9\nhysteresis 9\nreal_server 192.0.2.11 80 {\nweight 4\n}";
    let vs = with_usual(
        lines,
        &[
            "Error (192.0.2.1 80) quorum 9 is above the weight of all servers, 5: 5 is used",
            "Error (192.0.2.1 80) hysteresis 9 is not below the quorum 5: 4 is used",
        ],
    );
    assert_eq!((vs.quorum, vs.hysteresis), (5, 4));
}

#[test]
fn only_nat_changes_the_port() {
    let lines = "lvs_sched rr\nlvs_method DR\nprotocol TCP\nsorry_server 192.0.2.99 81\n\
                 real_server 192.0.2.10 8080 {\nTCP_CHECK {\n}\n}\n\
                 real_server 192.0.2.11 8080 {\nlvs_method NAT\n}\n\
                 real_server 192.0.2.12 {\n}";
    let vs = bare(
        lines,
        &[
            "Error (192.0.2.1 80) port 81 of sorry_server is ignored: only NAT changes it, 80 is used",
            "Error (192.0.2.1 80) port 8080 of real_server is ignored: only NAT changes it, 80 is used",
        ],
    );
    let ports: Vec<_> = vs.servers.iter().map(|server| server.port).collect();
    assert_eq!(ports, [80, 8080, 80]);
    assert_eq!(vs.sorry_server.map(|s| s.port), Some(80));
}

#[test]
fn only_a_tunnel_changes_the_family() {
    let lines = "sorry_server 2001:db8::9\nreal_server 2001:db8::1 80 {\n}\n\
                 real_server 2001:db8::2 80 {\nlvs_method TUN\n}";
    let left_out = "is left out: the virtual server is IPv4, and only TUN goes between families";
    let vs = with_usual(
        lines,
        &[
            &format!("Error (192.0.2.1 80) sorry_server 2001:db8::9 {left_out}"),
            &format!("Error (192.0.2.1 80) real_server 2001:db8::1 {left_out}"),
        ],
    );
    let shown: Vec<_> = vs.servers.iter().map(|s| s.addr.to_string()).collect();
    assert_eq!(shown, ["2001:db8::2", "192.0.2.10"]);
    assert!(vs.sorry_server.is_none());
}

#[test]
fn no_two_servers_have_one_address_and_port() {
    let lines = "lvs_method DR\nreal_server 192.0.2.11 {\n}\nreal_server 192.0.2.11 80 {\n}";
    let vs = with_usual(
        lines,
        &["Error (192.0.2.1 80) real_server 192.0.2.11 80 is there already: this one is left out"],
    );
    assert_eq!(vs.servers.len(), 2);
}

#[test]
fn the_method_is_that_before_the_real_server_or_else_the_last_one() {
    let lines = "lvs_sched rr\nprotocol TCP\nreal_server 192.0.2.10 80 {\n}\nlvs_method DR\n\
                 real_server 192.0.2.11 80 {\n}\nlvs_method TUN\nreal_server 192.0.2.12 80 {\n\
                 lvs_method NAT\n}";
    let vs = bare(lines, &[]);
    let methods: Vec<_> = vs.servers.iter().map(|server| server.forwarding).collect();
    let tunnel = Forwarding::Tunnel(Tunnel::Ipip);
    assert_eq!(methods, [tunnel, Forwarding::Direct, Forwarding::Nat]);
    assert_eq!(vs.forwarding, tunnel);
}

#[test]
fn options_of_a_tunnel_go_together_or_not_at_all() {
    let tunnel = |line: &str, want: &[&str]| match with_usual(line, want).forwarding {
        Forwarding::Tunnel(tunnel) => tunnel,
        other => panic!("{other:?}"),
    };
    let gue = |checksum| Tunnel::Gue { port: 6080, checksum };
    assert_eq!(tunnel("lvs_method TUN type gue port 6080", &[]), gue(TunnelChecksum::None));
    let remote = tunnel("lb_kind TUN type gue port 6080 remcsum", &[]);
    assert_eq!(remote, gue(TunnelChecksum::Remote));
    assert_eq!(tunnel("lvs_method TUN type gre csum", &[]), Tunnel::Gre { checksum: true });
    for (options, why) in [
        ("type gue", "type gue needs a port"),
        ("type gre port 1", "only type gue has a port"),
        ("type gre remcsum", "type gre has no remcsum"),
        ("type ipip csum", "type ipip has no checksum"),
    ] {
        let text = format!("Error (192.0.2.1 80) lvs_method TUN: {why}: its options are ignored");
        assert_eq!(tunnel(&format!("lvs_method TUN {options}"), &[&text]), Tunnel::Ipip);
    }
}

#[test]
fn flags_go_with_their_scheduler() {
    let vs = bare(
        &format!(
            "sh-port\nlvs_sched mh\nmh-port\nmh-fallback\nsh-port\nflag-3\nlvs_method NAT\n\
             protocol TCP\n{SERVER}"
        ),
        &[
            "Error (192.0.2.1 80) sh-port is ignored: it goes after lvs_sched sh",
            "Warning (192.0.2.1 80) sh-port is ignored: the scheduler is mh",
        ],
    );
    let flags = vs.scheduler_flags;
    assert_eq!((flags.first, flags.second, flags.third), (true, true, true));
    let hashed = "(192.0.2.1 80) hashed has no effect: sh-port, sh-fallback, mh-port and \
                  mh-fallback have";
    with_usual("hashed", &[&format!("Error {hashed}")]);
    with_usual("lvs_sched sh\nhashed", &[&format!("Warning {hashed}")]);
}

#[test]
fn thresholds_are_such_that_the_kernel_takes_them() {
    let limits = |lines: &str, want: &[&str]| {
        let server = format!("real_server 192.0.2.11 80 {{\n{lines}\n}}");
        let server = with_usual(&server, want).servers[0].clone();
        (server.lower_threshold, server.upper_threshold)
    };
    assert_eq!(limits("lthreshold 5\nuthreshold 5", &[]), (5, 5));
    let place = "Warning (192.0.2.1 80, 192.0.2.11)";
    let above = |n| {
        format!("{place} lthreshold 9 is ignored: the kernel wants it not above uthreshold, {n}")
    };
    assert_eq!(limits("uthreshold 5\nlthreshold 9", &[&above(5)]), (0, 5));
    assert_eq!(limits("lthreshold 9", &[&above(0)]), (0, 0));
}

#[test]
fn servers_without_weight_never_make_a_quorum() {
    let vs = bare(
        &format!("{USUAL}real_server 192.0.2.10 80 {{\nweight 0\n}}"),
        &["Error (192.0.2.1 80) all real servers have weight 0: the quorum is not reached"],
    );
    assert_eq!((vs.quorum, vs.hysteresis), (1, 0));
}

#[test]
fn words_after_an_address_and_a_port_are_told_and_ignored() {
    let (config, told) = read(&format!(
        "virtual_server 192.0.2.1 80 tcp {{\n{USUAL}real_server 192.0.2.10 80 x {{\n}}\n}}\n\
         virtual_server fwmark 5 6 {{\nlvs_sched rr\nlvs_method NAT\n{SERVER}}}"
    ));
    assert_eq!(config.virtual_servers.len(), 2);
    assert_eq!(
        told,
        [
            "Warning (192.0.2.1 80 tcp) 'x' after 'real_server 192.0.2.10 80' is ignored",
            "Warning 'tcp' after 'virtual_server 192.0.2.1 80' is ignored",
            "Warning '6' after 'virtual_server fwmark 5' is ignored",
        ]
    );
}

#[test]
fn only_tunnels_have_options() {
    let plain = with_usual(
        "lvs_method DR type gue port 6080",
        &["Warning (192.0.2.1 80) options after 'DR' are ignored: only TUN has any"],
    );
    assert_eq!(plain.forwarding, Forwarding::Direct);
}

#[test]
fn a_group_of_marks_has_no_protocol() {
    let (config, told) = read(&format!(
        "virtual_server_group g {{\nfwmark 5\n}}\nvirtual_server group g {{\n{USUAL}{SERVER}}}"
    ));
    assert_eq!(told, ["Error (group g) protocol is ignored with fwmark"]);
    assert_eq!(config.virtual_servers[0].protocol, None);
}

#[test]
fn a_group_without_a_server_of_its_family_is_lost_and_an_error() {
    let (config, told) = read(&format!(
        "virtual_server_group g {{\n2001:db8::1 80\n}}\n\
         virtual_server group g {{\n{USUAL}{SERVER}}}"
    ));
    assert!(config.virtual_servers.is_empty());
    assert_eq!(
        told,
        [
            "Warning (group g) real_server 192.0.2.10 is left out: the virtual server is IPv6, \
             and only TUN goes between families",
            "Error (group g) no real_server remains: it is left out",
        ]
    );
}

#[test]
fn one_packet_scheduling_is_for_udp() {
    let vs = with_usual("ops", &["Error (192.0.2.1 80) ops is ignored: it is for UDP and fwmark"]);
    assert!(!vs.one_packet);
    assert!(with_usual("ops\nprotocol udp", &[]).one_packet);
}

#[test]
fn a_sorry_server_that_is_a_real_server_has_its_inhibition() {
    let vs = with_usual(
        "sorry_server_inhibit\nsorry_server 192.0.2.10 80\nsorry_server_lvs_method DR",
        &["Error (192.0.2.1 80) sorry_server_inhibit before sorry_server is ignored"],
    );
    let sorry = vs.sorry_server.unwrap();
    assert_eq!((sorry.inhibit, sorry.forwarding), (false, Forwarding::Direct));
    let vs = with_usual(
        "inhibit_on_failure\nsorry_server 192.0.2.10 80",
        &["Error (192.0.2.1 80) sorry_server is a real_server with inhibit_on_failure: so it is \
           here as well"],
    );
    assert!(vs.sorry_server.unwrap().inhibit);
}

#[test]
fn groups_may_come_later_and_their_users_are_counted() {
    let user = |protocol: &str| {
        format!(
            "virtual_server group web {{\nlvs_sched rr\nlvs_method DR\nprotocol {protocol}\n\
             real_server 192.0.2.50 {{\n}}\n}}\n"
        )
    };
    let (config, told) = read(&format!(
        "{}{}virtual_server_group unused {{\n192.0.2.1\n}}\n\
         virtual_server_group web {{\n192.0.2.1 80\n192.0.2.10-12 80\n192.0.2.64/31 80\nfwmark 5\n}}\n\
         virtual_server group none {{\n}}",
        user("TCP"),
        user("UDP"),
    ));
    assert_eq!(
        told,
        ["Error (group none) virtual_server_group 'none' does not exist: the virtual server is \
          left out"]
    );
    let shown: Vec<_> = config.virtual_servers.iter().map(|vs| vs.to_string()).collect();
    assert_eq!(shown, ["[web]:0", "[web]:1"]);
    assert_eq!(config.virtual_servers[0].servers[0].port, 80, "that of all the ranges");
    let [group] = config.address_groups.as_slice() else { panic!("one is used") };
    let services: usize = group.entries.iter().map(|entry| entry.services().count()).sum();
    assert_eq!((group.entries.len(), services), (4, 1 + 3 + 2 + 1));
}

#[test]
fn lines_of_a_group_that_are_no_good_are_skipped() {
    let (config, told) = read(&format!(
        "virtual_server_group g {{\n80 192.0.2.1\n192.0.2.1/24\n2001:db8::70 80 81\n10.0.0.0/8\n\
         192.0.2.9 http\nfwmark 1 inet6\n2001:db8::1-f 80\n}}\n\
         virtual_server group g {{\n{USUAL}real_server 2001:db8::9 80 {{\n}}\n}}"
    ));
    assert_eq!(
        told,
        [
            "Error (g) '80' is not an address or a range: the line is skipped",
            "Error (g) '192.0.2.1/24' is not the first address of it: the line is skipped",
            "Warning (g) '81' after address and port is ignored",
            "Error (g) '10.0.0.0/8' has more than 65536 addresses: the line is skipped",
            "Error (g) address 'http' is not an address, a range of addresses or a port",
        ]
    );
    let entries = &config.address_groups[0].entries;
    assert_eq!(entries[1], GroupEntry::Fwmark { mark: 1, family: Some(Family::V6) });
    assert_eq!(entries.len(), 3);
    assert_eq!(config.virtual_servers[0].family, Family::V6);
}

#[test]
fn a_group_without_a_good_line_is_left_out() {
    let (config, told) = read(&format!(
        "virtual_server_group g {{\n}}\nvirtual_server_group g {{\n192.0.2.1 80\n}}\n\
         virtual_server_group g {{\n192.0.2.2 80\n}}\n\
         virtual_server group g {{\n{USUAL}{SERVER}}}\n\
         virtual_server_group none {{\n10.0.0.0/8\n}}"
    ));
    assert_eq!(
        told,
        [
            "Error virtual_server_group 'g' has no address and no fwmark: it is left out",
            "Warning virtual_server_group 'g' is there already: this one is left out",
            "Error (none) '10.0.0.0/8' has more than 65536 addresses: the line is skipped",
            "Error virtual_server_group 'none' has no address and no fwmark: it is left out",
        ]
    );
    let first = "192.0.2.1".parse().unwrap();
    let entries = &config.address_groups[0].entries;
    assert_eq!(entries[..], [GroupEntry::Range { first, last: first, port: 80 }]);
}

#[test]
fn a_group_is_bounded_as_a_whole() {
    let (config, told) = read(&format!(
        "virtual_server_group g {{\n10.0.0.0/17 80\n10.0.128.0/17 80\nfwmark 1\n192.0.2.1 80\n}}\n\
         virtual_server group g {{\n{USUAL}{SERVER}}}"
    ));
    assert_eq!(
        told,
        ["Error (g) the group has more than 65536 addresses: this line and all after it are skipped"]
    );
    assert_eq!(config.address_groups[0].entries.len(), 2, "exactly as many are fine");
}

#[test]
fn mail_is_for_real_servers_unless_it_is_set_otherwise() {
    let mail = |global: &str, vs: &str, rs: &str| {
        let (config, told) = read(&format!(
            "global_defs {{\n{global}\n}}\nvirtual_server 192.0.2.1 80 {{\n{USUAL}{vs}\n\
             real_server 192.0.2.10 80 {{\n{rs}\n}}\n}}"
        ));
        assert!(told.is_empty(), "{told:?}");
        let vs = &config.virtual_servers[0];
        (vs.mail, vs.servers[0].mail)
    };
    assert_eq!(mail("", "", ""), (false, true));
    assert_eq!(mail("smtp_alert_checker", "", ""), (true, true));
    assert_eq!(mail("smtp_alert_checker off", "smtp_alert", ""), (true, false));
    assert_eq!(mail("", "", "smtp_alert off"), (false, false));
}

#[test]
fn what_global_defs_says_of_ipvs() {
    let router = "vrrp_instance V {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n\
                  192.0.2.1\n}\n}";
    let (config, told) = read(&format!(
        "global_defs {{\nlvs_timeouts tcp 900 udp 30\nlvs_flush\nlvs_flush_on_stop VS\n\
         lvs_sync_daemon eth0 inst V maxlen 1400 port 8848 ttl 2 group 224.0.0.81\n\
         rs_init_notifies\nno_checker_emails\n}}\n{router}\nSSL {{\nca /etc/ca.pem\npassword x\n}}"
    ));
    assert_eq!(told, ["Note ca has no effect: checks do not verify certificates of servers"]);
    let lvs = &config.lvs;
    assert_eq!(
        (lvs.timeouts.tcp, lvs.timeouts.tcp_fin, lvs.timeouts.udp),
        (Some(900), None, Some(30))
    );
    assert!(lvs.flush && lvs.init_notifies && lvs.no_checker_mail);
    assert_eq!(lvs.flush_on_stop, FlushOnStop::Services);
    assert_eq!(lvs.tls.ca.as_deref(), Some("/etc/ca.pem"));
    let sync = lvs.sync_daemon.as_ref().unwrap();
    assert_eq!((sync.instance.as_deref(), sync.id, sync.port), (Some("V"), 51, Some(8848)));
    let (config, told) = read(&format!("global_defs {{\nlvs_sync_daemon eth0 V 7\n}}\n{router}"));
    assert_eq!(told, ["Error '7' alone is outdated: write 'id 7'"]);
    assert_eq!(config.lvs.sync_daemon.unwrap().id, 7);
    let (config, told) = read("global_defs {\nlvs_sync_daemon eth0 inst W\nlvs_flush_on_stop\n}");
    assert_eq!(told, ["Warning vrrp_instance 'W' does not exist: lvs_sync_daemon is ignored"]);
    assert_eq!((config.lvs.sync_daemon, config.lvs.flush_on_stop), (None, FlushOnStop::All));
}

#[test]
fn a_sync_daemon_of_an_instance_is_that_of_all() {
    let router = |name: &str, vrid: u8, line: &str| {
        format!(
            "vrrp_instance {name} {{\ninterface eth0\nvirtual_router_id {vrid}\n{line}\n\
             virtual_ipaddress {{\n192.0.2.{vrid}\n}}\n}}\n"
        )
    };
    let outdated = |name: &str| {
        format!(
            "Error ({name}) 'lvs_sync_daemon_interface' is outdated: use lvs_sync_daemon in \
             global_defs"
        )
    };
    let second = "Error (B) lvs_sync_daemon_interface is ignored: there is a sync daemon on";
    let old = "lvs_sync_daemon_interface eth1";
    let (config, told) = read(&(router("A", 51, old) + &router("B", 52, old)));
    assert_eq!(told, [outdated("A"), outdated("B"), format!("{second} eth1")]);
    let daemon = |id| SyncDaemon { instance: Some("A".into()), id, ..SyncDaemon::on("eth1") };
    assert_eq!(config.lvs.sync_daemon, Some(daemon(0)), "as the peers of that time have it");
    let global = "global_defs {\nlvs_sync_daemon eth1 inst A\n}\n";
    let (config, told) = read(&(global.to_owned() + &router("A", 51, "") + &router("B", 52, old)));
    assert_eq!(told, [outdated("B"), format!("{second} eth1")]);
    assert_eq!(config.lvs.sync_daemon, Some(daemon(51)));
}
