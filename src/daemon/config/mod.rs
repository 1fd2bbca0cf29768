//! The configuration: reading it against the host, and going from one to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::base::ids::InstanceId;
use crate::model::Config;

pub(super) mod host;
pub(super) mod outcome;
pub(super) mod reading;
pub(super) mod reload;

/// The configuration in force, and what is looked up in it.
#[derive(Default)]
pub(super) struct Running {
    pub(super) config: Config,
    /// The configuration as read had errors that were corrected.
    pub(super) flawed: bool,
    /// The id of each instance, in the order of the configuration.
    pub(super) ids: Vec<InstanceId>,
    /// Interfaces that the configuration names; nothing else in the kernel matters.
    pub(super) interesting: BTreeSet<String>,
    /// The instances on each interface; those without one are under the empty name.
    pub(super) instances_on: BTreeMap<String, Vec<InstanceId>>,
    /// Every virtual address of the configuration: none of them is a source address.
    pub(super) virtual_addresses: BTreeSet<IpAddr>,
}
