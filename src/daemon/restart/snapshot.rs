//! The snapshot: taking one, and going on from it.

use std::os::fd::{AsRawFd as _, RawFd};
use std::rc::Rc;

use super::index::SnapshotIndex;
use super::router::{past, since_zero, time};
use crate::base::ids::InstanceId;
use crate::base::time::micros;
use crate::cli;
use crate::daemon::journal::{Entry, Subject, Why};
use crate::daemon::runtime::Runtime;
use crate::daemon::status;
use crate::daemon::tokens::Asker;
use crate::model::track::TrackScript;
use crate::notify::{Input, State as Told, Subject as Object, Which};
use crate::snapshot::{self, Descriptors, Snapshot, Until};
use crate::status::State;
use crate::sys::children::Child;
use crate::sys::log::{self as logging, Spec};
use crate::vrrp::{self, Order};

/// No client waits for what becomes of an order.
pub(in crate::daemon) const NO_ANSWER: u64 = 0;

impl Runtime {
    /// `stand_in`: to the copy that stands in.
    pub(super) fn snapshot(&self, replaced: Vec<RawFd>, stand_in: Option<RawFd>) -> Snapshot {
        let group = |(_, group): (_, &vrrp::Group)| snapshot::Group {
            name: group.name().to_string(),
            state: status::instance::state(group.phase()),
        };
        let script = |script: &TrackScript| {
            let (is_up, past) = self.cores.track.past(&script.name, self.now)?;
            let run = self.tracked_run(script).filter(|_| past.is_running);
            let (result, status, due) = (past.result, past.status, since_zero(past.due));
            let name = script.name.clone();
            Some(snapshot::TrackedScript { name, is_up, result, status, due, run })
        };
        let mut snapshot = Snapshot {
            version: snapshot::VERSION,
            program: cli::help::banner(),
            restarts: self.restart.count,
            clock: micros(self.clock.monotonic(time(0))),
            directory: self.restart.directory.display().to_string(),
            flaws: self.running.flaws.clone(),
            core_pattern: self.restart.core_pattern.clone(),
            log_filter: self.control.log_filter.clone(),
            descriptors: Descriptors {
                pid_files: self.restart.pid_files.clone(),
                supervisor: self.process.supervisor.as_ref().map(|s| s.as_raw_fd()),
                replaced,
                stand_in,
            },
            is_advertising: stand_in.is_some(),
            instances: self.cores.vrrp.instances().map(|(id, i)| self.router(id, i)).collect(),
            groups: self.cores.vrrp.groups().map(group).collect(),
            bfd: self.session_snapshot(),
            maintenance: self
                .cores
                .vrrp
                .maintenance()
                .map(|order| Until { end: order.until().map(since_zero) }),
            services: self.services(),
            probes: self.probes(),
            readers: self.readers(),
            journal: self.entries(),
            reloads: self.journal.totals.reloads,
            reloads_refused: self.journal.totals.reloads_refused,
            scripts: self.running.config.scripts.iter().filter_map(script).collect(),
            ..Snapshot::default()
        };
        self.add_unfinished(&mut snapshot);
        snapshot
    }

    fn readers(&self) -> Vec<snapshot::Reader> {
        let children = self.commands.children.running();
        let reader = |(pid, asker): (_, &Asker)| match asker {
            Asker::FifoScript(which) => {
                Some(snapshot::Reader { pid, fifo: which.keyword().to_owned() })
            }
            _ => None,
        };
        children.filter_map(reader).collect()
    }

    fn entries(&self) -> Vec<snapshot::Entry> {
        let (view, mut entries, mut last) = (self.view(), Vec::new(), 0);
        while let Some((number, entry, _)) = self.journal.after(last) {
            let event = status::event::event(&view, number, entry);
            entries.push(snapshot::Entry { at: since_zero(entry.at), event });
            last = number;
        }
        entries
    }

    /// Takes over what has to be known before the configuration is in force.
    pub(in crate::daemon) fn recall(&mut self, from: &Snapshot) {
        self.restart.count = from.restarts + 1;
        for snapshot::Entry { at, event } in &from.journal {
            let subject = Subject {
                kind: event.kind,
                name: event.name.as_str().into(),
                of: event.of.as_deref().map(Into::into),
            };
            let why = event.why.as_deref().map_or(Why::Nothing, |why| Why::Text(why.into()));
            let (at, what) = (time(*at), event.change.clone().into());
            self.journal.restore(event.number, Entry { at, subject, what, why });
        }
        self.journal.totals.reloads = from.reloads;
        self.journal.totals.reloads_refused = from.reloads_refused;
        self.recall_probes(&from.probes);
        self.resume_scripts_of_routers(from);
        for reader in &from.readers {
            let which = Which::ALL.into_iter().find(|which| which.keyword() == reader.fifo);
            if let Some(which) = which {
                let asker = Asker::FifoScript(which);
                let child = Child::adopted(reader.pid);
                self.commands.children.adopt(child, None, asker, self.now);
                self.commands.readers.insert(which);
            }
        }
        let instances = from
            .instances
            .iter()
            .map(|i| (Object::Instance(i.name.as_str().into()), i.state, Some(i.priority)));
        let groups =
            from.groups.iter().map(|g| (Object::Group(g.name.as_str().into()), g.state, None));
        for (object, state, priority) in instances.chain(groups) {
            if let Some(state) = told(state) {
                self.cores.notify(Input::Recall { object, state, priority }, self.now);
            }
        }
        for service in &from.services {
            let (name, up) = (service.name.as_str(), service.is_met);
            let input = Input::RecallServed { service: name, server: None, up };
            self.cores.notify(input, self.now);
            for server in &service.servers {
                let (server, up) = (Some(server.name.as_str()), server.is_up);
                let input = Input::RecallServed { service: name, server, up };
                self.cores.notify(input, self.now);
            }
        }
        if let Some(filter) = &from.log_filter {
            // It was accepted before.
            if let Ok(spec) = Spec::parse(filter) {
                logging::refilter(Some(&spec));
                self.control.log_filter = Some(filter.clone());
            }
        }
    }

    /// An instance is new: it knows what it knew, and orders of an operator for it are still in force.
    pub(in crate::daemon) fn recall_router(&mut self, id: InstanceId) {
        let Some(i) = self.cores.vrrp.instance(id) else { return };
        let config = Rc::clone(i.config());
        let Some(from) = &self.restart.recalled else {
            return self.recall_priority(id, &config);
        };
        let Some(found) = from.instance(&config.name) else { return };
        let (past, ordered) = (past(found), found.ordered);
        self.cores.vrrp.recall_past(id, &past);
        if let Some(base) = ordered {
            self.cores.vrrp(vrrp::Input::Priority { id, base: Some(base) }, self.now);
        }
    }

    /// The instances that are in the same state have been in it since then, and orders of an operator
    /// are still in force.
    pub(in crate::daemon) fn recall_rest(&mut self, recalled: &SnapshotIndex) {
        let span = |end: u64| time(end).since(self.now);
        let maintenance = recalled.snapshot.maintenance.as_ref();
        let maintenance = maintenance.map(|Until { end }| end.map(span));
        let mut orders: Vec<_> = maintenance
            .map(|span| Order::Maintenance { number: NO_ANSWER, span })
            .into_iter()
            .collect();
        for id in self.running.ids.clone() {
            let Some(i) = self.cores.vrrp.instance(id) else { continue };
            let Some(found) = recalled.instance(&i.config().name) else { continue };
            let is_same = found.state == status::instance::state(i.phase());
            self.journal.totals.restore(found, is_same);
            if is_same {
                let (since, why) = (time(found.since), found.why.as_deref());
                self.cores.vrrp.date_back(id, since, why, past(found));
                if let Some(snapshot::Failover { end, to }) = found.failover {
                    orders.push(Order::Failover { number: NO_ANSWER, id, to, span: span(end) });
                }
            }
        }
        for order in orders {
            self.cores.vrrp(vrrp::Input::Order(order), self.now);
        }
        self.resume_unfinished(&recalled.snapshot);
        self.continuity.orders_are_stale = true;
        self.drain();
    }
}

const fn told(state: State) -> Option<Told> {
    match state {
        State::Master => Some(Told::Master),
        State::Backup => Some(Told::Backup),
        State::Fault => Some(Told::Fault),
        _ => None,
    }
}
