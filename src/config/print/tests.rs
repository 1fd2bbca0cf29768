use super::super::testing::lowered;
use super::*;

/// Printed and read again, a model is the same; and what is printed is in order.
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
  vrrp_priority -5
  vrrp_rt_priority 50
  vrrp_no_swap
  umask IRWXO
  default_interface eth1
}
vrrp_sync_group G {
  group {
    A B
  }
  track_interface {
    eth1
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
    a
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
  notify_deleted /usr/bin/notify
  notify_stop /usr/bin/notify
  smtp_alert off
  virtual_ipaddress {
    192.0.2.2
  }
}
"#,
    );
    for line in ["        a\n", "        a weight 5 noreverse\n", "    param_match\n"] {
        assert!(printed.contains(line), "{printed}");
    }
}
