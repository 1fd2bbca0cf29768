//! Carries out what the cores decide. Calls no core: what an action causes goes to the inbox.

use std::io;
use std::net::IpAddr;

use crate::base::addr::HostAddress;
use crate::base::errno::Errno;
use crate::base::ids::InstanceId;
use crate::base::time::Duration;
use crate::daemon::network::announcer::Announcement;
use crate::daemon::outlets::notices::Telling;
use crate::daemon::outlets::report;
use crate::daemon::runtime::{Message, Runtime};
use crate::holdings::{
    self, Answer, Holder, Item, Object, Op, Request, RequestId, Setting, Spot, Sysctl,
};
use crate::sys::sysctl;
use crate::vrrp::{self, Action, Phase};
use crate::wire::{arp, ndisc};

/// How long to wait when the kernel has no room for what we send.
const RETRY_SENDS: Duration = Duration::from_millis(1);

impl Runtime {
    /// Carries out everything decided, and feeds what that causes back, until nothing is left.
    pub(in crate::daemon) fn drain(&mut self) {
        loop {
            let mut actions = std::mem::take(&mut self.vrrp_actions);
            for action in actions.drain(..) {
                self.execute_vrrp(&action);
            }
            self.vrrp_actions = actions;
            let mut actions = std::mem::take(&mut self.holdings_actions);
            for action in actions.drain(..) {
                self.execute_holdings(action);
            }
            self.holdings_actions = actions;
            let mut actions = std::mem::take(&mut self.track_actions);
            for action in actions.drain(..) {
                self.execute_track(action);
            }
            self.track_actions = actions;
            let mut actions = std::mem::take(&mut self.notify_actions);
            for action in actions.drain(..) {
                self.execute_notify(action);
            }
            self.notify_actions = actions;
            match self.inbox.pop_front() {
                Some(message) => self.deliver(message),
                None if !self.stale_sources.is_empty() => self.refresh_stale_sources(),
                None if self.is_settled() => break,
                None => {}
            }
        }
    }

    fn is_settled(&self) -> bool {
        self.vrrp_actions.is_empty()
            && self.holdings_actions.is_empty()
            && self.track_actions.is_empty()
            && self.notify_actions.is_empty()
    }

    fn execute_vrrp(&mut self, action: &Action) {
        report::vrrp(action, &self.vrrp, &mut self.chatter, self.now);
        if let Some(telling) = Telling::of(action) {
            self.inbox.push_back(Message::Tell(telling));
        }
        if let Action::Changed { id, to, .. } = *action {
            self.standing.stale = true;
            self.inbox.push_back(Message::Role(id, to == Phase::Master));
        }
        if let Some((id, holds)) = action.holds() {
            self.inbox.extend(holds.iter().map(|hold| Message::Hold(id, *hold)));
        }
        match *action {
            Action::SendAdvert { id, priority } => {
                if let Some(i) = self.vrrp.instance(id) {
                    self.endpoints.queue(id, i, priority);
                }
            }
            Action::Release(id) => self.announcer.withdraw(id),
            Action::Announce { id, repeat } => self.announce(id, repeat),
            Action::AnnounceSource { id } => self.announce_source(id),
            Action::Want(_)
            | Action::Changed { .. }
            | Action::GroupChanged { .. }
            | Action::PriorityChanged { .. }
            | Action::LowerPriority { .. }
            | Action::Noted { .. } => {}
        }
    }

    fn execute_holdings(&mut self, action: holdings::Action) {
        report::holdings(&action, &self.vrrp);
        match action {
            holdings::Action::Fact(fact) => self.inbox.push_back(Message::Fact(fact)),
            holdings::Action::Ask(request) => self.request(&request),
            holdings::Action::Added { index, address } => {
                self.rescue_later(index, &address);
            }
            holdings::Action::Removed { index, address } => {
                self.rescue.release(&(index, Spot::of_host(&address)));
            }
            holdings::Action::Held(Holder::Instance(id)) => {
                self.inbox.push_back(Message::Held(id));
            }
            holdings::Action::Hopeless { owner: Holder::Instance(id), link, what, errno } => {
                let refusal = format!("{what} on {link}: {}", Errno(errno));
                self.inbox.push_back(Message::Refused(id, Some(refusal)));
            }
            holdings::Action::Hopeful { owner: Holder::Instance(id) } => {
                self.inbox.push_back(Message::Refused(id, None));
            }
            holdings::Action::Held(Holder::Host)
            | holdings::Action::Missing { .. }
            | holdings::Action::Refused { .. }
            | holdings::Action::Hopeless { owner: Holder::Host, .. }
            | holdings::Action::Hopeful { owner: Holder::Host }
            | holdings::Action::Found { .. } => {}
        }
    }

    fn request(&mut self, &Request { id, index, ref op }: &Request) {
        match op {
            Op::Add(Object::Sysctl(Sysctl { setting, value, .. })) => {
                let result = self.write_setting(index, *setting, &value.to_string());
                self.answer_at_once(id, result);
            }
            Op::Remove(Item::Sysctl(setting, before)) => {
                let result = self.write_setting(index, *setting, before);
                self.answer_at_once(id, result);
            }
            // A setting is wanted with one value or another, and set anew.
            Op::Replace(Object::Sysctl(_)) => {}
            Op::Add(Object::Address(address)) => {
                let address = holdings::as_shown(address);
                self.rescue_later(index, &address);
                self.requests.add(index, &address, id);
            }
            Op::Replace(Object::Address(address)) => {
                self.requests.replace(index, &holdings::as_shown(address), id)
            }
            Op::Remove(Item::Address(address)) => self.requests.remove(index, address, id),
        }
    }

    /// Gives a setting of an interface this value, and returns the one before.
    pub(in crate::daemon) fn write_setting(
        &self,
        index: u32,
        setting: Setting,
        value: &str,
    ) -> io::Result<String> {
        let link = self.holdings.links().by_index(index);
        let link = link.ok_or_else(|| io::Error::from_raw_os_error(libc::ENODEV))?;
        sysctl::set(&link.name, setting.name(), value)
    }

    fn answer_at_once(&mut self, request: RequestId, result: io::Result<String>) {
        let answer = match result {
            Ok(before) => Answer { errno: 0, before: Some(before) },
            Err(e) => e.raw_os_error().unwrap_or(libc::EIO).into(),
        };
        self.inbox.push_back(Message::Answer(request, answer));
    }

    /// Should all else fail, the address goes.
    fn rescue_later(&mut self, index: u32, address: &HostAddress) {
        let place = (index, Spot::of_host(address));
        self.rescue.hold(place, index, address.prefix, address.peer);
    }

    /// Sends the adverts that wait.
    pub(in crate::daemon) fn flush_adverts(&mut self) {
        let (vrrp, limit, now) = (&mut self.vrrp, &mut self.send_errors, self.now);
        let chatter = &mut self.chatter;
        let done = |id, priority, result: io::Result<()>| match result {
            Ok(()) => {
                vrrp.count_sent(id, priority);
                if priority == 0 {
                    report::detail(name_of(vrrp, id), "sent 0 priority", chatter, now);
                }
            }
            Err(e) if is_news(priority, &e) => {
                if let Some(held_back) = limit.admit(now) {
                    advert_failed(vrrp, id, &e, held_back);
                }
            }
            Err(_) => {}
        };
        let room = self.endpoints.flush(&mut self.scratch, done);
        self.retry_sends = (!room).then(|| self.now + RETRY_SENDS);
    }

    /// Sends one batch of netlink requests and takes the answers in.
    pub(in crate::daemon) fn flush_requests(&mut self) {
        let mut answers = std::mem::take(&mut self.answers);
        if let Err(e) = self.requests.flush(&mut answers) {
            log::error!("cannot send netlink requests: {e}");
            // Whoever asked decides whether to ask again.
            self.requests.give_up(e.raw_os_error().unwrap_or(libc::EIO), &mut answers);
        }
        for (request, errno) in answers.drain(..) {
            let input = holdings::Input::Answer { request, answer: errno.into() };
            self.holdings.handle(input, self.now, &mut self.holdings_actions);
        }
        self.answers = answers;
    }

    /// Sends some of the gratuitous ARPs and neighbour advertisements that wait.
    pub(in crate::daemon) fn flush_announcements(&mut self) {
        /// In one go, between two looks at the clock.
        const MOST: usize = 64;
        loop {
            let mut due = std::mem::take(&mut self.due_announcements);
            if self.frames.is_empty() {
                self.announcer.take_due(self.now, MOST, &mut due);
            }
            for a in due.drain(..) {
                self.queue_frame(&a);
            }
            self.due_announcements = due;
            if self.frames.is_empty() {
                break;
            }
            let failed = |(), result: io::Result<()>| {
                if let Err(e) = result {
                    log::debug!("cannot send gratuitous ARP or neighbour advertisement: {e}");
                }
            };
            if !self.link_socket.send(&mut self.frames, &mut self.scratch, failed) {
                self.retry_sends = Some(self.now + RETRY_SENDS);
                break;
            }
            if self.vrrp_is_due() {
                break;
            }
        }
    }

    fn queue_frame(&mut self, a: &Announcement) {
        let Some(link) = self.holdings.links().get(&a.link) else { return };
        let (true, Some(mac)) = (link.arp, link.mac) else { return };
        match a.addr {
            IpAddr::V4(addr) => {
                let frame = arp::gratuitous(mac, addr);
                self.link_socket.queue(&mut self.frames, (), link.index, &frame);
            }
            IpAddr::V6(addr) => {
                let frame = ndisc::unsolicited(mac, addr, sysctl::is_forwarding(&link.name));
                self.link_socket.queue(&mut self.frames, (), link.index, &frame);
            }
        }
    }

    fn announce(&mut self, id: InstanceId, repeat: u32) {
        let Some(config) = self.instance_config(id) else { return };
        for _ in 0..repeat {
            for address in config.all_addresses() {
                let (link, addr) = (address.interface.clone(), address.prefix.addr);
                self.announcer.push(Announcement { owner: id, link, addr });
            }
        }
        if repeat > 0 && log::log_enabled!(log::Level::Debug) {
            let about = format!("announcements of {}", config.name);
            let Some(held_back) = self.chatter.admit(about, self.now) else { return };
            if held_back > 0 {
                let name = &config.name;
                log::debug!("({name}) announced {held_back} times more than was shown");
            }
            for address in config.all_addresses() {
                let (name, link, addr) = (&config.name, &address.interface, address.prefix.addr);
                log::debug!("({name}) Sending/queueing gratuitous ARPs on {link} for {addr}");
            }
        }
    }

    fn announce_source(&mut self, id: InstanceId) {
        let Some(i) = self.vrrp.instance(id) else { return };
        if let (Some(link), Some(addr)) = (i.config().interface.clone(), i.source()) {
            self.announcer.push(Announcement { owner: id, link, addr });
        }
    }
}

/// The farewell of an instance whose interface is down cannot arrive; that is no news.
fn is_news(priority: u8, error: &io::Error) -> bool {
    let hopeless = [libc::ENETUNREACH, libc::ENETDOWN].map(Some);
    priority != 0 || !hopeless.contains(&error.raw_os_error())
}

fn name_of(vrrp: &vrrp::Domain, id: InstanceId) -> &str {
    vrrp.instance(id).map_or("?", |i| i.config().name.as_str())
}

fn advert_failed(vrrp: &vrrp::Domain, id: InstanceId, error: &io::Error, held_back: u32) {
    let name = name_of(vrrp, id);
    let errno = error.raw_os_error().unwrap_or(0);
    log::info!("({name}): send advert error {errno} ({error}){}", report::HeldBack(held_back));
}
