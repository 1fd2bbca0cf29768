//! What lines of routes and of rules have in common: names of numbers, places, priorities.

use std::cell::{Cell, RefCell};

use super::Scene;
use crate::base::addr::{Family, Prefix};
use crate::base::diag::{Sources, Span};
use crate::config::document::Word;
use crate::config::keywords::RawTarget;
use crate::config::names::{Directories, List, Names};
use crate::model::route::Origin;

/// State that the lines share.
pub(super) struct Routing<'s> {
    names: Names,
    /// Files of names that were reported as unusable.
    told: RefCell<Vec<String>>,
    /// The next priority of a rule that names none, for IPv4 and IPv6.
    next: [Cell<u32>; 2],
    sources: &'s Sources,
}

/// The first priority; each one more is lower by one.
const FIRST_PRIORITY: u32 = 16_384;

impl<'s> Routing<'s> {
    pub(super) fn new(directories: Directories, sources: &'s Sources) -> Self {
        Self {
            names: Names::new(directories),
            told: RefCell::default(),
            next: [Cell::new(FIRST_PRIORITY), Cell::new(FIRST_PRIORITY)],
            sources,
        }
    }

    /// A priority for a rule that names none. It depends on the text alone, so that a reload does
    /// not change it.
    pub(super) fn priority(&self, family: Family) -> u32 {
        let next = &self.next[family as usize];
        let priority = next.get();
        next.set(priority.saturating_sub(1));
        priority
    }

    /// The file and the line of an entry.
    pub(super) fn origin(&self, span: Span) -> Origin {
        Origin(format!("{}:{}", self.sources.name(span.file), span.line).into())
    }
}

impl Scene<'_, '_> {
    /// Reports why a line is left out.
    pub(super) fn leave_out(&mut self, about: &str, span: Span, text: &str) {
        self.error(about, span, format!("{text}: the line is ignored"));
    }

    /// The number of a table, a protocol and so on, which may be given by name.
    pub(super) fn number(&mut self, what: &str, list: List, word: Word<'_>) -> Option<u32> {
        self.number_of(what, list, word, word.text)
    }

    fn number_of(&mut self, what: &str, list: List, word: Word<'_>, text: &str) -> Option<u32> {
        let names = &self.routing.names;
        if let Some(number) = names.number(self.host, list, text) {
            return Some(number);
        }
        let (max, file) = (list.max(), list.file());
        let text = format!("{what} '{text}' is neither a number up to {max} nor a name in {file}");
        self.leave_out(what, word.span, &text);
        let mut told = self.routing.told.borrow_mut();
        for (path, why) in names.unusable() {
            if !told.contains(path) {
                told.push(path.clone());
                self.checker.out.warn(path, word.span, format!("{path} is not used: {why}"));
            }
        }
        None
    }

    pub(super) fn byte(&mut self, what: &str, list: List, word: Word<'_>) -> Option<u8> {
        self.number(what, list, word).and_then(|number| u8::try_from(number).ok())
    }

    /// `[SOURCE/]DESTINATION`
    pub(super) fn realms(&mut self, word: Word<'_>) -> Option<u32> {
        let (source, destination) = match word.text.split_once('/') {
            Some((source, destination)) => (Some(source), destination),
            None => (None, word.text),
        };
        let source = match source {
            Some(source) => self.number_of("realms", List::Realms, word, source)?,
            None => 0,
        };
        let destination = self.number_of("realms", List::Realms, word, destination)?;
        Some(source << 16 | destination)
    }

    /// The network of a destination or a source. Bits behind its length are an error of which the
    /// kernel only says that the route is invalid.
    pub(super) fn network(&mut self, target: &RawTarget<'_>, family: Family) -> Prefix {
        let Some(prefix) = target.prefix else { return Prefix::all(family) };
        let network = prefix.network();
        if network != prefix {
            let word = target.word;
            let text = format!("'{}' has bits behind its length: {network} is used", word.text);
            self.checker.out.warn("prefix", word.span, text);
        }
        network
    }
}
