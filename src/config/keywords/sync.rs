//! `lvs_sync_daemon` and `lvs_timeouts`: the lines of options in `global_defs`.

use std::net::IpAddr;

use crate::config::document::Word;
use crate::config::entry::{Item, LineUse};
use crate::config::keyword::{opt, strict, Entry, Unknown, ValueKind};
use crate::config::statement::Checker;
use crate::config::table::{borrowed, line_table, owned, LineTable, Setting};
use crate::config::value::{parse, Value};
use crate::model::lvs::Timeouts;

owned!(Timeouts);

pub(in crate::config) static LVS_TIMEOUTS: LineTable<Timeouts> = line_table!(
    Timeouts,
    Entry {
        name: "timeout",
        head: &[],
        required: 0,
        options: &[],
        free: None,
        unknown: Unknown::IgnoreRest,
    },
    |_, _, _| {},
    [
        opt("tcp").value(strict(0, 2_678_400)).minor()
            => |raw, item, _| raw.tcp = Some(item.number()),
        opt("tcpfin").value(strict(0, 2_678_400)).minor()
            => |raw, item, _| raw.tcp_fin = Some(item.number()),
        opt("udp").value(strict(0, 2_678_400)).minor()
            => |raw, item, _| raw.udp = Some(item.number()),
    ]
);

/// Reads `lvs_timeouts`.
pub(super) fn timeouts(timeouts: &mut Timeouts, mut s: Setting<'_, '_, '_, ()>) {
    let mut given = Timeouts::default();
    let line = s.options(&LVS_TIMEOUTS, &mut given);
    if line == LineUse::Whole && given == Timeouts::default() {
        s.error("lvs_timeouts needs one of 'tcp N', 'tcpfin N' and 'udp N'");
    } else {
        *timeouts = given;
    }
}

/// `lvs_sync_daemon`, before its instance is looked up.
#[derive(Default)]
pub(in crate::config) struct RawSync<'d> {
    pub interface: Option<&'d str>,
    pub instance: Option<Word<'d>>,
    pub id: Option<u8>,
    pub max_len: Option<u16>,
    pub port: Option<u16>,
    pub ttl: Option<u8>,
    pub group: Option<IpAddr>,
}

borrowed!(RawSync);

pub(in crate::config) static LVS_SYNC_DAEMON: LineTable<RawSync<'static>> = line_table!(
    RawSync<'static>,
    Entry {
        name: "lvs_sync_daemon",
        head: &[ValueKind::Link],
        required: 1,
        options: &[],
        // The outdated form: `INTERFACE INSTANCE [ID]`.
        free: Some(ValueKind::Text),
        unknown: Unknown::IgnoreRest,
    },
    |raw, item, checker| raw.word(item, checker),
    [
        opt("inst").value(ValueKind::Text) => |raw, item, checker| raw.instance(item, checker),
        opt("id").value(strict(0, 255)).minor() => |raw, item, _| raw.id = Some(item.number()),
        opt("maxlen").value(strict(1, 65_507)).minor()
            => |raw, item, _| raw.max_len = Some(item.number()),
        opt("port").value(strict(1, 65_535)).minor()
            => |raw, item, _| raw.port = Some(item.number()),
        opt("ttl").value(strict(1, 255)).minor() => |raw, item, _| raw.ttl = Some(item.number()),
        opt("group").value(ValueKind::Group).minor()
            => |raw, item, _| raw.group = item.value.addr(),
    ]
);

impl<'d> RawSync<'d> {
    /// Reads `lvs_sync_daemon`.
    pub(super) fn read(mut s: Setting<'_, '_, 'd, ()>) -> Option<Self> {
        let mut raw = Self::default();
        let line = s.options(&LVS_SYNC_DAEMON, &mut raw);
        (line != LineUse::Useless).then_some(raw)
    }

    fn instance(&mut self, item: Item<'d>, checker: &mut Checker<'_>) {
        if self.instance.is_some() {
            let text = "'inst' again: the first one counts";
            checker.out.error("lvs_sync_daemon", item.word.span, text);
        } else {
            self.instance = Some(item.word);
        }
    }

    /// The interface, then the words of the outdated form.
    fn word(&mut self, item: Item<'d>, checker: &mut Checker<'_>) {
        const ID: ValueKind = strict(0, 255);
        let Word { text, span, .. } = item.word;
        if self.interface.is_none() {
            self.interface = Some(text);
        } else if self.instance.is_none() {
            self.instance = Some(item.word);
        } else if let Ok(Value::Int(n)) = parse(ID, text) {
            let text = format!("'{n}' alone is outdated: write 'id {n}'");
            checker.out.error("lvs_sync_daemon", span, text);
            self.id = u8::try_from(n).ok();
        } else {
            let text = format!("unknown option '{text}' of lvs_sync_daemon: it is ignored");
            checker.out.error("lvs_sync_daemon", span, text);
        }
    }
}
