//! `url` of `HTTP_GET` and `SSL_GET`, and the key material of TLS.

use std::ops::RangeInclusive;

use crate::base::diag::Span;
use crate::config::document::{Node, Word};
use crate::config::keyword::{int, Repeat, ValueKind};
use crate::config::table::{
    any, borrowed, flag, joined, number, owned, pattern, row, rows, switch, table, text, word, Row,
    Setting, Table,
};
use crate::config::value::parse;
use crate::model::check::Tls;

/// Options of PCRE2, by their names there.
const REGEX_OPTION: ValueKind = ValueKind::Known(&[
    "allow_empty_class",
    "alt_bsux",
    "auto_callout",
    "caseless",
    "dollar_endonly",
    "dotall",
    "dupnames",
    "extended",
    "firstline",
    "match_unset_backref",
    "multiline",
    "never_ucp",
    "never_utf",
    "no_auto_capture",
    "no_auto_possess",
    "no_dotstar_anchor",
    "no_start_optimize",
    "ucp",
    "ungreedy",
    "utf",
    "never_backslash_c",
    "alt_circumflex",
    "alt_verbnames",
    "use_offset_limit",
]);

/// One page.
#[derive(Default)]
pub(in crate::config) struct RawUrl<'d> {
    /// Position of `url`.
    pub url: Option<Span>,
    pub path: Option<&'d str>,
    pub digest: Option<[u8; 16]>,
    pub status_codes: Vec<RangeInclusive<u16>>,
    pub virtualhost: Option<&'d str>,
    pub tls_compliant: Option<bool>,
    pub regex: Option<Node<'d>>,
    pub options: Vec<&'d str>,
    pub no_match: bool,
    pub min_offset: usize,
    pub max_offset: Option<usize>,
    /// The last statement that only refines `regex`.
    pub about_regex: Option<Word<'d>>,
}

borrowed!(RawUrl);
owned!(Tls);

/// What the `url` of `HTTP_GET` and that of `SSL_GET` have in common.
const PAGE: [Row<RawUrl<'static>>; 10] = rows![RawUrl<'static>:
    text("path").default("none, required").repeat(Repeat::LastCounts)
        => |raw, s| raw.path = Some(s.value),
    word("digest", &[ValueKind::Digest]).default("none").repeat(Repeat::FirstCounts)
        => |raw, s| raw.digest = digest(s.value),
    any("status_code", ValueKind::Status).default("200 to 299") => |raw, s| raw.status_codes(s),
    text("virtualhost").default("that of the check").repeat(Repeat::LastCounts)
        => |raw, s| raw.virtualhost = Some(s.value),
    pattern("regex").default("none").repeat(Repeat::LastCounts) => |raw, s| raw.regex = Some(s.node()),
    flag("regex_no_match") => |raw, s| {
        raw.no_match = true;
        raw.about_regex = Some(s.node().keyword());
    },
    any("regex_options", REGEX_OPTION).default("none") => |raw, s| raw.options(s),
    number("regex_min_offset", &[int(0, 2_147_483_647)]).default("0") => |raw, s| {
        raw.min_offset = s.number();
        raw.about_regex = Some(s.node().keyword());
    },
    number("regex_max_offset", &[int(0, 2_147_483_647)]).default("no limit") => |raw, s| {
        raw.max_offset = Some(s.number());
        raw.about_regex = Some(s.node().keyword());
    },
    // Matching needs no stack.
    row("regex_stack", 2, &[int(0, 4_294_967_295), int(0, 4_294_967_295)]) => |_, _| {},
];

pub(in crate::config) static URL: Table<RawUrl<'static>> = table!(RawUrl<'static>, "url"; PAGE);

pub(in crate::config) static SSL_URL: Table<RawUrl<'static>> = table!(RawUrl<'static>, "url";
    joined::<_, 10, 1, 11>(PAGE, rows![RawUrl<'static>:
        switch("tls_compliant").default("that of the check")
            => |raw, s| raw.tls_compliant = Some(s.value),
    ])
);

pub(in crate::config) static SSL: Table<Tls> = table!(Tls, "SSL", [
    word("password", &[ValueKind::Hidden]).default("none").repeat(Repeat::LastCounts)
        => |raw, s| raw.password = Some(s.value.to_owned()),
    text("ca").default("none").repeat(Repeat::LastCounts) => |raw, s| {
        // It looks like protection.
        let text = "ca has no effect: checks do not verify certificates of servers";
        s.checker.out.note(s.node().keyword().span, text);
        raw.ca = Some(s.value.to_owned());
    },
    text("certificate").default("none").repeat(Repeat::LastCounts)
        => |raw, s| raw.certificate = Some(s.value.to_owned()),
    text("key").default("none").repeat(Repeat::LastCounts) => |raw, s| raw.key = Some(s.value.to_owned()),
]);

impl<'d> RawUrl<'d> {
    fn status_codes(&mut self, s: Setting<'_, '_, 'd, ()>) {
        let word = s.node().keyword();
        if s.node().arg(0).is_none() {
            s.checker.out.warn(word.text, word.span, "status_code without a code is ignored");
        }
        self.status_codes.extend(s.node().args().filter_map(|word| status(word.text)));
    }

    fn options(&mut self, s: Setting<'_, '_, 'd, ()>) {
        self.about_regex = Some(s.node().keyword());
        // Others were reported.
        let known = s.node().args().filter(|word| parse(REGEX_OPTION, word.text).is_ok());
        for word in known.map(|word| word.text) {
            if !self.options.contains(&word) {
                self.options.push(word);
            }
        }
    }
}

/// 32 hexadecimal digits: the table allows nothing else.
fn digest(digits: &str) -> Option<[u8; 16]> {
    let mut digest = [0; 16];
    for (byte, at) in digest.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
    }
    Some(digest)
}

/// `CODE` or `CODE-CODE`. Others were reported.
fn status(text: &str) -> Option<RangeInclusive<u16>> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let range = low.parse().ok()?..=high.parse().ok()?;
    (!range.is_empty() && *range.start() >= 100 && *range.end() <= 599).then_some(range)
}
