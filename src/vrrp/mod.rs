//! The VRRP core: every virtual router and sync group. Pure: time comes in as an argument, what
//! is to be done goes out as actions.
//!
//! `receive` decides what is acceptable, `hear` what that does to a state, `tracking` what else a
//! router depends on, `transition` what time does and how states are entered, `membership` what that
//! means for a sync group, `timing` how long to wait, `announce` when to send gratuitous ARP.

use std::net::IpAddr;
use std::rc::Rc;

use crate::base::absences::Absences;
use crate::base::deadlines::NumberedDeadlines;
use crate::base::ids::{GroupId, InstanceId};
use crate::base::name::SharedName;
use crate::base::sorted::SortedMap;
use crate::base::time::{Duration, Instant};
use crate::model::track::Object;

pub mod action;
pub mod advert;
mod announce;
pub mod auth;
pub mod cause;
mod checksum;
mod fault;
mod group;
mod hear;
pub mod input;
mod instance;
mod lifecycle;
mod membership;
mod noted;
mod operator;
mod outbound;
mod past;
mod priority;
pub mod receive;
pub mod refusals;
mod refused;
mod resume;
mod state;
#[cfg(test)]
mod tests;
pub mod timing;
mod tracking;
mod transition;
mod watchers;

use cause::Cause;
use membership::Mover;
use operator::{Heirs, Orders};
use refusals::{Refusal, Refusals};
use resume::Recalled;
use watchers::Watchers;

pub use crate::base::tracked::TrackState;
pub use action::{Action, Note, Phase};
pub use group::Group;
pub use input::{Input, LinkState, Unread};
pub use instance::Instance;
pub use operator::{
    Heir, Objection, Order, OrderEnd, OrderKind, OrderNews, OrderResult, StandingOrder, Taken,
};
pub use outbound::Outbound;
pub use past::{Mark, Past};

/// All virtual routers of the daemon.
#[derive(Debug, Default)]
pub struct Domain {
    instances: Vec<Option<Instance>>,
    /// Ids of instances that are gone.
    vacant: Vec<InstanceId>,
    groups: Vec<Group>,
    /// The interfaces as last reported.
    links: SortedMap<String, LinkState>,
    link_watchers: Watchers<SharedName>,
    /// The tracked scripts, files, processes and BFD sessions as last reported.
    objects: SortedMap<Object, TrackState>,
    object_watchers: Watchers<Object>,
    /// What masters owe the others: advertisements, announcements.
    owed: NumberedDeadlines<InstanceId>,
    /// What backups expect of others. An unread packet may move it.
    expected: NumberedDeadlines<InstanceId>,
    absences: Absences,
    refusals: Refusals,
    /// Why instances are in their states; those that only started have none.
    causes: SortedMap<InstanceId, Rc<Cause>>,
    /// Bases of priorities that an operator ordered.
    ordered: SortedMap<InstanceId, u8>,
    /// Failovers and maintenance.
    orders: Orders,
    /// The routers that were heard as masters.
    heirs: Heirs,
    /// The instance that the command at hand is about.
    commanded: Option<InstanceId>,
    /// Masterships of the run before, until their instances have begun.
    recalled: SortedMap<InstanceId, Recalled>,
    /// `vrrp_startup_delay`, measured from the first start.
    startup_delay: Duration,
    startup_until: Option<Instant>,
    /// The first member of each sync group that moved because of the fact at hand.
    movers: SortedMap<GroupId, Mover>,
    /// Reused from deadline to deadline.
    due: Vec<InstanceId>,
}

impl Domain {
    pub fn new(startup_delay: Duration) -> Self {
        Self { startup_delay, ..Self::default() }
    }

    /// The state of a tracked object, as last reported.
    pub fn tracked(&self, object: &Object) -> &TrackState {
        self.objects.get(object).unwrap_or(&TrackState::Pending)
    }

    /// Takes one fact. Appends what must be done, in the order it must be done.
    pub fn handle(&mut self, input: Input<'_>, now: Instant, out: &mut Vec<Action>) {
        self.movers.clear();
        let (before, unread) = (out.len(), input.unread());
        match input {
            Input::Add { id, config } => self.on_add(id, config, now),
            Input::Adjust { id, config } => self.on_adjust(id, config, now, out),
            Input::Recall { id, silent, interval } => {
                self.on_recall(id, silent, interval, now, out);
            }
            Input::Remove { id } => self.on_remove(id, now, out),
            Input::Groups(groups) => self.on_groups(groups, now, out),
            Input::Start => self.on_start(now, out),
            Input::Link { name, state } => self.on_link(name, state, now, out),
            Input::Tracked { object, state } => self.on_tracked(object, state, now, out),
            Input::Source { id, source } => self.on_need(id, |i| &mut i.source, source, now, out),
            Input::Socket { id, error } => {
                self.on_need(id, |i| &mut i.socket_error, error.into(), now, out)
            }
            Input::Addresses { id, refusal } => {
                self.on_need(id, |i| &mut i.refusal, refusal.into(), now, out)
            }
            Input::Packet { id, packet } => self.on_packet(id, &packet, now, out),
            Input::Held { id } => self.on_held(id, now, out),
            Input::Priority { id, base } => self.on_priority(id, base, now, out),
            Input::Order(order) => self.on_order(order, now, out),
            Input::Deadline => self.on_deadline(Unread::Nothing, now, out),
            Input::DeadlineAmid(unread) => self.on_deadline(unread, now, out),
            Input::Stop => self.on_stop(now, out),
        }
        self.follow_orders(unread, now, out);
        self.note_causes(out.get(before..).unwrap_or_default());
        // Looking at everything after each fact is not for thousands.
        if cfg!(debug_assertions) && self.instances.len() <= 64 {
            self.check_invariants();
        }
    }

    /// When `handle(Input::Deadline, ..)` next has work. Early calls do nothing.
    pub fn next_deadline(&self) -> Option<Instant> {
        let others = self.expected.next().into_iter().chain(self.orders.next_deadline());
        self.owed.next().into_iter().chain(others).min()
    }

    /// When a master next owes something, which nothing unread can change.
    pub fn next_owed(&self) -> Option<Instant> {
        self.owed.next()
    }

    pub fn instance(&self, id: InstanceId) -> Option<&Instance> {
        self.instances.get(id.0 as usize)?.as_ref()
    }

    fn note_causes(&mut self, actions: &[Action]) {
        for action in actions {
            match action {
                Action::Changed { id, cause, .. } if !cause.is_start() => {
                    self.causes.insert(*id, Rc::clone(cause));
                }
                Action::Changed { id, .. } => _ = self.causes.remove(id),
                _ => {}
            }
        }
    }

    /// Why an instance entered the state it is in; `None`: because it started.
    pub fn cause(&self, id: InstanceId) -> Option<&Cause> {
        self.causes.get(&id).map(|cause| &**cause)
    }

    /// The last advertisements for this instance that were refused, by sender.
    pub fn refusals(&self, id: InstanceId) -> impl Iterator<Item = (IpAddr, &Refusal)> {
        self.refusals.of(id)
    }

    /// The instances that track an interface.
    pub fn watchers_of_link(&self, name: &str) -> Vec<InstanceId> {
        self.link_watchers.of(name)
    }

    /// The instances that track a script, file, process or BFD session.
    pub fn watchers_of(&self, object: &Object) -> Vec<InstanceId> {
        self.object_watchers.of(object)
    }

    /// Counts an advertisement that went out (or was refused by the kernel: not counted). Gives the
    /// interval that it promised.
    pub fn count_sent(&mut self, id: InstanceId, priority: u8, now: Instant) -> Option<Duration> {
        let i = self.instance_mut(id)?;
        if let Some(outbound) = &mut i.outbound {
            outbound.sent = Some(now);
        }
        let counters = i.counters_mut();
        if priority == 0 {
            counters.pri_zero_sent += 1;
            return None;
        }
        counters.advert_sent += 1;
        Some(i.config.advert_interval)
    }

    /// Sets the counters of every instance back to zero.
    pub fn clear_counters(&mut self) {
        for i in self.instances.iter_mut().flatten() {
            *i.counters_mut() = receive::Counters::default();
        }
    }

    /// Every instance, in the order of ids.
    pub fn instances(&self) -> impl Iterator<Item = (InstanceId, &Instance)> {
        (0..).map(InstanceId).zip(&self.instances).filter_map(|(id, i)| Some((id, i.as_ref()?)))
    }

    pub fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(id.0 as usize)
    }

    /// Every sync group, in the order of the file.
    pub fn groups(&self) -> impl Iterator<Item = (GroupId, &Group)> {
        (0..).map(GroupId).zip(&self.groups)
    }

    /// The last sequence number of an instance with authenticated advertisements.
    pub fn sequence(&self, id: InstanceId) -> Option<u64> {
        self.instance(id)?.guard.as_ref()?.last()
    }

    /// A run before this one has used this sequence number, or still advertises.
    pub fn recall_sequence(&mut self, id: InstanceId, last: u64, still_advertises: bool) {
        if let Some(guard) = self.instance_mut(id).and_then(|i| i.guard.as_mut()) {
            guard.follow(last, still_advertises);
        }
    }

    fn instance_mut(&mut self, id: InstanceId) -> Option<&mut Instance> {
        self.instances.get_mut(id.0 as usize)?.as_mut()
    }

    fn link_state(&self, name: &str) -> LinkState {
        self.links.get(name).copied().unwrap_or(LinkState::Missing)
    }

    /// Until when nothing is sent or believed, if that is still ahead.
    fn delayed_until(&self, now: Instant) -> Option<Instant> {
        self.startup_until.filter(|&until| now < until)
    }

    /// What is true between any two facts.
    fn check_invariants(&self) {
        for (id, i) in self.instances() {
            let phase = i.phase();
            let filed = [self.owed.of(&id), self.expected.of(&id)];
            debug_assert_eq!(filed, i.deadlines(), "{id} is filed wrong");
            // The other way round there is a moment, between `Remove` and `Groups`.
            let may_run = phase == Phase::Init || phase == Phase::Fault || !self.is_faulted(id);
            debug_assert!(may_run, "{id} is {phase:?} with {:?}", i.findings);
        }
    }

    /// Files the instance's deadline anew. Everything that changes an instance ends here.
    fn rearm(&mut self, id: InstanceId) {
        let [owed, expected] = self.instance(id).map(Instance::deadlines).unwrap_or_default();
        self.owed.set(id, owed);
        self.expected.set(id, expected);
    }
}
