//! Files that an `include` line may match, and the severity of failures.

use crate::config::lex;

/// Which problems of an include keep the daemon from starting.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct IncludeCheck {
    /// A directory, an executable, something unreadable.
    pub read: bool,
    /// A plain name that does not exist.
    pub plain_match: bool,
    /// A wildcard that matches nothing.
    pub wildcard_match: bool,
    /// One alternative of `{a,b}` that does not exist.
    pub brace_match: bool,
}

impl IncludeCheck {
    pub const NONE: Self =
        Self { read: false, plain_match: false, wildcard_match: false, brace_match: false };
    pub const ALL: Self =
        Self { read: true, plain_match: true, wildcard_match: true, brace_match: true };

    /// Applies the words after `include_check`. Returns errors: the index of a word and the reason
    /// for ignoring it.
    ///
    /// A word without a sign, which can only be one, replaces what was in force and always
    /// includes `read`; `+word` and `-word` change it. No word at all means everything.
    pub fn apply<'a>(&mut self, words: impl Iterator<Item = &'a str>) -> Vec<(usize, String)> {
        let mut wrong = Vec::new();
        let mut words = words.enumerate().peekable();
        if words.peek().is_none() {
            *self = Self::ALL;
        }
        let mut replaced = false;
        for (n, word) in words {
            let (value, name) = match word.strip_prefix('-') {
                Some(name) => (false, name),
                None => (true, word.strip_prefix('+').unwrap_or(word)),
            };
            let is_plain = name.len() == word.len();
            if self.flag(name).is_none() {
                wrong.push((n, format!("'{name}' is no check of include; ignored")));
                continue;
            }
            if is_plain && replaced {
                wrong.push((
                    n,
                    format!("only the first check has no sign; write '+{name}'; ignored"),
                ));
                continue;
            }
            if is_plain {
                *self = Self { read: true, ..Self::NONE };
                replaced = true;
            }
            if let Some(flag) = self.flag(name) {
                *flag = value;
            }
        }
        wrong
    }

    fn flag(&mut self, name: &str) -> Option<&mut bool> {
        match name {
            "read" => Some(&mut self.read),
            "match" => Some(&mut self.plain_match),
            "wildcard_match" => Some(&mut self.wildcard_match),
            "brace_match" => Some(&mut self.brace_match),
            _ => None,
        }
    }
}

/// An `include` statement: its checks, `None` for those in force, and where its pattern starts.
pub(super) fn statement(text: &str) -> Option<(Option<IncludeCheck>, usize)> {
    let rest = text.strip_prefix("include")?.as_bytes();
    let read = IncludeCheck { read: true, ..IncludeCheck::NONE };
    let (check, letters) = match rest.first()? {
        b'r' => (Some(read), 1),
        b'm' => (Some(IncludeCheck { plain_match: true, ..read }), 1),
        b'w' => (Some(IncludeCheck { plain_match: true, wildcard_match: true, ..read }), 1),
        b'b' => (Some(IncludeCheck { brace_match: true, ..read }), 1),
        b'a' => (Some(IncludeCheck::ALL), 1),
        _ => (None, 0),
    };
    let blanks = rest[letters..].iter().take_while(|&&b| lex::is_blank(b)).count();
    let start = "include".len() + letters + blanks;
    (blanks > 0 && start < text.len()).then_some((check, start))
}

/// Where the pattern at the start of a text ends: at a `}` that none of its own `{` opened, for
/// that one closes the block around the statement.
pub(super) fn pattern_end(text: &str) -> usize {
    let mut open = 0u32;
    for (at, b) in text.bytes().enumerate() {
        match b {
            b'{' => open += 1,
            b'}' if open == 0 => return at,
            b'}' => open -= 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(words: &str) -> (IncludeCheck, usize) {
        let mut check = IncludeCheck { wildcard_match: true, ..IncludeCheck::NONE };
        let wrong = check.apply(words.split_whitespace());
        (check, wrong.len())
    }

    #[test]
    fn a_word_without_sign_replaces_and_includes_read() {
        let read = IncludeCheck { read: true, ..IncludeCheck::NONE };
        assert_eq!(applied(""), (IncludeCheck::ALL, 0));
        assert_eq!(applied("read"), (read, 0));
        assert_eq!(applied("brace_match"), (IncludeCheck { brace_match: true, ..read }, 0));
        assert_eq!(
            applied("match -read").0,
            IncludeCheck { plain_match: true, ..IncludeCheck::NONE }
        );
        assert_eq!(applied("match brace_match"), (IncludeCheck { plain_match: true, ..read }, 1));
    }

    #[test]
    fn signs_change_what_was_in_force() {
        let before = IncludeCheck { wildcard_match: true, ..IncludeCheck::NONE };
        assert_eq!(applied("+read"), (IncludeCheck { read: true, ..before }, 0));
        assert_eq!(applied("-wildcard_match"), (IncludeCheck::NONE, 0));
        assert_eq!(applied("nonsense"), (before, 1));
    }

    #[test]
    fn only_the_known_letters_make_an_include() {
        assert!(statement("include x").is_some_and(|s| s == (None, 8)));
        assert!(statement("includea  x").is_some_and(|s| s == (Some(IncludeCheck::ALL), 10)));
        assert_eq!(statement("includex y"), None);
        assert_eq!(statement("include"), None);
        assert_eq!(statement("include_check read"), None);
        assert_eq!(statement("include   "), None);
    }

    #[test]
    fn the_pattern_keeps_its_own_braces_only() {
        assert_eq!(pattern_end("{a,b}.conf"), 10);
        assert_eq!(pattern_end("a.conf } x"), 7);
    }
}
