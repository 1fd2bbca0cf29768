//! Carries out actions of the cores. Calls no core: results go to the inbox.

use std::io;

use crate::base::addr::HostAddress;
use crate::base::errno::Errno;
use crate::base::ids::InstanceId;
use crate::daemon::cores::Message;
use crate::daemon::outlets::notices::Telling;
use crate::daemon::outlets::report;
use crate::daemon::runtime::Runtime;
use crate::holdings::{self, Answer, Holder, Item, Op, Request, RequestId, Setting, Spot};
use crate::sys::{clock, sysctl};
use crate::vrrp::{Action, Phase};

impl Runtime {
    pub(in crate::daemon) fn execute_vrrp(&mut self, action: &Action) {
        report::vrrp(action, &self.cores.vrrp, &mut self.outlets.chatter, self.now);
        self.pace.stirred |= !matches!(action, Action::SendAdvert { .. });
        self.journal.vrrp(action, &self.cores.vrrp, self.now);
        self.note_continuity(action);
        if let Some(telling) = Telling::of(action) {
            self.cores.inbox.push_back(Message::Tell(telling));
        }
        if let Action::Changed { id, to, .. } = *action {
            self.outlets.standing.stale = true;
            self.cores.inbox.push_back(Message::Role(id, to == Phase::Master));
        }
        if let Some((id, holds)) = action.holds() {
            self.cores.inbox.extend(holds.iter().map(|hold| Message::Hold(id, *hold)));
        }
        match *action {
            Action::SendAdvert { id, priority } => self.queue_advert(id, priority),
            Action::Release(id) => {
                self.network.announcer.withdraw(id);
                self.cores.inbox.push_back(Message::Released(id));
            }
            Action::Announce { id, repeat } => self.announce(id, repeat),
            Action::AnnounceElsewhere { id } => self.announce_elsewhere(id),
            Action::AnnounceSource { id } => self.announce_source(id),
            Action::Ordered { .. } => self.continuity.orders_are_stale = true,
            Action::Want(_)
            | Action::Changed { .. }
            | Action::GroupChanged { .. }
            | Action::PriorityChanged { .. }
            | Action::LowerPriority { .. }
            | Action::Noted { .. } => {}
        }
    }

    pub(in crate::daemon) fn execute_holdings(&mut self, action: holdings::Action) {
        report::holdings(&action, &self.cores.vrrp);
        match action {
            holdings::Action::Changed(fact) => {
                self.cores.inbox.push_back(Message::HostChange(fact))
            }
            holdings::Action::Ask(request) => self.request(&request),
            holdings::Action::Added { index, address } => {
                self.rescue_later(index, &address);
            }
            holdings::Action::Removed { index, address } => {
                self.network.rescue.release(&(index, Spot::of_host(&address)));
            }
            holdings::Action::Held(Holder::Instance(id)) => {
                self.cores.inbox.push_back(Message::Held(id));
            }
            holdings::Action::Hopeless { owner: Holder::Instance(id), link, what, errno } => {
                let refusal = format!("{what} on {link}: {}", Errno(errno));
                self.cores.inbox.push_back(Message::Refused(id, Some(refusal)));
            }
            holdings::Action::Hopeful { owner: Holder::Instance(id) } => {
                self.cores.inbox.push_back(Message::Refused(id, None));
            }
            holdings::Action::Held(Holder::Host)
            | holdings::Action::Missing { .. }
            | holdings::Action::Refused { .. }
            | holdings::Action::Hopeless { owner: Holder::Host, .. }
            | holdings::Action::Hopeful { owner: Holder::Host }
            | holdings::Action::Found { .. } => {}
        }
    }

    pub(in crate::daemon) fn queue_advert(&mut self, id: InstanceId, priority: u8) {
        if let Some(advert) = self.cores.vrrp.outbound(id, priority, clock::wall) {
            self.network.endpoints.queue(id, priority, advert);
        }
    }

    pub(in crate::daemon) fn request(&mut self, &Request { id, index, ref op }: &Request) {
        match op {
            Op::Add(Item::Sysctl(setting, value))
            | Op::Replace(Item::Sysctl(setting, value))
            | Op::Remove(Item::Sysctl(setting, value)) => {
                let result = self.write_setting(index, *setting, value);
                self.answer_at_once(id, result);
            }
            Op::Add(Item::Address(address)) => {
                self.rescue_later(index, address);
                self.network.requests.add(index, address, id);
            }
            Op::Replace(Item::Address(address)) => {
                self.network.requests.replace(index, address, id)
            }
            Op::Remove(Item::Address(address)) => self.network.requests.remove(index, address, id),
            Op::Add(Item::Route(route, placement)) => {
                self.network.requests.add_route(route, *placement, id);
            }
            Op::Remove(Item::Route(route, _)) => self.network.requests.remove_route(route, id),
            Op::Add(Item::Rule(rule)) => self.network.requests.add_rule(rule, id),
            Op::Remove(Item::Rule(rule)) => self.network.requests.remove_rule(rule, id),
            Op::Add(Item::Link(link, place)) => self.create_link(link, *place, id),
            Op::Replace(Item::Link(link, place)) => self.prepare_link(index, link, *place, id),
            Op::Remove(Item::Link(link, place)) => self.delete_link(index, link, *place, id),
            Op::Add(Item::Firewall(shield)) => self.want_shield(id, shield),
            Op::Remove(Item::Firewall(shield)) => self.release_shield(id, shield),
            // They are never replaced in place.
            Op::Replace(Item::Firewall(_) | Item::Route(..) | Item::Rule(_)) => {}
        }
    }

    /// Sets a setting of an interface and returns its previous value.
    pub(in crate::daemon) fn write_setting(
        &self,
        index: u32,
        setting: Setting,
        value: &str,
    ) -> io::Result<String> {
        let link = self.cores.holdings.links().by_index(index);
        let link = link.ok_or_else(|| io::Error::from_raw_os_error(libc::ENODEV))?;
        sysctl::set(&link.name, setting.name(), value)
    }

    fn answer_at_once(&mut self, request: RequestId, result: io::Result<String>) {
        self.network.originals_are_stale |= result.is_ok();
        let answer = match result {
            Ok(before) => Answer { before: Some(before), ..Answer::from(0) },
            Err(e) => e.raw_os_error().unwrap_or(libc::EIO).into(),
        };
        self.cores.inbox.push_back(Message::Answer(request, answer));
    }

    /// Has the address removed if the daemon crashes.
    pub(in crate::daemon) fn rescue_later(&mut self, index: u32, address: &HostAddress) {
        let place = (index, Spot::of_host(address));
        self.network.rescue.hold(place, index, address.prefix, address.peer);
    }
}
