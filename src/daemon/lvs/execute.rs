//! Carries out actions of the cores: as an input of another core, a probe, a request to the kernel,
//! or a notification.

use std::rc::Rc;

use super::{report, LoopContext, Lvs, Message, Told};
use crate::base::ids::{CheckId, ServiceId};
use crate::base::recalled::RecalledRun;
use crate::base::time::Instant;
use crate::check::{pool, Reason, Verdict};
use crate::daemon::lvs::probes::{Begun, Finished};
use crate::daemon::tokens::Asker;
use crate::holdings::ipvs;
use crate::lvs::{Action, Input, Wanted};
use crate::model::check::Kind;
use crate::model::lvs::{AddressGroup, Service, VirtualServer};
use crate::sys::children::{Child, Failure};
use crate::sys::clock::Clock;
use crate::sys::reason;

impl Lvs {
    pub(super) fn deliver(&mut self, message: Message, now: Instant) {
        match message {
            Message::Check(input) => self.pool.handle(input, now, &mut self.pool_actions),
            Message::Lvs(input) => self.domain.handle(input, now, &mut self.lvs_actions),
            // Without IPVS nothing can be installed; `open` requests everything again.
            _ if self.kernel.is_none() => {}
            Message::Want(owner) => self.want(owner, now),
            Message::Put(owner, destination) => {
                let input = ipvs::Input::Put { owner, destination: &destination };
                self.holdings.handle(input, now, &mut self.ipvs_actions);
            }
            Message::Withdraw(owner, key) => {
                let input = ipvs::Input::Withdraw { owner, key };
                self.holdings.handle(input, now, &mut self.ipvs_actions);
            }
            Message::Release(owner) => {
                let input = ipvs::Input::Release { owner };
                self.holdings.handle(input, now, &mut self.ipvs_actions);
            }
        }
    }

    /// The group that a virtual server is made of.
    pub(super) fn group_of(&self, config: &VirtualServer) -> Option<&AddressGroup> {
        match &config.service {
            Service::Group { name, .. } => self.groups.get(name),
            Service::Address { .. } | Service::Fwmark(_) => None,
        }
    }

    fn want(&mut self, owner: ServiceId, now: Instant) {
        let Some(service) = self.domain.service(owner) else { return };
        let config = service.config();
        let services = ipvs::services(config, self.group_of(config));
        let destination = |wanted| match wanted {
            Wanted::Server(server, weight) => ipvs::destination(server, weight),
            Wanted::Sorry(server, weight) => ipvs::sorry_destination(server, weight),
        };
        let destinations: Vec<_> = service.wanted().into_iter().map(destination).collect();
        let input = ipvs::Input::Want { owner, services: &services, destinations: &destinations };
        self.holdings.handle(input, now, &mut self.ipvs_actions);
    }

    pub(super) fn execute(&mut self, action: Action) {
        report::lvs(&action);
        match &action {
            Action::Want(id) => self.inbox.push_back(Message::Want(*id)),
            Action::Release(id) if !self.keep => self.inbox.push_back(Message::Release(*id)),
            Action::Put { server, weight } => {
                let destination = ipvs::destination(server.config(), *weight);
                self.inbox.push_back(Message::Put(server.service.id, destination));
            }
            Action::Withdraw(server) => {
                let key = ipvs::destination(server.config(), 0).key;
                self.inbox.push_back(Message::Withdraw(server.service.id, key));
            }
            Action::CheckAdded { check, config, up, suspended, recalled, .. } => {
                self.check(pool::Input::Add {
                    check: *check,
                    config: Rc::clone(config),
                    up: *up,
                    suspended: *suspended,
                    recalled: recalled.clone(),
                })
            }
            Action::CheckAdjusted { check, config } => {
                let (check, config) = (*check, Rc::clone(config));
                self.check(pool::Input::Adjust { check, config });
            }
            Action::CheckRemoved(check) => self.check(pool::Input::Remove(*check)),
            Action::CheckSuspended { check, .. } => self.check(pool::Input::Suspend(*check)),
            Action::CheckResumed { check, .. } => self.check(pool::Input::Resume(*check)),
            Action::ServerChanged { .. }
            | Action::QuorumChanged { .. }
            | Action::CheckTurned { .. }
            | Action::ServerGone { .. }
            | Action::ServiceGone { .. } => self.told.extend(Told::of(action)),
            Action::Release(_)
            | Action::WeightChanged { .. }
            | Action::SorryServer { .. }
            | Action::AliveServers { .. }
            | Action::ServiceLeaving(_) => {}
        }
    }

    fn check(&mut self, input: pool::Input<'static>) {
        self.inbox.push_back(Message::Check(input));
    }

    pub(super) fn execute_check(&mut self, action: pool::Action, context: &mut LoopContext<'_>) {
        report::check(&action, &self.pool, &self.domain);
        match action {
            pool::Action::Begin { check, page } => self.begin(check, page, context),
            pool::Action::GoOn { check, run: RecalledRun { pid, begun, end } } => {
                let (child, now) = (Child::adopted(pid), context.clock.recent());
                self.probes.script_started(check, child.pid(), begun);
                context.children.adopt(child, Some(end.since(now)), Asker::Check(check), now);
            }
            pool::Action::Abort(check) => {
                if self.probes.abort(check, context.poll) {
                    let asker = Asker::Check(check);
                    context.children.stop(context.clock.recent(), |a| *a == asker);
                }
            }
            pool::Action::Result { check, page, verdict, .. } => {
                self.inbox.push_back(Message::Lvs(Input::Verdict { check, page, verdict }));
            }
            pool::Action::Retrying { .. } | pool::Action::PageUp { .. } => {}
        }
    }

    fn begin(&mut self, check: CheckId, page: usize, context: &mut LoopContext<'_>) {
        // It may have been aborted since; that action follows this one.
        let Some(entry) = self.pool.check(check) else { return };
        let (config, now) = (Rc::clone(entry.config()), context.clock.recent());
        match self.probes.begin(check, &config, page, now, context.poll) {
            Begun::Probing => {}
            Begun::Script => {
                let Kind::Misc(misc) = &config.kind else { return };
                let timeout = Some(misc.timeout);
                match context.children.start(&misc.script, &[], timeout, Asker::Check(check), now) {
                    Ok(pid) => self.probes.script_started(check, pid, now),
                    Err(e) => {
                        let failure = e.get_ref().and_then(|e| e.downcast_ref::<Failure>());
                        let reason = match failure {
                            Some(failure) => Reason::NotStarted(failure.to_string()),
                            None => Reason::Unmade(format!("cannot start it: {}", reason(&e))),
                        };
                        self.probes.refused(check, reason);
                    }
                }
            }
        }
    }

    pub(super) fn take_finished(&mut self, clock: &Clock) {
        let mut list = self.probes.finished();
        for Finished { check, verdict, timings } in list.drain(..) {
            if let Verdict::Down(reason @ Reason::Unmade(_)) = &verdict {
                if let Some(held_back) = self.unmade.admit(clock.recent()) {
                    report::unmade(check, reason, held_back, &self.pool);
                }
            }
            self.check(pool::Input::Done { check, verdict, timings });
        }
        self.probes.recycle(list);
    }
}
