//! The table of one family: its known and its wanted contents, and the transactions between them.

use super::element::{Element, Part, Parts};
use super::known::{Contents, KnownTable};
use super::repair::Repair;
use super::ruleset::{change, make, remove, Form};
use super::{Action, Entry};
use crate::base::addr::Family;
use crate::base::sorted::{SortedMap, SortedSet};
use crate::base::time::Instant;
use crate::model::firewall::Nftables;
use crate::wire::netlink::nft::{self, Batch, Refusal};

const ENOENT: i32 = 2;

/// Contents of a table that this core made.
#[derive(Debug)]
struct Image {
    form: Form,
    elements: SortedSet<Element>,
}

impl Contents for Image {
    fn table(&self) -> &str {
        &self.form.settings.table
    }
}

/// A transaction without an answer, and what holds when it succeeds.
#[derive(Debug)]
struct Sent<O> {
    batch: Batch,
    goal: Goal,
    /// Owners that wait for it.
    owners: SortedSet<O>,
    /// Numbers of the messages with the rules for VMACs.
    vmac_rules: Vec<usize>,
}

#[derive(Debug)]
enum Goal {
    Absent,
    Present(Image),
    Changed { removed: Vec<Element>, added: Vec<Element> },
}

#[derive(Debug)]
pub(super) struct Table<O> {
    family: Family,
    by_index: bool,
    /// Wanted elements, with the number of entries they belong to.
    wanted: SortedMap<Element, usize>,
    /// Number of wanted elements of each part.
    needed: [usize; Part::ALL.len()],
    /// Elements that are possibly not in the kernel as they are wanted.
    changed: SortedSet<Element>,
    known: KnownTable<Image>,
    sent: Option<Sent<O>>,
    /// Owners without an answer.
    waiting: SortedSet<O>,
    repair: Repair,
    /// The last answer.
    errno: i32,
    vmac_rules: bool,
}

impl<O: Ord + Clone> Table<O> {
    pub(super) fn new(family: Family) -> Self {
        Self {
            family,
            by_index: false,
            wanted: SortedMap::new(),
            needed: [0; Part::ALL.len()],
            changed: SortedSet::new(),
            known: KnownTable::Absent,
            sent: None,
            waiting: SortedSet::new(),
            repair: Repair::default(),
            errno: 0,
            vmac_rules: true,
        }
    }

    /// True if this is a change, which empties the table: all entries have to be counted again.
    pub(super) fn match_by_index(&mut self, by_index: bool) -> bool {
        if self.by_index == by_index {
            return false;
        }
        self.by_index = by_index;
        self.changed.extend(std::mem::take(&mut self.wanted).into_keys());
        self.needed = [0; Part::ALL.len()];
        true
    }

    pub(super) fn count(&mut self, entry: &Entry) {
        for element in entry.elements(self.by_index) {
            let count = self.wanted.entry(element.clone()).or_default();
            *count += 1;
            if *count == 1 {
                self.needed[element.part() as usize] += 1;
                self.changed.insert(element);
            }
        }
    }

    pub(super) fn discount(&mut self, entry: &Entry) {
        for element in entry.elements(self.by_index) {
            let Some(count) = self.wanted.get_mut(&element) else { continue };
            *count -= 1;
            if *count == 0 {
                self.wanted.remove(&element);
                self.needed[element.part() as usize] -= 1;
                self.changed.insert(element);
            }
        }
    }

    /// The owner gets an answer.
    pub(super) fn expect(&mut self, owner: O) {
        self.waiting.insert(owner);
    }

    pub(super) fn waive(&mut self, owner: &O) {
        self.waiting.remove(owner);
        if let Some(sent) = &mut self.sent {
            sent.owners.remove(owner);
        }
    }

    /// True if the kernel has all elements of the entry.
    #[cfg(test)]
    pub(super) fn has(&self, entry: &Entry) -> bool {
        let KnownTable::Present(image) = &self.known else { return false };
        entry.elements(self.by_index).iter().all(|element| image.elements.contains(element))
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.repair.until()
    }

    pub(super) fn is_settling(&self) -> bool {
        self.sent.is_some()
    }

    pub(super) fn on_found(&mut self, name: String) {
        self.known.find(name);
    }

    /// A refusal of the rules for VMACs, or a delay, no longer counts.
    pub(super) fn start_afresh(&mut self) {
        self.vmac_rules = true;
        self.repair = Repair::default();
    }

    pub(super) fn on_vanished(&mut self, now: Instant, out: &mut Vec<Action<O>>) {
        let KnownTable::Present(image) = &self.known else { return };
        let name = image.form.settings.table.clone();
        let after = self.repair.after_failure(false, now);
        self.known.doubt(name);
        out.push(Action::Missing { family: self.family, after });
    }

    /// The parts that wanted elements need.
    fn parts(&self) -> Parts {
        let needed = Part::ALL.into_iter().filter(|part| self.needed[*part as usize] > 0);
        let parts = needed.fold(Parts::default(), Parts::with);
        // The chains for link-local addresses begin in those for all addresses.
        if parts.has(Part::OnIndex) || parts.has(Part::OnName) {
            parts.with(Part::Addresses)
        } else {
            parts
        }
    }

    /// Makes a transaction if one is due.
    pub(super) fn flush(
        &mut self,
        settings: Option<&Nftables>,
        now: Instant,
        out: &mut Vec<Action<O>>,
    ) {
        if self.sent.is_some() {
            return;
        }
        if self.repair.waits(now) {
            // Without a refusal, the table is about to be restored, and the owners hear then.
            if self.errno != 0 {
                self.answer_all(self.errno, out);
            }
            return;
        }
        match self.due(settings) {
            Some((batch, goal, vmac_rules)) => {
                if let Some(name) = self.known.old() {
                    out.push(Action::Replaces { family: self.family, table: name.to_owned() });
                }
                let owners = std::mem::take(&mut self.waiting);
                self.sent = Some(Sent { batch: batch.clone(), goal, owners, vmac_rules });
                out.push(Action::Send { family: self.family, batch });
            }
            None => self.answer_all(0, out),
        }
    }

    fn answer_all(&mut self, errno: i32, out: &mut Vec<Action<O>>) {
        let waiting = std::mem::take(&mut self.waiting);
        out.extend(waiting.into_iter().map(|owner| Action::Outcome { owner, errno }));
    }

    /// The transaction that is due, its goal, and the numbers of the rules for VMACs.
    fn due(&mut self, settings: Option<&Nftables>) -> Option<(Batch, Goal, Vec<usize>)> {
        let (settings, image) = match (settings, &self.known) {
            (None, KnownTable::Absent) => return None,
            (None, _) => return self.removal(),
            (Some(_), KnownTable::Absent) if self.wanted.is_empty() => return None,
            (Some(_), KnownTable::Uncertain { .. }) if self.wanted.is_empty() => {
                return self.removal()
            }
            (Some(settings), KnownTable::Present(image)) => (settings, Some(image)),
            (Some(settings), _) => (settings, None),
        };
        // Parts that are no longer needed stay, as their rules match nothing.
        let before = image.filter(|image| image.form.settings == *settings);
        let before = before.map_or_else(Parts::default, |image| image.form.parts);
        let form = Form {
            settings: settings.clone(),
            parts: self.parts().and(before),
            vmac_rules: self.vmac_rules,
        };
        match image {
            Some(image) if image.form == form => self.difference(),
            _ => Some(self.replacement(form)),
        }
    }

    fn removal(&self) -> Option<(Batch, Goal, Vec<usize>)> {
        let mut batch = Batch::default();
        remove(nft::Table { family: self.family, name: self.known.name()? }, &mut batch);
        Some((batch, Goal::Absent, Vec::new()))
    }

    fn replacement(&mut self, form: Form) -> (Batch, Goal, Vec<usize>) {
        let mut batch = Batch::default();
        let table = form.settings.table.as_str();
        self.known.clear_for(table, self.family, &mut batch);
        let vmac_rules = make(self.family, &form, self.wanted.keys(), &mut batch);
        self.changed.clear();
        let elements = self.wanted.keys().cloned().collect();
        (batch, Goal::Present(Image { form, elements }), vmac_rules)
    }

    fn difference(&mut self) -> Option<(Batch, Goal, Vec<usize>)> {
        let KnownTable::Present(image) = &self.known else { return None };
        let (mut removed, mut added) = (Vec::new(), Vec::new());
        for element in std::mem::take(&mut self.changed) {
            let is_wanted = self.wanted.contains_key(&element);
            match (image.elements.contains(&element), is_wanted) {
                (true, false) => removed.push(element),
                (false, true) => added.push(element),
                _ => {}
            }
        }
        if removed.is_empty() && added.is_empty() {
            return None;
        }
        let table = nft::Table { family: self.family, name: &image.form.settings.table };
        let mut batch = Batch::default();
        change(table, removed.iter(), added.iter(), &mut batch);
        Some((batch, Goal::Changed { removed, added }, Vec::new()))
    }

    pub(super) fn on_answer(
        &mut self,
        result: Result<(), Refusal>,
        now: Instant,
        out: &mut Vec<Action<O>>,
    ) {
        let Some(sent) = self.sent.take() else { return };
        match result {
            Ok(()) => self.on_done(sent, out),
            Err(refusal) => self.on_refused(sent, refusal, now, out),
        }
    }

    fn on_done(&mut self, sent: Sent<O>, out: &mut Vec<Action<O>>) {
        match (sent.goal, &mut self.known) {
            (Goal::Absent, known) => *known = KnownTable::Absent,
            // It was removed since.
            (Goal::Changed { .. }, KnownTable::Absent | KnownTable::Uncertain { .. }) => {}
            (Goal::Present(image), known) => *known = KnownTable::Present(image),
            (Goal::Changed { removed, added }, KnownTable::Present(image)) => {
                for element in &removed {
                    image.elements.remove(element);
                }
                image.elements.extend(added);
            }
        }
        if std::mem::take(&mut self.errno) != 0 {
            out.push(Action::Recovered { family: self.family });
        }
        out.extend(sent.owners.into_iter().map(|owner| Action::Outcome { owner, errno: 0 }));
    }

    fn on_refused(
        &mut self,
        sent: Sent<O>,
        refusal: Refusal,
        now: Instant,
        out: &mut Vec<Action<O>>,
    ) {
        let (family, errno) = (self.family, refusal.errno);
        // The contents are not as they were believed to be, or a part of them is not possible: the
        // next transaction replaces all.
        let name = match (&sent.goal, self.known.name()) {
            (_, Some(name)) => Some(name.to_owned()),
            (Goal::Present(image), None) => Some(image.form.settings.table.clone()),
            (_, None) => None,
        };
        if let Some(name) = name {
            self.known.doubt(name);
        }
        if sent.vmac_rules.contains(&refusal.at) {
            self.vmac_rules = false;
            self.waiting.extend(sent.owners);
            out.push(Action::NoVmacRules { family, errno });
            return;
        }
        if matches!(sent.goal, Goal::Changed { .. }) && errno == ENOENT {
            // Another program changed the table.
            let after = self.repair.after_failure(false, now);
            self.waiting.extend(sent.owners);
            out.push(Action::Missing { family, after });
            return;
        }
        let again = self.repair.after_failure(true, now);
        if std::mem::replace(&mut self.errno, errno) != errno {
            let what = sent.batch.kind(refusal.at);
            out.push(Action::Refused { family, what, errno, again });
        }
        out.extend(sent.owners.into_iter().map(|owner| Action::Outcome { owner, errno }));
    }
}
