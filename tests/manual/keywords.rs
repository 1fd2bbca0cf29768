//! The manual page's list of keywords, made from the tables.
//!
//! Says how a keyword is written, its limits and default, and whether it is in effect. What it
//! means is in the hand-written part of the page.

use std::fmt::Write as _;

use keepalived::config::keyword::{Args, Block, Body, Entry, Keyword, Kind, Opt, Standing, Unit};
use keepalived::config::keywords::ROOT;

/// Lines of text are no longer than this.
const WIDTH: usize = 78;
/// Limits beyond this are those of the type, not of the matter.
const HUGE: i64 = 1 << 31;

/// One section of the page.
struct Section {
    block: &'static Block,
    /// The block that it stands in; `None`: the top level.
    parent: Option<&'static str>,
}

/// The list as subsections with mdoc lists.
pub(super) fn mdoc_keywords() -> String {
    let mut sections = Vec::new();
    collect(ROOT, None, &mut sections);
    let mut out = String::new();
    for section in &sections {
        // Writing to a string cannot fail.
        let _ = match section.parent {
            Some(parent) => writeln!(out, ".Ss {} in {parent}", section.block.name),
            None if std::ptr::eq(section.block, ROOT) => writeln!(out, ".Ss Top level"),
            None => writeln!(out, ".Ss {}", section.block.name),
        };
        out.push_str(".Bl -tag -width Ds -compact\n");
        for keyword in section.block.keywords {
            item(&mut out, keyword);
        }
        out.push_str(".El\n");
    }
    out
}

/// The keywords that are accepted and not in effect, by the block they stand in, as a list in
/// Markdown.
pub(super) fn markdown_later() -> String {
    let mut sections = Vec::new();
    collect(ROOT, None, &mut sections);
    let mut out = String::new();
    // Two kinds of check have each a block of the same name.
    let mut told = Vec::new();
    for section in &sections {
        let current = |k: &&Keyword| !k.in_effect && k.standing == Standing::Current;
        let names = section.block.keywords.iter().filter(current);
        let names: Vec<_> = names.map(|k| format!("`{}`", k.name)).collect();
        if names.is_empty() || told.contains(&(section.block.name, names.clone())) {
            continue;
        }
        told.push((section.block.name, names.clone()));
        let place = match std::ptr::eq(section.block, ROOT) {
            true => "top level".to_owned(),
            false => format!("`{}`", section.block.name),
        };
        let mut line = format!("* {place}:");
        for (n, name) in names.iter().enumerate() {
            let comma = if n + 1 < names.len() { "," } else { "" };
            if line.len() + name.len() + 2 > WIDTH + 20 {
                out.push_str(&line);
                out.push('\n');
                line = " ".to_owned();
            }
            line.push_str(&format!(" {name}{comma}"));
        }
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// Sections in the order of the page: each block once, after the one it stands in.
fn collect(block: &'static Block, parent: Option<&'static str>, out: &mut Vec<Section>) {
    if out.iter().any(|s| std::ptr::eq(s.block, block)) {
        return;
    }
    out.push(Section { block, parent });
    let name = (!std::ptr::eq(block, ROOT)).then_some(block.name);
    for keyword in block.keywords {
        if let Body::Keywords(inner) = keyword.body {
            collect(inner, name, out);
        }
    }
}

fn item(out: &mut String, keyword: &Keyword) {
    let _ = writeln!(out, ".It Ic {}{}", roff(keyword.name), arguments(&keyword.args));
    let mut text = Vec::new();
    match keyword.standing {
        Standing::Current => {}
        Standing::Alias { of, .. } => text.push(format!("The same as {of}.")),
        Standing::Replaced { by, .. } => text.push(format!("Outdated, see {by}.")),
    }
    text.extend(limits(&keyword.args));
    match keyword.body {
        Body::None => {}
        Body::Keywords(_) => text.push("A block, see below.".to_owned()),
        Body::Entries(entry) => {
            text.push(format!("In braces, one on a line: {}.", entry_text(entry)))
        }
        Body::Names(kind) => text.push(format!("In braces: any number of {}.", plain(kind))),
    }
    if let Args::Options(entry) = keyword.args {
        text.push(format!("Options: {}.", entry_text(entry)));
    }
    if !keyword.default.is_empty() {
        text.push(format!("Default: {}.", keyword.default));
    }
    if !keyword.in_effect {
        text.push("Later.".to_owned());
    }
    for sentence in text {
        out.push_str(&wrapped(&sentence));
    }
}

/// What follows the keyword, as mdoc macros.
fn arguments(args: &Args) -> String {
    match args {
        Args::Row { required, kinds } => {
            let words = kinds.iter().enumerate();
            words
                .map(|(n, kind)| {
                    format!(" {}", if n < *required { word(*kind) } else { optional(*kind) })
                })
                .collect()
        }
        Args::Many { required: 0, kind } => format!(" {} Ar ...", optional(*kind)),
        Args::Many { kind, .. } => format!(" {} Ar ...", word(*kind)),
        Args::Options(_) => " Op Ar option ...".to_owned(),
        Args::Script { required, user } => {
            let command = if *required { " Ar command" } else { " Op Ar command" };
            format!("{command}{}", if *user { " Op Ar user Op Ar group" } else { "" })
        }
        Args::Pattern => " Ar pattern".to_owned(),
        Args::Service => " Ar address port | Cm fwmark Ar number | Cm group Ar name".to_owned(),
    }
}

fn optional(kind: Kind) -> String {
    format!("Oo {} Oc", word(kind))
}

fn word(kind: Kind) -> String {
    match kind {
        Kind::OneOf(words) | Kind::Known(words) | Kind::OneOfAnyCase(words) => {
            let words: Vec<_> = words.iter().map(|w| format!("Cm {}", roff(w))).collect();
            words.join(" | ")
        }
        _ => format!("Ar {}", plain(kind)),
    }
}

/// A word that stands for the argument.
fn plain(kind: Kind) -> String {
    let name = match kind {
        Kind::Text | Kind::Short(_) | Kind::Secret(_) | Kind::Hidden => "text",
        Kind::Bool => "on | off",
        Kind::Int { .. } | Kind::AnyBase { .. } | Kind::Wide => "number",
        Kind::Time { unit: Unit::Millis, .. } => "milliseconds",
        Kind::Time { .. } => "seconds",
        Kind::OneOf(words) | Kind::Known(words) | Kind::OneOfAnyCase(words) => {
            return words.join(" | ")
        }
        Kind::Address => "address",
        Kind::Group | Kind::Group4 | Kind::Group6 => "multicast-address",
        Kind::Prefix | Kind::Destination | Kind::Target => "address/length",
        Kind::Range => "addresses",
        Kind::Link => "interface",
        Kind::Span { .. } => "low-high",
        Kind::Ports => "port[-port]",
        Kind::Masked => "number/mask",
        Kind::Hex { .. } | Kind::Digest => "hex-digits",
        Kind::Status => "code",
        Kind::RouteTime => "time",
    };
    name.to_owned()
}

/// The limits of the arguments that have some.
fn limits(args: &Args) -> Vec<String> {
    match args {
        Args::Row { kinds, .. } => kinds.iter().filter_map(|kind| limit(*kind)).collect(),
        Args::Many { kind, .. } => limit(*kind).into_iter().collect(),
        Args::Options(_) | Args::Script { .. } | Args::Pattern | Args::Service => Vec::new(),
    }
}

fn limit(kind: Kind) -> Option<String> {
    match kind {
        Kind::Int { min, max, .. } | Kind::AnyBase { min, max } if max < HUGE - 1 => {
            Some(format!("{min} to {max}."))
        }
        Kind::Time { unit, min, max } => {
            let one = if unit == Unit::Millis { 1_000.0 } else { 1_000_000.0 };
            let number = |micros: u64| format!("{}", micros as f64 / one);
            match (min > 1, max < 1 << 32) {
                (true, true) => Some(format!("{} to {}.", number(min), number(max))),
                (false, true) => Some(format!("At most {}.", number(max))),
                (true, false) => Some(format!("At least {}.", number(min))),
                (false, false) => None,
            }
        }
        Kind::Short(n) => Some(format!("At most {n} characters.")),
        Kind::Secret(n) => Some(format!("The first {n} characters count.")),
        _ => None,
    }
}

/// The grammar of a line in words.
fn entry_text(entry: &Entry) -> String {
    let head = entry.head.iter().enumerate().map(|(n, kind)| {
        let word = plain(*kind);
        if n < entry.required {
            word
        } else {
            format!("[{word}]")
        }
    });
    let mut words: Vec<String> = head.collect();
    if let Some(kind) = entry.free {
        words.push(plain(kind));
    }
    words.extend(entry.options.iter().map(|option| format!("[{}]", option_text(option))));
    words.join(" ")
}

fn option_text(option: &Opt) -> String {
    let mut text = option.name.to_owned();
    if !option.before.is_empty() {
        let _ = write!(text, " [{}]", option.before.join(" | "));
    }
    if let Some(kind) = option.value {
        let _ = write!(text, " {}", plain(kind));
    }
    if !option.after.is_empty() {
        let _ = write!(text, " [{}]", option.after.join(" | "));
    }
    if option.nested.is_some() {
        text.push_str(" ...");
    }
    text
}

fn roff(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

/// A text on lines of moderate length.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.len() + 1 + word.len() > WIDTH {
            out.push_str(&line);
            out.push('\n');
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        } else if word.starts_with(['.', '\'']) {
            line.push_str("\\&");
        }
        line.push_str(&roff(word));
    }
    out + &line + "\n"
}

#[test]
fn every_keyword_has_an_item() {
    let text = mdoc_keywords();
    let mut sections = Vec::new();
    collect(ROOT, None, &mut sections);
    for section in sections {
        for keyword in section.block.keywords {
            let item = format!(".It Ic {}", roff(keyword.name));
            let listed =
                text.lines().any(|line| line == item || line.starts_with(&format!("{item} ")));
            assert!(listed, "{} of {}", keyword.name, section.block.name);
        }
    }
}

#[test]
fn what_is_not_in_effect_is_marked() {
    let text = mdoc_keywords();
    assert!(text.contains(".It Ic enable_dbus\nDefault: off.\nLater.\n"), "{text}");
}

#[test]
fn arguments_limits_and_defaults_are_told() {
    let text = mdoc_keywords();
    assert!(text.contains(".It Ic virtual_router_id Ar number\n1 to 255.\n"), "{text}");
    assert!(text.contains(".It Ic advert_int Ar seconds\n0.01 to 255.\nDefault: 1.\n"));
}
