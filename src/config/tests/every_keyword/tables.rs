//! How keywords and options are written where their tables do not say it.

/// What a block needs to be whole: the words after its keyword, and lines between its braces.
pub(super) const BLOCKS: &[(&str, &str, &[&str])] = &[
    (
        "vrrp_instance",
        "VI",
        &["interface eth0", "virtual_router_id 1", "virtual_ipaddress { 192.0.2.1 }"],
    ),
    ("vrrp_sync_group", "G", &["group { VJ }"]),
    ("authentication", "", &["auth_type PASS", "auth_pass secret"]),
    ("auth_hmac", "", &["key 1 0123456789abcdef0123456789abcdef", "active_key 1"]),
    ("vrrp_script", "ST", &["script /usr/bin/true"]),
    ("track_file", "FT", &["file /tmp/tracked"]),
    ("vrrp_track_file", "FT", &["file /tmp/tracked"]),
    ("vrrp_track_process", "PT", &["process sshd"]),
    ("track_group", "T", &["group { VJ }"]),
    ("static_track_group", "T", &["group { VJ }"]),
    ("bfd_instance", "BT", &["neighbor_ip 192.0.2.7"]),
    ("auth", "", &["type sha1", "key 1 secret"]),
    ("garp_group", "", &["garp_interval 1", "interfaces { eth0 }"]),
    (
        "virtual_server",
        "192.0.2.1 80",
        &[
            "lvs_sched rr",
            "lvs_method NAT",
            "protocol TCP",
            "real_server 192.0.2.10 80 { weight 2 }",
        ],
    ),
    ("virtual_server_group", "VG", &["192.0.2.1 80"]),
    ("real_server", "192.0.2.11 80", &["weight 2"]),
    ("HTTP_GET", "", &["url { path / }"]),
    ("SSL_GET", "", &["url { path / }"]),
    ("url", "", &["path /"]),
    ("MISC_CHECK", "", &["misc_path /usr/bin/true"]),
    ("FILE_CHECK", "", &["track_file F"]),
    ("BFD_CHECK", "", &["name B"]),
];

/// What statements refer to.
pub(super) const BEFORE: &str = "vrrp_script S { script /usr/bin/true }\n\
    track_file F { file /tmp/tracked }\n\
    vrrp_track_process P { process sshd }\n\
    bfd_instance B { neighbor_ip 192.0.2.9 }\n\
    bfd_instance B2 { neighbor_ip 192.0.2.8 }\n\
    track_file F2 { file /tmp/other }\n\
    track_group TG { group { VJ VK } }\n";
/// What refers to them.
pub(super) const AFTER: &str = "vrrp_instance VJ {\ninterface eth0\nvirtual_router_id 9\n\
    virtual_ipaddress { 192.0.2.19 }\n\
    track_script {\nS\nST\n}\ntrack_process {\nP\nPT\n}\n\
    track_file {\nF\nFT\n}\ntrack_bfd {\nB\nBT\n}\n}\n\
    vrrp_instance VK {\ninterface eth1\nvirtual_router_id 8\nvirtual_ipaddress { 192.0.2.18 }\n}\n\
    vrrp_instance VL {\ninterface eth1\nvirtual_router_id 7\nunicast_peer { 192.0.2.7 }\n\
    priority 255\nuse_vmac\nuse_vmac_addr\nvirtual_ipaddress { 192.0.2.17 dev eth0 }\n}\n\
    virtual_server 192.0.2.99 80 {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\n\
    real_server 192.0.2.98 80 { TCP_CHECK { } }\n}\n\
    static_routes { 192.0.2.200/32 dev eth0 track_group T }\n\
    virtual_server group VG {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\n\
    real_server 192.0.2.98 80 { TCP_CHECK { } }\n}\n";

/// A keyword of a block, what it needs beside it, and how it is written, unless that follows from its
/// table.
pub(super) struct Special {
    pub block: &'static str,
    pub keyword: &'static str,
    pub beside: &'static [&'static str],
    pub statement: &'static str,
}

const fn special_of(
    block: &'static str,
    keyword: &'static str,
    beside: &'static [&'static str],
    statement: &'static str,
) -> Special {
    Special { block, keyword, beside, statement }
}

pub(super) const ELSEWHERE: &str = "virtual_ipaddress_excluded { 192.0.2.5 dev eth1 }";
pub(super) const MAIL: &[&str] =
    &["notification_email { a@example.net }", "smtp_server 192.0.2.25"];
pub(super) const BODY_OF: &[&str] = &["regex pattern"];

pub(super) const SPECIALS: &[Special] = &[
    special_of("bfd_instance", "interface", &["neighbor_ip fe80::9"], ""),
    special_of("global_defs", "control_read_group", &[], "control_read_group ops"),
    special_of("global_defs", "lvs_notify_fifo_script", &["lvs_notify_fifo /tmp/f"], ""),
    special_of("global_defs", "notify_fifo_script", &["notify_fifo /tmp/f"], ""),
    special_of("global_defs", "vrrp_notify_fifo_script", &["vrrp_notify_fifo /tmp/f"], ""),
    special_of("global_defs", "lvs_timeouts", &[], "lvs_timeouts tcp 7"),
    special_of("global_defs", "metrics_listen", &[], "metrics_listen 127.0.0.1:9650"),
    special_of("global_defs", "nftables_ipvs_priority", &["nftables_ipvs t"], ""),
    special_of("global_defs", "nftables_ipvs_start_fwmark", &["nftables_ipvs t"], ""),
    special_of("global_defs", "no_email_faults", MAIL, ""),
    special_of("global_defs", "notification_email", MAIL, "notification_email { b@example.net }"),
    special_of(
        "global_defs",
        "notification_email_from",
        MAIL,
        "notification_email_from b@example.net",
    ),
    special_of("global_defs", "smtp_alert_file", MAIL, ""),
    special_of("global_defs", "smtp_connect_timeout", MAIL, ""),
    special_of("global_defs", "smtp_helo_name", MAIL, ""),
    special_of("global_defs", "smtp_server", MAIL, "smtp_server 192.0.2.26"),
    special_of("global_defs", "startup_script_timeout", &["startup_script /usr/bin/true"], ""),
    special_of("global_defs", "shutdown_script_timeout", &["shutdown_script /usr/bin/true"], ""),
    special_of("global_defs", "umask", &[], "umask 022"),
    special_of("global_defs", "vrrp_ipsets", &["vrrp_iptables"], "vrrp_ipsets one two"),
    special_of("global_defs", "vrrp_rx_bufs_multiplier", &["vrrp_rx_bufs_policy MTU"], ""),
    special_of("global_defs", "vrrp_rx_bufs_policy", &[], "vrrp_rx_bufs_policy ADVERT"),
    special_of("global_defs", "vrrp_garp_extra_if", &[], "vrrp_garp_extra_if 9"),
    special_of("global_defs", "vrrp_vmac_garp_intvl", &[], "vrrp_vmac_garp_intvl 9"),
    special_of("the top level", "linkbeat_interfaces", &[], "linkbeat_interfaces { eth0 }"),
    special_of("the top level", "static_routes", &[], "static_routes { 192.0.2.128/26 dev eth0 }"),
    special_of("the top level", "static_rules", &[], "static_rules { from 192.0.2.3 table 100 }"),
    special_of(
        "the top level",
        "virtual_server_group",
        &[],
        "virtual_server_group VG { 192.0.2.5 80 }",
    ),
    special_of(
        "vrrp_instance",
        "virtual_routes",
        &[],
        "virtual_routes { 192.0.2.128/26 dev eth0 }",
    ),
    special_of("vrrp_instance", "virtual_rules", &[], "virtual_rules { from 192.0.2.3 table 100 }"),
    special_of(
        "vrrp_instance",
        "garp_extra_if",
        &["use_vmac", "use_vmac_addr", ELSEWHERE],
        "garp_extra_if 9",
    ),
    special_of(
        "vrrp_instance",
        "vmac_garp_intvl",
        &["use_vmac", "use_vmac_addr", ELSEWHERE],
        "vmac_garp_intvl 9",
    ),
    special_of("vrrp_instance", "accept", &["version 3", "strict_mode on"], ""),
    special_of("vrrp_instance", "timer_expired_backup", &["nopreempt"], ""),
    special_of("vrrp_instance", "thread_timer_expired", &["nopreempt"], ""),
    special_of("vrrp_instance", "check_unicast_src", &["unicast_peer { 192.0.2.7 }"], ""),
    special_of("vrrp_instance", "unicast_ttl", &["unicast_peer { 192.0.2.7 }"], ""),
    special_of("vrrp_instance", "owner_ignore_adverts", &["priority 255"], ""),
    special_of("vrrp_instance", "preempt", &["nopreempt"], ""),
    special_of("vrrp_instance", "track_src_ip", &["mcast_src_ip 192.0.2.3"], ""),
    special_of("vrrp_instance", "use_vmac_addr", &["use_vmac", ELSEWHERE], ""),
    special_of("vrrp_instance", "vmac_xmit_base", &["use_vmac"], ""),
    special_of("vrrp_instance", "vrf", &["-interface"], "vrf red"),
    special_of("vrrp_instance", "native_ipv6", &["-virtual_ipaddress", "no_virtual_ipaddress"], ""),
    special_of("vrrp_instance", "no_virtual_ipaddress", &["-virtual_ipaddress"], ""),
    special_of("vrrp_instance", "track_bfd", &[], "track_bfd { B }"),
    special_of("vrrp_instance", "track_file", &[], "track_file { F }"),
    special_of("vrrp_instance", "track_process", &[], "track_process { P }"),
    special_of("vrrp_instance", "track_script", &[], "track_script { S }"),
    special_of("vrrp_sync_group", "track_bfd", &[], "track_bfd { B }"),
    special_of("vrrp_sync_group", "track_file", &[], "track_file { F }"),
    special_of("vrrp_sync_group", "track_process", &[], "track_process { P }"),
    special_of("vrrp_sync_group", "track_script", &[], "track_script { S }"),
    special_of("vrrp_sync_group", "group", &[], "group { VK }"),
    special_of("track_group", "group", &[], "group { VK }"),
    special_of("authentication", "auth_pass", &[], "auth_pass other"),
    special_of(
        "auth_hmac",
        "active_key",
        &["key 2 1123456789abcdef0123456789abcdef"],
        "active_key 2",
    ),
    special_of("auth_hmac", "key", &[], "key 1 1123456789abcdef0123456789abcdef"),
    special_of("BFD_CHECK", "name", &[], "name B2"),
    special_of("FILE_CHECK", "track_file", &[], "track_file F2"),
    special_of("virtual_server", "ip_family", &[], "ip_family inet6"),
    special_of("virtual_server", "mh-fallback", &["lvs_sched mh"], ""),
    special_of("virtual_server", "mh-port", &["lvs_sched mh"], ""),
    special_of("virtual_server", "sh-fallback", &["lvs_sched sh"], ""),
    special_of("virtual_server", "sh-port", &["lvs_sched sh"], ""),
    special_of("virtual_server", "ops", &["protocol UDP"], ""),
    special_of(
        "virtual_server",
        "persistence_granularity",
        &["persistence_timeout 9"],
        "persistence_granularity 255.255.255.0",
    ),
    special_of("virtual_server", "hysteresis", &["quorum 9"], ""),
    special_of("virtual_server", "sorry_server_inhibit", &["sorry_server 192.0.2.12 80"], ""),
    special_of(
        "virtual_server",
        "sorry_server_lvs_method",
        &["sorry_server 192.0.2.12 80"],
        "sorry_server_lvs_method DR",
    ),
    special_of("virtual_server", "weight", &["real_server 192.0.2.13 80 { }"], ""),
    special_of("virtual_server", "connect_timeout", CHECKED, ""),
    special_of("virtual_server", "delay_before_retry", CHECKED, ""),
    special_of("virtual_server", "retry", CHECKED, ""),
    special_of("virtual_server", "warmup", CHECKED, ""),
    special_of("real_server", "connect_timeout", &["TCP_CHECK { }"], ""),
    special_of("real_server", "delay_before_retry", &["TCP_CHECK { }"], ""),
    special_of("real_server", "delay_loop", &["TCP_CHECK { }"], ""),
    special_of("real_server", "retry", &["TCP_CHECK { }"], ""),
    special_of("real_server", "warmup", &["TCP_CHECK { }"], ""),
    special_of("real_server", "lthreshold", &["uthreshold 900"], ""),
    special_of("HTTP_GET", "url", &[], "url { path /other }"),
    special_of("SSL_GET", "url", &[], "url { path /other }"),
    special_of("SSL_GET", "enable_sni", &["virtualhost a"], ""),
    special_of("url", "regex_max_offset", BODY_OF, ""),
    special_of("url", "regex_min_offset", BODY_OF, ""),
    special_of("url", "regex_no_match", BODY_OF, ""),
    special_of("url", "regex_options", BODY_OF, "regex_options caseless"),
    special_of("UDP_CHECK", "max_reply_length", &["require_reply"], ""),
    special_of("UDP_CHECK", "min_reply_length", &["require_reply"], ""),
    special_of("vrrp_script", "script", &[], "script /usr/bin/check"),
    special_of("vrrp_script", "user", &[], "user ops"),
    special_of("vrrp_track_process", "process", &[], "process nginx"),
    special_of("vrrp_track_process", "param_match", &["process nginx a"], ""),
];

pub(super) const CHECKED: &[&str] = &["real_server 192.0.2.13 80 { TCP_CHECK { } }"];

/// Options of a list (empty: of any), the line that they are added to, and how they are written if
/// that does not follow from their table.
pub(super) const OPTIONS: &[(&str, &str, &str, &str)] = &[
    ("garp_extra_if", "all", "9", ""),
    ("vmac_garp_intvl", "all", "9", ""),
    ("vrrp_garp_extra_if", "all", "9", ""),
    ("vrrp_vmac_garp_intvl", "all", "9", ""),
    ("lvs_method", "type", "TUN", "type gre"),
    ("sorry_server_lvs_method", "type", "TUN", "type gre"),
    ("lb_kind", "type", "TUN", "type gre"),
    ("static_rules", "type", "from 192.0.2.3", "type blackhole"),
    ("virtual_rules", "type", "from 192.0.2.3", "type blackhole"),
    ("static_rules", "inet", "priority 9 table 100", ""),
    ("virtual_rules", "inet", "priority 9 table 100", ""),
    ("static_ipaddress", "track_group", "192.0.2.64/26", "track_group TG"),
    ("static_routes", "track_group", "192.0.2.128/26 dev eth0", "track_group TG"),
    ("static_rules", "track_group", "iif eth0 table 100", "track_group TG"),
    ("lvs_sync_daemon", "port", "eth0 inst VJ", ""),
    ("lvs_sync_daemon", "group", "eth0 inst VJ", "group 224.0.0.99"),
    ("lvs_method", "port", "TUN type gue", ""),
    ("sorry_server_lvs_method", "port", "TUN type gue", ""),
    ("lb_kind", "port", "TUN type gue", ""),
    ("", "csum", "TUN type gre", ""),
    ("", "nocsum", "TUN type gre csum", ""),
    ("", "remcsum", "TUN type gue port 9", ""),
    ("track_bfd", "weight", "B", ""),
    ("track_file", "weight", "F", ""),
    ("track_process", "weight", "P", ""),
    ("track_script", "weight", "S", ""),
    ("track_interface", "weight", "eth1", ""),
    ("", "-nodad", "2001:db8::5/64", ""),
];

/// Values of options that may be any text.
pub(super) const TEXTS: &[(&str, &str)] = &[
    ("scope", "link"),
    ("table", "200"),
    ("lookup", "200"),
    ("tos", "4"),
    ("dsfield", "4"),
    ("protocol", "77 no_track"),
    ("proto", "77 no_track"),
    ("realms", "5"),
    ("ipproto", "udp"),
    ("suppress_ifgroup", "9"),
    ("sup_group", "9"),
    ("pref", "high"),
    ("preferred_lft", "0"),
    ("congctl", "cubic"),
    ("group", "9"),
    ("name", "vr9"),
    ("brd", "+"),
    ("broadcast", "+"),
];

/// Those that are accepted without effect, as the manual page says.
pub(super) const WITHOUT_EFFECT: &[&str] = &[
    "the top level: child_wait_time",
    "the top level: namespace_with_ipsets",
    "global_defs: tmp_config_directory",
    "virtual_server: hashed",
    "url: regex_stack",
    "static_routes: as",
    "virtual_routes: as",
];

/// Those whose effect is not seen here.
pub(super) const OTHERWISE: &[&str] = &[
    // The default, which cannot be told from no word.
    "static_routes: inet",
    "static_routes: unicast",
    "static_routes: prepend",
    "static_rules: inet",
    "virtual_routes: inet",
    "virtual_routes: unicast",
    "virtual_routes: prepend",
    "virtual_rules: inet",
    "use_ipvlan: bridge",
    // For the reader of the files.
    "global_defs: include_check",
    // Where the names of numbers are, which has no name here.
    "global_defs: iproute_etc_dir",
    "global_defs: iproute_usr_dir",
    // Names for display.
    "global_defs: bfd_process_name",
    "global_defs: checker_process_name",
    "global_defs: lvs_process_name",
    "global_defs: process_names",
    "global_defs: vrrp_process_name",
    // For virtual servers without an address of their own.
    "virtual_server: ip_family",
    // Without it, there is a complaint.
    "vrrp_instance: no_virtual_ipaddress",
    // For TLS.
    "HTTP_GET: enable_sni",
];

/// Options of `encap` and `nexthop`, and what they are added to.
pub(super) const NESTED: &[(&str, &[&str])] = &[
    ("dev eth0", &["encap ip id 5", "encap ip6 id 5", "encap mpls 100/200", "encap ila 1:2:3:4"]),
    ("dev eth0 encap ip id 5", &["dst 192.0.2.77", "src 192.0.2.77", "tos 4", "ttl 9", "flags 4"]),
    (
        "dev eth0 encap ip6 id 5",
        &["dst 2001:db8::77", "src 2001:db8::77", "tc 4", "hoplimit 9", "flags 4"],
    ),
    (
        "nexthop via 192.0.2.79 nexthop via 192.0.2.77",
        &["dev eth1", "weight 3", "onlink", "realms 5", "encap mpls 100"],
    ),
    (
        "nexthop via 192.0.2.79 nexthop via 192.0.2.77",
        &["nexthop via 192.0.2.78", "nexthop via inet 192.0.2.78", "nexthop via inet6 fe80::9"],
    ),
];
