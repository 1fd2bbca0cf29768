//! What can be wrong with a virtual router, and what is said when it is no longer so.

use std::fmt;

use super::input::LinkState;
use crate::base::name::SharedName;
use crate::base::tracked::TrackState;
use crate::model::track::Object;
use crate::model::vrrp::StandingFault;

/// What is wrong, by name. An instance is in FAULT while its set of these is not empty.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fault {
    /// The interface does not exist.
    LinkMissing(SharedName),
    /// The interface is down.
    Link(SharedName),
    /// The interface is up, and tracked in reverse.
    LinkUp(SharedName),
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
                f.write_str(if state.is_up() { ", which is tracked in reverse" } else { "" })
            }
            Self::NoAddress => f.write_str("no address to send from"),
            Self::Standing(fault) => fmt::Display::fmt(fault, f),
            Self::Socket(error) => f.write_str(error),
            Self::Refused(why) => write!(f, "no virtual address can be added ({why})"),
        }
    }
}

/// What is so now in place of a fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Overcome {
    Link {
        name: SharedName,
        was: LinkState,
        now: LinkState,
    },
    Tracked {
        object: Object,
        now: TrackState,
    },
    /// There is an address to send from.
    Address,
    /// The socket is open.
    Socket,
    /// The kernel takes the addresses.
    Accepted,
    /// It is as it was, but the configuration no longer depends on it.
    Disregarded(Fault),
}

impl Overcome {
    /// Looks up what became of a fault.
    pub(super) fn of(
        fault: Fault,
        link: impl Fn(&str) -> LinkState,
        object: impl Fn(&Object) -> TrackState,
    ) -> Self {
        let (name, was) = match &fault {
            Fault::LinkMissing(name) => (name, LinkState::Missing),
            Fault::Link(name) => (name, LinkState::Down),
            Fault::LinkUp(name) => (name, LinkState::Up),
            Fault::Tracked { object: tracked, state } => {
                let now = object(tracked);
                let is_same = match state {
                    TrackState::Up(_) => now.is_up(),
                    TrackState::Down(_) => now.is_down(),
                    TrackState::Value(_) | TrackState::Pending => now == *state,
                };
                return match is_same {
                    true => Self::Disregarded(fault),
                    false => Self::Tracked { object: tracked.clone(), now },
                };
            }
            Fault::NoAddress => return Self::Address,
            Fault::Socket(_) => return Self::Socket,
            Fault::Refused(_) => return Self::Accepted,
            Fault::Standing(_) => return Self::Disregarded(fault),
        };
        match link(name) {
            now if now == was => Self::Disregarded(fault),
            now => Self::Link { name: name.clone(), was, now },
        }
    }
}

impl fmt::Display for Overcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link { name, was, now } => {
                write!(f, "interface {name} ")?;
                f.write_str(match (was, now) {
                    (_, LinkState::Up) => "is up again",
                    (LinkState::Missing, LinkState::Down) => "exists again",
                    (_, LinkState::Down) => "is down again",
                    (_, LinkState::Missing) => "no longer exists",
                })
            }
            Self::Tracked { object, now } => {
                write!(f, "{object} ")?;
                match (object, now) {
                    (_, TrackState::Pending) => f.write_str("has no result yet"),
                    (_, TrackState::Value(value)) => write!(f, "counts as {value} now"),
                    (Object::Script(_), TrackState::Up(_)) => f.write_str("succeeds again"),
                    (Object::Script(_), TrackState::Down(found)) => {
                        write!(f, "fails again ({found})")
                    }
                    (Object::Process(_), TrackState::Up(found)) => {
                        write!(f, "has its quorum again ({found})")
                    }
                    (Object::Process(_), TrackState::Down(found)) => {
                        write!(f, "is without its quorum again ({found})")
                    }
                    (_, TrackState::Up(_)) => f.write_str("is up again"),
                    (_, TrackState::Down(found)) => write!(f, "is down again ({found})"),
                }
            }
            Self::Address => f.write_str("there is an address to send from again"),
            Self::Socket => f.write_str("the socket is open again"),
            Self::Accepted => f.write_str("virtual addresses can be added again"),
            Self::Disregarded(fault) => write!(f, "the configuration changed (before: {fault})"),
        }
    }
}

/// `script check_ngx failed (exit 1)`
pub(super) fn describe(
    object: &Object,
    state: &TrackState,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    write!(f, "{object} ")?;
    match (object, state) {
        (_, TrackState::Pending) => f.write_str("has no result yet"),
        (_, TrackState::Value(value)) => write!(f, "counts as {value}"),
        (Object::Script(_), TrackState::Up(_)) => f.write_str("succeeded"),
        (Object::Script(_), TrackState::Down(found)) => write!(f, "failed ({found})"),
        (Object::Process(_), TrackState::Up(found)) => write!(f, "has its quorum ({found})"),
        (Object::Process(_), TrackState::Down(found)) => write!(f, "lost its quorum ({found})"),
        (_, TrackState::Up(_)) => f.write_str("up"),
        (_, TrackState::Down(found)) => write!(f, "down ({found})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_overcome_is_said_as_it_is_now() {
        let script = Object::Script("s".into());
        let file = Object::File("f".into());
        let process = Object::Process("p".into());
        let eth0 = || SharedName::from("eth0");
        let failed = || Fault::Tracked { object: script.clone(), state: TrackState::exit(1) };
        let cases = [
            (Fault::Link(eth0()), LinkState::Up, TrackState::Pending, "interface eth0 is up again"),
            (
                Fault::LinkMissing(eth0()),
                LinkState::Down,
                TrackState::Pending,
                "interface eth0 exists again",
            ),
            (
                Fault::LinkUp(eth0()),
                LinkState::Down,
                TrackState::Pending,
                "interface eth0 is down again",
            ),
            (failed(), LinkState::Up, TrackState::exit(0), "script s succeeds again"),
            (
                failed(),
                LinkState::Up,
                TrackState::exit(2),
                "the configuration changed (before: script s failed (exit 1))",
            ),
            (
                Fault::Tracked { object: file, state: TrackState::Value(1) },
                LinkState::Up,
                TrackState::Value(0),
                "file f counts as 0 now",
            ),
            (
                Fault::Tracked { object: process, state: TrackState::processes(0, 2, None) },
                LinkState::Up,
                TrackState::processes(2, 2, None),
                "process p has its quorum again (2 processes)",
            ),
        ];
        for (fault, link, object, text) in cases {
            let overcome = Overcome::of(fault, |_| link, |_| object.clone());
            assert_eq!(overcome.to_string(), text);
        }
    }
}
