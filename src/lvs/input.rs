//! Everything that can go into the core of virtual servers.

use std::net::IpAddr;
use std::rc::Rc;

use super::operator::ServerOrder;
use crate::base::ids::{CheckId, ServiceId};
use crate::base::recalled::RecalledService;
use crate::base::verdict::Verdict;
use crate::model::lvs::VirtualServer;

/// One fact.
#[derive(Clone, Debug)]
pub enum Input {
    /// A new virtual server, under a number of `Domain::vacant_id`. It begins with
    /// [`Input::Start`]. `recalled`: from before the daemon was restarted, as far as that is known.
    Add { id: ServiceId, config: Rc<VirtualServer>, recalled: RecalledService },
    /// The same virtual server with other attributes, or with another address group.
    Adjust { id: ServiceId, config: Rc<VirtualServer> },
    /// A virtual server that is no longer in the configuration.
    Remove { id: ServiceId },
    /// All virtual servers added so far and not yet started begin.
    Start {
        /// `rs_init_notifies`: that a real server is up from the first is reported, too.
        init_notifies: bool,
    },
    /// What a check found; the first time, and whenever it is something else than before.
    /// `page`: which `url`.
    Verdict { check: CheckId, page: usize, verdict: Verdict },
    /// An operator orders something of a real server, by its place; `None`: nothing any more.
    Order { id: ServiceId, index: usize, order: Option<ServerOrder> },
    /// An address came to this host, or went (`ha_suspend`).
    Address { addr: IpAddr, present: bool },
    /// The daemon ends. `flush`: IPVS is emptied at one stroke (`lvs_flush_on_stop`).
    Stop { flush: bool },
}
