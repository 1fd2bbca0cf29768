//! The VRRP core: every virtual router and sync group. Pure: time comes in as an argument, what
//! is to be done goes out as actions.
//!
//! `receive` decides what is acceptable, `hear` what that does to a state, `tracking` what else a
//! router depends on, `transition` what time does and how states are entered, `membership` what that
//! means for a sync group, `timing` how long to wait, `announce` when to send gratuitous ARP.

use std::collections::BTreeMap;

use crate::base::deadlines::NumberedDeadlines;
use crate::base::ids::{GroupId, InstanceId};
use crate::base::name::SharedName;
use crate::base::time::{Duration, Instant};
use crate::model::track::Object;

pub mod action;
pub mod advert;
mod announce;
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
mod outbound;
mod priority;
pub mod receive;
mod refused;
mod state;
#[cfg(test)]
mod tests;
pub mod timing;
mod tracking;
mod transition;
mod watchers;

use membership::Mover;
use watchers::Watchers;

pub use crate::base::tracked::TrackState;
pub use action::{Action, Note, Phase};
pub use group::Group;
pub use input::{Input, LinkState, Unread};
pub use instance::Instance;
pub use outbound::Outbound;

/// All virtual routers of the daemon.
#[derive(Debug, Default)]
pub struct Domain {
    instances: Vec<Option<Instance>>,
    /// Ids of instances that are gone.
    vacant: Vec<InstanceId>,
    groups: Vec<Group>,
    /// The interfaces as last reported.
    links: BTreeMap<String, LinkState>,
    link_watchers: Watchers<SharedName>,
    /// The tracked scripts, files, processes and BFD sessions as last reported.
    objects: BTreeMap<Object, TrackState>,
    object_watchers: Watchers<Object>,
    /// What masters owe the others: advertisements, announcements.
    owed: NumberedDeadlines<InstanceId>,
    /// What backups expect of others. An unread packet may move it.
    expected: NumberedDeadlines<InstanceId>,
    absences: timing::Absences,
    /// `vrrp_startup_delay`, measured from the first start.
    startup_delay: Duration,
    startup_until: Option<Instant>,
    /// The first member of each sync group that moved because of the fact at hand.
    movers: BTreeMap<GroupId, Mover>,
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
        match input {
            Input::Add { id, config } => self.on_add(id, config, now),
            Input::Adjust { id, config } => self.on_adjust(id, config, now, out),
            Input::Remove { id } => self.on_remove(id, now, out),
            Input::Groups(groups) => self.on_groups(groups, now, out),
            Input::Start => self.on_start(now, out),
            Input::Link { name, state } => self.on_link(name, state, now, out),
            Input::Tracked { object, state } => self.on_tracked(object, state, now, out),
            Input::Source { id, source } => self.on_need(id, |i| &mut i.source, source, now, out),
            Input::Socket { id, error } => {
                self.on_need(id, |i| &mut i.socket_error, error, now, out)
            }
            Input::Addresses { id, refusal } => {
                self.on_need(id, |i| &mut i.refusal, refusal, now, out)
            }
            Input::Packet { id, packet } => self.on_packet(id, &packet, now, out),
            Input::Held { id } => self.on_held(id, now, out),
            Input::Deadline => self.on_deadline(Unread::Nothing, now, out),
            Input::DeadlineAmid(unread) => self.on_deadline(unread, now, out),
            Input::Stop => self.on_stop(now, out),
        }
        // Looking at everything after each fact is not for thousands.
        if cfg!(debug_assertions) && self.instances.len() <= 64 {
            self.check_invariants();
        }
    }

    /// When `handle(Input::Deadline, ..)` next has work. Early calls do nothing.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.owed.next().into_iter().chain(self.expected.next()).min()
    }

    /// When a master next owes something, which nothing unread can change.
    pub fn next_owed(&self) -> Option<Instant> {
        self.owed.next()
    }

    pub fn instance(&self, id: InstanceId) -> Option<&Instance> {
        self.instances.get(id.0 as usize)?.as_ref()
    }

    /// Counts an advertisement that went out (or was refused by the kernel: not counted).
    pub fn count_sent(&mut self, id: InstanceId, priority: u8) {
        if let Some(i) = self.instance_mut(id) {
            let counters = i.counters_mut();
            if priority == 0 {
                counters.pri_zero_sent += 1;
            } else {
                counters.advert_sent += 1;
            }
        }
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
            debug_assert!(may_run, "{id} is {phase:?} with {:?}", i.faults);
        }
    }

    /// Files the instance's deadline anew. Everything that changes an instance ends here.
    fn rearm(&mut self, id: InstanceId) {
        let [owed, expected] = self.instance(id).map(Instance::deadlines).unwrap_or_default();
        self.owed.set(id, owed);
        self.expected.set(id, expected);
    }
}
