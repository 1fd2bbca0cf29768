//! The snapshot: taking one, and going on from it.

use std::collections::BTreeMap;
use std::os::fd::{AsRawFd as _, RawFd};

use crate::base::ids::InstanceId;
use crate::base::time::{micros, Instant};
use crate::cli;
use crate::daemon::journal::{Entry, Subject, Why};
use crate::daemon::runtime::Runtime;
use crate::daemon::status;
use crate::daemon::tokens::Asker;
use crate::lvs::{ServerOrder, Service};
use crate::model::lvs::{RealServer, VirtualServer};
use crate::notify::{Input, State as Told, Subject as Object, Which};
use crate::snapshot::{self, Descriptors, Snapshot, Until};
use crate::status::State;
use crate::sys::children::Child;
use crate::sys::log::{self as logging, Spec};
use crate::vrrp::{self, Order};

/// No client waits for what becomes of an order.
const NO_ANSWER: u64 = 0;

impl Runtime {
    /// `stand_in`: to the copy that stands in.
    pub(super) fn snapshot(&self, replaced: Vec<RawFd>, stand_in: Option<RawFd>) -> Snapshot {
        let instance = |(id, i): (_, &vrrp::Instance)| snapshot::Instance {
            name: i.config().name.to_string(),
            state: status::instance::state(i.phase()),
            since: micros(i.since().since(Instant::ZERO)),
            why: self.cores.vrrp.cause(id).map(ToString::to_string),
            ordered: self.cores.vrrp.ordered_priority(id),
            failover: self.cores.vrrp.failover_of(id).and_then(|order| {
                let end = micros(order.until()?.since(Instant::ZERO));
                Some(snapshot::Failover { end, to: order.to() })
            }),
        };
        let group = |(_, group): (_, &vrrp::Group)| snapshot::Group {
            name: group.name().to_string(),
            state: status::instance::state(group.phase()),
        };
        Snapshot {
            version: snapshot::VERSION,
            program: cli::help::banner(),
            restarts: self.restart.count,
            clock: micros(self.clock.monotonic(Instant::ZERO)),
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
            instances: self.cores.vrrp.instances().map(instance).collect(),
            groups: self.cores.vrrp.groups().map(group).collect(),
            bfd: self.session_snapshot(),
            maintenance: self.cores.vrrp.maintenance().map(|order| Until {
                end: order.until().map(|end| micros(end.since(Instant::ZERO))),
            }),
            servers: self.ordered_servers(),
            readers: self.readers(),
            journal: self.entries(),
        }
    }

    fn ordered_servers(&self) -> Vec<snapshot::Server> {
        let of_service = |service: &Service| {
            let (config, mut found) = (service.config(), Vec::new());
            for (server, state) in service.servers() {
                if let Some(order) = state.order() {
                    found.push(snapshot::Server {
                        service: config.to_string(),
                        name: config.server_name(server).to_string(),
                        order: order.to_string(),
                    });
                }
            }
            found
        };
        self.lvs.services().flat_map(of_service).collect()
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
            entries.push(snapshot::Entry { at: micros(entry.at.since(Instant::ZERO)), event });
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
            let (at, what) = (Instant::from_micros(*at), event.change.clone().into());
            self.journal.restore(event.number, Entry { at, subject, what, why });
        }
        for reader in &from.readers {
            let which = Which::ALL.into_iter().find(|which| which.keyword() == reader.fifo);
            if let Some(which) = which {
                let asker = Asker::FifoScript(which);
                let child = Child::adopted(reader.pid);
                self.commands.children.adopt(child, asker, self.now);
                self.commands.readers.insert(which);
            }
        }
        let instances =
            from.instances.iter().map(|i| (Object::Instance(i.name.as_str().into()), i.state));
        let groups = from.groups.iter().map(|g| (Object::Group(g.name.as_str().into()), g.state));
        for (object, state) in instances.chain(groups) {
            if let Some(state) = told(state) {
                self.cores.notify(Input::Recall { object, state }, self.now);
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

    /// An instance is new: orders of an operator for it are still in force.
    pub(in crate::daemon) fn recall_order(&mut self, id: InstanceId) {
        let Some(from) = &self.restart.recalled else { return };
        let Some(i) = self.cores.vrrp.instance(id) else { return };
        let name = i.config().name.clone();
        let mut ordered = from.instances.iter().filter(|i| i.ordered.is_some());
        let found = ordered.find(|i| *i.name == *name);
        if let Some(base) = found.and_then(|i| i.ordered) {
            self.cores.vrrp(vrrp::Input::Priority { id, base: Some(base) }, self.now);
        }
    }

    /// The instances that are in the same state have been in it since then, and orders of an operator
    /// are still in force.
    pub(in crate::daemon) fn recall_rest(&mut self, from: &Snapshot) {
        let span = |end: u64| Instant::from_micros(end).since(self.now);
        let maintenance = from.maintenance.as_ref();
        let maintenance = maintenance.map(|Until { end }| end.map(span));
        let mut orders: Vec<_> = maintenance
            .map(|span| Order::Maintenance { number: NO_ANSWER, span })
            .into_iter()
            .collect();
        let all: BTreeMap<&str, _> = from.instances.iter().map(|i| (i.name.as_str(), i)).collect();
        for id in self.running.ids.clone() {
            let Some(i) = self.cores.vrrp.instance(id) else { continue };
            let (found, state) = (all.get(i.config().name.as_str()), i.phase());
            if let Some(found) = found.filter(|s| s.state == status::instance::state(state)) {
                let since = Instant::from_micros(found.since);
                self.cores.vrrp.date_back(id, since, found.why.as_deref());
                if let Some(snapshot::Failover { end, to }) = found.failover {
                    orders.push(Order::Failover { number: NO_ANSWER, id, to, span: span(end) });
                }
            }
        }
        for order in orders {
            self.cores.vrrp(vrrp::Input::Order(order), self.now);
        }
        self.drain();
    }
}

/// The orders of an operator for the real servers of this virtual server, by their places.
pub(in crate::daemon) fn recalled_orders(
    from: &Snapshot,
    config: &VirtualServer,
) -> Vec<(usize, ServerOrder)> {
    if from.servers.is_empty() {
        return Vec::new();
    }
    let name = config.to_string();
    let order = |(place, server): (usize, &RealServer)| {
        let server = config.server_name(server).to_string();
        let mut all = from.servers.iter();
        let found = all.find(|s| s.service == name && s.name == server)?;
        Some((place, ServerOrder::parse(&found.order)?))
    };
    config.servers.iter().enumerate().filter_map(order).collect()
}

const fn told(state: State) -> Option<Told> {
    match state {
        State::Master => Some(Told::Master),
        State::Backup => Some(Told::Backup),
        State::Fault => Some(Told::Fault),
        _ => None,
    }
}
