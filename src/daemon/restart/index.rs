//! The snapshot to go on from, with its objects by their names.

use crate::base::sorted::SortedMap;
use crate::daemon::lvs::Past;
use crate::daemon::restart::router::time;
use crate::daemon::restart::servers;
use crate::model::lvs::VirtualServer;
use crate::model::track::TrackScript;
use crate::snapshot::{Instance, Snapshot, TrackedScript};
use crate::track::ScriptPast;

#[derive(Debug)]
pub(in crate::daemon) struct SnapshotIndex {
    pub(in crate::daemon) snapshot: Snapshot,
    instances: SortedMap<String, usize>,
    services: SortedMap<String, usize>,
    scripts: SortedMap<String, usize>,
}

impl SnapshotIndex {
    pub(in crate::daemon) fn new(snapshot: Snapshot) -> Self {
        let instances = (0..).zip(&snapshot.instances).map(|(n, i)| (i.name.clone(), n)).collect();
        let services = (0..).zip(&snapshot.services).map(|(n, s)| (s.name.clone(), n)).collect();
        let scripts = (0..).zip(&snapshot.scripts).map(|(n, s)| (s.name.clone(), n)).collect();
        Self { snapshot, instances, services, scripts }
    }

    pub(in crate::daemon) fn instance(&self, name: &str) -> Option<&Instance> {
        self.snapshot.instances.get(*self.instances.get(name)?)
    }

    /// Whether a tracked script is up, and what else is known of it.
    pub(in crate::daemon) fn script(&self, config: &TrackScript) -> Option<(bool, ScriptPast)> {
        let script = self.snapshot.scripts.get(*self.scripts.get(&config.name)?)?;
        let TrackedScript { is_up, result, status, due, ref run, .. } = *script;
        // What another command says counts for nothing.
        let is_running = run.as_ref().is_some_and(|run| run.command == config.script.shown());
        Some((is_up, ScriptPast { result, status, due: time(due), is_running }))
    }

    /// What is known of this virtual server.
    pub(in crate::daemon) fn service(&self, config: &VirtualServer) -> Option<Past> {
        let service = self.snapshot.services.get(*self.services.get(&config.to_string())?)?;
        Some(servers::past(service, config))
    }
}
