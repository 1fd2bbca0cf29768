//! Answers of the kernel, and what follows for addresses.

use super::address::{as_shown, difference, Difference};
use super::holding::Presence;
use super::kernel::{Found, Place, Purpose, RequestId};
use super::leftovers::Left;
use super::object::{Item, Name};
use super::repair::{report_kept, EEXIST, ENODEV, REMOVAL_DELAY};
use super::sysctl::Answer;
use super::{Action, Domain, HostChange, Key, Retry, Spot};
use crate::base::addr::HostAddress;
use crate::base::time::Instant;

const EADDRNOTAVAIL: i32 = 99;

impl Domain {
    pub(super) fn on_answer(
        &mut self,
        id: RequestId,
        answer: Answer,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let Some((index, purpose)) = self.kernel.answered(id) else { return };
        let (text, before) = (answer.text.clone(), out.len());
        self.on_answer_to(id, index, purpose, answer, now, out);
        if text.is_some() {
            let said = out[before..].iter_mut();
            said.for_each(|action| action.explain(text.as_deref()));
        }
    }

    fn on_answer_to(
        &mut self,
        id: RequestId,
        index: u32,
        purpose: Purpose,
        answer: Answer,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let errno = answer.errno;
        if let (0, Some(address)) = (errno, purpose.added_address()) {
            self.note_added(&(index, Spot::of_host(address)), address, now);
        }
        match purpose {
            Purpose::Add(key, Item::Address(address)) => {
                self.on_add_answered(id, index, &key, &address, errno, now, out);
            }
            Purpose::Add(key, Item::Link(link, _)) => {
                if errno == 0 && self.staying(&link.name).is_none() {
                    self.kernel.note_created(&link.name, now);
                }
                self.on_link_answered(id, &key, errno, now, out);
            }
            Purpose::Replace(key, Item::Link(..)) | Purpose::Add(key, Item::Firewall(_)) => {
                self.on_simple_answer(id, &key, errno, now, out);
            }
            Purpose::Remove(item @ Item::Link(..)) => {
                self.on_link_removed(index, item, errno, now, out)
            }
            Purpose::Add(key, Item::Sysctl(setting, _)) => {
                self.on_sysctl_answered(id, index, &key, setting, answer, out);
            }
            Purpose::Add(key, item) => self.on_route_answered(id, &key, &item, errno, now, out),
            Purpose::Verify { key, item, before } => {
                self.on_verified(&key, &item, before, errno, now, out);
            }
            Purpose::Replace(key, Item::Address(address)) if errno == 0 => {
                let place = (index, Spot::of_host(&address));
                self.kernel.note_there(&place, &address, true);
                if let Some(shown) = self.links.shown_mut(&place) {
                    shown.address = address;
                }
                // Another form may be wanted by now.
                if self.has_other_form(&key) {
                    self.bring_about(&key, out);
                }
            }
            Purpose::Replace(_, item) if errno == 0 => self.note_item(&item),
            Purpose::Replace(key, _) => {
                self.report_refused(&key, errno, out);
                self.change_form_later(&key, now);
            }
            Purpose::Remove(Item::Address(address)) => {
                self.on_remove_answered(index, address, errno, now, out);
            }
            Purpose::Remove(Item::Sysctl(setting, _)) if !matches!(errno, 0 | ENODEV) => {
                let (link, what) = (self.name_of(index), Name::Sysctl(setting));
                report_kept(link, what, errno, out);
            }
            // The packet filter repeats what the kernel refused.
            Purpose::Remove(Item::Sysctl(..) | Item::Firewall(_)) => {}
            Purpose::RemoveFib { item, there } => {
                self.on_route_removed(item, there, errno, now, out);
            }
            Purpose::Remove(Item::Route(..) | Item::Rule(_)) => {}
            Purpose::Probe(owner, _) => self.on_probe_answered(owner, errno, out),
        }
    }

    /// The kernel added this address. A foreign one that was there has been removed, which is about
    /// to be reported.
    fn note_added(&mut self, place: &Place, address: &HostAddress, now: Instant) {
        let shown = self.links.shown(place).map(|shown| shown.ours);
        if shown.or_else(|| self.kernel.leaves_ours(place)) == Some(false) {
            self.kernel.expect_echo(*place, now);
        }
        self.kernel.note_there(place, address, true);
    }

    /// True if the holding waits for the answer to this request. Meanwhile, its interface may have
    /// been removed, or other options requested.
    pub(super) fn is_awaited(&self, id: RequestId, key: &Key) -> bool {
        self.holdings.get(key).is_some_and(|holding| holding.presence == Presence::Asked(id))
    }

    /// The answer to a request that either makes the object present or is retried.
    fn on_simple_answer(
        &mut self,
        id: RequestId,
        key: &Key,
        errno: i32,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        match errno {
            _ if !self.is_awaited(id, key) => {}
            0 => self.set(key, Presence::Present, false, out),
            errno => self.on_refused(key, errno, now, out),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the request and its answer")]
    fn on_add_answered(
        &mut self,
        id: RequestId,
        index: u32,
        key: &Key,
        address: &HostAddress,
        errno: i32,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let place = (index, Spot::of_host(address));
        self.kernel.late_is_answered(id);
        // Unless it stayed because the kernel refused to remove it.
        let stayed = self.links.shown(&place).is_some_and(|shown| shown.ours);
        if errno != 0 && !stayed {
            out.push(Action::Removed { index, address: address.clone() });
        }
        // A removal requested since then follows it.
        if matches!(errno, 0 | EEXIST) && !self.kernel.is_leaving(&place) {
            let address = address.clone();
            if errno == 0 {
                out.push(Action::Added { index, address: address.clone() });
                self.note_there(place, address, true, out);
            } else if self.links.shown(&place).is_none() {
                // Just added externally.
                self.note_there(place, address, false, out);
            }
        }
        match errno {
            0 if !self.is_awaited(id, key) => self.on_added_late(place, out),
            _ if !self.is_awaited(id, key) => {}
            0 | EEXIST => {
                self.set(key, Presence::Present, false, out);
                self.change_form_later(key, now);
            }
            ENODEV => self.set(key, Presence::NoLink, false, out),
            errno => self.on_address_refused(key, errno, now, out),
        }
    }

    /// An address is there that was wanted when it was requested.
    fn on_added_late(&mut self, place: Place, out: &mut Vec<Action>) {
        if self.links.shown(&place).is_none_or(|shown| !shown.ours) {
            return;
        }
        let key = self.key_of(&place);
        match key.filter(|key| self.holdings.contains_key(key)) {
            Some(key) if self.has_other_form(&key) => {
                self.bring_about(&key, out);
            }
            Some(_) => {}
            // A foreign one, which is gone, was there meanwhile.
            None => {
                self.unclaim_place(place);
                self.remove_left(Left::Address(place), out);
            }
        }
    }

    /// The kernel refused to remove or change another form of a wanted address, which is used
    /// until it has the wanted one.
    pub(super) fn change_form_later(&mut self, key: &Key, now: Instant) {
        if self.has_other_form(key) {
            self.cancel_retry(key);
            self.retry_at(key, now + REMOVAL_DELAY);
        }
    }

    /// True if the kernel has a wanted address of the daemon in another form.
    pub(super) fn has_other_form(&self, key: &Key) -> bool {
        let (Key::Address { link, spot }, Some(holding)) = (key, self.holdings.get(key)) else {
            return false;
        };
        let shown = self.links.index(link).and_then(|index| self.links.shown(&(index, *spot)));
        let own = shown.filter(|shown| shown.ours && holding.is_present());
        own.zip(holding.object.address()).is_some_and(|(shown, wanted)| {
            shown.address != as_shown(wanted)
                && difference(&shown.address, wanted) != Difference::None
        })
    }

    fn on_remove_answered(
        &mut self,
        index: u32,
        address: HostAddress,
        errno: i32,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let place = (index, Spot::of_host(&address));
        match errno {
            0 | EADDRNOTAVAIL | ENODEV => {
                let is_due = self.kernel.has_left(&place, errno == 0);
                if is_due && errno != ENODEV {
                    self.kernel.expect_echo(place, now);
                }
                let (link, ours) = (self.name_of(index), true);
                out.push(Action::Removed { index, address: address.clone() });
                out.push(Action::Changed(HostChange::Removed { link, address, ours }));
            }
            errno => {
                let Some((Found { address, ours }, is_last)) = self.kernel.has_stayed(&place)
                else {
                    // It was not there any more, or had not been added.
                    out.push(Action::Removed { index, address });
                    return;
                };
                let (link, what) = (self.name_of(index), Name::Address(address.prefix));
                report_kept(link, what, errno, out);
                if ours {
                    out.push(Action::Added { index, address: address.clone() });
                }
                if is_last {
                    self.links.put(place, address, ours);
                }
                if is_last && ours {
                    self.unclaim_place(place);
                    let retry = Retry::Remove(Left::Address(place));
                    self.retries.insert((now + REMOVAL_DELAY, retry));
                }
            }
        }
    }
}
