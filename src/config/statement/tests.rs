use crate::config::tests::told;

/// Diagnostics for statements in an otherwise valid instance.
fn of_instance(lines: &str) -> Vec<String> {
    told(&format!(
        "vrrp_instance V {{\n{lines}\ninterface eth0\nvirtual_router_id 1\n\
         virtual_ipaddress {{\n192.0.2.250\n}}\n}}"
    ))
}

#[test]
fn an_unknown_keyword_is_told_with_a_better_one_and_its_block_is_skipped() {
    assert_eq!(
        of_instance("prioritty 5"),
        ["Error (Line 2) Unknown keyword 'prioritty' | did you mean 'priority'?"]
    );
    assert_eq!(
        told("virtual_servers 192.0.2.1 80 {\n  nonsense\n  more {\n  }\n}"),
        ["Error (Line 1) Unknown keyword 'virtual_servers' | did you mean 'virtual_server'?"]
    );
    assert_eq!(
        told("priority 100"),
        ["Error (Line 1) Unknown keyword 'priority' | 'priority' belongs into vrrp_instance"]
    );
}

#[test]
fn words_left_over_are_a_warning() {
    assert_eq!(
        of_instance("authentication {\nauth_type PASS auth_pass x\nauth_pass y\n}"),
        ["Warning (Line 3) (V) 'auth_pass ********' after 'auth_type PASS' is ignored: write one keyword per line"]
    );
    assert_eq!(
        of_instance("priority 100 zzz"),
        ["Warning (Line 2) (V) 'zzz' after 'priority 100' is ignored"]
    );
    assert_eq!(
        of_instance("nopreempt off"),
        ["Warning (Line 2) (V) 'off' after 'nopreempt' is ignored: the keyword alone switches it on"]
    );
}

#[test]
fn a_missing_argument_is_an_error_and_never_an_abort() {
    for (line, want) in [
        ("interface", "'interface' needs an interface name of at most 15 characters"),
        ("state", "'state' needs MASTER or BACKUP"),
        ("advert_int", "'advert_int' needs a number of seconds from 0.01 to 255"),
        ("notify_master", "'notify_master' needs a command"),
    ] {
        let told = of_instance(line);
        let last = told.last().map(String::as_str).unwrap_or_default();
        assert_eq!(last, format!("Error (Line 2) (V) {want}"));
    }
    assert_eq!(
        told("bfd_instance {\n}").last().unwrap(),
        "Error (Line 1) 'bfd_instance' needs a word of at most 31 characters"
    );
    for line in ["virtual_server fwmark {\n}", "virtual_server group {\n}", "virtual_server {\n}"] {
        let told = told(line);
        assert!(told.last().unwrap().starts_with("Error (Line 1) '"), "{told:?}");
    }
    assert_eq!(
        told("vrrp_instance {\npriority 5\n}"),
        ["Error (Line 1) 'vrrp_instance' needs a word"]
    );
}

#[test]
fn a_bad_value_is_told_with_what_is_used_instead() {
    assert_eq!(
        of_instance("priority 300\ngarp_master_repeat 0\ngarp_master_refresh x\nversion 3x\ndebug 9"),
        [
            "Error (Line 2) (V) priority '300' is not a whole number from 1 to 255: 100 is used",
            "Error (Line 3) (V) garp_master_repeat '0' is not a whole number from 1 to 4294967295: 1 is used",
            "Error (Line 4) (V) garp_master_refresh 'x' is not a whole number from 0 to 4294967295: 0 is used",
            "Error (Line 5) (V) version '3x' is not a whole number from 2 to 3: 3 is used",
            "Error (Line 6) (V) debug '9' is not a whole number from 0 to 4",
        ]
    );
    assert_eq!(
        told("global_defs {\nvrrp_rt_priority 500\ndynamic_interfaces maybe\n}"),
        [
            "Error (Line 2) vrrp_rt_priority '500' is not a whole number from 1 to 99: 99 is used",
            "Error (Line 3) dynamic_interfaces 'maybe' is not 'allow_if_changes': the bare keyword is used",
        ]
    );
}

#[test]
fn braces_where_none_belong_and_none_where_they_belong() {
    assert_eq!(
        of_instance("priority 100 {\nstate MASTER\n}"),
        ["Error (Line 2) (V) 'priority' takes no block: what is between the braces is ignored"]
    );
    assert_eq!(
        of_instance("virtual_ipaddress"),
        ["Error (Line 2) (V) 'virtual_ipaddress' needs a block: '{' is missing"]
    );
    assert_eq!(
        of_instance("virtual_ipaddress foo {\n192.0.2.1 dev eth0\n}"),
        ["Error (Line 2) (V) 'foo' between 'virtual_ipaddress' and '{' is ignored"]
    );
}

#[test]
fn what_is_not_in_effect_is_noted_once_with_its_first_place() {
    assert_eq!(
        told(
            "global_defs {\nenable_traps\nenable_traps\ndbus_service_name a.b\n\
             dbus_service_name a.c\n}"
        ),
        [
            "Note (Line 2) enable_traps: accepted, not in effect in this version",
            "Note (Line 4) dbus_service_name: accepted, not in effect in this version",
        ]
    );
}

#[cfg(feature = "lvs")]
#[test]
fn words_are_checked_whether_they_are_in_effect_or_not() {
    let told = told(
        "virtual_server 192.0.2.1 99999 {\n}\n\
         virtual_server 192.0.2.1 80 {\n\
           lvs_sched rrr\n\
           lvs_method DR\n\
           protocol TCP\n\
           real_server 192.0.2.2 80 {\n\
             weight x\n\
             HTTP_GET {\n\
               url {\n\
                 path /\n\
                 digest 123\n\
                 status_cod 200\n\
               }\n\
             }\n\
           }\n\
           real_server 192.0.2.2 80 {\n\
           }\n\
         }\n\
         static_routes {\n\
           192.0.2.0/24 via inet 192.0.2.1 dev eth0 mtu lock 1400 metric x\n\
           default nexthop via 192.0.2.1 weight 5 nexthop via 192.0.2.2 encap ip id 5 dst 192.0.2.3\n\
         }\n\
         static_rules {\n\
           from 192.0.2.0/24 table 5 preferenc 100\n\
         }",
    );
    assert_eq!(
        told,
        [
            "Error (Line 1) virtual_server '99999' is not a whole number from 0 to 65535",
            "Error (Line 4) (192.0.2.1 80) lvs_sched 'rrr' is not rr, wrr, lc, wlc, lblc, sh, mh, dh, fo, ovf, lblcr, sed, nq or twos | did you mean 'rr'?",
            "Error (Line 8) (192.0.2.1 80, 192.0.2.2) weight 'x' is not a whole number from 0 to 2147483647",
            "Error (Line 12) (192.0.2.1 80, 192.0.2.2) digest '123' is not 32 hexadecimal digits",
            "Error (Line 13) Unknown keyword 'status_cod' | did you mean 'status_code'?",
            "Error (Line 17) (192.0.2.1 80) real_server '192.0.2.2' is defined already: this one is skipped",
            "Error (Line 3) (192.0.2.1 80) lvs_sched is missing: wlc is used",
            "Error (Line 21) metric 'x' is not a whole number from 0 to 4294967295: the line is ignored",
            "Error (Line 25) unknown option 'preferenc' of rule 'from': the line is ignored | did you mean 'preference'?",
        ]
    );
}

#[test]
fn scripts_have_quotes_of_their_own() {
    let quotes = |lines: &str| -> Vec<String> {
        let told = of_instance(lines).into_iter();
        told.filter(|t| t.contains("quote the whole") || t.contains("again")).collect()
    };
    assert!(quotes("notify_master '/usr/bin/notify a b c d e' ops ops").is_empty());
    assert_eq!(
        quotes("notify_master /usr/bin/notify a b c"),
        ["Warning (Line 2) (V) words after the command of 'notify_master' are ignored: quote the whole command"]
    );
    assert_eq!(
        quotes("notify /bin/a\nnotify /bin/b"),
        ["Error (Line 3) (V) 'notify' again: the first one counts"]
    );
}

#[cfg(feature = "lvs")]
#[test]
fn old_names_work_and_are_told_as_loudly_as_they_always_were() {
    assert_eq!(
        of_instance("nopreempt\nthread_timer_expired 9"),
        ["Error (Line 3) (V) 'thread_timer_expired' is the old name of 'timer_expired_backup'"]
    );
    let silent = told(
        "virtual_server 192.0.2.1 80 {\nlb_algo rr\nlb_kind DR\nprotocol TCP\n\
         real_server 192.0.2.2 80 {\n}\n}",
    );
    assert!(silent.is_empty(), "{silent:?}");
    let noted = told("vrrp_track_file f {\nfile /usr/x\n}");
    assert_eq!(noted, ["Note (Line 1) 'vrrp_track_file' is the old name of 'track_file'"]);
}

#[test]
fn a_second_block_of_one_name_is_skipped() {
    let both = "vrrp_sync_group G {\ngroup {\nV\n}\n}\n".repeat(2);
    let told = told(&both);
    assert!(
        told.contains(
            &"Error (Line 6) vrrp_sync_group 'G' is defined already: this one is skipped"
                .to_owned()
        ),
        "{told:#?}"
    );
}

#[test]
fn a_mistake_made_twenty_thousand_times_is_told_twenty_times() {
    let told = told(&"bogus 1\n".repeat(20_000));
    assert_eq!(told.len(), 21);
    assert_eq!(told[20], "Error 19980 more complaints about 'bogus'");
}

#[test]
#[cfg(feature = "regex")]
fn what_was_always_right_is_right_although_not_in_effect() {
    let loud: Vec<_> = told(
        r#"
virtual_server_group web {
  192.0.2.1 80
  192.0.2.10-20 80
  192.0.2.16/28 80
  fwmark 5 inet
}
virtual_server_group web6 {
  2001:db8::1-ff 443
}
vrrp_instance V {
  interface eth0
  virtual_router_id 1
  virtual_ipaddress {
    192.0.2.1
  }
}
virtual_server group web {
  protocol UDP
  lvs_sched rr
  lvs_method TUN type gue port 5555 nocsum
  sorry_server 192.0.2.9 80
  quorum_up "/usr/bin/notify now" ops
  real_server 192.0.2.2 0 {
    UDP_CHECK {
      payload "01 02" ff
      require_reply 0x xx
    }
    DNS_CHECK {
      type mx
      name example.org
    }
    HTTP_GET {
      url {
        path /
        status_code 200-204 301
        regex well
        regex_options caseless utf
      }
      http_protocol 1.0C
    }
  }
}
bfd_instance b {
  neighbour_ip 192.0.2.3
  min_rx 50.5
  max_hops -1
}
interface_up_down_delays {
  eth0 5 0.5
}
static_rules {
  not from 192.0.2.0/24 fwmark 0x10/0xff sport 80-90 table 100 priority 0x64
}
static_routes {
  blackhole 192.0.2.0/24
  default via inet6 fe80::1 dev eth0 rtt lock 300ms features ecn encap mpls 100/200 table 5
  192.0.2.0/24 table 100 nexthop via 192.0.2.1 weight 2 onlink nexthop dev eth0
}
global_defs {
  enable_script_security
  script_user ops
  lvs_sync_daemon eth0 inst V id 5 ttl 3
  lvs_timeouts tcp 900 udp 30
  vrrp_cpu_affinity 0 1
  umask IRWXG | IRWXO
}
"#,
    )
    .into_iter()
    .filter(|t| !t.starts_with("Note"))
    .collect();
    assert!(loud.is_empty(), "{loud:#?}");
}
