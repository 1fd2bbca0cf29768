//! How much of its rights the daemon gives up after the start.

use std::fmt;

use super::check;
use super::firewall::FirewallKind;
use super::notify::{MailServer, Notify};
use super::Config;

/// `sandbox`
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Sandbox {
    /// Nothing.
    Off,
    /// The capabilities that it does not need itself. Commands have theirs.
    #[default]
    On,
    /// Also the right to execute a program, and all that only a program would need.
    Strict,
}

impl Sandbox {
    pub const NAMES: &'static [&'static str] = &["off", "on", "strict"];

    pub fn named(text: &str) -> Option<Self> {
        [Self::Off, Self::On, Self::Strict].into_iter().find(|mode| mode.name() == text)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
            Self::Strict => "strict",
        }
    }
}

/// As it is configured.
impl fmt::Display for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a configuration asks for that takes rights which [`Sandbox::Strict`] gives up.
pub fn beyond_strict(config: &Config) -> Vec<String> {
    let global = &config.global;
    let mut list = Vec::new();
    let mut add = |is_asked: bool, what: String| {
        if is_asked {
            list.push(what);
        }
    };
    for script in &config.scripts {
        add(true, format!("vrrp_script {}", script.name));
    }
    // Which file a process runs is hidden from a process that is confined.
    for process in &config.processes {
        add(true, format!("vrrp_track_process {}", process.name));
    }
    for instance in &config.instances {
        add(runs(&instance.notify), format!("notify scripts of vrrp_instance {}", instance.name));
    }
    for group in &config.groups {
        add(runs(&group.notify), format!("notify scripts of vrrp_sync_group {}", group.name));
    }
    let fifos = [&global.fifos.all, &global.fifos.vrrp, &global.fifos.lvs];
    for fifo in fifos.into_iter().flatten() {
        add(fifo.script.is_some(), format!("the script of FIFO {}", fifo.path));
    }
    add(global.shutdown_script.is_some(), "shutdown_script".to_owned());
    let iptables = matches!(global.firewall.kind, FirewallKind::Iptables(_));
    add(iptables, "vrrp_iptables".to_owned());
    if let Some(MailServer::Name(name)) = global.mail.as_ref().map(|mail| &mail.server) {
        add(
            true,
            format!("smtp_server {name} (give an address: a name is looked up by a child process)"),
        );
    }
    for service in &config.virtual_servers {
        let quorum = service.quorum_up.is_some() || service.quorum_down.is_some();
        add(quorum, "quorum_up or quorum_down of a virtual_server".to_owned());
        for server in &service.servers {
            let notify = server.notify_up.is_some() || server.notify_down.is_some();
            add(notify, format!("notify_up or notify_down of real_server {}", server.addr));
            let misc = |check: &check::Check| matches!(check.kind, check::Kind::Misc(_));
            let is_checked = server.checks.iter().any(|check| misc(check));
            add(is_checked, format!("MISC_CHECK of real_server {}", server.addr));
        }
    }
    list
}

fn runs(notify: &Notify) -> bool {
    let Notify { master, backup, fault, stop, deleted, any, master_rx_lower_pri, .. } = notify;
    [master, backup, fault, stop, deleted, any, master_rx_lower_pri]
        .into_iter()
        .any(Option::is_some)
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;
    use std::time::Duration;

    use super::*;
    use crate::model::lvs::tests::{real_server, virtual_server};
    use crate::model::lvs::VirtualServer;
    use crate::model::notify::{Fifo, LifeScript};
    use crate::model::script::{Script, User};
    use crate::model::vrrp::tests::instance;
    use crate::model::vrrp::{Instance, SyncGroup};

    #[test]
    fn each_mode_has_its_name() {
        for mode in [Sandbox::Off, Sandbox::On, Sandbox::Strict] {
            assert_eq!(Sandbox::named(&mode.to_string()), Some(mode));
            assert!(Sandbox::NAMES.contains(&mode.to_string().as_str()));
        }
        assert_eq!(Sandbox::named("yes"), None);
    }

    #[test]
    fn commands_are_found_wherever_they_are() {
        let script = || Script::missing(vec!["x".into()], User::ROOT);
        let notify = Notify { stop: Some(Box::new(script())), ..Notify::default() };
        let one = instance("A", 1);
        let mut config = Config { instances: vec![Rc::new(one.clone())], ..Config::default() };
        assert_eq!(beyond_strict(&config), [""; 0]);
        config.instances = vec![Rc::new(Instance { notify: Rc::new(notify.clone()), ..one })];
        let group = SyncGroup {
            name: "G".into(),
            members: vec!["A".into()],
            tracked_links: Vec::new(),
            tracked: Vec::new(),
            notify,
            tracking_weight: false,
        };
        config.groups = vec![group];
        let fifo = Fifo { path: "/run/f".into(), owner: User::ROOT, script: Some(script()) };
        config.global.fifos.vrrp = Some(fifo);
        let life = LifeScript { script: script(), timeout: Duration::ZERO };
        config.global.startup_script = Some(life.clone());
        config.global.shutdown_script = Some(life);
        let mut server = real_server([10, 0, 0, 1], 80);
        server.notify_up = Some(Box::new(script()));
        let service = VirtualServer {
            servers: vec![server],
            quorum_up: Some(script()),
            ..virtual_server([10, 7, 1, 1], 80)
        };
        config.virtual_servers = vec![Rc::new(service)];
        let expected = [
            "notify scripts of vrrp_instance A",
            "notify scripts of vrrp_sync_group G",
            "the script of FIFO /run/f",
            "shutdown_script",
            "quorum_up or quorum_down of a virtual_server",
            "notify_up or notify_down of real_server 10.0.0.1",
        ];
        assert_eq!(beyond_strict(&config), expected);
    }
}
