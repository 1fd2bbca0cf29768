//! Everything the running daemon has: every core, table and socket, by value, by name.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::net::IpAddr;
use std::path::PathBuf;
use std::rc::Rc;

use super::announcer::{Announcement, Announcer};
use super::chatter::Chatter;
use super::children::{Children, Event};
use super::endpoints::{Endpoints, SocketId};
use super::fifos::Fifos;
use super::lateness::Lateness;
use super::links::LinkTable;
use super::lvs::Lvs;
use super::mailer::Mailer;
use super::notices::Telling;
use super::privileges::Scheduling;
use super::processes::Processes;
use super::retries::Retries;
use super::status::Standing;
use super::tracking::FileBreaks;
use crate::base::ids::{CheckId, InstanceId, ScriptId};
use crate::base::ratelimit::{Limiter, RateLimit};
use crate::base::time::Instant;
use crate::base::tracked::TrackState;
use crate::cli::options::Options;
use crate::holdings::{self, Place, RequestId};
use crate::model::track::Object;
use crate::model::Config;
use crate::notify::{self, RunId, Which};
use crate::sys::clock::Clock;
use crate::sys::inotify::FileWatch;
use crate::sys::netlink::{self, Monitor, Requests};
use crate::sys::packet::{LinkSocket, Scratch, SendQueue};
use crate::sys::poll::Poll;
use crate::sys::raw::Batch;
use crate::sys::rescue::Rescue;
use crate::sys::signals::Signals;
use crate::sys::sysctl::Promoted;
use crate::sys::systemd::Notifier;
use crate::track;
use crate::vrrp;

/// Whoever a token of the poll belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Owner {
    VrrpSocket(SocketId),
    Monitor,
    Signals,
    /// Whatever happens to tracked files.
    Files,
    /// Room in a FIFO, or a new reader.
    Fifos,
    /// Processes come and go.
    Processes,
    Mail,
    /// Last, so that they can be taken out together.
    Check(CheckId),
}

impl From<CheckId> for Owner {
    fn from(check: CheckId) -> Self {
        Self::Check(check)
    }
}

/// Whom a command is run for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Asker {
    Track(ScriptId),
    Notify(RunId),
    FifoScript(Which),
    Check(CheckId),
}

impl From<CheckId> for Asker {
    fn from(check: CheckId) -> Self {
        Self::Check(check)
    }
}

/// What carrying out an action causes; it enters a core only after the action list is done.
#[derive(Debug)]
pub(super) enum Message {
    /// How this instance stands to its addresses.
    Hold(InstanceId, vrrp::Hold),
    /// The kernel refuses all addresses of this instance, and why; or no longer.
    Refused(InstanceId, Option<String>),
    /// We changed an address in the kernel.
    Address(netlink::Event),
    /// All wanted objects of this instance are in the kernel.
    Held(InstanceId),
    /// What is now known of a tracked object.
    Tracked(Object, TrackState),
    /// A run of a tracked script is over before it began.
    TrackExited(ScriptId, track::RunEnd),
    /// A tracked file is to be read.
    ReadFile(String),
    Tell(Telling),
    /// A virtual router is master from now on, or is not.
    Role(InstanceId, bool),
    /// A notify script is over before it began.
    NotifyEnded(RunId),
}

/// What the daemon is up to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    Running,
    /// Farewells are sent; what is held is being removed.
    Stopping,
}

pub(super) struct Runtime {
    pub(super) options: Options,
    pub(super) config: Config,
    /// Where the end of each reload is written.
    pub(super) outcome_file: PathBuf,
    pub(super) standing: Standing,
    /// The configuration as read had errors that were corrected.
    pub(super) flawed: bool,
    /// The id of each instance, in the order of the configuration.
    pub(super) ids: Vec<InstanceId>,
    pub(super) mode: Mode,
    /// The time of this turn: read once per group of events.
    pub(super) now: Instant,

    pub(super) vrrp: vrrp::Domain,
    pub(super) holdings: holdings::Domain,
    pub(super) track: track::Domain,
    pub(super) notify: notify::Domain,
    pub(super) lvs: Lvs,
    pub(super) fifos: Fifos<Owner>,
    pub(super) mailer: Mailer<Owner>,
    pub(super) processes: Processes,
    /// From the first tracked file on.
    pub(super) files: Option<FileWatch<String>>,
    pub(super) file_breaks: FileBreaks,
    pub(super) retries: Retries,
    pub(super) children: Children<Asker>,
    pub(super) links: LinkTable,
    /// Interfaces that the configuration names; nothing else in the kernel matters.
    pub(super) interesting: BTreeSet<String>,
    /// The instances on each interface; those without one are under the empty name.
    pub(super) instances_on: BTreeMap<String, Vec<InstanceId>>,
    /// What was last logged of each.
    pub(super) told_links: BTreeMap<String, vrrp::LinkState>,
    /// Every virtual address of the configuration: none of them is a source address.
    pub(super) virtual_addresses: BTreeSet<IpAddr>,

    pub(super) inbox: VecDeque<Message>,
    pub(super) vrrp_actions: Vec<vrrp::Action>,
    pub(super) holdings_actions: Vec<holdings::Action>,
    pub(super) track_actions: Vec<track::Action>,
    pub(super) notify_actions: Vec<notify::Action>,
    pub(super) child_events: Vec<Event<Asker>>,
    /// Taken out while it is read.
    pub(super) batch: Option<Batch>,
    pub(super) scratch: Scratch,
    pub(super) frames: SendQueue<()>,
    pub(super) announcer: Announcer,
    pub(super) due_announcements: Vec<Announcement>,
    /// The kernel had no room; try again then.
    pub(super) retry_sends: Option<Instant>,
    pub(super) send_errors: RateLimit,
    pub(super) chatter: Chatter,
    pub(super) unknown_vrids: Limiter<()>,
    pub(super) answers: Vec<(RequestId, i32)>,
    /// Ready in this turn; what is left after the budget was spent stays for the next.
    pub(super) ready: BTreeSet<Owner>,
    pub(super) polled: Vec<Owner>,
    /// The check whose socket was served last: they take turns.
    pub(super) last_check: CheckId,
    pub(super) lateness: Lateness,
    /// When VRRP packets were last read, and the time before that.
    pub(super) heard: Instant,
    pub(super) heard_before: Instant,
    /// Probes begun or gone on with in the turn before.
    pub(super) checks_in_turn: u64,

    /// The network namespace the daemon was started in, if it has left it.
    pub(super) home: Option<File>,
    /// An earlier run was killed, and may have left addresses.
    pub(super) follows_crash: bool,
    pub(super) promoted: Promoted,
    pub(super) clock: Clock,
    pub(super) poll: Poll<Owner>,
    pub(super) signals: Signals,
    pub(super) systemd: Notifier,
    pub(super) scheduling: Scheduling,
    pub(super) endpoints: Endpoints,
    pub(super) link_socket: LinkSocket,
    pub(super) requests: Requests<RequestId>,
    /// Removes what is in the kernel because of us, should all else fail.
    pub(super) rescue: Rescue<Place>,
    pub(super) monitor: Monitor,
}

impl Runtime {
    pub(super) fn instance_config(
        &self,
        id: InstanceId,
    ) -> Option<Rc<crate::model::vrrp::Instance>> {
        self.vrrp.instance(id).map(|i| i.config().clone())
    }

    /// When something is next due, whoever's it is.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let all = [
            self.vrrp.next_deadline(),
            self.holdings.next_deadline(),
            self.announcer.next_deadline(),
            self.retry_sends,
            self.children.next_deadline(),
            self.track.next_deadline(),
            self.notify.next_deadline(),
            self.mailer.next_deadline(),
            self.processes.next_deadline(),
            self.file_breaks.next_deadline(),
            self.retries.next_deadline(),
            self.lvs.next_deadline(),
        ];
        all.into_iter().flatten().min()
    }
}
