//! The checked configuration: plain, comparable data without behaviour.
//!
//! All values were validated when the model was built; later code can rely on them.

pub mod bfd;
pub mod check;
pub mod control;
pub mod diff;
pub mod dumps;
pub mod firewall;
pub mod global;
pub mod link;
pub mod lvs;
pub mod marks;
pub mod notify;
pub mod probed;
pub mod reload;
pub mod route;
pub mod sandbox;
pub mod script;
pub mod secret;
pub mod shown;
pub mod signing;
pub mod track;
pub mod vlink;
pub mod vrrp;

pub use global::Global;

/// One whole configuration. Immutable once built.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Config {
    pub global: Global,
    /// In the order of the file, which is also the display order.
    pub instances: Vec<std::rc::Rc<vrrp::Instance>>,
    pub groups: Vec<vrrp::SyncGroup>,
    /// `static_ipaddress`: held on their interfaces while the daemon runs.
    pub static_addresses: Vec<std::rc::Rc<vrrp::VirtualAddress>>,
    /// `static_routes`, in the order of the file.
    pub static_routes: Vec<std::rc::Rc<route::VirtualRoute>>,
    /// `static_rules`, in the order of the file.
    pub static_rules: Vec<std::rc::Rc<route::VirtualRule>>,
    pub garp_groups: Vec<vrrp::GarpGroup>,
    /// `interface_up_down_delays`, each interface once.
    pub link_delays: Vec<link::LinkDelays>,
    /// `linkbeat_interfaces` and `linkbeat_use_polling`; only interfaces that an instance depends on.
    pub polled_links: Vec<link::PolledLink>,
    /// `vrrp_script`; only those that are tracked.
    pub scripts: Vec<track::TrackScript>,
    /// `track_file`.
    pub files: Vec<track::TrackFile>,
    /// `vrrp_track_process`; only those that are tracked.
    pub processes: Vec<track::TrackProcess>,
    /// `bfd_instance`, in the order of the file.
    pub bfd: Vec<std::rc::Rc<bfd::BfdInstance>>,
    /// `virtual_server`, in the order of the file.
    pub virtual_servers: Vec<std::rc::Rc<lvs::VirtualServer>>,
    /// `virtual_server_group`; only groups that a virtual server uses.
    pub address_groups: Vec<lvs::AddressGroup>,
    pub lvs: lvs::Lvs,
}
