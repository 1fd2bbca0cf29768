//! Tables of nf_tables that give firewall marks to packets to the addresses of virtual server groups,
//! so that one service of IPVS serves all of them. Pure.
//!
//! A demand replaces another one in two transactions, of which one is usually empty: the first adds
//! the new marks, before IPVS follows; the second removes what is no longer wanted, when IPVS has
//! followed. So a packet has no mark whose service is not there yet or any more.

use crate::base::addr::Family;
use crate::base::time::{Duration, Instant};
use crate::wire::netlink::nft::{Batch, Message, Refusal};

mod area;
mod claim;
mod ruleset;
mod table;
#[cfg(test)]
mod tests;

pub use claim::Demand;
use table::Table;

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// The demand of a new configuration.
    Want(Demand),
    /// IPVS has followed the last demand.
    Settled,
    /// A table of this name existed at start.
    Found { family: Family, table: String },
    /// Another program removed the table.
    Vanished { family: Family },
    /// The kernel's answer to [`Action::Send`].
    Answer { family: Family, result: Result<(), Refusal> },
}

#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub enum Action {
    /// Send a transaction; its answer is [`Input::Answer`].
    Send { family: Family, batch: Batch },
    /// A table from an earlier run is replaced or removed.
    Replaces { family: Family, table: String },
    /// The kernel refused a transaction, which changed nothing and is retried. Repeated refusals
    /// with the same errno are reported once.
    Refused { family: Family, what: Message, errno: i32, again: Duration },
    /// The kernel accepted a transaction after refusals.
    Recovered { family: Family },
    /// Another program removed the table. It is restored.
    Missing { family: Family, after: Duration },
}

/// The tables of both families.
#[derive(Debug)]
pub struct Marks {
    /// What IPVS serves.
    current: Demand,
    /// What IPVS is about to serve.
    next: Option<Demand>,
    tables: [Table; 2],
}

impl Default for Marks {
    fn default() -> Self {
        let tables = [Family::V4, Family::V6].map(Table::new);
        Self { current: Demand::default(), next: None, tables }
    }
}

impl Marks {
    /// Takes in one input. [`Marks::flush`] makes the transactions of all of them.
    pub fn handle(&mut self, input: Input, now: Instant, out: &mut Vec<Action>) {
        match input {
            Input::Want(demand) => self.want(demand),
            Input::Settled => {
                if let Some(next) = self.next.take() {
                    self.current = next;
                    self.tables.iter_mut().for_each(Table::mark_dirty);
                }
            }
            Input::Found { family, table } => self.table(family).on_found(table),
            Input::Vanished { family } => self.table(family).on_vanished(now, out),
            Input::Answer { family, result } => self.table(family).on_answer(result, now, out),
        }
    }

    /// Makes the transactions that are due.
    pub fn flush(&mut self, now: Instant, out: &mut Vec<Action>) {
        let both = self.next.as_ref().map(|next| self.current.followed_by(next));
        let demand = both.as_ref().unwrap_or(&self.current);
        for table in &mut self.tables {
            table.flush(demand, now, out);
        }
    }

    /// When `flush` next has work without an input.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.tables.iter().filter_map(Table::deadline).min()
    }

    /// True if [`Input::Settled`] is missing.
    pub const fn is_unsettled(&self) -> bool {
        self.next.is_some()
    }

    /// True if there is a table of its own.
    pub fn has_table(&self) -> bool {
        self.tables.iter().any(Table::is_there)
    }

    /// A demand that IPVS did not get to is served at most in part: what it shares with the next one
    /// stays marked.
    fn want(&mut self, demand: Demand) {
        if let Some(before) = self.next.take() {
            self.current = self.current.followed_by(&before);
        }
        self.next = Some(demand);
        self.tables.iter_mut().for_each(Table::start_afresh);
    }

    fn table(&mut self, family: Family) -> &mut Table {
        &mut self.tables[match family {
            Family::V4 => 0,
            Family::V6 => 1,
        }]
    }
}
