//! The journal: the last changes of every object with their causes, for `kactl explain` and
//! `kactl events`. Pure; times are arguments.
//!
//! It is bounded for each object and as a whole, and the oldest entries go first. Entries are
//! numbered without gaps, so a reader that knows the last number it has seen also knows how many
//! entries it has missed. An object that never changed has no entry and costs nothing.

mod record;
mod subject;
mod totals;

use crate::base::sorted::SortedMap;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

use crate::base::time::Instant;
use crate::status::Change;
use crate::vrrp::cause::{Cause, GroupCause, PriorityCause};

pub(super) use subject::{kind, Subject};
use totals::Totals;

/// Entries kept for one object.
const MOST_OF_ONE: usize = 64;
/// Entries kept in all.
const MOST: usize = 4_096;

/// One change.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) at: Instant,
    pub(super) subject: Subject,
    pub(super) what: What,
    pub(super) why: Why,
}

/// What changed. States are the words of the log.
#[derive(Clone, Debug)]
pub(super) enum What {
    State { from: Option<&'static str>, to: &'static str },
    Other(Box<Change>),
}

/// Why it changed, as text only when it is read: thousands of instances may change at once.
#[derive(Clone, Debug)]
pub(super) enum Why {
    Nothing,
    Instance(Rc<Cause>),
    Group(Rc<GroupCause>),
    Priority(Box<PriorityCause>),
    Text(Box<str>),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::Instance(cause) => cause.fmt(f),
            Self::Group(cause) => cause.fmt(f),
            Self::Priority(cause) => cause.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl Why {
    pub(super) fn text(&self) -> Option<String> {
        (!matches!(self, Self::Nothing)).then(|| self.to_string())
    }
}

#[derive(Debug, Default)]
pub(super) struct Journal {
    entries: SortedMap<u64, Entry>,
    /// The numbers of the entries of each object, the oldest first.
    of: SortedMap<Subject, VecDeque<u64>>,
    /// The number of the last entry.
    last: u64,
    pub(super) totals: Totals,
}

impl Journal {
    /// Adds an entry, in whose place older ones may go.
    pub(super) fn add(&mut self, entry: Entry) {
        self.last += 1;
        let numbers = self.of.entry(entry.subject.clone()).or_default();
        numbers.push_back(self.last);
        if numbers.len() > MOST_OF_ONE {
            if let Some(oldest) = numbers.pop_front() {
                self.entries.remove(&oldest);
            }
        }
        self.entries.insert(self.last, entry);
        if self.entries.len() > MOST {
            self.drop_oldest();
        }
    }

    /// Adds an entry of the program before this one, with its number.
    pub(super) fn restore(&mut self, number: u64, entry: Entry) {
        if number > self.last {
            self.last = number - 1;
            self.add(entry);
        }
    }

    fn drop_oldest(&mut self) {
        let Some((number, entry)) = self.entries.pop_first() else { return };
        if let Some(numbers) = self.of.get_mut(&entry.subject) {
            debug_assert_eq!(numbers.front(), Some(&number), "filed out of order");
            numbers.pop_front();
            if numbers.is_empty() {
                self.of.remove(&entry.subject);
            }
        }
    }

    /// The number of the last entry; 0 before the first.
    pub(super) const fn last(&self) -> u64 {
        self.last
    }

    /// The first entry after this number, and how many between are no longer kept.
    pub(super) fn after(&self, number: u64) -> Option<(u64, &Entry, u64)> {
        let (&found, entry) = self.entries.range(number.checked_add(1)?..).next()?;
        Some((found, entry, found - number - 1))
    }

    /// The last entry before this number.
    pub(super) fn before(&self, number: u64) -> Option<(u64, &Entry)> {
        self.entries.range(..number).next_back().map(|(number, entry)| (*number, entry))
    }

    /// The entries of an object, the oldest first.
    pub(super) fn of(&self, subject: &Subject) -> impl DoubleEndedIterator<Item = (u64, &Entry)> {
        let numbers = self.of.get(subject).into_iter().flatten();
        numbers.filter_map(|number| Some((*number, self.entries.get(number)?)))
    }

    /// The last change of the state of an object.
    pub(super) fn last_state(&self, subject: &Subject) -> Option<&Entry> {
        let is_state = |entry: &&Entry| entry.what.is_state();
        self.of(subject).rev().map(|(_, entry)| entry).find(is_state)
    }
}

#[cfg(test)]
mod tests;
