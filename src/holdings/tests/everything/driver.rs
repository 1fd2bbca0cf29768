//! The core against the kernel: answers and notifications arrive late, in the order of the kernel.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::rc::Rc;

use super::super::*;
use super::kernel::{is_made, Kernel, STOLEN};
use crate::base::addr::PROTOCOL_KEEPALIVED;
use crate::base::route::Route;
use crate::base::shield::Shield;
use crate::holdings::fib::{as_listed, is_same_route};

#[derive(Default)]
pub(super) struct Driver {
    pub(super) domain: Domain,
    pub(super) kernel: Kernel,
    pub(super) now: Instant,
    /// When no notification was outstanding.
    up_to_date: Instant,
    /// Requests that are not sent yet.
    pub(super) queue: VecDeque<Request>,
    /// Answers that have not arrived, each with the number of its request in the kernel.
    answers: VecDeque<(u64, RequestId, Answer)>,
    /// The same of the packet filter, which takes its own time.
    pub(super) filter_answers: Vec<(Rc<Shield<u32>>, RequestId, i32)>,
    /// Addresses to remove after a crash.
    pub(super) rescued: SortedSet<Place>,
    /// Addresses added in this run.
    added: SortedSet<Place>,
    /// Virtual interfaces that were prepared, and addresses that are shielded, in this run.
    prepared: SortedSet<u32>,
    shielded: SortedSet<IpAddr>,
    /// What owners have to hear.
    pub(super) said: Vec<Action>,
    pub(super) trace: String,
    /// The first violation.
    pub(super) fault: Option<String>,
}

/// These addresses are wanted together with their entries in the packet filter.
pub(super) fn is_shielded(addr: IpAddr) -> bool {
    ["10.0.0.1", "fd00::1"].iter().any(|text| addr.to_string() == *text)
}

impl Driver {
    pub(super) fn new(kernel: Kernel) -> Self {
        let mut driver = Self { kernel, now: Instant::from_millis(1000), ..Self::default() };
        driver.resynchronise();
        driver
    }

    pub(super) fn note(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.trace, "{text}");
    }

    pub(super) fn fail(&mut self, text: String) {
        self.fault.get_or_insert(text);
    }

    /// Returns the requests that follow.
    pub(super) fn on(&mut self, input: Input<'_>) -> Vec<Request> {
        let mut out = Vec::new();
        self.domain.handle(input, self.now, &mut out);
        let mut asked = Vec::new();
        let mut at_once = Vec::new();
        for action in out {
            match action {
                Action::Ask(request) => {
                    let text = brief(&request);
                    self.note(format_args!("    #{} {text}", request.id.0));
                    asked.push(request);
                }
                Action::Added { index, address } => {
                    self.rescued.insert((index, Spot::of_host(&address)));
                }
                Action::Removed { index, address } => {
                    self.rescued.remove(&(index, Spot::of_host(&address)));
                }
                Action::Changed(HostChange::Vanished { index, deleted: true, .. }) => {
                    self.rescued.retain(|place| place.0 != index);
                }
                Action::Hopeless { .. } | Action::Hopeful { .. } => self.said.push(action),
                _ => {}
            }
        }
        for (at, request) in asked.iter().enumerate() {
            self.watch(request, asked.get(at + 1));
            if let Op::Add(Item::Sysctl(..)) | Op::Remove(Item::Sysctl(..)) = request.op {
                at_once.push((request.id, self.kernel.carry_out(request)));
            } else {
                self.queue.push_back(request.clone());
            }
        }
        for (request, answer) in at_once {
            self.answer(request, answer);
        }
        asked
    }

    /// Checks the order of requests that depend on each other.
    fn watch(&mut self, request: &Request, next: Option<&Request>) {
        let index = request.index;
        match &request.op {
            Op::Add(Item::Address(address)) => {
                let place = (index, Spot::of_host(address));
                self.rescued.insert(place);
                let is_probe = next.is_some_and(|next| match &next.op {
                    Op::Remove(Item::Address(other)) => next.index == index && other == address,
                    _ => false,
                });
                self.added.insert(place);
                let addr = address.prefix.addr;
                if is_shielded(addr) && !self.shielded.contains(&addr) {
                    self.fail(format!("{addr} is added without its entry in the packet filter"));
                }
                if !is_probe && self.is_raw(index) {
                    self.fail(format!("{addr} is added to interface {index} too early"));
                }
            }
            Op::Replace(Item::Link(..)) => {
                self.prepared.insert(index);
            }
            Op::Add(Item::Firewall(shield)) => {
                if let Shield::Address(addr) = **shield {
                    self.shielded.insert(addr);
                }
            }
            Op::Remove(Item::Firewall(shield)) => {
                if let Shield::Address(addr) = **shield {
                    self.shielded.remove(&addr);
                    if self.places_to_be().iter().any(|place| place.1.addr == addr) {
                        self.fail(format!("{addr} loses its entry in the packet filter too early"));
                    }
                }
            }
            Op::Remove(Item::Sysctl(setting, _))
                if !self.queue.is_empty() || !self.answers.is_empty() =>
            {
                self.fail(format!("{} is restored too early", setting.name()));
            }
            _ => {}
        }
    }

    /// True for a wanted virtual interface that is neither prepared nor about to be replaced.
    fn is_raw(&self, index: u32) -> bool {
        let domain = &self.domain;
        let Some(link) = self.kernel.links.get(&index).filter(|link| is_made(link)) else {
            return false;
        };
        let is_wanted = domain.made_links().any(|key| match &domain.holdings[key].object {
            KernelObject::Link(wanted) if wanted.name == link.name => {
                let base = domain.links.get(&wanted.base);
                base.is_some_and(|base| wanted.could_be(link, base))
            }
            _ => false,
        });
        let is_leaving = domain.kernel.is_link_leaving(index);
        is_wanted && !is_leaving && !self.prepared.contains(&index)
    }

    /// Addresses added in this run that will be in the kernel after all requests.
    fn places_to_be(&self) -> SortedSet<Place> {
        let there = self.kernel.addresses.iter().filter(|(_, a)| a.protocol.is_some());
        let there = there.map(|(index, a)| (*index, Spot::of_host(a)));
        let mut places: SortedSet<_> = there.filter(|place| self.added.contains(place)).collect();
        for request in &self.queue {
            match &request.op {
                // A foreign one stays.
                Op::Add(Item::Address(a)) if self.kernel.at(request.index, a).is_none() => {
                    places.insert((request.index, Spot::of_host(a)))
                }
                Op::Remove(Item::Address(a)) => places.remove(&(request.index, Spot::of_host(a))),
                _ => false,
            };
            if let Op::Remove(Item::Link(link, _)) = &request.op {
                let named = self.kernel.index(&link.name).filter(|_| request.index == 0);
                places.retain(|place| place.0 != named.unwrap_or(request.index));
            }
        }
        places.retain(|place| self.kernel.links.contains_key(&place.0));
        places
    }

    fn answer(&mut self, request: RequestId, answer: Answer) {
        self.note(format_args!("  answer #{}: {}", request.0, answer.errno));
        self.on(Input::Answer { request, answer });
    }

    /// Sends the oldest request.
    pub(super) fn send(&mut self) {
        let Some(request) = self.queue.pop_front() else { return };
        let answer = self.kernel.carry_out(&request);
        if let Some(trespass) = self.kernel.trespass.take() {
            self.fail(trespass);
        }
        let (Op::Add(Item::Firewall(shield)) | Op::Remove(Item::Firewall(shield))) = &request.op
        else {
            self.answers.push_back((self.kernel.carried_out, request.id, answer));
            return;
        };
        // An earlier request for the same entry is obsolete.
        const ECANCELED: i32 = 125;
        for (known, _, errno) in &mut self.filter_answers {
            if known == shield {
                *errno = ECANCELED;
            }
        }
        self.filter_answers.push((Rc::clone(shield), request.id, answer.errno));
    }

    pub(super) fn reply(&mut self) {
        if let Some((_, request, answer)) = self.answers.pop_front() {
            self.answer(request, answer);
        }
    }

    pub(super) fn reply_of_filter(&mut self) {
        if !self.filter_answers.is_empty() {
            let (_, request, errno) = self.filter_answers.remove(0);
            self.answer(request, errno.into());
        }
    }

    /// Delivers the oldest notification, after the answers to the requests before it.
    pub(super) fn hear(&mut self) {
        let Some((after, event)) = self.kernel.events.pop_front() else { return };
        while self.answers.front().is_some_and(|(number, ..)| *number <= after) {
            self.reply();
        }
        let text = heard(&event);
        self.note(format_args!("  heard {text}"));
        if let KernelEvent::Address { index, address } = &event {
            let last = self.domain.kernel.last();
            let place = (*index, Spot::of_host(address));
            if address.protocol.is_none() {
                if let Some(heard) = self.kernel.contested.get_mut(&place) {
                    *heard = Some(last);
                }
            }
        }
        self.on(Input::Kernel(event));
    }

    /// Time passes. The daemon reads notifications long before it takes them for lost.
    pub(super) fn pass(&mut self, time: Duration) {
        const LATEST: Duration = Duration::from_secs(9);
        if self.kernel.events.is_empty() {
            self.up_to_date = self.now;
        }
        if (self.now + time).since(self.up_to_date) > LATEST {
            while !self.kernel.events.is_empty() {
                self.hear();
            }
            self.up_to_date = self.now;
        }
        self.now += time;
    }

    /// Notifications are lost, and the state is read instead.
    pub(super) fn resynchronise(&mut self) {
        while !self.answers.is_empty() {
            self.reply();
        }
        self.kernel.lose_events();
        self.note(format_args!("  dumped"));
        let last = self.domain.kernel.last();
        self.kernel.contested.values_mut().for_each(|heard| *heard = Some(last));
        self.on(Input::Dumped(self.kernel.dump()));
        self.on(Input::Fib(self.kernel.dump_fib()));
    }

    pub(super) fn is_quiet(&self) -> bool {
        let is_answered = self.answers.is_empty() && self.filter_answers.is_empty();
        self.queue.is_empty() && is_answered && self.kernel.events.is_empty()
    }

    /// Delivers everything.
    pub(super) fn quiet(&mut self) {
        for _ in 0..10_000 {
            if self.is_quiet() {
                return;
            }
            self.send();
            self.reply();
            self.reply_of_filter();
            self.hear();
        }
        self.fail("requests do not end".into());
    }

    pub(super) fn deadline(&mut self) {
        self.on(Input::Deadline);
    }

    /// The daemon is killed. Returns the virtual interfaces that it made; the settings are restored
    /// by its successor.
    pub(super) fn crash(&mut self) -> Vec<(u32, String)> {
        let made = self.domain.traces();
        for link in self.kernel.links.values().filter(|link| is_made(link)) {
            let name = link.name.to_string();
            let is_known = link.name != STOLEN || made.contains(&(link.index, name));
            if !is_known {
                self.kernel.untraceable.insert(link.index);
            }
        }
        for (index, setting, before) in self.domain.changed_settings() {
            if let Some(value) = self.kernel.settings.get_mut(&(index, setting)) {
                before.clone_into(value);
            }
        }
        self.kernel.filter.clear();
        self.kernel.lose_events();
        self.kernel.contested.clear();
        let kernel = std::mem::take(&mut self.kernel);
        let (trace, fault) = (std::mem::take(&mut self.trace), self.fault.take());
        *self = Self { kernel, trace, fault, now: self.now, ..Self::default() };
        self.resynchronise();
        made.into_iter().collect()
    }

    /// True if the kernel holds the object.
    pub(super) fn has(&self, index: u32, item: &Item) -> bool {
        let kernel = &self.kernel;
        match item {
            Item::Link(link, place) => kernel.links.values().any(|known| {
                let is_so = known.mac == link.mac() && known.enabled && is_made(known);
                known.name == link.name && known.parent == place.base && is_so
            }),
            Item::Sysctl(setting, value) => kernel.settings.get(&(index, *setting)) == Some(value),
            Item::Firewall(shield) => kernel.filter.contains(shield),
            Item::Address(address) => kernel.at(index, address).is_some_and(|at| {
                let there = &kernel.addresses[at].1;
                there == address || there.protocol != Some(PROTOCOL_KEEPALIVED)
            }),
            Item::Route(route, _) => kernel.routes.iter().any(|known| {
                let is_own = known.protocol == route.protocol;
                let same = is_same_route(route, known);
                same && (is_own && known.metrics == route.metrics || !is_own && is_v6(route))
            }),
            Item::Rule(rule) => kernel.has_rule(rule),
        }
    }
}

fn is_v6(route: &Route<u32>) -> bool {
    route.destination.addr.is_ipv6()
}

/// True if both are the same object, in whatever form.
pub(super) fn is_same_object(a: &Item, b: &Item) -> bool {
    match (a, b) {
        (Item::Link(a, _), Item::Link(b, _)) => a.name == b.name,
        (Item::Firewall(a), Item::Firewall(b)) => a == b,
        (Item::Address(a), Item::Address(b)) => Spot::of_host(a) == Spot::of_host(b),
        (Item::Route(a, _), Item::Route(b, _)) => is_same_route(a, b),
        (Item::Rule(a), Item::Rule(b)) => as_listed(a) == as_listed(b),
        _ => false,
    }
}

/// A request as `+10.0.0.1/24 on 3`, `~...`, `-...`.
fn brief(request: &Request) -> String {
    let (sign, item) = match &request.op {
        Op::Add(item) => ('+', item),
        Op::Replace(item) => ('~', item),
        Op::Remove(item) => ('-', item),
    };
    let text = match item {
        Item::Link(link, _) => format!("{} {:?}", link.name, link.kind),
        Item::Sysctl(setting, value) => format!("{}={value}", setting.name()),
        Item::Firewall(shield) => format!("{shield:?}"),
        Item::Address(address) => {
            format!("{} scope {} flags {}", address.prefix, address.scope, address.flags)
        }
        Item::Route(route, _) => numbered(route),
        Item::Rule(rule) => format!("rule {rule}"),
    };
    format!("{sign}{text} on {}", request.index)
}

fn numbered(route: &Route<u32>) -> String {
    route.translated(|i| Some(format!("#{i}"))).expect("every number has a text").to_string()
}

fn heard(event: &KernelEvent) -> String {
    match event {
        KernelEvent::Link(l) => {
            format!("{}: {} enabled {} up {}", l.index, l.name, l.enabled, l.up)
        }
        KernelEvent::AddressGone { index, address } => format!("-{} on {index}", address.prefix),
        KernelEvent::RouteGone(route) => format!("-{}", numbered(route)),
        other => format!("{other:?}"),
    }
}
