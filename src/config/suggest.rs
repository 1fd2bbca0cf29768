//! Suggestions for misspelt words.

use std::net::Ipv4Addr;

use super::keyword::{Block, Standing, ValueKind};
use super::keywords;

/// Hint for a keyword that is unknown in `block`.
pub(super) fn keyword(word: &str, block: &'static Block) -> Option<String> {
    if let Some(mark) = punctuation(word) {
        return Some(mark);
    }
    if let Some(near) = nearest(word, block.keywords.iter().map(|k| k.name)) {
        return Some(format!("did you mean '{near}'?"));
    }
    if keywords::READER.contains(&word) {
        return Some(format!("'{word}' wants the name of a file"));
    }
    let mut homes: Vec<&'static str> = Vec::new();
    let mut names: Vec<&'static str> = Vec::new();
    let mut present = None;
    keywords::walk(keywords::ROOT, &mut |b| {
        if let Some(keyword) = b.find(word) {
            if let Standing::Alias { of, .. } = keyword.standing {
                present = present.or_else(|| block.find(of).map(|k| k.name));
            }
            if !homes.contains(&b.name) {
                homes.push(b.name);
            }
        }
        names.extend(b.keywords.iter().map(|k| k.name));
    });
    if let Some(name) = present {
        return Some(format!("in {} it is called '{name}'", block.name));
    }
    if !homes.is_empty() {
        homes.truncate(3);
        return Some(format!("'{word}' belongs into {}", homes.join(" or ")));
    }
    let near = nearest(word, names.iter().copied())?;
    let mut home = None;
    keywords::walk(keywords::ROOT, &mut |b| {
        if home.is_none() && b.find(near).is_some() {
            home = Some(b.name);
        }
    });
    Some(format!("did you mean '{near}'? It belongs into {}", home?))
}

/// Hint for a missing interface: a similar name, and a few of the existing ones. Ends with a blank
/// unless it is empty.
pub(super) fn link(name: &str, exist: &[String]) -> String {
    const SHOWN: usize = 8;
    if let Some(mark) = punctuation(name) {
        return format!("{mark}; ");
    }
    // No virtual router is on this one.
    let others: Vec<&str> = exist.iter().map(String::as_str).filter(|n| *n != "lo").collect();
    if others.is_empty() {
        return String::new();
    }
    let mut text = format!("there are {}", others[..others.len().min(SHOWN)].join(", "));
    if others.len() > SHOWN {
        text.push_str(&format!(" and {} more", others.len() - SHOWN));
        if let Some(near) = nearest(name, others.iter().copied()) {
            text = format!("did you mean '{near}'? {text}");
        }
    }
    text + "; "
}

/// Hint for a word with syntax of other languages.
pub(super) fn punctuation(word: &str) -> Option<String> {
    if word.starts_with("//") || word.starts_with("/*") {
        return Some("a comment begins with '#' or '!'".to_owned());
    }
    // The value may be a secret: it is not shown again.
    if word == "=" || word.split_once('=').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty()) {
        return Some("a blank is between a keyword and its value, and no '='".to_owned());
    }
    match word.chars().last()? {
        ';' => Some("no ';' ends a line".to_owned()),
        ',' => Some("blanks separate words, and no ',' does".to_owned()),
        _ => None,
    }
}

/// True for a word in quotes of the kind that word processors write.
pub(super) fn is_in_typographic_quotes(word: &str) -> bool {
    const QUOTES: [char; 8] = ['“', '”', '„', '‟', '‘', '’', '«', '»'];
    word.starts_with(QUOTES)
}

/// Hint for a word of the wrong kind.
pub(super) fn value(kind: ValueKind, text: &str) -> Option<String> {
    if let Some(mark) = punctuation(text) {
        return Some(mark);
    }
    match kind {
        ValueKind::OneOf(words) => {
            let near = words
                .iter()
                .copied()
                .find(|w| w.eq_ignore_ascii_case(text))
                .or_else(|| nearest(text, words.iter().copied()))?;
            Some(format!("did you mean '{near}'?"))
        }
        ValueKind::Prefix => {
            let mask: Ipv4Addr = text.split_once('/')?.1.parse().ok()?;
            let (ones, zeros) = (mask.to_bits().leading_ones(), mask.to_bits().trailing_zeros());
            (ones + zeros == 32).then(|| format!("{mask} is written as /{ones}"))
        }
        _ => None,
    }
}

/// The candidate nearest to `word`, if it is near enough to be meant.
pub(super) fn nearest<'c>(
    word: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<&'c str> {
    let limit = match word.chars().count() {
        0..=2 => return None,
        3..=5 => 1,
        6..=9 => 2,
        10..=64 => 3,
        _ => return None,
    };
    candidates
        .filter(|c| c.len().abs_diff(word.len()) <= limit)
        .map(|c| (distance(word, c), c))
        .filter(|&(d, _)| d <= limit)
        .min_by_key(|&(d, _)| d)
        .map(|(_, c)| c)
}

/// Number of letters to insert, delete, replace or swap with their neighbours.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().flat_map(char::to_lowercase).collect();
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let differ = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (above[j] + 1).min(row[j - 1] + 1).min(above[j - 1] + differ);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_edits_with_neighbours_swapped_as_one() {
        assert_eq!(distance("priority", "prioritty"), 1);
        assert_eq!(distance("priority", "proirity"), 1);
        assert_eq!(distance("abc", ""), 3);
    }

    #[test]
    fn the_same_block_comes_first_then_others() {
        let instance = &keywords::VRRP_INSTANCE.block;
        assert_eq!(keyword("prioritty", instance).unwrap(), "did you mean 'priority'?");
        assert_eq!(
            keyword("interface", keywords::ROOT).unwrap(),
            "'interface' belongs into bfd_instance or garp_group or vrrp_instance"
        );
        assert_eq!(
            keyword("ruoter_id", instance).unwrap(),
            "did you mean 'router_id'? It belongs into global_defs"
        );
        assert_eq!(keyword("zzzzzz", instance), None);
        assert_eq!(
            keyword("lb_kind", &keywords::REAL_SERVER.block).unwrap(),
            "in real_server it is called 'lvs_method'"
        );
    }

    #[test]
    fn marks_of_other_languages_are_named() {
        let said = |word| punctuation(word).unwrap_or_default();
        assert!(said("//").contains("'#'") && said("//x").contains("'#'"));
        assert!(said("priority=100").contains("'='") && said("=").contains("'='"));
        assert_eq!(said("100;"), "no ';' ends a line");
        assert!(said("eth0,").contains("','"));
        for good in ["", "priority", "a=", "=b", "/path//x"] {
            assert_eq!(punctuation(good), None, "{good}");
        }
    }

    #[test]
    fn interfaces_that_exist_are_named() {
        let names: Vec<_> = ["lo", "eth0", "eth1"].map(str::to_owned).into();
        assert_eq!(link("eth7", &names), "there are eth0, eth1; ");
        assert_eq!(link("wan", &names[..1]), "");
        let many: Vec<_> = (0..10).map(|n| format!("veth{n}")).collect();
        assert!(link("wan", &many).ends_with("veth7 and 2 more; "));
        assert!(link("vteh9", &many).starts_with("did you mean 'veth9'? there are veth0, "));
    }
}
