//! `bfd_instance` as it is written.

use std::net::IpAddr;
use std::time::Duration;

use super::track::RawWeight;
use super::REVERSE;
use crate::config::document::Word;
use crate::config::keyword::{int, strict, Unit, ValueKind};
use crate::config::table::{
    address, block, borrowed, flag, link, number, row, switch, table, time, word, Given, Setting,
    Table,
};
use crate::model::bfd::BfdAuthKind;

/// Milliseconds with up to three decimals, from `min` microseconds on.
const fn millis(min: u64) -> ValueKind {
    ValueKind::Time { unit: Unit::Millis, min, max: 4_294_967_000 }
}

#[derive(Default)]
pub(in crate::config) struct RawBfd<'d> {
    pub neighbor: Option<IpAddr>,
    pub interface: Option<Given<Word<'d>>>,
    pub source: Option<Given<IpAddr>>,
    pub min_rx: Option<Duration>,
    pub min_tx: Option<Duration>,
    pub idle_tx: Option<Duration>,
    pub multiplier: Option<u8>,
    pub passive: bool,
    pub ttl: Option<u8>,
    /// -1: not checked.
    pub max_hops: Option<i16>,
    pub multihop: bool,
    pub weight: RawWeight,
    pub vrrp: bool,
    pub checker: bool,
    pub auth: Option<Given<RawBfdAuth<'d>>>,
}

/// `auth`
#[derive(Default)]
pub(in crate::config) struct RawBfdAuth<'d> {
    pub kind: Option<BfdAuthKind>,
    pub key_id: u8,
    pub key: Option<Word<'d>>,
}

borrowed!(RawBfd, RawBfdAuth);

pub(in crate::config) static BFD_INSTANCE: Table<RawBfd<'static>> = table!(RawBfd<'static>, "bfd_instance", [
    address("source_ip", &[ValueKind::Address]).default("chosen by the kernel")
        => |raw, s| raw.source = Some(s.here(s.value)),
    address("neighbor_ip", &[ValueKind::Address]).default("none, required")
        => |raw, s| raw.neighbor = Some(s.value),
    address("neighbour_ip", &[ValueKind::Address]).alias("neighbor_ip"),
    link("interface").default("none, required for a link-local neighbor_ip")
        => |raw, s| raw.interface = Some(s.here(s.word())),
    time("min_rx", &[millis(1_000)]).default("10") => |raw, s| raw.min_rx = Some(s.value),
    time("min_tx", &[millis(1_000)]).default("10") => |raw, s| raw.min_tx = Some(s.value),
    time("idle_tx", &[millis(1_000_000)]).default("1000") => |raw, s| raw.idle_tx = Some(s.value),
    number("multiplier", &[strict(1, 255)]).default("5")
        => |raw, s| raw.multiplier = Some(s.number()),
    flag("passive") => |raw, _| raw.passive = true,
    number("ttl", &[strict(1, 255)]).default("255") => |raw, s| raw.ttl = Some(s.number()),
    number("hoplimit", &[strict(1, 255)]).default("255") => |raw, s| raw.ttl = Some(s.number()),
    number("max_hops", &[strict(-1, 255)]).default("0")
        => |raw, s| raw.max_hops = Some(s.number()),
    switch("multihop") => |raw, s| raw.multihop = s.value,
    number("weight", &[int(-253, 253), REVERSE]).default("0 (down causes FAULT)")
        => |raw, s| raw.weight = RawWeight::new(&s),
    flag("vrrp").default("on unless only the other one is given")
        => |raw, _| raw.vrrp = true,
    flag("checker").default("on unless only the other one is given")
        => |raw, _| raw.checker = true,
    block("auth", &BFD_AUTH.block) => |raw, s| raw.auth(s),
]);

pub(in crate::config) static BFD_AUTH: Table<RawBfdAuth<'static>> = table!(RawBfdAuth<'static>, "auth", [
    word("type", &[ValueKind::OneOf(&["sha1", "meticulous_sha1"])]).default("none, required")
        => |raw, s| raw.kind = Some(match s.value {
            "sha1" => BfdAuthKind::Sha1,
            _ => BfdAuthKind::MeticulousSha1,
        }),
    row("key", 2, &[strict(0, 255), ValueKind::Hidden]).default("none, required")
        => |raw, s| raw.key(&s),
]);

impl<'d> RawBfd<'d> {
    fn auth(&mut self, mut s: Setting<'_, '_, 'd, ()>) {
        let raw = s.block(&BFD_AUTH);
        self.auth = Some(s.here(raw));
    }
}

impl<'d> RawBfdAuth<'d> {
    /// `key ID KEY`; the table checked the words.
    fn key(&mut self, s: &Setting<'_, '_, 'd, ()>) {
        let id = s.node().arg(0).and_then(|word| word.text.parse().ok());
        self.key_id = id.unwrap_or_default();
        self.key = s.node().arg(1);
    }
}
