//! Every keyword and every option of the tables changes the model, or is in the list of those without
//! effect.

mod tables;

use std::fmt::Write as _;

use super::lowered;
use crate::config::keyword::{Args, Block, Body, Entry, Keyword, Opt, Standing, ValueKind};
use crate::config::keywords::{READER, ROOT};
use crate::config::print::{print, Secrets};
use tables::{
    Special, AFTER, BEFORE, BLOCKS, NESTED, OPTIONS, OTHERWISE, SPECIALS, TEXTS, WITHOUT_EFFECT,
};

fn special(block: &str, keyword: &str) -> Option<&'static Special> {
    SPECIALS.iter().find(|s| s.block == block && s.keyword == keyword)
}

/// Words of a kind. One of them is not the default.
fn words(kind: ValueKind) -> Vec<String> {
    let plain = |list: &[&str]| list.iter().map(|&word| word.to_owned()).collect();
    match kind {
        ValueKind::Text | ValueKind::Short(_) => plain(&["/usr/bin/true", "eth1", "VI"]),
        ValueKind::Secret(_) | ValueKind::Hidden => plain(&["hidden"]),
        ValueKind::Bool => plain(&["on", "off"]),
        ValueKind::Int { min, max, .. } | ValueKind::AnyBase { min, max } => {
            let numbers = [7, 3, 120, min, max].map(|n: i64| n.clamp(min, max));
            numbers.map(|n| n.to_string()).to_vec()
        }
        ValueKind::Time { unit, min, max } => {
            use crate::config::keyword::Unit;
            let micros = [7_000_000, 3_000_000, 250_000, min, max].map(|n: u64| n.clamp(min, max));
            let each = |n: u64| match unit {
                Unit::Seconds | Unit::CoarseSeconds => (n as f64 / 1e6).to_string(),
                Unit::Millis => (n as f64 / 1e3).to_string(),
            };
            micros.map(each).to_vec()
        }
        ValueKind::OneOf(list) | ValueKind::Known(list) | ValueKind::OneOfAnyCase(list) => {
            plain(list)
        }
        ValueKind::Address => plain(&["192.0.2.77", "2001:db8::77"]),
        ValueKind::Group | ValueKind::Group4 => plain(&["224.0.0.99"]),
        ValueKind::Group6 => plain(&["ff02::99"]),
        ValueKind::Prefix | ValueKind::Destination | ValueKind::Target => plain(&["192.0.2.64/26"]),
        ValueKind::Range => plain(&["192.0.2.50-59"]),
        ValueKind::Link => plain(&["eth1"]),
        ValueKind::Span { .. } => plain(&["1-2"]),
        ValueKind::Ports => plain(&["8080"]),
        ValueKind::Wide | ValueKind::Masked => plain(&["9"]),
        ValueKind::Hex { .. } => plain(&["0a0b"]),
        ValueKind::Digest => plain(&["00112233445566778899aabbccddeeff"]),
        ValueKind::Status => plain(&["201"]),
        ValueKind::RouteTime => plain(&["5ms", "9"]),
    }
}

/// Every choice of a word for each of the kinds; the first words of all, where there are many.
fn rows(kinds: &[ValueKind]) -> Vec<String> {
    let (first, rest) = match kinds {
        [] => return vec![String::new()],
        [first, rest @ ..] => (words(*first), rows(rest)),
    };
    let pair = |word: &String| rest.iter().map(|rest| format!("{word} {rest}")).collect::<Vec<_>>();
    first.iter().flat_map(pair).take(64).collect()
}

/// Ways to write a keyword, the first of which is the shortest.
fn statements(keyword: &Keyword) -> Vec<String> {
    let heads = match keyword.args {
        Args::Row { required, kinds } => {
            let mut heads = rows(&kinds[..required]);
            if required == 0 && !kinds.is_empty() {
                heads.extend(rows(&kinds[..1]));
            }
            heads
        }
        Args::Many { required, kind } => rows(&vec![kind; required.max(1)]),
        Args::Options(entry) => lines(entry),
        Args::Script { .. } => vec!["/usr/bin/check".to_owned(), "/usr/bin/true".to_owned()],
        Args::Pattern => vec!["pattern".to_owned()],
        Args::Service => vec!["192.0.2.2 80".to_owned()],
    };
    let bodies = match keyword.body {
        Body::None => vec![String::new()],
        Body::Keywords(block) => vec![format!("{{\n{}\n}}", whole(block.name).1.join("\n"))],
        Body::Entries(entry) => lines(entry).iter().map(|line| format!("{{ {line} }}")).collect(),
        Body::Names(kind) => words(kind).iter().map(|word| format!("{{ {word} }}")).collect(),
    };
    let each = |head: &String| {
        bodies.iter().map(|body| format!("{} {head} {body}", keyword.name)).collect::<Vec<_>>()
    };
    heads.iter().flat_map(each).collect()
}

/// Lines of a list with what is required.
fn lines(entry: &Entry) -> Vec<String> {
    rows(&entry.head[..entry.required.max(usize::from(!entry.head.is_empty()))])
}

/// A line that is whole without the option.
fn entry_line(entry: &Entry) -> String {
    lines(entry).swap_remove(0)
}

/// Ways to write an option.
fn options(opt: &Opt) -> Vec<String> {
    let text = TEXTS.iter().find(|(option, _)| *option == opt.name);
    let values = match (text, opt.value) {
        (Some((_, text)), _) => vec![(*text).to_owned()],
        (None, Some(kind)) => words(kind),
        (None, None) => vec![String::new()],
    };
    let each = |value: &String| {
        let plain = format!("{} {value}", opt.name);
        let before = opt.before.iter().map(|word| format!("{} {word} {value}", opt.name));
        let after = opt.after.iter().map(|word| format!("{} {value} {word}", opt.name));
        [plain].into_iter().chain(before).chain(after).collect::<Vec<_>>()
    };
    values.iter().flat_map(each).collect()
}

/// The words and the lines that a block needs.
fn whole(block: &str) -> (&'static str, &'static [&'static str]) {
    let found = BLOCKS.iter().find(|(name, ..)| *name == block);
    found.map_or(("", &[][..]), |(_, head, lines)| (*head, *lines))
}

/// A place between braces: what stands before it and after it.
#[derive(Clone, Default)]
struct Place {
    before: String,
    after: String,
}

impl Place {
    fn within(&self, keyword: &Keyword) -> Self {
        let head = whole(keyword.name).0;
        Self {
            before: format!("{}{} {head} {{\n", self.before, keyword.name),
            after: format!("}}\n{}", self.after),
        }
    }

    /// The model of a block with these lines, which is the same after it was printed and read.
    fn model(&self, lines: &[&str]) -> String {
        let text = format!("{BEFORE}{}{}\n{}{AFTER}", self.before, lines.join("\n"), self.after);
        let config = lowered(&text).0;
        let printed = print(&config, Secrets::Shown);
        let again = print(&lowered(&printed).0, Secrets::Shown);
        assert_eq!(again, printed, "{lines:?}");
        printed
    }
}

#[derive(Default)]
struct Survey {
    seen: usize,
    without_effect: Vec<String>,
}

impl Survey {
    fn block(&mut self, block: &'static Block, place: &Place) {
        for keyword in block.keywords {
            let is_alias = matches!(keyword.standing, Standing::Alias { .. });
            let is_own_block =
                std::ptr::eq(block, ROOT) && matches!(keyword.body, Body::Keywords(_));
            if !is_own_block {
                self.keyword(block, keyword, place);
            }
            if is_alias {
                continue;
            }
            if let Body::Keywords(inner) = keyword.body {
                let mut place = place.clone();
                for line in whole(block.name).1 {
                    if !line.starts_with(keyword.name) && block.name != "the top level" {
                        let _ = writeln!(place.before, "{line}");
                    }
                }
                self.block(inner, &place.within(keyword));
            }
        }
    }

    fn keyword(&mut self, block: &Block, keyword: &Keyword, place: &Place) {
        self.seen += 1;
        let special = special(block.name, keyword.name);
        let beside = special.map_or(&[][..], |s| s.beside);
        let name = format!("{} ", keyword.name);
        let is_left_out = |line: &str| {
            beside
                .iter()
                .filter_map(|word| word.strip_prefix('-'))
                .any(|word| line.starts_with(word))
        };
        let beside = beside.iter().copied().filter(|line| !line.starts_with('-'));
        let needed = whole(block.name).1.iter().copied().filter(|line| !is_left_out(line));
        let needed = needed.chain(beside);
        let with: Vec<&str> = needed.clone().collect();
        let without: Vec<&str> = needed.filter(|line| !line.starts_with(&name)).collect();
        let plain = place.model(&with);
        let written = match special.filter(|s| !s.statement.is_empty()) {
            Some(special) => vec![special.statement.to_owned()],
            None => statements(keyword),
        };
        let has_effect = written.iter().any(|statement| {
            let lines: Vec<&str> = without.iter().copied().chain([statement.as_str()]).collect();
            let alone: Vec<&str> = without.clone();
            let model = place.model(&lines);
            model != plain && model != place.model(&alone)
        });
        if !has_effect && keyword.in_effect {
            self.without_effect.push(format!("{}: {}", block.name, keyword.name));
        }
        let ((Args::Options(entry), _) | (_, Body::Entries(entry))) = (keyword.args, keyword.body)
        else {
            return;
        };
        let list = List { keyword, beside: &without, place };
        let base = match keyword.name {
            "static_routes" | "virtual_routes" => "192.0.2.128/26 dev eth0".to_owned(),
            "static_rules" | "virtual_rules" => "from 192.0.2.3 table 100".to_owned(),
            _ => entry_line(entry),
        };
        for opt in entry.options {
            self.option(&list, &base, opt);
        }
    }

    fn option(&mut self, list: &List<'_>, base: &str, opt: &Opt) {
        self.seen += 1;
        let special = OPTIONS.iter().find(|(keyword, option, ..)| {
            [list.keyword.name, ""].contains(keyword) && *option == opt.name
        });
        let base = special.map_or(base, |(_, _, line, _)| line);
        let plain = list.model(base);
        let ways = match special.filter(|(.., text)| !text.is_empty()) {
            Some((.., text)) => vec![(*text).to_owned()],
            None => options(opt),
        };
        if ways.iter().all(|option| list.model(&format!("{base} {option}")) == plain) {
            self.without_effect.push(format!("{}: {}", list.keyword.name, opt.name));
        }
    }
}

/// A keyword whose words or lines have options.
struct List<'a> {
    keyword: &'a Keyword,
    beside: &'a [&'a str],
    place: &'a Place,
}

impl List<'_> {
    fn model(&self, line: &str) -> String {
        let name = self.keyword.name;
        let head = match self.keyword.args {
            Args::Row { required: 1, .. } => "VG",
            _ => "",
        };
        let line = match self.keyword.body {
            Body::Entries(_) => format!("{name} {head} {{ {line} }}"),
            _ => format!("{name} {line}"),
        };
        self.place.model(&self.beside.iter().copied().chain([&*line]).collect::<Vec<_>>())
    }
}

#[test]
fn every_keyword_changes_the_model_or_is_listed() {
    let mut survey = Survey::default();
    survey.block(ROOT, &Place::default());
    assert!(survey.seen > 500, "{}", survey.seen);
    let mut expected: Vec<_> = WITHOUT_EFFECT.iter().chain(OTHERWISE).copied().collect();
    expected.sort_unstable();
    survey.without_effect.sort_unstable();
    survey.without_effect.dedup();
    if cfg!(not(feature = "regex")) {
        let is_of_regex = |keyword: &str| keyword.starts_with("url: regex");
        survey.without_effect.retain(|keyword| !is_of_regex(keyword));
        expected.retain(|keyword| !is_of_regex(keyword));
    }
    assert_eq!(survey.without_effect, expected);
}

/// Options of a route that have options themselves.
#[test]
fn every_option_of_an_option_changes_the_model() {
    let place = Place::default();
    let route =
        |words: &str| place.model(&[&format!("static_routes {{ 192.0.2.128/26 {words} }}")]);
    for (within, options) in NESTED {
        for option in *options {
            assert_ne!(route(within), route(&format!("{within} {option}")), "{within}: {option}");
        }
    }
    let routes = ROOT.find("static_routes").map(|keyword| keyword.body);
    let Some(Body::Entries(routes)) = routes else { panic!("static_routes has no lines") };
    let mut all = Vec::new();
    let nested = routes.options.iter().filter_map(|opt| opt.nested);
    nested.for_each(|entry| option_words(entry, &mut all));
    let known: Vec<_> = NESTED.iter().flat_map(|(_, options)| *options).collect();
    all.retain(|name| !known.iter().any(|option| option.split(' ').any(|word| word == *name)));
    assert_eq!(all, [""; 0]);
}

/// The block of this path, and a table of options.
fn at(path: &str) -> (Option<&'static Block>, Vec<&'static str>) {
    let mut block = Some(ROOT);
    let mut words = Vec::new();
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let keyword = block.and_then(|block| block.find(name));
        block = None;
        let entry = match keyword.map(|keyword| (keyword.args, keyword.body)) {
            Some((_, Body::Keywords(inner))) => {
                block = Some(inner);
                continue;
            }
            Some((Args::Options(entry), _) | (_, Body::Entries(entry))) => Some(entry),
            Some((Args::Many { kind: ValueKind::Known(list), .. }, _)) => {
                words = list.to_vec();
                None
            }
            _ => None,
        };
        if let Some(entry) = entry {
            words.clear();
            option_words(entry, &mut words);
        }
    }
    (block, words)
}

/// Names of options and the words about them.
fn option_words(entry: &'static Entry, words: &mut Vec<&'static str>) {
    for opt in entry.options {
        words.push(opt.name);
        words.extend(opt.before.iter().chain(opt.after));
        if let Some(nested) = opt.nested {
            option_words(nested, words);
        }
    }
}

#[test]
fn every_keyword_of_the_reference_is_known() {
    let mut path = "";
    let mut unknown = Vec::new();
    let lines = include_str!("../../../tests/config/reference.txt").lines();
    let mut count = 0;
    for line in lines.filter(|line| !line.starts_with('#')) {
        if !line.starts_with(' ') {
            path = line;
            continue;
        }
        let (block, words) = at(path);
        for name in line.split_whitespace() {
            count += 1;
            let is_keyword = block.is_some_and(|block| block.find(name).is_some());
            let is_known = is_keyword || words.contains(&name) || READER.contains(&name);
            if !is_known {
                unknown.push(format!("{path}: {name}"));
            }
        }
    }
    assert!(count > 800, "{count}");
    assert_eq!(unknown, [""; 0]);
}
