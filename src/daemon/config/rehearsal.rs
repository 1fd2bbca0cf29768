//! What a reload would do to virtual routers and servers, in words for the operator.

use std::path::PathBuf;

use crate::base::sorted::SortedSet;
use crate::cli::options::Options;
use crate::config as configuration;
use crate::daemon::config::reading::Report;
use crate::daemon::config::reload::verdict;
use crate::daemon::runtime::Runtime;
use crate::model::diff::{self, Change};
use crate::model::{marks, Config};
use crate::status::Reload;
use crate::vrrp::Phase;

/// Most lines of effects, and again of changed settings.
const MOST: usize = 200;

impl Runtime {
    /// Says what a reload with this file would do. Changes nothing.
    pub(in crate::daemon) fn rehearse(&mut self, file: &str) -> Reload {
        let options = Options { config_file: Some(PathBuf::from(file)), ..self.options.clone() };
        let reading = self.read_anew(&options, Report::Nothing);
        self.refilter_monitor();
        let refusal = self.refusal(&reading);
        let mut outcome = verdict(&reading, refusal.as_ref());
        if refusal.is_some() {
            return outcome;
        }
        let mut new = reading.into_config();
        marks::assign(&mut new, &self.running.config);
        let old = &self.running.config;
        let phase = |n: usize| {
            let id = self.running.ids.get(n);
            id.and_then(|id| self.cores.vrrp.instance(*id)).map_or(Phase::Init, |i| i.phase())
        };
        let changes = &mut outcome.changes;
        *changes = effects(old, &new, phase);
        let more = changes.len().saturating_sub(MOST);
        changes.truncate(MOST);
        if more > 0 {
            changes.push(format!("and {more} more effects"));
        }
        changes.extend(configuration::changes(old, &new, MOST));
        outcome
    }
}

/// What happens to instances and virtual servers. `phase`: the state of an instance of `old`.
fn effects(old: &Config, new: &Config, phase: impl Fn(usize) -> Phase) -> Vec<String> {
    let changes = diff::instances(old, new);
    let added = |change: &Change| match *change {
        Change::Add { new: n } => Some(new.instances[n].name.clone()),
        _ => None,
    };
    let added: SortedSet<_> = changes.iter().filter_map(added).collect();
    let mut lines = Vec::new();
    for change in &changes {
        match *change {
            Change::Keep { .. } | Change::Add { .. } => {}
            Change::Remove { old: o } => {
                let (name, phase) = (&old.instances[o].name, phase(o));
                let then = match added.contains(name) {
                    true => "is replaced, for it is another virtual router on the network",
                    false => "is removed",
                };
                let loss = match phase {
                    Phase::Master => "; it resigns with priority 0 and its addresses are removed",
                    _ => "",
                };
                lines.push(format!("{name} ({}) {then}{loss}", phase.word()));
            }
            Change::Adjust { old: o, new: n } => {
                let (a, b) = (&old.instances[o], &new.instances[n]);
                let gone = a.all_addresses().filter(|x| !b.all_addresses().any(|y| y == *x));
                let come = b.all_addresses().filter(|x| !a.all_addresses().any(|y| y == *x));
                let word = phase(o).word();
                let mut line = format!("{} stays {word}", b.name);
                if a.priority != b.priority {
                    line += &format!("; priority {} -> {}", a.priority, b.priority);
                    if phase(o) == Phase::Master && b.priority < a.priority {
                        line += ", so that another router may take over";
                    }
                }
                match (gone.count(), come.count()) {
                    (0, 0) => {}
                    (gone, come) => {
                        line += &format!("; addresses removed: {gone}, added: {come}");
                    }
                }
                lines.push(line);
            }
        }
    }
    for name in &added {
        if !old.instances.iter().any(|i| i.name == *name) {
            lines.push(format!("{name} is new and starts as BACKUP"));
        }
    }
    services(old, new, &mut lines);
    lines
}

fn services(old: &Config, new: &Config, lines: &mut Vec<String>) {
    for change in diff::virtual_servers(old, new) {
        match change {
            Change::Keep { .. } => {}
            Change::Remove { old: o } => {
                let vs = &old.virtual_servers[o];
                lines.push(format!(
                    "virtual server {vs} is removed from IPVS, with real servers: {}",
                    vs.servers.len()
                ));
            }
            Change::Add { new: n } => {
                let vs = &new.virtual_servers[n];
                lines.push(format!(
                    "virtual server {vs} is added to IPVS, with real servers: {}",
                    vs.servers.len()
                ));
            }
            Change::Adjust { old: o, new: n } => {
                let (a, b) = (&old.virtual_servers[o], &new.virtual_servers[n]);
                let place = |s: &crate::model::lvs::RealServer| (s.addr, s.port);
                let (before, after): (SortedSet<_>, SortedSet<_>) =
                    (a.servers.iter().map(place).collect(), b.servers.iter().map(place).collect());
                lines.push(format!(
                    "virtual server {b} stays; real servers removed: {}, added: {}",
                    before.difference(&after).count(),
                    after.difference(&before).count()
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::model::lvs::tests::{real_server, virtual_server};
    use crate::model::vrrp::tests::instance;
    use crate::model::vrrp::Instance;

    fn config(list: Vec<Instance>) -> Config {
        Config { instances: list.into_iter().map(Rc::new).collect(), ..Config::default() }
    }

    #[test]
    fn a_master_that_goes_is_said_to_resign() {
        let old = config(vec![instance("A", 1), instance("B", 2), instance("C", 3)]);
        let weaker = Instance { priority: 90, ..instance("C", 3) };
        let new = config(vec![instance("A", 9), weaker, instance("D", 4)]);
        let lines = effects(&old, &new, |n| if n == 1 { Phase::Backup } else { Phase::Master });
        assert_eq!(
            lines,
            [
                "A (MASTER) is replaced, for it is another virtual router on the network; \
                 it resigns with priority 0 and its addresses are removed",
                "B (BACKUP) is removed",
                "C stays MASTER; priority 100 -> 90, so that another router may take over",
                "D is new and starts as BACKUP",
            ]
        );
        assert!(effects(&old, &old, |_| Phase::Master).is_empty());
    }

    #[test]
    fn real_servers_that_come_and_go_are_counted() {
        let mut vs = virtual_server([192, 0, 2, 1], 80);
        vs.servers = vec![real_server([10, 0, 0, 1], 80), real_server([10, 0, 0, 2], 80)];
        let old = Config { virtual_servers: vec![Rc::new(vs.clone())], ..Config::default() };
        vs.servers = vec![
            real_server([10, 0, 0, 2], 80),
            real_server([10, 0, 0, 3], 80),
            real_server([10, 0, 0, 4], 80),
        ];
        let new = Config { virtual_servers: vec![Rc::new(vs)], ..Config::default() };
        let lines = effects(&old, &new, |_| Phase::Init);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].ends_with("stays; real servers removed: 1, added: 2"), "{lines:?}");
    }
}
