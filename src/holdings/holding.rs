//! A wanted object with its owners and its state in the kernel.

use super::kernel::RequestId;
use super::object::{KernelObject, Key};
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

/// Whether the kernel has a wanted object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HoldingState {
    Present,
    /// The kernel has been asked for it.
    Requested,
    /// It is requested again later.
    Missing,
    /// The kernel refused it; it is requested again later.
    Refused,
    /// Its interface does not exist.
    NoLink,
    /// It was removed externally, and is not restored.
    Waived,
}

#[derive(Debug)]
pub(super) struct Holding {
    /// The most recently wanted form, and its owner.
    pub(super) object: KernelObject,
    owner: Option<Holder>,
    /// Earlier owners, which are rare, with the form that each wants.
    earlier: Option<Box<Earlier>>,
    pub(super) presence: Presence,
    /// The kernel refused the last request to add it.
    pub(super) refused: bool,
    /// Since it was first removed externally or refused.
    pub(super) repairs: Option<Box<Repairs>>,
}

/// In the order in which they asked.
#[derive(Default, Debug)]
struct Earlier(Vec<(Holder, KernelObject)>);

/// Restorations of an object.
#[derive(Default, Debug)]
pub(super) struct Repairs {
    /// Number of recent ones, and time of the last one.
    pub(super) count: u32,
    pub(super) last: Instant,
    pub(super) retry: Option<Instant>,
}

impl Holding {
    pub(super) const fn new(object: KernelObject) -> Self {
        let presence = Presence::NoLink;
        Self { object, owner: None, earlier: None, presence, refused: false, repairs: None }
    }

    pub(super) fn owners(&self) -> impl Iterator<Item = Holder> + '_ {
        let earlier = self.earlier.iter().flat_map(|earlier| &earlier.0);
        earlier.map(|(owner, _)| *owner).chain(self.owner)
    }

    /// Adds an owner with the form it wants, which applies from now on.
    pub(super) fn give(&mut self, owner: Holder, object: KernelObject) {
        let before = std::mem::replace(&mut self.object, object);
        self.forget_earlier(owner);
        if let Some(other) = self.owner.replace(owner).filter(|other| *other != owner) {
            self.earlier.get_or_insert_default().0.push((other, before));
        }
    }

    /// Removes an owner. A remaining one may want another form.
    pub(super) fn take_from(&mut self, owner: Holder) {
        self.forget_earlier(owner);
        if self.owner != Some(owner) {
            return;
        }
        self.owner = None;
        if let Some((owner, object)) = self.earlier.as_mut().and_then(|earlier| earlier.0.pop()) {
            self.object = object;
            self.owner = Some(owner);
        }
    }

    fn forget_earlier(&mut self, owner: Holder) {
        if let Some(earlier) = &mut self.earlier {
            earlier.0.retain(|(o, _)| *o != owner);
        }
    }

    /// Time of the next attempt to add it.
    pub(super) fn retry(&self) -> Option<Instant> {
        self.repairs.as_ref()?.retry
    }

    /// Forgets the next attempt, and returns its time.
    pub(super) fn take_retry(&mut self) -> Option<Instant> {
        self.repairs.as_mut()?.retry.take()
    }

    pub(super) fn is_present(&self) -> bool {
        self.presence == Presence::Present
    }

    const fn standing(&self) -> HoldingState {
        match self.presence {
            Presence::Present => HoldingState::Present,
            Presence::Absent if self.refused => HoldingState::Refused,
            Presence::Absent => HoldingState::Missing,
            Presence::Asked(_) | Presence::Made => HoldingState::Requested,
            Presence::NoLink => HoldingState::NoLink,
            Presence::Waived => HoldingState::Waived,
        }
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
    pub(super) wants: Box<[KernelObject]>,
    /// Number of them for which the owner waits.
    pub(super) awaited: u32,
    /// Of those, missing and refused ones.
    pub(super) missing: u32,
    pub(super) refused: u32,
}

impl Claim {
    pub(super) fn keys(&self) -> Vec<Key> {
        self.wants.iter().map(KernelObject::key).collect()
    }
}

impl Domain {
    /// True if an unanswered request makes or removes an interface.
    pub fn is_about_link(&self, id: RequestId) -> bool {
        self.kernel.is_about_link(id)
    }

    /// One of the objects that an owner wants, and what is known of it.
    pub fn wanted(&self, owner: Holder, index: usize) -> Option<(&KernelObject, HoldingState)> {
        let object = self.claims.get(&owner)?.wants.get(index)?;
        let holding = self.holdings.get(&object.key());
        Some((object, holding.map_or(HoldingState::Missing, Holding::standing)))
    }

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

fn adjust(count: &mut u32, before: bool, after: bool) {
    match (before, after) {
        (false, true) => *count += 1,
        (true, false) => *count = count.saturating_sub(1),
        _ => {}
    }
}
