//! Which real server a check belongs to. The numbers of checks that are gone are used again.

use crate::base::ids::{CheckId, ServiceId};

/// Where a check is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SlotRef {
    pub(super) service: ServiceId,
    pub(super) server: usize,
    pub(super) slot: usize,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    list: Vec<Option<SlotRef>>,
    vacant: Vec<CheckId>,
}

impl Slots {
    /// A number for a new check; `set` follows.
    pub(super) fn vacant(&mut self) -> CheckId {
        self.vacant.pop().unwrap_or_else(|| {
            self.list.push(None);
            CheckId(u32::try_from(self.list.len() - 1).expect("fewer than four billion checks"))
        })
    }

    pub(super) fn set(&mut self, id: CheckId, at: SlotRef) {
        if let Some(slot) = self.list.get_mut(id.0 as usize) {
            *slot = Some(at);
        }
    }

    pub(super) fn of(&self, id: CheckId) -> Option<SlotRef> {
        *self.list.get(id.0 as usize)?
    }

    pub(super) fn forget(&mut self, id: CheckId) {
        if self.list.get_mut(id.0 as usize).is_some_and(|at| at.take().is_some()) {
            self.vacant.push(id);
        }
    }
}
