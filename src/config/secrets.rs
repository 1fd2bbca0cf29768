//! Hides passwords and keys in diagnostics and in the source lines shown with them.
//!
//! The tables define which keywords have secrets ([`ValueKind`](super::keyword::ValueKind)). Secrets in wrong
//! statements are hidden too: after a misspelt keyword, in a wrong block, in the next line. So the
//! words of the line are decisive rather than the statement, and in doubt a line is not shown.

use std::sync::OnceLock;

use super::keyword::{Args, Block, Keyword};
use super::keywords;
use super::suggest;

/// Replacement of a secret.
pub(super) const HIDDEN: &str = "********";
/// Words of which the rest of the line is hidden, whatever the keywords are.
const TELLING: [&str; 3] = ["pass", "secret", "hmac"];
/// Shorter names are too easily meant by chance.
const LONG: usize = 5;
/// Marks that are no secret by themselves.
const MARKS: [char; 9] = ['=', ':', ';', ',', '{', '}', '"', '\'', '\\'];

/// True for the name of a keyword with a secret, in whichever block.
pub(super) fn is_name(word: &str) -> bool {
    names().secret.contains(&word)
}

/// A text about a line as it may be shown; `None` if nothing in the line is secret. `before` is the
/// line before it, without those that are empty.
pub(super) fn veiled(text: &str, line: &str, before: &str) -> Option<String> {
    let secrets = secrets(line).or_else(|| {
        let runs_on = wants_more(before);
        runs_on.then(|| words(line).collect())
    })?;
    let mut text = text.to_owned();
    for secret in secrets {
        // Long lines are shown in part.
        let cut: String = secret.chars().take(40).collect();
        for secret in [secret, &cut] {
            text = without(&text, secret);
        }
    }
    Some(text)
}

/// The words that the tables know.
struct Names {
    secret: Vec<&'static str>,
    other: Vec<&'static str>,
}

fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut names = Names { secret: Vec::new(), other: Vec::new() };
        keywords::walk(keywords::ROOT, &mut |block: &'static Block| {
            for keyword in block.keywords {
                if keyword.is_secret() {
                    names.secret.push(keyword.name);
                }
                names.other.push(keyword.name);
            }
        });
        names
    })
}

impl Keyword {
    /// One of its words is a secret.
    pub(super) fn is_secret(&self) -> bool {
        match self.args {
            Args::Row { kinds, .. } => kinds.iter().any(|kind| kind.is_secret()),
            Args::Many { kind, .. } => kind.is_secret(),
            Args::Options(_) | Args::Script { .. } | Args::Pattern | Args::Service => false,
        }
    }
}

fn words(line: &str) -> impl DoubleEndedIterator<Item = &str> {
    line.split(|c: char| c.is_whitespace() || matches!(c, '{' | '}'))
        .map(|word| word.trim_matches(['"', '\'', '\\', '“', '”', '„', ';', ',']))
        .filter(|word| word.chars().any(|c| !MARKS.contains(&c)))
}

/// The words of a line that are not to be shown; `None` if there is no reason for that.
fn secrets(line: &str) -> Option<Vec<&str>> {
    let all: Vec<&str> = words(line).collect();
    let at = all.iter().position(|word| announces(word))?;
    let (head, tail) = split(all[at]);
    let mut secrets = Vec::new();
    if !tail.is_empty() {
        secrets.push(tail);
    } else if !is_name(head) && names().secret.iter().any(|n| n.len() > LONG && head.starts_with(n))
    {
        // Written together with its name.
        secrets.push(all[at]);
    }
    secrets.extend(&all[at + 1 + usize::from(is_numbered(&all[at..]))..]);
    if secrets.is_empty() {
        // Perhaps in the wrong order.
        secrets.extend(&all[..at]);
    }
    Some(secrets)
}

/// `key NUMBER SECRET`: the number is none.
fn is_numbered(words: &[&str]) -> bool {
    let is_number = |word: &str| word.len() <= 3 && word.bytes().all(|b| b.is_ascii_digit());
    matches!(words, ["key", number, _, ..] if is_number(number))
}

/// The name in `NAME=VALUE` and `NAME:VALUE`, and the value.
fn split(word: &str) -> (&str, &str) {
    let word = word.trim_start_matches(['$', '@', '~', '#', '!', '(', '-']);
    let (name, value) = word.split_once(['=', ':']).unwrap_or((word, ""));
    (name, value.trim_matches(MARKS))
}

/// A secret may follow this word.
fn announces(word: &str) -> bool {
    let (name, _) = split(word);
    if is_name(name) {
        return true;
    }
    if word == "PASS" || names().other.contains(&name) {
        return false;
    }
    let lower = name.to_lowercase();
    let long = names().secret.iter().copied().filter(|n| n.len() >= LONG);
    TELLING.iter().any(|t| lower.contains(t))
        || is_name(&lower)
        || name.len() >= LONG && suggest::nearest(&lower, long).is_some()
}

/// The secret that a line announces is not in it, or not all of it.
fn wants_more(line: &str) -> bool {
    let code = line.split(['#', '!']).next().unwrap_or_default();
    let all: Vec<&str> = words(code).collect();
    let Some(at) = all.iter().position(|word| announces(word)) else { return false };
    let open = code.matches('"').count() % 2 == 1;
    match all[at + 1..] {
        [] => split(all[at]).1.is_empty(),
        // `key 1` without the key.
        [number] if number.bytes().all(|b| b.is_ascii_digit()) => split(all[at]).0 == "key" || open,
        _ => open,
    }
}

/// The text with a word hidden wherever it stands alone, unless it is a keyword.
fn without(text: &str, word: &str) -> String {
    if names().other.contains(&word) {
        return text.to_owned();
    }
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        let joined =
            before.chars().next_back().or_else(|| out.chars().next_back()).is_some_and(part)
                && word.starts_with(part)
                || after.starts_with(part) && word.ends_with(part);
        out.push_str(before);
        out.push_str(if joined { word } else { HIDDEN });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
