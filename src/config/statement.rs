//! Checks statements against the tables of their blocks: the keyword, its words, and its braces.
//! [`lower`](mod@super::lower) interprets them.

mod special;

use std::collections::HashSet;

use super::complaints::Complaints;
use super::document::{Children, Node, Word};
use super::entry::{Cursor, LineUse};
use super::host::Host;
use super::keyword::{Args, Bad, Block, Body, Keyword, OldName, Repeat, Standing, ValueKind};
use super::value::{cut, describe, parse, Value, Wrong};
use super::{secrets, suggest};
use crate::base::diag::{Severity, Span};
use crate::base::sorted::SortedSet;

/// Limit of unknown words with a suggestion, since finding one compares every keyword.
const SUGGESTIONS: u32 = 50;

/// A statement that passed, and is in effect.
#[derive(Clone, Copy)]
pub(super) struct Statement<'d> {
    /// Under its current name, even if an older one was written.
    pub keyword: &'static Keyword,
    /// Of the keyword in its block.
    pub index: usize,
    pub node: Node<'d>,
    /// Value of its first word.
    pub value: Value<'d>,
}

pub(super) struct Checker<'a> {
    pub out: Complaints<'a>,
    /// Keywords that were reported not to be in effect.
    noted: SortedSet<&'static str>,
    suggestions: u32,
    host: &'a dyn Host,
    /// Lines checked since the last breath.
    breath: u32,
    /// What an invalid word that is checked now leads to; empty unless that is more than its own
    /// loss.
    pub effect: &'static str,
}

/// Lines to be checked in one breath: a fraction of a millisecond.
const BREATH: u32 = 64;

impl<'a> Checker<'a> {
    pub(super) fn new(out: Complaints<'a>, host: &'a dyn Host) -> Self {
        Self { out, noted: SortedSet::new(), suggestions: 0, host, breath: 0, effect: "" }
    }

    /// A block may have a million lines.
    pub(super) fn breathe(&mut self) {
        self.breath += 1;
        if self.breath >= BREATH {
            self.breath = 0;
            self.host.breathe();
        }
    }

    /// Notes once per configuration that a keyword has no effect.
    pub(super) fn note_not_in_effect(&mut self, keyword: &'static str, word: Word<'_>) {
        if self.noted.insert(keyword) {
            self.out.note(word.span, format!("{keyword}: accepted, not in effect in this version"));
        }
    }

    /// Checks the statements of a block and passes those in effect to `take`, in order.
    pub(super) fn block<'d>(
        &mut self,
        statements: Children<'d>,
        block: &'static Block,
        take: &mut dyn FnMut(&mut Self, Statement<'d>),
    ) {
        self.statements(statements, block, true, take);
    }

    fn statements<'d>(
        &mut self,
        statements: Children<'d>,
        block: &'static Block,
        in_effect: bool,
        take: &mut dyn FnMut(&mut Self, Statement<'d>),
    ) {
        let mut seen = Seen::default();
        for node in statements {
            self.breathe();
            let Some(index) = self.keyword(node, block) else { continue };
            let keyword = &block.keywords[index];
            if in_effect && !keyword.in_effect {
                self.note_not_in_effect(keyword.name, node.keyword());
            }
            if !self.is_welcome_again(&mut seen, keyword, node) {
                continue;
            }
            let set = in_effect && keyword.is_set;
            // The setter of a line of options checks it, so that it is parsed once.
            let value = match keyword.args {
                Args::Options(_) if set => {
                    self.quotes(node, keyword);
                    Value::Nothing
                }
                _ => {
                    let Some(value) = self.args(node, keyword, block) else { continue };
                    if !self.braces(node, keyword) {
                        continue;
                    }
                    value
                }
            };
            if set {
                take(self, Statement { keyword, index, node, value });
            } else {
                self.body(node, keyword);
            }
        }
    }

    /// Index of the keyword in its block, under its current name.
    fn keyword(&mut self, node: Node<'_>, block: &'static Block) -> Option<usize> {
        let word = node.keyword();
        let Some(index) = block.position(word.text) else {
            self.unknown(word, block);
            return None;
        };
        let keyword = &block.keywords[index];
        match keyword.standing {
            Standing::Current => Some(index),
            Standing::Replaced { by, report } => {
                let text = format!("'{}' is outdated: use {by}", word.text);
                self.outdated(keyword, word, report, &text);
                Some(index)
            }
            Standing::Alias { of, report } => {
                let text = format!("'{}' is the old name of '{of}'", word.text);
                self.outdated(keyword, word, report, &text);
                block.position(of)
            }
        }
    }

    fn unknown(&mut self, word: Word<'_>, block: &'static Block) {
        // Where a block has secrets, a word that is like no keyword may be one, and so may what
        // follows a keyword that is misspelt.
        if block.keywords.iter().any(Keyword::is_secret) {
            let near = suggest::nearest(word.text, block.keywords.iter().map(|k| k.name));
            let text = if near.is_some() { word.text } else { secrets::HIDDEN };
            let shown = Word { text, span: Span { column: 0, ..word.span }, ..word };
            let reported = self.out.unknown(shown, format!("Unknown keyword '{text}'"));
            let near = near.map(|near| format!("did you mean '{near}'?"));
            if let Some(hint) = suggest::punctuation(word.text).or(near).filter(|_| reported) {
                self.out.hint(hint);
            }
            return;
        }
        let text = format!("Unknown keyword '{}'", word.text);
        if self.out.unknown(word, text) && self.suggestions < SUGGESTIONS {
            self.suggestions += 1;
            if let Some(hint) = suggest::keyword(word.text, block) {
                self.out.hint(hint);
            }
        }
    }

    fn outdated(&mut self, keyword: &'static Keyword, word: Word<'_>, report: OldName, text: &str) {
        let severity = match report {
            OldName::Accepted => return,
            OldName::Noted => Severity::Note,
            OldName::Wrong => Severity::Error,
        };
        self.out.report(severity, keyword.name, Some(word.span), text);
    }

    /// False if the statement repeats what may not be repeated and does not count.
    fn is_welcome_again<'d>(
        &mut self,
        seen: &mut Seen<'d>,
        keyword: &'static Keyword,
        node: Node<'d>,
    ) -> bool {
        let word = node.keyword();
        match keyword.repeat {
            Repeat::Fine => true,
            Repeat::FirstCounts => {
                let again = seen.keyword(keyword);
                if again {
                    let text = format!("'{}' again: the first one counts", word.text);
                    self.out.error(keyword.name, word.span, text);
                }
                !again
            }
            Repeat::LastCounts => {
                if seen.keyword(keyword) {
                    let text = format!("'{}' again: the last one counts", word.text);
                    self.out.error(keyword.name, word.span, text);
                }
                true
            }
            Repeat::ByName => {
                let Some(name) = node.arg(0) else { return true };
                let again =
                    !seen.names.insert((keyword.name, name.text, node.arg(1).map(|w| w.text)));
                if again {
                    let text = format!(
                        "{} '{}' is defined already: this one is skipped",
                        keyword.name, name.text
                    );
                    self.out.error(keyword.name, name.span, text);
                }
                !again
            }
        }
    }

    /// Checks the words of the line; the value of the first, or `None` if the statement is void.
    fn args<'d>(
        &mut self,
        node: Node<'d>,
        keyword: &'static Keyword,
        block: &'static Block,
    ) -> Option<Value<'d>> {
        self.quotes(node, keyword);
        match keyword.args {
            Args::Row { required, kinds } => self.row(node, keyword, block, required, kinds),
            Args::Many { required, kind } => {
                if node.args().len() < required {
                    self.missing(keyword.name, node.keyword(), kind);
                    return None;
                }
                // Each word stands for itself: invalid ones are left to the reader.
                let mut first = None;
                for word in node.args() {
                    let value = self.value(keyword.name, kind, word, keyword.bad);
                    first = first.or(value);
                }
                if required == 0 {
                    first = first.or(Some(Value::Nothing));
                }
                first
            }
            Args::Options(entry) => {
                let line = self.entry_words(&mut Cursor::args(node), entry, &mut |_, _| {});
                (line != LineUse::Useless).then_some(Value::Nothing)
            }
            Args::Script { required, user } => self.script(node, keyword, required, user),
            Args::Pattern => self.pattern(node, keyword),
            Args::Service => self.service(node, keyword, block),
        }
    }

    /// Quotes that are letters: they become part of the value, and split it at its blanks.
    fn quotes(&mut self, node: Node<'_>, keyword: &'static Keyword) {
        let quoted = |w: &Word<'_>| !w.quoted && suggest::is_in_typographic_quotes(w.text);
        if let Some(word) = node.args().find(quoted) {
            let hidden = keyword.is_secret() || node.words().any(|w| secrets::is_name(w.text));
            let span = if hidden { Span { column: 0, ..word.span } } else { word.span };
            let text = format!("typographic quotes are part of the value of '{}'", keyword.name);
            if self.out.warn(keyword.name, span, text) {
                self.out.hint("quotes are written as \"");
            }
        }
    }

    fn row<'d>(
        &mut self,
        node: Node<'d>,
        keyword: &'static Keyword,
        block: &'static Block,
        required: usize,
        kinds: &'static [ValueKind],
    ) -> Option<Value<'d>> {
        let mut words = node.args();
        let mut first = Some(Value::Nothing);
        for (i, &kind) in kinds.iter().enumerate() {
            match words.next() {
                Some(word) => {
                    let value = self.value(keyword.name, kind, word, keyword.bad);
                    if i == 0 {
                        first = value;
                    }
                }
                None if i < required => {
                    self.missing(keyword.name, node.keyword(), kind);
                    return None;
                }
                None => break,
            }
        }
        if words.len() > 0 && !self.left_over(node, keyword, block, kinds.len()) {
            return None;
        }
        first
    }

    /// Reports words after those that count; false if the statement is void for them.
    fn left_over(
        &mut self,
        node: Node<'_>,
        keyword: &'static Keyword,
        block: &'static Block,
        used: usize,
    ) -> bool {
        let Some(word) = node.args().nth(used) else { return true };
        let names_secret = |w: Word<'_>| {
            secrets::is_name(w.text) && (keyword.is_secret() || w.text != keyword.name)
        };
        let has_secret = node.words().any(names_secret);
        // The message may appear in a log that others can read, and so may the line shown with it.
        let span = if has_secret { Span { column: 0, ..word.span } } else { word.span };
        let mut hide = false;
        let mut shown = |words: &mut dyn Iterator<Item = Word<'_>>| {
            let mut text = String::new();
            for w in words.take(8) {
                if !text.is_empty() {
                    text.push(' ');
                }
                if hide {
                    text.push_str(secrets::HIDDEN);
                } else {
                    text.extend(w.text.chars().take(40));
                }
                hide |= names_secret(w);
            }
            text
        };
        let before = shown(&mut node.words().take(used + 1));
        let rest = shown(&mut node.words().skip(used + 1));
        match keyword.body {
            // A name of several words is a mistake. Behind an address and a port nothing matters.
            Body::Keywords(_) if keyword.repeat == Repeat::ByName && used == 1 => {
                let text = format!("'{rest}' after '{before}': the block is skipped");
                self.out.error(keyword.name, span, text);
                return false;
            }
            Body::Entries(_) => {
                let text = format!("'{rest}' between '{before}' and '{{' is ignored");
                self.out.error(keyword.name, span, text);
                return true;
            }
            _ => {}
        }
        let mut text = format!("'{rest}' after '{before}' is ignored");
        if block.find(word.text).is_some() {
            text.push_str(": write one keyword per line");
        } else if used == 0 && matches!(word.text, "off" | "no" | "false") {
            text.push_str(": the keyword alone switches it on");
        }
        // Of a name behind the address keepalived complains, and of no other word behind a line.
        let severity = match keyword.name {
            "notification_email_from" => Severity::Error,
            _ => Severity::Warning,
        };
        let reported = self.out.report(severity, keyword.name, Some(span), text);
        let marked = node.args().filter(|_| !has_secret).find_map(|w| suggest::punctuation(w.text));
        if let (true, Some(mark)) = (reported, marked) {
            self.out.hint(mark);
        }
        true
    }

    /// Reads one word; `None` if it is invalid and has no replacement.
    pub(super) fn value<'d>(
        &mut self,
        name: &str,
        kind: ValueKind,
        word: Word<'d>,
        bad: Bad,
    ) -> Option<Value<'d>> {
        let wrong = match parse(kind, word.text) {
            Ok(value) => return Some(value),
            Err(wrong) => wrong,
        };
        if let Wrong::CutTo(value, end) = wrong {
            let text = format!("'{}' of {name} '{}' is ignored", &word.text[end..], word.text);
            self.out.warn(name, word.span, text);
            return Some(value);
        }
        let used = match wrong {
            Wrong::UsedAs(value) => Some(value),
            _ => replacement(kind, wrong, bad, word.text),
        };
        if let ValueKind::Secret(max) = kind {
            // Without a column, the line is not shown either.
            let span = Span { column: 0, ..word.span };
            let text = match used {
                Some(_) => {
                    format!("{name} is longer than {max} bytes: only the first {max} are used")
                }
                None => format!("{name} is empty"),
            };
            self.out.error(name, span, text);
            return used;
        }
        if secrets::is_name(name) {
            // The secret may stand in the place of what is before it.
            let span = Span { column: 0, ..word.span };
            self.out.error(name, span, format!("a word of {name} is not {}", describe(kind)));
            return used;
        }
        let mut text = match (kind, wrong) {
            (ValueKind::Prefix, Wrong::UsedAs(Value::Prefix(host, _))) => format!(
                "{name} '{}': the prefix length is not a number from 0 to {}",
                word.text, host.len
            ),
            _ => format!("{name} '{}' is not {}", word.text, describe(kind)),
        };
        match used {
            Some(used) => text.push_str(&format!(": {} is used", show(used))),
            None => text.push_str(self.effect),
        }
        if self.out.error(name, word.span, text) {
            if let Some(meant) = suggest::value(kind, word.text) {
                self.out.hint(meant);
            }
        }
        used
    }

    pub(super) fn missing(&mut self, name: &str, word: Word<'_>, kind: ValueKind) {
        let text = format!("'{name}' needs {}{}", describe(kind), self.effect);
        self.out.error(name, word.span, text);
    }

    /// False if the statement has a block it must not have, or lacks the one it must have.
    pub(super) fn braces(&mut self, node: Node<'_>, keyword: &'static Keyword) -> bool {
        let word = node.keyword();
        let wanted = !matches!(keyword.body, Body::None);
        if wanted == node.has_block() {
            return true;
        }
        let text = if wanted {
            format!("'{}' needs a block: '{{' is missing", word.text)
        } else {
            format!("'{}' takes no block: what is between the braces is ignored", word.text)
        };
        self.out.error(keyword.name, word.span, text);
        !wanted
    }

    /// Checks the block of a keyword that is not in effect.
    fn body(&mut self, node: Node<'_>, keyword: &'static Keyword) {
        match keyword.body {
            Body::None => {}
            Body::Keywords(block) => {
                self.statements(node.children(), block, false, &mut |_, _| {});
            }
            Body::Entries(entry) => {
                for line in node.children() {
                    self.entry(line, entry, &mut |_, _| {});
                }
            }
            Body::Names(kind) => self.names(node, keyword, kind, &mut |_, _| {}),
        }
    }
}

/// Keywords already seen in a block that may not be repeated.
#[derive(Default)]
struct Seen<'d> {
    keywords: Vec<&'static Keyword>,
    names: HashSet<(&'static str, &'d str, Option<&'d str>)>,
}

impl Seen<'_> {
    /// True if the keyword was there before.
    fn keyword(&mut self, keyword: &'static Keyword) -> bool {
        let again = self.keywords.iter().any(|seen| std::ptr::eq(*seen, keyword));
        if !again {
            self.keywords.push(keyword);
        }
        again
    }
}

/// Replacement of an invalid number.
fn replacement<'d>(
    kind: ValueKind,
    wrong: Wrong<'_>,
    bad: Bad,
    text: &'d str,
) -> Option<Value<'d>> {
    if bad == Bad::Bare {
        return Some(Value::Nothing);
    }
    if let Bad::UseWord(word) = bad {
        return Some(Value::Text(word));
    }
    if let (ValueKind::Short(max), Bad::Cut, Wrong::Above) = (kind, bad, wrong) {
        return Some(Value::Text(cut(text, max)));
    }
    let ValueKind::Int { min, max, .. } = kind else {
        let Bad::Use(n) = bad else { return None };
        return match kind {
            ValueKind::Time { .. } => u64::try_from(n).ok().map(Value::Micros),
            _ => None,
        };
    };
    match (bad, wrong) {
        (Bad::Use(n), _) => Some(Value::Int(n)),
        (Bad::Raise | Bad::Clamp, Wrong::Below) => Some(Value::Int(min)),
        (Bad::Clamp, Wrong::Above) => Some(Value::Int(max)),
        _ => None,
    }
}

fn show(value: Value<'_>) -> String {
    match value {
        Value::Int(n) => n.to_string(),
        Value::Micros(n) => {
            let text = format!("{}.{:06}", n / 1_000_000, n % 1_000_000);
            format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
        }
        Value::Addr(a) => a.to_string(),
        Value::Prefix(p, _) => p.to_string(),
        Value::Text(t) => t.to_owned(),
        Value::Bool(b) => if b { "on" } else { "off" }.to_owned(),
        Value::Nothing => "the bare keyword".to_owned(),
    }
}

#[cfg(test)]
mod tests;
