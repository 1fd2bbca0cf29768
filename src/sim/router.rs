//! One simulated router: the cores, and a kernel that carries out requests at once.
//!
//! It follows `daemon/turn.rs` and `daemon/network/execute.rs`: packets before deadlines, actions carried
//! out in order, their effects fed back through an inbox.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::rc::Rc;

use crate::base::addr::{Family, HostAddress};
use crate::base::hold::Hold;
use crate::base::ids::InstanceId;
use crate::base::link::{KernelEvent, Link};
use crate::base::sorted::{SortedMap, SortedSet};
use crate::base::time::{Instant, WallTime};
use crate::holdings::{self, Holder, Item, Key, Links, Op, Spot};
use crate::model::diff::{self, Change};
use crate::model::track;
use crate::model::vrrp::{Authentication, Delivery, Instance};
use crate::model::Config;
use crate::vrrp::receive::Received;
use crate::vrrp::{self, advert, Action, Input, LinkState, Order, TrackState, Unread};
use crate::wire::ah::AuthHeader;
use crate::wire::ip::Ipv4Packet;

/// What every wall clock shows at first.
const START: WallTime = WallTime(1_795_386_500_000_000);

/// Process state of the daemon of a router.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Life {
    Off,
    Running,
    /// Not scheduled; its socket fills.
    Asleep(Instant),
}

/// An advertisement in transit: as it was given to the socket, so without an IPv6 header.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    pub(super) link: String,
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) bytes: Rc<[u8]>,
    /// Given out when it is sent, and shared by its copies; `None`: made by an attacker.
    pub(super) number: Option<u64>,
}

impl Packet {
    /// The authentication header, and the advertisement.
    fn parts(&self) -> Option<(Option<AuthHeader<'_>>, &[u8])> {
        if self.source.is_ipv6() {
            return Some((None, &self.bytes));
        }
        AuthHeader::split(&Ipv4Packet::parse(&self.bytes).ok()?).ok()
    }
}

/// A notification of the kernel. They are kept in order.
enum KernelNotice {
    Link(String, LinkState),
    Tracked(track::Object, TrackState),
    Gone(u32, HostAddress),
}

/// A message from one core to another.
enum CoreMessage {
    Hold(InstanceId, Hold),
    Held(InstanceId),
}

pub struct Router {
    pub name: String,
    /// Its own addresses, by interface.
    own: SortedMap<String, Vec<IpAddr>>,
    links: SortedMap<String, LinkState>,
    /// Interface indices; an interface that comes back gets a new one.
    indices: SortedMap<String, u32>,
    next_index: u32,
    /// Interface indices known to the daemon.
    known: SortedMap<String, u32>,
    /// Actual state of tracked objects. A daemon learns of it shortly after its start.
    objects: SortedMap<track::Object, TrackState>,
    config: Config,
    ids: Vec<InstanceId>,
    vrrp: vrrp::Domain,
    holdings: holdings::Domain,
    /// Survives the daemon.
    kernel: SortedMap<(u32, Spot), HostAddress>,
    news: VecDeque<KernelNotice>,
    /// By interface.
    sockets: SortedMap<String, VecDeque<(Packet, Instant)>>,
    /// Capacity of a socket in packets; further packets are dropped.
    pub socket_size: usize,
    /// The last turn left packets unread.
    crowded: bool,
    pub(super) life: Life,
    /// What its wall clock shows when the simulation starts; changed when the clock is set.
    wall: WallTime,
    /// By how many millionths its wall clock is fast.
    drift: i64,
    inbox: VecDeque<CoreMessage>,
    decided: VecDeque<Action>,
    /// Every action decided since they were last taken.
    recorded: Vec<Action>,
    pub(super) sent: Vec<Packet>,
    /// The numbers of the authenticated advertisements that were accepted, since the start.
    accepted: SortedSet<u64>,
    fooled: u64,
}

impl Router {
    /// A powered-off router with all its interfaces up.
    pub fn new(name: impl Into<String>, own: SortedMap<String, Vec<IpAddr>>) -> Self {
        Self {
            name: name.into(),
            links: own.keys().map(|link| (link.clone(), LinkState::Up)).collect(),
            indices: own.keys().cloned().zip(1..).collect(),
            next_index: 1000,
            known: SortedMap::new(),
            own,
            objects: SortedMap::new(),
            config: Config::default(),
            ids: Vec::new(),
            vrrp: vrrp::Domain::default(),
            holdings: holdings::Domain::default(),
            kernel: SortedMap::new(),
            news: VecDeque::new(),
            sockets: SortedMap::new(),
            socket_size: 64,
            crowded: false,
            life: Life::Off,
            wall: START,
            drift: 0,
            inbox: VecDeque::new(),
            decided: VecDeque::new(),
            recorded: Vec::new(),
            sent: Vec::new(),
            accepted: SortedSet::new(),
            fooled: 0,
        }
    }

    pub const fn life(&self) -> Life {
        self.life
    }

    pub const fn vrrp(&self) -> &vrrp::Domain {
        &self.vrrp
    }

    /// What its wall clock shows.
    pub fn wall(&self, now: Instant) -> WallTime {
        let elapsed = now.micros();
        let drift = i64::try_from(elapsed).unwrap_or(i64::MAX).saturating_mul(self.drift);
        WallTime(self.wall.0.saturating_add(elapsed).saturating_add_signed(drift / 1_000_000))
    }

    /// How many advertisements it has accepted although they are authenticated, and were accepted
    /// before or made by an attacker.
    pub const fn fooled(&self) -> u64 {
        self.fooled
    }

    /// Sets its wall clock forward or back.
    pub fn step_clock(&mut self, micros: i64) {
        self.wall.0 = self.wall.0.saturating_add_signed(micros);
    }

    /// Makes its wall clock fast or slow, in millionths, from the start of the simulation on.
    pub const fn set_drift(&mut self, millionths: i64) {
        self.drift = millionths;
    }

    /// True if the kernel of this router has the address.
    pub fn has(&self, key: &Key) -> bool {
        self.place(key).is_some_and(|place| self.kernel.contains_key(&place))
    }

    /// True if the address was left by an earlier run of the daemon, and may still be wanted.
    pub fn keeps(&self, id: InstanceId) -> bool {
        self.holdings.keeps(id.into())
    }

    fn place(&self, key: &Key) -> Option<(u32, Spot)> {
        let Key::Address { link, spot } = key else { return None };
        Some((*self.indices.get(link.as_str())?, *spot))
    }

    /// The state of a tracked object, once set.
    pub fn tracked(&self, object: &track::Object) -> Option<&TrackState> {
        self.objects.get(object)
    }

    pub fn link(&self, name: &str) -> LinkState {
        self.links.get(name).copied().unwrap_or(LinkState::Missing)
    }

    pub(super) fn start(&mut self, config: Config, now: Instant) {
        self.crash();
        self.life = Life::Running;
        self.vrrp = vrrp::Domain::new(config.global.startup_delay);
        let results = self.objects.iter().map(|(o, s)| KernelNotice::Tracked(o.clone(), s.clone()));
        self.news.extend(results);
        self.known = self.indices.clone();
        let links = self.indices.iter().map(|(name, index)| Link::plain(*index, name));
        let addresses = self.kernel.iter().map(|((index, _), address)| KernelEvent::Address {
            index: *index,
            address: address.clone(),
        });
        let dump = links.map(KernelEvent::Link).chain(addresses).collect();
        self.hold(holdings::Input::Dumped(Links::dumped(dump)), now);
        self.adopt(config, now);
    }

    /// The daemon dies silently; its kernel objects stay.
    pub(super) fn crash(&mut self) {
        let fresh = Self::new(std::mem::take(&mut self.name), std::mem::take(&mut self.own));
        *self = Self {
            links: std::mem::take(&mut self.links),
            objects: std::mem::take(&mut self.objects),
            indices: std::mem::take(&mut self.indices),
            next_index: self.next_index,
            kernel: std::mem::take(&mut self.kernel),
            socket_size: self.socket_size,
            wall: self.wall,
            drift: self.drift,
            ..fresh
        };
    }

    /// The whole host goes down.
    pub(super) fn lose_power(&mut self) {
        self.crash();
        self.kernel.clear();
    }

    pub(super) fn stop(&mut self, now: Instant) {
        self.feed(Input::Stop, now);
        self.life = Life::Off;
    }

    pub(super) fn order(&mut self, order: Order, now: Instant) {
        self.feed(Input::Order(order), now);
    }

    pub(super) fn set_link(&mut self, name: &str, state: LinkState) {
        self.links.insert(name.to_owned(), state);
        if state == LinkState::Missing {
            if let Some(index) = self.indices.remove(name) {
                self.kernel.retain(|place, _| place.0 != index);
            }
        } else if !self.indices.contains_key(name) {
            self.next_index += 1;
            self.indices.insert(name.to_owned(), self.next_index);
        }
        self.news.push_back(KernelNotice::Link(name.to_owned(), state));
    }

    pub(super) fn set_tracked(&mut self, object: track::Object, state: TrackState) {
        self.objects.insert(object.clone(), state.clone());
        self.news.push_back(KernelNotice::Tracked(object, state));
    }

    /// Removes a virtual address externally.
    pub(super) fn remove(&mut self, key: &Key) {
        let Some(place) = self.place(key) else { return };
        if let Some(address) = self.kernel.remove(&place) {
            self.news.push_back(KernelNotice::Gone(place.0, address));
        }
    }

    pub(super) fn hear(&mut self, packet: Packet, now: Instant) {
        let listens = self.life != Life::Off && self.link(&packet.link) == LinkState::Up;
        if !listens {
            return;
        }
        let socket = self.sockets.entry(packet.link.clone()).or_default();
        if socket.len() < self.socket_size {
            socket.push_back((packet, now));
        }
    }

    pub(super) fn has_mail(&self) -> bool {
        self.has_unread() || !self.news.is_empty()
    }

    /// True if there are packets that the daemon has not read.
    pub fn has_unread(&self) -> bool {
        self.sockets.values().any(|s| !s.is_empty())
    }

    /// True if the last turn used its whole read budget.
    pub(super) const fn is_crowded(&self) -> bool {
        self.crowded
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.vrrp.next_deadline().into_iter().chain(self.holdings.next_deadline()).min()
    }

    /// One turn of the loop: received packets within the budget, then deadlines.
    pub(super) fn turn(&mut self, now: Instant) {
        self.life = Life::Running;
        let read = self.read(now);
        self.crowded = !read.is_empty();
        let up_to = |i: &vrrp::Instance| read.get(i.config().interface.as_deref()?).copied();
        let all = self.vrrp.instances();
        let unread = all.filter_map(|(id, i)| Some((id, up_to(i)?))).collect();
        self.handle(Input::DeadlineAmid(Unread::Since(&unread)), now);
        self.drain(now);
        self.hold(holdings::Input::Deadline, now);
        // Netlink is served after VRRP.
        while let Some(news) = self.news.pop_front() {
            match news {
                KernelNotice::Link(name, state) => self.update_link(&name, state, now),
                KernelNotice::Tracked(object, state) => {
                    self.handle(Input::Tracked { object: &object, state }, now);
                }
                KernelNotice::Gone(index, address) => {
                    self.report(KernelEvent::AddressGone { index, address }, now);
                }
            }
            self.drain(now);
        }
    }

    /// Reads every socket within its budget. Returns the sockets that are not empty afterwards,
    /// each with the arrival time up to which it has been read.
    fn read(&mut self, now: Instant) -> SortedMap<String, Instant> {
        const BUDGET: usize = 16;
        let mut unread = SortedMap::new();
        let mut sockets = std::mem::take(&mut self.sockets);
        for (link, socket) in &mut sockets {
            let count = socket.len().min(BUDGET);
            let mut last = now;
            for (packet, arrived) in socket.drain(..count) {
                last = arrived;
                let Packet { source, destination, .. } = packet;
                let Some((header, pdu)) = packet.parts() else { continue };
                let Some(id) = self.addressee(&packet.link, source, pdu) else { continue };
                let (destination, ttl) = (Some(destination), Some(255));
                let wall = self.wall(arrived);
                let received = Received { source, destination, ttl, arrived, wall, header, pdu };
                let before = self.believed(id);
                self.handle(Input::Packet { id, packet: received }, now);
                if self.believed(id) > before {
                    let is_new = packet.number.is_some_and(|n| self.accepted.insert(n));
                    self.fooled += u64::from(!is_new);
                }
            }
            if !socket.is_empty() {
                unread.insert(link.clone(), last);
            }
        }
        self.sockets = sockets;
        unread
    }

    /// The actions decided since the last call.
    pub(super) fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.recorded)
    }

    /// Switches to a configuration, as `daemon/config/reload.rs` does.
    pub(super) fn adopt(&mut self, new: Config, now: Instant) {
        self.hold(holdings::Input::Pause, now);
        let changes = diff::instances(&self.config, &new);
        let (mut ids, mut touched) = (SortedMap::new(), Vec::new());
        for change in changes {
            match change {
                Change::Remove { old } => {
                    self.feed(Input::Remove { id: self.ids[old] }, now);
                    self.vrrp.forget(self.ids[old]);
                }
                Change::Keep { old, new } => {
                    ids.insert(new, self.ids[old]);
                }
                Change::Adjust { old, new: n } => {
                    ids.insert(n, self.ids[old]);
                    touched.push((n, true));
                }
                Change::Add { new: n } => {
                    let id = self.vrrp.vacant_id();
                    self.handle(Input::Add { id, config: Rc::clone(&new.instances[n]) }, now);
                    ids.insert(n, id);
                    touched.push((n, false));
                }
            }
        }
        self.ids = ids.into_values().collect();
        self.config = new;
        for (name, state) in self.links.clone() {
            self.update_link(&name, state, now);
        }
        for (n, is_known) in touched {
            let (id, config) = (self.ids[n], Rc::clone(&self.config.instances[n]));
            if is_known {
                self.handle(Input::Adjust { id, config }, now);
            }
        }
        let groups = self.config.groups.clone();
        self.handle(Input::Groups(&groups), now);
        self.feed(Input::Start, now);
        self.hold(holdings::Input::Resume, now);
    }

    /// Passes the state of an interface to the cores, and its source address to every instance. The
    /// cores ignore what has not changed.
    fn update_link(&mut self, link: &str, state: LinkState, now: Instant) {
        let index = self.indices.get(link).copied();
        let known = self.known.get(link).copied();
        if let (Some(index), true) = (known, known != index) {
            self.report(KernelEvent::LinkGone { index }, now);
            self.known.remove(link);
        }
        if let Some(index) = index {
            self.known.insert(link.to_owned(), index);
            self.report(KernelEvent::Link(Link::plain(index, link)), now);
        }
        self.handle(Input::Link { name: link, state }, now);
        for id in self.ids.clone() {
            let source = self.vrrp.instance(id).and_then(|i| self.source_of(i.config()));
            self.handle(Input::Source { id, source }, now);
        }
    }

    fn source_of(&self, config: &Instance) -> Option<IpAddr> {
        let link = config.interface.as_deref()?;
        let mut own = self.own.get(link).filter(|_| self.link(link) != LinkState::Missing)?.iter();
        own.find(|addr| Family::of(addr) == config.family).copied()
    }

    /// How many authenticated advertisements an instance has accepted.
    fn believed(&self, id: InstanceId) -> u64 {
        let instance = self.vrrp.instance(id).filter(|i| {
            matches!(
                i.config().authentication,
                Authentication::Header(_) | Authentication::Signed(_)
            )
        });
        instance.map_or(0, |i| i.counters().advert_rcvd)
    }

    fn addressee(&self, link: &str, source: IpAddr, pdu: &[u8]) -> Option<InstanceId> {
        let family = Family::of(&source);
        let is_meant = |i: &Instance| {
            Some(&i.vrid) == pdu.get(1)
                && i.family == family
                && i.interface.as_deref() == Some(link)
        };
        let mut all = self.vrrp.instances();
        all.find(|(_, i)| is_meant(i.config())).map(|(id, _)| id)
    }

    fn feed(&mut self, input: Input<'_>, now: Instant) {
        self.handle(input, now);
        self.drain(now);
    }

    fn handle(&mut self, input: Input<'_>, now: Instant) {
        let mut out = Vec::new();
        self.vrrp.handle(input, now, &mut out);
        self.recorded.extend_from_slice(&out);
        self.decided.extend(out);
    }

    /// Carries out the decided actions, and their effects, until none is left.
    fn drain(&mut self, now: Instant) {
        loop {
            while let Some(action) = self.decided.pop_front() {
                self.execute(&action, now);
            }
            match self.inbox.pop_front() {
                None => break,
                Some(CoreMessage::Held(id)) => self.handle(Input::Held { id }, now),
                Some(CoreMessage::Hold(id, hold)) => self.apply_hold(id, hold, now),
            }
        }
    }

    fn apply_hold(&mut self, id: InstanceId, hold: Hold, now: Instant) {
        let config = self.vrrp.instance(id).map(|i| Rc::clone(i.config()));
        let input = holdings::Input::Claim { id, hold, config: config.as_deref() };
        self.hold(input, now);
    }

    fn execute(&mut self, action: &Action, now: Instant) {
        if let Some((id, holds)) = action.holds() {
            self.inbox.extend(holds.iter().map(|hold| CoreMessage::Hold(id, *hold)));
        }
        match *action {
            Action::SendAdvert { id, priority } => self.send(id, priority, now),
            Action::Want(_)
            | Action::Release(_)
            | Action::Announce { .. }
            | Action::AnnounceElsewhere { .. }
            | Action::AnnounceSource { .. }
            | Action::Changed { .. }
            | Action::GroupChanged { .. }
            | Action::PriorityChanged { .. }
            | Action::Ordered { .. }
            | Action::LowerPriority { .. }
            | Action::Noted { .. } => {}
        }
    }

    /// Advertisements forged by a host that poses as the master of our virtual routers on a link,
    /// and a damaged copy of each.
    pub(super) fn forge(&self, link: &str, from: IpAddr, priorities: &[u8]) -> Vec<Packet> {
        let mut packets = Vec::new();
        let on_link = |i: &&Rc<Instance>| i.interface.as_deref() == Some(link);
        let family = Family::of(&from);
        let all = self.config.instances.iter().filter(on_link).filter(|i| i.family == family);
        for (config, &priority) in all.flat_map(|i| priorities.iter().map(move |p| (i, p))) {
            let Delivery::Multicast { group } = config.delivery else { continue };
            let packet = packet_of(config, priority, from, group, link);
            let mut damaged = packet.bytes.to_vec();
            let start = damaged.len() - advert::len(config);
            damaged[start + 2] ^= 0x55;
            packets.push(Packet { bytes: Rc::from(damaged), ..packet.clone() });
            packets.push(packet);
        }
        packets
    }

    fn send(&mut self, id: InstanceId, priority: u8, now: Instant) {
        let Some(i) = self.vrrp.instance(id) else { return };
        let Some(link) = i.config().interface.as_ref().map(ToString::to_string) else { return };
        let wall = self.wall(now);
        let Some(advert) = self.vrrp.outbound(id, priority, || wall) else { return };
        let source = advert.source;
        for copy in &advert.copies {
            let (link, destination, bytes) = (link.clone(), copy.to, Rc::from(&*copy.packet));
            self.sent.push(Packet { link, source, destination, bytes, number: None });
        }
    }

    fn report(&mut self, event: KernelEvent, now: Instant) {
        self.hold(holdings::Input::Kernel(event), now);
    }

    /// Passes an input to the holdings. The kernel does what they ask, and answers at once.
    fn hold(&mut self, input: holdings::Input<'_>, now: Instant) {
        let mut actions = Vec::new();
        self.holdings.handle(input, now, &mut actions);
        while !actions.is_empty() {
            let mut out = Vec::new();
            for action in actions.drain(..) {
                match action {
                    holdings::Action::Ask(request) => self.ask(&request, now, &mut out),
                    holdings::Action::Held(Holder::Instance(id)) => {
                        self.inbox.push_back(CoreMessage::Held(id));
                    }
                    holdings::Action::Changed(_)
                    | holdings::Action::Held(Holder::Host)
                    | holdings::Action::Added { .. }
                    | holdings::Action::Removed { .. }
                    | holdings::Action::Missing { .. }
                    | holdings::Action::Refused { .. }
                    | holdings::Action::Hopeless { .. }
                    | holdings::Action::Hopeful { .. }
                    | holdings::Action::Found { .. } => {}
                }
            }
            actions = out;
        }
    }

    fn ask(&mut self, request: &holdings::Request, now: Instant, out: &mut Vec<holdings::Action>) {
        const EEXIST: i32 = 17;
        const ENODEV: i32 = 19;
        const EADDRNOTAVAIL: i32 = 99;
        let index = request.index;
        let is_there = self.indices.values().any(|i| *i == index);
        let errno = match &request.op {
            _ if !is_there => ENODEV,
            Op::Add(Item::Address(address)) => {
                let place = (index, Spot::of_host(address));
                match self.kernel.get(&place) {
                    Some(_) => EEXIST,
                    None => {
                        self.kernel.insert(place, address.clone());
                        0
                    }
                }
            }
            Op::Remove(Item::Address(address)) => {
                match self.kernel.remove(&(index, Spot::of_host(address))) {
                    Some(_) => 0,
                    None => EADDRNOTAVAIL,
                }
            }
            Op::Add(_) | Op::Replace(_) | Op::Remove(_) => 0,
        };
        let answer = holdings::Input::Answer { request: request.id, answer: errno.into() };
        self.holdings.handle(answer, now, out);
        if let (Op::Remove(Item::Address(address)), 0) = (&request.op, errno) {
            // The echo on the notification socket.
            let echo = KernelEvent::AddressGone { index, address: address.clone() };
            self.holdings.handle(holdings::Input::Kernel(echo), now, out);
        }
    }
}

fn packet_of(
    config: &Instance,
    priority: u8,
    source: IpAddr,
    destination: IpAddr,
    link: &str,
) -> Packet {
    let mut bytes = Vec::new();
    advert::emit(config, priority, source, destination, &mut bytes);
    let (link, bytes) = (link.to_owned(), Rc::from(bytes));
    Packet { link, source, destination, bytes, number: None }
}
