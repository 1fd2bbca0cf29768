//! Virtual routers and sync groups.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Heir, ObjectKind, Order, Time};
use crate::base::sorted::SortedMap;

/// The state of a virtual router.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    #[default]
    Init,
    Backup,
    Master,
    Fault,
    Stop,
    Deleted,
}

impl State {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Init => "INIT",
            Self::Backup => "BACKUP",
            Self::Master => "MASTER",
            Self::Fault => "FAULT",
            Self::Stop => "STOP",
            Self::Deleted => "DELETED",
        }
    }
}

/// A virtual router.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Instance {
    pub name: String,
    pub state: State,
    pub since: Time,
    /// Why it entered the state.
    pub why: Option<String>,
    /// The state it would be in if its sync group did not hold it back.
    pub wanted: State,
    pub group: Option<String>,
    pub interface: Option<String>,
    pub vrid: u8,
    pub version: u8,
    /// The address it sends from.
    pub source: Option<IpAddr>,
    pub priority: Priority,
    /// The order of an operator that lowers its priority.
    pub order: Option<Order>,
    /// The routers that could take over, the last one heard first.
    pub heirs: Vec<Heir>,
    /// Why it is in FAULT.
    pub faults: Vec<String>,
    /// The tracked objects whose first result it waits for.
    pub pending: Vec<String>,
    /// The other router last heard as master.
    pub master: Option<Heard>,
    /// All wanted objects are in the kernel.
    pub holds_addresses: bool,
    pub addresses: Vec<Address>,
    /// Seconds.
    pub advert_interval: f64,
    /// Silence of so many seconds means that there is no master.
    pub master_down_interval: f64,
    pub counters: Counters,
    /// Changes of its state since the start, by their causes.
    pub transitions: SortedMap<String, u64>,
    /// How often another router was master as well for a while.
    pub contested: u64,
    /// Seconds from the first announcement of the addresses to the second one.
    pub garp_delay: f64,
    /// The last refused advertisements, by sender.
    pub refused: Vec<Refusal>,
}

/// The priority with each part of the sum.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Priority {
    /// As it is advertised: the sum, within 1 to 254. The owner's stays 255.
    pub effective: u8,
    pub base: u8,
    pub configured: u8,
    /// The base is that of a command, which is in force until it is taken back.
    pub commanded: bool,
    pub parts: Vec<Part>,
}

/// What a tracked object adds to the priority.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Part {
    pub kind: ObjectKind,
    pub name: String,
    pub reason: String,
    pub weight: i32,
}

/// The last advertisement of another router that was master.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Heard {
    pub address: Option<IpAddr>,
    pub priority: u8,
    pub at: Time,
    /// Seconds.
    pub advert_interval: f64,
}

/// A virtual address.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// As in the configuration.
    pub address: String,
    /// It is on its interface, for this instance.
    pub present: bool,
}

/// Advertisements of one sender that were refused.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Refusal {
    pub from: Option<IpAddr>,
    pub count: u64,
    pub first: Time,
    pub last: Time,
    /// Of the last one.
    pub reason: String,
    /// The sender acts as a master of this virtual router.
    pub rival: bool,
}

/// The address of another router, which is missing only if its report comes from another version.
pub fn sender(address: Option<IpAddr>) -> String {
    address.map_or_else(|| "?".to_owned(), |address| address.to_string())
}

/// A sync group.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Group {
    pub name: String,
    pub state: State,
    /// The time of the last change, if there was one.
    pub since: Option<Time>,
    pub why: Option<String>,
    pub members: Vec<String>,
}

/// The counters of the statistics file, and those that only this program has.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    pub advert_rcvd: u64,
    pub advert_sent: u64,
    pub become_master: u64,
    pub release_master: u64,
    pub packet_len_err: u64,
    pub advert_interval_err: u64,
    pub ip_ttl_err: u64,
    pub invalid_type_rcvd: u64,
    pub addr_list_err: u64,
    pub invalid_authtype: u64,
    pub authtype_mismatch: u64,
    pub auth_failure: u64,
    pub auth_ext_missing: u64,
    pub auth_ext_malformed: u64,
    pub auth_ext_unknown_key: u64,
    pub auth_ext_invalid_hmac: u64,
    pub auth_ext_stale: u64,
    pub auth_ext_replay: u64,
    pub pri_zero_rcvd: u64,
    pub pri_zero_sent: u64,
    pub version_err: u64,
    pub checksum_err: u64,
    pub vrid_err: u64,
    pub own_address: u64,
    pub peer_err: u64,
    pub owner_ignored: u64,
}
