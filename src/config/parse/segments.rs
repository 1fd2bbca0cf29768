//! A line at its braces.

use crate::config::expand;
use crate::config::lex::{self, Quotes};

/// A piece of a line between braces, or a brace. Numbers are byte positions in the line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::config) enum Segment {
    /// A statement without blanks at either end.
    Statement(usize, usize),
    /// A statement up to the end of the line in which the quote at the third position is open.
    Unterminated(usize, usize, usize),
    Open(usize),
    Close(usize),
}

pub(in crate::config) struct Segments<'a> {
    text: &'a str,
    at: usize,
    flags: u8,
    quotes: Quotes,
    /// The next region of `quotes` to be looked at.
    region: usize,
}

impl<'a> Segments<'a> {
    pub(in crate::config) fn new(text: &'a str, flags: u8) -> Self {
        Self { text, at: 0, flags, quotes: Quotes::find(text, flags), region: 0 }
    }

    /// Goes on at a later position of the line.
    pub(in crate::config) fn skip_to(&mut self, at: usize) {
        self.at = at;
    }

    /// Where the statement that starts at `from` ends.
    fn statement_end(&mut self, from: usize) -> usize {
        let bytes = self.text.as_bytes();
        if self.flags & lex::BRACE == 0 {
            return bytes.len();
        }
        let mut at = from;
        while at < bytes.len() {
            while self.quotes.regions.get(self.region).is_some_and(|r| r.1 < at) {
                self.region += 1;
            }
            match bytes[at] {
                b'"' => match self.quotes.regions.get(self.region) {
                    Some(&(open, close)) if open == at => at = close + 1,
                    _ => return bytes.len(),
                },
                b'{' | b'}' => return at,
                b'$' => at = expand::unresolved(self.text, at).unwrap_or(at + 1),
                _ => at += 1,
            }
        }
        bytes.len()
    }
}

impl Iterator for Segments<'_> {
    type Item = Segment;

    fn next(&mut self) -> Option<Segment> {
        let bytes = self.text.as_bytes();
        while self.at < bytes.len() && lex::is_blank(bytes[self.at]) {
            self.at += 1;
        }
        let start = self.at;
        match bytes.get(start)? {
            b'{' => {
                self.at += 1;
                Some(Segment::Open(start))
            }
            b'}' => {
                self.at += 1;
                Some(Segment::Close(start))
            }
            _ => {
                let end = self.statement_end(start);
                self.at = end;
                let kept = start + lex::trim(&self.text[start..end]).1.len();
                let open = self.quotes.unterminated.filter(|&quote| start <= quote && quote < end);
                let Some(quote) = open else { return Some(Segment::Statement(start, kept)) };
                // A brace at the very end is most likely meant as one.
                let brace = kept > quote + 1 && matches!(bytes[kept - 1], b'{' | b'}');
                self.at = if brace { kept - 1 } else { end };
                Some(Segment::Unterminated(start, self.at, quote))
            }
        }
    }
}
