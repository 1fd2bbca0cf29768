//! Lines of `static_rules` and `virtual_rules`, as they are written.

use super::route::RawTarget;
use crate::base::addr::Family;
use crate::base::rule::RuleAction;
use crate::config::document::{Node, Word};
use crate::config::entry::{Item, LineUse};
use crate::config::keyword::{int, opt, Entry, Unknown, ValueKind};
use crate::config::statement::Checker;
use crate::config::table::{borrowed, joined, line_table, opt_rows, Given, LineTable, OptRow};
use crate::config::value::{masked, ports, span, Value};

/// A line of one of the lists.
#[derive(Default)]
pub(in crate::config) struct RawRule<'d> {
    /// The first word of the line.
    pub word: Word<'d>,
    /// `inet` or `inet6`.
    pub family: Option<Given<Family>>,
    pub invert: bool,
    pub from: Option<RawTarget<'d>>,
    pub to: Option<RawTarget<'d>>,
    pub priority: Option<u32>,
    pub action: Option<Given<RawAction<'d>>>,
    pub tos: Option<Word<'d>>,
    pub mark: Option<(u32, u32)>,
    pub iif: Option<Word<'d>>,
    pub oif: Option<Word<'d>>,
    pub realms: Option<Word<'d>>,
    pub suppress_prefix_len: Option<Given<u32>>,
    pub suppress_group: Option<Word<'d>>,
    pub tunnel: Option<Given<u64>>,
    pub users: Option<(u32, u32)>,
    pub protocol: Option<Given<u8>>,
    pub ip_protocol: Option<Word<'d>>,
    pub source_ports: Option<(u16, u16)>,
    pub destination_ports: Option<(u16, u16)>,
    pub no_track: bool,
    /// Of a static rule.
    pub track_group: Option<Word<'d>>,
    void: bool,
}

#[derive(Clone, Copy)]
pub(in crate::config) enum RawAction<'d> {
    Table(Word<'d>),
    Other(RuleAction),
}

borrowed!(RawRule);

const U32: ValueKind = int(0, 4_294_967_295);
const PREFERENCE: ValueKind = ValueKind::AnyBase { min: 0, max: 4_294_967_295 };
const USERS: i64 = 4_294_967_295;
const LENGTH: ValueKind = int(0, 2_147_483_647);

/// What static and virtual rules have in common.
const RULE: [OptRow<RawRule<'static>>; 38] = opt_rows![RawRule<'static>:
    opt("inet") => |raw, item, checker| raw.family(item, checker, Family::V4),
    opt("inet6") => |raw, item, checker| raw.family(item, checker, Family::V6),
    opt("from").value(ValueKind::Destination) => |raw, item, _| raw.from = Some(selector(item)),
    opt("to").value(ValueKind::Destination) => |raw, item, _| raw.to = Some(selector(item)),
    opt("table").value(ValueKind::Text) => |raw, item, checker| raw.table(item, checker),
    opt("lookup").value(ValueKind::Text) => |raw, item, checker| raw.table(item, checker),
    opt("not") => |raw, _, _| raw.invert = true,
    opt("preference").value(PREFERENCE) => |raw, item, _| raw.priority = Some(item.number()),
    opt("order").value(PREFERENCE) => |raw, item, _| raw.priority = Some(item.number()),
    opt("priority").value(PREFERENCE) => |raw, item, _| raw.priority = Some(item.number()),
    opt("tos").value(ValueKind::Text) => |raw, item, _| raw.tos = Some(item.word),
    opt("dsfield").value(ValueKind::Text) => |raw, item, _| raw.tos = Some(item.word),
    opt("fwmark").value(ValueKind::Masked) => |raw, item, _| raw.mark = masked(item.word.text),
    opt("realms").value(ValueKind::Text) => |raw, item, _| raw.realms = Some(item.word),
    opt("suppress_prefixlength").value(LENGTH) => |raw, item, _| raw.suppress(item),
    opt("sup_pl").value(LENGTH) => |raw, item, _| raw.suppress(item),
    opt("suppress_ifgroup").value(ValueKind::Text) => |raw, item, _| raw.suppress_group = Some(item.word),
    opt("sup_group").value(ValueKind::Text) => |raw, item, _| raw.suppress_group = Some(item.word),
    opt("dev").value(ValueKind::Link) => |raw, item, _| raw.iif = Some(item.word),
    opt("iif").value(ValueKind::Link) => |raw, item, _| raw.iif = Some(item.word),
    opt("oif").value(ValueKind::Link) => |raw, item, _| raw.oif = Some(item.word),
    opt("tunnel-id").value(ValueKind::Wide) => |raw, item, _| {
        let number = item.word.text.parse().ok();
        raw.tunnel = number.map(|value| Given { value, span: item.word.span });
    },
    opt("uidrange").value(ValueKind::Span { max: USERS }) => |raw, item, _| raw.users(item),
    opt("l3mdev") => |raw, item, checker| raw.other(item, checker, RuleAction::L3mdev),
    opt("protocol").value(int(0, 255)).minor() => |raw, item, _| {
        raw.protocol = Some(Given { value: item.number(), span: item.word.span });
    },
    opt("ipproto").value(ValueKind::Text) => |raw, item, _| raw.ip_protocol = Some(item.word),
    opt("sport").value(ValueKind::Ports) => |raw, item, _| raw.source_ports = ports(item.word.text),
    opt("dport").value(ValueKind::Ports) => |raw, item, _| raw.destination_ports = ports(item.word.text),
    opt("no_track") => |raw, _, _| raw.no_track = true,
    opt("type") => |_, _, _| {},
    opt("goto").value(U32)
        => |raw, item, checker| raw.other(item, checker, RuleAction::Goto(item.number())),
    opt("nop") => |raw, item, checker| raw.other(item, checker, RuleAction::Nop),
    opt("blackhole") => |raw, item, checker| raw.other(item, checker, RuleAction::Blackhole),
    opt("unreachable") => |raw, item, checker| raw.other(item, checker, RuleAction::Unreachable),
    opt("prohibit") => |raw, item, checker| raw.other(item, checker, RuleAction::Prohibit),
    // The same, as numbers.
    opt("6") => |raw, item, checker| raw.other(item, checker, RuleAction::Blackhole),
    opt("7") => |raw, item, checker| raw.other(item, checker, RuleAction::Unreachable),
    opt("8") => |raw, item, checker| raw.other(item, checker, RuleAction::Prohibit),
];

const LINE: Entry = Entry {
    name: "rule",
    head: &[],
    required: 0,
    options: &[],
    free: None,
    unknown: Unknown::SkipEntry,
};

pub(in crate::config) static VIRTUAL_RULES: LineTable<RawRule<'static>> =
    line_table!(RawRule<'static>, LINE, |_, _, _| {}; RULE);

pub(in crate::config) static STATIC_RULES: LineTable<RawRule<'static>> = line_table!(
    RawRule<'static>, LINE, |_, _, _| {};
    joined::<_, 38, 1, 39>(RULE, opt_rows![RawRule<'static>:
        opt("track_group").value(ValueKind::Text) => |raw, item, _| raw.track_group = Some(item.word),
    ])
);

fn selector<'d>(item: Item<'d>) -> RawTarget<'d> {
    let prefix = match item.value {
        Value::Prefix(prefix, _) => Some(prefix),
        _ => None,
    };
    RawTarget { prefix, word: item.word }
}

impl<'d> RawRule<'d> {
    /// Reads one line of an instance; `None` if it does not count.
    pub(super) fn of_instance(checker: &mut Checker<'_>, line: Node<'d>) -> Option<Self> {
        Self::read(checker, line, &VIRTUAL_RULES)
    }

    /// Reads one line of static rules.
    pub(in crate::config) fn of_host(checker: &mut Checker<'_>, line: Node<'d>) -> Option<Self> {
        Self::read(checker, line, &STATIC_RULES)
    }

    fn read(
        checker: &mut Checker<'_>,
        line: Node<'d>,
        table: &'static LineTable<RawRule<'static>>,
    ) -> Option<Self> {
        let mut raw = Self { word: line.keyword(), ..Self::default() };
        let read = checker.fill_line(line, table, &mut raw);
        (read != LineUse::Useless && !raw.void).then_some(raw)
    }

    fn refuse(&mut self, checker: &mut Checker<'_>, about: &str, word: Word<'_>, text: &str) {
        self.void = true;
        checker.out.error(about, word.span, format!("{text}: the line is ignored"));
    }

    fn family(&mut self, item: Item<'d>, checker: &mut Checker<'_>, family: Family) {
        if self.family.is_some_and(|given| given.value != family) {
            let text = "both 'inet' and 'inet6' are given";
            return self.refuse(checker, "inet", item.word, text);
        }
        self.family = Some(Given { value: family, span: item.word.span });
    }

    fn table(&mut self, item: Item<'d>, checker: &mut Checker<'_>) {
        self.action(item, checker, RawAction::Table(item.word));
    }

    fn other(&mut self, item: Item<'d>, checker: &mut Checker<'_>, action: RuleAction) {
        self.action(item, checker, RawAction::Other(action));
    }

    fn action(&mut self, item: Item<'d>, checker: &mut Checker<'_>, value: RawAction<'d>) {
        if self.action.is_some() {
            let text = "the rule has a second action";
            return self.refuse(checker, "rule", item.word, text);
        }
        self.action = Some(Given { value, span: item.word.span });
    }

    fn suppress(&mut self, item: Item<'d>) {
        self.suppress_prefix_len = Some(Given { value: item.number(), span: item.word.span });
    }

    fn users(&mut self, item: Item<'d>) {
        let narrow = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
        self.users = span(item.word.text, USERS).map(|(low, high)| (narrow(low), narrow(high)));
    }
}
