//! One object that is wanted: its owners, and whether the kernel has it.

use super::kernel::RequestId;
use super::object::{Key, Object};
use super::{Action, Domain, Holder};
use crate::base::time::Instant;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Presence {
    /// To be asked for again later.
    Absent,
    /// The kernel is to answer this request.
    Asked(RequestId),
    Present,
    /// There is no interface of its name.
    NoLink,
    /// Removed externally, and not to be restored.
    Waived,
}

#[derive(Debug)]
pub(super) struct Holding {
    /// As it was last wanted.
    pub(super) object: Object,
    /// Its owners, and the object as each of them wants it. Seldom more than one.
    owners: Vec<(Holder, Object)>,
    pub(super) presence: Presence,
    /// The kernel refused to add it when it was last asked.
    pub(super) refused: bool,
    /// How often it had to be restored lately, and when that was last.
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

    /// Notes an owner and what it wants, which is what counts from now on.
    pub(super) fn give(&mut self, owner: Holder, object: Object) {
        self.owners.retain(|(o, _)| *o != owner);
        self.owners.push((owner, object.clone()));
        self.object = object;
    }

    /// The owner wants it no more; another that does may want it otherwise.
    pub(super) fn take_from(&mut self, owner: Holder) {
        self.owners.retain(|(o, _)| *o != owner);
        if let Some((_, object)) = self.owners.last() {
            self.object = object.clone();
        }
    }

    pub(super) fn is_present(&self) -> bool {
        self.presence == Presence::Present
    }

    /// True if its owners still wait for it.
    pub(super) fn is_missing(&self) -> bool {
        !matches!(self.presence, Presence::Present | Presence::Waived)
    }
}

/// What an owner wants, and what of it is not there.
#[derive(Debug, Default)]
pub(super) struct Claim {
    /// In the order in which they were asked for.
    pub(super) wants: Vec<Key>,
    pub(super) missing: usize,
    pub(super) refused: usize,
}

impl Domain {
    /// Moves a holding on, and keeps the counts of its owners.
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
        if before == after {
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
