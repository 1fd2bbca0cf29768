//! Everything that can come out of the VRRP core, in the order it must be done.

use std::net::IpAddr;
use std::rc::Rc;

use super::cause::{Cause, GroupCause, PriorityCause};
use super::operator::{OrderKind, OrderNews};
use super::receive::{Reject, Remark};
use crate::base::hold::Hold;
use crate::base::ids::{GroupId, InstanceId};
use crate::base::time::{Duration, Instant};
use crate::model::vrrp::ChecksumForm;

/// The states of RFC 9568 §6.4, and those around them. In the order of the reference's numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// Not started.
    Init,
    Backup,
    Master,
    /// Something it needs is missing; it neither advertises nor listens.
    Fault,
    /// The daemon ended.
    Stopped,
    /// No longer configured.
    Deleted,
}

impl Phase {
    /// The word of log lines, notifications and dumps.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Init => "INIT",
            Self::Backup => "BACKUP",
            Self::Master => "MASTER",
            Self::Fault => "FAULT",
            Self::Stopped => "STOP",
            Self::Deleted => "DELETED",
        }
    }
}

/// One thing to do or to report.
#[derive(Clone, PartialEq, Debug)]
#[must_use]
pub enum Action {
    /// Send one advertisement now, to the group or to every peer.
    SendAdvert { id: InstanceId, priority: u8 },
    /// Hold the instance's addresses; answer with `Input::Held` once they are all there.
    ///
    /// Also issued when they are held and the configuration changed: only the difference counts.
    Want(InstanceId),
    /// Let go of everything held for the instance.
    Release(InstanceId),
    /// Send `repeat` gratuitous ARPs or neighbour advertisements for every address.
    Announce { id: InstanceId, repeat: u32 },
    /// Announce the first address on each further interface of the instance.
    AnnounceElsewhere { id: InstanceId },
    /// Announce to the instance's segment where its own source address lives (unicast, after a fault).
    AnnounceSource { id: InstanceId },
    /// The state changed. Logged, journalled, notified.
    Changed { id: InstanceId, from: Phase, to: Phase, cause: Rc<Cause> },
    /// The state of a whole group changed.
    GroupChanged { group: GroupId, to: Phase, cause: Rc<GroupCause> },
    /// The effective priority changed.
    PriorityChanged { id: InstanceId, from: u8, to: u8, cause: PriorityCause },
    /// What became of an order of an operator. Logged and journalled.
    Ordered { kind: OrderKind, news: OrderNews },
    /// As master: a router that is less entitled advertises. The script for that runs.
    LowerPriority { id: InstanceId },
    /// Worth a line in the log, changes nothing. So many like it were held back.
    Noted { id: InstanceId, note: Note, held_back: u32 },
}

impl Action {
    /// What the holdings must hear because of this, in order.
    pub fn holds(&self) -> Option<(InstanceId, &'static [Hold])> {
        let (id, holds): (_, &[Hold]) = match *self {
            Self::Want(id) => (id, &[Hold::Want]),
            Self::Release(id) => (id, &[Hold::Release]),
            Self::Changed { id, from: Phase::Init, to: Phase::Backup, .. } => (id, &[Hold::Expect]),
            Self::Changed { id, from: Phase::Init, to: Phase::Fault, .. } => {
                (id, &[Hold::Expect, Hold::Rival])
            }
            // What an earlier run left is too much. Notes are held back at times, but never the first
            // one of a sender.
            Self::Changed { id, to: Phase::Fault | Phase::Stopped | Phase::Deleted, .. }
            | Self::Noted { id, note: Note::MasterIs { .. } | Note::Discarded { .. }, .. } => {
                (id, &[Hold::Rival])
            }
            Self::SendAdvert { .. }
            | Self::Announce { .. }
            | Self::AnnounceElsewhere { .. }
            | Self::AnnounceSource { .. }
            | Self::Changed { .. }
            | Self::GroupChanged { .. }
            | Self::PriorityChanged { .. }
            | Self::Ordered { .. }
            | Self::LowerPriority { .. }
            | Self::Noted { .. } => return None,
        };
        Some((id, holds))
    }
}

/// What is worth a line in the log and is no transition.
#[derive(Clone, PartialEq, Debug)]
pub enum Note {
    /// As master: a router that is less entitled advertises.
    LowerPriority {
        from: IpAddr,
        theirs: u8,
        ours: u8,
        answered: bool,
    },
    /// As master: a router that is less entitled was master as well, and has yielded.
    Contested {
        from: IpAddr,
        theirs: u8,
    },
    /// As backup: a router that is less entitled advertises, and is not believed.
    Discarded {
        from: IpAddr,
        theirs: u8,
    },
    /// As backup: the master is another one than before (or the first one heard).
    MasterIs {
        addr: IpAddr,
        before: Option<IpAddr>,
    },
    /// The master said goodbye (priority 0).
    Goodbye {
        from: IpAddr,
    },
    PreemptDelayStarted(Duration),
    PreemptDelayStopped,
    /// It was MASTER in the run before, whose silence is longer than its peers wait.
    TooLate {
        silent: Duration,
        patience: Duration,
    },
    /// The master-down deadline passed.
    Silence,
    /// It passed, but we were asleep: the master gets a second chance.
    Stalled {
        late: Duration,
        until: Instant,
    },
    /// A member of a group must wait for the others.
    GroupNotReady,
    /// Another router claims to own the addresses, as we do.
    OwnerConflict {
        from: IpAddr,
    },
    /// A router advertises our priority from our own address.
    SameAddress {
        from: IpAddr,
    },
    /// This peer is sent the form of checksum that it sends itself.
    ChecksumFollowed {
        from: IpAddr,
        form: ChecksumForm,
    },
    /// An advertisement was refused.
    Rejected {
        from: IpAddr,
        reason: Reject,
        /// As master: the sender is MASTER, too.
        is_rival: bool,
    },
    /// An advertisement was accepted although something about it is odd.
    Remarked {
        from: IpAddr,
        remark: Remark,
    },
}
