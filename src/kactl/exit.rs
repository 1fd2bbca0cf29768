//! Exit statuses of kactl, made for probes and scripts.

use crate::cli::help::roff;
use crate::control::Code;

/// How kactl ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Exit {
    Ok = 0,
    Failure = 1,
    Refused = 2,
    Unhealthy = 3,
    Denied = 4,
    Unknown = 5,
    NoDaemon = 6,
}

impl Exit {
    /// Every status, for the manual page.
    pub const ALL: [Self; 7] = [
        Self::Ok,
        Self::Failure,
        Self::Refused,
        Self::Unhealthy,
        Self::Denied,
        Self::Unknown,
        Self::NoDaemon,
    ];

    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What the manual page says about it.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "The command was carried out; with --healthy, the object is healthy.",
            Self::Failure => "An option or argument is wrong, or the daemon did not answer.",
            Self::Refused => {
                "The configuration or the order was refused, would be, or was taken back."
            }
            Self::Unhealthy => "The object is not healthy.",
            Self::Denied => "The user may not do that.",
            Self::Unknown => "There is no object of that name.",
            Self::NoDaemon => "No daemon serves the socket.",
        }
    }

    /// The list for the manual page, as items of an mdoc list.
    pub fn mdoc() -> String {
        let item = |exit: &Self| format!(".It {}\n{}\n", exit.code(), roff(exit.meaning()));
        Self::ALL.iter().map(item).collect()
    }
}

impl From<Code> for Exit {
    fn from(code: Code) -> Self {
        match code {
            Code::Request | Code::Version | Code::Busy | Code::Timeout => Self::Failure,
            Code::Refused => Self::Refused,
            Code::Denied => Self::Denied,
            Code::Unknown => Self::Unknown,
        }
    }
}
