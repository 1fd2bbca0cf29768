//! Objects left in the kernel by an earlier run, identified by the origin mark of their addresses.

use super::kernel::{Place, Purpose};
use super::object::{Item, Name, Object};
use super::{Action, Domain, Fate, Holder};

impl Domain {
    /// An owner has started. Its leftovers stay until it is known whether they are wanted.
    pub(super) fn on_expect(&mut self, owner: Holder, objects: &[Object], out: &mut Vec<Action>) {
        let places = self.left_of(objects);
        if !places.is_empty() {
            self.tell(owner, Fate::Kept, &places, out);
            self.leftovers.insert(owner, places);
        }
    }

    /// Removes the leftovers of this owner.
    pub(super) fn on_rival(&mut self, owner: Holder, out: &mut Vec<Action>) {
        let Some(places) = self.leftovers.remove(&owner) else { return };
        self.tell(owner, Fate::Removed, &places, out);
        self.remove_unclaimed(places, out);
    }

    /// Removes leftovers of these addresses on other interfaces or with another prefix length.
    pub(super) fn replace_leftovers(
        &mut self,
        owner: Holder,
        objects: &[Object],
        out: &mut Vec<Action>,
    ) {
        self.leftovers.remove(&owner);
        let places = self.left_of(objects);
        self.tell(owner, Fate::Removed, &places, out);
        self.remove_unclaimed(places, out);
    }

    fn left_of(&self, objects: &[Object]) -> Vec<Place> {
        if self.unclaimed.is_empty() {
            return Vec::new();
        }
        let addresses = objects.iter().filter_map(Object::address);
        let places = addresses.filter_map(|a| self.unclaimed.get(&a.prefix.addr));
        places.flatten().copied().collect()
    }

    fn remove_unclaimed(&mut self, places: Vec<Place>, out: &mut Vec<Action>) {
        for place in places {
            if self.claim_place(&place) {
                if let Some(shown) = self.links.shown(&place) {
                    let address = shown.address.clone();
                    self.ask(place.0, Purpose::Remove(Item::Address(address)), out);
                }
            }
        }
    }

    fn tell(&self, owner: Holder, fate: Fate, places: &[Place], out: &mut Vec<Action>) {
        let there = |place: &Place| self.links.shown(place).map(|shown| (place.0, shown));
        let mut there = places.iter().filter_map(there);
        let count = there.clone().count();
        if let Some((index, shown)) = there.next() {
            let link = self.name_of(index);
            let what = Name::Address(shown.address.prefix);
            out.push(Action::Found { owner, fate, link, what, count });
        }
    }

    /// The place belongs to an object now, or is empty; true if it was unclaimed.
    pub(super) fn claim_place(&mut self, place: &Place) -> bool {
        let Some(places) = self.unclaimed.get_mut(&place.1.addr) else { return false };
        let was = places.remove(place);
        if places.is_empty() {
            self.unclaimed.remove(&place.1.addr);
        }
        was
    }

    pub(super) fn unclaim_place(&mut self, place: Place) {
        self.unclaimed.entry(place.1.addr).or_default().insert(place);
    }
}
