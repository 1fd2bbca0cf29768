//! Which commands are run and when: one at a time, from the known contents of the kernel to the
//! wanted ones.

use std::collections::VecDeque;

use super::{Chains, Command, Run, Saved, Step};
use crate::base::addr::Family;
use crate::base::sorted::SortedSet;
use crate::base::time::Instant;
use crate::firewall::repair::Repair;
use crate::firewall::{Action, Entry};
use crate::model::firewall::Iptables;

/// Errno of entries whose commands failed: the reason is a text, which is reported once.
const EIO: i32 = 5;

/// What is known of rules and sets in the kernel.
#[derive(Debug)]
enum Known {
    /// There are none of ours.
    Nothing,
    /// There may be some: of an earlier run, or of these chains, whose commands failed.
    Uncertain(Option<Chains>),
    Exact(Chains),
}

/// Commands that are being run, in order.
#[derive(Debug)]
struct Work<O> {
    current: Run,
    rest: VecDeque<Run>,
    /// Contents when all have succeeded.
    goal: Goal,
    /// Owners that wait for it.
    owners: SortedSet<O>,
}

#[derive(Debug)]
enum Goal {
    /// The contents are read, as far as they have been.
    Look(Vec<(Command, String)>),
    Nothing,
    Exact(Box<Chains>),
}

#[derive(Debug)]
pub(in crate::firewall) struct Runner<O> {
    configured: Option<Iptables>,
    /// Those in force: without sets if the host has no ipset.
    settings: Option<Iptables>,
    /// Entries that may be wanted some time, whose rules an earlier run may have left.
    possible: SortedSet<Entry>,
    /// The wanted entries may have changed.
    is_stale: bool,
    known: Known,
    work: Option<Work<O>>,
    /// Owners without an answer.
    waiting: SortedSet<O>,
    repair: Repair,
    /// The reason of the last failure, unless a success followed.
    failure: Option<String>,
}

impl<O> Default for Runner<O> {
    fn default() -> Self {
        Self {
            configured: None,
            settings: None,
            possible: SortedSet::new(),
            is_stale: false,
            known: Known::Uncertain(None),
            work: None,
            waiting: SortedSet::new(),
            repair: Repair::default(),
            failure: None,
        }
    }
}

impl<O: Ord + Clone> Runner<O> {
    pub(in crate::firewall) fn configure(&mut self, new: Option<(Iptables, SortedSet<Entry>)>) {
        let (settings, possible) = new.unzip();
        self.possible = possible.unwrap_or_default();
        if settings != self.configured {
            self.configured.clone_from(&settings);
            self.settings = settings;
        }
        self.repair = Repair::default();
        self.is_stale = true;
    }

    /// The wanted entries changed.
    pub(in crate::firewall) fn expect_changes(&mut self) {
        self.is_stale = true;
    }

    /// The owner gets an answer.
    pub(in crate::firewall) fn expect(&mut self, owner: O) {
        self.waiting.insert(owner);
    }

    pub(in crate::firewall) fn waive(&mut self, owner: &O) {
        self.waiting.remove(owner);
        if let Some(work) = &mut self.work {
            work.owners.remove(owner);
        }
    }

    pub(in crate::firewall) const fn deadline(&self) -> Option<Instant> {
        self.repair.until()
    }

    /// True while a command runs.
    pub(in crate::firewall) const fn is_settling(&self) -> bool {
        self.work.is_some()
    }

    /// True if rules and sets are as the settings say, so that no other protection is needed.
    pub(in crate::firewall) fn is_in_force(&self) -> bool {
        let Known::Exact(chains) = &self.known else { return false };
        self.work.is_none() && Some(&chains.settings) == self.settings.as_ref()
    }

    /// True if the last command failed.
    pub(in crate::firewall) const fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Whatever is known becomes uncertain, as after an interruption.
    pub(in crate::firewall) fn doubt(&mut self) {
        let work = self.work.take();
        let goal = work.and_then(|work| match work.goal {
            Goal::Exact(chains) => Some(*chains),
            Goal::Look(_) | Goal::Nothing => None,
        });
        let former = match std::mem::replace(&mut self.known, Known::Nothing) {
            Known::Nothing => None,
            Known::Uncertain(former) => former,
            Known::Exact(chains) => Some(chains),
        };
        self.known = match (former, goal) {
            (Some(a), Some(b)) if a.settings == b.settings => {
                Known::Uncertain(Some(a.with(&a.entries | &b.entries)))
            }
            (former, goal) => Known::Uncertain(former.or(goal)),
        };
        self.repair = Repair::default();
        self.is_stale = true;
    }

    /// Begins the next command if one is due. `wanted`: the entries of all owners.
    pub(in crate::firewall) fn flush(
        &mut self,
        wanted: impl Fn() -> SortedSet<Entry>,
        now: Instant,
        out: &mut Vec<Action<O>>,
    ) {
        if self.work.is_some() {
            return;
        }
        if self.repair.waits(now) {
            return self.answer_all(EIO, out);
        }
        if std::mem::take(&mut self.is_stale) {
            self.begin(wanted, out);
        }
        if self.work.is_none() && !self.is_stale {
            self.answer_all(0, out);
        }
    }

    fn answer_all(&mut self, errno: i32, out: &mut Vec<Action<O>>) {
        let waiting = std::mem::take(&mut self.waiting);
        out.extend(waiting.into_iter().map(|owner| Action::Outcome { owner, errno }));
    }

    fn begin(&mut self, wanted: impl Fn() -> SortedSet<Entry>, out: &mut Vec<Action<O>>) {
        match (&self.settings, &self.known) {
            (None, Known::Nothing) => {}
            (None, Known::Uncertain(None)) => self.known = Known::Nothing,
            (Some(settings), Known::Exact(chains)) if *settings == chains.settings => {
                let next = chains.with(wanted());
                let steps = chains.steps_to(&next);
                let owners = std::mem::take(&mut self.waiting);
                self.carry_out(steps, Goal::Exact(Box::new(next)), owners, out);
            }
            // Those of other settings are removed first.
            (_, Known::Exact(chains)) => {
                let steps = chains.last_steps();
                self.is_stale = true;
                self.carry_out(steps, Goal::Nothing, SortedSet::new(), out);
            }
            (_, Known::Nothing | Known::Uncertain(_)) => self.look(&wanted(), out),
        }
    }

    /// Reads what the kernel has of ours.
    fn look(&mut self, wanted: &SortedSet<Entry>, out: &mut Vec<Action<O>>) {
        let former = match &self.known {
            Known::Uncertain(Some(former)) => Some(former),
            _ => None,
        };
        let sets = former.map(|former| &former.settings).or(self.settings.as_ref());
        let has_sets = sets.is_some_and(|settings| settings.sets.is_some());
        let entries = former.into_iter().flat_map(|former| &former.entries);
        let families: SortedSet<_> =
            entries.chain(wanted).chain(&self.possible).map(Entry::family).collect();
        let mut runs: VecDeque<_> =
            families.into_iter().map(|family| Run::Save(Command::Iptables(family))).collect();
        runs.extend(has_sets.then_some(Run::Save(Command::Ipset)));
        self.is_stale = true;
        match runs.pop_front() {
            Some(first) => self.start(first, runs, Goal::Look(Vec::new()), SortedSet::new(), out),
            None => self.on_seen(&[], wanted.clone(), out),
        }
    }

    fn carry_out(
        &mut self,
        steps: Vec<Step>,
        goal: Goal,
        owners: SortedSet<O>,
        out: &mut Vec<Action<O>>,
    ) {
        let mut runs: VecDeque<_> = steps.into_iter().map(Run::Restore).collect();
        match runs.pop_front() {
            Some(first) => self.start(first, runs, goal, owners, out),
            None => self.on_done(goal, owners, out),
        }
    }

    fn start(
        &mut self,
        current: Run,
        rest: VecDeque<Run>,
        goal: Goal,
        owners: SortedSet<O>,
        out: &mut Vec<Action<O>>,
    ) {
        out.push(Action::Run(current.clone()));
        self.work = Some(Work { current, rest, goal, owners });
    }

    /// The command has ended, with this output or for this reason without success.
    pub(in crate::firewall) fn on_ended(
        &mut self,
        result: Result<String, String>,
        wanted: impl Fn() -> SortedSet<Entry>,
        now: Instant,
        out: &mut Vec<Action<O>>,
    ) {
        let Some(mut work) = self.work.take() else { return };
        match (result, &mut work.goal) {
            (Ok(output), Goal::Look(seen)) => seen.push((work.current.command(), output)),
            (Ok(_), Goal::Nothing | Goal::Exact(_)) => {}
            (Err(reason), Goal::Look(_))
                if work.current == Run::Save(Command::Ipset) && self.is_unused() =>
            {
                return self.go_without_sets(reason, out);
            }
            // It may not be there, and is not needed: the next look is for the first entry.
            (Err(_), Goal::Look(_)) if wanted().is_empty() && self.is_unused() => {
                self.is_stale = false;
                return;
            }
            (Err(reason), _) => return self.on_failed(work, reason, now, out),
        }
        let Work { mut rest, goal, owners, .. } = work;
        match (rest.pop_front(), goal) {
            (Some(next), goal) => self.start(next, rest, goal, owners, out),
            (None, Goal::Look(seen)) => {
                self.on_seen(&seen, wanted(), out);
            }
            (None, goal) => self.on_done(goal, owners, out),
        }
    }

    /// True if there are no rules of this run.
    const fn is_unused(&self) -> bool {
        matches!(self.known, Known::Nothing | Known::Uncertain(None))
    }

    /// Each entry has its own rules on a host without ipset.
    fn go_without_sets(&mut self, reason: String, out: &mut Vec<Action<O>>) {
        out.push(Action::NoSets { reason });
        if let Some(settings) = &mut self.settings {
            settings.sets = None;
        }
        self.is_stale = true;
    }

    fn on_seen(
        &mut self,
        seen: &[(Command, String)],
        wanted: SortedSet<Entry>,
        out: &mut Vec<Action<O>>,
    ) {
        let text = |of| seen.iter().find(|(command, _)| *command == of).map_or("", |(_, t)| t);
        let saved = Saved {
            v4: text(Command::Iptables(Family::V4)),
            v6: text(Command::Iptables(Family::V6)),
            sets: text(Command::Ipset),
        };
        let former = match &self.known {
            Known::Uncertain(Some(former)) => Some(former),
            _ => None,
        };
        let entries = former.map_or_else(SortedSet::new, |former| former.entries.clone());
        let former = former.map(|former| &former.settings);
        let possible = &entries | &self.possible;
        let (chains, goal) = match (&self.settings, former) {
            (Some(settings), former) if former.is_none_or(|former| former == settings) => {
                let chains = Chains::new(settings.clone()).with(wanted);
                (chains.clone(), Goal::Exact(Box::new(chains)))
            }
            // Those of other settings are removed first.
            (_, Some(former)) => (Chains::new(former.clone()), Goal::Nothing),
            (_, None) => return,
        };
        let steps = chains.first_steps(&saved, &possible);
        let owners = match &goal {
            Goal::Exact(_) => std::mem::take(&mut self.waiting),
            _ => SortedSet::new(),
        };
        self.is_stale = matches!(goal, Goal::Nothing);
        self.carry_out(steps, goal, owners, out);
    }

    fn on_done(&mut self, goal: Goal, owners: SortedSet<O>, out: &mut Vec<Action<O>>) {
        self.known = match goal {
            Goal::Exact(chains) => Known::Exact(*chains),
            Goal::Nothing | Goal::Look(_) => Known::Nothing,
        };
        if self.failure.take().is_some() {
            out.push(Action::Restored);
        }
        out.extend(owners.into_iter().map(|owner| Action::Outcome { owner, errno: 0 }));
    }

    fn on_failed(&mut self, work: Work<O>, reason: String, now: Instant, out: &mut Vec<Action<O>>) {
        let Work { current, owners, .. } = &work;
        let (run, owners) = (current.clone(), owners.clone());
        self.work = Some(work);
        self.doubt();
        let again = self.repair.after_failure(true, now);
        if self.failure.as_ref() != Some(&reason) {
            self.failure = Some(reason.clone());
            out.push(Action::Failed { run, reason, again });
        }
        let owners = owners.into_iter().chain(std::mem::take(&mut self.waiting));
        out.extend(owners.map(|owner| Action::Outcome { owner, errno: EIO }));
    }
}

#[cfg(test)]
mod tests;
