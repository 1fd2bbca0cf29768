//! How often things happened since the start: the journal itself forgets.

use std::borrow::Cow;

use crate::base::name::SharedName;
use crate::base::sorted::SortedMap;
use crate::snapshot::Instance;
use crate::status::Reload;
use crate::vrrp::cause::Cause;
use crate::vrrp::{Action, Domain, Note, Phase};

/// Numbers that only grow, for as long as their objects exist.
#[derive(Debug, Default)]
pub(in crate::daemon) struct Totals {
    /// Changes of the state of instances, by their causes. Those that never happened cost nothing.
    transitions: SortedMap<(SharedName, Cow<'static, str>), u64>,
    /// How often another router was master beside an instance. Those that never were cost nothing.
    contested: SortedMap<SharedName, u64>,
    pub(in crate::daemon) reloads: u64,
    pub(in crate::daemon) reloads_refused: u64,
}

impl Totals {
    pub(super) fn vrrp(&mut self, action: &Action, domain: &Domain) {
        if let Action::Noted { id, note: Note::Contested { .. }, .. } = action {
            if let Some(instance) = domain.instance(*id) {
                *self.contested.entry(instance.config().name.clone()).or_default() += 1;
            }
        }
        let Action::Changed { id, from, to, cause } = action else { return };
        let Some(instance) = domain.instance(*id) else { return };
        let name = &instance.config().name;
        if *to == Phase::Deleted {
            self.transitions.retain(|(of, _), _| of != name);
            self.contested.remove(name);
        } else if *from != Phase::Init || **cause != Cause::Started {
            *self.transitions.entry((name.clone(), word(cause).into())).or_default() += 1;
        }
    }

    /// Takes over those of the program before this one, of an instance that has begun. If it is in the
    /// same state, entering that once more was no event.
    pub(in crate::daemon) fn restore(&mut self, from: &Instance, is_same: bool) {
        let name = SharedName::from(from.name.as_str());
        let again = if is_same { self.transitions(&name) } else { SortedMap::new() };
        for cause in again.into_keys() {
            self.transitions.remove(&(name.clone(), cause.into()));
        }
        for (cause, count) in &from.transitions {
            *self.transitions.entry((name.clone(), cause.clone().into())).or_default() += count;
        }
        if from.contested > 0 {
            self.contested.insert(name, from.contested);
        }
    }

    pub(super) fn reload(&mut self, reload: &Reload) {
        self.reloads += 1;
        self.reloads_refused += u64::from(!reload.accepted);
    }

    pub(in crate::daemon) fn contested(&self, name: &SharedName) -> u64 {
        self.contested.get(name).copied().unwrap_or_default()
    }

    /// Those of one instance.
    pub(in crate::daemon) fn transitions(&self, name: &SharedName) -> SortedMap<String, u64> {
        let all = self.transitions.range((name.clone(), "".into())..);
        let own = all.take_while(|((of, _), _)| of == name);
        own.map(|((_, cause), count)| (cause.to_string(), *count)).collect()
    }
}

/// The kind of a cause, in a word that a monitoring system can compare.
const fn word(cause: &Cause) -> &'static str {
    match cause {
        Cause::Started => "started",
        Cause::Resumed { .. } | Cause::Before(_) => "resumed",
        Cause::Owner => "owner",
        Cause::Silence { .. } => "silence",
        Cause::LowerPriority { .. } => "lower_priority",
        Cause::Resigned { .. } => "resigned",
        Cause::HigherPriority { .. } => "higher_priority",
        Cause::HigherAddress { .. } => "higher_address",
        Cause::Faults(_) => "fault",
        Cause::Recovered(_) => "recovered",
        Cause::FirstResult(_) => "first_result",
        Cause::Group { .. } => "group",
        Cause::OwnStall { .. } => "own_stall",
        Cause::Follows { .. } => "follows",
        Cause::Reloaded => "reload",
        Cause::Stopping => "stopping",
        Cause::Removed => "removed",
    }
}
