//! `virtual_server` and groups of addresses, as they are written.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::forwarding::{self, LVS_METHOD};
use super::server::REAL_SERVER;
use crate::base::addr::Family;
use crate::base::diag::Span;
use crate::config::document::{Node, Word};
use crate::config::keyword::{
    int, opt, seconds, strict, Bad, Body, Entry, OldName, Repeat, Unknown, ValueKind,
};
use crate::config::table::{
    address, borrowed, flag, line_table, maybe_number, number, options, script, switch, table,
    text, time, word, Given, LineTable, Setting, Table,
};
use crate::config::value::{parse, Value};
use crate::model::lvs::{Forwarding, Granularity, Protocol, Scheduler, SchedulerFlags};
use crate::model::shown::ShownSchedule;

/// Seconds of persistence where only persistence is asked for.
pub(in crate::config) const PERSISTENCE: u32 = 360;

const SCHEDULER: ValueKind = ValueKind::OneOf(&[
    "rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos",
]);

/// 0 is the same as no port.
const PORT: ValueKind = strict(0, 65_535);

/// A line of `virtual_server_group`.
#[derive(Default)]
pub(in crate::config) struct RawGroupLine<'d> {
    /// An address or a range, and a port.
    pub words: Vec<Word<'d>>,
    pub mark: Option<u32>,
    pub family: Option<Family>,
}

pub(in crate::config) static SERVER_GROUP: LineTable<RawGroupLine<'static>> = line_table!(
    RawGroupLine<'static>,
    Entry {
        name: "address",
        head: &[],
        required: 0,
        options: &[],
        free: Some(ValueKind::Range),
        unknown: Unknown::SkipEntry,
    },
    |raw, item, _| raw.words.push(item.word),
    [
        opt("fwmark").value(int(0, 4_294_967_295)).after(&["inet", "inet6"]) => |raw, item, _| {
            raw.mark = Some(item.number());
            raw.family = item.after.map(family).or(raw.family);
        },
    ]
);

fn family(name: &str) -> Family {
    if name == "inet6" {
        Family::V6
    } else {
        Family::V4
    }
}

/// Settings that a check inherits from its real server, and a real server from its virtual server.
#[derive(Clone, Copy, Default)]
pub(in crate::config) struct Inherited {
    pub retry: Option<u32>,
    pub delay_before_retry: Option<Duration>,
    pub warmup: Option<Duration>,
    pub delay_loop: Option<Duration>,
    pub connect_timeout: Option<Duration>,
    pub alpha: Option<bool>,
}

impl Inherited {
    /// Takes missing settings from `outer`.
    pub(in crate::config) fn or(self, outer: Self) -> Self {
        Self {
            retry: self.retry.or(outer.retry),
            delay_before_retry: self.delay_before_retry.or(outer.delay_before_retry),
            warmup: self.warmup.or(outer.warmup),
            delay_loop: self.delay_loop.or(outer.delay_loop),
            connect_timeout: self.connect_timeout.or(outer.connect_timeout),
            alpha: self.alpha.or(outer.alpha),
        }
    }

    /// As the file has it.
    pub(in crate::config) fn shown(&self) -> ShownSchedule {
        ShownSchedule {
            connect_timeout: self.connect_timeout,
            delay_loop: self.delay_loop,
            retry: self.retry,
            delay_before_retry: self.delay_before_retry,
            warmup: self.warmup,
            inhibit: false,
        }
    }

    /// Something of the schedule is given.
    pub(in crate::config) const fn is_given(&self) -> bool {
        self.connect_timeout.is_some()
            || self.delay_loop.is_some()
            || self.retry.is_some()
            || self.delay_before_retry.is_some()
            || self.warmup.is_some()
    }

    /// `delay_loop` with its default.
    pub(in crate::config) fn delay_loop(&self) -> Duration {
        self.delay_loop.unwrap_or(Duration::from_secs(60))
    }
}

#[derive(Default)]
pub(in crate::config) struct RawService<'d> {
    pub family: Option<Given<Family>>,
    pub inherited: Inherited,
    pub inhibit: bool,
    pub scheduler: Option<Scheduler>,
    pub flags: SchedulerFlags,
    pub forwarding: Option<Forwarding>,
    pub engine: Option<Given<&'d str>>,
    pub persistence: Option<u32>,
    pub granularity: Option<Given<Granularity>>,
    pub protocol: Option<Given<Protocol>>,
    /// Position of `ops`.
    pub ops: Option<Span>,
    pub omega: bool,
    /// Position of `ha_suspend`.
    pub ha_suspend: Option<Span>,
    pub mail: Option<bool>,
    pub virtualhost: Option<&'d str>,
    pub quorum_up: Option<Node<'d>>,
    pub quorum_down: Option<Node<'d>>,
    pub quorum: Option<Given<u32>>,
    pub hysteresis: Option<Given<u32>>,
    pub weight: Option<u32>,
    pub sorry: Option<RawSorry>,
    pub servers: Vec<UnreadServer<'d>>,
}

/// A `real_server` whose block is read when the whole virtual server is known.
pub(in crate::config) struct UnreadServer<'d> {
    pub node: Node<'d>,
    pub addr: IpAddr,
    /// `lvs_method` of the virtual server as it was before it.
    pub method: Option<Forwarding>,
}

/// `sorry_server`.
pub(in crate::config) struct RawSorry {
    pub addr: IpAddr,
    pub port: u16,
    pub span: Span,
    pub inhibit: bool,
    pub forwarding: Option<Forwarding>,
}

borrowed!(RawGroupLine, RawService);

pub(in crate::config) static VIRTUAL_SERVER: Table<RawService<'static>> = table!(RawService<'static>, "virtual_server", [
    word("ip_family", &[ValueKind::OneOf(&["inet", "inet6"])]).default("that of its addresses, else inet")
        => |raw, s| raw.family = Some(s.here(family(s.value))),
    number("retry", &[strict(1, 4_294_967_295)]).default("that of each check")
        => |raw, s| raw.inherited.retry = Some(s.number()),
    time("delay_before_retry", &[seconds(0, u64::MAX)]).default("that of each check")
        => |raw, s| raw.inherited.delay_before_retry = Some(s.value),
    time("warmup", &[seconds(0, u64::MAX)]).default("delay_loop")
        => |raw, s| raw.inherited.warmup = Some(s.value),
    time("connect_timeout", &[seconds(1, 4_294_967_295)]).default("5")
        => |raw, s| raw.inherited.connect_timeout = Some(s.value),
    time("delay_loop", &[seconds(1, u64::MAX)]).default("60")
        => |raw, s| raw.inherited.delay_loop = Some(s.value),
    flag("inhibit_on_failure") => |raw, _| raw.inhibit = true,
    word("lb_algo", &[SCHEDULER]).default("wlc, with a message").alias("lvs_sched"),
    word("lvs_sched", &[SCHEDULER]).default("wlc, with a message") => |raw, s| {
        raw.scheduler = Scheduler::ALL.into_iter().find(|known| known.name() == s.value);
    },
    flag("hashed").replaced("sh-port or mh-port", OldName::Accepted) => |raw, s| raw.hashed(s),
    flag("ops") => |raw, s| raw.ops = Some(s.span()),
    flag("flag-1") => |raw, _| raw.flags.first = true,
    flag("flag-2") => |raw, _| raw.flags.second = true,
    flag("flag-3") => |raw, _| raw.flags.third = true,
    flag("sh-port") => |raw, s| raw.flags.second |= raw.has(s, Scheduler::Sh),
    flag("sh-fallback") => |raw, s| raw.flags.first |= raw.has(s, Scheduler::Sh),
    flag("mh-port") => |raw, s| raw.flags.second |= raw.has(s, Scheduler::Mh),
    flag("mh-fallback") => |raw, s| raw.flags.first |= raw.has(s, Scheduler::Mh),
    options("lb_kind", &LVS_METHOD.entry).default("NAT, with a message").alias("lvs_method"),
    options("lvs_method", &LVS_METHOD.entry).default("NAT, with a message")
        => |raw, mut s| raw.forwarding = forwarding::read(&mut s).or(raw.forwarding),
    word("persistence_engine", &[ValueKind::Short(16)]).default("none").bad(Bad::Cut)
        => |raw, s| raw.engine = Some(s.here(s.value)),
    maybe_number("persistence_timeout", &[strict(1, 2_678_400)]).default("off; without a number 360")
        => |raw, s| raw.persistence = Some(s.number_or(PERSISTENCE)),
    word("persistence_granularity", &[ValueKind::Text]).default("each client alone")
        => |raw, s| raw.granularity(s),
    word("protocol", &[ValueKind::OneOfAnyCase(&["TCP", "UDP", "SCTP"])])
        .default("UDP, with a message; none with a firewall mark")
        => |raw, s| {
            let known = |p: &Protocol| p.name().eq_ignore_ascii_case(s.value);
            raw.protocol = Protocol::ALL.into_iter().find(known).map(|value| s.here(value));
        },
    flag("ha_suspend") => |raw, s| raw.ha_suspend = Some(s.span()),
    switch("smtp_alert").default("smtp_alert_checker, else smtp_alert in global_defs, else off")
        => |raw, s| raw.mail = Some(s.value),
    text("virtualhost").default("none").repeat(Repeat::LastCounts) => |raw, s| raw.virtualhost = Some(s.value),
    text("snmp_name").default("none").repeat(Repeat::LastCounts).later(),
    flag("alpha") => |raw, _| raw.inherited.alpha = Some(true),
    flag("omega") => |raw, _| raw.omega = true,
    script("quorum_up") => |raw, s| raw.quorum_up = Some(s.node()),
    script("quorum_down") => |raw, s| raw.quorum_down = Some(s.node()),
    number("quorum", &[int(1, 4_294_967_295)]).default("1").bad(Bad::Use(1))
        => |raw, s| raw.quorum = Some(s.here(s.number())),
    number("hysteresis", &[int(0, 4_294_967_295)]).default("0")
        => |raw, s| raw.hysteresis = Some(s.here(s.number())),
    number("weight", &[int(1, 2_147_483_647)]).default("1")
        => |raw, s| raw.weight = Some(s.number()),
    address("sorry_server", &[ValueKind::Address, PORT]).default("none; the port is that of the virtual server") => |raw, s| {
        // A bad port was reported.
        let Some(port) = port(s.node()) else { return };
        let (addr, span) = (s.value, s.span());
        raw.sorry = Some(RawSorry { addr, port, span, inhibit: false, forwarding: None });
    },
    flag("sorry_server_inhibit") => |raw, s| if let Some(sorry) = raw.sorry_so_far(s) {
        sorry.inhibit = true;
    },
    options("sorry_server_lvs_method", &LVS_METHOD.entry).default("lvs_method of the virtual server")
        => |raw, s| raw.sorry_method(s),
    address("real_server", &[ValueKind::Address, PORT])
        .body(Body::Keywords(&REAL_SERVER.block))
        .repeat(Repeat::ByName)
        .default("the port of the virtual server")
        => |raw, s| {
            let (node, addr, method) = (s.node(), s.value, raw.forwarding);
            raw.servers.push(UnreadServer { node, addr, method });
        },
]);

/// The second word of `ADDRESS [PORT]`: 0 if there is none, `None` if it is invalid.
pub(in crate::config) fn port(node: Node<'_>) -> Option<u16> {
    let Some(word) = node.arg(1) else { return Some(0) };
    match parse(PORT, word.text) {
        Ok(Value::Int(n)) => u16::try_from(n).ok(),
        _ => None,
    }
}

impl<'d> RawService<'d> {
    fn sorry_method(&mut self, mut s: Setting<'_, '_, 'd, ()>) {
        let Some(method) = forwarding::read(&mut s) else { return };
        if let Some(sorry) = self.sorry_so_far(s) {
            sorry.forwarding = Some(method);
        }
    }

    /// The sorry server that a setting is for: it has to stand before it.
    fn sorry_so_far(&mut self, s: Setting<'_, '_, 'd, ()>) -> Option<&mut RawSorry> {
        if self.sorry.is_none() {
            let word = s.node().keyword();
            let text = format!("{} before sorry_server is ignored", word.text);
            s.checker.out.error(word.text, word.span, text);
        }
        self.sorry.as_mut()
    }

    /// Whether a flag may have the name that the scheduler `wanted` has for it: then it stands after
    /// `lvs_sched`.
    fn has(&self, mut s: Setting<'_, '_, 'd, ()>, wanted: Scheduler) -> bool {
        let word = s.node().keyword();
        match self.scheduler {
            Some(scheduler) if scheduler == wanted => return true,
            // The two are often confused.
            Some(other @ (Scheduler::Sh | Scheduler::Mh)) => {
                let text = format!("{} is ignored: the scheduler is {}", word.text, other.name());
                s.checker.out.warn(word.text, word.span, text);
            }
            _ => {
                let name = wanted.name();
                s.error(format!("{} is ignored: it goes after lvs_sched {name}", word.text));
            }
        }
        false
    }

    /// It never had an effect; after `lvs_sched sh` and `mh` it does no harm either.
    fn hashed(&self, mut s: Setting<'_, '_, 'd, ()>) {
        let text = "hashed has no effect: sh-port, sh-fallback, mh-port and mh-fallback have";
        if matches!(self.scheduler, Some(Scheduler::Sh | Scheduler::Mh)) {
            s.checker.out.warn("hashed", s.node().keyword().span, text);
        } else {
            s.error(text);
        }
    }

    /// A netmask or the length of an IPv6 prefix; persistence comes with it.
    fn granularity(&mut self, s: Setting<'_, '_, 'd, &'d str>) {
        const LEN: ValueKind = strict(1, 128);
        let Word { text, span, .. } = s.word();
        let value = match (text.parse::<Ipv4Addr>(), parse(LEN, text)) {
            (Ok(mask), _) => Granularity::Mask(mask),
            (_, Ok(Value::Int(len))) => Granularity::Prefix(u8::try_from(len).unwrap_or(128)),
            _ => {
                let text = format!(
                    "persistence_granularity '{text}' is not a netmask or a prefix length of IPv6"
                );
                s.checker.out.error("persistence_granularity", span, text);
                return;
            }
        };
        self.granularity = Some(Given { value, span });
        self.persistence.get_or_insert(PERSISTENCE);
    }
}
