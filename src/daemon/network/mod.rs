//! VRRP packets, interfaces, addresses and the kernel.

use std::io;
use std::path::PathBuf;

use crate::base::errno::KernelReply;
use crate::base::ratelimit::{Limiter, RateLimit};
use crate::base::sorted::{SortedMap, SortedSet};
use crate::base::time::{Duration, Instant};
use crate::daemon::bfd::Sockets;
use crate::daemon::network::vlinks::Changed;
use crate::holdings::{Place, RequestId};
use crate::model::global::NetlinkBuffers;
use crate::sys::linkpoll::LinkPoller;
use crate::sys::netlink::{Monitor, Requests};
use crate::sys::originals::Traces;
use crate::sys::packet::{LinkSocket, Scratch, SendQueue};
use crate::sys::raw::Batch;
use crate::sys::rescue::Rescue;
use crate::vrrp::LinkState;

pub(super) mod adverts;
pub(super) mod announce;
pub(super) mod announcer;
pub(super) mod buffers;
pub(super) mod debounce;
pub(super) mod endpoints;
pub(super) mod execute;
pub(super) mod firewall;
pub(super) mod igmp;
mod iptables;
pub(super) mod kernel;
pub(super) mod linkbeat;
pub(super) mod linkstate;
pub(super) mod monitor;
mod originals;
pub(super) mod source;
pub(super) mod vlinks;

use announcer::{Announcement, Announcer};
use debounce::Debounce;
use endpoints::{explained, Endpoints};
use firewall::Filter;
use linkbeat::Linkbeat;

/// Pause when the kernel has no room for packets.
const RETRY_SENDS: Duration = Duration::from_millis(1);

pub(super) struct Network {
    pub(super) endpoints: Endpoints,
    /// Of BFD.
    pub(super) sessions: Sockets,
    /// Taken while packets are read.
    pub(super) batch: Option<Batch>,
    pub(super) scratch: Scratch,
    pub(super) unknown_vrids: Limiter<()>,
    /// Time to retry after the kernel had no room.
    pub(super) retry_sends: Option<Instant>,
    pub(super) send_errors: RateLimit,

    pub(super) link_socket: LinkSocket,
    pub(super) frames: SendQueue<()>,
    pub(super) announcer: Announcer,
    pub(super) due_announcements: Vec<Announcement>,

    pub(super) requests: Requests<RequestId>,
    pub(super) answers: Vec<(RequestId, KernelReply)>,
    pub(super) filter: Filter,
    /// Setting changed by `disable_local_igmp`, as it was before.
    pub(super) igmp_before: Option<String>,
    /// Values of `rp_filter` that were changed.
    pub(super) reverse_path: Vec<Changed>,
    /// The file of original values of settings.
    pub(super) originals_file: Option<PathBuf>,
    /// Its contents.
    pub(super) traces: Traces,
    /// They may have changed.
    pub(super) originals_are_stale: bool,
    /// Receive buffers in force.
    pub(super) buffers: NetlinkBuffers,
    /// Removes the daemon's addresses from the kernel if it crashes.
    pub(super) rescue: Rescue<Place>,
    pub(super) monitor: Monitor,
    pub(super) debounce: Debounce,
    pub(super) linkbeat: Linkbeat,
    /// Opened for the first link that is polled.
    pub(super) link_poller: Option<LinkPoller>,
    /// The last logged state of each interface.
    pub(super) told_links: SortedMap<String, LinkState>,
    /// Interfaces whose addresses changed, so that the source addresses of instances may change.
    pub(super) stale_sources: SortedSet<String>,
}

impl Network {
    /// # Errors
    /// A socket cannot be opened; the text says which.
    pub(super) fn open(monitor: Monitor) -> io::Result<Self> {
        let failed = |what: &'static str| move |e: io::Error| explained(what, &e);
        let netlink = failed("open a netlink socket");
        Ok(Self {
            endpoints: Endpoints::default(),
            sessions: Sockets::default(),
            batch: None,
            scratch: Scratch::default(),
            unknown_vrids: Limiter::default(),
            retry_sends: None,
            send_errors: RateLimit::new(10, Duration::from_secs(1)),
            link_socket: LinkSocket::open().map_err(failed("open a packet socket"))?,
            frames: SendQueue::default(),
            announcer: Announcer::default(),
            due_announcements: Vec::new(),
            requests: Requests::open().map_err(netlink)?,
            answers: Vec::new(),
            filter: Filter::default(),
            igmp_before: None,
            reverse_path: Vec::new(),
            originals_file: None,
            traces: Traces::default(),
            originals_are_stale: false,
            buffers: NetlinkBuffers::default(),
            rescue: Rescue::open().map_err(netlink)?,
            monitor,
            debounce: Debounce::default(),
            linkbeat: Linkbeat::default(),
            link_poller: None,
            told_links: SortedMap::new(),
            stale_sources: SortedSet::new(),
        })
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let all = [
            self.announcer.next_deadline(),
            self.retry_sends,
            self.debounce.next_deadline(),
            self.linkbeat.next_deadline(),
            self.filter.next_deadline(),
        ];
        all.into_iter().flatten().min()
    }

    /// True if nothing waits for [`Runtime::flush_requests`].
    ///
    /// [`Runtime::flush_requests`]: crate::daemon::runtime::Runtime::flush_requests
    pub(super) fn is_idle(&self) -> bool {
        (self.requests.is_idle() || self.filter.delays_requests()) && self.filter.is_idle()
    }
}
