//! The table of one family: its known contents, and the transactions to the wanted ones.

use super::area::{areas, Area};
use super::claim::Demand;
use super::ruleset::{change, make, Form};
use super::Action;
use crate::base::addr::Family;
use crate::base::sorted::SortedMap;
use crate::base::time::Instant;
use crate::firewall::known::{Contents, KnownTable};
use crate::firewall::repair::Repair;
use crate::firewall::ruleset::remove;
use crate::wire::netlink::nft::{self, Batch, Refusal};

const ENOENT: i32 = 2;

#[derive(PartialEq, Eq, Debug)]
struct Image {
    form: Form,
    areas: SortedMap<Area, u32>,
}

impl Contents for Image {
    fn table(&self) -> &str {
        &self.form.settings.table
    }
}

/// A transaction without an answer.
#[derive(Debug)]
struct Sent {
    batch: Batch,
    /// Contents when it succeeds; `None`: no table.
    goal: Option<Image>,
    /// It relies on the known contents.
    is_change: bool,
}

#[derive(Debug)]
pub(super) struct Table {
    family: Family,
    known: KnownTable<Image>,
    sent: Option<Sent>,
    repair: Repair,
    /// The last answer.
    errno: i32,
    /// The known contents are possibly not the wanted ones.
    dirty: bool,
}

impl Table {
    pub(super) fn new(family: Family) -> Self {
        let repair = Repair::default();
        Self { family, known: KnownTable::Absent, sent: None, repair, errno: 0, dirty: false }
    }

    /// Another demand. A delay no longer counts.
    pub(super) fn start_afresh(&mut self) {
        self.repair = Repair::default();
        self.dirty = true;
    }

    pub(super) const fn mark_dirty(&mut self) {
        self.dirty = true;
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.repair.until()
    }

    pub(super) const fn is_there(&self) -> bool {
        matches!(self.known, KnownTable::Present(_))
    }

    pub(super) fn on_found(&mut self, name: String) {
        self.dirty |= self.known.find(name);
    }

    pub(super) fn on_vanished(&mut self, now: Instant, out: &mut Vec<Action>) {
        let KnownTable::Present(image) = &self.known else { return };
        let name = image.form.settings.table.clone();
        self.missing(name, now, out);
    }

    fn missing(&mut self, name: String, now: Instant, out: &mut Vec<Action>) {
        self.known.doubt(name);
        self.dirty = true;
        let after = self.repair.after_failure(false, now);
        out.push(Action::Missing { family: self.family, after });
    }

    /// Makes a transaction if one is due.
    pub(super) fn flush(&mut self, demand: &Demand, now: Instant, out: &mut Vec<Action>) {
        if self.sent.is_some() || self.repair.waits(now) || !self.dirty {
            return;
        }
        self.dirty = false;
        let Some(sent) = self.due(demand) else { return };
        if let Some(name) = self.known.old() {
            out.push(Action::Replaces { family: self.family, table: name.to_owned() });
        }
        out.push(Action::Send { family: self.family, batch: sent.batch.clone() });
        self.sent = Some(sent);
    }

    fn due(&self, demand: &Demand) -> Option<Sent> {
        let mut batch = Batch::default();
        let table = |name| nft::Table { family: self.family, name };
        let Some(wanted) = self.wanted(demand) else {
            remove(table(self.known.name()?), &mut batch);
            return Some(Sent { batch, goal: None, is_change: false });
        };
        let name = wanted.form.settings.table.as_str();
        let is_change = match &self.known {
            KnownTable::Present(image) if *image == wanted => return None,
            KnownTable::Present(image) if image.form == wanted.form => {
                change(table(name), &image.areas, &wanted.areas, &mut batch);
                true
            }
            _ => {
                self.known.clear_for(name, self.family, &mut batch);
                make(self.family, &wanted.form, &wanted.areas, &mut batch);
                false
            }
        };
        Some(Sent { batch, goal: Some(wanted), is_change })
    }

    fn wanted(&self, demand: &Demand) -> Option<Image> {
        let settings = demand.settings.clone()?;
        let areas = areas(&demand.claims, self.family);
        let protocols = areas.keys().map(|area| area.protocol).collect();
        (!areas.is_empty()).then_some(Image { form: Form { settings, protocols }, areas })
    }

    pub(super) fn on_answer(
        &mut self,
        result: Result<(), Refusal>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(sent) = self.sent.take() else { return };
        match result {
            Ok(()) => {
                self.known = sent.goal.map_or(KnownTable::Absent, KnownTable::Present);
                if std::mem::take(&mut self.errno) != 0 {
                    out.push(Action::Recovered { family: self.family });
                }
            }
            Err(refusal) => self.on_refused(&sent, refusal, now, out),
        }
    }

    /// The contents are not as they were believed to be, or the kernel cannot do what is wanted: the
    /// next transaction replaces all.
    fn on_refused(&mut self, sent: &Sent, refusal: Refusal, now: Instant, out: &mut Vec<Action>) {
        let of_goal = sent.goal.as_ref().map(|image| image.form.settings.table.as_str());
        let Some(name) = self.known.name().or(of_goal).map(str::to_owned) else { return };
        if sent.is_change && refusal.errno == ENOENT {
            // Another program changed the table.
            return self.missing(name, now, out);
        }
        // A table from an earlier run has been reported.
        self.known.doubt(name);
        self.dirty = true;
        let again = self.repair.after_failure(true, now);
        let (family, errno) = (self.family, refusal.errno);
        if std::mem::replace(&mut self.errno, errno) != errno {
            let what = sent.batch.kind(refusal.at);
            out.push(Action::Refused { family, what, errno, again });
        }
    }
}
