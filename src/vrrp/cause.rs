//! Why a state changed. The log line, the notification and the journal print the same value.

use std::fmt;
use std::net::IpAddr;

use super::input::LinkState;
use super::refused::Refused;
use crate::base::time::Duration;
use crate::base::tracked::TrackState;
use crate::model::track::Object;
use crate::model::vrrp::StandingFault;

/// What is wrong, by name. An instance is in FAULT while its set of these is not empty.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fault {
    /// The interface does not exist.
    LinkMissing(String),
    /// The interface is down.
    Link(String),
    /// The interface is up, and tracked in reverse.
    LinkUp(String),
    /// A tracked object is in the wrong state.
    Tracked { object: Object, state: TrackState },
    /// There is no address to send from.
    NoAddress,
    /// The configuration rules it out.
    Standing(StandingFault),
    /// No socket could be opened, and why.
    Socket(String),
    /// The kernel takes none of its addresses: the last one, and why.
    Refused(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LinkMissing(name) => write!(f, "interface {name} does not exist"),
            Self::Link(name) => write!(f, "interface {name} down"),
            Self::LinkUp(name) => write!(f, "interface {name} up"),
            Self::Tracked { object, state } => {
                describe(object, state, f)?;
                let is_reverse = *state == TrackState::Up;
                f.write_str(if is_reverse { ", which is tracked in reverse" } else { "" })
            }
            Self::NoAddress => f.write_str("no address to send from"),
            Self::Standing(fault) => fmt::Display::fmt(fault, f),
            Self::Socket(error) => f.write_str(error),
            Self::Refused(why) => write!(f, "no virtual address can be added ({why})"),
        }
    }
}

/// Something the priority depends on, as it is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reason {
    Link {
        name: String,
        state: LinkState,
    },
    Tracked {
        object: Object,
        state: TrackState,
    },
    /// The priority, or what it depends on, was configured otherwise.
    Configured,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link { name, state: LinkState::Up } => write!(f, "interface {name} up"),
            Self::Link { name, state: LinkState::Down } => write!(f, "interface {name} down"),
            Self::Link { name, state: LinkState::Missing } => {
                write!(f, "interface {name} does not exist")
            }
            Self::Tracked { object, state } => describe(object, state, f),
            Self::Configured => f.write_str("the configuration changed"),
        }
    }
}

/// `script check_ngx failed (exit 1)`
fn describe(object: &Object, state: &TrackState, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{object} ")?;
    match (object, state) {
        (_, TrackState::Pending) => f.write_str("has no result yet"),
        (_, TrackState::Value(value)) => write!(f, "counts as {value}"),
        (Object::Script(_), TrackState::Up) => f.write_str("succeeded"),
        (Object::Script(_), TrackState::Down { why }) => write!(f, "failed ({why})"),
        (Object::Process(_), TrackState::Up) => f.write_str("has its quorum"),
        (Object::Process(_), TrackState::Down { why }) => write!(f, "lost its quorum ({why})"),
        (_, TrackState::Up) => f.write_str("up"),
        (_, TrackState::Down { why }) => write!(f, "down ({why})"),
    }
}

/// Why the effective priority is another one than before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PriorityCause(pub Vec<Reason>);

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

/// The last word of a master.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heard {
    pub from: IpAddr,
    pub priority: u8,
    /// How long ago, when the decision fell.
    pub ago: Duration,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Cause {
    /// The daemon, or this instance, started.
    Started,
    /// Priority 255: nobody needs to be asked.
    Owner,
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
    /// Nothing is wrong any more; these were.
    Recovered(Vec<Fault>),
    /// Nothing turned out to be wrong with these.
    FirstResult(Vec<Object>),
    /// Another member of the sync group moved.
    Group { group: String, member: String },
    /// We slept so long that somebody else must have taken over.
    OwnStall { late: Duration },
    /// The new configuration says so.
    Reloaded,
    /// The daemon ends.
    Stopping,
    /// The configuration no longer has this instance.
    Removed,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => f.write_str("started"),
            Self::Owner => f.write_str("priority 255 owns the addresses"),
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
            Self::Recovered(list) => list_of(f, "no longer: ", list),
            Self::FirstResult(list) => list_of(f, "first result of ", list),
            Self::Group { group, member } => write!(f, "sync group {group} follows {member}"),
            Self::OwnStall { late } => write!(f, "we were stalled for {}", Seconds(*late)),
            Self::Reloaded => f.write_str("the configuration changed"),
            Self::Stopping => f.write_str("stopping"),
            Self::Removed => f.write_str("no longer configured"),
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
