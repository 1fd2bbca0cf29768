//! The parsed tree: what the operator wrote, after includes, definitions and conditions.
//!
//! Knows nothing of keywords. Nodes lie in one flat list in the order of the text, each with the
//! end of its subtree, so that tens of thousands of blocks cost no more than their words.

use crate::base::diag::Span;
use crate::base::sorted::{SortedMap, SortedSet};

/// A word and its position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Word<'d> {
    pub text: &'d str,
    pub span: Span,
    /// Written in double quotes.
    pub quoted: bool,
}

impl Default for Word<'_> {
    fn default() -> Self {
        let span = Span { file: 0, line: 0, column: 0, len: 0 };
        Self { text: "", span, quoted: false }
    }
}

/// Position of a text in [`Document::text`].
#[derive(Clone, Copy, Debug)]
struct Slice {
    start: u32,
    len: u32,
}

/// A word in compact form, since a document may have millions of them.
#[derive(Clone, Copy, Debug)]
struct WordData {
    start: u32,
    line: u32,
    file: u16,
    column: u16,
    /// `LARGE`: the value is in `Document::large`.
    span: u16,
    /// With `QUOTED` for a word in quotes.
    len: u16,
}

const LARGE: u16 = u16::MAX;
const QUOTED: u16 = 1 << 15;

impl WordData {
    /// `None` if a value is too large for it.
    fn new(text: Slice, span: Span, quoted: bool) -> Option<Self> {
        let len = u16::try_from(text.len).ok().filter(|len| len & QUOTED == 0)?;
        Some(Self {
            start: text.start,
            line: span.line,
            file: u16::try_from(span.file).ok()?,
            column: u16::try_from(span.column).ok()?,
            span: u16::try_from(span.len).ok().filter(|&len| len != LARGE)?,
            len: if quoted { len | QUOTED } else { len },
        })
    }
}

/// The flag of a node is a bit of its number of words.
const HAS_BLOCK: u32 = 1 << 31;

#[derive(Clone, Copy, Debug)]
struct NodeData {
    /// Its words: `words[first..first + count]`, the keyword first.
    first: u32,
    /// With `HAS_BLOCK` for a node with one.
    count: u32,
    /// The statement after its keyword as one text, for keywords with their own quoting rules.
    raw: Slice,
    /// Index after the last node of its block.
    end: u32,
}

impl NodeData {
    const fn count(&self) -> u32 {
        self.count & !HAS_BLOCK
    }

    const fn has_block(&self) -> bool {
        self.count & HAS_BLOCK != 0
    }
}

/// A whole configuration as a tree of statements.
#[derive(Clone, Debug, Default)]
pub struct Document {
    text: String,
    words: Vec<WordData>,
    /// Words that do not fit into a `WordData`, by their index.
    large: SortedMap<u32, (Slice, Span, bool)>,
    nodes: Vec<NodeData>,
}

impl Document {
    /// The statements of the top level.
    pub fn roots(&self) -> Children<'_> {
        Children { doc: self, next: 0, end: index(self.nodes.len()) }
    }

    fn slice(&self, s: Slice) -> &str {
        &self.text[s.start as usize..(s.start + s.len) as usize]
    }

    fn word(&self, n: u32) -> Word<'_> {
        let w = &self.words[n as usize];
        if w.span == LARGE {
            let (text, span, quoted) = self.large[&n];
            return Word { text: self.slice(text), span, quoted };
        }
        let span =
            Span { file: w.file.into(), line: w.line, column: w.column.into(), len: w.span.into() };
        let text = Slice { start: w.start, len: (w.len & !QUOTED).into() };
        Word { text: self.slice(text), span, quoted: w.len & QUOTED != 0 }
    }
}

/// One statement: a keyword, its arguments and, if it has one, its block.
#[derive(Clone, Copy)]
pub struct Node<'d> {
    doc: &'d Document,
    index: u32,
}

impl<'d> Node<'d> {
    fn data(self) -> &'d NodeData {
        &self.doc.nodes[self.index as usize]
    }

    fn word(self, n: u32) -> Word<'d> {
        self.doc.word(self.data().first + n)
    }

    pub fn keyword(self) -> Word<'d> {
        self.word(0)
    }

    /// All words of the statement, the keyword first.
    pub fn words(self) -> impl ExactSizeIterator<Item = Word<'d>> {
        (0..self.data().count()).map(move |n| self.word(n))
    }

    /// The words after the keyword.
    pub fn args(self) -> impl ExactSizeIterator<Item = Word<'d>> {
        (1..self.data().count()).map(move |n| self.word(n))
    }

    /// The n-th word after the keyword, counted from 0.
    pub fn arg(self, n: u32) -> Option<Word<'d>> {
        (n + 1 < self.data().count()).then(|| self.word(n + 1))
    }

    /// The statement after its keyword, quotes and all.
    pub fn raw(self) -> &'d str {
        self.doc.slice(self.data().raw)
    }

    pub fn has_block(self) -> bool {
        self.data().has_block()
    }

    /// The statements of its block.
    pub fn children(self) -> Children<'d> {
        Children { doc: self.doc, next: self.index + 1, end: self.data().end }
    }
}

/// The statements of one block, in the order of the text.
#[derive(Clone)]
pub struct Children<'d> {
    doc: &'d Document,
    next: u32,
    end: u32,
}

impl<'d> Iterator for Children<'d> {
    type Item = Node<'d>;

    fn next(&mut self) -> Option<Node<'d>> {
        if self.next >= self.end {
            return None;
        }
        let node = Node { doc: self.doc, index: self.next };
        self.next = node.data().end;
        Some(node)
    }
}

impl Document {
    /// For each of these lines on which a block begins: the last word of the outermost one, as far as
    /// it is in the same file.
    pub fn ends_of_blocks(&self, lines: &SortedSet<(u32, u32)>) -> SortedMap<(u32, u32), Span> {
        let mut ends = SortedMap::new();
        for node in self.nodes.iter().filter(|n| n.has_block()) {
            let head = self.word(node.first).span;
            let line = (head.file, head.line);
            if !lines.contains(&line) || ends.contains_key(&line) {
                continue;
            }
            let last = &self.nodes[node.end as usize - 1];
            let mut words = (node.first..last.first + last.count()).rev();
            let last =
                words.find_map(|n| Some(self.word(n).span).filter(|span| span.file == head.file));
            if let Some(last) = last {
                ends.insert(line, last);
            }
        }
        ends
    }
}

/// Builds a document statement by statement.
#[derive(Default)]
pub struct Builder {
    doc: Document,
    open: Vec<u32>,
    /// Texts that may repeat, at the index of their hash.
    recent: Vec<Slice>,
}

/// Most statements of a large configuration repeat each other.
const RECENT: usize = 1024;

impl Builder {
    /// Adds a statement to the block that is open now. `words` must not be empty.
    pub fn statement(&mut self, words: &[Word<'_>], raw: &str) {
        debug_assert!(!words.is_empty(), "a statement has a keyword");
        let first = index(self.doc.words.len());
        let kept = self.keep(raw);
        for w in words {
            // Most words are part of the raw text, and need not be kept twice.
            let at = (w.text.as_ptr() as usize).wrapping_sub(raw.as_ptr() as usize);
            let text = match raw.get(at..at.wrapping_add(w.text.len())) {
                Some(_) => Slice { start: kept.start + index(at), len: index(w.text.len()) },
                None => self.keep(w.text),
            };
            let word = WordData::new(text, w.span, w.quoted).unwrap_or_else(|| {
                let n = index(self.doc.words.len());
                self.doc.large.insert(n, (text, w.span, w.quoted));
                WordData { start: 0, line: 0, file: 0, column: 0, span: LARGE, len: 0 }
            });
            self.doc.words.push(word);
        }
        let end = index(self.doc.nodes.len() + 1);
        self.doc.nodes.push(NodeData { first, count: index(words.len()), raw: kept, end });
    }

    /// The keyword of the statement added last, empty if there is none.
    pub fn last_keyword(&self) -> &str {
        self.doc.nodes.last().map_or("", |node| self.doc.word(node.first).text)
    }

    /// Opens the block of the statement added last; false if it has one already or there is none.
    pub fn open(&mut self) -> bool {
        match self.doc.nodes.last_mut() {
            Some(node) if !node.has_block() => {
                node.count |= HAS_BLOCK;
                self.open.push(index(self.doc.nodes.len() - 1));
                true
            }
            _ => false,
        }
    }

    /// Closes the innermost open block; false if none is open.
    pub fn close(&mut self) -> bool {
        let Some(node) = self.open.pop() else { return false };
        self.doc.nodes[node as usize].end = index(self.doc.nodes.len());
        true
    }

    /// Closes all open blocks and returns the document.
    pub fn finish(mut self) -> Document {
        while self.close() {}
        self.doc
    }

    /// Position of the text, which is appended unless it is a recent one.
    fn keep(&mut self, text: &str) -> Slice {
        self.recent.resize(RECENT, Slice { start: 0, len: 0 });
        let hash = text.bytes().fold(0, |h: usize, b| h.wrapping_mul(31).wrapping_add(b.into()));
        let recent = self.recent[hash % RECENT];
        if self.doc.slice(recent) == text {
            return recent;
        }
        let kept = Slice { start: index(self.doc.text.len()), len: index(text.len()) };
        self.doc.text.push_str(text);
        self.recent[hash % RECENT] = kept;
        kept
    }
}

/// Indices are 31 bits wide: a configuration of 2 GiB is refused when it is read.
fn index(n: usize) -> u32 {
    u32::try_from(n).ok().filter(|n| n & HAS_BLOCK == 0).expect("a document is smaller than 2 GiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Span = Span { file: 0, line: 1, column: 1, len: 1 };

    fn word(text: &str) -> Word<'_> {
        Word { text, span: SPAN, quoted: false }
    }

    #[test]
    fn blocks_nest_and_siblings_follow() {
        let mut b = Builder::default();
        b.statement(&[word("vrrp_instance"), word("V")], "V");
        assert!(b.open());
        b.statement(&[word("virtual_ipaddress")], "");
        assert!(b.open());
        b.statement(&[word("192.0.2.1")], "");
        assert!(b.close());
        b.statement(&[word("priority"), word("5")], "5");
        assert!(b.close());
        b.statement(&[word("global_defs")], "");
        assert!(!b.close());
        let doc = b.finish();
        let roots: Vec<_> = doc.roots().map(|n| n.keyword().text).collect();
        assert_eq!(roots, ["vrrp_instance", "global_defs"]);
        let instance = doc.roots().next().unwrap();
        assert_eq!(instance.arg(0).unwrap().text, "V");
        let inside: Vec<_> = instance.children().map(|n| n.keyword().text).collect();
        assert_eq!(inside, ["virtual_ipaddress", "priority"]);
    }

    #[test]
    fn a_word_of_any_size_is_kept() {
        let long = "x".repeat(70_000);
        let far = Span { file: 70_000, line: 1 << 20, column: 70_000, len: 70_000 };
        let words = [
            Word { text: "a", span: far, quoted: false },
            Word { text: &long, span: SPAN, quoted: true },
            Word { text: "b", span: SPAN, quoted: true },
        ];
        let mut b = Builder::default();
        b.statement(&words, "");
        let doc = b.finish();
        let node = doc.roots().next().unwrap();
        assert_eq!(node.words().collect::<Vec<_>>(), words);
    }

    #[test]
    fn a_statement_has_at_most_one_block() {
        let mut b = Builder::default();
        assert!(!b.open(), "nothing to open a block for");
        b.statement(&[word("a")], "");
        assert!(b.open());
        assert!(!b.open());
    }
}
