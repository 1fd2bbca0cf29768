//! Which real server a check belongs to. Numbers of checks that are gone are given again.

use crate::base::ids::{CheckId, ServiceId};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) service: ServiceId,
    pub(super) server: usize,
    pub(super) slot: usize,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    list: Vec<Option<Place>>,
    vacant: Vec<CheckId>,
}

impl Places {
    /// A number for a new check, whose place is yet to be set.
    pub(super) fn vacant(&mut self) -> CheckId {
        self.vacant.pop().unwrap_or_else(|| {
            self.list.push(None);
            CheckId(u32::try_from(self.list.len() - 1).expect("fewer than four billion checks"))
        })
    }

    pub(super) fn set(&mut self, id: CheckId, place: Place) {
        if let Some(slot) = self.list.get_mut(id.0 as usize) {
            *slot = Some(place);
        }
    }

    pub(super) fn of(&self, id: CheckId) -> Option<Place> {
        *self.list.get(id.0 as usize)?
    }

    pub(super) fn forget(&mut self, id: CheckId) {
        if self.list.get_mut(id.0 as usize).is_some_and(|place| place.take().is_some()) {
            self.vacant.push(id);
        }
    }
}
