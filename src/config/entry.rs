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
    /// Index of the option in its entry; `None` for leading and free words.
    pub index: Option<usize>,
    pub word: Word<'d>,
    pub value: Value<'d>,
    /// The word after the value that belongs to it.
    pub after: Option<&'static str>,
}

impl<'d> Item<'d> {
    const fn plain(word: Word<'d>, value: Value<'d>) -> Self {
        Self { index: None, word, value, after: None }
    }

    /// The number, within the limits of the option.
    pub(super) fn number<T: TryFrom<i64> + Default>(&self) -> T {
        match self.value {
            Value::Int(n) => T::try_from(n).unwrap_or_default(),
            _ => T::default(),
        }
    }
}

/// Result of checking a line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LineUse {
    Whole,
    /// Some of its words are left out.
    InPart,
    Useless,
}

/// Words of one statement from a given word on.
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

    /// Takes the next word if it is one of `words`.
    fn literal(&mut self, words: &'static [&'static str]) -> Option<&'static str> {
        let next = self.peek()?;
        let found = words.iter().find(|word| **word == next.text)?;
        self.next += 1;
        Some(found)
    }
}

/// An option lacks its value, or the line is useless without it.
struct Missing;

impl Checker<'_> {
    /// Checks a block of names and passes on each one.
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

    /// Checks one line of a list and passes on its items.
    pub(super) fn entry<'d>(
        &mut self,
        line: Node<'d>,
        entry: &'static Entry,
        take: &mut dyn FnMut(&mut Self, Item<'d>),
    ) -> LineUse {
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
    ) -> LineUse {
        for (i, &kind) in entry.head.iter().enumerate() {
            let Some(word) = cursor.take() else {
                if i < entry.required {
                    self.missing(entry.name, cursor.node.keyword(), kind);
                    return LineUse::Useless;
                }
                break;
            };
            let Some(value) = self.value(entry.name, kind, word, Bad::Ignore) else {
                return LineUse::Useless;
            };
            take(self, Item::plain(word, value));
        }
        let mut line = LineUse::Whole;
        while let Some(word) = cursor.take() {
            if let Some(index) = entry.position(word.text) {
                match self.option(cursor, word, &entry.options[index]) {
                    Ok(Some(item)) => take(self, Item { index: Some(index), ..item }),
                    Ok(None) => line = LineUse::InPart,
                    Err(Missing) if entry.unknown == Unknown::SkipEntry => return LineUse::Useless,
                    Err(Missing) if entry.options[index].vital => return LineUse::Useless,
                    Err(Missing) => return LineUse::InPart,
                }
            } else if let Some(kind) = entry.free {
                let Some(value) = self.value(entry.name, kind, word, Bad::Ignore) else {
                    return LineUse::Useless;
                };
                take(self, Item::plain(word, value));
            } else {
                self.unknown_option(cursor.node, word, entry);
                return match entry.unknown {
                    Unknown::SkipEntry => LineUse::Useless,
                    Unknown::IgnoreRest => LineUse::InPart,
                };
            }
        }
        line
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

    /// Checks one option with its words; nothing if its value is bad and can be omitted.
    fn option<'d>(
        &mut self,
        cursor: &mut Cursor<'d>,
        name: Word<'d>,
        option: &'static Opt,
    ) -> Result<Option<Item<'d>>, Missing> {
        cursor.literal(option.before);
        let (mut word, mut value) = (name, Value::Nothing);
        if let Some(kind) = option.value {
            let Some(given) = cursor.take() else {
                self.missing(option.name, name, kind);
                return Err(Missing);
            };
            let Some(good) = self.value(option.name, kind, given, Bad::Ignore) else {
                // Words that belong to a bad value are omitted with it.
                cursor.literal(option.after);
                return if option.vital { Err(Missing) } else { Ok(None) };
            };
            (word, value) = (given, good);
        }
        let after = cursor.literal(option.after);
        if let Some(nested) = option.nested {
            while let Some(inner) = cursor.peek().and_then(|w| nested.position(w.text)) {
                let Some(name) = cursor.take() else { break };
                self.option(cursor, name, &nested.options[inner])?;
            }
        }
        Ok(Some(Item { after, ..Item::plain(word, value) }))
    }
}
