//! `vrrp_instance`, `vrrp_sync_group` and what stands in them.

use super::net::{ROUTE, RULE, VIRTUAL_IPADDRESS};
use super::track::{TRACK_BFD, TRACK_FILES, TRACK_INTERFACE, TRACK_PROCESS, TRACK_SCRIPT};
use crate::config::keyword::{
    address, any, block, boolean, entries, flag, int, keyword, link, maybe, names, one, opt,
    options, row, script, seconds, sorted, strict, Args, Bad, Block, Body, Entry, Kind, Repeat,
    Told, Unknown,
};

pub(in crate::config) static VRRP_INSTANCE: Block = Block {
    name: "vrrp_instance",
    keywords: &sorted([
        options("use_vmac", &USE_VMAC).default("off").later(),
        flag("use_vmac_addr").later(),
        flag("vmac_xmit_base").later(),
        options("use_ipvlan", &USE_IPVLAN).default("off; mode bridge").later(),
        entries("unicast_peer", &UNICAST_PEER),
        flag("unicast_fault_no_peer"),
        flag("check_unicast_src").default("vrrp_check_unicast_src"),
        maybe("old_unicast_checksum", &[Kind::OneOf(&["never"])])
            .default("automatic (switches when a peer is seen using it)"),
        flag("native_ipv6").default("family taken from first address"),
        one("state", &[Kind::OneOf(&["MASTER", "BACKUP"])])
            .bad(Bad::UseWord("BACKUP"))
            .default("MASTER if priority 255, else BACKUP"),
        link("interface").default("none (required unless unicast with unicast_src_ip)"),
        link("vrf").repeat(Repeat::FirstCounts).later(),
        flag("dont_track_primary"),
        entries("track_interface", &TRACK_INTERFACE),
        entries("track_script", &TRACK_SCRIPT),
        entries("track_file", &TRACK_FILES),
        entries("track_process", &TRACK_PROCESS),
        entries("track_bfd", &TRACK_BFD).later(),
        address("mcast_src_ip").default("primary address of the interface"),
        address("unicast_src_ip").default("primary address of the interface"),
        one("mcast_dst_ip", &[Kind::Group]).default("vrrp_mcast_group4/6"),
        flag("track_src_ip"),
        one("virtual_router_id", &[strict(1, 255)]).default("none, required"),
        one("unicast_ttl", &[strict(0, 255)]).default("255 for IPv4, kernel default for IPv6"),
        one("version", &[int(2, 3)]).default("vrrp_version (3 for IPv6)"),
        one("priority", &[strict(1, 255)])
            .default("255 if state MASTER given, else 100")
            .bad(Bad::Use(100)),
        one("advert_int", &[seconds(10_000, 255_000_000)]).default("1"),
        entries("virtual_ipaddress", &VIRTUAL_IPADDRESS)
            .default("none (at least one required for v3 and strict mode)"),
        entries("virtual_ipaddress_excluded", &VIRTUAL_IPADDRESS),
        flag("no_virtual_ipaddress"),
        flag("promote_secondaries"),
        flag("linkbeat_use_polling").replaced("linkbeat_interfaces", Told::Error).later(),
        boolean("v3_checksum_as_v2").default("global v3_checksum_as_v2"),
        entries("virtual_routes", &ROUTE).later(),
        entries("virtual_rules", &RULE).later(),
        flag("accept").default("on, except strict mode and not owner"),
        flag("no_accept"),
        boolean("skip_check_adv_addr").default("vrrp_skip_check_adv_addr"),
        boolean("strict_mode").default("vrrp_strict"),
        flag("preempt").default("on"),
        flag("nopreempt"),
        one("preempt_delay", &[seconds(0, 1_000_000_000)]).default("0").bad(Bad::Use(0)),
        one("debug", &[int(0, 4)]).default("0"),
        script("notify_backup"),
        script("notify_master"),
        script("notify_fault"),
        script("notify_stop"),
        keyword("notify_deleted", Args::Script { required: false, user: true }, Body::None)
            .default("none (FAULT is reported)")
            .repeat(Repeat::FirstCounts),
        script("notify"),
        script("notify_master_rx_lower_pri"),
        boolean("smtp_alert").default("smtp_alert_vrrp, else global smtp_alert, else off"),
        boolean("notify_priority_changes")
            .default("group value, else vrrp_notify_priority_changes"),
        link("lvs_sync_daemon_interface").replaced("lvs_sync_daemon in global_defs", Told::Error),
        one("garp_master_delay", &[int(0, 4294)]).default("vrrp_garp_master_delay (5)"),
        one("garp_master_refresh", &[int(0, 4_294_967_295)])
            .default("vrrp_garp_master_refresh (0)")
            .bad(Bad::Use(0)),
        one("garp_master_repeat", &[int(1, 4_294_967_295)])
            .default("vrrp_garp_master_repeat (5)")
            .bad(Bad::Raise),
        one("garp_master_refresh_repeat", &[int(1, 4_294_967_295)])
            .default("vrrp_garp_master_refresh_repeat (1)")
            .bad(Bad::Raise),
        one("garp_lower_prio_delay", &[int(0, 4294)])
            .default("vrrp_garp_lower_prio_delay; 0 in strict mode"),
        one("garp_lower_prio_repeat", &[int(0, 2_147_483_647)])
            .default("vrrp_garp_lower_prio_repeat; 0 in strict mode"),
        one("down_timer_adverts", &[int(1, 100)]).default("vrrp_down_timer_adverts (3)"),
        maybe("timer_expired_backup", &[strict(1, 254)]).default("off; 254 when bare"),
        maybe("thread_timer_expired", &[strict(1, 254)]).outdated("timer_expired_backup"),
        any("garp_extra_if", Kind::Text).default("vrrp_garp_extra_if (0)").later(),
        any("vmac_garp_intvl", Kind::Text).outdated("garp_extra_if").later(),
        boolean("lower_prio_no_advert").default("vrrp_lower_prio_no_advert; on in strict mode"),
        boolean("higher_prio_send_advert")
            .default("vrrp_higher_prio_send_advert; off in strict mode"),
        boolean("owner_ignore_adverts")
            .default("vrrp_owner_ignore_adverts (on in strict mode) for priority 255, else off"),
        one("kernel_rx_buf_size", &[strict(0, 4_294_967_295)]).default("0 (automatic)").later(),
        block("authentication", &AUTHENTICATION),
        block("auth_hmac", &AUTH_HMAC),
    ]),
};

pub(in crate::config) static AUTHENTICATION: Block = Block {
    name: "authentication",
    keywords: &sorted([
        one("auth_type", &[Kind::OneOf(&["PASS", "AH"])]),
        one("auth_pass", &[Kind::Secret(8)]),
    ]),
};

pub(in crate::config) static AUTH_HMAC: Block = Block {
    name: "auth_hmac",
    keywords: &sorted([
        row("key", 2, &[strict(1, 255), Kind::Hidden]),
        one("active_key", &[strict(1, 255)]).default("none, required"),
        one("time_window", &[strict(1, 300)]).default("3 x advert_int, within 5..300"),
        one("anti_replay", &[Kind::OneOf(&["time", "monotonic"])]).default("time"),
        one("mode", &[Kind::OneOf(&["enforce", "permissive", "receive-only"])]).default("enforce"),
    ]),
};

pub(in crate::config) static VRRP_SYNC_GROUP: Block = Block {
    name: "vrrp_sync_group",
    keywords: &sorted([
        names("group", Kind::Text).repeat(Repeat::FirstCounts),
        entries("track_interface", &TRACK_INTERFACE),
        entries("track_script", &TRACK_SCRIPT),
        entries("track_file", &TRACK_FILES),
        entries("track_process", &TRACK_PROCESS),
        entries("track_bfd", &TRACK_BFD).later(),
        script("notify_backup"),
        script("notify_master"),
        script("notify_fault"),
        script("notify_stop"),
        script("notify"),
        boolean("smtp_alert").default("smtp_alert_vrrp, else global smtp_alert, else off"),
        flag("global_tracking").outdated("sync_group_tracking_weight"),
        flag("sync_group_tracking_weight"),
        boolean("notify_priority_changes").default("vrrp_notify_priority_changes"),
    ]),
};

pub(in crate::config) static TRACK_GROUP: Block = Block {
    name: "track_group",
    keywords: &sorted([names("group", Kind::Text).repeat(Repeat::FirstCounts)]),
};

pub(super) static GARP_GROUP: Block = Block {
    name: "garp_group",
    keywords: &sorted([
        one("garp_interval", &[seconds(0, 4_294_967_295)]).default("unset"),
        one("gna_interval", &[seconds(0, 4_294_967_295)]).default("unset"),
        link("interface"),
        names("interfaces", Kind::Link),
    ]),
};

pub(in crate::config) static UNICAST_PEER: Entry = Entry {
    name: "peer",
    head: &[Kind::Address],
    required: 1,
    options: &[
        opt("min_ttl").value(strict(0, 255)).minor(),
        opt("max_ttl").value(strict(0, 255)).minor(),
    ],
    free: None,
    unknown: Unknown::IgnoreRest,
};

static USE_VMAC: Entry = Entry {
    name: "option",
    head: &[],
    required: 0,
    options: &[
        opt("name").value(Kind::Link),
        opt("netlink_notify_msg"),
        opt("group").value(Kind::Text),
    ],
    free: Some(Kind::Text),
    unknown: Unknown::IgnoreRest,
};

static USE_IPVLAN: Entry = Entry {
    name: "option",
    head: &[],
    required: 0,
    options: &[
        opt("bridge"),
        opt("private"),
        opt("vepa"),
        opt("group").value(Kind::Text),
        opt("name").value(Kind::Link),
    ],
    free: Some(Kind::Text),
    unknown: Unknown::IgnoreRest,
};
