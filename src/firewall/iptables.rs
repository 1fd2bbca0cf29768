//! The packet filter through iptables and ipset: inputs of their restore commands.
//!
//! With sets, rules are added when an entry needs them for the first time, and entries are members
//! of the sets. Without, each entry has its own rules. The input of one command takes effect as a
//! whole.

mod rules;
mod runner;
mod sets;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use rules::Rule;
pub(super) use runner::Runner;
use sets::{Member, SetKind};

use super::Entry;
use crate::base::addr::Family;
use crate::base::sorted::SortedSet;
use crate::model::firewall::Iptables;

/// A command that reads its changes from the standard input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// `ipset restore`
    Ipset,
    /// `iptables-restore --noflush`, or `ip6tables-restore --noflush`.
    Iptables(Family),
}

/// One command with its input. Steps have to be carried out in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    pub command: Command,
    pub input: String,
}

/// A run of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Run {
    /// It prints what the kernel has.
    Save(Command),
    Restore(Step),
}

impl Run {
    pub const fn command(&self) -> Command {
        match self {
            Self::Save(command) | Self::Restore(Step { command, .. }) => *command,
        }
    }

    pub const fn program(&self) -> &'static str {
        match (self, self.command()) {
            (_, Command::Ipset) => "ipset",
            (Self::Save(_), Command::Iptables(Family::V4)) => "iptables-save",
            (Self::Save(_), Command::Iptables(Family::V6)) => "ip6tables-save",
            (Self::Restore(_), Command::Iptables(Family::V4)) => "iptables-restore",
            (Self::Restore(_), Command::Iptables(Family::V6)) => "ip6tables-restore",
        }
    }
}

/// What the kernel has, as the commands print it.
#[derive(Clone, Copy, Default, Debug)]
pub struct Saved<'a> {
    /// `iptables-save -t filter`
    pub v4: &'a str,
    /// `ip6tables-save -t filter`
    pub v6: &'a str,
    /// `ipset save`
    pub sets: &'a str,
}

/// Rules and sets for entries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chains {
    settings: Iptables,
    entries: SortedSet<Entry>,
    /// Sets that have their rules.
    kinds: SortedSet<SetKind>,
}

impl Chains {
    pub const fn new(settings: Iptables) -> Self {
        Self { settings, entries: SortedSet::new(), kinds: SortedSet::new() }
    }

    /// The same with these entries.
    pub fn with(&self, entries: SortedSet<Entry>) -> Self {
        let mut kinds = self.kinds.clone();
        if self.settings.sets.is_some() {
            let needed = entries.iter().flat_map(SetKind::needed);
            kinds.extend(needed.filter(|k| self.settings.output.is_some() || !k.is_output()));
        }
        Self { settings: self.settings.clone(), entries, kinds }
    }

    /// Steps from the contents of an earlier run, or from nothing. `possible`: all entries that may
    /// be wanted some time, whose rules an earlier run may have left.
    pub fn first_steps(&self, saved: &Saved<'_>, possible: &SortedSet<Entry>) -> Vec<Step> {
        let wanted = self.rules();
        let former = rules::of_entries(&self.settings, &(&self.entries | possible));
        let mut steps = vec![self.adopt_sets(saved.sets)];
        for (family, text) in [(Family::V4, saved.v4), (Family::V6, saved.v6)] {
            let mut input = String::new();
            let lines = text.lines().filter(|line| self.is_ours(line, family, &former));
            for line in lines.filter_map(|line| line.strip_prefix("-A ")) {
                let _ = writeln!(input, "-D {line}");
            }
            rules::add(wanted.iter().filter(|rule| rule.family == family), &mut input);
            steps.push(Step::table(family, &input));
        }
        // The rules that used them are gone by now.
        steps.push(Step::sets(self.idle_sets(saved.sets).map(|set| format!("destroy {set}\n"))));
        steps.retain(|step| !step.input.is_empty());
        steps
    }

    /// Steps from these contents to others with the same settings.
    pub fn steps_to(&self, next: &Self) -> Vec<Step> {
        let (before, after) = (self.rules(), next.rules());
        let new = next.kinds.difference(&self.kinds);
        let creation = new.filter_map(|kind| Some(kind.creation(self.settings.sets.as_ref()?)));
        let (old, members) = (self.members(), next.members());
        let gone = old.difference(&members).map(|member| member.line("del"));
        let come = members.difference(&old).map(|member| member.line("add"));
        let mut steps = vec![Step::sets(creation.chain(gone).chain(come))];
        for family in [Family::V4, Family::V6] {
            let of = |rule: &&Rule| rule.family == family;
            let mut input = String::new();
            for rule in before.iter().filter(of).filter(|rule| !after.contains(rule)) {
                let _ = writeln!(input, "-D {} {}", rule.chain, rule.text);
            }
            rules::add(after.iter().filter(of).filter(|rule| !before.contains(rule)), &mut input);
            steps.push(Step::table(family, &input));
        }
        steps.retain(|step| !step.input.is_empty());
        steps
    }

    /// Steps that remove all rules, and then the sets.
    pub fn last_steps(&self) -> Vec<Step> {
        let mut steps = self.steps_to(&Self::new(self.settings.clone()));
        // The members go with their sets.
        steps.retain(|step| step.command != Command::Ipset);
        let names = self.settings.sets.iter().flat_map(|sets| {
            self.kinds.iter().map(|kind| format!("destroy {}\n", kind.name(sets)))
        });
        steps.push(Step::sets(names));
        steps.retain(|step| !step.input.is_empty());
        steps
    }

    fn rules(&self) -> Vec<Rule> {
        match &self.settings.sets {
            Some(sets) => rules::of_sets(&self.settings, sets, &self.kinds),
            None => rules::of_entries(&self.settings, &self.entries),
        }
    }

    fn members(&self) -> SortedSet<Member> {
        let Some(sets) = &self.settings.sets else { return SortedSet::new() };
        let all = self.entries.iter().flat_map(|entry| sets::members(entry, sets));
        all.filter(|member| self.kinds.contains(&member.kind)).collect()
    }

    /// True for a line of our chains about one of our sets, or about one of these entries: the
    /// earlier run may have had other settings.
    fn is_ours(&self, line: &str, family: Family, former: &[Rule]) -> bool {
        if former.iter().any(|rule| rule.family == family && rule.is_shown_as(line)) {
            return true;
        }
        let mut words = line.split(' ').skip(1);
        let chain = words.next();
        let is_in = |ours: &str| chain == Some(ours);
        if !is_in(&self.settings.input) && !self.settings.output.as_deref().is_some_and(is_in) {
            return false;
        }
        let set = words.skip_while(|word| *word != "--match-set").nth(1);
        let sets = self.settings.sets.clone().unwrap_or_default();
        set.is_some_and(|set| sets.names().iter().any(|name| *name == set))
    }

    /// Creates the sets, and brings their members to the wanted ones.
    fn adopt_sets(&self, saved: &str) -> Step {
        let Some(sets) = &self.settings.sets else { return Step::sets(std::iter::empty()) };
        let members = self.members();
        let creation = self.kinds.iter().map(|kind| kind.creation(sets));
        let is_wanted = |set: &str, value: &str| {
            members.iter().any(|member| member.set == set && member.value == value)
        };
        let former = saved.lines().filter_map(|line| line.strip_prefix("add ")?.split_once(' '));
        let names: Vec<_> = self.kinds.iter().map(|kind| kind.name(sets)).collect();
        let former = former.filter(|(set, value)| names.contains(set) && !is_wanted(set, value));
        let gone = former.map(|(set, value)| format!("del {set} {value} -exist\n"));
        let come = members.iter().map(|member| member.line("add"));
        Step::sets(creation.chain(come).chain(gone))
    }

    /// Our sets from an earlier run that no rule needs.
    fn idle_sets<'a>(&'a self, saved: &'a str) -> impl Iterator<Item = &'a str> {
        let names = self.settings.sets.as_ref().map(|sets| {
            SetKind::ALL.map(|kind| (!self.kinds.contains(&kind)).then(|| kind.name(sets)))
        });
        let idle: Vec<_> = names.into_iter().flatten().flatten().collect();
        let known =
            saved.lines().filter_map(|line| line.strip_prefix("create ")?.split(' ').next());
        known.filter(move |set| idle.contains(set))
    }
}

impl Step {
    fn sets(lines: impl Iterator<Item = String>) -> Self {
        Self { command: Command::Ipset, input: lines.collect() }
    }

    fn table(family: Family, lines: &str) -> Self {
        let input = match lines {
            "" => String::new(),
            lines => format!("*filter\n{lines}COMMIT\n"),
        };
        Self { command: Command::Iptables(family), input }
    }
}
