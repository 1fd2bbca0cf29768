//! Connects virtual servers, their checks and IPVS: an action of one core becomes an input of
//! another, a probe, or a request to the kernel.
//!
//! The loop calls only the functions below: `open` and `adopt` with a configuration, `on_ready` for
//! sockets, `on_script_*` for commands, `on_file`, `on_bfd`, `on_vrrp` and `on_address` for facts,
//! `serve` once in every turn, `stop` and `remove_marks` at the end. Events for notifications are
//! collected in `told`.
//!
//! What follows from an action waits in an inbox of its own, not in that of the runtime: the runtime
//! empties its inbox whenever VRRP is due, and this one holds bulk work, whose handling stops at once
//! when VRRP is due.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::base::ids::{CheckId, ServiceId};
use crate::base::name::SharedName;
use crate::base::ratelimit::RateLimit;
use crate::base::recalled::RecalledService;
use crate::base::sorted::{SortedMap, SortedSet};
use crate::base::time::{Duration, Instant};
use crate::base::tracked::TrackState;
use crate::check::{pool, tls, Pool};
use crate::daemon::commands::children::Children;
use crate::daemon::inbox::{self, MOST_ROUNDS};
use crate::daemon::journal::Journal;
use crate::daemon::lvs::probes::Probes;
use crate::daemon::tokens::{Asker, Owner};
use crate::holdings::ipvs;
use crate::lvs::{Action, Domain, Input, ServerOrder};
use crate::model::check::Kind;
use crate::model::diff::{self, Change};
use crate::model::lvs::{AddressGroup, SyncDaemon, VirtualServer};
use crate::model::Config;
use crate::sys::children::{Outcome, Pid};
use crate::sys::clock::Clock;
use crate::sys::ipvs::Ipvs;
use crate::sys::poll::Poll;
use crate::wire::netlink::ipvs::{Destination, DestinationKey, Request};

pub(super) mod director;
mod execute;
mod kernel;
mod keys;
mod marks;
pub(super) mod operator;
pub(super) mod probes;
mod report;
#[cfg(test)]
mod tests;
mod told;
mod traffic;

pub(super) use told::Told;

/// Loop resources borrowed for one call.
pub(super) struct LoopContext<'a> {
    pub(super) poll: &'a mut Poll<Owner>,
    pub(super) children: &'a mut Children<Asker>,
    pub(super) journal: &'a mut Journal,
    /// Read recently, and again by every call of `urgent`.
    pub(super) clock: &'a Clock,
    /// True if more important work is due and the rest has to wait for the next turn.
    pub(super) urgent: &'a dyn Fn() -> bool,
}

/// Follow-up of an action. It enters a core only after the action is done.
#[derive(Debug)]
enum Message {
    Check(pool::Input<'static>),
    Lvs(Input),
    Want(ServiceId),
    Put(ServiceId, Destination),
    Withdraw(ServiceId, DestinationKey),
    Release(ServiceId),
}

/// What is known of the real servers of a virtual server from before a restart, by their places.
#[derive(Default)]
pub(super) struct Past {
    pub(super) recalled: RecalledService,
    pub(super) orders: Vec<(usize, ServerOrder)>,
}

pub(super) struct Lvs {
    pub(super) domain: Domain,
    pub(super) pool: Pool,
    probes: Probes,
    holdings: ipvs::Domain,
    /// `None` while IPVS is not needed.
    kernel: Option<Ipvs<Request>>,
    /// The marks that lead packets to services.
    marks: marks::Marks,
    /// Ids of the virtual servers in the order of the configuration.
    ids: Vec<ServiceId>,
    groups: SortedMap<String, AddressGroup>,
    tls: Option<tls::Material>,
    sync_daemon: Option<SyncDaemon>,
    /// Virtual routers in state MASTER.
    masters: SortedSet<SharedName>,
    /// `-I`: IPVS is left unchanged at the end.
    keep: bool,

    /// Changes of a configuration, applied in small batches, since there may be thousands of
    /// servers.
    pending: VecDeque<Input>,
    inbox: VecDeque<Message>,
    lvs_actions: Vec<Action>,
    pool_actions: Vec<pool::Action>,
    /// Actions not yet carried out, since opening sockets takes time.
    backlog: VecDeque<pool::Action>,
    ipvs_actions: Vec<ipvs::Action>,
    answers: Vec<(Request, i32)>,
    told: Vec<Told>,
    unmade: RateLimit,
    /// What IPVS counts, while metrics are written.
    traffic: traffic::Counts,
    /// Rate of attempts to reopen IPVS: the kernel starts modprobe for each.
    renewals: RateLimit,
}

impl Lvs {
    /// The script of a check that goes on if the program is replaced, and when it began. One that has
    /// taken too long does not.
    pub(super) fn lasting_script(&self, check: CheckId) -> Option<(Pid, Instant)> {
        self.probes.script(check)
    }

    /// Starts with one probe at a time; [`Pool::limit_to`] raises the limit.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            domain: Domain::default(),
            pool: Pool::new(1, seed),
            probes: Probes::new(seed.rotate_left(32)),
            holdings: ipvs::Domain::default(),
            kernel: None,
            marks: marks::Marks::default(),
            ids: Vec::new(),
            groups: SortedMap::new(),
            tls: None,
            sync_daemon: None,
            masters: SortedSet::new(),
            keep: false,
            pending: VecDeque::new(),
            inbox: VecDeque::new(),
            lvs_actions: Vec::new(),
            pool_actions: Vec::new(),
            backlog: VecDeque::new(),
            ipvs_actions: Vec::new(),
            answers: Vec::new(),
            told: Vec::new(),
            unmade: RateLimit::new(5, Duration::from_secs(2)),
            traffic: traffic::Counts::default(),
            renewals: RateLimit::new(1, Duration::from_secs(10)),
        }
    }

    /// Time when `serve` next has work.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let holdings = self.holdings.next_deadline().filter(|_| !self.is_adopting());
        let marks = self.marks.next_deadline();
        let all = [self.pool.next_deadline(), self.probes.next_deadline(), holdings, marks];
        all.into_iter().flatten().min()
    }

    /// True if work is pending that waits for no event, so that the next turn must begin at once.
    pub(super) fn is_in_hurry(&self) -> bool {
        self.kernel.as_ref().is_some_and(|kernel| !kernel.is_idle()) || self.is_adopting()
    }

    /// True if probes can begin or continue without waiting for an event.
    pub(super) fn is_behind(&self) -> bool {
        !self.backlog.is_empty() || self.probes.unread() > 0
    }

    /// True if answers of servers are expected.
    pub(super) fn is_probing(&self) -> bool {
        self.probes.is_any()
    }

    /// Number of probe steps since the daemon started.
    pub(super) const fn steps(&self) -> u64 {
        self.probes.steps()
    }

    /// True while a configuration is only partly applied; `serve` continues it.
    pub(super) fn is_adopting(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The kernel has IPVS.
    pub(super) const fn has_kernel(&self) -> bool {
        self.kernel.is_some()
    }

    /// All virtual servers in the order of the configuration.
    pub(super) fn services(&self) -> impl Iterator<Item = &crate::lvs::Service> + Clone {
        self.ids.iter().filter_map(|id| self.domain.service(*id))
    }

    pub(super) fn service_by_id(&self, id: ServiceId) -> Option<&crate::lvs::Service> {
        self.domain.service(id)
    }

    /// The id of a virtual server of this configuration, which is in force.
    pub(super) fn id_of(&self, name: &str, config: &Config) -> Option<ServiceId> {
        let mut all = config.virtual_servers.iter().zip(&self.ids);
        all.find(|(service, _)| service.to_string() == name).map(|(_, id)| *id)
    }

    /// One virtual server, by its place in the configuration.
    pub(super) fn service(&self, index: usize) -> Option<&crate::lvs::Service> {
        self.domain.service(*self.ids.get(index)?)
    }

    /// Events for notifications since the last call.
    pub(super) fn told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// Replaces one configuration, which is empty at the start, by another. Most of the work is
    /// done by `serve`. `recall`: what was before a restart. Unchanged virtual servers are shared with `old`.
    pub(super) fn adopt(
        &mut self,
        old: &Config,
        new: &mut Config,
        recall: impl Fn(&VirtualServer) -> Past,
        now: Instant,
    ) {
        self.groups = new.address_groups.iter().map(|g| (g.name.clone(), g.clone())).collect();
        self.adopt_tls(new);
        self.adopt_settings(&new.lvs, now);
        self.want_marks(new, now);
        let mut ids = SortedMap::new();
        for change in diff::virtual_servers(old, new) {
            match change {
                Change::Remove { old } => {
                    self.pending.push_back(Input::Remove { id: self.ids[old] });
                }
                Change::Keep { old: o, new: n } => {
                    ids.insert(n, self.ids[o]);
                    new.virtual_servers[n] = Rc::clone(&old.virtual_servers[o]);
                }
                Change::Adjust { old: o, new: n } => {
                    let (id, config) = (self.ids[o], Rc::clone(&new.virtual_servers[n]));
                    report::group(&config, old, new);
                    ids.insert(n, id);
                    self.pending.push_back(Input::Adjust { id, config });
                }
                Change::Add { new: n } => {
                    let id = self.domain.vacant_id();
                    ids.insert(n, id);
                    let config = Rc::clone(&new.virtual_servers[n]);
                    let Past { recalled, orders } = recall(&config);
                    self.pending.push_back(Input::Add { id, config, recalled });
                    for (index, order) in orders {
                        self.pending.push_back(Input::Order { id, index, order: Some(order) });
                    }
                    let init_notifies = new.lvs.init_notifies;
                    self.pending.push_back(Input::Start { init_notifies });
                }
            }
        }
        self.ids = ids.into_values().collect();
    }

    /// Loads the key material if a check needs it.
    fn adopt_tls(&mut self, new: &Config) {
        let servers = new.virtual_servers.iter().flat_map(|vs| &vs.servers);
        let speaks = |kind: &Kind| matches!(kind, Kind::Http(_, http) if http.tls);
        let needed = servers.flat_map(|rs| &rs.checks).any(|check| speaks(&check.kind));
        if !needed {
            return;
        }
        let made = keys::read(&new.lvs.tls).and_then(|material| {
            // Unchanged material keeps its sessions.
            if self.tls.as_ref() != Some(&material) {
                self.probes.set_tls(Some(tls::Client::new(&material)?));
            }
            Ok(material)
        });
        if let Err(e) = &made {
            log::error!("{e}: SSL_GET checks are suspended until a reload succeeds");
            self.probes.set_tls(None);
        }
        self.tls = made.ok();
    }

    /// Starts the shutdown. `serve` has to be called until `is_settled`.
    pub(super) fn stop(&mut self, release: Release, context: &mut LoopContext<'_>) {
        self.pending.clear();
        self.keep = release == Release::Nothing;
        let flush = matches!(release, Release::Services | Release::Everything);
        self.hand(Input::Stop { flush }, context);
        // Without IPVS, requests would never be answered.
        if !self.keep && self.kernel.is_some() {
            let flush = release == Release::Everything;
            let input = ipvs::Input::ReleaseAll { flush };
            self.holdings.handle(input, context.clock.recent(), &mut self.ipvs_actions);
            self.drain(context);
        }
    }

    /// True if the kernel has answered all requests.
    pub(super) fn is_settled(&self) -> bool {
        !self.holdings.is_settling()
    }

    /// A socket of this check is readable or writable.
    pub(super) fn on_ready(&mut self, check: CheckId, context: &mut LoopContext<'_>) {
        self.probes.on_ready(check, context.clock.recent(), context.poll);
        self.drain(context);
    }

    /// The script of a check timed out.
    pub(super) fn on_script_timed_out(&mut self, check: CheckId, now: Instant) {
        self.probes.on_script_timed_out(check, now);
    }

    pub(super) fn on_script_ended(
        &mut self,
        check: CheckId,
        pid: Pid,
        outcome: Outcome,
        now: Instant,
    ) {
        let config = self.pool.check(check).map(|entry| entry.config());
        let dynamic = matches!(config.map(|c| &c.kind), Some(Kind::Misc(misc)) if misc.dynamic);
        self.probes.on_script_ended(check, pid, outcome, dynamic, now);
    }

    /// A tracked file has this value.
    pub(super) fn on_file(&mut self, name: &str, value: i64, now: Instant) {
        let input = pool::Input::File { name, value };
        self.pool.handle(input, now, &mut self.pool_actions);
    }

    /// A BFD session has this state.
    pub(super) fn on_bfd(&mut self, name: &str, state: &TrackState, now: Instant) {
        self.pool.handle(pool::Input::Bfd { name, state }, now, &mut self.pool_actions);
    }

    /// An address was added to this host or removed.
    pub(super) fn on_address(&mut self, addr: std::net::IpAddr, present: bool, now: Instant) {
        self.domain.handle(Input::Address { addr, present }, now, &mut self.lvs_actions);
    }

    /// Handles everything that is due, unless more urgent work interrupts it.
    pub(super) fn serve(&mut self, context: &mut LoopContext<'_>) {
        self.drain(context);
        while self.is_adopting() && !(context.urgent)() {
            let Some(input) = self.pending.pop_front() else { break };
            self.hand(input, context);
        }
        self.serve_kernel(context);
        let now = context.clock.recent();
        // At least one of each kind: otherwise servers that send constantly would take all the
        // time, and timeouts of others would never be noticed.
        while self.probes.on_deadline(now, context.poll) {
            self.drain(context);
            if (context.urgent)() {
                break;
            }
        }
        // Each probe has a share; those with more to read wait for the next turn.
        for _ in 0..self.probes.unread() {
            self.probes.on_unread(now, context.poll);
            self.drain(context);
            if (context.urgent)() {
                break;
            }
        }
        if is_due(self.pool.next_deadline(), now) && self.backlog.is_empty() {
            self.pool.handle(pool::Input::Deadline, now, &mut self.pool_actions);
            self.drain(context);
        }
        self.serve_kernel(context);
        self.serve_marks(context);
    }

    /// Serves IPVS before and after probes begin, since known results matter more than new probes.
    fn serve_kernel(&mut self, context: &mut LoopContext<'_>) {
        let now = context.clock.recent();
        // An object that moves between virtual servers must not be removed in between.
        let complete = !self.is_adopting();
        if complete && is_due(self.holdings.next_deadline(), now) && !(context.urgent)() {
            self.holdings.handle(ipvs::Input::Deadline, now, &mut self.ipvs_actions);
            self.drain(context);
        }
        while self.kernel.as_ref().is_some_and(|k| !k.is_idle()) && !(context.urgent)() {
            self.flush_kernel(context.clock.recent());
            self.drain(context);
        }
    }

    fn hand(&mut self, input: Input, context: &mut LoopContext<'_>) {
        self.domain.handle(input, context.clock.recent(), &mut self.lvs_actions);
        self.drain(context);
    }

    /// Carries out actions and delivers their results until none are left, or until urgent work is
    /// due between two probes.
    fn drain(&mut self, context: &mut LoopContext<'_>) {
        for _ in 0..MOST_ROUNDS {
            let mut actions = std::mem::take(&mut self.lvs_actions);
            for action in actions.drain(..) {
                context.journal.lvs(&action, context.clock.recent());
                self.execute(action);
            }
            self.lvs_actions = actions;
            let mut actions = std::mem::take(&mut self.ipvs_actions);
            actions.drain(..).for_each(|action| self.execute_ipvs(&action));
            self.ipvs_actions = actions;
            self.backlog.extend(self.pool_actions.drain(..));
            self.take_finished(context.clock);
            if let Some(message) = self.inbox.pop_front() {
                self.deliver(message, context.clock.recent());
            } else if let Some(action) = self.backlog.pop_front() {
                let begins = matches!(action, pool::Action::Begin { .. });
                self.execute_check(action, context);
                // `is_behind` has to see the remaining actions.
                if begins && !self.backlog.is_empty() && (context.urgent)() {
                    return;
                }
            } else if self.lvs_actions.is_empty() && self.ipvs_actions.is_empty() {
                return;
            }
        }
        inbox::complain();
    }
}

/// Objects removed from the kernel at the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Release {
    /// `--dont-release-ipvs`.
    Nothing,
    /// Objects installed by the daemon.
    Ours,
    /// `lvs_flush_on_stop VS`: the daemon's services, together with all their servers.
    Services,
    /// `lvs_flush_on_stop`: the entire IPVS table.
    Everything,
}

fn is_due(when: Option<Instant>, now: Instant) -> bool {
    when.is_some_and(|when| when <= now)
}
