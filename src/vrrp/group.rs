//! Sync groups: instances that change state together.

use super::action::{Action, Phase};
use super::cause::GroupCause;
use crate::base::ids::{GroupId, InstanceId};
use crate::base::name::SharedName;
use crate::model::track::Tracked;
use crate::model::vrrp::{SyncGroup, TrackedLink};

#[derive(Debug)]
pub struct Group {
    name: SharedName,
    pub(super) members: Vec<InstanceId>,
    /// Interfaces tracked for every member.
    pub(super) tracked_links: Vec<TrackedLink>,
    /// Scripts and the like, tracked for every member.
    pub(super) tracked: Vec<Tracked>,
    /// The state of the group as a whole, as last reported.
    phase: Phase,
}

impl Group {
    pub(super) fn new(config: &SyncGroup, members: Vec<InstanceId>, phase: Phase) -> Self {
        Self {
            name: config.name.clone(),
            members,
            tracked_links: config.tracked_links.clone(),
            tracked: config.tracked.clone(),
            phase,
        }
    }

    pub fn name(&self) -> &SharedName {
        &self.name
    }

    pub fn members(&self) -> &[InstanceId] {
        &self.members
    }

    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Enters another state, and returns the report of that.
    pub(super) fn enter(&mut self, group: GroupId, to: Phase, cause: GroupCause) -> Action {
        self.phase = to;
        Action::GroupChanged { group, to, cause: cause.into() }
    }
}
