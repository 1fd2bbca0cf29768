//! Firewall marks of virtual server groups: carries out the transactions of [`firewall::marks`].
//!
//! They lie in the network namespace of IPVS. After a panic they stay, as the services of IPVS do:
//! neither is of use without the other, and the next start brings both in line.
//!
//! [`firewall::marks`]: crate::firewall::marks

use std::path::Path;

use super::{LoopContext, Lvs};
use crate::base::time::Instant;
use crate::daemon::outlets::marks as report;
use crate::daemon::tables::Tables;
use crate::daemon::tokens::Owner;
use crate::firewall::marks::{self, Action, Demand, Input};
use crate::model::firewall::Marking;
use crate::model::Config;
use crate::sys::nft;
use crate::sys::poll::Poll;

/// The core with its sockets.
pub(super) struct Marks {
    core: marks::Marks,
    /// The table of the configuration.
    table: String,
    tables: Tables,
    /// A transaction may have made or removed the first table.
    has_changed: bool,
    /// Tables that an earlier run has left are known.
    has_looked: bool,
}

impl Default for Marks {
    fn default() -> Self {
        Self {
            core: marks::Marks::default(),
            table: String::new(),
            tables: Tables::new("Virtual server groups get no connections"),
            has_changed: false,
            has_looked: false,
        }
    }
}

impl Marks {
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.core.next_deadline()
    }

    /// Takes in an input, and carries out the transactions that are due.
    fn run(&mut self, input: Option<Input>, now: Instant) {
        let mut out = Vec::new();
        if let Some(input) = input {
            self.core.handle(input, now, &mut out);
        }
        loop {
            self.core.flush(now, &mut out);
            if out.is_empty() {
                return;
            }
            for action in std::mem::take(&mut out) {
                match action {
                    Action::Send { family, batch } => {
                        let result = self.tables.commit(&batch);
                        self.has_changed = true;
                        self.core.handle(Input::Answer { family, result }, now, &mut out);
                    }
                    // The log has the reason already.
                    Action::Refused { .. } if self.tables.is_lack_told => {}
                    other => report::marks(&other),
                }
            }
        }
    }

    /// Finds the tables that an earlier run has left. Without the keyword, only after a crash: they
    /// could be those of another daemon.
    fn find(&mut self, config: &Config, follows_crash: bool, now: Instant) {
        let marking = config.global.firewall.marking.as_ref();
        self.table = marking.map_or(Marking::TABLE, |marking| &marking.table).to_owned();
        if std::mem::replace(&mut self.has_looked, true) {
            return;
        }
        // Without the module there is no table, and a socket would load it.
        let is_possible = marking.is_some() || follows_crash;
        if is_possible && nft::is_loaded() {
            let table = self.table.clone();
            for family in self.tables.families_with(&table) {
                let found = Input::Found { family, table: table.clone() };
                self.core.handle(found, now, &mut Vec::new());
            }
        }
    }

    fn keep_watch(&mut self, poll: &mut Poll<Owner>) {
        if std::mem::take(&mut self.has_changed) {
            self.tables.keep_watch(self.core.has_table(), Owner::Marks, poll);
        }
    }
}

impl Lvs {
    /// Prepares for the marks of a configuration, before `adopt`. At the start, finds the tables that
    /// an earlier run has left.
    pub(in crate::daemon) fn find_marks(
        &mut self,
        config: &Config,
        namespace: Option<&Path>,
        follows_crash: bool,
        now: Instant,
    ) {
        self.marks.tables.namespace = namespace.map(Path::to_owned);
        self.marks.find(config, follows_crash, now);
    }

    /// Adds the marks of a configuration. Those that it does not want stay until IPVS has followed.
    pub(super) fn want_marks(&mut self, config: &Config, now: Instant) {
        let demand = match self.kernel {
            Some(_) => Demand::of(config),
            // There is no service to lead packets to.
            None => Demand::default(),
        };
        self.marks.run(Some(Input::Want(demand)), now);
    }

    /// Removes marks without a service, and retries what the kernel refused.
    pub(super) fn serve_marks(&mut self, context: &mut LoopContext<'_>) {
        let now = context.clock.recent();
        let is_idle = self.kernel.as_ref().is_none_or(|kernel| kernel.is_idle());
        let has_followed = is_idle && !self.is_adopting() && !self.holdings.is_settling();
        if self.marks.core.is_unsettled() && has_followed {
            self.marks.run(Some(Input::Settled), now);
        } else if super::is_due(self.marks.next_deadline(), now) {
            self.marks.run(None, now);
        }
        self.marks.keep_watch(context.poll);
    }

    /// Reads the changes of tables by other programs. True if there is more to read.
    pub(in crate::daemon) fn on_tables(&mut self, now: Instant) -> bool {
        let (gone, more) = self.marks.tables.removed(&self.marks.table);
        for family in gone {
            self.marks.run(Some(Input::Vanished { family }), now);
        }
        more
    }

    /// Removes all marks, after the services.
    pub(in crate::daemon) fn remove_marks(&mut self, now: Instant) {
        self.marks.run(Some(Input::Want(Demand::default())), now);
        self.marks.run(Some(Input::Settled), now);
    }
}
