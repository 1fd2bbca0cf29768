//! The pure cores, their pending actions, and the inbox.

use std::collections::VecDeque;

use crate::base::hold::Hold;
use crate::base::ids::{InstanceId, ScriptId};
use crate::base::parts;
use crate::base::time::{Duration, Instant};
use crate::base::tracked::TrackState;
use crate::bfd;
use crate::daemon::outlets::notices::Telling;
use crate::holdings::{self, RequestId};
use crate::model::track::Object;
use crate::notify::{self, RunId};
use crate::track;
use crate::vrrp;

/// Follow-up of an action. It enters a core only after the action list is done.
#[derive(Debug)]
pub(super) enum Message {
    /// Claim of this instance on its addresses.
    Hold(InstanceId, Hold),
    /// The removal of everything held for this instance has been requested.
    Released(InstanceId),
    /// The kernel refuses all addresses of this instance for this reason; `None` once it accepts
    /// them.
    Refused(InstanceId, Option<String>),
    /// The interfaces or addresses of the host changed.
    HostChange(holdings::HostChange),
    /// Immediate answer of the kernel to a request of the holdings.
    Answer(RequestId, holdings::Answer),
    /// All wanted objects of this instance are in the kernel.
    Held(InstanceId),
    /// Current state of a tracked object.
    Tracked(Object, TrackState),
    /// A tracked script could not be started.
    TrackExited(ScriptId, track::RunEnd),
    /// A tracked file has to be read.
    ReadFile(String),
    Tell(Telling),
    /// A virtual router became master or stopped being master.
    Role(InstanceId, bool),
    /// A notify script could not be started.
    NotifyEnded(RunId),
}

pub(super) struct Cores {
    pub(super) vrrp: vrrp::Domain,
    pub(super) bfd: bfd::Domain,
    pub(super) holdings: holdings::Domain,
    pub(super) track: track::Domain,
    pub(super) notify: notify::Domain,
    pub(super) vrrp_actions: Vec<vrrp::Action>,
    pub(super) bfd_actions: Vec<bfd::Action>,
    pub(super) holdings_actions: Vec<holdings::Action>,
    pub(super) track_actions: Vec<track::Action>,
    pub(super) notify_actions: Vec<notify::Action>,
    pub(super) inbox: VecDeque<Message>,
}

impl Cores {
    /// `secret` comes from the kernel.
    pub(super) fn new(startup_delay: Duration, secret: [u8; 16]) -> Self {
        Self {
            vrrp: vrrp::Domain::new(startup_delay),
            bfd: bfd::Domain::new(secret),
            holdings: holdings::Domain::default(),
            track: track::Domain::default(),
            notify: notify::Domain::default(),
            vrrp_actions: Vec::new(),
            bfd_actions: Vec::new(),
            holdings_actions: Vec::new(),
            track_actions: Vec::new(),
            notify_actions: Vec::new(),
            inbox: VecDeque::new(),
        }
    }

    pub(super) fn vrrp(&mut self, input: vrrp::Input<'_>, now: Instant) {
        self.vrrp.handle(input, now, &mut self.vrrp_actions);
    }

    pub(super) fn bfd(&mut self, input: bfd::Input<'_>, now: Instant) {
        if !parts::BFD {
            return;
        }
        self.bfd.handle(input, now, &mut self.bfd_actions);
    }

    pub(super) fn holdings(&mut self, input: holdings::Input<'_>, now: Instant) {
        self.holdings.handle(input, now, &mut self.holdings_actions);
    }

    pub(super) fn track(&mut self, input: track::Input<'_>, now: Instant) {
        self.track.handle(input, now, &mut self.track_actions);
    }

    pub(super) fn notify(&mut self, input: notify::Input<'_>, now: Instant) {
        self.notify.handle(input, now, &mut self.notify_actions);
    }

    /// True if no action is pending.
    pub(super) fn are_settled(&self) -> bool {
        self.vrrp_actions.is_empty()
            && self.bfd_actions.is_empty()
            && self.holdings_actions.is_empty()
            && self.track_actions.is_empty()
            && self.notify_actions.is_empty()
    }

    /// The deadlines that no other work may delay.
    pub(super) fn urgent_deadline(&self) -> Option<Instant> {
        self.vrrp.next_deadline().into_iter().chain(self.bfd.next_deadline()).min()
    }

    /// The earliest of the others.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let all = [
            self.holdings.next_deadline(),
            self.track.next_deadline(),
            self.notify.next_deadline(),
        ];
        all.into_iter().flatten().min()
    }
}
