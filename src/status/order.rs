//! Orders of an operator that hold for a time, and what became of them.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Time;

/// An order in force.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Order {
    /// `failover`, `maintenance`.
    pub kind: String,
    /// When it ends by itself.
    pub until: Option<Time>,
    /// It is not clear yet whether another router takes over.
    pub under_way: bool,
}

/// A router that could take over: it was heard as master.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Heir {
    pub instance: String,
    pub address: Option<IpAddr>,
    pub priority: u8,
    /// The time of its last advertisement.
    pub at: Time,
}

/// What became of an instance that was to be handed over.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Handover {
    pub instance: String,
    /// The router that took over; `None`: there is none, so this one stays MASTER.
    pub by: Option<IpAddr>,
    pub priority: u8,
    /// Seconds from the command to its first advertisement.
    pub after: f64,
}

impl Order {
    /// `failover, 9 min 30 s left`
    pub fn words(&self, now: Time) -> String {
        if self.under_way {
            return format!("{}, waits for another router", self.kind);
        }
        let left = match self.until {
            Some(until) => format!("{} left", super::explain::span(now.until(until))),
            None => "until it is taken back".to_owned(),
        };
        format!("{}, {left}", self.kind)
    }
}
