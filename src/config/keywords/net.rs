//! Routes and rules, static or of an instance.

use crate::config::keyword::{int, opt, strict, Entry, Kind, Opt, Unknown};
use crate::config::table::joined;

const U32: Kind = int(0, 4_294_967_295);
const U8: Kind = int(0, 255);
const U64: Kind = Kind::AnyBase { min: 0, max: i64::MAX };
const FAMILY: &[&str] = &["inet", "inet6"];
const LOCK: &[&str] = &["lock"];

const ROUTE_TYPES: &[&str] = &[
    "unicast",
    "local",
    "broadcast",
    "brd",
    "anycast",
    "multicast",
    "throw",
    "unreachable",
    "prohibit",
    "blackhole",
    "nat",
    "xresolve",
];

static ENCAP: Entry = Entry {
    name: "encapsulation",
    head: &[],
    required: 0,
    options: &[
        opt("ip"),
        opt("ip6"),
        opt("mpls").value(Kind::Text),
        opt("ila").value(Kind::Text),
        opt("id").value(U64),
        opt("dst").value(Kind::Address),
        opt("src").value(Kind::Address),
        opt("tos").value(Kind::Text),
        opt("tc").value(Kind::Text),
        opt("ttl").value(U8),
        opt("hoplimit").value(U8),
        opt("flags").value(int(0, 65_535)),
    ],
    free: None,
    unknown: Unknown::IgnoreRest,
};

static NEXTHOP: Entry = Entry {
    name: "next hop",
    head: &[],
    required: 0,
    options: &[
        opt("via").before(FAMILY).value(Kind::Address),
        opt("dev").value(Kind::Link),
        opt("weight").value(strict(1, 256)),
        opt("onlink"),
        opt("encap").nested(&ENCAP),
        opt("realms").value(Kind::Text),
        opt("as").before(&["to"]).value(Kind::Address),
    ],
    free: None,
    unknown: Unknown::IgnoreRest,
};

/// What static and virtual routes have in common.
const ROUTE_OPTIONS: [Opt; 61] = [
    opt("inet"),
    opt("inet6"),
    opt("to").before(ROUTE_TYPES).value(Kind::Destination),
    opt("default6"),
    opt("unicast"),
    opt("local"),
    opt("broadcast"),
    opt("brd"),
    opt("anycast"),
    opt("multicast"),
    opt("throw"),
    opt("unreachable"),
    opt("prohibit"),
    opt("blackhole"),
    opt("nat"),
    opt("xresolve"),
    opt("src").value(Kind::Address),
    opt("as").before(&["to"]).value(Kind::Address).minor(),
    opt("via").before(FAMILY).value(Kind::Address),
    opt("gw").before(FAMILY).value(Kind::Address),
    opt("or").value(Kind::Address),
    opt("from").value(Kind::Destination),
    opt("tos").value(Kind::Text),
    opt("dsfield").value(Kind::Text),
    opt("table").value(Kind::Text),
    opt("protocol").value(Kind::Text),
    opt("scope").value(Kind::Text),
    opt("metric").value(U32),
    opt("priority").value(U32),
    opt("preference").value(U32),
    opt("dev").value(Kind::Link),
    opt("oif").value(Kind::Link),
    opt("onlink"),
    opt("encap").nested(&ENCAP),
    opt("expires").value(U32),
    opt("mtu").before(LOCK).value(U32),
    opt("hoplimit").value(U8),
    opt("advmss").before(LOCK).value(U32),
    opt("rtt").before(LOCK).value(Kind::RouteTime),
    opt("rttvar").before(LOCK).value(Kind::RouteTime),
    opt("reordering").before(LOCK).value(U32),
    opt("window").value(U32),
    opt("cwnd").before(LOCK).value(U32),
    opt("ssthresh").before(LOCK).value(U32),
    opt("realms").value(Kind::Text),
    opt("rto_min").before(LOCK).value(Kind::RouteTime),
    opt("initcwnd").value(U32),
    opt("initrwnd").value(U32),
    opt("features").value(Kind::OneOf(&["ecn"])).minor(),
    opt("quickack").value(int(0, 1)),
    opt("congctl").before(LOCK).value(Kind::Text),
    opt("pref").value(Kind::Text),
    opt("ttl-propagate").value(Kind::OneOf(&["enabled", "disabled"])).minor(),
    opt("fastopen_no_cookie").value(int(0, 1)),
    opt("add"),
    opt("prepend"),
    opt("append"),
    opt("nexthop").nested(&NEXTHOP),
    opt("no_track"),
    opt("vrf").value(Kind::Link),
    opt("lock"),
];

const fn routes(options: &'static [Opt]) -> Entry {
    Entry {
        name: "route",
        head: &[],
        required: 0,
        options,
        free: Some(Kind::Destination),
        unknown: Unknown::SkipEntry,
    }
}

pub(super) static ROUTE: Entry = routes(&ROUTE_OPTIONS);

pub(super) static STATIC_ROUTE: Entry =
    routes(&joined::<Opt, 61, 1, 62>(ROUTE_OPTIONS, [opt("track_group").value(Kind::Text)]));

const PREFERENCE: Kind = Kind::AnyBase { min: 0, max: 4_294_967_295 };
const PORTS: Kind = Kind::Span { max: 65_535 };

/// What static and virtual rules have in common.
const RULE_OPTIONS: [Opt; 35] = [
    opt("inet"),
    opt("inet6"),
    opt("from").value(Kind::Destination),
    opt("to").value(Kind::Destination),
    opt("table").value(Kind::Text),
    opt("lookup").value(Kind::Text),
    opt("not"),
    opt("preference").value(PREFERENCE),
    opt("order").value(PREFERENCE),
    opt("priority").value(PREFERENCE),
    opt("tos").value(Kind::Text),
    opt("dsfield").value(Kind::Text),
    opt("fwmark").value(Kind::Masked),
    opt("realms").value(Kind::Text),
    opt("suppress_prefixlength").value(int(0, 2_147_483_647)),
    opt("sup_pl").value(int(0, 2_147_483_647)),
    opt("suppress_ifgroup").value(Kind::Text),
    opt("sup_group").value(Kind::Text),
    opt("dev").value(Kind::Link),
    opt("iif").value(Kind::Link),
    opt("oif").value(Kind::Link),
    opt("tunnel-id").value(U64),
    opt("uidrange").value(Kind::Span { max: 4_294_967_295 }),
    opt("l3mdev"),
    opt("protocol").value(U8).minor(),
    opt("ipproto").value(Kind::Text).minor(),
    opt("sport").value(PORTS).minor(),
    opt("dport").value(PORTS).minor(),
    opt("no_track"),
    opt("type"),
    opt("goto").value(U32),
    opt("nop"),
    opt("blackhole"),
    opt("unreachable"),
    opt("prohibit"),
];

const fn rules(options: &'static [Opt]) -> Entry {
    Entry { name: "rule", head: &[], required: 0, options, free: None, unknown: Unknown::SkipEntry }
}

pub(super) static RULE: Entry = rules(&RULE_OPTIONS);

pub(super) static STATIC_RULE: Entry =
    rules(&joined::<Opt, 35, 1, 36>(RULE_OPTIONS, [opt("track_group").value(Kind::Text)]));
