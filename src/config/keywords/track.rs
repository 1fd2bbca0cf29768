//! `vrrp_script`, `vrrp_track_process`, `track_file`, and the lists that refer to them, as they are
//! written.

use std::time::Duration;

use super::REVERSE;
use crate::config::document::{Node, Word};
use crate::config::entry::{Item, LineUse};
use crate::config::keyword::{
    int, opt, seconds, Bad, Entry, Opt, Repeat, Unit, Unknown, ValueKind,
};
use crate::config::statement::Checker;
use crate::config::table::{
    borrowed, command, flag, line_table, many, maybe_word, number, owned, row, table, text, time,
    LineTable, Setting, Table,
};
use crate::model::track::{InitFile, Object, ParamMatch};

/// Seconds with up to three decimals.
const COARSE: ValueKind =
    ValueKind::Time { unit: Unit::CoarseSeconds, min: 1_000, max: 4_294_000_000 };

/// `weight N [reverse]`
#[derive(Clone, Copy, Default)]
pub(in crate::config) struct RawWeight {
    pub weight: i16,
    pub reverse: bool,
}

impl RawWeight {
    /// The table reported any word but `reverse`.
    pub(super) fn new(s: &Setting<'_, '_, '_, i64>) -> Self {
        let reverse = s.node().arg(1).is_some_and(|word| word.text == "reverse");
        Self { weight: s.number(), reverse }
    }
}

#[derive(Default)]
pub(in crate::config) struct RawScript<'d> {
    pub command: Option<Node<'d>>,
    pub users: Vec<Node<'d>>,
    pub interval: Option<Duration>,
    pub timeout: Option<Duration>,
    pub rise: Option<u32>,
    pub fall: Option<u32>,
    pub weight: RawWeight,
    pub init_fail: bool,
}

#[derive(Default)]
pub(in crate::config) struct RawProcess<'d> {
    /// The name of the process and its parameters.
    pub words: Vec<Word<'d>>,
    pub param_match: Option<ParamMatch>,
    pub weight: RawWeight,
    pub quorum: Option<u32>,
    pub quorum_max: Option<u32>,
    pub terminate_delay: Duration,
    pub fork_delay: Duration,
    pub full_command: bool,
}

#[derive(Default)]
pub(in crate::config) struct RawFile<'d> {
    pub path: Option<&'d str>,
    pub weight: Option<RawWeight>,
    pub init: Option<InitFile>,
}

borrowed!(RawScript, RawProcess, RawFile, RawLink);
owned!(RawTracked);

pub(in crate::config) static VRRP_SCRIPT: Table<RawScript<'static>> = table!(RawScript<'static>, "vrrp_script", [
    command("script", true, false).default("none, required")
        => |raw, s| raw.command = Some(s.node()),
    time("interval", &[COARSE]).default("1").bad(Bad::Use(1_000_000))
        => |raw, s| raw.interval = Some(s.value),
    time("timeout", &[COARSE]).default("the interval") => |raw, s| raw.timeout = Some(s.value),
    number("weight", &[int(-253, 253), REVERSE])
        .default("0 (down causes FAULT)")
        .bad(Bad::Clamp)
        => |raw, s| raw.weight = RawWeight::new(&s),
    number("rise", &[int(1, 2_147_483_647)]).default("1").bad(Bad::Use(1))
        => |raw, s| raw.rise = Some(s.number()),
    number("fall", &[int(1, 2_147_483_647)]).default("1").bad(Bad::Use(1))
        => |raw, s| raw.fall = Some(s.number()),
    row("user", 1, &[ValueKind::Text, ValueKind::Text]).default("script_user")
        => |raw, s| raw.users.push(s.node()),
    flag("init_fail") => |raw, _| raw.init_fail = true,
]);

pub(in crate::config) static VRRP_TRACK_PROCESS: Table<RawProcess<'static>> = table!(RawProcess<'static>, "vrrp_track_process", [
    many("process", ValueKind::Text).default("none, required").repeat(Repeat::FirstCounts)
        => |raw, s| raw.words = s.node().args().collect(),
    maybe_word("param_match", &[ValueKind::OneOf(&["initial", "partial"])])
        .default("all of them")
        => |raw, s| raw.param_match = Some(match s.value {
            None => ParamMatch::Exact,
            Some("initial") => ParamMatch::Initial,
            Some(_) => ParamMatch::Partial,
        }),
    number("weight", &[int(-254, 254), REVERSE]).default("0 (down causes FAULT)")
        => |raw, s| raw.weight = RawWeight::new(&s),
    number("quorum", &[int(1, 65_535)]).default("1") => |raw, s| raw.quorum(s),
    number("quorum_max", &[int(0, 65_535)]).default("no limit") => |raw, s| raw.quorum_max(s),
    time("delay", &[seconds(1, 3_600_000_000)]).default("0") => |raw, s| {
        raw.terminate_delay = s.value;
        raw.fork_delay = s.value;
    },
    time("terminate_delay", &[seconds(1, 3_600_000_000)]).default("0")
        => |raw, s| raw.terminate_delay = s.value,
    time("fork_delay", &[seconds(1, 3_600_000_000)]).default("0")
        => |raw, s| raw.fork_delay = s.value,
    flag("full_command") => |raw, _| raw.full_command = true,
]);

/// The limits must leave a number between them. A maximum of 0 means that none may run.
impl RawProcess<'_> {
    fn quorum(&mut self, mut s: Setting<'_, '_, '_, i64>) {
        let n = s.number();
        match self.quorum_max {
            Some(max) if max < n => {
                s.error(format!("quorum {n} is above quorum_max {max}: it is ignored"));
            }
            _ => self.quorum = Some(n),
        }
    }

    fn quorum_max(&mut self, mut s: Setting<'_, '_, '_, i64>) {
        let n = s.number();
        let quorum = self.quorum.unwrap_or(1);
        if n == 0 {
            self.quorum = Some(0);
            self.quorum_max = Some(0);
        } else if n < quorum {
            s.error(format!("quorum_max {n} is below quorum {quorum}: it is ignored"));
        } else {
            self.quorum_max = Some(n);
        }
    }
}

pub(in crate::config) static TRACK_FILE: Table<RawFile<'static>> = table!(RawFile<'static>, "track_file", [
    text("file").default("none, required").repeat(Repeat::FirstCounts)
        => |raw, s| raw.path = Some(s.value),
    number("weight", &[int(-254, 254), REVERSE]).default("1").bad(Bad::Use(1))
        => |raw, s| raw.weight = Some(RawWeight::new(&s)),
    row("init_file", 0, &[ValueKind::Text, ValueKind::Text]).default("the file is not created")
        => |raw, s| raw.init = Some(init_file(s)),
]);

/// `init_file [VALUE] [overwrite]`, in any order.
fn init_file(s: Setting<'_, '_, '_, ()>) -> InitFile {
    let mut init = InitFile { value: 0, overwrite: false };
    for word in s.node().args() {
        if word.text == "overwrite" {
            init.overwrite = true;
        } else if let Ok(value) = word.text.parse() {
            init.value = value;
            if !(-254..=254).contains(&value) {
                let text = format!("init_file '{value}' is not within -254 to 254");
                s.checker.out.error("init_file", word.span, text);
            }
        } else {
            let text = format!("init_file '{}' is neither a number nor 'overwrite'", word.text);
            s.checker.out.error("init_file", word.span, text);
        }
    }
    init
}

/// A `track_...` block, whose lines are read when the definitions above it are known.
pub(in crate::config) struct TrackList<'d> {
    pub node: Node<'d>,
    pub table: &'static LineTable<RawTracked>,
    pub object: fn(String) -> Object,
}

impl<'d> TrackList<'d> {
    pub(super) fn scripts(node: Node<'d>) -> Self {
        Self { node, table: &TRACK_SCRIPT, object: Object::Script }
    }

    pub(super) fn files(node: Node<'d>) -> Self {
        Self { node, table: &TRACK_FILES, object: Object::File }
    }

    pub(super) fn processes(node: Node<'d>) -> Self {
        Self { node, table: &TRACK_PROCESS, object: Object::Process }
    }

    pub(super) fn sessions(node: Node<'d>) -> Self {
        Self { node, table: &TRACK_BFD, object: Object::Bfd }
    }
}

/// Settings of an object in a line of a `track_...` block.
#[derive(Default)]
pub(in crate::config) struct RawTracked {
    pub weight: Option<i16>,
    pub reverse: Option<bool>,
}

impl RawTracked {
    fn weight(&mut self, item: Item<'_>, checker: &mut Checker<'_>, most: i16) {
        self.weight = Some(limited(checker, item, most));
        self.reverse = item.after.map(|word| word == "reverse").or(self.reverse);
    }
}

/// A weight within `most`: 254 was allowed once for what has 253 as its limit.
fn limited(checker: &mut Checker<'_>, item: Item<'_>, most: i16) -> i16 {
    let n: i16 = item.number();
    let used = n.clamp(-most, most);
    if used != n {
        let text = format!("weight '{n}' is not within -{most} to {most}: {used} is used");
        checker.out.error("weight", item.word.span, text);
    }
    used
}

/// `NAME [weight N [reverse|noreverse]]`
const fn reference(name: &'static str) -> Entry {
    Entry {
        name,
        head: &[ValueKind::Text],
        required: 1,
        options: &[WEIGHT],
        free: None,
        unknown: Unknown::SkipEntry,
    }
}

const WEIGHT: Opt = opt("weight").value(int(-254, 254)).after(&["reverse", "noreverse"]).minor();

pub(in crate::config) static TRACK_SCRIPT: LineTable<RawTracked> = line_table!(
    RawTracked, reference("script"), |_, _, _| {}, [
        WEIGHT => |raw, item, checker| raw.weight(item, checker, 253),
    ]
);

pub(in crate::config) static TRACK_FILES: LineTable<RawTracked> = line_table!(
    RawTracked, reference("file"), |_, _, _| {}, [
        WEIGHT => |raw, item, checker| raw.weight(item, checker, 254),
    ]
);

pub(in crate::config) static TRACK_PROCESS: LineTable<RawTracked> = line_table!(
    RawTracked, reference("process"), |_, _, _| {}, [
        WEIGHT => |raw, item, checker| raw.weight(item, checker, 254),
    ]
);

pub(in crate::config) static TRACK_BFD: LineTable<RawTracked> = line_table!(
    RawTracked, reference("BFD session"), |_, _, _| {}, [
        WEIGHT => |raw, item, checker| raw.weight(item, checker, 253),
    ]
);

/// A line of `track_interface`.
#[derive(Default)]
pub(in crate::config) struct RawLink<'d> {
    pub name: Word<'d>,
    pub weight: i16,
    pub reverse: bool,
}

pub(in crate::config) static TRACK_INTERFACE: LineTable<RawLink<'static>> = line_table!(
    RawLink<'static>,
    Entry {
        name: "interface",
        head: &[ValueKind::Link],
        required: 1,
        options: &[],
        free: None,
        unknown: Unknown::SkipEntry,
    },
    |raw, item, _| raw.name = item.word,
    [
        opt("weight").value(int(-254, 254)).after(&["reverse"]).minor() => |raw, item, checker| {
            raw.weight = limited(checker, item, 253);
            raw.reverse |= item.after.is_some();
        },
    ]
);

impl<'d> RawLink<'d> {
    pub(super) fn read(checker: &mut Checker<'_>, line: Node<'d>) -> Option<Self> {
        let mut link = Self::default();
        let read = checker.fill_line(line, &TRACK_INTERFACE, &mut link);
        (read != LineUse::Useless).then_some(link)
    }
}
