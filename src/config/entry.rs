//! Lines of lists, and lines of options: `192.0.2.1/24 dev eth0 brd +`.

use std::net::IpAddr;

use super::document::{Node, Word};
use super::keyword::{Bad, Entry, Keyword, Opt, Unknown, ValueKind};
use super::statement::Checker;
use super::suggest;
use super::value::{parse, Value, Wrong};

/// One item of an entry or of a line of options.
#[derive(Clone, Copy)]
pub(super) struct Item<'d> {
    /// The options that it belongs to, outermost first.
    pub within: Within,
    /// Index of the option in its entry; `None` for leading and free words.
    pub index: Option<usize>,
    /// The value, or the option itself if it has none.
    pub word: Word<'d>,
    pub value: Value<'d>,
    /// The word before the value that belongs to it.
    pub before: Option<&'static str>,
    /// The word after the value that belongs to it.
    pub after: Option<&'static str>,
}

/// Indices of options, each in the entry nested in the one before: `nexthop`, `encap`, `ip`.
pub(super) type Within = [Option<usize>; 3];

impl<'d> Item<'d> {
    const fn plain(word: Word<'d>, value: Value<'d>) -> Self {
        Self { within: [None; 3], index: None, word, value, before: None, after: None }
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
    /// Its end is left out, from the middle of an option with nested ones on.
    Cut,
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

const LINE_IGNORED: &str = ": the line is ignored";
const REST_IGNORED: &str = ": the rest of the line is ignored";

/// An option on its line.
#[derive(Clone, Copy)]
struct OptionPlace {
    /// The options it is nested in.
    within: Within,
    /// Its own index.
    index: usize,
    /// What an error in it leads to, for the message.
    effect: &'static str,
}

/// Extent of an error in an option.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    /// It lacks its value, or the line is useless without it.
    Missing,
    /// The rest of the line is left out.
    Rest,
}

impl Checker<'_> {
    /// Checks a block of names and passes on each one.
    pub(super) fn names<'d>(
        &mut self,
        node: Node<'d>,
        keyword: &'static Keyword,
        kind: ValueKind,
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
        // A list of options that an unknown word ends.
        let mut open: Option<&'static Entry> = None;
        while let Some(word) = cursor.take() {
            if let Some(index) = entry.position(word.text) {
                let option = &entry.options[index];
                let effect = if entry.unknown == Unknown::SkipEntry { LINE_IGNORED } else { "" };
                let place = OptionPlace { within: [None; 3], index, effect };
                match self.option(cursor, word, option, place, take) {
                    Ok(true) => {}
                    Ok(false) => line = LineUse::InPart,
                    Err(Flaw::Rest) => return LineUse::Cut,
                    Err(Flaw::Missing) if entry.unknown == Unknown::SkipEntry || option.vital => {
                        return LineUse::Useless
                    }
                    Err(Flaw::Missing) => return LineUse::InPart,
                }
                open = option.nested.filter(|nested| nested.unknown == Unknown::IgnoreRest);
            } else if let Some(nested) = open {
                self.unknown_option(cursor.node, word, nested);
                return LineUse::Cut;
            } else if let Some(kind) = entry.free.filter(|kind| is_like(*kind, word.text)) {
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

    pub(super) fn unknown_option(&mut self, node: Node<'_>, word: Word<'_>, entry: &'static Entry) {
        let first = node.keyword().text;
        let mut text = format!("unknown option '{}' of {} '{first}'", word.text, entry.name);
        text.push_str(match entry.unknown {
            Unknown::SkipEntry => LINE_IGNORED,
            Unknown::IgnoreRest => REST_IGNORED,
        });
        if !self.out.error(entry.name, word.span, text) {
            return;
        }
        if word.text.parse::<IpAddr>().is_ok() || parse(ValueKind::Prefix, word.text).is_ok() {
            self.out.hint("write one address per line");
        } else if let Some(near) = suggest::nearest(word.text, entry.options.iter().map(|o| o.name))
        {
            self.out.hint(format!("did you mean '{near}'?"));
        }
    }

    /// Checks one option with its words and passes it on; false if its value is bad and can be
    /// omitted.
    fn option<'d>(
        &mut self,
        cursor: &mut Cursor<'d>,
        name: Word<'d>,
        option: &'static Opt,
        place: OptionPlace,
        take: &mut dyn FnMut(&mut Self, Item<'d>),
    ) -> Result<bool, Flaw> {
        let before = cursor.literal(option.before);
        let (mut word, mut value) = (name, Value::Nothing);
        if let Some(kind) = option.value {
            let Some(given) = cursor.take() else {
                self.effect = place.effect;
                self.missing(option.name, name, kind);
                self.effect = "";
                return Err(Flaw::Missing);
            };
            self.effect = if option.vital { place.effect } else { "" };
            let good = self.value(option.name, kind, given, Bad::Ignore);
            self.effect = "";
            let Some(good) = good else {
                // Words that belong to a bad value are omitted with it.
                cursor.literal(option.after);
                return if option.vital { Err(Flaw::Missing) } else { Ok(false) };
            };
            (word, value) = (given, good);
        }
        let after = cursor.literal(option.after);
        let OptionPlace { within, index, .. } = place;
        take(self, Item { within, index: Some(index), word, value, before, after });
        match option.nested {
            Some(nested) => self.nested(cursor, nested, place, take),
            None => Ok(true),
        }
    }

    /// Checks the options that follow another, for as long as the words are known to it.
    fn nested<'d>(
        &mut self,
        cursor: &mut Cursor<'d>,
        nested: &'static Entry,
        outer: OptionPlace,
        take: &mut dyn FnMut(&mut Self, Item<'d>),
    ) -> Result<bool, Flaw> {
        let OptionPlace { mut within, index, mut effect } = outer;
        if let Some(free) = within.iter_mut().find(|outer| outer.is_none()) {
            *free = Some(index);
        }
        if nested.unknown == Unknown::IgnoreRest {
            effect = REST_IGNORED;
        }
        let mut whole = true;
        while let Some(inner) = cursor.peek().and_then(|w| nested.position(w.text)) {
            let Some(name) = cursor.take() else { break };
            let place = OptionPlace { within, index: inner, effect };
            match self.option(cursor, name, &nested.options[inner], place, take) {
                Ok(good) => whole &= good,
                Err(_) if nested.unknown == Unknown::IgnoreRest => return Err(Flaw::Rest),
                Err(flaw) => return Err(flaw),
            }
        }
        Ok(whole)
    }
}

/// False for a word that can only be a misspelt option where free words are addresses.
fn is_like(kind: ValueKind, word: &str) -> bool {
    match kind {
        ValueKind::Target => {
            word.contains(['.', ':', '/']) || !matches!(parse(kind, word), Err(Wrong::Kind))
        }
        _ => true,
    }
}
