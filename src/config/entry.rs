//! Lines of lists, and lines of options: `192.0.2.1/24 dev eth0 brd +`.

use std::net::IpAddr;

use super::document::{Node, Word};
use super::keyword::{Bad, Entry, Keyword, Kind, Opt, Unknown};
use super::statement::Checker;
use super::suggest;
use super::value::{parse, Value};

/// One item of an entry or of a line of options.
#[derive(Clone, Copy)]
pub(super) struct Item<'d> {
    /// The option; empty for the words an entry begins with, and for free ones.
    pub option: &'static str,
    pub word: Word<'d>,
    pub value: Value<'d>,
}

/// Words of one statement, from some word on.
pub(super) struct Cursor<'d> {
    node: Node<'d>,
    next: u32,
}

impl<'d> Cursor<'d> {
    /// The words after the keyword.
    pub(super) const fn args(node: Node<'d>) -> Self {
        Self { node, next: 1 }
    }

    fn peek(&self) -> Option<Word<'d>> {
        match self.next {
            0 => Some(self.node.keyword()),
            n => self.node.arg(n - 1),
        }
    }

    fn take(&mut self) -> Option<Word<'d>> {
        let word = self.peek()?;
        self.next += 1;
        Some(word)
    }
}

/// What a line of options says that was checked before: the good items, and whether all are.
pub(super) fn items<'d>(node: Node<'d>, entry: &'static Entry) -> (Vec<Item<'d>>, bool) {
    let mut cursor = Cursor::args(node);
    let mut items = Vec::new();
    let mut all = true;
    let mut head = entry.head.iter();
    while let Some(word) = cursor.take() {
        let option = if head.len() == 0 { entry.find(word.text) } else { None };
        let (name, kind, word) = match (option, head.next()) {
            (Some(option), _) => match (option.value, cursor.peek()) {
                (Some(kind), Some(_)) => (option.name, Some(kind), cursor.take().unwrap_or(word)),
                (None, _) => (option.name, None, word),
                (Some(_), None) => return (items, false),
            },
            (None, Some(kind)) => ("", Some(*kind), word),
            (None, None) if entry.free.is_some() => ("", entry.free, word),
            (None, None) => return (items, false),
        };
        match kind.map_or(Ok(Value::Nothing), |kind| parse(kind, word.text)) {
            Ok(value) => items.push(Item { option: name, word, value }),
            Err(_) => all = false,
        }
    }
    (items, all)
}

impl Checker<'_> {
    /// Checks a block of names and hands each one over.
    pub(super) fn names<'d>(
        &mut self,
        node: Node<'d>,
        keyword: &'static Keyword,
        kind: Kind,
        take: &mut dyn FnMut(&mut Self, Word<'d>),
    ) {
        let mut any = false;
        for line in node.children() {
            self.no_block(line);
            for word in line.words() {
                self.breathe();
                any = true;
                if self.value(keyword.name, kind, word, Bad::Ignore).is_some() {
                    take(self, word);
                }
            }
        }
        if !any {
            let text = format!("the block of '{}' is empty", keyword.name);
            self.out.error(keyword.name, node.keyword().span, text);
        }
    }

    /// Checks one line of a list; false if it does not count.
    pub(super) fn entry<'d>(
        &mut self,
        line: Node<'d>,
        entry: &'static Entry,
        take: &mut dyn FnMut(&mut Self, Item<'d>),
    ) -> bool {
        self.breathe();
        self.no_block(line);
        self.entry_words(&mut Cursor { node: line, next: 0 }, entry, take)
    }

    fn no_block(&mut self, line: Node<'_>) {
        if line.has_block() {
            let word = line.keyword();
            self.out.error(
                word.text,
                word.span,
                format!("no block is expected after '{}'", word.text),
            );
        }
    }

    pub(super) fn entry_words<'d>(
        &mut self,
        cursor: &mut Cursor<'d>,
        entry: &'static Entry,
        take: &mut dyn FnMut(&mut Self, Item<'d>),
    ) -> bool {
        for (i, &kind) in entry.head.iter().enumerate() {
            let Some(word) = cursor.take() else {
                if i < entry.required {
                    self.missing(entry.name, cursor.node.keyword(), kind);
                    return false;
                }
                break;
            };
            let Some(value) = self.value(entry.name, kind, word, Bad::Ignore) else { return false };
            take(self, Item { option: "", word, value });
        }
        while let Some(word) = cursor.take() {
            if let Some(option) = entry.find(word.text) {
                if !self.option(cursor, word, option, take) {
                    return entry.unknown == Unknown::IgnoreRest && !option.vital;
                }
            } else if let Some(kind) = entry.free {
                let Some(value) = self.value(entry.name, kind, word, Bad::Ignore) else {
                    return false;
                };
                take(self, Item { option: "", word, value });
            } else {
                self.unknown_option(cursor.node, word, entry);
                return entry.unknown == Unknown::IgnoreRest;
            }
        }
        true
    }

    fn unknown_option(&mut self, node: Node<'_>, word: Word<'_>, entry: &'static Entry) {
        let first = node.keyword().text;
        let mut text = format!("unknown option '{}' of {} '{first}'", word.text, entry.name);
        text.push_str(match entry.unknown {
            Unknown::SkipEntry => ": the line is ignored",
            Unknown::IgnoreRest => ": the rest of the line is ignored",
        });
        if !self.out.error(entry.name, word.span, text) {
            return;
        }
        if word.text.parse::<IpAddr>().is_ok() || parse(Kind::Prefix, word.text).is_ok() {
            self.out.hint("write one address per line");
        } else if let Some(near) = suggest::nearest(word.text, entry.options.iter().map(|o| o.name))
        {
            self.out.hint(format!("did you mean '{near}'?"));
        }
    }

    /// Checks one option and what belongs to it; false if it takes the line with it.
    fn option<'d>(
        &mut self,
        cursor: &mut Cursor<'d>,
        name: Word<'d>,
        option: &'static Opt,
        take: &mut dyn FnMut(&mut Self, Item<'d>),
    ) -> bool {
        self.literal(cursor, option.before, take);
        let mut value = Value::Nothing;
        let mut word = name;
        if let Some(kind) = option.value {
            let Some(given) = cursor.take() else {
                self.missing(option.name, name, kind);
                return false;
            };
            let Some(good) = self.value(option.name, kind, given, Bad::Ignore) else {
                // What belongs to a bad value goes with it.
                self.literal(cursor, option.after, &mut |_, _| {});
                return !option.vital;
            };
            value = good;
            word = given;
        }
        take(self, Item { option: option.name, word, value });
        self.literal(cursor, option.after, take);
        if let Some(nested) = option.nested {
            while let Some(inner) = cursor.peek().and_then(|w| nested.find(w.text)) {
                let Some(name) = cursor.take() else { break };
                if !self.option(cursor, name, inner, take) {
                    return false;
                }
            }
        }
        true
    }

    /// Takes one of `words` if it comes next.
    fn literal<'d>(
        &mut self,
        cursor: &mut Cursor<'d>,
        words: &'static [&'static str],
        take: &mut dyn FnMut(&mut Self, Item<'d>),
    ) {
        let Some(word) = cursor.peek() else { return };
        if let Some(option) = words.iter().find(|w| **w == word.text) {
            cursor.next += 1;
            take(self, Item { option, word, value: Value::Nothing });
        }
    }
}
