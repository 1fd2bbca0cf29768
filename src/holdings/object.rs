//! One address that is wanted, and where it stands.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::kernel::RequestId;
use super::{Action, Domain, Holder, Key};
use crate::base::time::Instant;
use crate::model::vrrp::VirtualAddress;

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
pub(super) struct Object {
    /// As it was last wanted.
    pub(super) address: Rc<VirtualAddress>,
    /// And as each of those wants it who want it. Seldom more than one.
    owners: Vec<(Holder, Rc<VirtualAddress>)>,
    pub(super) presence: Presence,
    /// The kernel refused to add it when it was last asked.
    pub(super) refused: bool,
    /// How often it had to be restored lately, and when that was last.
    pub(super) repairs: u32,
    pub(super) repaired: Instant,
    pub(super) retry: Option<Instant>,
}

impl Object {
    pub(super) fn new(address: Rc<VirtualAddress>) -> Self {
        Self {
            address,
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
    pub(super) fn give(&mut self, owner: Holder, address: Rc<VirtualAddress>) {
        self.owners.retain(|(o, _)| *o != owner);
        self.owners.push((owner, Rc::clone(&address)));
        self.address = address;
    }

    /// The owner wants it no more; another that does may want it otherwise.
    pub(super) fn take_from(&mut self, owner: Holder) {
        self.owners.retain(|(o, _)| *o != owner);
        if let Some((_, address)) = self.owners.last() {
            self.address = Rc::clone(address);
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
    pub(super) wants: BTreeSet<Key>,
    pub(super) missing: usize,
    pub(super) refused: usize,
}

impl Domain {
    /// Moves an object on, and keeps the counts of its owners.
    pub(super) fn set(
        &mut self,
        key: &Key,
        presence: Presence,
        refused: bool,
        out: &mut Vec<Action>,
    ) {
        let Some(object) = self.objects.get_mut(key) else { return };
        let before = (object.is_missing(), object.refused);
        object.presence = presence;
        object.refused = refused;
        let after = (object.is_missing(), object.refused);
        if before == after {
            return;
        }
        for owner in object.owners() {
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
