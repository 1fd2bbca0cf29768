//! State of a tracked object, as passed from trackers to their dependents.

use std::fmt;

/// The state of a tracked script, file, process or BFD session. Up and down come with what was
/// found, so that there is no change without a cause.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TrackState {
    /// No result yet.
    Pending,
    Up(Finding),
    Down(Finding),
    /// The number in a file.
    Value(i64),
}

/// What a tracked object is up or down for. Short, so that it fits in brackets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Finding {
    /// The last run of a script.
    Run(RunEnd),
    /// `init_fail`: down before the first run.
    InitFail,
    /// The run of the daemon before this one knew it.
    Recalled,
    /// The processes that match, and how many are wanted.
    Processes {
        count: u32,
        quorum: u16,
        most: Option<u16>,
    },
    /// A BFD session has not been up yet.
    NoSession,
    SessionUp,
    /// The session went down, for this reason.
    SessionDown(Box<String>),
}

/// How the run of a script ended.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RunEnd {
    Exit(i32),
    Signal(i32),
    /// It was killed because it took too long.
    TimedOut,
    /// It could not be started, in the words of the system.
    NotStarted(Box<String>),
}

impl RunEnd {
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Exit(0))
    }
}

impl TrackState {
    /// The state of a script after a run that counts.
    pub const fn after(end: RunEnd) -> Self {
        if end.is_success() {
            Self::Up(Finding::Run(end))
        } else {
            Self::Down(Finding::Run(end))
        }
    }

    /// The state of a script that ended with this status.
    pub const fn exit(status: i32) -> Self {
        Self::after(RunEnd::Exit(status))
    }

    /// The state of tracked processes.
    pub const fn processes(count: u32, quorum: u32, most: Option<u32>) -> Self {
        let too_many = matches!(most, Some(most) if count > most);
        let is_up = count >= quorum && !too_many;
        let most = match most {
            Some(most) => Some(short(most)),
            None => None,
        };
        let found = Finding::Processes { count, quorum: short(quorum), most };
        if is_up {
            Self::Up(found)
        } else {
            Self::Down(found)
        }
    }

    pub const fn is_pending(&self) -> bool {
        matches!(self, Self::Pending)
    }

    pub const fn is_up(&self) -> bool {
        matches!(self, Self::Up(_))
    }

    pub const fn is_down(&self) -> bool {
        matches!(self, Self::Down(_))
    }
}

/// Configured numbers of processes go up to 65535.
const fn short(n: u32) -> u16 {
    if n > u16::MAX as u32 {
        u16::MAX
    } else {
        n as u16
    }
}

impl fmt::Display for TrackState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending => f.write_str("pending"),
            Self::Up(_) => f.write_str("up"),
            Self::Down(found) => write!(f, "down ({found})"),
            Self::Value(value) => write!(f, "value {value}"),
        }
    }
}

/// `exit 1`, `timed out`, `0 of 1 processes`
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Run(ref end) => fmt::Display::fmt(end, f),
            Self::InitFail => f.write_str("init_fail"),
            Self::Recalled => f.write_str("as before the restart"),
            Self::Processes { count, most: Some(most), .. } if count > u32::from(most) => {
                write!(f, "{count} processes, {most} at most")
            }
            Self::Processes { count, quorum, .. } if count < u32::from(quorum) => {
                write!(f, "{count} of {quorum} processes")
            }
            Self::Processes { count: 1, .. } => f.write_str("1 process"),
            Self::Processes { count, .. } => write!(f, "{count} processes"),
            Self::NoSession => f.write_str("no session yet"),
            Self::SessionUp => f.write_str("the session is up"),
            Self::SessionDown(ref why) => f.write_str(why),
        }
    }
}

impl fmt::Display for RunEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(status) => write!(f, "exit {status}"),
            Self::Signal(number) => write!(f, "signal {number}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::NotStarted(error) => write!(f, "not started: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_decides_and_is_named() {
        let cases = [
            (TrackState::processes(0, 1, None), "down (0 of 1 processes)"),
            (TrackState::processes(2, 1, Some(1)), "down (2 processes, 1 at most)"),
            (TrackState::processes(1, 1, Some(1)), "up"),
            (TrackState::exit(0), "up"),
            (TrackState::exit(3), "down (exit 3)"),
            (TrackState::after(RunEnd::Signal(9)), "down (signal 9)"),
            (TrackState::after(RunEnd::TimedOut), "down (timed out)"),
        ];
        for (state, text) in cases {
            assert_eq!(state.to_string(), text);
        }
        assert!(size_of::<TrackState>() <= 24, "as large as with a string");
    }
}
