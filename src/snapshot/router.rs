//! Virtual routers, and what they know of others.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::base::sorted::SortedMap;
use crate::status::{Counters, State};

/// One virtual router. Its scripts have run for this state.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    pub name: String,
    pub state: State,
    /// The effective one.
    pub priority: u8,
    /// Microseconds.
    pub since: u64,
    /// `None`: it started in this state.
    pub why: Option<String>,
    /// The base of the priority, by command of an operator.
    pub ordered: Option<u8>,
    /// A failover is in force that began with this instance.
    pub failover: Option<Failover>,
    pub counters: Counters,
    /// Changes of its state, by their causes.
    pub transitions: SortedMap<String, u64>,
    pub contested: u64,
    /// The router last heard as master.
    pub heard: Option<Router>,
    /// Its advertisement interval, in microseconds.
    pub master_interval: u64,
    /// The routers that were heard as masters.
    pub heirs: Vec<Router>,
    /// Peers that compute unicast checksums the old way.
    pub old_style: Vec<IpAddr>,
    /// The last sequence numbers of authenticated advertisements, by sender.
    pub marks: Vec<Mark>,
    /// As backup: when a preempt delay ends, in microseconds.
    pub tolerates_until: Option<u64>,
    /// The identification of its last advertisement.
    #[serde(default)]
    pub ident: u16,
    #[serde(default)]
    pub refused: Vec<Refused>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failover {
    /// Microseconds.
    pub end: u64,
    /// The router that is to be master; `None`: any.
    pub to: Option<IpAddr>,
}

/// Another router, by its last advertisement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Router {
    pub address: IpAddr,
    pub priority: u8,
    /// Microseconds.
    pub at: u64,
}

/// The last sequence number of one sender.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    pub from: IpAddr,
    pub sequence: u64,
    /// Microseconds.
    pub at: u64,
}

/// A sender whose advertisements were refused. Times are microseconds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    pub from: IpAddr,
    pub count: u64,
    pub first: u64,
    pub last: u64,
    /// Of the last one.
    pub reason: String,
    pub is_rival: bool,
}

/// One sync group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub name: String,
    pub state: State,
}
