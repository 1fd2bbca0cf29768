//! What the operator asked for: plain data, comparable, without behaviour.
//!
//! Everything in here was checked on the way in; later code meets no invalid value.

pub mod check;
pub mod diff;
pub mod global;
pub mod lvs;
pub mod notify;
pub mod probed;
pub mod script;
pub mod track;
pub mod vrrp;

pub use global::Global;

/// One whole configuration. Immutable once built.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Config {
    pub global: Global,
    /// In the order of the file, which is the order of everything shown.
    pub instances: Vec<std::rc::Rc<vrrp::Instance>>,
    pub groups: Vec<vrrp::SyncGroup>,
    /// `static_ipaddress`: on their interfaces for as long as the daemon runs.
    pub static_addresses: Vec<vrrp::VirtualAddress>,
    /// `vrrp_script`; only those that are tracked.
    pub scripts: Vec<track::TrackScript>,
    /// `track_file`.
    pub files: Vec<track::TrackFile>,
    /// `vrrp_track_process`; only those that are tracked.
    pub processes: Vec<track::TrackProcess>,
    /// `virtual_server`, in the order of the file.
    pub virtual_servers: Vec<std::rc::Rc<lvs::VirtualServer>>,
    /// `virtual_server_group`; only those that a virtual server names.
    pub address_groups: Vec<lvs::AddressGroup>,
    pub lvs: lvs::Lvs,
}
