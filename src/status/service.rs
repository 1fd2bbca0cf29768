//! Virtual servers, real servers and their checks.

use serde::{Deserialize, Serialize};

use super::Time;

/// A virtual server.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Service {
    pub name: String,
    /// It has its quorum.
    pub up: bool,
    pub since: Time,
    pub why: Option<String>,
    pub tally: Tally,
    /// The checks wait for the address (`ha_suspend`).
    pub suspended: bool,
    /// The sorry server, and whether it stands in for the others.
    pub sorry_server: Option<String>,
    pub sorry_in_use: bool,
    /// In metrics only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Traffic>,
}

/// The live servers against the quorum.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    pub servers: usize,
    pub up: usize,
    /// Of the servers that are up.
    pub weight: u64,
    pub quorum: u32,
    pub hysteresis: u32,
}

/// A real server.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Server {
    pub service: String,
    pub name: String,
    pub up: bool,
    pub since: Time,
    pub why: Option<String>,
    /// As configured.
    pub weight: u32,
    /// The weight in IPVS; `None`: it is not in the pool.
    pub held_weight: Option<u32>,
    pub effective_weight: u32,
    /// The order of an operator, and the connections meanwhile, where IPVS says it.
    pub order: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<Connections>,
    /// In metrics only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Traffic>,
    pub checks: Vec<Check>,
}

/// Connections of a real server, as IPVS counts them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Connections {
    pub active: u64,
    pub inactive: u64,
}

/// What passed through a virtual server or to a real server since it is in IPVS, as the kernel counts
/// it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Traffic {
    /// Those that there are now.
    pub open: Connections,
    pub connections: u64,
    pub incoming_packets: u64,
    pub outgoing_packets: u64,
    pub incoming_bytes: u64,
    pub outgoing_bytes: u64,
}

/// A check of a real server.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Check {
    pub name: String,
    /// `None`: it has no result yet.
    pub up: Option<bool>,
    pub suspended: bool,
    /// The time and the text of the last result.
    pub last_run: Option<Time>,
    pub last_result: Option<String>,
}
