//! How often a peer may cause a line or a script: by subject and by sender.
//!
//! A change of state clears nothing here, for a peer can cause that as well.

use std::net::IpAddr;

use super::action::{Action, Note};
use super::instance::Instance;
use super::Domain;
use crate::base::ids::InstanceId;
use crate::base::ratelimit::Rate;
use crate::base::time::{Duration, Instant};

/// A state of affairs, which does not change from packet to packet.
const CONDITION: Rate = Rate::new(1, Duration::from_secs(60));
/// Something that happens now and then.
const EVENT: Rate = Rate::new(10, Duration::from_secs(6));

/// Subjects apart from those of `receive`, whose numbers are below these.
mod subject {
    pub(super) const LOWER_PRIORITY: u16 = 1000;
    pub(super) const DISCARDED: u16 = 1001;
    pub(super) const MASTER_IS: u16 = 1002;
    pub(super) const GOODBYE: u16 = 1003;
    pub(super) const PREEMPT_DELAY: u16 = 1004;
    pub(super) const TIME: u16 = 1005;
    pub(super) const GROUP: u16 = 1006;
    pub(super) const OWNER_CONFLICT: u16 = 1007;
    pub(super) const SAME_ADDRESS: u16 = 1008;
    pub(super) const CHECKSUM: u16 = 1009;
    /// Not a line: the script and the FIFO.
    pub(super) const LOWER_PRIORITY_TOLD: u16 = 1100;
}

impl Note {
    /// What limits it: the subject, the sender, the rate.
    fn limit(&self) -> (u16, Option<IpAddr>, Rate) {
        match *self {
            Self::LowerPriority { from, .. } => (subject::LOWER_PRIORITY, Some(from), CONDITION),
            Self::Discarded { from, .. } => (subject::DISCARDED, Some(from), CONDITION),
            Self::OwnerConflict { from } => (subject::OWNER_CONFLICT, Some(from), CONDITION),
            Self::SameAddress { from } => (subject::SAME_ADDRESS, Some(from), CONDITION),
            Self::Rejected { from, reason, .. } => (reason.kind(), Some(from), CONDITION),
            Self::Remarked { from, remark } => (remark.kind(), Some(from), CONDITION),
            Self::MasterIs { addr, .. } => (subject::MASTER_IS, Some(addr), EVENT),
            Self::Goodbye { from } => (subject::GOODBYE, Some(from), EVENT),
            Self::ChecksumFollowed { from, .. } => (subject::CHECKSUM, Some(from), EVENT),
            Self::PreemptDelayStarted(_) | Self::PreemptDelayStopped => {
                (subject::PREEMPT_DELAY, None, EVENT)
            }
            Self::Contested { .. }
            | Self::TooLate { .. }
            | Self::Silence
            | Self::Stalled { .. } => (subject::TIME, None, EVENT),
            Self::GroupNotReady => (subject::GROUP, None, EVENT),
        }
    }
}

impl Domain {
    /// Logs a note, unless there were too many like it.
    pub(super) fn note(&mut self, id: InstanceId, note: Note, now: Instant, out: &mut Vec<Action>) {
        let Some(i) = self.instance_mut(id) else { return };
        if let Some(held_back) = i.may_tell(&note, now) {
            out.push(Action::Noted { id, note, held_back });
        }
    }

    /// The script runs and the FIFO has a line for lower priorities at most once per interval: one router that
    /// advertises too much makes no more of it than one that advertises as it should.
    pub(super) fn tell_lower_priority(
        &mut self,
        id: InstanceId,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some(i) = self.instance_mut(id) else { return };
        let rate = Rate::new(1, i.config.advert_interval);
        if i.limits.admit(subject::LOWER_PRIORITY_TOLD, None, rate, now).is_some() {
            out.push(Action::LowerPriority { id });
        }
    }
}

impl Instance {
    /// Whether a note may be logged, and how many like it were held back.
    pub(super) fn may_tell(&mut self, note: &Note, now: Instant) -> Option<u32> {
        let (subject, from, rate) = note.limit();
        self.limits.admit(subject, from, rate, now)
    }

    /// Every instance that becomes master has noted something, and needs to remember it for seconds
    /// only.
    pub(super) fn forget_notes(&mut self, now: Instant) {
        use subject::{CHECKSUM, GOODBYE, GROUP, MASTER_IS, PREEMPT_DELAY, TIME};
        let rate = |subject| match subject {
            MASTER_IS | GOODBYE | CHECKSUM | PREEMPT_DELAY | TIME | GROUP => EVENT,
            _ => CONDITION,
        };
        self.limits.tidy(rate, now);
    }
}
