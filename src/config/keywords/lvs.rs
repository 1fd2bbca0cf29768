//! `virtual_server`, its real servers, and groups of addresses.

use super::check::{
    BFD_CHECK, DNS_CHECK, FILE_CHECK, HTTP_GET, MISC_CHECK, PING_CHECK, SMTP_CHECK, SSL_GET,
    TCP_CHECK, UDP_CHECK,
};
use crate::config::keyword::{
    block, boolean, flag, int, keyword, maybe, one, opt, options, row, script, seconds, sorted,
    strict, text, Args, Bad, Block, Body, Entry, Kind, Repeat, Told, Unknown,
};

const SCHEDULER: Kind = Kind::OneOf(&[
    "rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos",
]);

/// 0 is the same as no port.
const PORT: Kind = strict(0, 65_535);

const SERVER: Args = Args::Row { required: 1, kinds: &[Kind::Address, PORT] };

pub(in crate::config) static LVS_METHOD: Entry = Entry {
    name: "forwarding method",
    head: &[Kind::OneOf(&["NAT", "DR", "TUN"])],
    required: 1,
    options: &[
        opt("type").value(Kind::OneOf(&["ipip", "gue", "gre"])).minor(),
        opt("port").value(strict(1, 65_535)).minor(),
        opt("nocsum"),
        opt("csum"),
        opt("remcsum"),
    ],
    free: None,
    unknown: Unknown::IgnoreRest,
};

pub(in crate::config) static SERVER_GROUP: Entry = Entry {
    name: "address",
    head: &[],
    required: 0,
    options: &[opt("fwmark").value(int(0, 4_294_967_295)).after(&["inet", "inet6"])],
    free: Some(Kind::Range),
    unknown: Unknown::SkipEntry,
};

pub(in crate::config) static VIRTUAL_SERVER: Block = Block {
    name: "virtual_server",
    keywords: &sorted([
        one("ip_family", &[Kind::OneOf(&["inet", "inet6"])]).default("from addresses, else inet"),
        one("retry", &[strict(1, 4_294_967_295)]).default("checker specific"),
        one("delay_before_retry", &[seconds(0, u64::MAX)]).default("checker specific"),
        one("warmup", &[seconds(0, u64::MAX)]).default("delay_loop"),
        one("connect_timeout", &[seconds(1, 4_294_967_295)]).default("5"),
        one("delay_loop", &[seconds(1, u64::MAX)]).default("60"),
        flag("inhibit_on_failure"),
        one("lb_algo", &[SCHEDULER]).default("wlc (with a warning)").alias("lvs_sched"),
        one("lvs_sched", &[SCHEDULER]).default("wlc (with a warning)"),
        flag("hashed").replaced("sh-port or mh-port", Told::Never),
        flag("ops"),
        flag("flag-1"),
        flag("flag-2"),
        flag("flag-3"),
        flag("sh-port"),
        flag("sh-fallback"),
        flag("mh-port"),
        flag("mh-fallback"),
        options("lb_kind", &LVS_METHOD).default("NAT (with a warning)").alias("lvs_method"),
        options("lvs_method", &LVS_METHOD).default("NAT (with a warning)"),
        one("persistence_engine", &[Kind::Short(16)]).bad(Bad::Cut),
        maybe("persistence_timeout", &[strict(1, 2_678_400)]).default("off; 360 when bare"),
        one("persistence_granularity", &[Kind::Text]).default("single host"),
        one("protocol", &[Kind::OneOfAnyCase(&["TCP", "UDP", "SCTP"])])
            .default("UDP for address services (with a warning), none for fwmark"),
        flag("ha_suspend"),
        boolean("smtp_alert").default("smtp_alert_checker, else global smtp_alert, else off"),
        text("virtualhost").repeat(Repeat::LastCounts),
        text("snmp_name").repeat(Repeat::LastCounts).later(),
        flag("alpha"),
        flag("omega"),
        script("quorum_up"),
        script("quorum_down"),
        one("quorum", &[int(1, 4_294_967_295)]).default("1").bad(Bad::Use(1)),
        one("hysteresis", &[int(0, 4_294_967_295)]).default("0"),
        one("weight", &[int(1, 2_147_483_647)]).default("1"),
        row("sorry_server", 1, &[Kind::Address, PORT]),
        flag("sorry_server_inhibit"),
        options("sorry_server_lvs_method", &LVS_METHOD).default("lvs_method of the virtual server"),
        keyword("real_server", SERVER, Body::Keywords(&REAL_SERVER))
            .repeat(Repeat::ByName)
            .default("port of the virtual server"),
    ]),
};

pub(in crate::config) static REAL_SERVER: Block = Block {
    name: "real_server",
    keywords: &sorted([
        one("weight", &[int(0, 2_147_483_647)]).default("virtual server weight"),
        options("lvs_method", &LVS_METHOD)
            .default("virtual server value at the point of the real_server line, else final value"),
        one("uthreshold", &[int(0, 4_294_967_295)]).default("0 (none)"),
        one("lthreshold", &[int(0, 4_294_967_295)]).default("0 (none)"),
        boolean("inhibit_on_failure").default("virtual server value"),
        script("notify_up"),
        script("notify_down"),
        boolean("alpha").default("virtual server value"),
        one("retry", &[strict(1, 4_294_967_295)]).default("virtual server value"),
        one("delay_before_retry", &[seconds(0, u64::MAX)]).default("virtual server value"),
        one("warmup", &[seconds(0, u64::MAX)]).default("virtual server value"),
        one("connect_timeout", &[seconds(1, 4_294_967_295)]).default("virtual server value"),
        one("delay_loop", &[seconds(1, u64::MAX)]).default("virtual server value"),
        boolean("smtp_alert").default("smtp_alert_checker, else global smtp_alert, else ON"),
        text("virtualhost").default("virtual server value").repeat(Repeat::LastCounts),
        text("snmp_name").later(),
        block("MISC_CHECK", &MISC_CHECK),
        block("SMTP_CHECK", &SMTP_CHECK),
        block("TCP_CHECK", &TCP_CHECK),
        block("PING_CHECK", &PING_CHECK),
        block("UDP_CHECK", &UDP_CHECK),
        block("HTTP_GET", &HTTP_GET),
        block("SSL_GET", &SSL_GET),
        block("DNS_CHECK", &DNS_CHECK),
        block("FILE_CHECK", &FILE_CHECK),
        block("BFD_CHECK", &BFD_CHECK).later(),
    ]),
};
