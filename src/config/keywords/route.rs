//! Lines of `static_routes` and `virtual_routes`, as they are written.

use std::net::IpAddr;

use super::encap::{RawEncap, ENCAP};
use super::route_metrics::METRICS;
use crate::base::addr::{Family, Prefix};
use crate::base::route::{kind, RouteMetrics};
use crate::config::document::{Node, Word};
use crate::config::entry::{Item, LineUse};
use crate::config::keyword::{int, opt, strict, Entry, Unknown, ValueKind};
use crate::config::statement::Checker;
use crate::config::table::{borrowed, joined, line_table, opt_rows, Given, LineTable, OptRow};
use crate::config::value::Value;
use crate::model::route::Placement;

/// A line of one of the lists.
#[derive(Default)]
pub(in crate::config) struct RawRoute<'d> {
    /// The first word of the line.
    pub word: Word<'d>,
    /// `inet` or `inet6`.
    pub family: Option<Given<Family>>,
    pub kind: Option<Given<u8>>,
    pub destination: Option<RawTarget<'d>>,
    pub from: Option<RawTarget<'d>>,
    pub source: Option<(IpAddr, Word<'d>)>,
    /// What the line says of its path outside of `nexthop`.
    pub path: RawHop<'d>,
    /// `or`: a second gateway.
    pub or: Option<(IpAddr, Word<'d>)>,
    pub next_hops: Vec<RawHop<'d>>,
    pub nexthop_id: Option<Given<u32>>,
    pub tos: Option<Word<'d>>,
    pub table: Option<Word<'d>>,
    pub vrf: Option<Word<'d>>,
    pub protocol: Option<Word<'d>>,
    pub scope: Option<Word<'d>>,
    pub metric: Option<u32>,
    pub expires: Option<Given<u32>>,
    pub preference: Option<Given<u8>>,
    pub ttl_propagate: Option<bool>,
    pub metrics: RouteMetrics,
    pub placement: Option<Placement>,
    pub no_track: bool,
    /// Of a static route.
    pub track_group: Option<Word<'d>>,
    /// `encap` belongs to the last next hop, and not to the line as a whole.
    encap_of_hop: bool,
    void: bool,
}

/// An address with a length, or `default`.
#[derive(Clone, Copy)]
pub(in crate::config) struct RawTarget<'d> {
    pub prefix: Option<Prefix>,
    pub word: Word<'d>,
}

#[derive(Default)]
pub(in crate::config) struct RawHop<'d> {
    pub via: Option<RawVia<'d>>,
    pub dev: Option<Word<'d>>,
    pub weight: Option<u16>,
    /// Position of `onlink`.
    pub onlink: Option<Word<'d>>,
    pub encap: Option<RawEncap<'d>>,
    pub realms: Option<Word<'d>>,
}

#[derive(Clone, Copy)]
pub(in crate::config) struct RawVia<'d> {
    pub addr: IpAddr,
    /// The family that was written before it.
    pub family: Option<Family>,
    pub word: Word<'d>,
}

borrowed!(RawRoute);

const FAMILIES: &[&str] = &["inet", "inet6"];

const TYPES: &[&str] = &[
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

const NEXTHOP_LINE: Entry = Entry {
    name: "a next hop of route",
    head: &[],
    required: 0,
    options: &[],
    free: None,
    unknown: Unknown::IgnoreRest,
};

static NEXTHOP: LineTable<RawRoute<'static>> = line_table!(RawRoute<'static>, NEXTHOP_LINE, |_, _, _| {}, [
    opt("via").before(FAMILIES).value(ValueKind::Address)
        => |raw, item, _| raw.hop().via = via(item),
    opt("dev").value(ValueKind::Link) => |raw, item, _| raw.hop().dev = Some(item.word),
    opt("weight").value(strict(1, 256)) => |raw, item, _| raw.hop().weight = Some(item.number()),
    opt("onlink") => |raw, item, _| raw.hop().onlink = Some(item.word),
    opt("encap"); &ENCAP => |raw, item, _| {
        raw.encap_of_hop = true;
        raw.hop().encap = Some(RawEncap::new(item.word));
    },
    opt("realms").value(ValueKind::Text) => |raw, item, _| raw.hop().realms = Some(item.word),
]);

/// What static and virtual routes have in common.
const ROUTE: [OptRow<RawRoute<'static>>; 46] = opt_rows![RawRoute<'static>:
    opt("inet") => |raw, item, checker| raw.family(item, checker, Family::V4),
    opt("inet6") => |raw, item, checker| raw.family(item, checker, Family::V6),
    opt("to").before(TYPES).value(ValueKind::Destination) => |raw, item, checker| {
        if let Some(name) = item.before {
            raw.kind(item, checker, kind::number(name));
        }
        raw.target(item, checker);
    },
    opt("default6") => |raw, item, checker| raw.default6(item, checker),
    opt("unicast") => |raw, item, checker| raw.kind(item, checker, Some(kind::UNICAST)),
    opt("local") => |raw, item, checker| raw.kind(item, checker, Some(kind::LOCAL)),
    opt("broadcast") => |raw, item, checker| raw.kind(item, checker, Some(kind::BROADCAST)),
    opt("brd") => |raw, item, checker| raw.kind(item, checker, Some(kind::BROADCAST)),
    opt("anycast") => |raw, item, checker| raw.kind(item, checker, Some(kind::ANYCAST)),
    opt("multicast") => |raw, item, checker| raw.kind(item, checker, Some(kind::MULTICAST)),
    opt("throw") => |raw, item, checker| raw.kind(item, checker, Some(kind::THROW)),
    opt("unreachable") => |raw, item, checker| raw.kind(item, checker, Some(kind::UNREACHABLE)),
    opt("prohibit") => |raw, item, checker| raw.kind(item, checker, Some(kind::PROHIBIT)),
    opt("blackhole") => |raw, item, checker| raw.kind(item, checker, Some(kind::BLACKHOLE)),
    opt("nat") => |raw, item, checker| raw.kind(item, checker, Some(kind::NAT)),
    opt("xresolve") => |raw, item, checker| raw.kind(item, checker, Some(kind::XRESOLVE)),
    opt("src").value(ValueKind::Address) => |raw, item, _| {
        raw.source = item.value.addr().map(|addr| (addr, item.word));
    },
    opt("as").before(&["to"]).value(ValueKind::Address).minor() => |_, item, checker| {
        let text = format!("as '{}' is of MPLS only: it is ignored", item.word.text);
        checker.out.error("as", item.word.span, text);
    },
    opt("via").before(FAMILIES).value(ValueKind::Address) => |raw, item, _| raw.path.via = via(item),
    opt("gw").before(FAMILIES).value(ValueKind::Address) => |raw, item, checker| {
        checker.out.error("gw", item.word.span, "'gw' is the old name of 'via'");
        raw.path.via = via(item);
    },
    opt("or").value(ValueKind::Address) => |raw, item, checker| raw.or(item, checker),
    opt("nhid").value(int(1, 4_294_967_295)) => |raw, item, _| {
        raw.nexthop_id = Some(Given { value: item.number(), span: item.word.span });
    },
    opt("from").value(ValueKind::Destination) => |raw, item, _| raw.from = Some(target(item)),
    opt("tos").value(ValueKind::Text) => |raw, item, _| raw.tos = Some(item.word),
    opt("dsfield").value(ValueKind::Text) => |raw, item, _| raw.tos = Some(item.word),
    opt("table").value(ValueKind::Text) => |raw, item, _| {
        raw.table = Some(item.word);
        raw.vrf = None;
    },
    opt("vrf").value(ValueKind::Link) => |raw, item, _| {
        raw.vrf = Some(item.word);
        raw.table = None;
    },
    opt("protocol").value(ValueKind::Text) => |raw, item, _| raw.protocol = Some(item.word),
    opt("proto").value(ValueKind::Text) => |raw, item, _| raw.protocol = Some(item.word),
    opt("scope").value(ValueKind::Text) => |raw, item, _| raw.scope = Some(item.word),
    opt("metric").value(U32) => |raw, item, _| raw.metric = Some(item.number()),
    opt("priority").value(U32) => |raw, item, _| raw.metric = Some(item.number()),
    opt("preference").value(U32) => |raw, item, _| raw.metric = Some(item.number()),
    opt("dev").value(ValueKind::Link) => |raw, item, _| raw.path.dev = Some(item.word),
    opt("oif").value(ValueKind::Link) => |raw, item, _| raw.path.dev = Some(item.word),
    opt("onlink") => |raw, item, _| raw.path.onlink = Some(item.word),
    opt("encap"); &ENCAP => |raw, item, _| {
        raw.encap_of_hop = false;
        raw.path.encap = Some(RawEncap::new(item.word));
    },
    opt("realms").value(ValueKind::Text) => |raw, item, _| raw.path.realms = Some(item.word),
    opt("expires").value(U32) => |raw, item, _| {
        raw.expires = Some(Given { value: item.number(), span: item.word.span });
    },
    opt("pref").value(ValueKind::Text) => |raw, item, checker| raw.preference(item, checker),
    opt("ttl-propagate").value(ValueKind::OneOf(&["enabled", "disabled"])).minor()
        => |raw, item, _| raw.ttl_propagate = Some(item.word.text == "enabled"),
    opt("add") => |raw, _, _| raw.placement = Some(Placement::Alone),
    opt("prepend") => |raw, _, _| raw.placement = Some(Placement::First),
    opt("append") => |raw, _, _| raw.placement = Some(Placement::Last),
    opt("nexthop"); &NEXTHOP => |raw, _, _| raw.next_hops.push(RawHop::default()),
    opt("no_track") => |raw, _, _| raw.no_track = true,
];

const U32: ValueKind = int(0, 4_294_967_295);

const LINE: Entry = Entry {
    name: "route",
    head: &[],
    required: 0,
    options: &[],
    free: Some(ValueKind::Target),
    unknown: Unknown::SkipEntry,
};

const ALL: [OptRow<RawRoute<'static>>; 62] = joined(ROUTE, METRICS);

pub(in crate::config) static VIRTUAL_ROUTES: LineTable<RawRoute<'static>> =
    line_table!(RawRoute<'static>, LINE, |raw, item, checker| raw.target(item, checker); ALL);

pub(in crate::config) static STATIC_ROUTES: LineTable<RawRoute<'static>> = line_table!(
    RawRoute<'static>, LINE, |raw, item, checker| raw.target(item, checker);
    joined::<_, 62, 1, 63>(ALL, opt_rows![RawRoute<'static>:
        opt("track_group").value(ValueKind::Text) => |raw, item, checker| raw.track_group(item, checker),
    ])
);

fn via<'d>(item: Item<'d>) -> Option<RawVia<'d>> {
    let family = item.before.map(|word| if word == "inet6" { Family::V6 } else { Family::V4 });
    item.value.addr().map(|addr| RawVia { addr, family, word: item.word })
}

fn target<'d>(item: Item<'d>) -> RawTarget<'d> {
    let prefix = match item.value {
        Value::Prefix(prefix, _) => Some(prefix),
        _ => None,
    };
    RawTarget { prefix, word: item.word }
}

impl<'d> RawRoute<'d> {
    /// Reads one line of an instance; `None` if it does not count.
    pub(super) fn of_instance(checker: &mut Checker<'_>, line: Node<'d>) -> Option<Self> {
        Self::read(checker, line, &VIRTUAL_ROUTES)
    }

    /// Reads one line of static routes.
    pub(in crate::config) fn of_host(checker: &mut Checker<'_>, line: Node<'d>) -> Option<Self> {
        Self::read(checker, line, &STATIC_ROUTES)
    }

    fn read(
        checker: &mut Checker<'_>,
        line: Node<'d>,
        table: &'static LineTable<RawRoute<'static>>,
    ) -> Option<Self> {
        let mut raw = Self { word: line.keyword(), ..Self::default() };
        match checker.fill_line(line, table, &mut raw) {
            LineUse::Useless => return None,
            // The next hop with the error is incomplete.
            LineUse::Cut => {
                raw.next_hops.pop();
                if raw.next_hops.is_empty() {
                    let text = "no next hop is left: the line is ignored";
                    checker.out.error("nexthop", raw.word.span, text);
                    return None;
                }
            }
            LineUse::Whole | LineUse::InPart => {}
        }
        (!raw.void).then_some(raw)
    }

    /// The next hop whose words are read now.
    fn hop(&mut self) -> &mut RawHop<'d> {
        if self.next_hops.is_empty() {
            self.next_hops.push(RawHop::default());
        }
        self.next_hops.last_mut().expect("there is one")
    }

    /// The tunnel whose words are read now.
    pub(super) fn encap(&mut self) -> &mut RawEncap<'d> {
        let hop = if self.encap_of_hop { self.hop() } else { &mut self.path };
        hop.encap.get_or_insert_with(RawEncap::default)
    }

    fn refuse(&mut self, checker: &mut Checker<'_>, about: &str, word: Word<'_>, text: String) {
        self.void = true;
        checker.out.error(about, word.span, format!("{text}: the line is ignored"));
    }

    fn family(&mut self, item: Item<'d>, checker: &mut Checker<'_>, family: Family) {
        if self.family.is_some_and(|given| given.value != family) {
            let text = "both 'inet' and 'inet6' are given".to_owned();
            return self.refuse(checker, "inet", item.word, text);
        }
        self.family = Some(Given { value: family, span: item.word.span });
    }

    fn kind(&mut self, item: Item<'d>, checker: &mut Checker<'_>, kind: Option<u8>) {
        let Some(value) = kind else { return };
        if self.kind.is_some() {
            let text = format!("'{}' is a second type of the route", item.word.text);
            return self.refuse(checker, "type", item.word, text);
        }
        self.kind = Some(Given { value, span: item.word.span });
    }

    /// A free word: the destination, or the number of a type.
    fn target(&mut self, item: Item<'d>, checker: &mut Checker<'_>) {
        if let Value::Int(number) = item.value {
            return self.kind(item, checker, u8::try_from(number).ok());
        }
        if self.destination.is_some() {
            let text = format!("'{}' is a second destination", item.word.text);
            self.refuse(checker, "route", item.word, text);
            checker.out.hint("write one route per line");
            return;
        }
        self.destination = Some(target(item));
    }

    fn default6(&mut self, item: Item<'d>, checker: &mut Checker<'_>) {
        checker.out.note(item.word.span, "'default6' is the old name of 'inet6 default'");
        self.family(item, checker, Family::V6);
        self.target(item, checker);
    }

    fn or(&mut self, item: Item<'d>, checker: &mut Checker<'_>) {
        let again = self.or.is_some();
        let text = match again {
            true => format!("'or {}' again is ignored: write 'nexthop'", item.word.text),
            false => "'or' is outdated: write 'nexthop via A nexthop via B'".to_owned(),
        };
        checker.out.error("or", item.word.span, text);
        if !again {
            self.or = item.value.addr().map(|addr| (addr, item.word));
        }
    }

    fn preference(&mut self, item: Item<'d>, checker: &mut Checker<'_>) {
        let word = item.word;
        let value = match word.text {
            // RFC 4191, section 2.1.
            "low" => Some(3),
            "medium" => Some(0),
            "high" => Some(1),
            text => text.parse().ok(),
        };
        match value {
            Some(value) => self.preference = Some(Given { value, span: word.span }),
            None => {
                let text =
                    format!("pref '{}' is not low, medium, high or a number to 255", word.text);
                self.refuse(checker, "pref", word, text);
            }
        }
    }

    fn track_group(&mut self, item: Item<'d>, checker: &mut Checker<'_>) {
        if self.track_group.is_some() {
            let text = format!("'track_group {}' is a second one", item.word.text);
            return self.refuse(checker, "track_group", item.word, text);
        }
        self.track_group = Some(item.word);
    }
}
