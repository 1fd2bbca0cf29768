//! Virtual servers, their checks and IPVS, put together: what one core decides becomes an input of
//! the next, a probe, or a request to the kernel.
//!
//! Whoever owns the loop calls the hooks below and nothing else: `open` and `adopt` with a
//! configuration, `on_ready` for sockets, `on_script_*` for commands, `on_file`, `on_bfd`, `on_vrrp`
//! and `on_address` for facts, `serve` once in every turn, `stop` at the end. What others are to be
//! told is in `told`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use crate::base::ids::{CheckId, ServiceId};
use crate::base::ratelimit::RateLimit;
use crate::base::time::{Duration, Instant};
use crate::check::{pool, tls, Pool};
use crate::daemon::commands::children::Children;
use crate::daemon::lvs::probes::Probes;
use crate::daemon::tokens::{Asker, Owner};
use crate::holdings::ipvs;
use crate::lvs::{Action, Domain, Input};
use crate::model::check::Kind;
use crate::model::diff::{self, Change};
use crate::model::lvs::{AddressGroup, SyncDaemon};
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
pub(super) mod probes;
mod report;
#[cfg(test)]
mod tests;
mod told;

pub(super) use told::Told;

/// Loop resources borrowed for one call.
pub(super) struct LoopContext<'a> {
    pub(super) poll: &'a mut Poll<Owner>,
    pub(super) children: &'a mut Children<Asker>,
    /// Read a moment ago, and again by every `urgent`.
    pub(super) clock: &'a Clock,
    /// Something more important is due: the rest waits for the next turn.
    pub(super) urgent: &'a dyn Fn() -> bool,
}

/// What carrying out an action causes; it enters a core only after the action.
#[derive(Debug)]
enum Message {
    Check(pool::Input<'static>),
    Lvs(Input),
    Want(ServiceId),
    Put(ServiceId, Destination),
    Withdraw(ServiceId, DestinationKey),
    Release(ServiceId),
}

pub(super) struct Lvs {
    pub(super) domain: Domain,
    pub(super) pool: Pool,
    probes: Probes,
    holdings: ipvs::Domain,
    /// `None` while nothing is wanted of it.
    kernel: Option<Ipvs<Request>>,
    /// The number of each virtual server, in the order of the configuration.
    ids: Vec<ServiceId>,
    groups: BTreeMap<String, AddressGroup>,
    tls: Option<tls::Material>,
    sync_daemon: Option<SyncDaemon>,
    /// Virtual routers that are master.
    masters: BTreeSet<String>,
    /// `-I`: what is in the kernel stays there.
    keep: bool,

    /// What a configuration brings; thousands of servers are taken on a few at a time.
    pending: VecDeque<Input>,
    inbox: VecDeque<Message>,
    lvs_actions: Vec<Action>,
    pool_actions: Vec<pool::Action>,
    /// Decided, and not yet done: sockets take their time.
    backlog: VecDeque<pool::Action>,
    ipvs_actions: Vec<ipvs::Action>,
    answers: Vec<(Request, i32)>,
    told: Vec<Told>,
    unmade: RateLimit,
    /// Of looking for an IPVS that may be gone: the kernel starts modprobe for it.
    renewals: RateLimit,
}

impl Lvs {
    /// One probe at a time, until [`Pool::limit_to`] allows more.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            domain: Domain::default(),
            pool: Pool::new(1, seed),
            probes: Probes::new(seed.rotate_left(32)),
            holdings: ipvs::Domain::default(),
            kernel: None,
            ids: Vec::new(),
            groups: BTreeMap::new(),
            tls: None,
            sync_daemon: None,
            masters: BTreeSet::new(),
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
            renewals: RateLimit::new(1, Duration::from_secs(10)),
        }
    }

    /// When `serve` next has work.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let holdings = self.holdings.next_deadline().filter(|_| !self.is_adopting());
        let all = [self.pool.next_deadline(), self.probes.next_deadline(), holdings];
        all.into_iter().flatten().min()
    }

    /// There is work that waits for no event: the next turn is to begin at once.
    pub(super) fn is_in_hurry(&self) -> bool {
        self.kernel.as_ref().is_some_and(|kernel| !kernel.is_idle()) || self.is_adopting()
    }

    /// Probes are to be begun, or gone on with, that wait for no event.
    pub(super) fn is_behind(&self) -> bool {
        !self.backlog.is_empty() || self.probes.unread() > 0
    }

    /// Answers of servers are to be expected.
    pub(super) fn is_probing(&self) -> bool {
        self.probes.is_any()
    }

    /// Probes begun, or gone on with, since the daemon started.
    pub(super) const fn steps(&self) -> u64 {
        self.probes.steps()
    }

    /// A configuration is not in force as a whole yet: `serve` goes on with it.
    pub(super) fn is_adopting(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Every virtual server, in the order of the configuration.
    pub(super) fn services(&self) -> impl Iterator<Item = &crate::lvs::Service> + Clone {
        self.ids.iter().filter_map(|id| self.domain.service(*id))
    }

    /// What happened since the last call, for notifications.
    pub(super) fn told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// Goes over from one configuration to another; at the start, from an empty one. Most of it
    /// is done by `serve`. A virtual server that is as before is kept once, the one of `old`.
    pub(super) fn adopt(&mut self, old: &Config, new: &mut Config, now: Instant) {
        self.groups = new.address_groups.iter().map(|g| (g.name.clone(), g.clone())).collect();
        self.adopt_tls(new);
        self.adopt_settings(&new.lvs, now);
        let mut ids = BTreeMap::new();
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
                    self.pending.push_back(Input::Add { id, config });
                    let init_notifies = new.lvs.init_notifies;
                    self.pending.push_back(Input::Start { init_notifies });
                }
            }
        }
        self.ids = ids.into_values().collect();
    }

    /// The key material, if anybody needs it.
    fn adopt_tls(&mut self, new: &Config) {
        let servers = new.virtual_servers.iter().flat_map(|vs| &vs.servers);
        let speaks = |kind: &Kind| matches!(kind, Kind::Http(_, http) if http.tls);
        let needed = servers.flat_map(|rs| &rs.checks).any(|check| speaks(&check.kind));
        if !needed {
            return;
        }
        let made = keys::read(&new.lvs.tls).and_then(|material| {
            // What has not changed keeps its sessions.
            if self.tls.as_ref() != Some(&material) {
                self.probes.set_tls(Some(tls::Client::new(&material)?));
            }
            Ok(material)
        });
        if let Err(e) = &made {
            log::error!("{e}: no SSL_GET is made until a reload finds it right");
            self.probes.set_tls(None);
        }
        self.tls = made.ok();
    }

    /// The daemon ends. Call `serve` until it `is_settled`.
    pub(super) fn stop(&mut self, release: Release, context: &mut LoopContext<'_>) {
        self.pending.clear();
        self.keep = release == Release::Nothing;
        let flush = matches!(release, Release::Services | Release::Everything);
        self.hand(Input::Stop { flush }, context);
        // Where there is no IPVS nobody would answer.
        if !self.keep && self.kernel.is_some() {
            let flush = release == Release::Everything;
            let input = ipvs::Input::ReleaseAll { flush };
            self.holdings.handle(input, context.clock.recent(), &mut self.ipvs_actions);
            self.drain(context);
        }
    }

    /// Everything asked of the kernel has been answered.
    pub(super) fn is_settled(&self) -> bool {
        !self.holdings.is_settling()
    }

    /// A socket of this check can be read or written.
    pub(super) fn on_ready(&mut self, check: CheckId, context: &mut LoopContext<'_>) {
        self.probes.on_ready(check, context.clock.recent(), context.poll);
        self.drain(context);
    }

    /// The time of the script of a check is over.
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

    /// The value of a tracked file.
    pub(super) fn on_file(&mut self, name: &str, value: i64, now: Instant) {
        let input = pool::Input::File { name, value };
        self.pool.handle(input, now, &mut self.pool_actions);
    }

    /// The state of a BFD session.
    #[expect(dead_code, reason = "there is no BFD yet")]
    pub(super) fn on_bfd(&mut self, name: &str, up: bool, now: Instant) {
        self.pool.handle(pool::Input::Bfd { name, up }, now, &mut self.pool_actions);
    }

    /// An address came to this host, or went.
    pub(super) fn on_address(&mut self, addr: std::net::IpAddr, present: bool, now: Instant) {
        self.domain.handle(Input::Address { addr, present }, now, &mut self.lvs_actions);
    }

    /// Everything that is due, unless somebody is in a hurry.
    pub(super) fn serve(&mut self, context: &mut LoopContext<'_>) {
        self.drain(context);
        while self.is_adopting() && !(context.urgent)() {
            let Some(input) = self.pending.pop_front() else { break };
            self.hand(input, context);
        }
        self.serve_kernel(context);
        let now = context.clock.recent();
        // One of either in any case: servers that never stop talking would otherwise take all the
        // time there is, and nobody else would ever be found to be silent.
        while self.probes.on_deadline(now, context.poll) {
            self.drain(context);
            if (context.urgent)() {
                break;
            }
        }
        // Each one a share; what has more to read then waits for the next turn.
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
    }

    /// Before probes begin, and after: what was found out counts for more than what may be.
    fn serve_kernel(&mut self, context: &mut LoopContext<'_>) {
        let now = context.clock.recent();
        // What goes from one virtual server to another is not to be removed in between.
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

    /// Carries out what was decided, and feeds what that causes back, until nothing is left or
    /// somebody is in a hurry between two probes.
    fn drain(&mut self, context: &mut LoopContext<'_>) {
        loop {
            let mut actions = std::mem::take(&mut self.lvs_actions);
            actions.drain(..).for_each(|action| self.execute(action));
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
                // What is left behind has to be seen by `is_behind`.
                if begins && !self.backlog.is_empty() && (context.urgent)() {
                    return;
                }
            } else if self.lvs_actions.is_empty() && self.ipvs_actions.is_empty() {
                return;
            }
        }
    }
}

/// What is taken out of the kernel at the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Release {
    /// `--dont-release-ipvs`.
    Nothing,
    /// What is ours.
    Ours,
    /// `lvs_flush_on_stop VS`: our services, which take their servers along.
    Services,
    /// `lvs_flush_on_stop`: all there is.
    Everything,
}

fn is_due(when: Option<Instant>, now: Instant) -> bool {
    when.is_some_and(|when| when <= now)
}
