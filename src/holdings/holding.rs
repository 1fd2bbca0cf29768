//! A wanted object with its owners and its state in the kernel.

use super::kernel::RequestId;
use super::object::{Key, Object};
use super::{Action, Domain, Holder};
use crate::base::time::Instant;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Presence {
    /// Not in the kernel; to be requested again later.
    Absent,
    /// Waiting for the answer to this request.
    Asked(RequestId),
    /// An interface that the kernel created and has not reported yet.
    Made,
    Present,
    /// Its interface does not exist.
    NoLink,
    /// Removed externally, and not restored.
    Waived,
}

#[derive(Debug)]
pub(super) struct Holding {
    /// The most recently wanted form.
    pub(super) object: Object,
    /// Its owners, rarely more than one, with the form that each wants.
    owners: Vec<(Holder, Object)>,
    pub(super) presence: Presence,
    /// The kernel refused the last request to add it.
    pub(super) refused: bool,
    /// Number of recent restorations, and time of the last one.
    pub(super) repairs: u32,
    pub(super) repaired: Instant,
    pub(super) retry: Option<Instant>,
}

impl Holding {
    pub(super) fn new(object: Object) -> Self {
        Self {
            object,
            owners: Vec::with_capacity(1),
            presence: Presence::NoLink,
            refused: false,
            repairs: 0,
            repaired: Instant::ZERO,
            retry: None,
        }
    }

    pub(super) fn owners(&self) -> impl Iterator<Item = Holder> + '_ {
        self.owners.iter().map(|(owner, _)| *owner)
    }

    /// Adds an owner with the form it wants, which applies from now on.
    pub(super) fn give(&mut self, owner: Holder, object: Object) {
        self.owners.retain(|(o, _)| *o != owner);
        self.owners.push((owner, object.clone()));
        self.object = object;
    }

    /// Removes an owner. A remaining one may want another form.
    pub(super) fn take_from(&mut self, owner: Holder) {
        self.owners.retain(|(o, _)| *o != owner);
        if let Some((_, object)) = self.owners.last() {
            self.object = object.clone();
        }
    }

    pub(super) fn is_present(&self) -> bool {
        self.presence == Presence::Present
    }

    /// True if its owners are still waiting for it.
    pub(super) fn is_missing(&self) -> bool {
        !matches!(self.presence, Presence::Present | Presence::Waived)
    }
}

/// Objects that an owner wants, and the number missing.
#[derive(Debug, Default)]
pub(super) struct Claim {
    /// In the order of the request.
    pub(super) wants: Vec<Key>,
    /// Number of them for which the owner waits.
    pub(super) awaited: usize,
    /// Of those, missing and refused ones.
    pub(super) missing: usize,
    pub(super) refused: usize,
}

impl Domain {
    /// Changes the state of a holding and updates the counts of its owners.
    pub(super) fn set(
        &mut self,
        key: &Key,
        presence: Presence,
        refused: bool,
        out: &mut Vec<Action>,
    ) {
        let Some(holding) = self.holdings.get_mut(key) else { return };
        let before = (holding.is_missing(), holding.refused);
        holding.presence = presence;
        holding.refused = refused;
        let after = (holding.is_missing(), holding.refused);
        if before == after || !key.is_awaited() {
            return;
        }
        for owner in holding.owners() {
            let Some(claim) = self.claims.get_mut(&owner) else { continue };
            adjust(&mut claim.missing, before.0, after.0);
            adjust(&mut claim.refused, before.1, after.1);
            if before.0 && !after.0 && claim.missing == 0 {
                out.push(Action::Held(owner));
            }
        }
    }
}

fn adjust(count: &mut usize, before: bool, after: bool) {
    match (before, after) {
        (false, true) => *count += 1,
        (true, false) => *count = count.saturating_sub(1),
        _ => {}
    }
}
