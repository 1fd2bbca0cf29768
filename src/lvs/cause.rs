//! Why real servers, quorums and sorry servers change: one value for the log line, the mail and the
//! journal.

use std::fmt;
use std::rc::Rc;

use super::action::ServerRef;
use super::operator::ServerOrder;
use crate::base::ids::CheckId;
use crate::base::verdict::Verdict;
use crate::model::check::Check;
use crate::model::probed::Probed;

/// What a check found.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    pub check: CheckId,
    pub config: Rc<Check>,
    /// Which `url`.
    pub page: usize,
    pub verdict: Verdict,
}

impl Found {
    pub fn probed(&self) -> Probed<'_> {
        Probed { config: &self.config, page: self.page }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.probed(), self.verdict)
    }
}

/// Why a real server goes up or down, or has another weight, or is reported as it is.
#[derive(Clone, PartialEq, Debug)]
pub enum ServerCause {
    /// It begins (`rs_init_notifies`). Nothing was changed.
    Initial,
    /// The first result of a check, which is what was assumed. Nothing was changed.
    Confirmed(Rc<Found>),
    /// What a check found.
    Check(Rc<Found>),
    /// An operator ordered it, or took the order back.
    Ordered(Option<ServerOrder>),
    /// A reload left it without failed checks, or changed the weight.
    Reload,
}

impl fmt::Display for ServerCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Initial => f.write_str("started"),
            Self::Confirmed(found) | Self::Check(found) => fmt::Display::fmt(found, f),
            Self::Ordered(Some(order)) => write!(f, "{order} by command of an operator"),
            Self::Ordered(None) => f.write_str("enable by command of an operator"),
            Self::Reload => f.write_str("the configuration changed"),
        }
    }
}

/// What a quorum is about: one change of a real server.
#[derive(Clone, PartialEq, Debug)]
pub struct Shift {
    pub server: ServerRef,
    pub kind: ShiftKind,
    pub cause: ServerCause,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShiftKind {
    Up,
    Down,
    Weight {
        from: u32,
        to: u32,
    },
    /// It is up, and new in the configuration.
    Added,
    /// It was up, and is no longer in the configuration.
    Removed,
}

impl fmt::Display for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.server.name())?;
        match self.kind {
            ShiftKind::Up => f.write_str("is up")?,
            ShiftKind::Down => f.write_str("is down")?,
            ShiftKind::Weight { from, to } => write!(f, "has weight {to} instead of {from}")?,
            ShiftKind::Added => return f.write_str("is new"),
            ShiftKind::Removed => return f.write_str("is removed"),
        }
        match &self.cause {
            // That it is one is said before the list.
            ServerCause::Reload => Ok(()),
            cause => write!(f, ": {cause}"),
        }
    }
}

/// Why a virtual server has its quorum or not.
#[derive(Clone, PartialEq, Debug)]
pub enum QuorumCause {
    /// It begins.
    Started,
    /// The real server whose change crossed it.
    Server(Shift),
    /// A reload: of the virtual server itself, or of these.
    Reload(Vec<Shift>),
}

impl fmt::Display for QuorumCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// More would be a list, and no cause.
        const SHOWN: usize = 3;
        match self {
            Self::Started => f.write_str("started"),
            Self::Server(shift) => fmt::Display::fmt(shift, f),
            Self::Reload(shifts) => {
                f.write_str("the configuration changed")?;
                for (n, shift) in shifts.iter().take(SHOWN).enumerate() {
                    write!(f, "{} {shift}", if n == 0 { ":" } else { "," })?;
                }
                match shifts.len().saturating_sub(SHOWN) {
                    0 => Ok(()),
                    more => write!(f, ", and {more} more"),
                }
            }
        }
    }
}

/// Why a sorry server takes over or is relieved.
#[derive(Clone, PartialEq, Debug)]
pub enum SorryCause {
    /// The quorum was lost or gained.
    Quorum(Rc<QuorumCause>),
    /// A reload brought or took it, or the servers it stood in for.
    Reload,
}

impl fmt::Display for SorryCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quorum(cause) => fmt::Display::fmt(cause, f),
            Self::Reload => f.write_str("the configuration changed"),
        }
    }
}
