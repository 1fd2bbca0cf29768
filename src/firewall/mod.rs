//! The packet filter, which drops packets of addresses that are not accepted, and keeps the
//! multicast of VMACs on their base interfaces. Pure. The tables of [`marks`] are others.
//!
//! Owners want entries. With nf_tables, this core turns them into one transaction per table and
//! turn, which brings the kernel's table from its known contents to the wanted ones. A table whose
//! contents are uncertain, as one from an earlier run, is replaced within one transaction, so that
//! no packet passes meanwhile. With iptables, it turns them into commands.

use crate::base::addr::Family;
use crate::base::sorted::{SortedMap, SortedSet};
use crate::base::time::{Duration, Instant};
use crate::model::firewall::{Iptables, Nftables};
use crate::wire::netlink::nft::{Batch, Message, Refusal};

mod element;
mod entry;
pub mod iptables;
mod known;
pub mod marks;
mod repair;
mod rules;
mod ruleset;
mod table;
#[cfg(test)]
mod tests;

pub use entry::{Entry, Vmac};
use iptables::{Run, Runner};
use table::Table;

/// The way in which packets are filtered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Means {
    Nftables(Nftables),
    /// With all entries that may be wanted some time. An earlier run may have left their rules.
    Iptables(Iptables, SortedSet<Entry>),
}

/// What happened. `O` identifies the owner of an entry.
#[derive(Debug)]
pub enum Input<O> {
    /// Settings of a new configuration; `None`: no instance needs a packet filter.
    Configure(Option<Means>),
    /// A table of this name existed at start.
    Found { family: Family, table: String },
    /// After a panic: whatever is known of the table, it may exist.
    Forgotten { family: Family, table: String },
    /// Another program removed the table.
    Vanished { family: Family },
    /// The owner wants this entry, in place of its previous one.
    Want { owner: O, entry: Entry },
    /// The owner no longer wants its entry.
    Release { owner: O },
    /// The kernel's answer to [`Action::Send`].
    Answer { family: Family, result: Result<(), Refusal> },
    /// The command of [`Action::Run`] has ended, with this output or for this reason without
    /// success.
    Ended(Result<String, String>),
    /// A command may have been interrupted.
    Interrupted,
    /// Everything is removed, as soon as possible and for good.
    Stop,
}

#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub enum Action<O> {
    /// Send a transaction; its answer is [`Input::Answer`].
    Send { family: Family, batch: Batch },
    /// Run a command; its end is [`Input::Ended`].
    Run(Run),
    /// The entry of this owner is in force (0), or the kernel refused it for now. The only answer
    /// to each [`Input::Want`], unless the owner releases the entry before.
    Outcome { owner: O, errno: i32 },
    /// A table from an earlier run is replaced or removed.
    Replaces { family: Family, table: String },
    /// The kernel refused a transaction, which changed nothing and is retried. Repeated refusals
    /// with the same errno are reported once.
    Refused { family: Family, what: Message, errno: i32, again: Duration },
    /// The kernel accepted a transaction after refusals.
    Recovered { family: Family },
    /// The kernel cannot match or duplicate packets of VMACs. The rules for them are left out.
    NoVmacRules { family: Family, errno: i32 },
    /// Another program removed the table. It is restored.
    Missing { family: Family, after: Duration },
    /// A command failed, and all is tried again. Repeated failures for the same reason are reported
    /// once.
    Failed { run: Run, reason: String, again: Duration },
    /// The commands succeeded after failures.
    Restored,
    /// The host has no ipset.
    NoSets { reason: String },
}

#[derive(Debug)]
pub struct Firewall<O> {
    entries: SortedMap<O, Entry>,
    /// Settings of the tables. They stay until iptables has taken over.
    settings: Option<Nftables>,
    is_by_commands: bool,
    /// Of both families.
    tables: [Table<O>; 2],
    runner: Runner<O>,
}

impl<O: Ord + Clone> Default for Firewall<O> {
    fn default() -> Self {
        let tables = [Family::V4, Family::V6].map(Table::new);
        let (settings, is_by_commands, runner) = (None, false, Runner::default());
        Self { entries: SortedMap::new(), settings, is_by_commands, tables, runner }
    }
}

impl<O: Ord + Clone> Firewall<O> {
    /// Takes in one input. [`Firewall::flush`] makes the transactions of all of them.
    pub fn handle(&mut self, input: Input<O>, now: Instant, out: &mut Vec<Action<O>>) {
        match input {
            Input::Configure(means) => self.configure(means),
            Input::Found { family, table } => self.table(family).on_found(table),
            Input::Forgotten { family, table } => {
                *self.table(family) = Table::new(family);
                self.table(family).on_found(table);
            }
            Input::Vanished { family } => self.table(family).on_vanished(now, out),
            Input::Want { owner, entry } => self.want(owner, entry),
            Input::Release { owner } => self.release(&owner),
            Input::Answer { family, result } => self.table(family).on_answer(result, now, out),
            Input::Ended(result) => {
                let Self { entries, runner, .. } = self;
                runner.on_ended(result, || entries.values().cloned().collect(), now, out);
            }
            Input::Interrupted => self.runner.doubt(),
            Input::Stop => self.configure(None),
        }
    }

    /// Makes the transactions and commands that are due, at the end of a turn or at a deadline.
    pub fn flush(&mut self, now: Instant, out: &mut Vec<Action<O>>) {
        let Self { entries, runner, .. } = self;
        runner.flush(|| entries.values().cloned().collect(), now, out);
        if self.is_by_commands {
            if self.runner.is_in_force() || self.runner.has_failed() {
                self.settings = None;
            } else if self.settings.is_none() {
                // Tables that an earlier run has left stay until then, too.
                return;
            }
        }
        for table in &mut self.tables {
            table.flush(self.settings.as_ref(), now, out);
        }
    }

    /// When `flush` next has work without an input.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.tables.iter().filter_map(Table::deadline).chain(self.runner.deadline()).min()
    }

    /// True while answers of the kernel are pending, or a command runs.
    pub fn is_settling(&self) -> bool {
        self.tables.iter().any(Table::is_settling) || self.runner.is_settling()
    }

    /// True if the entry of this owner is in force.
    #[cfg(test)]
    fn is_in_force(&self, owner: &O) -> bool {
        let entry = self.entries.get(owner);
        entry.is_some_and(|entry| self.tables[slot(entry.family())].has(entry))
    }

    fn table(&mut self, family: Family) -> &mut Table<O> {
        &mut self.tables[slot(family)]
    }

    fn configure(&mut self, means: Option<Means>) {
        self.tables.iter_mut().for_each(Table::start_afresh);
        let (settings, commands) = match means {
            None => (None, None),
            Some(Means::Nftables(settings)) => (Some(settings), None),
            Some(Means::Iptables(settings, possible)) => {
                (self.settings.take(), Some((settings, possible)))
            }
        };
        self.is_by_commands = commands.is_some();
        self.runner.configure(commands);
        let is_by_index = |settings: &Option<Nftables>| settings.as_ref().map(|s| s.by_index);
        let turns = is_by_index(&settings).is_some_and(|by_index| {
            self.tables.iter_mut().fold(false, |any, table| table.match_by_index(by_index) | any)
        });
        self.settings = settings;
        if turns {
            for entry in self.entries.values() {
                self.tables[slot(entry.family())].count(entry);
            }
        }
    }

    fn want(&mut self, owner: O, entry: Entry) {
        self.release(&owner);
        let table = &mut self.tables[slot(entry.family())];
        table.count(&entry);
        if self.is_by_commands {
            self.runner.expect(owner.clone());
        } else {
            table.expect(owner.clone());
        }
        self.runner.expect_changes();
        self.entries.insert(owner, entry);
    }

    fn release(&mut self, owner: &O) {
        if let Some(entry) = self.entries.remove(owner) {
            let table = self.table(entry.family());
            table.discount(&entry);
            table.waive(owner);
            self.runner.waive(owner);
            self.runner.expect_changes();
        }
    }
}

const fn slot(family: Family) -> usize {
    match family {
        Family::V4 => 0,
        Family::V6 => 1,
    }
}
