//! Blocks in a `vrrp_instance`, and small blocks next to it.

use std::net::IpAddr;

use super::instance::RawAuth;
use crate::config::document::{Node, Word};
use crate::config::keyword::{opt, strict, Entry, Repeat, Unknown, ValueKind};
use crate::config::table::{
    borrowed, line_table, names, number, owned, row, table, word, Given, LineTable, Table,
};
use crate::model::signing::SigningMode;
use crate::model::vrrp::Version;

/// 2 or 3: the tables allow nothing else.
pub(super) const fn version(n: i64) -> Version {
    if n == 3 {
        Version::V3
    } else {
        Version::V2
    }
}

/// The version as it is written.
pub(in crate::config) const fn version_number(version: Version) -> u8 {
    match version {
        Version::V2 => 2,
        Version::V3 => 3,
    }
}

borrowed!(RawAuth, RawSigning, RawTrackGroup);

pub(in crate::config) static AUTHENTICATION: Table<RawAuth<'static>> = table!(RawAuth<'static>, "authentication", [
    word("auth_type", &[ValueKind::OneOf(&["PASS", "AH"])]).default("none, required")
        => |raw, s| raw.kind = Some(Given { value: s.value, span: s.word().span }),
    word("auth_pass", &[ValueKind::Secret(8)]).default("none, required") => |raw, s| raw.password = Some(s.word()),
]);

/// `auth_hmac`.
#[derive(Default)]
pub(in crate::config) struct RawSigning<'d> {
    /// The lines of `key`: a number and a key.
    pub keys: Vec<Node<'d>>,
    pub active: Option<Given<u8>>,
    /// In seconds.
    pub window: Option<u64>,
    pub monotonic: bool,
    pub mode: Option<Given<SigningMode>>,
}

pub(in crate::config) static AUTH_HMAC: Table<RawSigning<'static>> = table!(RawSigning<'static>, "auth_hmac", [
    row("key", 2, &[strict(1, 255), ValueKind::Hidden]).default("none, required") => |raw, s| raw.keys.push(s.node()),
    number("active_key", &[strict(1, 255)]).default("none, required")
        => |raw, s| raw.active = Some(s.here(s.number())),
    number("time_window", &[strict(1, 300)]).default("three times advert_int, within 5 to 300")
        => |raw, s| raw.window = Some(s.number()),
    word("anti_replay", &[ValueKind::OneOf(&["time", "monotonic"])]).default("time")
        => |raw, s| raw.monotonic = s.value == "monotonic",
    word("mode", &[ValueKind::OneOf(&["enforce", "permissive", "receive-only"])]).default("enforce")
        => |raw, s| {
            raw.mode = Some(s.here(match s.value {
                "permissive" => SigningMode::Permissive,
                "receive-only" => SigningMode::ReceiveOnly,
                _ => SigningMode::Enforce,
            }));
        },
]);

#[derive(Default)]
pub(in crate::config) struct RawTrackGroup<'d> {
    pub members: Vec<Word<'d>>,
}

pub(in crate::config) static TRACK_GROUP: Table<RawTrackGroup<'static>> = table!(RawTrackGroup<'static>, "track_group", [
    names("group", ValueKind::Text).repeat(Repeat::FirstCounts)
        => |raw, mut s| s.names(&mut raw.members),
]);

/// A line of `unicast_peer`.
#[derive(Default)]
pub(in crate::config) struct RawPeer {
    pub addr: Option<IpAddr>,
    pub min_ttl: Option<u8>,
    pub max_ttl: Option<u8>,
}

owned!(RawPeer);

pub(in crate::config) static UNICAST_PEER: LineTable<RawPeer> = line_table!(
    RawPeer,
    Entry {
        name: "peer",
        head: &[ValueKind::Address],
        required: 1,
        options: &[],
        free: None,
        unknown: Unknown::IgnoreRest,
    },
    |raw, item, _| raw.addr = item.value.addr(),
    [
        opt("min_ttl").value(strict(0, 255)).minor()
            => |raw, item, _| raw.min_ttl = Some(item.number()),
        opt("max_ttl").value(strict(0, 255)).minor()
            => |raw, item, _| raw.max_ttl = Some(item.number()),
    ]
);
