//! Entries of `virtual_ipaddress` and `virtual_ipaddress_excluded`.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};

use super::Scene;
use crate::base::addr::{Family, Prefix};
use crate::base::diag::Span;
use crate::config::document::{Node, Word};
use crate::config::entry::Item;
use crate::config::keywords;
use crate::config::statement::Checker;
use crate::config::value::Value;
use crate::model::vrrp::{Broadcast, Scope, VirtualAddress};

/// An entry as it is written.
pub(super) struct RawAddress<'d> {
    pub prefix: Prefix,
    /// Whether a length was given.
    sized: bool,
    word: Word<'d>,
    dev: Option<Word<'d>>,
    scope: Option<(Scope, Span)>,
    broadcast: Option<(RawBroadcast, Span)>,
    label: Option<Word<'d>>,
    peer: Option<IpAddr>,
    home: bool,
    dad: bool,
    mngtmpaddr: bool,
    noprefixroute: bool,
    autojoin: bool,
    no_track: bool,
    preferred_lft: Option<Option<u32>>,
    void: bool,
}

#[derive(Clone, Copy)]
enum RawBroadcast {
    /// `+`
    Ones,
    /// `-`
    Zeros,
    Address(Ipv4Addr),
}

/// Reads one line of an instance; `None` if it does not count.
pub(super) fn read<'d>(checker: &mut Checker<'_>, line: Node<'d>) -> Option<RawAddress<'d>> {
    let mut raw = RawAddress::new(line.keyword());
    let used = checker.entry(line, &keywords::VIRTUAL_IPADDRESS, &mut |checker, item| {
        raw.take(checker, item);
    });
    (used && !raw.void).then_some(raw)
}

/// Reads one line of `static_ipaddress`: with its `track_group`.
pub(super) fn read_static<'d>(
    checker: &mut Checker<'_>,
    line: Node<'d>,
) -> Option<(RawAddress<'d>, Option<Word<'d>>)> {
    let mut raw = RawAddress::new(line.keyword());
    let mut group = None;
    let used = checker.entry(line, &keywords::STATIC_IPADDRESS, &mut |checker, item| {
        if item.option == "track_group" {
            group = Some(item.word);
        } else {
            raw.take(checker, item);
        }
    });
    (used && !raw.void).then_some((raw, group))
}

impl<'d> RawAddress<'d> {
    const fn new(word: Word<'d>) -> Self {
        Self {
            prefix: Prefix::host(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            sized: false,
            word,
            dev: None,
            scope: None,
            broadcast: None,
            label: None,
            peer: None,
            home: false,
            dad: false,
            mngtmpaddr: false,
            noprefixroute: false,
            autojoin: false,
            no_track: false,
            preferred_lft: None,
            void: false,
        }
    }

    fn take(&mut self, checker: &mut Checker<'_>, item: Item<'d>) {
        match (item.option, item.value) {
            ("", Value::Prefix(prefix, sized)) => {
                self.prefix = prefix;
                self.sized = sized;
            }
            ("dev", _) if self.dev.is_some() => {
                let text = format!("'dev' twice: address '{}' is ignored", self.prefix.addr);
                checker.out.error("dev", item.word.span, text);
                self.void = true;
            }
            ("dev", _) => self.dev = Some(item.word),
            ("scope", Value::Text(text)) => self.take_scope(checker, item, text),
            ("broadcast" | "brd", Value::Text(text)) => self.take_broadcast(checker, item, text),
            ("label", _) => self.label = Some(item.word),
            ("peer", Value::Prefix(prefix, sized)) => self.take_peer(checker, item, prefix, sized),
            ("home", _) => self.home = true,
            ("-nodad", _) => self.dad = true,
            ("mngtmpaddr", _) => self.mngtmpaddr = true,
            ("noprefixroute", _) => self.noprefixroute = true,
            ("autojoin", _) => self.autojoin = true,
            ("no_track", _) => self.no_track = true,
            ("preferred_lft", Value::Text(text)) => self.take_lifetime(checker, item, text),
            ("use_vmac", _) => checker.note_not_in_effect("use_vmac", item.word),
            (name, _) => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
        }
    }

    fn take_scope(&mut self, checker: &mut Checker<'_>, item: Item<'d>, text: &str) {
        let scope = match text {
            "global" => Some(Scope::GLOBAL),
            "site" => Some(Scope::SITE),
            "link" => Some(Scope::LINK),
            "host" => Some(Scope::HOST),
            "nowhere" => Some(Scope::NOWHERE),
            _ => text.parse().ok().map(Scope),
        };
        match scope {
            Some(scope) => self.scope = Some((scope, item.word.span)),
            None => {
                let text = format!("scope '{text}' is not known: it is ignored");
                checker.out.error("scope", item.word.span, text);
            }
        }
    }

    fn take_broadcast(&mut self, checker: &mut Checker<'_>, item: Item<'d>, text: &str) {
        let span = item.word.span;
        let broadcast = match text {
            "+" => Some(RawBroadcast::Ones),
            "-" => Some(RawBroadcast::Zeros),
            _ => text.parse().ok().map(RawBroadcast::Address),
        };
        match broadcast {
            Some(broadcast) if self.prefix.addr.is_ipv4() => {
                self.broadcast = Some((broadcast, span));
            }
            _ => {
                let addr = self.prefix.addr;
                let text = if broadcast.is_some() {
                    format!("broadcast of IPv6 address '{addr}': the address is ignored")
                } else {
                    format!("broadcast '{text}' is no IPv4 address: address '{addr}' is ignored")
                };
                checker.out.error("broadcast", span, text);
                self.void = true;
            }
        }
    }

    fn take_peer(&mut self, checker: &mut Checker<'_>, item: Item<'d>, peer: Prefix, sized: bool) {
        let why = if self.peer.is_some() {
            "a second one"
        } else if Family::of(&peer.addr) != Family::of(&self.prefix.addr) {
            "of another family"
        } else {
            if sized {
                let text = format!("the prefix length of peer '{}' is ignored", item.word.text);
                checker.out.error("peer", item.word.span, text);
            }
            if self.sized {
                let text =
                    format!("the prefix length of '{}' is ignored: it has a peer", self.prefix);
                checker.out.error("peer", self.word.span, text);
            }
            self.prefix = Prefix::host(self.prefix.addr);
            self.peer = Some(peer.addr);
            return;
        };
        let text = format!("peer '{}' is {why}: it is ignored", item.word.text);
        checker.out.error("peer", item.word.span, text);
    }

    fn take_lifetime(&mut self, checker: &mut Checker<'_>, item: Item<'d>, text: &str) {
        match (text, text.parse()) {
            ("forever", _) | (_, Ok(u32::MAX)) => self.preferred_lft = Some(None),
            (_, Ok(seconds)) => self.preferred_lft = Some(Some(seconds)),
            _ => {
                let text = format!(
                    "preferred_lft '{text}' is not a number of seconds or 'forever': it is ignored"
                );
                checker.out.error("preferred_lft", item.word.span, text);
            }
        }
    }

    /// Fills in what was not given.
    fn settle(self, scene: &mut Scene<'_, '_>, interface: &str) -> VirtualAddress {
        let Prefix { addr, len } = self.prefix;
        let v6 = addr.is_ipv6();
        if let (true, Some((_, span))) = (v6, self.scope) {
            scene.error("scope", span, format!("scope of IPv6 address '{addr}' is ignored"));
        }
        if let (true, Some(label)) = (v6, self.label) {
            scene.error("label", label.span, format!("label of IPv6 address '{addr}' is ignored"));
        }
        let broadcast = self.broadcast(scene);
        // A deprecated address is not chosen as a source: peers see the router's own one.
        let lifetime = if v6 && len == 128 { Some(0) } else { None };
        VirtualAddress {
            prefix: self.prefix,
            peer: self.peer,
            interface: interface.to_owned(),
            broadcast,
            scope: self.scope.filter(|_| !v6).map_or(Scope::GLOBAL, |(scope, _)| scope),
            label: self.label.filter(|_| !v6).map(|w| w.text.to_owned()),
            nodad: v6 && !self.dad,
            home: self.home,
            mngtmpaddr: self.mngtmpaddr,
            noprefixroute: self.noprefixroute,
            autojoin: self.autojoin,
            preferred_lft: self.preferred_lft.unwrap_or(lifetime),
            no_track: self.no_track,
        }
    }

    fn broadcast(&self, scene: &mut Scene<'_, '_>) -> Broadcast {
        let (Some((broadcast, span)), IpAddr::V4(addr)) = (self.broadcast, self.prefix.addr) else {
            return Broadcast::None;
        };
        // An address that is given in full needs no network to be worked out from.
        let is_given = matches!(broadcast, RawBroadcast::Address(_));
        if (self.prefix.len > 30 && !is_given) || self.peer.is_some() {
            let text = format!("broadcast of '{}' is ignored: it has no network", self.prefix);
            scene.error("broadcast", span, text);
            return Broadcast::None;
        }
        let host_part = u32::MAX.checked_shr(u32::from(self.prefix.len)).unwrap_or(0);
        Broadcast::Address(match broadcast {
            RawBroadcast::Ones => Ipv4Addr::from_bits(addr.to_bits() | host_part),
            RawBroadcast::Zeros => Ipv4Addr::from_bits(addr.to_bits() & !host_part),
            RawBroadcast::Address(addr) => addr,
        })
    }
}

/// Both lists of an instance, without what is there already.
///
/// `interface` is the one of the instance, for entries that name none.
pub(super) fn settle_all<'d>(
    scene: &mut Scene<'_, '_>,
    interface: Option<&'d str>,
    raw: Vec<RawAddress<'d>>,
    seen: &mut HashSet<(IpAddr, &'d str)>,
    places: &mut Vec<(IpAddr, Span)>,
) -> Vec<VirtualAddress> {
    let mut addresses = Vec::with_capacity(raw.len());
    for raw in raw {
        let word = raw.word;
        let Some(interface) = raw.dev.map_or(interface, |w| Some(w.text)) else {
            let text = format!("address '{}' names no interface: it is ignored", word.text);
            scene.error("virtual_ipaddress", word.span, text);
            continue;
        };
        if let Some(dev) = raw.dev {
            scene.check_link(dev.text, dev.span);
        }
        if !seen.insert((raw.prefix.addr, interface)) {
            let text = format!("address '{}' again is ignored", raw.prefix.addr);
            scene.error("virtual_ipaddress", word.span, text);
            continue;
        }
        places.push((raw.prefix.addr, word.span));
        addresses.push(raw.settle(scene, interface));
    }
    addresses
}
