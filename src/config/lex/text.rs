//! A text with the origin of each of its parts.
//!
//! Most lines are used as they were written, and a byte of the text is a byte of the line.
//! Substituted text keeps a list of pieces, so that every diagnostic has a position.

use std::cell::Cell;

use crate::base::diag::Span;

/// The physical line that a text comes from.
#[derive(Clone, Debug)]
pub(in crate::config) struct LinePlace<'t> {
    pub(in crate::config) file: u32,
    pub(in crate::config) line: u32,
    pub(in crate::config) source: &'t str,
    /// One byte is one column.
    pub(in crate::config) ascii: bool,
    /// Where everything points, for text that was generated: lines 2.. of a definition.
    pub(in crate::config) fixed: Option<Span>,
    /// A byte and the characters before it: words come in order, and a line may be long.
    pub(in crate::config) counted: Cell<(usize, usize)>,
}

impl LinePlace<'_> {
    /// The span of some bytes of the physical line.
    pub(in crate::config) fn span(&self, from: usize, to: usize) -> Span {
        if let Some(span) = self.fixed {
            return span;
        }
        let (column, len) = if self.ascii {
            (from, to.saturating_sub(from))
        } else {
            (self.characters_before(from), characters(self.source, from, to))
        };
        Span {
            file: self.file,
            line: self.line,
            column: narrow(column + 1),
            len: narrow(len.max(1)),
        }
    }

    fn characters_before(&self, at: usize) -> usize {
        let (byte, before) = self.counted.get();
        let (byte, before) = if byte <= at { (byte, before) } else { (0, 0) };
        let count = before + characters(self.source, byte, at);
        self.counted.set((at, count));
        count
    }
}

/// How many characters start in a stretch of bytes.
fn characters(source: &str, from: usize, to: usize) -> usize {
    let starts = |b: &&u8| !(0x80..0xc0).contains(*b);
    source.as_bytes().get(from..to).map_or(0, |bytes| bytes.iter().filter(starts).count())
}

fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Origin of a piece of text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::config) enum By {
    /// The operator, in this line.
    Written,
    /// A `$definition` used in this line.
    Definition,
    /// A built-in definition.
    Builtin,
}

/// A stretch of generated text, up to the start of the next piece.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: usize,
    /// For written text the byte of the line where it starts; else the bytes of the use.
    from: usize,
    to: usize,
    by: By,
}

/// A text, or part of one, that knows its origin.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct Text<'a> {
    pub(in crate::config) text: &'a str,
    offset: usize,
    /// Empty if the text is the physical line from `offset` on.
    pieces: &'a [Piece],
}

impl<'a> Text<'a> {
    /// Part of the physical line, starting at `offset`.
    pub(in crate::config) fn written(text: &'a str, offset: usize) -> Self {
        Self { text, offset, pieces: &[] }
    }

    pub(in crate::config) fn sub(self, from: usize, to: usize) -> Self {
        Self { text: &self.text[from..to], offset: self.offset + from, pieces: self.pieces }
    }

    pub(in crate::config) fn trimmed(self) -> Self {
        let (front, text) = super::trim(self.text);
        Self { text, offset: self.offset + front, pieces: self.pieces }
    }

    pub(in crate::config) fn trimmed_end(self) -> Self {
        let blanks = self.text.bytes().rev().take_while(|&b| super::is_blank(b)).count();
        Self { text: &self.text[..self.text.len() - blanks], ..self }
    }

    /// The offset in the physical line if the text is part of it as it was written.
    pub(in crate::config) fn plain_offset(self) -> Option<usize> {
        self.pieces.is_empty().then_some(self.offset)
    }

    /// The bytes of the physical line that the byte at `at` stands for, and its origin.
    pub(in crate::config) fn origin(self, at: usize) -> (usize, usize, By) {
        let at = self.offset + at;
        let after = self.pieces.partition_point(|p| p.start <= at);
        match after.checked_sub(1).map(|n| self.pieces[n]) {
            None => (at, at + 1, By::Written),
            Some(p) if p.by == By::Written => {
                let from = p.from + (at - p.start);
                (from, from + 1, By::Written)
            }
            Some(p) => (p.from, p.to, p.by),
        }
    }

    /// Whether a stretch was written as it stands, or comes from a definition as a whole.
    ///
    /// A token assembled by substitution has no special meaning, and neither have values from the
    /// environment or random ones.
    pub(in crate::config) fn is_of_one_piece(self, from: usize, to: usize) -> bool {
        let piece = |at: usize| self.pieces.partition_point(|p| p.start <= self.offset + at);
        piece(from) == piece(to - 1) && self.origin(from).2 != By::Builtin
    }

    /// Where a stretch of the text was written: the use for what a definition gave.
    pub(in crate::config) fn span(self, place: &LinePlace<'_>, from: usize, to: usize) -> Span {
        let (start, first_end, _) = self.origin(from);
        if to <= from + 1 {
            return place.span(start, first_end.max(start + (to - from)));
        }
        let (_, end, _) = self.origin(to - 1);
        place.span(start, end.max(first_end))
    }

    /// The span of the whole text.
    pub(in crate::config) fn whole(self, place: &LinePlace<'_>) -> Span {
        self.span(place, 0, self.text.len())
    }
}

/// A text being put together from pieces.
#[derive(Default, Debug)]
pub(in crate::config) struct Traced {
    text: String,
    pieces: Vec<Piece>,
}

impl Traced {
    /// A line without the bytes at some positions.
    pub(in crate::config) fn without(line: Text<'_>, positions: &[usize]) -> Self {
        let mut traced = Self::default();
        let mut from = 0;
        for &at in positions {
            traced.copy(line.sub(from, at));
            from = at + 1;
        }
        traced.copy(line.sub(from, line.text.len()));
        traced
    }

    /// The value of a definition used in the bytes `from..to` of the physical line.
    pub(in crate::config) fn inserted(value: &str, from: usize, to: usize) -> Self {
        let mut traced = Self::default();
        traced.insert(value, from, to, By::Definition);
        traced
    }

    /// Appends a text with its origins.
    pub(in crate::config) fn copy(&mut self, text: Text<'_>) {
        if text.text.is_empty() {
            return;
        }
        let start = self.text.len();
        let (from, to, by) = text.origin(0);
        self.pieces.push(Piece { start, from, to, by });
        let first = text.pieces.partition_point(|p| p.start <= text.offset);
        let after = text.pieces.partition_point(|p| p.start < text.offset + text.text.len());
        let moved = |p: &Piece| Piece { start: p.start - text.offset + start, ..*p };
        self.pieces.extend(text.pieces[first..after].iter().map(moved));
        self.text.push_str(text.text);
    }

    /// Appends the value of a use in the bytes `from..to` of the physical line.
    pub(in crate::config) fn insert(&mut self, text: &str, from: usize, to: usize, by: By) {
        if text.is_empty() {
            return;
        }
        let same = |p: &Piece| p.by == by && p.from == from && p.to == to;
        if !self.pieces.last().is_some_and(same) {
            self.pieces.push(Piece { start: self.text.len(), from, to, by });
        }
        self.text.push_str(text);
    }

    pub(in crate::config) fn text(&self) -> Text<'_> {
        Text { text: &self.text, offset: 0, pieces: &self.pieces }
    }

    /// Keeps the first bytes only.
    pub(in crate::config) fn truncate(&mut self, len: usize) {
        self.text.truncate(len);
        self.pieces.retain(|p| p.start < len);
    }

    pub(in crate::config) fn len(&self) -> usize {
        self.text.len()
    }
}
