//! The configuration: reading it against the host, and applying it at a reload.

use std::net::IpAddr;

use crate::base::ids::InstanceId;
use crate::base::sorted::{SortedMap, SortedSet};
use crate::base::time::Instant;
use crate::model::Config;
use crate::status::Reload;

mod appointment;
pub(super) mod fixed;
pub(super) mod host;
pub(super) mod in_force;
mod index;
pub(super) mod outcome;
pub(super) mod reading;
mod rehearsal;
pub(super) mod reload;
mod witness;

/// The configuration in force, with its indexes.
#[derive(Default)]
pub(super) struct Running {
    pub(super) config: Config,
    /// The errors of the text that were corrected.
    pub(super) flaws: Vec<String>,
    /// When it was read.
    pub(super) loaded: Instant,
    pub(super) last_reload: Option<Reload>,
    pub(super) schedule: appointment::Schedule,
    /// Copies of the configuration that were kept (`config_save_dir`).
    pub(super) saved: u32,
    /// Ids of the instances in the order of the configuration.
    pub(super) ids: Vec<InstanceId>,
    /// Interfaces named in the configuration; all others are ignored.
    pub(super) interesting: SortedSet<String>,
    /// Some route leaves the choice of its interface to the kernel.
    pub(super) has_open_routes: bool,
    /// Instances on each interface; those without one have the empty name as key.
    pub(super) instances_on: SortedMap<String, Vec<InstanceId>>,
    /// All virtual addresses of the configuration. They are not used as source addresses.
    pub(super) virtual_addresses: SortedMap<IpAddr, ()>,
    /// Addresses without which checks are suspended.
    pub(super) awaited_addresses: SortedSet<IpAddr>,
}
