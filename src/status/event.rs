//! One entry of the journal: what changed, when and why.

use serde::{Deserialize, Serialize};

use super::{ObjectKind, Time};

/// A change of one object. The numbers have no gaps.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    pub number: u64,
    pub at: Time,
    pub kind: ObjectKind,
    pub name: String,
    /// The virtual server of a real server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    pub change: Change,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What changed.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Not said.
    #[default]
    Unknown,
    /// Into the state `to`. Where `from` is missing, the former state is not recorded.
    State {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        to: String,
    },
    /// The effective priority of an instance.
    Priority { from: u8, to: u8 },
    /// The effective weight of a real server.
    Weight { from: u32, to: u32 },
    /// The sorry server of a virtual server took over or was relieved.
    Sorry { on: bool },
    /// A reload, with what it changed or why it was refused.
    Reload { accepted: bool, lines: Vec<String> },
    /// A command of an operator.
    Command { text: String, uid: u32 },
    /// Another router was master as well, and has yielded.
    Contested { by: String, priority: u8 },
    /// What became of an order of an operator that holds for a time.
    Order { order: String, text: String },
    /// The daemon started.
    Started { version: String },
}

impl Change {
    /// In a few words: `BACKUP -> MASTER`, `priority 100 -> 90`.
    pub fn words(&self) -> String {
        match self {
            Self::Unknown => "changed".to_owned(),
            Self::State { from: Some(from), to } => format!("{from} -> {to}"),
            Self::State { from: None, to } => to.clone(),
            Self::Priority { from, to } => format!("priority {from} -> {to}"),
            Self::Weight { from, to } => format!("weight {from} -> {to}"),
            Self::Sorry { on: true } => "sorry server takes over".to_owned(),
            Self::Sorry { on: false } => "sorry server is relieved".to_owned(),
            Self::Reload { accepted: true, .. } => "reload accepted".to_owned(),
            Self::Reload { accepted: false, .. } => "reload refused".to_owned(),
            Self::Command { text, uid } => format!("{text} (by user {uid})"),
            Self::Contested { by, priority } => {
                format!("contested by {by} with priority {priority}")
            }
            Self::Order { order, text } => format!("{order}: {text}"),
            Self::Started { version } => format!("started, version {version}"),
        }
    }
}
