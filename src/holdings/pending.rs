//! Unanswered requests by number. The kernel answers them in order, so they are a queue.

use std::collections::VecDeque;

use super::fib;
use super::kernel::{Purpose, RequestId};
use super::object::Item;
use crate::base::sorted::{SortedMap, SortedSet};

/// A request with the index of its interface.
type Entry = (u32, Purpose);

/// With a burst of thousands, its memory is one block, which leaves no holes among what the burst
/// brought about.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Number of the first one in `queue`.
    first: u64,
    queue: VecDeque<Option<Entry>>,
    /// Those that are looked for among thousands of others.
    sought: SortedSet<(Sought, RequestId)>,
    /// Removals of routes and rules.
    removals: SortedMap<fib::Entry, SortedSet<RequestId>>,
}

/// Requests that are looked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Sought {
    /// Removals of interfaces that are known by their names alone.
    NamedLink,
    /// Removals of others.
    Link,
    /// Removals of routes and rules.
    Fib,
    Verification,
}

impl Sought {
    const fn of(entry: &Entry) -> Option<Self> {
        match entry {
            (0, Purpose::Remove(Item::Link(..))) => Some(Self::NamedLink),
            (_, Purpose::Remove(Item::Link(..))) => Some(Self::Link),
            (_, Purpose::RemoveFib { .. }) => Some(Self::Fib),
            (_, Purpose::Verify { .. }) => Some(Self::Verification),
            _ => None,
        }
    }
}

impl Pending {
    /// Adds a request. Numbers ascend.
    pub(super) fn insert(&mut self, id: RequestId, entry: Entry) {
        self.sought.extend(Sought::of(&entry).map(|kind| (kind, id)));
        if let Some(of) = removed(&entry) {
            self.removals.entry(of).or_default().insert(id);
        }
        if self.queue.is_empty() {
            self.first = id.0;
        }
        while self.first + (self.queue.len() as u64) < id.0 {
            self.queue.push_back(None);
        }
        self.queue.push_back(Some(entry));
    }

    fn place(&self, id: RequestId) -> Option<usize> {
        usize::try_from(id.0.checked_sub(self.first)?).ok()
    }

    pub(super) fn get(&self, id: &RequestId) -> Option<&Entry> {
        self.queue.get(self.place(*id)?)?.as_ref()
    }

    pub(super) fn remove(&mut self, id: &RequestId) -> Option<Entry> {
        let place = self.place(*id)?;
        let entry = self.queue.get_mut(place)?.take()?;
        while self.queue.front().is_some_and(Option::is_none) {
            self.queue.pop_front();
            self.first += 1;
        }
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
        if let Some(kind) = Sought::of(&entry) {
            self.sought.remove(&(kind, *id));
        }
        if let Some(of) = removed(&entry) {
            if let Some(all) = self.removals.get_mut(&of) {
                all.remove(id);
                if all.is_empty() {
                    self.removals.remove(&of);
                }
            }
        }
        Some(entry)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn get_mut(&mut self, id: &RequestId) -> Option<&mut Entry> {
        let place = self.place(*id)?;
        self.queue.get_mut(place)?.as_mut()
    }

    /// Removals of this route or rule, and whether the kernel has it by all that was heard.
    pub(super) fn removals_of<'a>(
        &'a self,
        item: &'a Item,
    ) -> impl Iterator<Item = (RequestId, bool)> + 'a {
        let all = fib::Entry::of(item).and_then(|of| self.removals.get(&of));
        all.into_iter().flatten().filter_map(move |id| {
            let (_, Purpose::RemoveFib { item: removed, there }) = self.get(id)? else {
                return None;
            };
            let is_it = match (removed, item) {
                (Item::Route(removed, _), Item::Route(route, _)) => {
                    fib::is_same_form(removed, route)
                }
                _ => true,
            };
            is_it.then_some((*id, *there))
        })
    }

    /// Those of one kind, in order.
    pub(super) fn of(&self, kind: Sought) -> impl Iterator<Item = (RequestId, &Entry)> {
        let all = self.sought.range((kind, RequestId(0))..=(kind, RequestId(u64::MAX)));
        all.filter_map(|(_, id)| Some((*id, self.get(id)?)))
    }
}

fn removed((_, purpose): &Entry) -> Option<fib::Entry> {
    match purpose {
        Purpose::RemoveFib { item, .. } => fib::Entry::of(item),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::base::link::Surroundings;
    use crate::holdings::Setting;
    use crate::model::vlink::{VirtualLink, VirtualLinkKind};

    fn setting(value: u64) -> Entry {
        (1, Purpose::Remove(Item::Sysctl(Setting::FIRST, value.to_string())))
    }

    fn numbers(pending: &Pending) -> Vec<String> {
        let number = |(_, purpose): &Entry| match purpose {
            Purpose::Remove(Item::Sysctl(_, value)) => value.clone(),
            Purpose::Remove(Item::Link(link, _)) => link.name.clone(),
            other => panic!("{other:?}"),
        };
        pending.queue.iter().flatten().map(number).collect()
    }

    #[test]
    fn requests_are_found_whatever_the_order_of_the_answers() {
        let mut pending = Pending::default();
        assert!(pending.is_empty() && pending.remove(&RequestId(0)).is_none());
        for n in [7, 8, 10] {
            pending.insert(RequestId(n), setting(n));
        }
        assert!(pending.get(&RequestId(9)).is_none() && pending.get(&RequestId(6)).is_none());
        assert!(pending.remove(&RequestId(8)).is_some());
        assert!(pending.remove(&RequestId(8)).is_none(), "answered already");
        assert_eq!(numbers(&pending), ["7", "10"]);
        assert!(pending.remove(&RequestId(7)).is_some());
        assert_eq!(numbers(&pending), ["10"]);
        assert!(pending.remove(&RequestId(10)).is_some() && pending.is_empty());
        pending.insert(RequestId(20), setting(20));
        assert!(pending.get(&RequestId(20)).is_some());
    }

    #[test]
    fn interfaces_known_by_name_are_found_without_the_others() {
        let link = VirtualLink {
            name: "vrrp.1".to_owned(),
            base: "eth0".to_owned(),
            kind: VirtualLinkKind::Ipvlan { flags: 0 },
            group: None,
            notify_base: false,
        };
        let item = Item::Link(Rc::new(link), Surroundings { base: 0, group: 0, vrf: None });
        let mut pending = Pending::default();
        pending.insert(RequestId(1), setting(1));
        pending.insert(RequestId(2), (0, Purpose::Remove(item.clone())));
        pending.insert(RequestId(3), (9, Purpose::Remove(item)));
        assert_eq!(pending.of(Sought::NamedLink).count(), 1);
        assert!(pending.remove(&RequestId(2)).is_some());
        assert_eq!(pending.of(Sought::NamedLink).count(), 0);
    }
}
