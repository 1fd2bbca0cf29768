//! Notifications that are under way.

use serde::{Deserialize, Serialize};

use crate::status::ObjectKind;

/// What a notification is about.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    pub kind: ObjectKind,
    pub name: String,
    /// The virtual server of a real server.
    pub of: Option<String>,
}

/// A notification script that runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptRun {
    pub pid: i32,
    pub about: About,
    /// As it is shown.
    pub command: String,
}

/// A change whose scripts wait.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptsWaiting {
    pub about: About,
    pub word: String,
    pub is_minor: bool,
    pub commands: Vec<ScriptCommand>,
}

/// A command that is to be run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptCommand {
    pub path: String,
    pub argv: Vec<String>,
    pub uid: u32,
    pub gid: u32,
    pub by_shell: bool,
    /// Arguments after its own.
    pub extra: Vec<String>,
}

/// A line that no reader of a FIFO has got.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FifoLine {
    /// The keyword of the FIFO.
    pub fifo: String,
    pub text: String,
}

/// A mail that is not sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnsentMail {
    pub about: About,
    pub from: String,
    pub to: Vec<String>,
    pub subject: String,
    /// Head and text. What is not UTF-8 was replaced.
    pub text: String,
    pub tries: u32,
    /// When it is tried next, in microseconds.
    pub due: u64,
    /// When it was written.
    pub born: u64,
}
