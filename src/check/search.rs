//! Looks for a pattern in a body of any length, holding only a part of it.
//!
//! The text is searched when the window is full and at the end, not whenever a few bytes arrive:
//! a server that sends single bytes costs no more than another. What is lost are matches longer
//! than half the window, and those only where the window moves.

use crate::model::check::PageRegex;

/// Bytes held at most, and looked at in one go: with the worst of patterns that takes some ten
/// milliseconds.
const WINDOW: usize = 16 * 1024;

/// What stays when the window moves: room for matches across the border, and their context.
const KEPT: usize = WINDOW / 2;

/// A search in progress.
#[derive(Clone, Debug)]
pub struct Search {
    regex: PageRegex,
    window: Vec<u8>,
    /// Where in the body the window begins.
    base: usize,
    /// `firstline`: where the first line ends, once that is known.
    first_line_end: Option<usize>,
    found: bool,
}

impl Search {
    pub fn new(regex: PageRegex) -> Self {
        Self { regex, window: Vec::new(), base: 0, first_line_end: None, found: false }
    }

    pub fn received(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.is_settled() {
            let room = WINDOW - self.window.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.append(now);
            bytes = later;
            if self.window.len() == WINDOW {
                self.look(false);
                self.base += WINDOW - KEPT;
                self.window.drain(..WINDOW - KEPT);
            }
        }
    }

    /// The body is complete: whether the pattern is in it.
    pub fn finish(&mut self) -> bool {
        if !self.is_settled() {
            self.look(true);
        }
        self.found
    }

    fn append(&mut self, bytes: &[u8]) {
        if self.first_line_end.is_none() {
            let end = bytes.iter().position(|b| *b == b'\n');
            self.first_line_end = end.map(|at| self.base + self.window.len() + at);
        }
        self.window.extend_from_slice(bytes);
    }

    /// The last place where a match may begin.
    fn last_start(&self) -> usize {
        let line = self.first_line_end.filter(|_| self.regex.pattern.is_first_line());
        self.regex.max_offset.unwrap_or(usize::MAX).min(line.unwrap_or(usize::MAX))
    }

    /// More bytes change nothing.
    fn is_settled(&self) -> bool {
        self.found || self.base > self.last_start()
    }

    fn look(&mut self, is_end: bool) {
        // The first byte of a moved window is context: the text does not begin there.
        let from = self.regex.min_offset.saturating_sub(self.base).max(usize::from(self.base > 0));
        let Some((start, end)) = self.regex.pattern.find(&self.window, from) else { return };
        // With more text, a match at the very end could become longer, or none. But when it
        // begins before what is kept there will be no second look at it.
        let is_sure = is_end || end < self.window.len() || start < WINDOW - KEPT;
        self.found = is_sure && self.base + start <= self.last_start();
    }
}

#[cfg(all(test, feature = "regex"))]
mod tests {
    use super::*;
    use crate::base::pattern::Pattern;

    fn regex(pattern: &str, options: &[&str]) -> PageRegex {
        let pattern = Pattern::compile(pattern, options).expect("compiles");
        PageRegex { pattern, no_match: false, min_offset: 0, max_offset: None }
    }

    fn found(regex: PageRegex, text: &[u8], piece: usize) -> bool {
        let mut search = Search::new(regex);
        text.chunks(piece).for_each(|bytes| search.received(bytes));
        search.finish()
    }

    fn page(at: usize, word: &str, len: usize) -> Vec<u8> {
        let mut text = vec![b'.'; len];
        text[at..at + word.len()].copy_from_slice(word.as_bytes());
        text
    }

    #[test]
    fn a_match_is_found_wherever_the_window_moves() {
        let len = 3 * WINDOW;
        for at in [0, KEPT - 2, KEPT, WINDOW - 4, WINDOW - 2, WINDOW, WINDOW + KEPT - 1, len - 4] {
            let text = page(at, "need", len);
            for piece in [997, len] {
                assert!(found(regex("need", &[]), &text, piece), "at {at} by {piece}");
            }
            assert!(!found(regex("haystack", &[]), &text, len));
        }
    }

    #[test]
    fn anchors_are_those_of_the_body_not_of_the_window() {
        let text = page(0, "A", 2 * WINDOW);
        assert!(found(regex("^A", &[]), &text, 1000));
        assert!(!found(regex(r"^\.", &[]), &text, 1000));
        assert!(!found(regex("^$", &[]), &text, 1000));
        assert!(!found(regex(r"A\.{0,9}$", &[]), &text, 1000));
        assert!(found(regex(r"\.$", &[]), &text, 1000));
        assert!(found(regex("^$", &[]), b"", 1));
    }

    #[test]
    fn offsets_say_where_the_match_begins() {
        let with = |min, max| PageRegex { min_offset: min, max_offset: max, ..regex("ab", &[]) };
        let text = b"..ab..ab";
        assert!(found(with(2, Some(2)), text, 1));
        assert!(found(with(3, None), text, 1));
        assert!(found(with(3, Some(6)), text, 1));
        assert!(!found(with(3, Some(5)), text, 1));
        assert!(!found(with(7, None), text, 1));
        assert!(!found(with(999, None), text, 1));
        let far = page(WINDOW + 9_000, "ab", 2 * WINDOW);
        assert!(found(with(WINDOW + 9_000, Some(WINDOW + 9_000)), &far, 4096));
        assert!(!found(with(0, Some(WINDOW + 8_999)), &far, 4096));
    }

    #[test]
    fn firstline_means_the_first_line_of_the_body() {
        assert!(found(regex("b", &["firstline"]), b"ab\nc", 1));
        assert!(!found(regex("c", &["firstline"]), b"ab\nc", 1));
        assert!(found(regex("c", &["firstline"]), b"abc", 1));
    }

    #[test]
    fn memory_is_bounded() {
        let mut search = Search::new(regex("never", &[]));
        for _ in 0..40 {
            search.received(&[b'.'; 50_000]);
            assert!(search.window.len() < WINDOW && search.window.capacity() <= 2 * WINDOW);
        }
    }
}
