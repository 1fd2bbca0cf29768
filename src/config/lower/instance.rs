//! One `vrrp_instance`: what is written in it, before its rules are applied
//! ([`settle`](super::settle)).

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use super::address::{self, RawAddress};
use super::global;
use super::notify::RawNotify;
use super::track::{Objects, RawTracked};
use crate::base::addr::Family;
use crate::base::diag::Span;
use crate::config::document::{Node, Word};
use crate::config::entry::Item;
use crate::config::keyword::Body;
use crate::config::keywords;
use crate::config::statement::{Checker, Statement};
use crate::config::value::Value;
use crate::model::vrrp::{InitialState, Peer, TrackedLink, Version};

/// A setting and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Given<T> {
    pub value: T,
    pub span: Span,
}

/// `gratuitous ARP` settings that were given.
#[derive(Default)]
pub(super) struct RawGarp {
    pub delay: Option<u32>,
    pub repeat: Option<u32>,
    pub refresh: Option<u32>,
    pub refresh_repeat: Option<u32>,
    pub lower_prio_delay: Option<Given<u32>>,
    pub lower_prio_repeat: Option<Given<u32>>,
}

/// `authentication` and `auth_hmac`.
#[derive(Default)]
pub(super) struct RawAuth<'d> {
    /// Where `authentication` stands.
    pub block: Option<Span>,
    pub kind: Option<Given<&'d str>>,
    pub password: Option<Word<'d>>,
    /// Where `auth_hmac` stands.
    pub hmac: Option<Span>,
}

pub(super) struct RawLink<'d> {
    pub name: Word<'d>,
    pub link: TrackedLink,
}

/// An instance as it is written.
pub(super) struct RawInstance<'d> {
    pub name: &'d str,
    pub span: Span,
    pub state: Option<Given<InitialState>>,
    pub interface: Option<Word<'d>>,
    pub vrid: Option<Given<u8>>,
    pub family: Option<Family>,
    pub version: Option<Version>,
    pub priority: Option<u8>,
    pub advert: Option<Given<Duration>>,
    pub down_timer_adverts: Option<Given<u32>>,
    pub auth: RawAuth<'d>,
    pub source: Option<IpAddr>,
    /// Where it stands.
    pub source_place: Option<Span>,
    pub track_source: bool,
    pub group: Option<Given<IpAddr>>,
    pub peers: Vec<Peer>,
    /// Where each of them stands.
    pub peer_places: Vec<Span>,
    peer_set: HashSet<IpAddr>,
    /// Where the first keyword stands that only makes sense with peers.
    pub unicast: Option<Span>,
    pub ttl: Option<Given<u8>>,
    pub check_source: bool,
    pub fault_without_peer: bool,
    pub v3_checksum_as_v2: Option<bool>,
    /// `old_unicast_checksum`; false: `never`.
    pub old_checksum: Option<bool>,
    pub nopreempt: Option<Span>,
    pub preempt_delay: Option<Given<Duration>>,
    pub strict: Option<bool>,
    pub accept: Option<Given<bool>>,
    pub lower_prio_no_advert: Option<Given<bool>>,
    pub higher_prio_send_advert: Option<Given<bool>>,
    pub skip_check_adv_addr: Option<bool>,
    pub owner_ignore_adverts: Option<Given<bool>>,
    pub dont_track_primary: bool,
    pub promote_secondaries: bool,
    pub timer_expired_backup: Option<Given<u8>>,
    pub debug: u8,
    pub garp: RawGarp,
    pub links: Vec<RawLink<'d>>,
    pub tracked: Vec<RawTracked<'d>>,
    pub notify: RawNotify<'d>,
    pub addresses: Vec<RawAddress<'d>>,
    pub excluded: Vec<RawAddress<'d>>,
    pub no_address: Option<Span>,
    /// `lvs_sync_daemon_interface`.
    pub sync_interface: Option<Word<'d>>,
}

/// Reads the block of an instance.
pub(super) fn read<'d>(
    checker: &mut Checker<'_>,
    objects: &Objects<'d>,
    node: Node<'d>,
) -> RawInstance<'d> {
    let name = node.arg(0).unwrap_or_else(|| node.keyword());
    let mut raw = RawInstance::new(name);
    checker.out.set_scope(Some(name.text));
    checker.block(node.children(), &keywords::VRRP_INSTANCE, &mut |checker, s| {
        if !objects.read_list(checker, &s, &mut raw.tracked) && !raw.notify.take(&s) {
            raw.take(checker, s);
        }
    });
    checker.out.set_scope(None);
    raw
}

impl<'d> RawInstance<'d> {
    fn new(name: Word<'d>) -> Self {
        Self {
            name: name.text,
            span: name.span,
            state: None,
            interface: None,
            vrid: None,
            family: None,
            version: None,
            priority: None,
            advert: None,
            down_timer_adverts: None,
            auth: RawAuth::default(),
            source: None,
            source_place: None,
            track_source: false,
            group: None,
            peers: Vec::new(),
            peer_places: Vec::new(),
            peer_set: HashSet::new(),
            unicast: None,
            ttl: None,
            check_source: false,
            fault_without_peer: false,
            v3_checksum_as_v2: None,
            old_checksum: None,
            nopreempt: None,
            preempt_delay: None,
            strict: None,
            accept: None,
            lower_prio_no_advert: None,
            higher_prio_send_advert: None,
            skip_check_adv_addr: None,
            owner_ignore_adverts: None,
            dont_track_primary: false,
            promote_secondaries: false,
            timer_expired_backup: None,
            debug: 0,
            garp: RawGarp::default(),
            links: Vec::new(),
            tracked: Vec::new(),
            notify: RawNotify::default(),
            addresses: Vec::new(),
            excluded: Vec::new(),
            no_address: None,
            sync_interface: None,
        }
    }

    fn take(&mut self, checker: &mut Checker<'_>, s: Statement<'d>) {
        match s.value {
            Value::Int(n) => self.number(checker, s, n),
            Value::Micros(n) => self.time(s, Duration::from_micros(n)),
            Value::Addr(addr) => self.address(checker, s, addr),
            Value::Text(text) => self.text(checker, s, text),
            Value::Bool(on) => self.switch(checker, s, on),
            Value::Nothing if !matches!(s.keyword.body, Body::None) => self.block(checker, s),
            // Bare is on.
            Value::Nothing => self.switch(checker, s, true),
            Value::Prefix(..) => {}
        }
    }

    fn block(&mut self, checker: &mut Checker<'_>, s: Statement<'d>) {
        let node = s.node;
        match s.keyword.name {
            "virtual_ipaddress" => {
                for line in node.children() {
                    if let Some(raw) = address::read(checker, line) {
                        let addr = raw.prefix.addr;
                        if self.fix_family(checker, "virtual_ipaddress", line.keyword(), addr) {
                            self.addresses.push(raw);
                        }
                    }
                }
            }
            "virtual_ipaddress_excluded" => {
                self.excluded.extend(node.children().filter_map(|l| address::read(checker, l)));
            }
            "unicast_peer" => {
                self.means_unicast(node.keyword().span);
                node.children().for_each(|line| self.peer(checker, line));
            }
            "track_interface" => {
                self.links.extend(node.children().filter_map(|l| read_link(checker, l)));
            }
            "authentication" => self.authentication(checker, node),
            "auth_hmac" => {
                self.auth.hmac = Some(node.keyword().span);
                checker.block(node.children(), &keywords::AUTH_HMAC, &mut |_, _| {});
            }
            name => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
        }
    }

    fn switch(&mut self, checker: &mut Checker<'_>, s: Statement<'d>, on: bool) {
        let span = s.node.keyword().span;
        let given = Some(Given { value: on, span });
        match s.keyword.name {
            "accept" => self.accept = given,
            "no_accept" => self.accept = Some(Given { value: false, span }),
            "check_unicast_src" => {
                self.check_source = true;
                self.means_unicast(span);
            }
            "dont_track_primary" => self.dont_track_primary = true,
            "higher_prio_send_advert" => self.higher_prio_send_advert = given,
            "lower_prio_no_advert" => self.lower_prio_no_advert = given,
            "native_ipv6" => self.native_ipv6(checker, span),
            "no_virtual_ipaddress" => self.no_address = Some(span),
            "nopreempt" => self.nopreempt = Some(span),
            "old_unicast_checksum" => self.old_checksum = Some(true),
            "owner_ignore_adverts" => self.owner_ignore_adverts = given,
            "preempt" => self.nopreempt = None,
            "promote_secondaries" => self.promote_secondaries = true,
            "skip_check_adv_addr" => self.skip_check_adv_addr = Some(on),
            "strict_mode" => self.strict = Some(on),
            "timer_expired_backup" => {
                self.timer_expired_backup = Some(Given { value: 254, span });
            }
            "track_src_ip" => self.track_source = true,
            "unicast_fault_no_peer" => {
                self.fault_without_peer = true;
                self.means_unicast(span);
            }
            "v3_checksum_as_v2" => self.v3_checksum_as_v2 = Some(on),
            name => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
        }
    }

    /// Limits were checked by the table.
    fn number(&mut self, checker: &mut Checker<'_>, s: Statement<'d>, n: i64) {
        let span = s.node.keyword().span;
        let count = u32::try_from(n).unwrap_or(0);
        let octet = u8::try_from(n).unwrap_or(0);
        match s.keyword.name {
            "debug" => self.debug = octet,
            "down_timer_adverts" => self.down_timer_adverts = Some(Given { value: count, span }),
            "garp_lower_prio_delay" => {
                self.garp.lower_prio_delay = Some(Given { value: count, span });
            }
            "garp_lower_prio_repeat" => {
                self.garp.lower_prio_repeat = Some(Given { value: count, span });
            }
            "garp_master_delay" => self.garp.delay = Some(count),
            "garp_master_refresh" => self.garp.refresh = Some(count),
            "garp_master_refresh_repeat" => self.garp.refresh_repeat = Some(count),
            "garp_master_repeat" => self.garp.repeat = Some(count),
            "priority" => self.priority = Some(octet),
            "timer_expired_backup" => {
                self.timer_expired_backup = Some(Given { value: octet, span });
            }
            "unicast_ttl" => self.ttl = Some(Given { value: octet, span }),
            "version" => self.version(checker, s, global::version(n)),
            "virtual_router_id" => self.vrid = Some(Given { value: octet, span }),
            name => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
        }
    }

    fn time(&mut self, s: Statement<'d>, value: Duration) {
        let given = Some(Given { value, span: s.node.keyword().span });
        match s.keyword.name {
            "advert_int" => self.advert = given,
            "preempt_delay" => self.preempt_delay = given,
            name => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
        }
    }

    fn text(&mut self, checker: &mut Checker<'_>, s: Statement<'d>, text: &'d str) {
        let word = s.node.arg(0).unwrap_or_else(|| s.node.keyword());
        match s.keyword.name {
            "interface" => self.interface = Some(word),
            "lvs_sync_daemon_interface" => self.sync_interface = Some(word),
            "old_unicast_checksum" => self.old_checksum = Some(false),
            "state" => self.state(checker, word, text == "MASTER"),
            name => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
        }
    }

    fn state(&mut self, checker: &mut Checker<'_>, word: Word<'_>, master: bool) {
        let value = if master { InitialState::Master } else { InitialState::Backup };
        let before = self.state.map(|s| s.value);
        if before == Some(InitialState::Master) && value == InitialState::Backup {
            checker.out.error("state", word.span, "state BACKUP after state MASTER is ignored");
            return;
        }
        self.state = Some(Given { value, span: word.span });
    }

    fn address(&mut self, checker: &mut Checker<'_>, s: Statement<'d>, addr: IpAddr) {
        let word = s.node.arg(0).unwrap_or_else(|| s.node.keyword());
        match s.keyword.name {
            name @ ("mcast_src_ip" | "unicast_src_ip") => {
                if name == "unicast_src_ip" {
                    self.means_unicast(s.node.keyword().span);
                }
                if self.fix_family(checker, name, word, addr) {
                    self.source = Some(addr);
                    self.source_place = Some(word.span);
                }
            }
            "mcast_dst_ip" => {
                let far = matches!(addr, IpAddr::V6(a) if a.segments()[0] & 0xf != 2);
                if far {
                    let text = format!("mcast_dst_ip '{addr}' is not link-local: it is ignored");
                    checker.out.error("mcast_dst_ip", word.span, text);
                } else {
                    self.group = Some(Given { value: addr, span: word.span });
                }
            }
            name => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
        }
    }

    /// The first address of an instance fixes its family; IPv6 also fixes the version, unless
    /// that was given before.
    fn fix_family(
        &mut self,
        checker: &mut Checker<'_>,
        name: &str,
        word: Word<'_>,
        addr: IpAddr,
    ) -> bool {
        let family = Family::of(&addr);
        let fixed = *self.family.get_or_insert(family);
        if fixed != family {
            let text = format!(
                "{name} '{}' is an {family} address in an {fixed} instance: it is ignored",
                word.text
            );
            checker.out.error(name, word.span, text);
            return false;
        }
        if family == Family::V6 {
            self.version.get_or_insert(Version::V3);
        }
        true
    }

    fn native_ipv6(&mut self, checker: &mut Checker<'_>, span: Span) {
        if self.family == Some(Family::V4) {
            let text = "native_ipv6 after an IPv4 address is ignored";
            checker.out.error("native_ipv6", span, text);
            return;
        }
        self.family = Some(Family::V6);
        self.version.get_or_insert(Version::V3);
    }

    fn version(&mut self, checker: &mut Checker<'_>, s: Statement<'d>, version: Version) {
        match self.version {
            Some(before) if before != version => {
                let why = if self.family == Some(Family::V6) && version == Version::V2 {
                    "after an IPv6 address"
                } else {
                    "after another version"
                };
                let text = format!("version {} {why} is ignored", number(version));
                checker.out.error("version", s.node.keyword().span, text);
            }
            _ => self.version = Some(version),
        }
    }

    fn means_unicast(&mut self, span: Span) {
        self.unicast.get_or_insert(span);
    }

    fn peer(&mut self, checker: &mut Checker<'_>, line: Node<'d>) {
        let mut addr = None;
        let (mut min_ttl, mut max_ttl) = (None, None);
        let used = checker.entry(line, &keywords::UNICAST_PEER, &mut |_, item| match (
            item.option,
            item.value,
        ) {
            ("", Value::Addr(a)) => addr = Some(a),
            ("min_ttl", Value::Int(n)) => min_ttl = u8::try_from(n).ok(),
            ("max_ttl", Value::Int(n)) => max_ttl = u8::try_from(n).ok(),
            _ => {}
        });
        let (true, Some(addr)) = (used, addr) else { return };
        let word = line.keyword();
        if !self.fix_family(checker, "unicast_peer", word, addr) {
            return;
        }
        if !self.peer_set.insert(addr) {
            let text = format!("unicast_peer '{addr}' again is ignored");
            checker.out.error("unicast_peer", word.span, text);
            return;
        }
        // A limit is only of use if the sender is looked at.
        self.check_source |= min_ttl.is_some() || max_ttl.is_some();
        let peer = Peer { addr, min_ttl: min_ttl.unwrap_or(0), max_ttl: max_ttl.unwrap_or(255) };
        if peer.min_ttl > peer.max_ttl {
            let text = format!("min_ttl of '{addr}' is above its max_ttl: nothing is accepted");
            checker.out.error("unicast_peer", word.span, text);
        }
        self.peers.push(peer);
        self.peer_places.push(word.span);
    }

    fn authentication(&mut self, checker: &mut Checker<'_>, node: Node<'d>) {
        self.auth.block = Some(node.keyword().span);
        checker.block(node.children(), &keywords::AUTHENTICATION, &mut |_, s| {
            let Some(word) = s.node.arg(0) else { return };
            match s.keyword.name {
                "auth_type" => {
                    self.auth.kind = Some(Given { value: word.text, span: word.span });
                }
                _ => self.auth.password = Some(word),
            }
        });
    }
}

/// Reads one line of `track_interface`, of an instance or a group.
pub(super) fn read_link<'d>(checker: &mut Checker<'_>, line: Node<'d>) -> Option<RawLink<'d>> {
    let mut link = TrackedLink { interface: String::new(), weight: 0, reverse: false };
    let used = checker.entry(line, &keywords::TRACK_INTERFACE, &mut |checker, item| match (
        item.option,
        item.value,
    ) {
        ("", Value::Text(name)) => name.clone_into(&mut link.interface),
        ("weight", Value::Int(n)) => link.weight = weight(checker, item, n),
        ("reverse", _) => link.reverse = true,
        _ => {}
    });
    used.then(|| RawLink { name: line.keyword(), link })
}

/// 254 was allowed once, and is what means FAULT inside.
fn weight(checker: &mut Checker<'_>, item: Item<'_>, n: i64) -> i16 {
    let used = n.clamp(-253, 253);
    if used != n {
        let text = format!("weight '{n}' is not within -253 to 253: {used} is used");
        checker.out.error("weight", item.word.span, text);
    }
    i16::try_from(used).unwrap_or(0)
}

/// The version as it is written.
pub(in crate::config) const fn number(version: Version) -> u8 {
    match version {
        Version::V2 => 2,
        Version::V3 => 3,
    }
}
