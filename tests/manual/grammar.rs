//! How a keyword or an option is written, as mdoc: its arguments, their limits, and lines of lists.

use std::fmt::Write as _;

use keepalived::config::keyword::{Args, Body, Entry, Keyword, Kind, Opt, Unit};

/// Lines of text are no longer than this.
pub(super) const WIDTH: usize = 78;
/// Limits beyond this are those of the type, not of the matter.
const HUGE: i64 = 1 << 31;

/// The keyword with its arguments.
pub(super) fn head(keyword: &Keyword) -> String {
    // What stands before a block is its name.
    if let (
        Args::Row { kinds: [Kind::Text | Kind::Short(_)], .. },
        Body::Keywords(_) | Body::Entries(_),
    ) = (keyword.args, keyword.body)
    {
        return format!(".It Ic {} Ar name\n", roff(keyword.name));
    }
    format!(".It Ic {}{}\n", roff(keyword.name), arguments(&keyword.args))
}

/// The option with its values, behind the options that it follows.
pub(super) fn option_head(name: &str, option: &Opt) -> String {
    let words = |words: &[&str]| {
        let words: Vec<_> = words.iter().map(|w| format!("Cm {}", roff(w))).collect();
        if words.is_empty() {
            String::new()
        } else {
            format!(" Oo {} Oc", words.join(" | "))
        }
    };
    let value = option.value.map(|kind| format!(" {}", word(kind))).unwrap_or_default();
    format!(".It Cm {}{}{value}{}\n", roff(name), words(option.before), words(option.after))
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
pub(super) fn plain(kind: Kind) -> String {
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
pub(super) fn limits(args: &Args) -> Vec<String> {
    let mut limits: Vec<_> = match args {
        Args::Row { kinds, .. } => kinds.iter().filter_map(|kind| limit(*kind)).collect(),
        Args::Many { kind, .. } => limit(*kind).into_iter().collect(),
        Args::Options(_) | Args::Script { .. } | Args::Pattern | Args::Service => Vec::new(),
    };
    limits.dedup();
    limits
}

fn limit(kind: Kind) -> Option<String> {
    match kind {
        Kind::Int { min, max, .. } | Kind::AnyBase { min, max } if max < HUGE - 1 => {
            Some(format!("Range: {min} to {max}."))
        }
        Kind::Time { unit, min, max } => {
            let one = if unit == Unit::Millis { 1_000.0 } else { 1_000_000.0 };
            let number = |micros: u64| format!("{}", micros as f64 / one);
            match (min > 1, max < 1 << 32) {
                (true, true) => Some(format!("Range: {} to {}.", number(min), number(max))),
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
pub(super) fn entry_text(entry: &Entry) -> String {
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
