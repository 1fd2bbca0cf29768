//! The generic netlink interface of IPVS (`linux/ip_vs.h`): services, destinations, sync daemons,
//! timeouts.

mod address;
mod daemon;
mod destination;
mod name;
mod request;
mod service;
mod stats;
#[cfg(test)]
mod tests;

pub use daemon::{Daemon, Role};
pub use destination::{
    Destination, DestinationKey, Encapsulation, Forwarding, SeenDestination, Tunnel,
};
pub use name::Name;
pub use request::{Info, Query, Request, Timeouts};
pub use service::{Protocol, SeenService, Service, ServiceFlags, ServiceKey};
pub use stats::Stats;

/// Name of the family for the controller.
pub const FAMILY: &str = "IPVS";

const CMD_ATTR_SERVICE: u16 = 1;
const CMD_ATTR_DEST: u16 = 2;
const CMD_ATTR_DAEMON: u16 = 3;
