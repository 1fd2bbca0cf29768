//! From words to a document: statements and blocks.
//!
//! Knows no keywords. A brace opens the block of the statement before it, also of one in an earlier
//! line; unbalanced braces are reported at their positions.

mod segments;

use crate::base::diag::{Severity, Span};
use crate::config::document::{Builder, Document, Word};
use crate::config::lex;
use crate::config::lex::text::{LinePlace, Text};
use crate::config::run::Run;
pub(super) use segments::{Segment, Segments};

/// A brace that waits for its `}`.
struct Open {
    /// The keyword's, or the brace's own if it opened nothing.
    span: Span,
    /// Where its keyword starts in `Parser::names`.
    name: usize,
    /// False for a surplus brace: what follows belongs to the block around it.
    is_block: bool,
    /// A statement further right than the keyword was seen.
    indented: bool,
    /// The first statement after that which was not: before it a `}` may be missing.
    outdented: Option<u32>,
}

/// Statement that an opening brace would belong to.
enum Before {
    Nothing,
    Statement,
    /// A statement that is left out unless it has a block.
    Withheld(Vec<Kept>),
}

/// A word that outlives its line.
struct Kept {
    text: String,
    span: Span,
    quoted: bool,
}

impl Kept {
    fn word(&self) -> Word<'_> {
        Word { text: &self.text, span: self.span, quoted: self.quoted }
    }
}

pub(super) struct Parser {
    builder: Builder,
    open: Vec<Open>,
    /// The keywords of the open blocks, one after the other.
    names: String,
    before: Before,
    last: Option<Span>,
    /// A statement without a block before one further right: a `{` may be missing.
    lacks_brace: Option<(String, u32)>,
    /// The line of a brace that a condition left out.
    dropped_brace: Option<u32>,
}

impl Parser {
    pub(super) fn new() -> Self {
        Self {
            builder: Builder::default(),
            open: Vec::new(),
            names: String::new(),
            before: Before::Nothing,
            last: None,
            lacks_brace: None,
            dropped_brace: None,
        }
    }

    /// Adds a statement. `words` is only working space.
    pub(super) fn statement<'a>(
        &mut self,
        text: Text<'a>,
        place: &LinePlace<'_>,
        words: &mut Vec<Word<'a>>,
        run: &mut Run,
    ) {
        let keyword_end = match text.plain_offset() {
            Some(offset) if place.ascii && place.fixed.is_none() => {
                let (file, line) = (place.file, place.line);
                let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                let span = |from: usize, to: usize| Span {
                    file,
                    line,
                    column: narrow(offset + from + 1),
                    len: narrow(to - from),
                };
                lex::words(text.text, span, words)
            }
            _ => lex::words(text.text, |from, to| text.span(place, from, to), words),
        };
        if let Some(keyword) = words.first() {
            if run.statement(words.len(), keyword.span) {
                self.note_indent(keyword.span);
                self.builder.statement(words, lex::trim(&text.text[keyword_end..]).1);
                self.before = Before::Statement;
            }
        }
    }

    /// Takes in a statement whose last word has an open quote, at `quote`.
    ///
    /// It is used only if it turns out to have a block: without it, the block's lines would be
    /// taken for lines of the block around it.
    pub(super) fn unterminated(
        &mut self,
        text: Text<'_>,
        quote: usize,
        place: &LinePlace<'_>,
        run: &mut Run,
    ) {
        let span = text.span(place, quote, quote + 1);
        run.error(span, "nothing closes this quote; the statement is left out".to_owned());
        let mut words = Vec::new();
        let (head, tail) = (text.sub(0, quote), text.sub(quote + 1, text.text.len()).trimmed());
        lex::words(head.text, |from, to| head.span(place, from, to), &mut words);
        let keep = |w: &Word<'_>| Kept { text: w.text.to_owned(), span: w.span, quoted: w.quoted };
        let mut kept: Vec<_> = words.iter().map(keep).collect();
        let span = text.span(place, quote, text.text.len());
        kept.push(Kept { text: tail.text.to_owned(), span, quoted: true });
        self.before = Before::Withheld(kept);
    }

    /// Opens a block at the brace in `span`.
    pub(super) fn open(&mut self, span: Span, run: &mut Run) {
        let fits = match std::mem::replace(&mut self.before, Before::Nothing) {
            Before::Nothing => false,
            Before::Statement => true,
            Before::Withheld(kept) => self.add_withheld(&kept, run),
        };
        if !fits {
            run.error(span, "this '{' follows no keyword".to_owned());
        } else if self.open.len() >= run.limits.block_depth {
            run.error(span, format!("more than {} blocks in each other", run.limits.block_depth));
        }
        let is_block = fits && self.open.len() < run.limits.block_depth && self.builder.open();
        let name = self.names.len();
        let keyword = self.last.filter(|_| is_block);
        if is_block {
            self.names.push_str(self.builder.last_keyword());
        }
        let span = keyword.unwrap_or(span);
        self.open.push(Open { span, name, is_block, indented: false, outdented: None });
        self.last = None;
    }

    fn add_withheld(&mut self, kept: &[Kept], run: &mut Run) -> bool {
        let words: Vec<Word<'_>> = kept.iter().map(Kept::word).collect();
        let Some(keyword) = words.first() else { return false };
        let fits = run.statement(words.len(), keyword.span);
        if fits {
            self.note_indent(keyword.span);
            self.builder.statement(&words, "");
        }
        fits
    }

    /// Closes a block at the brace in `span`.
    pub(super) fn close(&mut self, span: Span, run: &mut Run) {
        self.before = Before::Nothing;
        self.last = None;
        match self.open.pop() {
            Some(open) => {
                self.names.truncate(open.name);
                if open.is_block {
                    self.builder.close();
                }
            }
            None => run.complain(
                Severity::Error,
                Some(span),
                "this '}' closes nothing".to_owned(),
                self.why_surplus(),
            ),
        }
    }

    /// Remembers that a condition left out a line with an opening brace.
    pub(super) fn dropped_brace(&mut self, line: u32) {
        self.dropped_brace = Some(line);
    }

    /// The keyword of the innermost block, and how many blocks are open.
    pub(super) fn inside(&self) -> (&str, usize) {
        let name = self.open.last().map_or("", |o| &self.names[o.name..]);
        (name, self.open.len())
    }

    /// Reports unclosed blocks and returns the document.
    pub(super) fn finish(self, run: &mut Run) -> Document {
        let mut end = self.names.len();
        let mut complaints = Vec::new();
        for open in self.open.iter().rev() {
            let name = &self.names[open.name..end];
            end = open.name;
            let what = match open.is_block {
                true => format!("'{name}' opened here is never closed"),
                false => "this '{' is never closed".to_owned(),
            };
            let hint = open.outdented.map(|n| format!("a '}}' may be missing before line {n}"));
            complaints.push((open.span, what, hint));
        }
        for (span, what, hint) in complaints.into_iter().rev() {
            run.complain(Severity::Error, Some(span), what, hint);
        }
        self.builder.finish()
    }

    /// Compares a statement's column with what came before, for hints about missing braces.
    fn note_indent(&mut self, span: Span) {
        if let Some(last) = self.last {
            if last.file == span.file && last.line < span.line && last.column < span.column {
                let keyword = self.builder.last_keyword().to_owned();
                self.lacks_brace = Some((keyword, last.line));
            }
        }
        if let Some(open) = self.open.last_mut() {
            if open.span.file == span.file && open.outdented.is_none() {
                if span.column > open.span.column {
                    open.indented |= span.line > open.span.line;
                } else if open.indented {
                    open.outdented = Some(span.line);
                }
            }
        }
        self.last = Some(span);
    }

    /// Explanation of a surplus `}`.
    fn why_surplus(&mut self) -> Option<String> {
        let dropped = self.dropped_brace.take();
        let lacks = self.lacks_brace.take();
        match (dropped, lacks) {
            (Some(line), _) => Some(format!("a condition left out the '{{' in line {line}")),
            (None, Some((keyword, line))) => {
                Some(format!("a '{{' may be missing after '{keyword}' in line {line}"))
            }
            (None, None) => None,
        }
    }
}
