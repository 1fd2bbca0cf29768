//! Virtual interfaces that are about to be removed, or known by their names alone.

use super::{Created, Kernel, Purpose, Sought, ECHO};
use crate::base::time::Instant;
use crate::holdings::object::Item;

impl Kernel {
    pub(in crate::holdings) fn is_link_leaving(&self, index: u32) -> bool {
        self.leaving_links.contains_key(&index)
    }

    /// Interfaces whose removal is unanswered.
    pub(in crate::holdings) fn removed_links(&self) -> impl Iterator<Item = u32> + '_ {
        self.pending.of(Sought::Link).map(|(_, (index, _))| *index)
    }

    /// Interfaces known by their names alone whose removal is unanswered.
    pub(in crate::holdings) fn leaving_names(&self) -> impl Iterator<Item = &String> {
        self.pending.of(Sought::NamedLink).filter_map(|(_, (_, purpose))| match purpose {
            Purpose::Remove(Item::Link(link, _)) => Some(&link.name),
            _ => None,
        })
    }

    /// The kernel created an interface, and has not reported it.
    pub(in crate::holdings) fn note_created(&mut self, name: &str, now: Instant) {
        let created = Created { since: now, is_lost: false, is_kept: false };
        self.created.entry(name.to_owned()).or_default().push_back(created);
    }

    /// True if the kernel created an interface of this name that it has not reported.
    pub(in crate::holdings) fn has_created(&self, name: &str) -> bool {
        self.created.contains_key(name)
    }

    /// The kernel has none of this name.
    pub(in crate::holdings) fn lose_created(&mut self, name: &str) {
        self.last_created(name).into_iter().for_each(|created| created.is_lost = true);
    }

    /// The kernel refused to remove an interface that it has not reported.
    pub(in crate::holdings) fn keep_created(&mut self, name: &str) {
        self.last_created(name).into_iter().for_each(|created| created.is_kept = true);
    }

    fn last_created(&mut self, name: &str) -> Option<&mut Created> {
        self.created.get_mut(name)?.back_mut()
    }

    /// An interface appeared. True if it had lost its name when it was to be removed.
    pub(in crate::holdings) fn was_lost(&mut self, name: &str, index: u32, now: Instant) -> bool {
        let Some(list) = self.created.get_mut(name) else { return false };
        while list.front().is_some_and(|created| now.since(created.since) > ECHO) {
            list.pop_front();
        }
        let created = list.pop_front();
        if list.is_empty() {
            self.created.remove(name);
        }
        if created.as_ref().is_some_and(|created| created.is_kept) {
            self.kept_links.insert(index);
        }
        created.is_some_and(|created| created.is_lost)
    }

    /// The interface is about to be removed by its name.
    pub(in crate::holdings) fn leave_link(&mut self, index: u32) {
        self.leaving_links.entry(index).or_insert(true);
    }

    /// True for an interface that is about to be removed by its name, which it has lost.
    pub(in crate::holdings) fn is_named_link_leaving(&self, index: u32) -> bool {
        self.leaving_links.get(&index) == Some(&true)
    }

    /// The interface was not removed.
    pub(in crate::holdings) fn keep_link(&mut self, index: u32) {
        self.leaving_links.remove(&index);
        self.kept_links.insert(index);
    }

    /// True for an interface that the kernel once refused to remove.
    pub(in crate::holdings) fn is_kept_link(&self, index: u32) -> bool {
        self.kept_links.contains(&index)
    }
}
