//! Tables of nf_tables: transactions, tables that an earlier run has left, changes by other programs.

use std::io;
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;

use crate::base::addr::Family;
use crate::daemon::tokens::Owner;
use crate::sys::nft::{Nft, Watch};
use crate::sys::poll::Poll;
use crate::sys::{netns, reason};
use crate::wire::netlink::nft::{Batch, Refusal, TableEvent};

/// Notifications read per turn.
const WATCH_BUDGET: usize = 64;

/// Sockets of one user of nf_tables.
pub(super) struct Tables {
    /// What follows from the lack of nf_tables, for the log.
    loss: &'static str,
    /// Network namespace of the tables; `None`: that of the process.
    pub(super) namespace: Option<PathBuf>,
    nft: Option<Nft>,
    watch: Option<Watch>,
    /// The lack of nf_tables has been logged.
    pub(super) is_lack_told: bool,
}

impl Tables {
    pub(super) const fn new(loss: &'static str) -> Self {
        Self { loss, namespace: None, nft: None, watch: None, is_lack_told: false }
    }

    pub(super) const fn is_open(&self) -> bool {
        self.nft.is_some()
    }

    pub(super) fn commit(&mut self, batch: &Batch) -> Result<(), Refusal> {
        match self.open() {
            Ok(nft) => nft.commit(batch),
            Err(e) => {
                if !std::mem::replace(&mut self.is_lack_told, true) {
                    log::error!("{}: {}", self.loss, reason(&e));
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

    fn inside<T>(&self, open: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match &self.namespace {
            None => open(),
            Some(path) => netns::within(path, open)?,
        }
    }

    /// The families for which a table of this name exists.
    pub(super) fn families_with(&mut self, table: &str) -> Vec<Family> {
        match self.open().and_then(Nft::tables) {
            Ok(list) => list.into_iter().filter(|t| t.1 == table).map(|t| t.0).collect(),
            Err(e) => {
                log::debug!("cannot read the tables of nf_tables: {}", reason(&e));
                Vec::new()
            }
        }
    }

    /// Receives changes by other programs while there are tables of our own. On a host with a busy
    /// firewall, they would wake the daemon for nothing.
    pub(super) fn keep_watch(&mut self, is_needed: bool, owner: Owner, poll: &mut Poll<Owner>) {
        if !is_needed {
            if let Some(watch) = self.watch.take() {
                poll.remove(watch.as_raw_fd());
            }
            return;
        }
        let Some(port) = self.nft.as_ref().map(Nft::port).filter(|_| self.watch.is_none()) else {
            return;
        };
        let watch = self.inside(|| Watch::open(port)).and_then(|watch| {
            poll.add(watch.as_raw_fd(), owner)?;
            Ok(watch)
        });
        match watch {
            Ok(watch) => self.watch = Some(watch),
            Err(e) => log::warn!("cannot receive changes of nf_tables: {}", reason(&e)),
        }
    }

    /// The families whose table of this name another program removed. True if there is more to read.
    pub(super) fn removed(&mut self, table: &str) -> (Vec<Family>, bool) {
        let mut gone = Vec::new();
        let more = (0..WATCH_BUDGET).all(|_| self.receive(table, &mut gone));
        (gone, more)
    }

    /// False: there was nothing to read.
    fn receive(&mut self, table: &str, gone: &mut Vec<Family>) -> bool {
        let Some(watch) = &mut self.watch else { return false };
        let mut events = Vec::new();
        match watch.receive(&mut events) {
            Ok(more) => {
                gone.extend(events.into_iter().filter_map(|event| match event {
                    TableEvent::Removed(family, name) if name == table => Some(family),
                    TableEvent::Removed(..) | TableEvent::Added(..) => None,
                }));
                more
            }
            Err(e) => {
                log::warn!("notifications of nf_tables were lost: {}", reason(&e));
                let there = self.families_with(table);
                gone.extend([Family::V4, Family::V6].into_iter().filter(|f| !there.contains(f)));
                true
            }
        }
    }
}
