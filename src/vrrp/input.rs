//! Everything that can go into the VRRP core.

use std::net::IpAddr;
use std::rc::Rc;

use super::operator::Order;
use super::receive::Received;
use crate::base::ids::InstanceId;
pub use crate::base::link::LinkState;
use crate::base::sorted::SortedMap;
use crate::base::time::{Duration, Instant};
use crate::base::tracked::TrackState;
use crate::model::track::Object;
use crate::model::vrrp::{Instance, SyncGroup};

/// What has arrived and is not read. Such a packet may be the very one that moves the deadline of
/// a backup; a master's own advertisement waits for none.
#[derive(Clone, Copy, Debug)]
pub enum Unread<'a> {
    Nothing,
    /// Packets for these instances. What arrived for them up to this moment is read, for a socket
    /// keeps the order.
    Since(&'a SortedMap<InstanceId, Instant>),
    /// There may be packets for any instance.
    Anything,
}

impl Unread<'_> {
    /// Whether something unread arrived before this deadline.
    pub(super) fn may_move(&self, id: InstanceId, deadline: Instant) -> bool {
        match self {
            Self::Nothing => false,
            Self::Since(read) => read.get(&id).is_some_and(|up_to| *up_to < deadline),
            Self::Anything => true,
        }
    }
}

/// One fact.
#[derive(Debug)]
pub enum Input<'a> {
    /// A new virtual router. It starts when [`Input::Start`] follows.
    Add { id: InstanceId, config: Rc<Instance> },
    /// The same virtual router with other attributes.
    Adjust { id: InstanceId, config: Rc<Instance> },
    /// In the run before, this virtual router was MASTER. It advertised with this interval, last such
    /// a time ago, and never said goodbye; `None`: it still advertises. Before [`Input::Start`].
    Recall { id: InstanceId, silent: Option<Duration>, interval: Duration },
    /// A virtual router that is no longer in the configuration. `Domain::forget` follows.
    Remove { id: InstanceId },
    /// The sync groups, all of them, in the order of the file. Members are found by name.
    Groups(&'a [SyncGroup]),
    /// All instances added so far and not yet started begin.
    Start,
    /// The state of an interface.
    Link { name: &'a str, state: LinkState },
    /// What is known of a tracked script, file, process or BFD session. Before `Start`, so that the
    /// instances begin with it; of those that were never reported, a BFD session is down and the
    /// others are pending.
    Tracked { object: &'a Object, state: TrackState },
    /// The address this instance sends from, `None` when there is none to send from.
    Source { id: InstanceId, source: Option<IpAddr> },
    /// Its sockets are open, or why they are not.
    Socket { id: InstanceId, error: Option<String> },
    /// The kernel refuses every address of this instance, and why; or it no longer does.
    Addresses { id: InstanceId, refusal: Option<String> },
    /// A datagram that names this instance's virtual router.
    Packet { id: InstanceId, packet: Received<'a> },
    /// Every object wanted for this instance is in the kernel.
    Held { id: InstanceId },
    /// An operator orders another base of the priority; `None`: that of the configuration.
    Priority { id: InstanceId, base: Option<u8> },
    /// An operator orders a failover or maintenance, or takes the order back.
    Order(Order),
    /// Time has passed, and every packet that arrived is read.
    Deadline,
    /// Time has passed, and there are unread packets.
    DeadlineAmid(Unread<'a>),
    /// The daemon ends: say so on the wire and let go.
    Stop,
}

impl<'a> Input<'a> {
    /// What may be unread while this is handled.
    pub(super) const fn unread(&self) -> Unread<'a> {
        match self {
            Self::Deadline => Unread::Nothing,
            Self::DeadlineAmid(unread) => *unread,
            _ => Unread::Anything,
        }
    }
}
