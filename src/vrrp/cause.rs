//! Why a state changed: one value for the log line, the notification and the journal.

use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;

use super::fault::{describe, Overcome};
use super::input::LinkState;
use super::operator::{OrderEnd, OrderKind};
use super::refused::Refused;
use crate::base::name::SharedName;
use crate::base::time::Duration;
use crate::base::tracked::TrackState;
use crate::model::track::Object;

pub use super::fault::Fault;

/// Something the priority depends on, as it is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Factor {
    Link {
        name: SharedName,
        state: LinkState,
    },
    Tracked {
        object: Object,
        state: TrackState,
    },
    /// The priority, or what it depends on, was configured otherwise.
    Configured,
    /// An operator ordered it, or took the order back.
    Commanded,
    /// An order of an operator lowers it as far as it goes.
    Ordered(OrderKind),
    /// Such an order is over.
    OrderOver(OrderKind, OrderEnd),
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link { name, state: LinkState::Up } => write!(f, "interface {name} up"),
            Self::Link { name, state: LinkState::Down } => write!(f, "interface {name} down"),
            Self::Link { name, state: LinkState::Missing } => {
                write!(f, "interface {name} does not exist")
            }
            Self::Tracked { object, state } => describe(object, state, f),
            Self::Configured => f.write_str("the configuration changed"),
            Self::Commanded => f.write_str("command of an operator"),
            Self::Ordered(kind) => write!(f, "{kind} by command of an operator"),
            Self::OrderOver(kind, end) => write!(f, "the {kind} ended: {end}"),
        }
    }
}

/// Why the effective priority is another one than before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PriorityCause(pub Vec<Factor>);

impl fmt::Display for PriorityCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list_of(f, "", &self.0)
    }
}

/// A change of the effective priority.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PriorityChange {
    pub from: u8,
    pub to: u8,
    pub cause: PriorityCause,
}

/// The last advertisement of a master.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heard {
    pub from: IpAddr,
    pub priority: u8,
    /// How long ago, when the decision fell.
    pub ago: Duration,
}

/// Why an instance entered a state.
#[derive(Clone, PartialEq, Debug)]
pub enum Cause {
    /// The daemon, or this instance, started.
    Started,
    /// Priority 255: no election is needed.
    Owner,
    /// The daemon was MASTER before it ended without a goodbye, and its peers still wait. `None`: it
    /// was restarted by command, and went on advertising.
    Resumed { silent: Option<Duration> },
    /// In the words of the program that was replaced by command.
    Before(Box<str>),
    /// No valid advertisement within the master-down interval.
    Silence { waited: Duration, last: Option<Heard>, refused: Option<Box<Refused>> },
    /// The last advertisements were of a router that is less entitled than this one.
    LowerPriority { from: IpAddr, theirs: u8, ours: u8 },
    /// The master resigned with priority 0 and no other router followed within the skew time.
    Resigned { from: IpAddr, refused: Option<Box<Refused>> },
    /// A better advertisement: higher priority. `lowered`: but for that, ours would not be lower.
    HigherPriority { from: IpAddr, theirs: u8, ours: u8, lowered: Option<PriorityChange> },
    /// A better advertisement: the same priority from a higher address.
    HigherAddress { from: IpAddr, ours: Option<IpAddr>, priority: u8 },
    /// What is wrong now.
    Faults(Vec<Fault>),
    /// Nothing is wrong any more: this is so now in place of what was.
    Recovered(Vec<Overcome>),
    /// These have their first result, and it is no fault.
    FirstResult(Vec<Object>),
    /// Another member of the sync group moved.
    Group { group: SharedName, member: SharedName },
    /// We slept so long that another router must have taken over.
    OwnStall { late: Duration },
    /// A member of a sync group follows another router, and so the others cannot be MASTER.
    Follows { from: IpAddr, priority: u8 },
    /// The new configuration says so.
    Reloaded,
    /// The daemon ends.
    Stopping,
    /// The configuration no longer has this instance.
    Removed,
}

impl Cause {
    /// It began, or goes on as it was before a restart by command.
    pub fn is_start(&self) -> bool {
        matches!(self, Self::Started | Self::Resumed { silent: None })
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => f.write_str("started"),
            Self::Owner => f.write_str("priority 255 owns the addresses"),
            Self::Resumed { silent: Some(silent) } => {
                write!(f, "resumed: the run before advertised {} ago", Seconds(*silent))
            }
            Self::Before(why) => f.write_str(why),
            Self::Resumed { silent: None } => f.write_str("restarted by command"),
            Self::Silence { waited, last, refused } => silence(*waited, *last, refused, f),
            Self::LowerPriority { from, theirs, ours } => {
                write!(f, "{from} advertises priority {theirs} only, ours is {ours}")
            }
            Self::Resigned { from, refused } => {
                write!(f, "{from} resigned (priority 0)")?;
                refused.as_ref().map_or(Ok(()), |refused| fmt::Display::fmt(refused, f))
            }
            Self::HigherPriority { from, theirs, lowered: Some(c), .. } => {
                let PriorityChange { from: before, to, cause } = c;
                write!(f, "{cause}: priority {before} -> {to}; {from} advertises {theirs}")
            }
            Self::HigherPriority { from, theirs, ours, lowered: None } => {
                write!(f, "{from} advertises priority {theirs}, ours is {ours}")
            }
            Self::HigherAddress { from, ours: Some(ours), priority } => {
                write!(f, "{from} advertises the same priority {priority} from a higher address than {ours}")
            }
            Self::HigherAddress { from, ours: None, priority } => {
                write!(f, "{from} advertises the same priority {priority}")
            }
            Self::Faults(list) => list_of(f, "", list),
            Self::Recovered(list) => list_of(f, "", list),
            Self::FirstResult(list) => list_of(f, "first result of ", list),
            Self::Group { group, member } => write!(f, "sync group {group} follows {member}"),
            Self::OwnStall { late } => write!(f, "we were stalled for {}", Seconds(*late)),
            Self::Follows { from, priority } => {
                write!(f, "follows {from}, which advertises priority {priority}")
            }
            Self::Reloaded => f.write_str("the configuration changed"),
            Self::Stopping => f.write_str("stopping"),
            Self::Removed => f.write_str("no longer configured"),
        }
    }
}

/// Why a sync group entered a state.
#[derive(Clone, PartialEq, Debug)]
pub enum GroupCause {
    /// A member moved, for a reason of its own; the others followed or agree with it.
    Member { member: SharedName, cause: Rc<Cause> },
    /// Its members are others than before, or it is new.
    Reloaded,
    /// The daemon ends.
    Stopping,
}

impl GroupCause {
    /// There is nothing to explain: it has only just started, or it ends.
    pub fn is_plain(&self) -> bool {
        match self {
            Self::Member { cause, .. } => **cause == Cause::Started,
            Self::Reloaded => false,
            Self::Stopping => true,
        }
    }
}

impl fmt::Display for GroupCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member { member, cause } => write!(f, "{member}: {cause}"),
            Self::Reloaded => f.write_str("the configuration changed"),
            Self::Stopping => f.write_str("stopping"),
        }
    }
}

fn silence(
    waited: Duration,
    last: Option<Heard>,
    refused: &Option<Box<Refused>>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let valid = if refused.is_some() { "valid " } else { "" };
    write!(f, "no {valid}advertisement in {}", Seconds(waited))?;
    if let Some(Heard { from, priority, ago }) = last {
        write!(f, "; last heard {from} with priority {priority}, {} ago", Seconds(ago))?;
    }
    refused.as_ref().map_or(Ok(()), |refused| fmt::Display::fmt(refused, f))
}

fn list_of(f: &mut fmt::Formatter<'_>, before: &str, list: &[impl fmt::Display]) -> fmt::Result {
    f.write_str(before)?;
    for (i, item) in list.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        fmt::Display::fmt(item, f)?;
    }
    Ok(())
}

/// A duration as `3.609 s`, or in milliseconds below one second.
pub struct Seconds(pub Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < Duration::from_secs(1) {
            write!(f, "{:.3} ms", self.0.as_secs_f64() * 1e3)
        } else {
            write!(f, "{:.3} s", self.0.as_secs_f64())
        }
    }
}
