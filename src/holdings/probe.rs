//! Tests whether the kernel would accept an address of owners whose addresses it refused entirely.
//!
//! An address is added and removed at once, without any announcement to neighbours.

use std::rc::Rc;

use super::address::{as_shown, Spot};
use super::kernel::Purpose;
use super::object::{Item, KernelObject, Key};
use super::repair::EEXIST;
use super::{Action, Domain, Holder, Retry};
use crate::base::shield::Shield;
use crate::base::time::{Duration, Instant};
use crate::model::vrrp::VirtualAddress;

/// Most addresses of one owner tested at a time.
const MOST: usize = 16;
/// Delay before the first test; it doubles with each further one.
const FIRST_DELAY: Duration = Duration::from_secs(2);
const MAX_DELAY: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Hopeless {
    addresses: Vec<Rc<VirtualAddress>>,
    /// Entries of the packet filter that protect them.
    shields: Vec<Rc<Shield<String>>>,
    delay: Duration,
    retry: Instant,
    /// Unanswered tests.
    open: usize,
}

impl Domain {
    /// True if the owner wants something, and the kernel refused all of it.
    pub(super) fn is_hopeless(&self, owner: Holder) -> bool {
        let claim = self.claims.get(&owner);
        claim.is_some_and(|claim| claim.refused == claim.awaited) && owner != Holder::Host
    }

    pub(super) fn despair(&mut self, owner: Holder, now: Instant) {
        let Some(claim) = self.claims.get(&owner) else { return };
        let known = claim.wants.iter().filter_map(|object| self.holdings.get(&object.key()));
        let addresses = known.filter_map(|h| h.object.address().cloned()).take(MOST).collect();
        let shields = claim.wants.iter().filter_map(|object| match object {
            KernelObject::Firewall(shield) => Some(Rc::clone(shield)),
            _ => None,
        });
        let shields = shields.collect();
        self.take_heart(owner);
        let retry = now + FIRST_DELAY;
        let hopeless = Hopeless { addresses, shields, delay: FIRST_DELAY, retry, open: 0 };
        self.hopeless.insert(owner, hopeless);
        self.retries.insert((retry, Retry::Probe(owner)));
    }

    /// Ends the tests for this owner.
    pub(super) fn take_heart(&mut self, owner: Holder) {
        if let Some(hopeless) = self.hopeless.remove(&owner) {
            self.retries.remove(&(hopeless.retry, Retry::Probe(owner)));
        }
    }

    pub(super) fn probe(&mut self, owner: Holder, now: Instant, out: &mut Vec<Action>) {
        let Some(mut hopeless) = self.hopeless.remove(&owner) else { return };
        let (mut is_there, mut is_known) = (false, false);
        hopeless.open = 0;
        for address in &hopeless.addresses {
            // Another owner wants it, and the result of its request is the answer.
            if let Some(holding) = self.holdings.get(&Key::of(address)) {
                is_there |= holding.is_present();
                is_known = true;
                continue;
            }
            let Some(index) = self.links.index(&address.interface) else { continue };
            if self.links.shown(&(index, Spot::of(address))).is_some() {
                is_there = true;
                continue;
            }
            let mut shields = hopeless.shields.iter();
            if let Some(shield) = shields.find(|shield| shield.protects(&address.prefix.addr)) {
                self.shield_for_now(shield, out);
            }
            let item = Item::Address(as_shown(address));
            self.ask(index, Purpose::Probe(owner, item.clone()), out);
            self.ask(index, Purpose::Remove(item), out);
            hopeless.open += 1;
        }
        if is_there || (hopeless.open == 0 && !is_known) {
            out.push(Action::Hopeful { owner });
            return;
        }
        hopeless.delay = MAX_DELAY.min(hopeless.delay * 2);
        hopeless.retry = now + hopeless.delay;
        self.retries.insert((hopeless.retry, Retry::Probe(owner)));
        self.hopeless.insert(owner, hopeless);
    }

    /// Requests an entry of the packet filter that nothing wants, until the address is gone.
    fn shield_for_now(&mut self, shield: &Rc<Shield<String>>, out: &mut Vec<Action>) {
        let key = Key::Firewall(Rc::clone(shield));
        let Some(numbered) = self.numbered_shield(shield).map(Rc::new) else { return };
        if !self.holdings.contains_key(&key) {
            self.ask(0, Purpose::Add(key, Item::Firewall(Rc::clone(&numbered))), out);
            self.keep_late(numbered);
        }
    }

    pub(super) fn on_probe_answered(&mut self, owner: Holder, errno: i32, out: &mut Vec<Action>) {
        let is_awaited = self.hopeless.get(&owner).is_some_and(|hopeless| hopeless.open > 0);
        if is_awaited && matches!(errno, 0 | EEXIST) {
            self.take_heart(owner);
            out.push(Action::Hopeful { owner });
        }
    }

    pub(super) fn on_forget(&mut self, owner: Holder, out: &mut Vec<Action>) {
        self.on_release(owner, out);
        self.take_heart(owner);
    }
}
