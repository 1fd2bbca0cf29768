use super::track::script;
use super::*;
use crate::model::firewall::{FirewallKind, Marking};
use crate::model::global::ReceiveBuffer;
use crate::model::lvs::{FlushOnStop, Namespace, SyncDaemon};
use crate::model::notify::{Fifo, LifeScript, Mail, MailServer};
use crate::model::script::User;

fn shown(config: Config) -> String {
    let text = data::render(&Daemon::start(config).view());
    between(&text, "------< Global definitions >------", "------< Interfaces").to_owned()
}

#[test]
fn nothing_is_configured() {
    let expected = "\
------< Global definitions >------
 Network namespace = (default)
 Network namespace ipvs = (main namespace)
 Replace symlinks in script paths
 Default smtp_alert = unset
 Default smtp_alert_vrrp = unset
 Default smtp_alert_checker = unset
 Checkers log all failures = false
 No test config before reload
 keep script symlinks = false
 Dynamic interfaces = false
 Default interface = eth0
 Disable local IGMP = no
 Use VRRPv2 checksum for VRRPv3 IPv4 = no
 LVS flush = false
 LVS flush on stop = disabled
 FIFO write vrrp states on reload = false
 VRRP notify priority changes = false
 VRRP IPv4 mcast group = 224.0.0.18
 VRRP IPv6 mcast group = ff02::12
 Gratuitous ARP delay = 5
 Gratuitous ARP repeat = 5
 Gratuitous ARP refresh timer = 0
 Gratuitous ARP refresh repeat = 1
 Gratuitous ARP lower priority delay = 5
 Gratuitous ARP lower priority repeat = 5
 Num adverts before down = 3
 Gratuitous ARP for each secondary VMAC = 0s
 Send advert after receive lower priority advert = true
 Send advert after receive higher priority advert = false
 Gratuitous ARP interval = 0.000000
 Gratuitous NA interval = 0.000000
 VRRP default protocol version = 2
 nftables table name = keepalived
 nftables base chain priority = -1
 nftables don't force use ifindex for link local IPv6
 nftables without counters
 VRRP check unicast_src = false
 VRRP skip check advert addresses = false
 VRRP strict mode = false
 Max auto priority = 0
 Min auto priority delay = 1000000 usecs
 VRRP process priority = 0
 VRRP don't swap = false
 VRRP realtime priority = 0
 VRRP realtime limit = 0
 Checker process priority = 0
 Checker don't swap = false
 Checker realtime priority = 0
 Checker realtime limit = 0
 BFD process priority = 0
 BFD don't swap = false
 BFD realtime priority = 0
 BFD realtime limit = 0
 SNMP vrrp disabled
 SNMP checker disabled
 SNMP RFCv2 disabled
 SNMP RFCv3 disabled
 SNMP traps disabled
 DBus disabled
 Script security disabled
 vrrp_netlink_cmd_rcv_bufs = 0
 vrrp_netlink_cmd_rcv_bufs_force = 0
 vrrp_netlink_monitor_rcv_bufs = 0
 vrrp_netlink_monitor_rcv_bufs_force = 0
 process_monitor_rcv_bufs = 0
 process_monitor_rcv_bufs_force = 0
 lvs_netlink_cmd_rcv_bufs = 0
 lvs_netlink_cmd_rcv_bufs_force = 0
 lvs_netlink_monitor_rcv_bufs = 0
 lvs_netlink_monitor_rcv_bufs_force = 0
 rs_init_notifies = 0
 no_checker_emails = 0
 rx_bufs_multiples = 3
 umask = 0177
 json_version 1
 iproute usr directory (none)
 iproute etc directory (none)
 Use pid directory = false
 VRRP delay after boot = 0
";
    assert_eq!(shown(Config::default()), expected);
}

/// Almost everything, with a value of its own.
fn config() -> Config {
    let mut config = Config::default();
    let (g, lvs) = (&mut config.global, &mut config.lvs);
    g.net_namespace = Some("blue".into());
    g.instance_name = Some("one".into());
    g.process_name = Some("ka".into());
    g.use_symlink_paths = true;
    g.router_id = Some("rtr".into());
    g.mail = Some(Mail {
        server: MailServer::Name("mail.example".into()),
        port: 587,
        helo: "me".into(),
        timeout: Duration::from_secs(30),
        from: "a@b".into(),
        recipients: vec!["c@d".into(), "e@f".into()],
        no_faults: true,
    });
    let fifo =
        |path: &str| Fifo { path: path.into(), owner: User { uid: 1, gid: 2 }, script: None };
    g.fifos.all = Some(fifo("/run/all"));
    g.fifos.vrrp = Some(Fifo { script: Some(script("/etc/f")), ..fifo("/run/vrrp") });
    g.fifos.lvs = Some(fifo("/run/lvs"));
    let life = |command, seconds| {
        Some(LifeScript { script: script(command), timeout: Duration::from_secs(seconds) })
    };
    (g.startup_script, g.shutdown_script) = (life("/etc/up", 10), life("/etc/down", 3));
    g.default_interface = Some("e9".into());
    g.firewall.kind = FirewallKind::Nftables;
    g.firewall.nftables.table = "ka_table".into();
    g.firewall.nftables.priority = -3;
    g.firewall.nftables.counters = true;
    g.firewall.marking = Some(Marking { table: "ka_ipvs".into(), priority: 5, first_mark: 5000 });
    g.checker.cpus = vec![0, 2];
    g.checker.rt_limit = Some(20_000);
    g.script_security = true;
    g.buffers.processes = ReceiveBuffer { bytes: Some(4096), force: true };
    lvs.namespace = Namespace::Named("green".into());
    lvs.timeouts.tcp = Some(900);
    lvs.timeouts.udp = Some(300);
    lvs.flush = true;
    lvs.flush_on_stop = FlushOnStop::Services;
    lvs.sync_daemon = Some(SyncDaemon {
        instance: Some("V1".into()),
        id: 9,
        port: Some(8848),
        group: Some(ip("224.0.0.81")),
        ..SyncDaemon::on("e3")
    });
    lvs.init_notifies = true;
    config
}

#[test]
fn everything_is_configured() {
    let (plain, text) = (shown(Config::default()), shown(config()));
    let own: Vec<_> = text.lines().filter(|line| !plain.lines().any(|l| l == *line)).collect();
    assert_eq!(
        own.join("\n"),
        " Network namespace = blue
 Network namespace ipvs = green
 Instance name = one
 Parent process name = ka
 Keep symlinks in script paths
 Router ID = rtr
 Smtp server = mail.example
 Smtp server port = 587
 Smtp HELO name = me
 Smtp server connection timeout = 30
 Email notification from = a@b
 Email notification to:
   c@d
   e@f
 keep script symlinks = true
 Startup script = '/etc/up', uid:gid 7:8, timeout 10
 Shutdown script = '/etc/down', uid:gid 7:8 timeout 3
 Send emails for fault transitions = off
 LVS TCP timeout = 900
 LVS UDP timeout = 300
 Default interface = e9
 LVS syncd vrrp instance = V1
 LVS syncd interface = e3
 LVS syncd syncid = 9
 LVS mcast group 224.0.0.81
 LVS syncd mcast port = 8848
 LVS flush = true
 LVS flush on stop = VS
 Global notify fifo = /run/all, uid:gid 1:2
 VRRP notify fifo = /run/vrrp, uid:gid 1:2
 VRRP notify fifo script = '/etc/f' '/run/vrrp', uid:gid 7:8
 LVS notify fifo = /run/lvs, uid:gid 1:2
 nftables table name = ka_table
 nftables base chain priority = -3
 ipvs nftables table name = ka_ipvs
 ipvs nftables base chain priority = 5
 ipvs nftables start fwmark = 5000
 nftables with counters
 Checker CPU Affinity = 0 2
 Checker realtime limit = 20000
 Script security enabled
 process_monitor_rcv_bufs = 4096
 process_monitor_rcv_bufs_force = 1
 rs_init_notifies = 1"
    );
}
