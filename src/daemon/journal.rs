//! The journal: the last changes of every object with their causes, for `kactl explain` and
//! `kactl events`. Pure; times are arguments.
//!
//! It is bounded for each object and as a whole, and the oldest entries go first. Entries are
//! numbered without gaps, so a reader that knows the last number it has seen also knows how many
//! entries it has missed. An object that never changed has no entry and costs nothing.

mod record;
mod subject;
mod totals;

use std::fmt;
use std::rc::Rc;

use crate::base::sorted::SortedMap;
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

/// An entry, and the number of the one before it of the same object, which may be gone.
#[derive(Debug)]
struct Filed {
    entry: Entry,
    before: u64,
}

/// The last entry of an object, and how many it has.
#[derive(Clone, Copy, Debug, Default)]
struct Chain {
    last: u64,
    len: usize,
}

#[derive(Debug, Default)]
pub(super) struct Journal {
    entries: SortedMap<u64, Filed>,
    of: SortedMap<Subject, Chain>,
    /// The number of the last entry.
    last: u64,
    pub(super) totals: Totals,
}

impl Journal {
    /// Adds an entry, in whose place older ones may go.
    pub(super) fn add(&mut self, entry: Entry) {
        self.last += 1;
        let chain = self.of.entry(entry.subject.clone()).or_default();
        let before = std::mem::replace(&mut chain.last, self.last);
        chain.len += 1;
        if chain.len > MOST_OF_ONE {
            chain.len -= 1;
            if let Some(oldest) = self.numbers(before).last() {
                self.entries.remove(&oldest);
            }
        }
        self.entries.insert(self.last, Filed { entry, before });
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
        let Some((_, Filed { entry, before })) = self.entries.pop_first() else { return };
        debug_assert!(!self.entries.contains_key(&before), "filed out of order");
        if let Some(chain) = self.of.get_mut(&entry.subject) {
            chain.len -= 1;
            if chain.len == 0 {
                self.of.remove(&entry.subject);
            }
        }
    }

    /// The numbers of the entries of an object from this one back to the oldest.
    fn numbers(&self, last: u64) -> impl Iterator<Item = u64> + '_ {
        let kept = move |number: u64| self.entries.get(&number).map(|filed| (number, filed.before));
        let all = std::iter::successors(kept(last), move |(_, before)| kept(*before));
        all.map(|(number, _)| number)
    }

    /// The number of the last entry; 0 before the first.
    pub(super) const fn last(&self) -> u64 {
        self.last
    }

    /// The first entry after this number, and how many between are no longer kept.
    pub(super) fn after(&self, number: u64) -> Option<(u64, &Entry, u64)> {
        let (&found, filed) = self.entries.range(number.checked_add(1)?..).next()?;
        Some((found, &filed.entry, found - number - 1))
    }

    /// The last entry before this number.
    pub(super) fn before(&self, number: u64) -> Option<(u64, &Entry)> {
        self.entries.range(..number).next_back().map(|(number, filed)| (*number, &filed.entry))
    }

    /// The entries of an object, the oldest first.
    pub(super) fn of(&self, subject: &Subject) -> impl DoubleEndedIterator<Item = (u64, &Entry)> {
        let last = self.of.get(subject).map_or(0, |chain| chain.last);
        let numbers: Vec<u64> = self.numbers(last).collect();
        numbers.into_iter().rev().map(|number| (number, &self.entries[&number].entry))
    }

    /// The last change of the state of an object.
    pub(super) fn last_state(&self, subject: &Subject) -> Option<&Entry> {
        let is_state = |entry: &&Entry| entry.what.is_state();
        self.of(subject).rev().map(|(_, entry)| entry).find(is_state)
    }
}

#[cfg(test)]
mod tests;
