//! Sync groups: instances that change state together.

use super::action::Phase;
use crate::base::ids::InstanceId;
use crate::model::track::Tracked;
use crate::model::vrrp::TrackedLink;

#[derive(Debug)]
pub struct Group {
    pub(super) name: String,
    pub(super) members: Vec<InstanceId>,
    /// Interfaces tracked for every member.
    pub(super) tracked_links: Vec<TrackedLink>,
    /// Scripts and the like, tracked for every member.
    pub(super) tracked: Vec<Tracked>,
    /// What was last told of the group as a whole.
    pub(super) phase: Phase,
}

impl Group {
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn members(&self) -> &[InstanceId] {
        &self.members
    }

    pub const fn phase(&self) -> Phase {
        self.phase
    }
}
