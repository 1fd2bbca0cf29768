//! `vrrp_instance` as it is written, before its rules are applied
//! ([`lower::instance`](mod@crate::config::lower)).

use std::net::IpAddr;
use std::time::Duration;

use super::address::{RawAddress, VIRTUAL_IPADDRESS};
use super::garp::{RawExtra, GARP_EXTRA_IF};
use super::notify::RawNotify;
use super::route::{RawRoute, VIRTUAL_ROUTES};
use super::rule::{RawRule, VIRTUAL_RULES};
use super::track::{
    RawLink, TrackList, TRACK_BFD, TRACK_FILES, TRACK_INTERFACE, TRACK_PROCESS, TRACK_SCRIPT,
};
use super::vlink::{RawIpvlan, RawVmac, USE_IPVLAN, USE_VMAC};
use super::vrrp::{version, RawPeer, RawSigning, AUTHENTICATION, AUTH_HMAC, UNICAST_PEER};
use crate::base::addr::Family;
use crate::base::diag::Span;
use crate::base::sorted::SortedSet;
use crate::config::document::{Node, Word};
use crate::config::entry::LineUse;
use crate::config::keyword::{int, seconds, strict, Bad, OldName, Repeat, ValueKind};
use crate::config::statement::Checker;
use crate::config::table::{
    address, block, borrowed, command, entries, flag, link, maybe_number, maybe_word, number,
    options, script, switch, table, time, word, Given, Setting, Table,
};
use crate::model::vrrp::{InitialState, Peer, Version};

/// Settings of gratuitous ARP.
#[derive(Default)]
pub(in crate::config) struct RawGarp {
    pub delay: Option<u32>,
    pub repeat: Option<u32>,
    pub refresh: Option<u32>,
    pub refresh_repeat: Option<u32>,
    pub lower_prio_delay: Option<Given<u32>>,
    pub lower_prio_repeat: Option<Given<u32>>,
    pub extra: RawExtra,
}

/// `authentication` and `auth_hmac`.
#[derive(Default)]
pub(in crate::config) struct RawAuth<'d> {
    /// Position of `authentication`.
    pub block: Option<Span>,
    pub kind: Option<Given<&'d str>>,
    pub password: Option<Word<'d>>,
    /// `auth_hmac`, with its position.
    pub signing: Option<Given<RawSigning<'d>>>,
}

#[derive(Default)]
pub(in crate::config) struct RawInstance<'d> {
    pub name: Word<'d>,
    pub state: Option<Given<InitialState>>,
    pub interface: Option<Word<'d>>,
    pub vmac: Option<Box<RawVmac<'d>>>,
    pub ipvlan: Option<Box<RawIpvlan<'d>>>,
    /// `use_vmac_addr`
    pub address_vmacs: bool,
    pub xmit_base: Option<Span>,
    pub vrf: Option<Word<'d>>,
    pub vrid: Option<Given<u8>>,
    pub family: Option<Family>,
    pub version: Option<Version>,
    pub priority: Option<u8>,
    pub advert: Option<Given<Duration>>,
    pub down_timer_adverts: Option<Given<u32>>,
    pub auth: RawAuth<'d>,
    /// With the place of the address.
    pub source: Option<Given<IpAddr>>,
    pub track_source: bool,
    pub group: Option<Given<IpAddr>>,
    pub peers: Vec<Given<Peer>>,
    pub peer_set: SortedSet<IpAddr>,
    /// Position of the first keyword that only makes sense with peers.
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
    pub promote_secondaries: Option<Span>,
    pub timer_expired_backup: Option<Given<u8>>,
    pub debug: u8,
    pub garp: RawGarp,
    pub links: Vec<RawLink<'d>>,
    pub tracked: Vec<TrackList<'d>>,
    pub notify: Option<Box<RawNotify<'d>>>,
    pub addresses: Vec<RawAddress<'d>>,
    pub excluded: Vec<RawAddress<'d>>,
    pub no_address: Option<Span>,
    pub routes: Vec<RawRoute<'d>>,
    pub rules: Vec<RawRule<'d>>,
    /// `kernel_rx_buf_size`
    pub rx_buffer: Option<usize>,
    /// `linkbeat_use_polling`.
    pub poll_link: bool,
    /// `lvs_sync_daemon_interface`.
    pub sync_interface: Option<Word<'d>>,
}

borrowed!(RawInstance);

pub(in crate::config) static VRRP_INSTANCE: Table<RawInstance<'static>> = table!(RawInstance<'static>, "vrrp_instance", [
    options("use_vmac", &USE_VMAC.entry).default("off") => |raw, s| raw.vmac(s),
    flag("use_vmac_addr") => |raw, _| raw.address_vmacs = true,
    flag("vmac_xmit_base") => |raw, s| raw.xmit_base = Some(s.span()),
    options("use_ipvlan", &USE_IPVLAN.entry)
        .default("off; mode bridge")
        .repeat(Repeat::FirstCounts)

        => |raw, s| raw.ipvlan(s),
    entries("unicast_peer", &UNICAST_PEER.entry) => |raw, s| raw.peers(s),
    flag("unicast_fault_no_peer") => |raw, s| {
        raw.fault_without_peer = true;
        raw.means_unicast(s.span());
    },
    flag("check_unicast_src").default("vrrp_check_unicast_src") => |raw, s| {
        raw.check_source = true;
        raw.means_unicast(s.span());
    },
    maybe_word("old_unicast_checksum", &[ValueKind::OneOf(&["never"])])
        .default("off until a peer uses it")
        => |raw, s| raw.old_checksum = Some(s.value.is_none()),
    flag("native_ipv6").default("the family of the first address") => |raw, s| raw.native_ipv6(s),
    word("state", &[ValueKind::OneOf(&["MASTER", "BACKUP"])])
        .bad(Bad::UseWord("BACKUP"))
        .default("BACKUP; MASTER with priority 255")
        => |raw, s| raw.state(s),
    link("interface").default("none, required except with unicast and unicast_src_ip")
        => |raw, s| raw.interface = Some(s.word()),
    link("vrf").default("none").repeat(Repeat::FirstCounts) => |raw, s| raw.vrf = Some(s.word()),
    flag("dont_track_primary") => |raw, _| raw.dont_track_primary = true,
    entries("track_interface", &TRACK_INTERFACE.entry)
        => |raw, mut s| s.lines(&mut raw.links, RawLink::read),
    entries("track_script", &TRACK_SCRIPT.entry)
        => |raw, s| raw.tracked.push(TrackList::scripts(s.node())),
    entries("track_file", &TRACK_FILES.entry)
        => |raw, s| raw.tracked.push(TrackList::files(s.node())),
    entries("track_process", &TRACK_PROCESS.entry)
        => |raw, s| raw.tracked.push(TrackList::processes(s.node())),
    entries("track_bfd", &TRACK_BFD.entry)
        => |raw, s| raw.tracked.push(TrackList::sessions(s.node())),
    address("mcast_src_ip", &[ValueKind::Address]).default("the primary address of the interface")
        => |raw, s| raw.source(s),
    address("unicast_src_ip", &[ValueKind::Address]).default("the primary address of the interface")
        => |raw, s| {
            raw.means_unicast(s.span());
            raw.source(s);
        },
    address("mcast_dst_ip", &[ValueKind::Group]).default("vrrp_mcast_group4 or vrrp_mcast_group6")
        => |raw, s| raw.group(s),
    flag("track_src_ip") => |raw, _| raw.track_source = true,
    number("virtual_router_id", &[strict(1, 255)]).default("none, required")
        => |raw, s| raw.vrid = Some(s.here(s.number())),
    number("unicast_ttl", &[strict(0, 255)]).default("255 for IPv4, that of the kernel for IPv6")
        => |raw, s| raw.ttl = Some(s.here(s.number())),
    number("version", &[int(2, 3)]).default("vrrp_version; 3 for IPv6")
        => |raw, s| raw.version(s),
    number("priority", &[strict(1, 255)])
        .default("100; 255 with state MASTER")
        .bad(Bad::Use(100))
        => |raw, s| raw.priority = Some(s.number()),
    time("advert_int", &[seconds(10_000, 255_000_000)]).default("1")
        => |raw, s| raw.advert = Some(s.here(s.value)),
    entries("virtual_ipaddress", &VIRTUAL_IPADDRESS.entry)
        .default("none, required with version 3 and in strict mode")
        => |raw, s| raw.addresses(s),
    entries("virtual_ipaddress_excluded", &VIRTUAL_IPADDRESS.entry)
        => |raw, mut s| s.lines(&mut raw.excluded, RawAddress::of_instance),
    flag("no_virtual_ipaddress") => |raw, s| raw.no_address = Some(s.span()),
    flag("promote_secondaries") => |raw, s| raw.promote_secondaries = Some(s.span()),
    flag("linkbeat_use_polling").replaced("linkbeat_interfaces", OldName::Wrong)
        => |raw, _| raw.poll_link = true,
    switch("v3_checksum_as_v2").default("v3_checksum_as_v2 in global_defs")
        => |raw, s| raw.v3_checksum_as_v2 = Some(s.value),
    entries("virtual_routes", &VIRTUAL_ROUTES.entry)
        => |raw, mut s| s.lines(&mut raw.routes, RawRoute::of_instance),
    entries("virtual_rules", &VIRTUAL_RULES.entry)
        => |raw, mut s| s.lines(&mut raw.rules, RawRule::of_instance),
    flag("accept").default("on; in strict mode off unless the router is the owner")
        => |raw, s| raw.accept = Some(s.here(true)),
    flag("no_accept") => |raw, s| raw.accept = Some(s.here(false)),
    switch("skip_check_adv_addr").default("vrrp_skip_check_adv_addr")
        => |raw, s| raw.skip_check_adv_addr = Some(s.value),
    switch("strict_mode").default("vrrp_strict") => |raw, s| raw.strict = Some(s.value),
    flag("preempt").default("on") => |raw, _| raw.nopreempt = None,
    flag("nopreempt") => |raw, s| raw.nopreempt = Some(s.span()),
    time("preempt_delay", &[seconds(0, 1_000_000_000)]).default("0").bad(Bad::Use(0))
        => |raw, s| raw.preempt_delay = Some(s.here(s.value)),
    number("debug", &[int(0, 4)]).default("0") => |raw, s| raw.debug = s.number(),
    script("notify_backup") => |raw, s| raw.notify().backup = Some(s.node()),
    script("notify_master") => |raw, s| raw.notify().master = Some(s.node()),
    script("notify_fault") => |raw, s| raw.notify().fault = Some(s.node()),
    script("notify_stop") => |raw, s| raw.notify().stop = Some(s.node()),
    command("notify_deleted", false, true)
        .default("none; FAULT is notified")
        .repeat(Repeat::FirstCounts)
        => |raw, s| raw.notify().deleted = Some(s.node()),
    script("notify") => |raw, s| raw.notify().any = Some(s.node()),
    script("notify_master_rx_lower_pri")
        => |raw, s| raw.notify().master_rx_lower_pri = Some(s.node()),
    switch("smtp_alert").default("smtp_alert_vrrp, else smtp_alert in global_defs, else off")
        => |raw, s| raw.notify().smtp_alert = Some(s.value),
    switch("notify_priority_changes").default("that of the group, else vrrp_notify_priority_changes")
        => |raw, s| raw.notify().priority_changes = Some(s.value),
    link("lvs_sync_daemon_interface").replaced("lvs_sync_daemon in global_defs", OldName::Wrong)
        => |raw, s| raw.sync_interface = Some(s.word()),
    number("garp_master_delay", &[int(0, 4294)]).default("vrrp_garp_master_delay (5)")
        => |raw, s| raw.garp.delay = Some(s.number()),
    number("garp_master_refresh", &[int(0, 4_294_967_295)])
        .default("vrrp_garp_master_refresh (0)")
        .bad(Bad::Use(0))
        => |raw, s| raw.garp.refresh = Some(s.number()),
    number("garp_master_repeat", &[int(1, 4_294_967_295)])
        .default("vrrp_garp_master_repeat (5)")
        .bad(Bad::Raise)
        => |raw, s| raw.garp.repeat = Some(s.number()),
    number("garp_master_refresh_repeat", &[int(1, 4_294_967_295)])
        .default("vrrp_garp_master_refresh_repeat (1)")
        .bad(Bad::Raise)
        => |raw, s| raw.garp.refresh_repeat = Some(s.number()),
    number("garp_lower_prio_delay", &[int(0, 4294)])
        .default("vrrp_garp_lower_prio_delay; 0 in strict mode")
        => |raw, s| raw.garp.lower_prio_delay = Some(s.here(s.number())),
    number("garp_lower_prio_repeat", &[int(0, 2_147_483_647)])
        .default("vrrp_garp_lower_prio_repeat; 0 in strict mode")
        => |raw, s| raw.garp.lower_prio_repeat = Some(s.here(s.number())),
    number("down_timer_adverts", &[int(1, 100)]).default("vrrp_down_timer_adverts (3)")
        => |raw, s| raw.down_timer_adverts = Some(s.here(s.number())),
    maybe_number("timer_expired_backup", &[strict(1, 254)]).default("off; without a number 254")
        => |raw, s| raw.timer_expired_backup = Some(s.here(s.number_or(254))),
    maybe_number("thread_timer_expired", &[strict(1, 254)]).outdated("timer_expired_backup"),
    options("garp_extra_if", &GARP_EXTRA_IF.entry).default("vrrp_garp_extra_if (0)")
        => |raw, s| RawExtra::read(&mut raw.garp.extra, s, &GARP_EXTRA_IF),
    options("vmac_garp_intvl", &GARP_EXTRA_IF.entry).outdated("garp_extra_if"),
    switch("lower_prio_no_advert").default("vrrp_lower_prio_no_advert; on in strict mode")
        => |raw, s| raw.lower_prio_no_advert = Some(s.here(s.value)),
    switch("higher_prio_send_advert").default("vrrp_higher_prio_send_advert; off in strict mode")
        => |raw, s| raw.higher_prio_send_advert = Some(s.here(s.value)),
    switch("owner_ignore_adverts")
        .default("vrrp_owner_ignore_adverts, in strict mode on; off unless the priority is 255")
        => |raw, s| raw.owner_ignore_adverts = Some(s.here(s.value)),
    number("kernel_rx_buf_size", &[strict(0, 4_294_967_295)]).default("0 (vrrp_rx_bufs_policy)")
        => |raw, s| raw.rx_buffer = Some(s.number()).filter(|&bytes| bytes > 0),
    block("authentication", &AUTHENTICATION.block) => |raw, s| {
        raw.auth.block = Some(s.span());
        s.checker.fill(s.node().children(), &AUTHENTICATION, &mut raw.auth);
    },
    block("auth_hmac", &AUTH_HMAC.block) => |raw, s| {
        let span = s.span();
        let value = RawSigning::default();
        let signing = raw.auth.signing.get_or_insert(Given { value, span });
        s.checker.fill(s.node().children(), &AUTH_HMAC, &mut signing.value);
    },
]);

impl<'d> RawInstance<'d> {
    fn notify(&mut self) -> &mut RawNotify<'d> {
        self.notify.get_or_insert_default()
    }

    fn state(&mut self, s: Setting<'_, '_, 'd, &'d str>) {
        let span = s.word().span;
        let master = s.value == "MASTER";
        let before = self.state.map(|s| s.value);
        if before == Some(InitialState::Master) && !master {
            s.checker.out.error("state", span, "state BACKUP after state MASTER is ignored");
            return;
        }
        let value = if master { InitialState::Master } else { InitialState::Backup };
        self.state = Some(Given { value, span });
    }

    fn source(&mut self, s: Setting<'_, '_, 'd, IpAddr>) {
        let word = s.word();
        if self.fix_family(s.checker, s.statement.keyword.name, word, s.value) {
            self.source = Some(Given { value: s.value, span: word.span });
        }
    }

    /// A second line adds to the first.
    fn vmac(&mut self, mut s: Setting<'_, '_, 'd, ()>) {
        let keyword = s.node().keyword();
        let new = || Box::new(RawVmac { keyword, ..RawVmac::default() });
        s.options(&USE_VMAC, self.vmac.get_or_insert_with(new));
    }

    fn ipvlan(&mut self, mut s: Setting<'_, '_, 'd, ()>) {
        let keyword = s.node().keyword();
        let mut ipvlan = RawIpvlan { keyword, ..RawIpvlan::default() };
        s.options(&USE_IPVLAN, &mut ipvlan);
        if let Some(Given { value, span }) = ipvlan.address {
            let text = value.to_string();
            let word = Word { text: &text, span, ..Word::default() };
            if !self.fix_family(s.checker, "use_ipvlan", word, value.addr) {
                ipvlan.address = None;
            }
        }
        self.ipvlan = Some(Box::new(ipvlan));
    }

    fn group(&mut self, s: Setting<'_, '_, 'd, IpAddr>) {
        let (addr, span) = (s.value, s.word().span);
        let far = matches!(addr, IpAddr::V6(a) if a.segments()[0] & 0xf != 2);
        if far {
            let text = format!("mcast_dst_ip '{addr}' is not link-local: it is ignored");
            s.checker.out.error("mcast_dst_ip", span, text);
        } else {
            self.group = Some(Given { value: addr, span });
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

    fn native_ipv6(&mut self, mut s: Setting<'_, '_, 'd, ()>) {
        if self.family == Some(Family::V4) {
            s.error("native_ipv6 after an IPv4 address is ignored");
            return;
        }
        self.family = Some(Family::V6);
        self.version.get_or_insert(Version::V3);
    }

    fn version(&mut self, mut s: Setting<'_, '_, 'd, i64>) {
        let version = version(s.value);
        match self.version {
            Some(before) if before != version => {
                let why = if self.family == Some(Family::V6) && version == Version::V2 {
                    "after an IPv6 address"
                } else {
                    "after another version"
                };
                s.error(format!("version {} {why} is ignored", s.value));
            }
            _ => self.version = Some(version),
        }
    }

    fn means_unicast(&mut self, span: Span) {
        self.unicast.get_or_insert(span);
    }

    fn addresses(&mut self, s: Setting<'_, '_, 'd, ()>) {
        self.addresses.reserve_exact(s.node().children().count());
        for line in s.node().children() {
            let Some(raw) = RawAddress::of_instance(s.checker, line) else { continue };
            let addr = raw.prefix().addr;
            if self.fix_family(s.checker, "virtual_ipaddress", line.keyword(), addr) {
                self.addresses.push(raw);
            }
        }
    }

    fn peers(&mut self, s: Setting<'_, '_, 'd, ()>) {
        self.means_unicast(s.span());
        s.node().children().for_each(|line| self.peer(s.checker, line));
    }

    fn peer(&mut self, checker: &mut Checker<'_>, line: Node<'d>) {
        let mut raw = RawPeer::default();
        let read = checker.fill_line(line, &UNICAST_PEER, &mut raw);
        let RawPeer { addr: Some(addr), min_ttl, max_ttl } = raw else { return };
        if read == LineUse::Useless {
            return;
        }
        let word = line.keyword();
        if !self.fix_family(checker, "unicast_peer", word, addr) {
            return;
        }
        if !self.peer_set.insert(addr) {
            let text = format!("unicast_peer '{addr}' again is ignored");
            checker.out.error("unicast_peer", word.span, text);
            return;
        }
        // A limit is only useful if the sender is checked.
        self.check_source |= min_ttl.is_some() || max_ttl.is_some();
        let peer = Peer { addr, min_ttl: min_ttl.unwrap_or(0), max_ttl: max_ttl.unwrap_or(255) };
        if peer.min_ttl > peer.max_ttl {
            let text = format!("min_ttl of '{addr}' is above its max_ttl: nothing is accepted");
            checker.out.error("unicast_peer", word.span, text);
        }
        self.peers.push(Given { value: peer, span: word.span });
    }
}
