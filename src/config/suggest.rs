//! The word somebody may have meant.

use std::net::Ipv4Addr;

use super::keyword::{Block, Kind};
use super::keywords;

/// What to say below a keyword that is not known in `block`.
pub(super) fn keyword(word: &str, block: &'static Block) -> Option<String> {
    if let Some(near) = nearest(word, block.keywords.iter().map(|k| k.name)) {
        return Some(format!("did you mean '{near}'?"));
    }
    if keywords::READER.contains(&word) {
        return Some(format!("'{word}' wants the name of a file"));
    }
    let mut homes: Vec<&'static str> = Vec::new();
    let mut names: Vec<&'static str> = Vec::new();
    keywords::walk(&keywords::ROOT, &mut |b| {
        if b.find(word).is_some() && !homes.contains(&b.name) {
            homes.push(b.name);
        }
        names.extend(b.keywords.iter().map(|k| k.name));
    });
    if !homes.is_empty() {
        homes.truncate(3);
        return Some(format!("'{word}' belongs into {}", homes.join(" or ")));
    }
    let near = nearest(word, names.iter().copied())?;
    let mut home = None;
    keywords::walk(&keywords::ROOT, &mut |b| {
        if home.is_none() && b.find(near).is_some() {
            home = Some(b.name);
        }
    });
    Some(format!("did you mean '{near}'? It belongs into {}", home?))
}

/// What to say below a word that is not of its kind.
pub(super) fn value(kind: Kind, text: &str) -> Option<String> {
    match kind {
        Kind::OneOf(words) => {
            let near = words
                .iter()
                .copied()
                .find(|w| w.eq_ignore_ascii_case(text))
                .or_else(|| nearest(text, words.iter().copied()))?;
            Some(format!("did you mean '{near}'?"))
        }
        Kind::Prefix => {
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

/// How many letters have to be put in, left out, exchanged or swapped with their neighbour.
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
        let instance = &keywords::VRRP_INSTANCE;
        assert_eq!(keyword("prioritty", instance).unwrap(), "did you mean 'priority'?");
        assert_eq!(
            keyword("interface", &keywords::ROOT).unwrap(),
            "'interface' belongs into garp_group or vrrp_instance"
        );
        assert_eq!(
            keyword("ruoter_id", instance).unwrap(),
            "did you mean 'router_id'? It belongs into global_defs"
        );
        assert_eq!(keyword("zzzzzz", instance), None);
    }
}
