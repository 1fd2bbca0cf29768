//! Entries of `virtual_ipaddress`, `virtual_ipaddress_excluded` and `static_ipaddress`, as they are
//! written.

use std::net::{IpAddr, Ipv4Addr};

use crate::base::addr::{Family, Prefix};
use crate::base::diag::Span;
use crate::config::document::{Node, Word};
use crate::config::entry::{Item, LineUse};
use crate::config::keyword::{opt, Entry, Unknown, ValueKind};
use crate::config::statement::Checker;
use crate::config::table::{borrowed, joined, line_table, opt_rows, Given, LineTable, OptRow};
use crate::config::value::Value;
use crate::model::vrrp::Scope;

/// A line of one of the lists.
#[derive(Default)]
pub(in crate::config) struct RawAddress<'d> {
    prefix: Option<Prefix>,
    /// Whether a length was given.
    sized: bool,
    pub word: Word<'d>,
    pub dev: Option<Word<'d>>,
    pub scope: Option<Given<Scope>>,
    pub broadcast: Option<Given<RawBroadcast>>,
    pub label: Option<Word<'d>>,
    pub peer: Option<IpAddr>,
    pub home: bool,
    pub dad: bool,
    pub mngtmpaddr: bool,
    pub noprefixroute: bool,
    pub autojoin: bool,
    pub no_track: bool,
    /// Of an address of an instance.
    pub use_vmac: Option<Span>,
    /// `None` within: forever.
    pub preferred_lft: Option<Option<u32>>,
    /// Of a static address.
    pub track_group: Option<Word<'d>>,
    void: bool,
}

#[derive(Clone, Copy)]
pub(in crate::config) enum RawBroadcast {
    /// `+`
    Ones,
    /// `-`
    Zeros,
    Address(Ipv4Addr),
}

borrowed!(RawAddress);

pub(in crate::config) const SCOPES: [(&str, Scope); 5] = [
    ("global", Scope::GLOBAL),
    ("site", Scope::SITE),
    ("link", Scope::LINK),
    ("host", Scope::HOST),
    ("nowhere", Scope::NOWHERE),
];

/// What static and virtual addresses have in common.
const ADDRESS: [OptRow<RawAddress<'static>>; 13] = opt_rows![RawAddress<'static>:
    opt("dev").value(ValueKind::Link) => |raw, item, checker| raw.dev(item, checker),
    opt("scope").value(ValueKind::Text).minor() => |raw, item, checker| raw.scope(item, checker),
    opt("broadcast").value(ValueKind::Text) => |raw, item, checker| raw.broadcast(item, checker),
    opt("brd").value(ValueKind::Text) => |raw, item, checker| raw.broadcast(item, checker),
    opt("label").value(ValueKind::Short(15)) => |raw, item, _| raw.label = Some(item.word),
    opt("peer").value(ValueKind::Prefix).minor() => |raw, item, checker| raw.peer(item, checker),
    opt("home") => |raw, _, _| raw.home = true,
    opt("-nodad") => |raw, _, _| raw.dad = true,
    opt("mngtmpaddr") => |raw, _, _| raw.mngtmpaddr = true,
    opt("noprefixroute") => |raw, _, _| raw.noprefixroute = true,
    opt("autojoin") => |raw, _, _| raw.autojoin = true,
    opt("no_track") => |raw, _, _| raw.no_track = true,
    opt("preferred_lft").value(ValueKind::Text).minor()
        => |raw, item, checker| raw.preferred_lft(item, checker),
];

const LINE: Entry = Entry {
    name: "address",
    head: &[ValueKind::Prefix],
    required: 1,
    options: &[],
    free: None,
    unknown: Unknown::IgnoreRest,
};

pub(in crate::config) static VIRTUAL_IPADDRESS: LineTable<RawAddress<'static>> = line_table!(
    RawAddress<'static>, LINE, |raw, item, _| raw.address(item);
    joined::<_, 13, 1, 14>(ADDRESS, opt_rows![RawAddress<'static>:
        opt("use_vmac") => |raw, item, _| raw.use_vmac = Some(item.word.span),
    ])
);

pub(in crate::config) static STATIC_IPADDRESS: LineTable<RawAddress<'static>> = line_table!(
    RawAddress<'static>, LINE, |raw, item, _| raw.address(item);
    joined::<_, 13, 1, 14>(ADDRESS, opt_rows![RawAddress<'static>:
        opt("track_group").value(ValueKind::Text) => |raw, item, _| raw.track_group = Some(item.word),
    ])
);

impl<'d> RawAddress<'d> {
    /// Reads one line of an instance; `None` if it does not count.
    pub(super) fn of_instance(checker: &mut Checker<'_>, line: Node<'d>) -> Option<Self> {
        Self::read(checker, line, &VIRTUAL_IPADDRESS)
    }

    /// Reads one line of static addresses.
    pub(in crate::config) fn of_host(checker: &mut Checker<'_>, line: Node<'d>) -> Option<Self> {
        Self::read(checker, line, &STATIC_IPADDRESS)
    }

    fn read(
        checker: &mut Checker<'_>,
        line: Node<'d>,
        table: &'static LineTable<RawAddress<'static>>,
    ) -> Option<Self> {
        let mut raw = Self { word: line.keyword(), ..Self::default() };
        let read = checker.fill_line(line, table, &mut raw);
        (read != LineUse::Useless && !raw.void).then_some(raw)
    }

    pub(in crate::config) fn prefix(&self) -> Prefix {
        self.prefix.unwrap_or_else(|| Prefix::host(Ipv4Addr::UNSPECIFIED.into()))
    }

    fn address(&mut self, item: Item<'d>) {
        if let Value::Prefix(prefix, sized) = item.value {
            self.prefix = Some(prefix);
            self.sized = sized;
        }
    }

    fn dev(&mut self, item: Item<'d>, checker: &mut Checker<'_>) {
        if self.dev.is_some() {
            let text = format!("'dev' twice: address '{}' is ignored", self.prefix().addr);
            checker.out.error("dev", item.word.span, text);
            self.void = true;
        } else {
            self.dev = Some(item.word);
        }
    }

    fn scope(&mut self, item: Item<'d>, checker: &mut Checker<'_>) {
        let Word { text, span, .. } = item.word;
        let named = SCOPES.iter().find(|(name, _)| *name == text).map(|(_, scope)| *scope);
        match named.or_else(|| text.parse().ok().map(Scope)) {
            Some(value) => self.scope = Some(Given { value, span }),
            None => {
                let text = format!("scope '{text}' is not known: it is ignored");
                checker.out.error("scope", span, text);
            }
        }
    }

    fn broadcast(&mut self, item: Item<'d>, checker: &mut Checker<'_>) {
        let Word { text, span, .. } = item.word;
        let broadcast = match text {
            "+" => Some(RawBroadcast::Ones),
            "-" => Some(RawBroadcast::Zeros),
            _ => text.parse().ok().map(RawBroadcast::Address),
        };
        let addr = self.prefix().addr;
        match broadcast {
            Some(value) if addr.is_ipv4() => {
                self.broadcast = Some(Given { value, span });
                return;
            }
            Some(_) => {
                let text = format!("broadcast of IPv6 address '{addr}': the address is ignored");
                checker.out.error("broadcast", span, text);
            }
            None => {
                let text =
                    format!("broadcast '{text}' is no IPv4 address: address '{addr}' is ignored");
                checker.out.error("broadcast", span, text);
            }
        }
        self.void = true;
    }

    fn peer(&mut self, item: Item<'d>, checker: &mut Checker<'_>) {
        let Value::Prefix(peer, sized) = item.value else { return };
        let (prefix, Word { text, span, .. }) = (self.prefix(), item.word);
        let why = if self.peer.is_some() {
            "a second one"
        } else if Family::of(&peer.addr) != Family::of(&prefix.addr) {
            "of another family"
        } else {
            if sized {
                let text = format!("the prefix length of peer '{text}' is ignored");
                checker.out.error("peer", span, text);
            }
            if self.sized {
                let text = format!("the prefix length of '{prefix}' is ignored: it has a peer");
                checker.out.error("peer", self.word.span, text);
            }
            self.prefix = Some(Prefix::host(prefix.addr));
            self.peer = Some(peer.addr);
            return;
        };
        let text = format!("peer '{text}' is {why}: it is ignored");
        checker.out.error("peer", span, text);
    }

    fn preferred_lft(&mut self, item: Item<'d>, checker: &mut Checker<'_>) {
        let Word { text, span, .. } = item.word;
        match (text, text.parse()) {
            ("forever", _) | (_, Ok(u32::MAX)) => self.preferred_lft = Some(None),
            (_, Ok(seconds)) => self.preferred_lft = Some(Some(seconds)),
            _ => {
                let text = format!(
                    "preferred_lft '{text}' is not a number of seconds or 'forever': it is ignored"
                );
                checker.out.error("preferred_lft", span, text);
            }
        }
    }
}
