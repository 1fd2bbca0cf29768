//! How a keyword or an option is written, as mdoc: its arguments, their limits, and lines of lists.

use std::fmt::Write as _;

use keepalived::config::keyword::{Args, Body, Entry, Keyword, Opt, Unit, ValueKind};

/// Lines of text are no longer than this.
pub(super) const WIDTH: usize = 78;
/// Limits beyond this are those of the type, not of the matter.
const HUGE: i64 = 1 << 31;

/// The keyword with its arguments, which have these names: one for each word, or none for the usual
/// ones.
pub(super) fn head(keyword: &Keyword, names: &[String]) -> String {
    let slots = slots(keyword);
    let fits = names.is_empty() || names.len() == slots;
    assert!(fits, "{} has {slots} arguments to name, not {names:?}", keyword.name);
    format!(".It Ic {}{}\n", roff(keyword.name), arguments(keyword, names))
}

/// Number of arguments that can be named.
fn slots(keyword: &Keyword) -> usize {
    match (keyword.args, keyword.body) {
        (Args::Row { kinds: [], .. }, Body::Names(_)) | (Args::Many { .. }, _) => 1,
        (Args::Row { kinds: [], .. }, Body::Entries(entry)) | (Args::Options(entry), _) => {
            entry.head.len() + usize::from(entry.free.is_some())
        }
        (Args::Row { kinds, .. }, _) => kinds.len(),
        (Args::Script { .. } | Args::Pattern | Args::Service, _) => 0,
    }
}

/// The option with its values, behind the options that it follows.
pub(super) fn option_head(names: &[&str], option: &Opt, value: Option<&str>) -> String {
    let words = |words: &[&str]| {
        let words: Vec<_> = words.iter().map(|w| format!("Cm {}", roff(w))).collect();
        if words.is_empty() {
            String::new()
        } else {
            format!(" Oo {} Oc", words.join(" | "))
        }
    };
    assert!(value.is_none() || option.value.is_some(), "{names:?} have no value");
    let value = option.value.map(|kind| format!(" {}", word(kind, value))).unwrap_or_default();
    let names: Vec<_> = names.iter().map(|name| roff(name)).collect();
    let (before, after) = (words(option.before), words(option.after));
    format!(".It Cm {}{before}{value}{after}\n", names.join(" , "))
}

/// What follows the keyword, as mdoc macros.
fn arguments(keyword: &Keyword, names: &[String]) -> String {
    // What stands before a block is its name.
    let is_block = matches!(keyword.body, Body::Keywords(_) | Body::Entries(_));
    let name = |n: usize| names.get(n).map(String::as_str);
    match &keyword.args {
        Args::Row { kinds: [ValueKind::Text | ValueKind::Short(_)], .. } if is_block => {
            " Ar name".to_owned()
        }
        Args::Row { required, kinds } => {
            let words = kinds.iter().enumerate().map(|(n, kind)| match n < *required {
                true => format!(" {}", word(*kind, name(n))),
                false => format!(" {}", optional(*kind, name(n))),
            });
            words.collect()
        }
        Args::Many { required: 0, kind } => format!(" {} Ar ...", optional(*kind, name(0))),
        Args::Many { kind, .. } => format!(" {} Ar ...", word(*kind, name(0))),
        Args::Options(_) => " Op Ar option ...".to_owned(),
        Args::Script { required, user } => {
            let command = if *required { " Ar command" } else { " Op Ar command" };
            format!("{command}{}", if *user { " Op Ar user Op Ar group" } else { "" })
        }
        Args::Pattern => " Ar pattern".to_owned(),
        Args::Service => " Ar address port | Cm fwmark Ar number | Cm group Ar name".to_owned(),
    }
}

fn optional(kind: ValueKind, name: Option<&str>) -> String {
    format!("Oo {} Oc", word(kind, name))
}

/// An argument: the words that it can be, or a name for it.
fn word(kind: ValueKind, name: Option<&str>) -> String {
    match (kind, name) {
        (_, Some(name)) => format!("Ar {}", roff(name)),
        (
            ValueKind::OneOf(words) | ValueKind::Known(words) | ValueKind::OneOfAnyCase(words),
            None,
        ) => {
            let words: Vec<_> = words.iter().map(|w| format!("Cm {}", roff(w))).collect();
            words.join(" | ")
        }
        (ValueKind::Bool, None) => "Cm on | off".to_owned(),
        _ => format!("Ar {}", plain(kind)),
    }
}

/// A word that stands for the argument.
pub(super) fn plain(kind: ValueKind) -> String {
    let name = match kind {
        ValueKind::Text | ValueKind::Short(_) | ValueKind::Secret(_) | ValueKind::Hidden => "text",
        ValueKind::Bool => "on | off",
        ValueKind::Int { .. } | ValueKind::AnyBase { .. } | ValueKind::Wide => "number",
        ValueKind::Time { unit: Unit::Millis, .. } => "milliseconds",
        ValueKind::Time { .. } => "seconds",
        ValueKind::OneOf(words) | ValueKind::Known(words) | ValueKind::OneOfAnyCase(words) => {
            return words.join(" | ")
        }
        ValueKind::Address => "address",
        ValueKind::Group | ValueKind::Group4 | ValueKind::Group6 => "multicast-address",
        ValueKind::Prefix | ValueKind::Destination | ValueKind::Target => "address/length",
        ValueKind::Range => "addresses",
        ValueKind::Link => "interface",
        ValueKind::Span { .. } => "low-high",
        ValueKind::Ports => "port[-port]",
        ValueKind::Masked => "number/mask",
        ValueKind::Hex { .. } | ValueKind::Digest => "hex-digits",
        ValueKind::Status => "code",
        ValueKind::RouteTime => "time",
    };
    name.to_owned()
}

/// The limits of the arguments that have some.
pub(super) fn limits(args: &Args) -> Vec<String> {
    let mut limits: Vec<_> = match args {
        Args::Row { kinds, .. } => kinds.iter().filter_map(|kind| limit(*kind)).collect(),
        Args::Many { kind, .. } => limit(*kind).into_iter().collect(),
        Args::Options(_) | Args::Script { .. } | Args::Pattern | Args::Service => Vec::new(),
    };
    limits.dedup();
    limits
}

fn limit(kind: ValueKind) -> Option<String> {
    match kind {
        ValueKind::Int { min, max, .. } | ValueKind::AnyBase { min, max } => {
            Some(match max < HUGE - 1 {
                true => format!("Range: {min} to {max}."),
                false if min < -HUGE + 1 => "A number of 32 bits.".to_owned(),
                false => format!("At least {min}."),
            })
        }
        ValueKind::Time { unit, min, max } => {
            let one = if unit == Unit::Millis { 1_000.0 } else { 1_000_000.0 };
            let number = |micros: u64| format!("{}", micros as f64 / one);
            // Up to a microsecond, or a hundred years, the limit is of no interest.
            Some(match (min, max < 1 << 32) {
                (0, true) => format!("Range: 0 to {}.", number(max)),
                (1, true) => format!("More than 0, at most {}.", number(max)),
                (0 | 1, false) => return None,
                (_, true) => format!("Range: {} to {}.", number(min), number(max)),
                (_, false) => format!("At least {}.", number(min)),
            })
        }
        ValueKind::Short(n) => Some(format!("At most {n} characters.")),
        ValueKind::Secret(n) => Some(format!("The first {n} characters count.")),
        _ => None,
    }
}

/// The grammar of a line in words.
pub(super) fn entry_text(entry: &Entry, names: &[String]) -> String {
    let name = |n: usize, kind| names.get(n).cloned().unwrap_or_else(|| plain(kind));
    let head = entry.head.iter().enumerate().map(|(n, kind)| {
        let word = name(n, *kind);
        if n < entry.required {
            word
        } else {
            format!("[{word}]")
        }
    });
    let mut words: Vec<String> = head.collect();
    if let Some(kind) = entry.free {
        words.push(name(entry.head.len(), kind));
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

pub(super) fn roff(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

/// A text on lines of moderate length.
pub(super) fn wrapped(text: &str) -> String {
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
