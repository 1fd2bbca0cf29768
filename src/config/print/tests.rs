use super::fits::quoted;
use super::*;
use crate::base::parts;
use crate::config::tests::lowered;

/// A printed model is read back unchanged and without diagnostics.
#[track_caller]
fn round_trip(text: &str) -> String {
    let (config, _) = lowered(text);
    let printed = print(&config, Secrets::Shown);
    let (again, told) = lowered(&printed);
    assert_eq!(config, again, "{printed}");
    let told: Vec<_> = told.iter().filter(|t| !t.starts_with("Note")).collect();
    assert!(told.is_empty(), "{told:#?}\n{printed}");
    printed
}

#[test]
fn an_instance_with_everything() {
    round_trip(
        r#"
instance east
net_namespace blue
global_defs {
  router_id "a router"
  dynamic_interfaces
  vrrp_garp_master_delay 7
  vrrp_garp_lower_prio_repeat 2
  vrrp_mcast_group4 224.0.0.99
  vrrp_startup_delay 2.5
  vrrp_garp_interval 0.001
  vrrp_rx_bufs_policy MTU
  vrrp_netlink_cmd_rcv_bufs 70000
  lvs_netlink_monitor_rcv_bufs 80000
  lvs_netlink_monitor_rcv_bufs_force
  vrrp_priority -5
  vrrp_rt_priority 50
  vrrp_no_swap
  checker_no_swap
  vrrp_cpu_affinity 0 3
  checker_priority 5
  bfd_rt_priority 7
  checker_rlimit_rttime 20000
  max_auto_priority 30
  min_auto_priority_delay 500000
  vrrp_delay_after_boot 90
  process_name "ka one"
  random_seed 0
  control_socket "/run/my k.sock"
  control_read_group ops
  state_dump_file /run/a.state
  stats_dump_file "my stats"
  json_dump_file b.json
  data_use_instance
  json_version 2
  reload_check_config
  reload_time_file /run/time
  reload_repeat
  reload_file
  config_save_dir /var/lib/saved
  metrics_listen 127.0.0.1:9650
  disable_local_igmp
  umask IRWXO
  default_interface eth1
}
garp_group {
  garp_interval 0.05
  interface eth0
  interfaces {
    lo eth1
  }
}
interface_up_down_delays {
  eth0 0.25 1
  eth1 4
}
linkbeat_interfaces {
  eth0 IOCTL
  eth1
}
vrrp_sync_group G {
  group {
    A B
  }
  track_interface {
    lo
  }
}
vrrp_instance A {
  interface eth0
  virtual_router_id 7
  nopreempt
  timer_expired_backup 200
  authentication {
    auth_type PASS
    auth_pass "a b#c"
  }
  track_interface {
    eth1 weight 0 reverse
  }
  virtual_ipaddress {
    192.0.2.1/24 brd + label eth0:1 scope link no_track
    192.0.2.2 peer 192.0.2.3 dev eth1 home noprefixroute
  }
  virtual_ipaddress_excluded {
    2001:db8::1/128 preferred_lft forever
    2001:db8::2/64 -nodad mngtmpaddr autojoin preferred_lft 10
  }
  promote_secondaries
  garp_extra_if all 30
  debug 3
}
vrrp_instance B {
  version 3
  unicast_src_ip 192.0.2.9
  unicast_peer {
    192.0.2.10
    192.0.2.11 min_ttl 250
  }
  unicast_ttl 64
  track_src_ip
  virtual_router_id 7
  advert_int 0.25
  preempt_delay 2.5
  old_unicast_checksum never
  no_accept
  virtual_ipaddress {
    192.0.2.5/24 dev eth0
  }
}
"#,
    );
}

#[test]
fn strict_mode_and_its_exceptions() {
    for priority in [100, 255] {
        for version in [2, 3] {
            round_trip(&format!(
                "global_defs {{\nvrrp_strict\nvrrp_owner_ignore_adverts\n}}\n\
                 vrrp_instance A {{\ninterface eth0\nvirtual_router_id 1\npriority {priority}\n\
                 version {version}\nvirtual_ipaddress {{\n192.0.2.1\n}}\n}}"
            ));
        }
    }
    let printed = round_trip(
        "vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\nversion 3\nstrict_mode\naccept\n\
         virtual_ipaddress {\n192.0.2.1\n}\n}",
    );
    assert!(printed.contains("    accept\n"), "{printed}");
}

#[test]
fn ipv6_in_version_2_keeps_its_version() {
    let printed = round_trip(
        "vrrp_instance A {\nversion 2\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n\
         fe80::1/64\n}\n}",
    );
    assert!(printed.contains("version 2\n"), "{printed}");
}

#[test]
fn an_instance_without_addresses_says_so() {
    round_trip(
        "vrrp_instance A {\nversion 3\nno_virtual_ipaddress\ninterface eth0\nvirtual_router_id 1\n}",
    );
}

#[test]
fn instances_that_stand_in_fault() {
    round_trip(
        "vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\nunicast_fault_no_peer\n\
         check_unicast_src\nvirtual_ipaddress {\n192.0.2.1\n}\n}",
    );
}

#[test]
fn passwords_are_printed_on_demand_only() {
    let (config, _) = lowered(
        "vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\nauthentication {\n\
         auth_type PASS\nauth_pass secret\n}\nvirtual_ipaddress {\n192.0.2.1\n}\n}",
    );
    assert!(print(&config, Secrets::Shown).contains("auth_pass secret\n"));
    assert!(!print(&config, Secrets::Hidden).contains("secret"));
}

#[test]
fn words_that_need_quotes_get_them() {
    assert_eq!(quoted("eth0.100"), "eth0.100");
    for word in ["", "a b", "x{", "#1", "a!b", "@a", "~SEQ", "$x"] {
        assert_eq!(quoted(word), format!("\"{word}\""));
    }
}

#[test]
fn what_is_tracked_and_who_is_told() {
    let printed = round_trip(
        r#"
global_defs {
  enable_script_security
  script_user ops
  smtp_alert
  smtp_server mail.example 587
  smtp_connect_timeout 5
  notification_email_from "Router <router@example.org>"
  notification_email {
    "Two Words <ops@example.org>" root@localhost
  }
  no_email_faults
  notify_fifo /run/all
  notify_fifo_script "/usr/bin/notify 'all of it'" root
  vrrp_notify_fifo "/run/v rrp" root root
  lvs_notify_fifo /run/lvs ops
  lvs_notify_fifo_script /usr/bin/notify
  fifo_write_vrrp_states_on_reload
  startup_script "/usr/bin/true up"
  startup_script_timeout 3
  shutdown_script /usr/bin/true root
  vrrp_notify_priority_changes
  use_symlink_paths
}
vrrp_script a {
  script "/usr/bin/check 'two words' \042q\042 $x #y \173z\175 '' \303\244 ~SEQ ! ; \\"
  interval 0.25
  timeout 3
  weight -5 reverse
  user root
  init_fail
}
vrrp_script b {
  script "</etc/flag"
  rise 2
  fall 3
}
track_file f {
  file /usr/f
  weight 0
  init_file -3 overwrite
}
vrrp_track_process p {
  process nginx "-g x" ""
  param_match partial
  quorum 2
  quorum_max 9
  delay 0.5
  full_command
}
vrrp_track_process q {
  process ntpd
  param_match
  quorum_max 0
}
vrrp_sync_group G {
  sync_group_tracking_weight
  group {
    A
    B
  }
  track_script {
    b weight 5 reverse
  }
  track_process {
    p weight -254
  }
  notify "/usr/bin/notify group"
  notify_priority_changes off
}
vrrp_instance A {
  interface eth0
  virtual_router_id 1
  track_script {
    a weight 5 noreverse
  }
  track_file {
    f weight -254
  }
  track_process {
    q
  }
  notify_deleted
  notify_master "/usr/bin/notify m" root
  notify_priority_changes
  virtual_ipaddress {
    192.0.2.1
  }
}
vrrp_instance B {
  interface eth0
  virtual_router_id 2
  track_script {
    a
  }
  notify_deleted /usr/bin/notify
  notify_stop /usr/bin/notify
  smtp_alert off
  virtual_ipaddress {
    192.0.2.2
  }
}
"#,
    );
    for line in [
        "        a\n",
        "        a weight 5 noreverse\n",
        "        p weight -254\n",
        "    param_match\n",
        r#"    script "/usr/bin/check 'two words' \042q\042 \044x \043y \173z\175 ''"#,
    ] {
        assert!(printed.contains(line), "{printed}");
    }
}

#[test]
fn a_virtual_server_with_everything() {
    round_trip(
        r#"
net_namespace_ipvs "my lvs"
global_defs {
  enable_script_security
  script_user ops
  lvs_timeouts tcp 900 tcpfin 0
  lvs_flush
  lvs_flush_on_stop
  lvs_sync_daemon eth0 id 7 maxlen 1400 port 8848 ttl 2 group 224.0.0.81
  rs_init_notifies
  no_checker_emails
  smtp_alert_checker off
  checker_log_all_failures
}
SSL {
  ca "/etc/my ca.pem"
  key /etc/key.pem
  certificate /etc/cert.pem
  password "x y"
}
virtual_server 192.0.2.1 80 {
  lvs_sched mh
  mh-port
  mh-fallback
  lvs_method TUN type gue port 6080 remcsum
  protocol TCP
  persistence_engine sip
  persistence_timeout 60
  persistence_granularity 255.255.0.0
  delay_loop 2.5
  alpha
  omega
  ha_suspend
  quorum 3
  hysteresis 2
  quorum_up /usr/bin/notify
  quorum_down /usr/bin/notify
  smtp_alert
  virtualhost www.example.org
  inhibit_on_failure
  sorry_server 2001:db8::99 80
  sorry_server_inhibit
  sorry_server_lvs_method TUN type gre csum
  real_server 192.0.2.10 80 {
    weight 7
    uthreshold 100
    lthreshold 10
    notify_up /usr/bin/notify
    notify_down /usr/bin/notify
    alpha off
    smtp_alert off
    virtualhost other.example.org
    TCP_CHECK {
    }
  }
  real_server 192.0.2.11 8080 {
    lvs_method NAT
    inhibit_on_failure off
  }
  real_server 2001:db8::1 80 {
  }
}
"#,
    );
}

#[test]
fn services_of_every_kind() {
    round_trip(
        "net_namespace_ipvs\nvirtual_server_group g {\n192.0.2.1 80\n192.0.2.8-15 81\n192.0.2.32/30\nfwmark 6 inet\n\
         fwmark 7\n}\n\
         virtual_server group g {\nprotocol UDP\nops\nlvs_sched sh\nsh-port\nlvs_method DR\n\
         persistence_timeout\nreal_server 192.0.2.99 {\nPING_CHECK {\n}\n}\n}\n\
         virtual_server fwmark 5 {\nops\nip_family inet6\nlvs_sched rr\nlvs_method NAT\n\
         persistence_granularity 64\nreal_server 2001:db8::9 25 {\nSMTP_CHECK {\n}\n}\n}\n\
         virtual_server 2001:db8::1 {\nprotocol sctp\nlvs_sched ovf\nflag-3\npersistence_timeout 5\n\
         lvs_method TUN type gre\nreal_server 192.0.2.98 {\n}\n}",
    );
}

#[test]
fn checks_of_every_kind() {
    round_trip(
        r#"
global_defs {
  enable_script_security
  script_user ops
}
track_file load {
  file /usr/load
  weight 3
}
virtual_server 192.0.2.1 80 {
  lvs_sched rr
  lvs_method DR
  protocol TCP
  delay_loop 0.5
  real_server 192.0.2.10 8080 {
    lvs_method NAT
    TCP_CHECK {
      connect_ip 192.0.2.11
      connect_port 81
      bindto 192.0.2.12
      bind_port 1024
      bind_if eth0
      connect_timeout 1.5
      fwmark 9
      retry 0
      delay_before_retry 0
      warmup 0
      delay_loop 7
      alpha
      log_all_failures
    }
    SMTP_CHECK {
      helo_name "a name"
    }
    DNS_CHECK {
      type MX
      name example.org
    }
    UDP_CHECK {
      payload 00ff10
      require_reply x1 2x 33
      min_reply_length 3
      max_reply_length 3
    }
    UDP_CHECK {
      require_reply
    }
    PING_CHECK {
    }
    MISC_CHECK {
      misc_path /usr/bin/true
      misc_dynamic
    }
    MISC_CHECK {
      misc_path "/usr/bin/check 'a b' {"
      misc_timeout 3
      user root
    }
    FILE_CHECK {
      track_file load
    }
    FILE_CHECK {
      track_file load
      weight -2 reverse
    }
  }
}
"#,
    );
}

#[test]
fn pages_of_every_kind() {
    let page = |inner: &str| {
        format!(
            "virtual_server 192.0.2.1 80 {{\nlvs_sched rr\nlvs_method DR\nprotocol TCP\n\
             virtualhost vs\nreal_server 192.0.2.10 80 {{\nvirtualhost rs\n{inner}\n}}\n}}"
        )
    };
    for inner in [
        "SSL_GET {\nenable_sni\nurl {\npath /\n}\n}",
        "SSL_GET {\nenable_sni\ntls_compliant\nvirtualhost check\nurl {\npath /\n}\n}",
        "SSL_GET {\nenable_sni\nurl {\npath /\nvirtualhost rs\n}\nurl {\npath /x\n}\n}",
        "SSL_GET {\nvirtualhost vs\nurl {\npath /\ntls_compliant\n}\n}",
        "HTTP_GET {\nhttp_protocol 1.1\nfast_recovery\nurl {\npath \"/a b\"\nstatus_code 200 301-302\n\
         digest 9b3a0c85a887a256d6939da88aabd8cd\n}\nurl {\npath /\nvirtualhost url\n\
         regex \"^a\\\\d+ 'b' c{2}#!\"\nregex_options caseless multiline\nregex_no_match\n\
         regex_min_offset 1\nregex_max_offset 9\n}\n}",
    ] {
        if parts::TLS || !inner.starts_with("SSL_GET") {
            round_trip(&page(inner));
        }
    }
}

#[test]
fn the_password_of_a_key_can_be_hidden() {
    let (config, _) = lowered("SSL {\npassword secret\n}");
    assert!(print(&config, Secrets::Shown).contains("password secret"));
    assert!(!print(&config, Secrets::Hidden).contains("secret"));
}

#[test]
fn virtual_interfaces() {
    let block = |name: &str, vrid: u8, lines: &str| {
        format!(
            "vrrp_instance {name} {{\nversion 3\n{lines}\ninterface eth0\nvirtual_router_id {vrid}\n}}\n"
        )
    };
    let addresses = |n: u32| {
        format!(
            "virtual_ipaddress {{\n192.0.2.{n}\n192.0.3.{n} dev eth1 use_vmac\n}}\n\
             virtual_ipaddress_excluded {{\n2001:db8::{n} use_vmac\n}}"
        )
    };
    let first = format!("use_vmac 2:0:0:0:0:7 group 9 netlink_notify_msg\n{}", addresses(1));
    let second = format!("use_vmac name group\nvmac_xmit_base\n{}", addresses(2));
    let text = "global_defs {\nvmac_prefix v\nvmac_addr_prefix w\n}\n".to_owned()
        + &block("A", 51, &first)
        + &block("B", 52, &second)
        + &block("C", 53, "use_ipvlan vepa 192.0.2.9/24\nvirtual_ipaddress {\n192.0.2.3\n}")
        + &block("D", 54, "use_vmac_addr\nvirtual_ipaddress {\n192.0.2.4 dev eth1\n192.0.2.5\n}");
    let printed = round_trip(&text);
    for line in [
        "use_vmac v.51 02:00:00:00:00:07 group 9 netlink_notify_msg",
        "use_vmac name group",
        "use_ipvlan v.53 vepa 192.0.2.9/24",
        "192.0.2.1/32 dev eth0",
        "192.0.3.2/32 dev eth1 use_vmac",
        "2001:db8::1/128 dev eth0 use_vmac",
        "192.0.2.4/32 dev eth1 use_vmac",
    ] {
        assert!(printed.lines().any(|l| l.trim() == line), "no '{line}' in {printed}");
    }
    assert!(!printed.contains("mcast_src_ip"), "{printed}");
}

#[test]
fn a_packet_filter_is_printed_as_it_is_configured() {
    use crate::model::firewall::{Firewall, FirewallKind, IpSets, Iptables, Nftables};
    let lines = |kind, nftables| {
        let mut config = lowered("").0;
        config.global.firewall = Firewall { kind, nftables, marking: None };
        let printed = print(&config, Secrets::Shown);
        let lines =
            printed.lines().map(str::trim).filter(|l| l.contains("table") || l.contains("set"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(FirewallKind::Default, Nftables::default()), [""; 0]);
    let table = "mine".to_owned();
    let all = Nftables { table, priority: 5, by_index: true, counters: true };
    let expected =
        ["nftables mine", "nftables_priority 5", "nftables_ifindex", "nftables_counters"];
    assert_eq!(lines(FirewallKind::Nftables, all), expected);
    let [input, output] = ["IN", "OUT"].map(str::to_owned);
    let sets = Some(IpSets::default());
    let iptables = Iptables { input: input.clone(), output: Some(output), sets };
    let expected = [
        "vrrp_iptables IN OUT",
        "vrrp_ipsets keepalived keepalived6 keepalived_if6 keepalived_igmp keepalived_mld keepalived_nd",
    ];
    assert_eq!(lines(FirewallKind::Iptables(iptables), Nftables::default()), expected);
    let iptables = Iptables { input, output: None, sets: None };
    let expected = ["vrrp_iptables IN", "vrrp_ipsets"];
    assert_eq!(lines(FirewallKind::Iptables(iptables), Nftables::default()), expected);
}

#[test]
fn the_settings_of_marks_are_printed_unless_they_are_the_usual_ones() {
    use crate::model::firewall::Marking;
    let lines = |marking| {
        let mut config = lowered("").0;
        config.global.firewall.marking = marking;
        let printed = print(&config, Secrets::Shown);
        let lines = printed.lines().map(str::trim).filter(|line| line.contains("nftables"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(None), [""; 0]);
    assert_eq!(lines(Some(Marking::default())), ["nftables_ipvs keepalived_ipvs"]);
    let marking = Marking { table: "t".to_owned(), priority: 7, first_mark: 5000 };
    let expected =
        ["nftables_ipvs t", "nftables_ipvs_priority 7", "nftables_ipvs_start_fwmark 5000"];
    assert_eq!(lines(Some(marking)), expected);
}

#[test]
fn sessions_and_what_follows_them() {
    round_trip(
        "bfd_instance all {\nneighbor_ip fd00::2\nsource_ip fd00::1\nmin_rx 50.125\nmin_tx 20\n\
         idle_tx 2000\nmultiplier 3\npassive\nhoplimit 64\nmax_hops -1\nmultihop\n\
         weight 10 reverse\nauth {\ntype meticulous_sha1\nkey 255 \"a key\"\n}\n}\n\
         bfd_instance few {\nneighbor_ip 192.0.2.9\nttl 9\nmax_hops 10\nvrrp\n}\n\
         bfd_instance one {\nneighbor_ip 192.0.2.8\nmax_hops 2\nchecker\n}\n\
         bfd_instance near {\nneighbor_ip fe80::1\ninterface eth0\nsource_ip fe80::2\n}\n\
         vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\n\
         track_bfd {\nall weight 5 noreverse\nfew\n}\nvirtual_ipaddress {\n192.0.2.1\n}\n}\n\
         virtual_server 192.0.2.7 80 {\nlvs_sched rr\nlvs_method DR\nprotocol TCP\n\
         real_server 192.0.2.10 80 {\nBFD_CHECK {\nname one\nalpha\n}\n}\n}",
    );
}

#[cfg(feature = "bfd")]
#[test]
fn the_key_of_a_session_can_be_hidden() {
    let (config, _) = lowered(
        "bfd_instance b {\nneighbor_ip 192.0.2.9\nauth {\ntype sha1\nkey 1 topsecret\n}\n}",
    );
    assert!(print(&config, Secrets::Shown).contains("key 1 topsecret"));
    assert!(!print(&config, Secrets::Hidden).contains("topsecret"));
}

#[test]
fn authentication_of_every_kind() {
    let key = "0123456789abcdef0123456789abcdef";
    for auth in [
        "authentication {\nauth_type AH\nauth_pass \"a b#c\"\n}".to_owned(),
        format!("auth_hmac {{\nkey 1 {key}\nkey 255 file:/etc/key\nactive_key 255\n}}"),
        format!("auth_hmac {{\nkey 9 {key}\nactive_key 9\nmode permissive\ntime_window 7\n}}"),
        format!("auth_hmac {{\nkey 9 {key}\nactive_key 9\nanti_replay monotonic\n}}"),
    ] {
        let text = format!(
            "vrrp_instance A {{\ninterface eth0\nvirtual_router_id 1\n{auth}\n\
             virtual_ipaddress {{\n192.0.2.1\n}}\n}}"
        );
        let printed = round_trip(&text);
        let (config, _) = lowered(&printed);
        let hidden = print(&config, Secrets::Hidden);
        assert!(hidden.contains("********") && !hidden.contains("a b#c"), "{hidden}");
        assert!(!hidden.contains("hex:") && !hidden.contains(key), "{hidden}");
    }
}
