//! One virtual router: what it knows, what it has counted.

use std::net::IpAddr;
use std::rc::Rc;

use super::action::{Action, Phase};
use super::auth::Guard;
use super::cause::{Factor, Fault, Heard, PriorityChange};
use super::input::LinkState;
use super::operator::OrderKind;
use super::outbound::Outbound;
use super::priority::{self, Share, Worth};
use super::receive::{AddressSet, Counters};
use super::state::{Master, State, StateCell};
use super::timing;
use crate::base::ids::{GroupId, InstanceId};
use crate::base::ratelimit::Limiter;
use crate::base::seldom::{Blank, Seldom};
use crate::base::sorted::SortedSet;
use crate::base::time::{Duration, Instant};
use crate::base::tracked::TrackState;
use crate::model;
use crate::model::track::{Object, Tracked};
use crate::model::vrrp::{InitialState, TrackedLink, Version};

/// Packets on the way to the former master of a virtual MAC arrive before that.
const MOVED: Duration = Duration::from_millis(5);

/// A virtual router. What exists in one state only lives in `state`.
#[derive(Debug)]
pub struct Instance {
    pub(super) config: Rc<model::vrrp::Instance>,
    pub(super) state: StateCell,
    pub(super) priority: u8,
    /// The master's interval: ours in version 2, the last one heard in version 3.
    pub(super) master_interval: Duration,
    pub(super) source: Option<IpAddr>,
    /// Why there is no socket to send and listen on.
    pub(super) socket_error: Seldom<Option<String>>,
    /// Why the kernel takes none of its addresses.
    pub(super) refusal: Seldom<Option<String>>,
    /// Every interface that matters, ours included.
    pub(super) trackers: Box<[TrackedLink]>,
    /// Every script, file, process and BFD session that matters.
    pub(super) tracked: Box<[Tracked]>,
    /// What all that means for it.
    pub(super) findings: Seldom<Findings>,
    /// The base priority that `priority` was worked out from.
    pub(super) base: u8,
    /// What made the priority what it is.
    pub(super) priority_change: Option<Box<PriorityChange>>,
    pub(super) group: Option<GroupId>,
    /// The router last heard as master.
    pub(super) heard: Option<LastHeard>,
    pub(super) counters: Counters,
    /// How much more its peers may cause: lines, and the script for lower priorities.
    pub(super) limits: Limiter<u16>,
    /// The advertised addresses, for comparing.
    pub(super) addresses: AddressSet,
    /// Peers that compute unicast checksums the old way, and are sent the like.
    pub(super) old_style: Seldom<SortedSet<IpAddr>>,
    /// From the first advertisement on.
    pub(super) outbound: Option<Box<Outbound>>,
    /// The identification of the last advertisement.
    pub(super) ident: u16,
    /// With `auth_type AH` and `auth_hmac`.
    pub(super) guard: Option<Box<Guard>>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct LastHeard {
    pub(super) addr: IpAddr,
    pub(super) priority: u8,
    pub(super) at: Instant,
}

impl Instance {
    pub(super) fn new(config: Rc<model::vrrp::Instance>, now: Instant) -> Self {
        Self {
            base: config.priority,
            priority: config.priority,
            master_interval: config.advert_interval,
            source: None,
            socket_error: Seldom::default(),
            refusal: Seldom::default(),
            trackers: trackers(&config, &[]),
            tracked: tracked(&config, &[]),
            findings: Seldom::default(),
            priority_change: None,
            group: None,
            heard: None,
            counters: Counters::default(),
            limits: Limiter::default(),
            addresses: AddressSet::of(&config),
            old_style: Seldom::default(),
            outbound: None,
            ident: 0,
            guard: Guard::of(&config),
            state: StateCell::new(now),
            config,
        }
    }

    pub const fn config(&self) -> &Rc<model::vrrp::Instance> {
        &self.config
    }

    pub const fn phase(&self) -> Phase {
        self.state.phase()
    }

    /// The priority that is advertised: the base and everything that tracks it.
    pub const fn priority(&self) -> u8 {
        self.priority
    }

    /// The sync group it belongs to.
    pub const fn group(&self) -> Option<GroupId> {
        self.group
    }

    /// The address it sends from.
    pub const fn source(&self) -> Option<IpAddr> {
        self.source
    }

    /// When it entered the state it is in.
    pub const fn since(&self) -> Instant {
        self.state.since()
    }

    /// What the priority is made of, besides the base.
    pub fn shares(&self) -> impl Iterator<Item = (&Factor, i32)> {
        self.findings.shares.iter().map(|share| (&share.reason, share.weight))
    }

    /// The base of the priority.
    pub const fn base_priority(&self) -> u8 {
        self.base
    }

    /// When its last advertisement went out.
    pub fn last_sent(&self) -> Option<Instant> {
        self.outbound.as_ref()?.sent
    }

    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(super) fn counters_mut(&mut self) -> &mut Counters {
        &mut self.counters
    }

    /// The master's advertisement interval as far as known.
    pub const fn master_interval(&self) -> Duration {
        self.master_interval
    }

    /// The priority of the master: ours while MASTER, else the last one heard.
    pub fn master_priority(&self) -> u8 {
        match self.state.get() {
            State::Master(_) => self.priority,
            _ => self.heard.map_or(0, |h| h.priority),
        }
    }

    /// What keeps it in FAULT.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.findings.faults.iter()
    }

    /// Every interface that matters to it, its own and those of its group included.
    pub fn trackers(&self) -> &[TrackedLink] {
        &self.trackers
    }

    /// Every script, file, process and BFD session that matters to it, those of its group included.
    pub fn tracked(&self) -> &[Tracked] {
        &self.tracked
    }

    /// The tracked objects whose first result it waits for, before it leaves INIT or FAULT.
    pub fn pending(&self) -> &[Object] {
        &self.findings.pending
    }

    /// What last changed the effective priority.
    pub fn priority_change(&self) -> Option<&PriorityChange> {
        self.priority_change.as_deref()
    }

    /// The state it would be in if its sync group did not hold it back (`Wantstate`); and before it
    /// has heard of any master, what `state` says.
    pub fn wanted_phase(&self) -> Phase {
        let hopes = self.config.initial_state == InitialState::Master && self.group.is_none();
        match self.state.get() {
            State::Backup(b) if b.wants_master => Phase::Master,
            State::Backup(b) if b.is_first && hopes && self.heard.is_none() => Phase::Master,
            _ => self.phase(),
        }
    }

    /// The addresses are wanted, and all in the kernel.
    pub const fn holds_addresses(&self) -> bool {
        matches!(self.state.get(), State::Master(Master { held: true, .. }))
    }

    /// As master: sends an advertisement.
    pub(super) fn advertise(&mut self, id: InstanceId, now: Instant, out: &mut Vec<Action>) {
        let priority = self.priority;
        let Some(m) = self.state.master() else { return };
        m.last_advert = now;
        m.is_quiet = false;
        out.push(Action::SendAdvert { id, priority });
    }

    /// As master: the addresses are there, so announcing them makes sense. If that moves traffic
    /// here, the advertisement after which its former master serves no more comes when it has moved.
    pub(super) fn announce(&mut self, id: InstanceId, now: Instant, out: &mut Vec<Action>) {
        let (garp, pause) = (Rc::clone(&self.config.garp), self.pause(MOVED));
        let Some(m) = self.state.master() else { return };
        if std::mem::take(&mut m.is_quiet) {
            m.next_advert = now + pause;
        }
        let repeat = m.announce.on_held(&garp, now);
        out.push(Action::Announce { id, repeat });
    }

    /// Time between two steps of a takeover from a master that is alive.
    pub(super) fn pause(&self, usual: Duration) -> Duration {
        usual.min(self.config.advert_interval / 2)
    }

    /// A master that has yet to yield may be there: it answers questions for the addresses.
    pub fn has_rival(&self, now: Instant) -> bool {
        let State::Master(master) = self.state.get() else { return false };
        master.announce.has_rival(now)
    }

    /// The last advertisement of another master, if there was one.
    pub fn heard_before(&self, now: Instant) -> Option<Heard> {
        self.heard.map(|h| Heard { from: h.addr, priority: h.priority, ago: now.since(h.at) })
    }

    /// Silence of this length means there is no master.
    pub fn master_down_interval(&self) -> Duration {
        timing::master_down(&self.config, self.priority, self.master_interval)
    }

    /// Version 3 follows the master's interval (RFC 9568 §6.4.2); version 2 never does.
    pub(super) fn learn_interval(&mut self, interval: Duration) {
        if self.config.version == Version::V3 && !interval.is_zero() {
            self.master_interval = interval;
        }
    }

    /// When it has something to do by itself.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines().into_iter().flatten().next()
    }

    /// The same by kind: what it owes others, and what it expects of them.
    pub(super) fn deadlines(&self) -> [Option<Instant>; 2] {
        match self.state.get() {
            State::Init | State::Waiting | State::Fault => [None, None],
            State::Backup(b) => [None, Some(b.master_down)],
            State::Master(m) => {
                let announces = m.announce.next_deadline();
                [Some(announces.map_or(m.next_advert, |a| a.min(m.next_advert))), None]
            }
        }
    }

    /// Works out again what everything it depends on means for it.
    pub(super) fn weigh(
        &self,
        link: impl Fn(&str) -> LinkState,
        object: impl Fn(&Object) -> TrackState,
    ) -> Findings {
        let mut w = Findings::default();
        w.faults.extend(self.config.standing_fault.map(Fault::Standing));
        w.faults.extend((*self.socket_error).clone().map(Fault::Socket));
        w.faults.extend((*self.refusal).clone().map(Fault::Refused));
        // Without its interfaces there is nothing to send on, tracked or not.
        let missing = |name: &&str| link(name) == LinkState::Missing;
        let gone = self.config.own_links().chain(self.config.vrf.as_deref()).filter(missing);
        w.faults.extend(gone.map(|name| Fault::LinkMissing(name.into())));
        for t in &self.trackers {
            w.add_link(t, link(&t.interface));
        }
        // A link that is gone or down has no address either; one reason is enough.
        if self.source.is_none() && w.faults.is_empty() {
            w.faults.insert(Fault::NoAddress);
        }
        for t in &self.tracked {
            w.add_object(t, object(&t.object));
        }
        w
    }

    /// What lowered the priority, if it would not be lower than `theirs` otherwise.
    pub(super) fn lowered_below(&self, theirs: u8) -> Option<PriorityChange> {
        let in_force = |c: &&PriorityChange| c.to == self.priority && c.to < theirs;
        self.priority_change.as_deref().filter(in_force).filter(|c| c.from >= theirs).cloned()
    }
}

/// What everything an instance depends on means for it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Findings {
    /// What the priority is made of.
    pub(super) shares: Vec<Share>,
    pub(super) faults: SortedSet<Fault>,
    /// What may turn out to be a fault: there is no result yet.
    pub(super) pending: Vec<Object>,
}

impl Blank for Findings {
    const BLANK: &'static Self =
        &Self { shares: Vec::new(), faults: SortedSet::new(), pending: Vec::new() };
}

impl Blank for SortedSet<IpAddr> {
    const BLANK: &'static Self = &Self::new();
}

impl Findings {
    pub(super) fn priority(&self, base: u8) -> u8 {
        priority::effective(base, self.shares.iter().map(|s| s.weight).sum())
    }

    /// Adds what is missing to the lowest priority.
    pub(super) fn lower(&mut self, base: u8, kind: OrderKind) {
        let sum = i32::from(base) + self.shares.iter().map(|s| s.weight).sum::<i32>();
        self.shares.push(Share { reason: Factor::Ordered(kind), weight: 1 - sum });
    }

    fn add_link(&mut self, t: &TrackedLink, state: LinkState) {
        let name = t.interface.clone();
        match priority::link_worth(t.weight, t.reverse, state) {
            Worth::Weight(weight) if t.weight != 0 => {
                self.shares.push(Share { reason: Factor::Link { name, state }, weight });
            }
            Worth::Weight(_) | Worth::Unknown => {}
            Worth::Fault(_) => {
                self.faults.insert(match state {
                    LinkState::Missing => Fault::LinkMissing(name),
                    LinkState::Down => Fault::Link(name),
                    LinkState::Up => Fault::LinkUp(name),
                });
            }
        }
    }

    fn add_object(&mut self, t: &Tracked, state: TrackState) {
        let object = t.object.clone();
        let worth = priority::object_worth(t.weight, t.reverse, &state);
        if let Worth::Weight(weight) | Worth::Fault(weight) = worth {
            if t.weight != 0 {
                let reason = Factor::Tracked { object: object.clone(), state: state.clone() };
                self.shares.push(Share { reason, weight });
            }
        }
        match worth {
            Worth::Weight(_) => {}
            Worth::Fault(_) => {
                self.faults.insert(Fault::Tracked { object, state });
            }
            Worth::Unknown => self.pending.push(object),
        }
    }
}

/// Every interface the instance depends on, each once: its own, those it tracks or its group
/// tracks (the group's weight wins, unless the instance tracks it without one), and those of its
/// addresses, routes and rules.
pub(super) fn trackers(
    config: &model::vrrp::Instance,
    of_group: &[TrackedLink],
) -> Box<[TrackedLink]> {
    let mut list: Vec<TrackedLink> = Vec::new();
    let made = config.vlink.iter().map(|link| link.name.as_str().into());
    let own = config.interface.iter().cloned().chain(made);
    let own = own.filter(|_| !config.dont_track_primary);
    let fault = |interface| TrackedLink { interface, weight: 0, reverse: false };
    list.extend(own.map(fault));
    let is_plain = |t: &&TrackedLink| t.weight == 0;
    let plain = config.tracked_links.iter().filter(is_plain);
    for t in plain.chain(of_group).chain(&config.tracked_links) {
        if !list.iter().any(|known| known.interface == t.interface) {
            list.push(t.clone());
        }
    }
    for interface in config.interfaces_of_objects() {
        let own = config.own_links().any(|own| own == interface);
        if !own && !list.iter().any(|known| known.interface == interface) {
            list.push(fault(interface.into()));
        }
    }
    list.into()
}

/// Every other object it depends on, each once. What its group tracks wins.
pub(super) fn tracked(config: &model::vrrp::Instance, of_group: &[Tracked]) -> Box<[Tracked]> {
    let mut list = of_group.to_vec();
    for t in &config.tracked {
        if !list.iter().any(|known| known.object == t.object) {
            list.push(t.clone());
        }
    }
    list.into()
}
