//! Lists of interfaces, as they are written: `linkbeat_interfaces`, `interface_up_down_delays`.

use std::time::Duration;

use crate::config::document::{Node, Word};
use crate::config::entry::LineUse;
use crate::config::keyword::{opt, seconds, Entry, Unknown, ValueKind};
use crate::config::statement::Checker;
use crate::config::table::{borrowed, line_table, LineTable};
use crate::config::value::Value;
use crate::model::link::LinkQuery;

const DELAY: ValueKind = seconds(0, 255_000_000);

/// A line of `linkbeat_interfaces`.
#[derive(Default)]
pub(in crate::config) struct RawPolledLink<'d> {
    pub name: Word<'d>,
    pub query: Option<LinkQuery>,
}

/// A line of `interface_up_down_delays`.
#[derive(Default)]
pub(in crate::config) struct RawDelays<'d> {
    pub name: Word<'d>,
    pub down: Option<Duration>,
    pub up: Option<Duration>,
}

borrowed!(RawPolledLink, RawDelays);

impl<'d> RawPolledLink<'d> {
    pub(in crate::config) fn read(checker: &mut Checker<'_>, line: Node<'d>) -> Option<Self> {
        let mut raw = Self::default();
        let read = checker.fill_line(line, &LINKBEAT_INTERFACES, &mut raw);
        (read != LineUse::Useless).then_some(raw)
    }
}

impl<'d> RawDelays<'d> {
    pub(in crate::config) fn read(checker: &mut Checker<'_>, line: Node<'d>) -> Option<Self> {
        let mut raw = Self::default();
        let read = checker.fill_line(line, &INTERFACE_UP_DOWN_DELAYS, &mut raw);
        (read != LineUse::Useless).then_some(raw)
    }
}

pub(in crate::config) static LINKBEAT_INTERFACES: LineTable<RawPolledLink<'static>> = line_table!(
    RawPolledLink<'static>,
    Entry {
        name: "interface",
        head: &[ValueKind::Link],
        required: 1,
        options: &[],
        free: None,
        unknown: Unknown::IgnoreRest,
    },
    |raw, item, _| raw.name = item.word,
    [
        opt("MII") => |raw, _, _| raw.query = Some(LinkQuery::Mii),
        opt("ETHTOOL") => |raw, _, _| raw.query = Some(LinkQuery::Ethtool),
        opt("IOCTL") => |raw, _, _| raw.query = Some(LinkQuery::Flags),
    ]
);

pub(in crate::config) static INTERFACE_UP_DOWN_DELAYS: LineTable<RawDelays<'static>> = LineTable {
    entry: Entry {
        name: "interface",
        head: &[ValueKind::Link, DELAY, DELAY],
        required: 2,
        options: &[],
        free: None,
        unknown: Unknown::IgnoreRest,
    },
    plain: |raw, item, _| match item.value {
        Value::Micros(n) if raw.down.is_none() => raw.down = Some(Duration::from_micros(n)),
        Value::Micros(n) => raw.up = Some(Duration::from_micros(n)),
        _ => raw.name = item.word,
    },
    setters: &[],
};
