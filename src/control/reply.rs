//! What the daemon answers, one object a line, so that nothing has to be composed as a whole.

use serde::{Deserialize, Serialize};

use crate::base::json;
use crate::status;

/// One line of an answer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Daemon(Box<status::Daemon>),
    Instance(Box<status::Instance>),
    Group(status::Group),
    Track(status::Track),
    Session(status::Session),
    Service(Box<status::Service>),
    Server(Box<status::Server>),
    Holding(status::Holding),
    Event(status::Event),
    /// So many events before the next one are no longer kept.
    Missed(u64),
    /// A part of a text.
    Text(String),
    /// The outcome of a reload, or of its rehearsal.
    Reload(status::Reload),
    /// What became of an instance that was to be handed over.
    Handover(status::Handover),
    /// A router that could take over.
    Heir(status::Heir),
    /// The answer is complete.
    Done,
    /// The request failed; nothing follows.
    Error(Failure),
}

/// Why a request failed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failure {
    pub code: Code,
    pub text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request cannot be read, or has a wrong value.
    Request,
    /// The request has another version.
    Version,
    /// The user of the client may not do that.
    Denied,
    /// There is no object of that name.
    Unknown,
    /// The order cannot be carried out, or was taken back.
    Refused,
    /// Too many clients.
    Busy,
    /// The client was too slow.
    Timeout,
}

impl Reply {
    pub fn error(code: Code, text: impl Into<String>) -> Self {
        Self::Error(Failure { code, text: text.into() })
    }

    /// True if nothing follows.
    pub const fn is_last(&self) -> bool {
        matches!(self, Self::Done | Self::Error(_))
    }

    /// Appends it as a line.
    pub fn emit(&self, out: &mut Vec<u8>) {
        // Plain data with text as keys has a form in JSON, and writing to a vector cannot fail.
        let _ = serde_json::to_writer(&mut *out, self);
        out.push(b'\n');
    }

    /// # Errors
    /// The line is no reply.
    pub fn parse(line: &[u8]) -> Result<Self, String> {
        json::read(line).map_err(|e| e.to_string())
    }
}
