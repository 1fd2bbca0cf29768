//! The log lines of the outbox.

use std::fmt;
use std::net::SocketAddr;

use super::{LIFE, MOST_WAITING};
use crate::base::time::Duration;
use crate::notify::smtp::{Command, Reply};

/// Worth a line in the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Note {
    /// The server will not have a recipient, or a mail.
    Refused {
        command: Command,
        server: Server,
        address: Option<String>,
        reply: Reply,
    },
    /// It cannot be reached, or does not behave.
    Trouble {
        command: Command,
        server: Server,
        trouble: String,
        waiting: usize,
        /// `None`: it is not tried again.
        retry: Option<Duration>,
    },
    Unknown {
        name: String,
        error: String,
        waiting: usize,
        /// `None`: it is not tried again.
        retry: Option<Duration>,
    },
    /// Given up after too long.
    Expired {
        subject: String,
    },
    /// The queue is full; logged once until it is empty.
    Full,
    Sent {
        subject: String,
        taken: usize,
    },
}

/// `[ADDR]:PORT`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Server(pub SocketAddr);

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]:{}", self.0.ip(), self.0.port())
    }
}

/// What becomes of the mails that wait.
struct Fate(usize, Option<Duration>);

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} mails wait, ", self.0)?;
        match self.1 {
            Some(retry) => write!(f, "next try in {} s", retry.as_secs()),
            None => f.write_str("this was the last try"),
        }
    }
}

impl Note {
    /// Whether an operator has to see it.
    pub const fn is_warning(&self) -> bool {
        !matches!(self, Self::Sent { .. })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { command, server, address, reply } => {
                write!(f, "Error processing {command} on SMTP server {server}: {}", reply.text)?;
                if let Some(address) = address {
                    write!(f, " (recipient {address})")?;
                }
                let fate = if reply.is_transient() { "tried again later" } else { "given up" };
                write!(f, ", {fate}")
            }
            Self::Trouble { command, server, trouble, waiting, retry } => {
                match command {
                    Command::Connect => write!(f, "Error connecting SMTP server {server}")?,
                    _ => write!(f, "Error processing {command} on SMTP server {server}")?,
                }
                write!(f, ": {trouble}; {}", Fate(*waiting, *retry))
            }
            Self::Unknown { name, error, waiting, retry } => {
                let fate = Fate(*waiting, *retry);
                write!(f, "cannot resolve SMTP server {name}: {error}; {fate}")
            }
            Self::Expired { subject } => write!(
                f,
                "mail '{subject}' could not be sent for {} h and is given up",
                LIFE.as_secs() / 3600
            ),
            Self::Full => write!(
                f,
                "{MOST_WAITING} mails wait for the SMTP server: the oldest are dropped, those that \
                 newer ones contradict first"
            ),
            Self::Sent { subject, taken } => {
                write!(f, "mail '{subject}' sent to {taken} recipients")
            }
        }
    }
}
