//! State of a tracked object, as passed from trackers to their dependents.

use std::fmt;

/// The state of a tracked script, file, process or BFD session.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TrackState {
    /// No result yet.
    Pending,
    Up,
    /// `why` is short and fits in brackets: `exit 1`, `timed out`, `0 of 1 processes`.
    Down {
        why: String,
    },
    /// The number in a file.
    Value(i64),
}

impl TrackState {
    pub fn down(why: impl Into<String>) -> Self {
        Self::Down { why: why.into() }
    }

    pub const fn is_pending(&self) -> bool {
        matches!(self, Self::Pending)
    }
}

impl fmt::Display for TrackState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending => f.write_str("pending"),
            Self::Up => f.write_str("up"),
            Self::Down { why } => write!(f, "down ({why})"),
            Self::Value(value) => write!(f, "value {value}"),
        }
    }
}
