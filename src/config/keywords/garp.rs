//! Gratuitous ARP as it is written: `garp_group`, `garp_extra_if`.

use std::time::Duration;

use crate::config::document::Word;
use crate::config::entry::LineUse;
use crate::config::keyword::{opt, seconds, strict, Entry, Unknown, ValueKind};
use crate::config::table::{
    borrowed, line_table, link, names, owned, table, time, LineTable, Setting, Table,
};

/// `garp_group`
#[derive(Default)]
pub(in crate::config) struct RawGarpGroup<'d> {
    /// Where it stands.
    pub keyword: Word<'d>,
    pub garp: Option<Duration>,
    pub gna: Option<Duration>,
    pub interfaces: Vec<Word<'d>>,
}

/// `garp_extra_if [all] SECONDS`
#[derive(Clone, Copy, Default)]
pub(in crate::config) struct RawExtra {
    pub every: Option<u32>,
    pub all: bool,
}

borrowed!(RawGarpGroup);
owned!(RawExtra);

pub(in crate::config) static GARP_GROUP: Table<RawGarpGroup<'static>> = table!(RawGarpGroup<'static>, "garp_group", [
    time("garp_interval", &[seconds(0, 4_294_967_295)]).default("vrrp_garp_interval")
        => |raw, s| raw.garp = Some(s.value),
    time("gna_interval", &[seconds(0, 4_294_967_295)]).default("vrrp_gna_interval")
        => |raw, s| raw.gna = Some(s.value),
    link("interface") => |raw, s| raw.interfaces.push(s.word()),
    names("interfaces", ValueKind::Link) => |raw, mut s| s.names(&mut raw.interfaces),
]);

const fn seconds_of(kind: ValueKind) -> Entry {
    Entry {
        name: "option",
        head: &[],
        required: 0,
        options: &[],
        free: Some(kind),
        unknown: Unknown::SkipEntry,
    }
}

/// Of an instance, which may switch off the global one.
pub(in crate::config) static GARP_EXTRA_IF: LineTable<RawExtra> = line_table!(
    RawExtra, seconds_of(strict(0, 86_400)), |raw, item, _| raw.every = Some(item.number()),
    [opt("all") => |raw, _, _| raw.all = true]
);

pub(super) static VRRP_GARP_EXTRA_IF: LineTable<RawExtra> = line_table!(
    RawExtra, seconds_of(strict(1, 86_400)), |raw, item, _| raw.every = Some(item.number()),
    [opt("all") => |raw, _, _| raw.all = true]
);

impl RawExtra {
    /// Replaces `to`, unless the line is wrong.
    pub(super) fn read(
        to: &mut Self,
        mut s: Setting<'_, '_, '_, ()>,
        table: &'static LineTable<Self>,
    ) {
        let mut raw = Self::default();
        if s.options(table, &mut raw) == LineUse::Useless {
            return;
        }
        if raw.every.is_none() {
            let name = s.statement.keyword.name;
            return s.error(format!("{name} needs a number of seconds: it is ignored"));
        }
        *to = raw;
    }
}
