//! File name patterns: `*`, `?`, `[...]`, `{a,b}`.
//!
//! Implemented here because the C library of the static build has no brace alternatives, and
//! because tests match names that exist only in memory.

use crate::config::loader::Loader;

/// Limit of names that one pattern may check.
pub(super) const MAX_NAMES: usize = 100_000;
/// Limit of patterns that braces may expand to.
const MAX_ALTERNATIVES: usize = 10_000;
/// Length limit: matching takes quadratic time in the worst case.
const MAX_LEN: usize = 1024;

/// One pattern of those that braces stood for.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Alternative {
    pub(super) pattern: String,
    /// It contains `*`, `?` or `[...]`, so matching nothing may be intended.
    pub(super) is_wild: bool,
    /// Matching names, sorted.
    pub(super) paths: Vec<String>,
}

/// A pattern stands for too many names.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct TooMany;

/// Expands a pattern; relative names are resolved in `directory`.
pub(super) fn expand(
    loader: &dyn Loader,
    directory: &str,
    pattern: &str,
) -> Result<Vec<Alternative>, TooMany> {
    let mut alternatives = Vec::new();
    let mut visited = 0;
    for pattern in braces(pattern)? {
        let mut paths = Vec::new();
        let start = if pattern.starts_with('/') { "/" } else { directory };
        let parts: Vec<&str> = pattern.split('/').filter(|p| !p.is_empty()).collect();
        let is_wild = parts.iter().any(|p| is_wild(p));
        if !parts.is_empty() {
            walk(loader, start.to_owned(), &parts, &mut visited, &mut paths)?;
        }
        alternatives.push(Alternative { pattern, is_wild, paths });
    }
    Ok(alternatives)
}

/// A name in a directory; `""` is the working directory.
pub(super) fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() || name.starts_with('/') {
        name.to_owned()
    } else if directory.ends_with('/') {
        format!("{directory}{name}")
    } else {
        format!("{directory}/{name}")
    }
}

/// The directory part of a name.
pub(super) fn directory(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) => "/",
        Some(at) => &path[..at],
        None => "",
    }
}

fn walk(
    loader: &dyn Loader,
    at: String,
    parts: &[&str],
    visited: &mut usize,
    out: &mut Vec<String>,
) -> Result<(), TooMany> {
    // Each step queries the file system.
    loader.breathe();
    let Some((part, rest)) = parts.split_first() else {
        if loader.exists(&at) {
            out.push(at);
        }
        return Ok(());
    };
    if !is_wild(part) {
        return walk(loader, join(&at, &unescape(part)), rest, visited, out);
    }
    let mut names = loader.list(&at).unwrap_or_default();
    *visited += names.len();
    if *visited > MAX_NAMES {
        return Err(TooMany);
    }
    let pattern: Vec<char> = part.chars().collect();
    names.retain(|name| matches(&pattern, name));
    names.sort_unstable();
    names.into_iter().try_for_each(|name| walk(loader, join(&at, &name), rest, visited, out))
}

/// The patterns that `{a,b}` stand for, in the order written.
fn braces(pattern: &str) -> Result<Vec<String>, TooMany> {
    if pattern.len() > MAX_LEN {
        return Err(TooMany);
    }
    let mut done = Vec::new();
    let mut todo = vec![pattern.to_owned()];
    while let Some(pattern) = todo.pop() {
        if todo.len() + done.len() > MAX_ALTERNATIVES {
            return Err(TooMany);
        }
        match first_braces(&pattern) {
            None => done.push(pattern),
            Some((open, commas, close)) => {
                let mut edges = vec![open];
                edges.extend(commas);
                edges.push(close);
                for pair in edges.windows(2).rev() {
                    let (before, after) = (&pattern[..open], &pattern[close + 1..]);
                    todo.push(format!("{before}{}{after}", &pattern[pair[0] + 1..pair[1]]));
                }
            }
        }
    }
    Ok(done)
}

/// The first pair of braces that belongs together, and its commas. `{}` is a name like any other.
fn first_braces(pattern: &str) -> Option<(usize, Vec<usize>, usize)> {
    let bytes = pattern.as_bytes();
    let mut stack: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut found: Option<(usize, Vec<usize>, usize)> = None;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'{' if bytes.get(at + 1) == Some(&b'}') => at += 1,
            b'{' => stack.push((at, Vec::new())),
            b',' => {
                if let Some((_, commas)) = stack.last_mut() {
                    commas.push(at);
                }
            }
            b'}' => {
                if let Some((open, commas)) = stack.pop() {
                    if stack.is_empty() {
                        return Some((open, commas, at));
                    }
                    found = Some((open, commas, at));
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn is_wild(part: &str) -> bool {
    let bytes = part.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'*' | b'?' => return true,
            b'[' if part[at + 1..].contains(']') => return true,
            _ => {}
        }
        at += 1;
    }
    false
}

fn unescape(part: &str) -> String {
    let mut out = String::new();
    let mut chars = part.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    out
}

/// Whether one name matches one part of a pattern. A leading dot must be written.
fn matches(pattern: &[char], name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    if name.first() == Some(&'.') && pattern.first() != Some(&'.') {
        return false;
    }
    let (mut p, mut n) = (0, 0);
    // After a mismatch: the last star takes one character more.
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            p += 1;
            retry = Some((p, n));
        } else if let Some(next) = match_one(pattern, p, name[n]) {
            p = next;
            n += 1;
        } else if let Some((star, from)) = retry {
            p = star;
            n = from + 1;
            retry = Some((star, from + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

/// Matches one character at `p`, and gives the position after it in the pattern.
fn match_one(pattern: &[char], p: usize, c: char) -> Option<usize> {
    match *pattern.get(p)? {
        '?' => Some(p + 1),
        '\\' if p + 1 < pattern.len() => (pattern[p + 1] == c).then_some(p + 2),
        '[' => match set_end(pattern, p) {
            Some(end) => in_set(&pattern[p + 1..end], c).then_some(end + 1),
            None => (c == '[').then_some(p + 1),
        },
        other => (other == c).then_some(p + 1),
    }
}

/// The position of the `]` that ends the set at `p`; one right after the `[` is a member.
fn set_end(pattern: &[char], p: usize) -> Option<usize> {
    let mut at = p + 1;
    if matches!(pattern.get(at), Some('!' | '^')) {
        at += 1;
    }
    let mut first = true;
    while let Some(&c) = pattern.get(at) {
        match c {
            ']' if !first => return Some(at),
            '[' if pattern.get(at + 1) == Some(&':') => {
                let close = pattern[at + 2..].windows(2).position(|w| w == [':', ']']);
                at = close.map_or(at, |len| at + 2 + len + 1);
            }
            _ => {}
        }
        first = false;
        at += 1;
    }
    None
}

fn in_set(set: &[char], c: char) -> bool {
    let (negated, mut set) = match set.split_first() {
        Some(('!' | '^', rest)) => (true, rest),
        _ => (false, set),
    };
    let mut found = false;
    while let Some((&first, rest)) = set.split_first() {
        let class = if first == '[' { class(rest) } else { None };
        if let Some((name, rest)) = class {
            found |= in_class(&name, c);
            set = rest;
        } else if let ['-', last, rest @ ..] = rest {
            found |= (first..=*last).contains(&c);
            set = rest;
        } else {
            found |= first == c;
            set = rest;
        }
    }
    found != negated
}

/// The name of a class such as `:digit:]`, and what follows it.
fn class(set: &[char]) -> Option<(String, &[char])> {
    let inner = set.strip_prefix(&[':'])?;
    let len = inner.windows(2).position(|w| w == [':', ']'])?;
    Some((inner[..len].iter().collect(), &inner[len + 2..]))
}

fn in_class(name: &str, c: char) -> bool {
    match name {
        "alnum" => c.is_alphanumeric(),
        "alpha" => c.is_alphabetic(),
        "digit" => c.is_ascii_digit(),
        "lower" => c.is_lowercase(),
        "upper" => c.is_uppercase(),
        "punct" => c.is_ascii_punctuation(),
        "space" => c.is_whitespace(),
        "xdigit" => c.is_ascii_hexdigit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::MemoryLoader;

    fn is_match(pattern: &str, name: &str) -> bool {
        matches(&pattern.chars().collect::<Vec<_>>(), name)
    }

    fn paths(pattern: &str) -> Vec<String> {
        let names =
            ["/c/b.conf", "/c/a.conf", "/c/.hidden.conf", "/c/d1/x", "/c/d2/x", "/c/d2/y", "/c/{}"];
        let loader = names.iter().fold(MemoryLoader::default(), |l, n| l.and(n, ""));
        expand(&loader, "/c", pattern).unwrap().into_iter().flat_map(|a| a.paths).collect()
    }

    #[test]
    fn wildcards_within_a_name() {
        assert!(is_match("*", "a") && is_match("a*", "a") && is_match("*b*d", "abcbd"));
        assert!(!is_match("*b*d", "abcb"));
        assert!(is_match("a?c", "aéc") && !is_match("a?c", "ac"));
        assert!(is_match(r"\*", "*") && !is_match(r"\*", "a"));
        assert!(is_match("[a-c]x", "bx") && !is_match("[!a-c]x", "bx") && is_match("[^a]x", "bx"));
        assert!(is_match("[]a]", "]") && is_match("[a-]", "-") && is_match("[", "["));
        assert!(is_match("[[:digit:]_]", "7") && is_match("[[:digit:]_]", "_"));
        assert!(!is_match("[[:digit:]_]", "a"));
    }

    #[test]
    fn a_leading_dot_must_be_written() {
        assert!(!is_match("*", ".a") && is_match(".*", ".a") && !is_match("[.]a", ".a"));
    }

    #[test]
    fn names_are_sorted_within_an_alternative() {
        assert_eq!(paths("*.conf"), ["/c/a.conf", "/c/b.conf"]);
        assert_eq!(paths("{b,a}.conf"), ["/c/b.conf", "/c/a.conf"]);
        assert_eq!(paths("d*/x"), ["/c/d1/x", "/c/d2/x"]);
        assert_eq!(paths("/c/d2/*"), ["/c/d2/x", "/c/d2/y"]);
        assert_eq!(paths("nosuch"), [""; 0]);
    }

    #[test]
    fn braces_nest_and_may_be_names() {
        assert_eq!(braces("a{b,c{d,e}}f").unwrap(), ["abf", "acdf", "acef"]);
        assert_eq!(braces("{a,b}{c,d}").unwrap(), ["ac", "ad", "bc", "bd"]);
        assert_eq!(braces("{,x}").unwrap(), ["", "x"]);
        assert_eq!(braces("a{b").unwrap(), ["a{b"]);
        assert_eq!(braces("a{b{c,d}").unwrap(), ["a{bc", "a{bd"]);
        assert_eq!(paths("{}"), ["/c/{}"]);
        assert_eq!(braces(r"\{a,b}").unwrap(), [r"\{a,b}"]);
    }

    #[test]
    fn a_bomb_of_braces_is_refused() {
        assert_eq!(braces(&"{a,b}".repeat(40)), Err(TooMany));
    }

    #[test]
    fn a_star_bomb_takes_no_time() {
        assert!(!is_match(&"*a".repeat(60), &"a".repeat(59)));
        assert!(!is_match(&("*a".repeat(60) + "b"), &"a".repeat(200)));
    }
}
