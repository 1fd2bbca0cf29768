//! Firewall marks of virtual server groups: carries out the transactions of [`firewall::marks`].
//!
//! They lie in the network namespace of IPVS. After a panic they stay, as the services of IPVS do:
//! neither is of use without the other, and the next start brings both in line.
//!
//! [`firewall::marks`]: crate::firewall::marks

use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use super::{LoopContext, Lvs};
use crate::base::addr::Family;
use crate::base::time::Instant;
use crate::daemon::outlets::marks as report;
use crate::daemon::tokens::Owner;
use crate::firewall::marks::{self, Action, Demand, Input};
use crate::model::firewall::Marking;
use crate::model::Config;
use crate::sys::nft::{self, Nft, Watch};
use crate::sys::poll::Poll;
use crate::sys::{netns, reason};
use crate::wire::netlink::nft::{Batch, Refusal, TableEvent};

/// Notifications of nf_tables read per turn.
const WATCH_BUDGET: usize = 64;

/// The core with its sockets.
#[derive(Default)]
pub(super) struct Marks {
    core: marks::Marks,
    /// The table of the configuration.
    table: String,
    namespace: Option<PathBuf>,
    nft: Option<Nft>,
    watch: Option<Watch>,
    /// A transaction may have made or removed the first table.
    has_changed: bool,
    /// Tables that an earlier run has left are known.
    has_looked: bool,
    /// The lack of nf_tables has been logged.
    is_lack_told: bool,
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
                        let result = self.commit(&batch);
                        self.has_changed = true;
                        self.core.handle(Input::Answer { family, result }, now, &mut out);
                    }
                    // The log has the reason already.
                    Action::Refused { .. } if self.is_lack_told => {}
                    other => report::marks(&other),
                }
            }
        }
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), Refusal> {
        match self.open() {
            Ok(nft) => nft.commit(batch),
            Err(e) => {
                if !std::mem::replace(&mut self.is_lack_told, true) {
                    log::error!("Virtual server groups get no connections: {}", reason(&e));
                }
                Err(Refusal::whole(e.raw_os_error().unwrap_or(libc::EPROTONOSUPPORT)))
            }
        }
    }

    fn open(&mut self) -> io::Result<&mut Nft> {
        let nft = match self.nft.take() {
            Some(nft) => nft,
            None => self.inside(Nft::open)?,
        };
        self.is_lack_told = false;
        Ok(self.nft.insert(nft))
    }

    /// Opens a socket in the network namespace of IPVS.
    fn inside<T>(&self, open: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match &self.namespace {
            None => open(),
            Some(path) => netns::within(path, open)?,
        }
    }

    /// The families for which a table of this name exists.
    fn families_with(&mut self, table: &str) -> Vec<Family> {
        match self.open().and_then(Nft::tables) {
            Ok(list) => list.into_iter().filter(|t| t.1 == table).map(|t| t.0).collect(),
            Err(e) => {
                log::debug!("cannot read the tables of nf_tables: {}", reason(&e));
                Vec::new()
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
            for family in self.families_with(&table) {
                let found = Input::Found { family, table: table.clone() };
                self.core.handle(found, now, &mut Vec::new());
            }
        }
    }

    /// Receives changes by other programs while there is a table.
    fn keep_watch(&mut self, poll: &mut Poll<Owner>) {
        if !std::mem::take(&mut self.has_changed) {
            return;
        }
        if !self.core.has_table() {
            if let Some(watch) = self.watch.take() {
                poll.remove(watch.as_raw_fd());
            }
            return;
        }
        let Some(port) = self.nft.as_ref().map(Nft::port).filter(|_| self.watch.is_none()) else {
            return;
        };
        let watch = self.inside(|| Watch::open(port)).and_then(|watch| {
            poll.add(watch.as_raw_fd(), Owner::Marks)?;
            Ok(watch)
        });
        match watch {
            Ok(watch) => self.watch = Some(watch),
            Err(e) => log::warn!("cannot receive changes of nf_tables: {}", reason(&e)),
        }
    }

    /// Receives changes by other programs, into these families of removed tables. `false`: there
    /// was none.
    fn receive(&mut self, gone: &mut Vec<Family>) -> bool {
        let Some(watch) = &mut self.watch else { return false };
        let mut events = Vec::new();
        match watch.receive(&mut events) {
            Ok(more) => {
                gone.extend(events.into_iter().filter_map(|event| match event {
                    TableEvent::Removed(family, name) if name == self.table => Some(family),
                    TableEvent::Removed(..) | TableEvent::Added(..) => None,
                }));
                more
            }
            Err(e) => {
                log::warn!("notifications of nf_tables were lost: {}", reason(&e));
                let table = self.table.clone();
                let there = self.families_with(&table);
                gone.extend([Family::V4, Family::V6].into_iter().filter(|f| !there.contains(f)));
                true
            }
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
        self.marks.namespace = namespace.map(Path::to_owned);
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
        let mut gone = Vec::new();
        let more = (0..WATCH_BUDGET).all(|_| self.marks.receive(&mut gone));
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
