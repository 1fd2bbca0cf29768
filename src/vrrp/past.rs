//! What an instance knows besides its configuration and its state, for a program that takes over: what
//! it has counted, and what it has learned of other routers.

use std::net::IpAddr;
use std::rc::Rc;

use super::cause::Cause;
use super::instance::LastHeard;
use super::operator::Heir;
use super::receive::Counters;
use super::refusals::Refusal;
use super::state::{PreemptDelay, State};
use super::Domain;
use crate::base::ids::InstanceId;
use crate::base::time::{Duration, Instant};

/// The last sequence number that was accepted from a sender.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    pub from: IpAddr,
    pub sequence: u64,
    /// When it arrived.
    pub at: Instant,
}

/// The memory of an instance.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Past {
    pub counters: Counters,
    /// The router last heard as master, and its interval.
    pub heard: Option<(Heir, Duration)>,
    /// The routers that were heard as masters.
    pub heirs: Vec<Heir>,
    /// Unicast peers that compute checksums the old way.
    pub old_style: Vec<IpAddr>,
    /// From authenticated advertisements.
    pub marks: Vec<Mark>,
    /// As backup: until when a master of lower priority is tolerated (`preempt_delay`).
    pub tolerates_until: Option<Instant>,
    /// The identification of the last advertisement.
    pub ident: u16,
    /// Senders that were refused.
    pub refusals: Vec<(IpAddr, Refusal)>,
}

impl Domain {
    /// The memory of an instance.
    pub fn past(&self, id: InstanceId) -> Option<Past> {
        let i = self.instance(id)?;
        let heir = |h: LastHeard| Heir { addr: h.addr, priority: h.priority, at: h.at };
        Some(Past {
            counters: i.counters.clone(),
            heard: i.heard.map(|heard| (heir(heard), i.master_interval)),
            heirs: self.heirs.of(id).to_vec(),
            old_style: i.old_style.iter().copied().collect(),
            marks: i.guard.as_ref().map(|guard| guard.marks()).unwrap_or_default(),
            tolerates_until: match i.state.get() {
                State::Backup(backup) => backup.preempt.until(),
                _ => None,
            },
            ident: i.ident,
            refusals: self.refusals.of(id).map(|(from, r)| (from, r.clone())).collect(),
        })
    }

    /// An instance that was just added has this memory.
    pub fn recall_past(&mut self, id: InstanceId, past: &Past) {
        past.heirs.iter().for_each(|heir| self.heirs.set(id, *heir));
        for (from, refusal) in &past.refusals {
            self.refusals.insert(id, *from, refusal.clone());
        }
        let Some(i) = self.instance_mut(id) else { return };
        if let Some((Heir { addr, priority, at }, interval)) = past.heard {
            i.heard = Some(LastHeard { addr, priority, at });
            i.learn_interval(interval);
        }
        i.counters = past.counters.clone();
        i.ident = past.ident;
        i.old_style.edit(|known| known.extend(past.old_style.iter().copied()));
        i.forget_strangers();
        if let Some(guard) = &mut i.guard {
            past.marks.iter().for_each(|mark| guard.recall(mark));
        }
    }

    /// An instance that has begun entered its state at this time and for this reason, and the program
    /// was replaced in between.
    pub fn date_back(&mut self, id: InstanceId, since: Instant, why: Option<&str>, past: Past) {
        let Some(i) = self.instance_mut(id) else { return };
        i.state.date_back(since);
        // Entering the state once more was no event.
        i.counters = past.counters;
        let longest = i.config.preempt_delay;
        if let (Some(b), Some(until)) = (i.state.backup(), past.tolerates_until) {
            if !longest.is_zero() {
                b.preempt = PreemptDelay::Until(until);
            }
        }
        if let Some(why) = why {
            self.causes.insert(id, Rc::new(Cause::Before(why.into())));
        }
    }
}

impl PreemptDelay {
    const fn until(self) -> Option<Instant> {
        match self {
            Self::Idle => None,
            Self::Until(until) => Some(until),
        }
    }
}
