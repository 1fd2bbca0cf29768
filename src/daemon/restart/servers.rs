//! Virtual and real servers in the snapshot.

use std::rc::Rc;

use super::router::{since_zero, time};
use crate::base::recalled::{RecalledCheck, RecalledRun, RecalledServer, RecalledService};
use crate::base::sorted::SortedMap;
use crate::base::time::{micros, Duration};
use crate::check::pool::Results;
use crate::daemon::lvs::Past;
use crate::daemon::runtime::Runtime;
use crate::lvs::{self, ServerOrder};
use crate::model::check::{self as config, Kind};
use crate::model::lvs::{RealServer, VirtualServer};
use crate::snapshot::{Check, CheckRun, LastResult, Probes, Server, Service, Weight};
use crate::sys::children::{self, Child, Sent};

impl Runtime {
    pub(super) fn services(&self) -> Vec<Service> {
        self.lvs.services().map(|service| self.service(service)).collect()
    }

    fn service(&self, service: &lvs::Service) -> Service {
        let config = service.config();
        let server = |(server, state): (&RealServer, &lvs::Server)| Server {
            name: config.server_name(server).to_string(),
            order: state.order().map(|order| order.to_string()),
            is_up: state.is_up(),
            since: since_zero(state.since()),
            checks: state.checks().iter().map(|slot| self.check(slot)).collect(),
        };
        Service {
            name: config.to_string(),
            is_met: service.is_up(),
            since: since_zero(service.since()),
            servers: service.servers().map(server).collect(),
        }
    }

    fn check(&self, slot: &lvs::CheckSlot) -> Option<Check> {
        let check = self.lvs.pool.recall(slot.id(), self.now)?;
        Some(Check {
            is_up: check.was_up,
            has_run: check.had_run,
            weight: match check.weight {
                lvs::Weight::Unchanged => Weight::Unchanged,
                lvs::Weight::Instead(weight) => Weight::Instead(weight),
                lvs::Weight::Plus(weight) => Weight::Plus(weight),
            },
            retries: check.retries,
            due: check.due.map(since_zero),
            last: check.last.map(|(text, at)| LastResult { text: text.into(), at: since_zero(at) }),
            run: self.check_run(slot),
        })
    }

    fn check_run(&self, slot: &lvs::CheckSlot) -> Option<CheckRun> {
        let Kind::Misc(misc) = &slot.config().kind else { return None };
        let (pid, begun) = self.lvs.lasting_script(slot.id())?;
        let end = self.commands.children.end_of(pid.number())?;
        let (command, begun, end) = (misc.script.shown(), since_zero(begun), since_zero(end));
        Some(CheckRun { pid: pid.number(), command, begun, end })
    }

    pub(super) fn probes(&self) -> Vec<Probes> {
        let probes = |(kind, results): (&str, &Results)| Probes {
            kind: kind.to_owned(),
            up: results.up,
            down: results.down,
            unmade: results.unmade,
            spans: results.spans.counts().to_vec(),
            sum: micros(results.spans.sum()),
        };
        self.lvs.pool.results().map(probes).collect()
    }

    pub(super) fn recall_probes(&mut self, probes: &[Probes]) {
        for Probes { kind, up, down, unmade, spans, sum } in probes {
            let (up, down, unmade) = (*up, *down, *unmade);
            let mut results = Results { up, down, unmade, ..Results::default() };
            results.spans.recall(spans, Duration::from_micros(*sum));
            self.lvs.pool.recall_results(kind.clone(), results);
        }
    }

    /// Ends the runs of checks that are not there any more.
    pub(super) fn end_other_runs(&self, from: &[Service]) {
        let checks = from.iter().flat_map(|s| &s.servers).flat_map(|s| &s.checks).flatten();
        for run in checks.filter_map(|check| check.run.as_ref()) {
            if !self.commands.children.running().any(|(pid, _)| pid == run.pid) {
                children::signal_group(Child::adopted(run.pid).pid(), Sent::Kill);
            }
        }
    }
}

/// What is known of this virtual server.
pub(super) fn past(service: &Service, config: &VirtualServer) -> Past {
    let known: SortedMap<&str, &Server> =
        service.servers.iter().map(|server| (server.name.as_str(), server)).collect();
    let server = |server| known.get(config.server_name(server).to_string().as_str()).copied();
    let before: Vec<Option<&Server>> = config.servers.iter().map(server).collect();
    let order = |(place, server): (usize, &Option<&Server>)| {
        Some((place, ServerOrder::parse(server.as_ref()?.order.as_ref()?)?))
    };
    let orders = before.iter().enumerate().filter_map(order).collect();
    let known = |(server, config): (&Option<&Server>, _)| {
        server.map(|server| recalled(server, config)).unwrap_or_default()
    };
    let servers = before.iter().zip(&config.servers).map(known).collect();
    let quorum = Some((service.is_met, time(service.since)));
    Past { recalled: RecalledService { quorum, servers }, orders }
}

fn recalled(server: &Server, config: &RealServer) -> RecalledServer {
    let check = |check: &Check, config: Option<&Rc<config::Check>>| RecalledCheck {
        was_up: check.is_up,
        had_run: check.has_run,
        weight: match check.weight {
            Weight::Unchanged => lvs::Weight::Unchanged,
            Weight::Instead(weight) => lvs::Weight::Instead(weight),
            Weight::Plus(weight) => lvs::Weight::Plus(weight),
        },
        retries: check.retries,
        due: check.due.map(time),
        last: check.last.as_ref().map(|last| (last.text.as_str().into(), time(last.at))),
        run: check.run.as_ref().filter(|run| config.is_some_and(|c| runs(c, run))).map(run),
    };
    RecalledServer {
        was_up: Some(server.is_up),
        since: Some(time(server.since)),
        checks: (0..)
            .zip(&server.checks)
            .map(|(n, known)| known.as_ref().map(|known| check(known, config.checks.get(n))))
            .collect(),
    }
}

fn run(run: &CheckRun) -> RecalledRun {
    RecalledRun { pid: run.pid, begun: time(run.begun), end: time(run.end) }
}

/// The run is one of this check. What another command finds counts for nothing.
fn runs(config: &config::Check, run: &CheckRun) -> bool {
    matches!(&config.kind, Kind::Misc(misc) if misc.script.shown() == run.command)
}
