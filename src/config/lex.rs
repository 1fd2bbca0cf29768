//! Characters to words: comments, double quotes, blanks.
//!
//! Finds the start of comments, the text protected by quotes and the ends of words. Knows nothing
//! of lines that depend on each other (`expand`) or of blocks (`parse`). Script keywords split
//! their text once more, by rules of their own: [`script`].

pub mod script;
pub(super) mod text;

use crate::base::diag::Span;
use crate::config::document::Word;

/// Special characters of a line, so that a plain line is recognised while finding its end.
pub(super) const COMMENT: u8 = 1;
pub(super) const QUOTE: u8 = 2;
pub(super) const BRACE: u8 = 4;
pub(super) const DOLLAR: u8 = 8;
pub(super) const BACKSLASH: u8 = 16;
pub(super) const NUL: u8 = 32;
pub(super) const WIDE: u8 = 64;
/// Separates words.
pub(super) const BLANK: u8 = 128;

static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    table[b'#' as usize] = COMMENT;
    table[b'!' as usize] = COMMENT;
    table[b'"' as usize] = QUOTE;
    table[b'{' as usize] = BRACE;
    table[b'}' as usize] = BRACE;
    table[b'$' as usize] = DOLLAR;
    table[b'\\' as usize] = BACKSLASH;
    table[0] = NUL;
    let blanks = b" \t\x0b\x0c\r\n";
    let mut n = 0;
    while n < blanks.len() {
        table[blanks[n] as usize] = BLANK;
        n += 1;
    }
    let mut n = 128;
    while n < 256 {
        table[n] = WIDE;
        n += 1;
    }
    table
}

/// A line as it was found.
pub(super) struct Line {
    /// Where it starts apart from its blanks.
    pub(super) first: usize,
    /// At its LF, or at the end of the text.
    pub(super) end: usize,
    /// What it contains.
    pub(super) flags: u8,
}

/// Finds the line that starts at `from`.
pub(super) fn scan_line(bytes: &[u8], from: usize) -> Line {
    let indent = |&b: &u8| b != b'\n' && is_blank(b);
    let first = from + bytes[from..].iter().take_while(|b| indent(b)).count();
    let mut flags = 0;
    let mut rest = bytes[first..].iter();
    while let Some(&b) = rest.next() {
        if b == b'\n' {
            return Line { first, end: bytes.len() - rest.len() - 1, flags };
        }
        flags |= CLASS[b as usize];
    }
    Line { first, end: bytes.len(), flags }
}

/// What a text contains.
pub(super) fn flags(text: &str) -> u8 {
    text.bytes().fold(0, |seen, b| seen | CLASS[b as usize])
}

pub(super) fn is_blank(b: u8) -> bool {
    CLASS[b as usize] == BLANK
}

/// The text without blanks at either end, and how many bytes went at the front.
pub(super) fn trim(text: &str) -> (usize, &str) {
    let bytes = text.as_bytes();
    let mut start = 0;
    let mut end = bytes.len();
    while start < end && is_blank(bytes[start]) {
        start += 1;
    }
    while end > start && is_blank(bytes[end - 1]) {
        end -= 1;
    }
    (start, &text[start..end])
}

/// The stretches of a text that double quotes protect.
#[derive(Default)]
pub(super) struct Quotes {
    /// Positions of the opening and of the closing quote, in order.
    pub(super) regions: Vec<(usize, usize)>,
    /// The quote that nothing closes.
    pub(super) unterminated: Option<usize>,
}

impl Quotes {
    /// Finds them. `flags` are those of the text.
    ///
    /// Words know no escapes: the next quote closes. Scripts do, and their `"sh -c \"a # {b}\""`
    /// reaches this place before it is known to be a script. So a quote is closed by the
    /// next one without a backslash, provided that what lies between reads the same either way:
    /// the quotes with a backslash are even in number.
    pub(super) fn find(text: &str, flags: u8) -> Self {
        let mut quotes = Self::default();
        if flags & QUOTE == 0 {
            return quotes;
        }
        if flags & BACKSLASH == 0 {
            quotes.find_plain(text);
            return quotes;
        }
        let marks = marks(text);
        let plain_after = next_plain(&marks);
        let mut k = 0;
        while k < marks.len() {
            let close = match plain_after[k + 1] {
                Some(plain) if (plain - k - 1) % 2 == 0 => plain,
                _ => k + 1,
            };
            match marks.get(close) {
                Some(&(at, _)) => quotes.regions.push((marks[k].0, at)),
                None => quotes.unterminated = Some(marks[k].0),
            }
            k = close + 1;
        }
        quotes
    }

    /// Finds them in a text without backslashes.
    fn find_plain(&mut self, text: &str) {
        for (at, _) in text.bytes().enumerate().filter(|&(_, b)| b == b'"') {
            match self.unterminated.take() {
                Some(open) => self.regions.push((open, at)),
                None => self.unterminated = Some(at),
            }
        }
    }

    /// Whether the byte at `at` lies between two quotes.
    pub(super) fn protect(&self, at: usize) -> bool {
        let next = self.regions.partition_point(|&(_, close)| close <= at);
        self.regions.get(next).is_some_and(|&(open, _)| open < at)
    }
}

/// Each double quote of a text, and whether a backslash stands before it.
fn marks(text: &str) -> Vec<(usize, bool)> {
    let mut marks = Vec::new();
    let mut escaped = false;
    for (at, b) in text.bytes().enumerate() {
        if b == b'"' {
            marks.push((at, escaped));
        }
        escaped = b == b'\\' && !escaped;
    }
    marks
}

/// For each index the first mark at or after it that has no backslash.
fn next_plain(marks: &[(usize, bool)]) -> Vec<Option<usize>> {
    let mut next = vec![None; marks.len() + 1];
    for k in (0..marks.len()).rev() {
        next[k] = if marks[k].1 { next[k + 1] } else { Some(k) };
    }
    next
}

/// Where the comment of a line starts, and whether `\#` or `\!` stand before it.
pub(super) fn strip(line: &str, flags: u8) -> (usize, bool) {
    if flags & COMMENT == 0 {
        return (line.len(), false);
    }
    let quotes = Quotes::find(line, flags);
    let mut regions = quotes.regions.iter().peekable();
    let bytes = line.as_bytes();
    let mut escapes = false;
    let mut at = 0;
    while at < bytes.len() {
        if let Some(&&(open, close)) = regions.peek() {
            if at >= open {
                regions.next();
                at = close + 1;
                continue;
            }
        }
        match bytes[at] {
            b'"' => return (line.len(), escapes),
            b'#' | b'!' => return (at, escapes),
            b'\\' => match bytes.get(at + 1) {
                Some(b'#' | b'!') => {
                    escapes = true;
                    at += 2;
                }
                Some(b'\\') => at += 2,
                _ => at += 1,
            },
            _ => at += 1,
        }
    }
    (line.len(), escapes)
}

/// Positions of the backslashes in `\#` and `\!` outside quotes: they go, what follows stays.
pub(super) fn escapes(line: &str) -> Vec<usize> {
    let quotes = Quotes::find(line, flags(line));
    let mut regions = quotes.regions.iter().peekable();
    let end = quotes.unterminated.unwrap_or(line.len());
    let bytes = line.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < end {
        if let Some(&&(open, close)) = regions.peek() {
            if at >= open {
                regions.next();
                at = close + 1;
                continue;
            }
        }
        let pair = (bytes[at], bytes.get(at + 1));
        if let (b'\\', Some(b'#' | b'!')) = pair {
            found.push(at);
        }
        at += if matches!(pair, (b'\\', Some(b'#' | b'!' | b'\\'))) { 2 } else { 1 };
    }
    found
}

/// Splits a statement into words and gives the position after the first, the keyword.
///
/// Only `"` quotes; a quote starts a new word. `span` tells where a stretch of `text` was written.
pub(super) fn words<'a>(
    text: &'a str,
    span: impl Fn(usize, usize) -> Span,
    out: &mut Vec<Word<'a>>,
) -> usize {
    let bytes = text.as_bytes();
    let mut keyword_end = None;
    let mut at = 0;
    out.clear();
    while let Some(blanks) = bytes[at..].iter().position(|&b| !is_blank(b)) {
        let start = at + blanks;
        if bytes[start] == b'"' {
            let inner = &text[start + 1..];
            let len = inner.find('"').unwrap_or(inner.len());
            at = (start + len + 2).min(bytes.len());
            out.push(Word { text: &inner[..len], span: span(start, at), quoted: true });
        } else {
            let ends = |&b: &u8| CLASS[b as usize] & (BLANK | QUOTE) != 0;
            at = bytes[start..].iter().position(ends).map_or(bytes.len(), |len| start + len);
            out.push(Word { text: &text[start..at], span: span(start, at), quoted: false });
        }
        keyword_end = keyword_end.or(Some(at));
    }
    keyword_end.unwrap_or(bytes.len())
}
