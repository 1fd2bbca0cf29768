//! One `virtual_server`: what is written in it, before its rules are applied ([`lvs`](super::lvs)).

use std::net::{IpAddr, Ipv4Addr};

use super::forwarding;
use super::inherit::{is_on, Inherited};
use super::instance::Given;
use crate::base::addr::Family;
use crate::base::diag::Span;
use crate::config::document::{Node, Word};
use crate::config::keyword::{strict, Kind};
use crate::config::keywords;
use crate::config::statement::{Checker, Statement};
use crate::config::value::{parse, Value};
use crate::model::lvs::{Forwarding, Granularity, Protocol, Scheduler, SchedulerFlags};

/// `persistence_timeout` where nobody says how long.
pub(super) const PERSISTENCE: u32 = 360;

/// A virtual server as it is written.
#[derive(Default)]
pub(super) struct RawService<'d> {
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
    /// Where `ops` stands.
    pub ops: Option<Span>,
    pub omega: bool,
    /// Where `ha_suspend` stands.
    pub ha_suspend: Option<Span>,
    pub mail: Option<bool>,
    pub virtualhost: Option<&'d str>,
    pub snmp_name: Option<&'d str>,
    pub quorum_up: Option<Node<'d>>,
    pub quorum_down: Option<Node<'d>>,
    pub quorum: Option<Given<u32>>,
    pub hysteresis: Option<Given<u32>>,
    pub weight: Option<u32>,
    pub sorry: Option<RawSorry>,
    pub servers: Vec<RawServer<'d>>,
}

/// `real_server`, not yet read.
pub(super) struct RawServer<'d> {
    pub node: Node<'d>,
    pub addr: IpAddr,
    /// `lvs_method` of the virtual server as it was before it.
    pub method: Option<Forwarding>,
}

/// `sorry_server`.
pub(super) struct RawSorry {
    pub addr: IpAddr,
    pub port: u16,
    pub span: Span,
    pub inhibit: bool,
    pub forwarding: Option<Forwarding>,
}

/// Reads the block of a virtual server.
pub(super) fn read<'d>(checker: &mut Checker<'_>, node: Node<'d>) -> RawService<'d> {
    let mut raw = RawService::default();
    checker.block(node.children(), &keywords::VIRTUAL_SERVER, &mut |checker, s| {
        raw.take(checker, s);
    });
    raw
}

/// The second word of `ADDRESS [PORT]`: 0 if there is none, `None` if it is no good.
pub(super) fn port(node: Node<'_>) -> Option<u16> {
    let Some(word) = node.arg(1) else { return Some(0) };
    match parse(strict(0, 65_535), word.text) {
        Ok(Value::Int(n)) => u16::try_from(n).ok(),
        _ => None,
    }
}

impl<'d> RawService<'d> {
    fn take(&mut self, checker: &mut Checker<'_>, s: Statement<'d>) {
        let name = s.keyword.name;
        if self.inherited.take(name, s.value) {
            return;
        }
        match s.value {
            Value::Int(n) => self.number(s, n),
            Value::Text(text) => self.text(checker, s, text),
            Value::Addr(addr) => self.address(s, addr),
            value => self.switch(checker, s, is_on(value)),
        }
    }

    fn number(&mut self, s: Statement<'d>, n: i64) {
        let value = u32::try_from(n).unwrap_or(0);
        let given = Some(Given { value, span: s.node.keyword().span });
        match s.keyword.name {
            "persistence_timeout" => self.persistence = Some(value),
            "quorum" => self.quorum = given,
            "hysteresis" => self.hysteresis = given,
            "weight" => self.weight = Some(value),
            name => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
        }
    }

    fn text(&mut self, checker: &mut Checker<'_>, s: Statement<'d>, text: &'d str) {
        let span = s.node.keyword().span;
        match s.keyword.name {
            "ip_family" => {
                let value = if text == "inet6" { Family::V6 } else { Family::V4 };
                self.family = Some(Given { value, span });
            }
            "lvs_sched" => {
                self.scheduler = Scheduler::ALL.into_iter().find(|known| known.name() == text);
            }
            "persistence_engine" => self.engine = Some(Given { value: text, span }),
            "persistence_granularity" => self.granularity(checker, s),
            "protocol" => {
                let known = Protocol::ALL.into_iter();
                let found = known.into_iter().find(|p| p.name().eq_ignore_ascii_case(text));
                self.protocol = found.map(|value| Given { value, span });
            }
            "virtualhost" => self.virtualhost = Some(text),
            "snmp_name" => self.snmp_name = Some(text),
            name => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
        }
    }

    fn address(&mut self, s: Statement<'d>, addr: IpAddr) {
        match s.keyword.name {
            "real_server" => {
                self.servers.push(RawServer { node: s.node, addr, method: self.forwarding });
            }
            "sorry_server" => {
                // Of a bad port was told.
                let Some(port) = port(s.node) else { return };
                let span = s.node.keyword().span;
                let sorry = RawSorry { addr, port, span, inhibit: false, forwarding: None };
                self.sorry = Some(sorry);
            }
            name => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
        }
    }

    fn switch(&mut self, checker: &mut Checker<'_>, s: Statement<'d>, on: bool) {
        let word = s.node.keyword();
        match s.keyword.name {
            "lvs_method" => self.forwarding = Some(forwarding::read(checker, s.node)),
            "sorry_server_lvs_method" => {
                let method = forwarding::read(checker, s.node);
                if let Some(sorry) = self.sorry_so_far(checker, word) {
                    sorry.forwarding = Some(method);
                }
            }
            "sorry_server_inhibit" => {
                if let Some(sorry) = self.sorry_so_far(checker, word) {
                    sorry.inhibit = true;
                }
            }
            "inhibit_on_failure" => self.inhibit = true,
            "hashed" => self.hashed(checker, word),
            "flag-1" => self.flags.first = true,
            "flag-2" => self.flags.second = true,
            "flag-3" => self.flags.third = true,
            "sh-fallback" | "sh-port" | "mh-fallback" | "mh-port" => self.flag(checker, word),
            "ops" => self.ops = Some(word.span),
            "omega" => self.omega = true,
            "ha_suspend" => self.ha_suspend = Some(word.span),
            "smtp_alert" => self.mail = Some(on),
            "persistence_timeout" => self.persistence = Some(PERSISTENCE),
            "quorum_up" => self.quorum_up = Some(s.node),
            "quorum_down" => self.quorum_down = Some(s.node),
            name => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
        }
    }

    /// The sorry server these settings are for: it has to stand before them.
    fn sorry_so_far(&mut self, checker: &mut Checker<'_>, word: Word<'_>) -> Option<&mut RawSorry> {
        if self.sorry.is_none() {
            let text = format!("{} before sorry_server is ignored", word.text);
            checker.out.error(word.text, word.span, text);
        }
        self.sorry.as_mut()
    }

    /// A flag by the name that one scheduler has for it; it has to stand after `lvs_sched`.
    fn flag(&mut self, checker: &mut Checker<'_>, word: Word<'_>) {
        let wanted = if word.text.starts_with("sh") { Scheduler::Sh } else { Scheduler::Mh };
        match self.scheduler {
            Some(scheduler) if scheduler == wanted => {
                if word.text.ends_with("fallback") {
                    self.flags.first = true;
                } else {
                    self.flags.second = true;
                }
            }
            // The two are taken for each other often enough.
            Some(other @ (Scheduler::Sh | Scheduler::Mh)) => {
                let text = format!("{} is ignored: the scheduler is {}", word.text, other.name());
                checker.out.warn(word.text, word.span, text);
            }
            _ => {
                let name = wanted.name();
                let text = format!("{} is ignored: it goes after lvs_sched {name}", word.text);
                checker.out.error(word.text, word.span, text);
            }
        }
    }

    /// It never had an effect; after `lvs_sched sh` and `mh` it does no harm either.
    fn hashed(&self, checker: &mut Checker<'_>, word: Word<'_>) {
        let text = "hashed has no effect: sh-port, sh-fallback, mh-port and mh-fallback have";
        if matches!(self.scheduler, Some(Scheduler::Sh | Scheduler::Mh)) {
            checker.out.warn("hashed", word.span, text);
        } else {
            checker.out.error("hashed", word.span, text);
        }
    }

    /// A netmask or the length of an IPv6 prefix; persistence comes with it.
    fn granularity(&mut self, checker: &mut Checker<'_>, s: Statement<'d>) {
        const LEN: Kind = strict(1, 128);
        let Some(word) = s.node.arg(0) else { return };
        let value = match (word.text.parse::<Ipv4Addr>(), parse(LEN, word.text)) {
            (Ok(mask), _) => Granularity::Mask(mask),
            (_, Ok(Value::Int(len))) => Granularity::Prefix(u8::try_from(len).unwrap_or(128)),
            _ => {
                let text = format!(
                    "persistence_granularity '{}' is not a netmask or a prefix length of IPv6",
                    word.text
                );
                checker.out.error(s.keyword.name, word.span, text);
                return;
            }
        };
        self.granularity = Some(Given { value, span: word.span });
        self.persistence.get_or_insert(PERSISTENCE);
    }
}
