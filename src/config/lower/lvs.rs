//! Rules of virtual servers: defaults, permitted combinations, omissions.

use std::collections::HashMap;
use std::rc::Rc;

use super::define::removed;
use super::merge::merge;
use super::probe::{Files, Sessions};
use super::server::{self, Outer, ServerDraft};
use super::{address_group, family, fit, ipvs, marking, Scene};
use crate::base::addr::Family;
use crate::base::diag::{Severity, Span};
use crate::base::parts;
use crate::config::document::Node;
use crate::config::keywords::{port, RawService, RawSync, PERSISTENCE, VIRTUAL_SERVER};
use crate::config::statement::Statement;
use crate::config::value::Value;
use crate::model::lvs::{
    AddressGroup, Forwarding, Granularity, GroupEntry, Lvs, Persistence, Protocol, RealServer,
    Scheduler, Service, VirtualServer,
};
use crate::model::shown::ShownSchedule;
use crate::model::{marks, Config};

/// Parts of virtual servers that have to wait for the rest of the configuration.
pub(super) struct Pending<'d> {
    pub lvs: Lvs,
    pub sync: Option<RawSync<'d>>,
    pub servers: Vec<Statement<'d>>,
    pub groups: Vec<Node<'d>>,
}

impl<'d> Pending<'d> {
    pub(super) const fn new(lvs: Lvs, sync: Option<RawSync<'d>>) -> Self {
        Self { lvs, sync, servers: Vec::new(), groups: Vec::new() }
    }

    /// Lowers it all, into a model that has everything else.
    pub(super) fn lower(self, scene: &mut Scene<'_, '_>, config: &mut Config) {
        config.lvs = self.lvs;
        let vrid = |name: &str| config.instances.iter().find(|i| i.name == name).map(|i| i.vrid);
        config.lvs.sync_daemon =
            self.sync.and_then(|raw| ipvs::sync_daemon(&raw, scene.checker, vrid));
        if self.servers.is_empty() && self.groups.is_empty() {
            return;
        }
        if !parts::LVS {
            let servers = self.servers.iter().map(|server| server.node);
            for node in self.groups.into_iter().chain(servers) {
                removed(scene, node, "this build has no virtual servers");
            }
            return;
        }
        let files = config.files.iter().map(|f| (f.name.as_str(), f)).collect();
        let sessions = config.bfd.iter().map(|b| (b.name.as_str(), &**b)).collect();
        let mut lowering = Lowering { files, sessions, ..Lowering::default() };
        for node in self.groups {
            lowering.group(scene, node);
        }
        for statement in self.servers {
            lowering.virtual_server(scene, statement);
        }
        config.virtual_servers =
            std::mem::take(&mut lowering.servers).into_iter().map(Rc::new).collect();
        let places = lowering.places();
        config.address_groups = lowering.used_groups();
        marks::assign(config, &Config::default());
        marking::check(scene, config, &places);
    }
}

/// Every `virtual_server` and `virtual_server_group` of a configuration, in order.
#[derive(Default)]
struct Lowering<'a> {
    files: Files<'a>,
    sessions: Sessions<'a>,
    groups: HashMap<&'a str, Group>,
    servers: Vec<VirtualServer>,
    /// Services, with their index in `servers` and their position in the file.
    seen: HashMap<(Service, Option<Protocol>, Family), (usize, Span)>,
}

struct Group {
    entries: Vec<GroupEntry>,
    /// Number of virtual servers that name it.
    users: u32,
    /// Position in the file.
    order: usize,
}

/// Inputs of most rules.
pub(super) struct ServiceCore {
    pub service: Service,
    pub span: Span,
    /// The lines of the group; none for other services.
    pub entries: Vec<GroupEntry>,
    /// 0: none, or several.
    pub port: u16,
    pub protocol: Option<Protocol>,
    pub family: Family,
    pub forwarding: Forwarding,
}

impl<'a> Lowering<'a> {
    /// Takes a `virtual_server_group`. The first of a name that has anything in it counts.
    fn group(&mut self, scene: &mut Scene<'_, '_>, node: Node<'a>) {
        const NAME: &str = "virtual_server_group";
        let entries = address_group::read(scene, node);
        let order = self.groups.len();
        let name = super::name_of(node);
        let span = node.keyword().span;
        if entries.is_empty() {
            let text = format!("{NAME} '{name}' has no address and no fwmark: it is left out");
            scene.error(NAME, span, text);
        } else if self.groups.contains_key(name) {
            // keepalived does not report this as an error.
            let text = format!("{NAME} '{name}' is there already: this one is left out");
            scene.checker.out.warn(NAME, span, text);
        } else {
            self.groups.insert(name, Group { entries, users: 0, order });
        }
    }

    /// Where each virtual server begins.
    fn places(&self) -> Vec<Span> {
        let mut places: Vec<_> = self.seen.values().copied().collect();
        places.sort_unstable_by_key(|(n, _)| *n);
        places.into_iter().map(|(_, span)| span).collect()
    }

    /// The groups that a virtual server names, in the order of the file.
    fn used_groups(self) -> Vec<AddressGroup> {
        let mut used: Vec<_> = self.groups.into_iter().filter(|(_, g)| g.users > 0).collect();
        used.sort_by_key(|(_, group)| group.order);
        let group = |(name, group): (&str, Group)| AddressGroup {
            name: name.into(),
            entries: group.entries,
        };
        used.into_iter().map(group).collect()
    }

    /// Lowers one `virtual_server`, unless it is left out.
    fn virtual_server(&mut self, scene: &mut Scene<'_, '_>, s: Statement<'_>) {
        let shown: Vec<_> = s.node.args().map(|word| word.text).collect();
        let shown = shown.join(" ");
        scene.checker.out.set_scope(Some(&shown));
        let mut raw = RawService::default();
        scene.checker.fill(s.node.children(), &VIRTUAL_SERVER, &mut raw);
        let span = s.node.keyword().span;
        if let Some(server) = self.lower(scene, s, &raw, &shown) {
            self.add(scene, server, span);
        }
        scene.checker.out.set_scope(None);
    }

    fn add(&mut self, scene: &mut Scene<'_, '_>, mut server: VirtualServer, span: Span) {
        let key = (server.service.clone(), server.protocol, server.family);
        if let Some((n, first)) = self.seen.get(&key) {
            return merge(scene, (&mut self.servers[*n], *first), (server, span));
        }
        self.seen.insert(key, (self.servers.len(), span));
        if let Service::Group { name, index } = &mut server.service {
            if let Some(group) = self.groups.get_mut(name.as_str()) {
                *index = group.users;
                group.users += 1;
            }
        }
        self.servers.push(server);
    }

    fn lower(
        &self,
        scene: &mut Scene<'_, '_>,
        s: Statement<'_>,
        raw: &RawService<'_>,
        shown: &str,
    ) -> Option<VirtualServer> {
        let mut core = self.core(scene, s, raw)?;
        let drafts = self.servers(scene, raw, &core, shown);
        core.family = family::family(scene, raw, &core, &drafts)?;
        let servers = fit::servers(scene, &core, drafts);
        if servers.is_empty() {
            let text = if raw.servers.is_empty() {
                "no real_server is given: it is left out"
            } else {
                "no real_server remains: it is left out"
            };
            scene.error("real_server", core.span, text);
            return None;
        }
        let sorry_server = fit::sorry_server(scene, raw, &core, &servers);
        let persistence = persistence(scene, raw, &core);
        let (quorum, hysteresis) = quorum(scene, raw, &core, &servers);
        Some(VirtualServer {
            scheduler: scheduler(scene, raw, &core),
            scheduler_flags: raw.flags,
            forwarding: core.forwarding,
            persistence,
            persistence_engine: raw.engine.as_ref().map(|given| given.value.to_owned()),
            one_packet: one_packet(scene, raw, &core),
            delay_loop: raw.inherited.delay_loop(),
            alpha: raw.inherited.alpha.unwrap_or(false),
            omega: raw.omega,
            ha_suspend: ha_suspend(scene, raw, &core),
            quorum,
            hysteresis,
            quorum_up: raw.quorum_up.and_then(|node| scene.notify_script(node)),
            quorum_down: raw.quorum_down.and_then(|node| scene.notify_script(node)),
            sorry_server,
            mail: raw.mail.or(scene.defaults.checks.mail).unwrap_or(false),
            virtualhost: raw.virtualhost.map(str::to_owned),
            snmp_name: None,
            shown: ShownSchedule { inhibit: raw.inhibit, ..raw.inherited.shown() },
            servers,
            service: core.service,
            mark: None,
            protocol: core.protocol,
            family: core.family,
        })
    }

    /// Service, protocol and method. The family is decided later.
    fn core(
        &self,
        scene: &mut Scene<'_, '_>,
        s: Statement<'_>,
        raw: &RawService<'_>,
    ) -> Option<ServiceCore> {
        let span = s.node.keyword().span;
        let mut entries = Vec::new();
        let (service, port) = match s.value {
            Value::Addr(addr) => {
                let port = port(s.node)?;
                (Service::Address { addr, port }, port)
            }
            Value::Int(mark) => (Service::Fwmark(u32::try_from(mark).unwrap_or(0)), 0),
            _ => {
                let name = s.node.arg(1)?;
                let Some(group) = self.groups.get(name.text) else {
                    let text = format!(
                        "virtual_server_group '{}' does not exist: the virtual server is left out",
                        name.text
                    );
                    scene.error("virtual_server_group", name.span, text);
                    return None;
                };
                entries.clone_from(&group.entries);
                (Service::Group { name: name.text.to_owned(), index: 0 }, common_port(&entries))
            }
        };
        let forwarding = raw.forwarding.unwrap_or_else(|| {
            scene.error("lvs_method", span, "lvs_method is missing: NAT is used");
            Forwarding::Nat
        });
        let mut core = ServiceCore {
            service,
            span,
            entries,
            port,
            protocol: None,
            family: Family::V4,
            forwarding,
        };
        core.protocol = protocol(scene, raw, &core);
        Some(core)
    }

    fn servers(
        &self,
        scene: &mut Scene<'_, '_>,
        raw: &RawService<'_>,
        core: &ServiceCore,
        shown: &str,
    ) -> Vec<ServerDraft> {
        let outer = Outer {
            inherited: raw.inherited,
            port: core.port,
            weight: raw.weight.unwrap_or(1),
            inhibit: raw.inhibit,
            virtualhost: raw.virtualhost,
            forwarding: core.forwarding,
            files: &self.files,
            sessions: &self.sessions,
        };
        let mut drafts = Vec::with_capacity(raw.servers.len());
        let mut scope = String::new();
        for server in &raw.servers {
            scope.clear();
            let name = super::name_of(server.node);
            scope.extend([shown, ", ", name]);
            scene.checker.out.set_scope(Some(&scope));
            drafts.extend(server::read(scene, server, &outer));
            scene.host.breathe();
        }
        scene.checker.out.set_scope(Some(shown));
        drafts
    }
}

impl ServiceCore {
    /// Reports a server that does not fit. With a group, to keepalived, this is no error.
    pub(super) fn report(&self, scene: &mut Scene<'_, '_>, about: &str, span: Span, text: &str) {
        let is_group = matches!(self.service, Service::Group { .. });
        let severity = if is_group { Severity::Warning } else { Severity::Error };
        scene.checker.out.report(severity, about, Some(span), text);
    }

    /// A group with entries of both families.
    pub(super) fn is_mixed(&self) -> bool {
        let mut families = self.entries.iter().filter_map(GroupEntry::family);
        let first = families.next();
        families.any(|family| Some(family) != first)
    }

    /// Addresses, not only marks.
    fn has_address(&self) -> bool {
        match self.service {
            Service::Address { .. } => true,
            Service::Fwmark(_) => false,
            Service::Group { .. } => self.ranges().next().is_some(),
        }
    }

    /// Port of each range of the group.
    fn ranges(&self) -> impl Iterator<Item = u16> + '_ {
        self.entries.iter().filter_map(|entry| match entry {
            GroupEntry::Range { port, .. } => Some(*port),
            GroupEntry::Fwmark { .. } => None,
        })
    }
}

/// The port of a group whose ranges have all the same one, else 0.
fn common_port(entries: &[GroupEntry]) -> u16 {
    let mut ports = entries.iter().filter_map(|entry| match entry {
        GroupEntry::Range { port, .. } => Some(*port),
        GroupEntry::Fwmark { .. } => None,
    });
    let first = ports.next().unwrap_or(0);
    if ports.all(|port| port == first) {
        first
    } else {
        0
    }
}

fn protocol(
    scene: &mut Scene<'_, '_>,
    raw: &RawService<'_>,
    core: &ServiceCore,
) -> Option<Protocol> {
    match raw.protocol {
        Some(given) if !core.has_address() => {
            scene.error("protocol", given.span, "protocol is ignored with fwmark");
            None
        }
        Some(given) => Some(given.value),
        None if core.has_address() => {
            scene.error("protocol", core.span, "protocol is missing: UDP is used");
            Some(Protocol::Udp)
        }
        None => None,
    }
}

fn scheduler(scene: &mut Scene<'_, '_>, raw: &RawService<'_>, core: &ServiceCore) -> Scheduler {
    raw.scheduler.unwrap_or_else(|| {
        scene.error("lvs_sched", core.span, "lvs_sched is missing: wlc is used");
        Scheduler::Wlc
    })
}

fn persistence(
    scene: &mut Scene<'_, '_>,
    raw: &RawService<'_>,
    core: &ServiceCore,
) -> Option<Persistence> {
    let granularity = raw.granularity.and_then(|given| {
        let family = match given.value {
            Granularity::Mask(_) => Family::V4,
            Granularity::Prefix(_) => Family::V6,
        };
        if family == core.family || core.is_mixed() {
            return Some(given.value);
        }
        let text =
            format!("persistence_granularity is ignored: the virtual server is {}", core.family);
        scene.error("persistence_granularity", given.span, text);
        None
    });
    let open = match core.service {
        Service::Address { port, .. } => port == 0,
        Service::Fwmark(_) => false,
        Service::Group { .. } => core.ranges().any(|port| port == 0),
    };
    let mut timeout = raw.persistence;
    if timeout.is_none() && open {
        let text = format!("without a port it has to be persistent: for {PERSISTENCE} s");
        scene.error("persistence_timeout", core.span, text);
        timeout = Some(PERSISTENCE);
    }
    if let Some(given) = raw.engine.as_ref().filter(|_| timeout.is_none()) {
        let text = "persistence_engine has no effect without persistence_timeout";
        scene.checker.out.warn("persistence_engine", given.span, text);
    }
    Some(Persistence { timeout: timeout?, granularity })
}

fn one_packet(scene: &mut Scene<'_, '_>, raw: &RawService<'_>, core: &ServiceCore) -> bool {
    let Some(span) = raw.ops else { return false };
    let fits = !core.has_address() || core.protocol == Some(Protocol::Udp);
    if !fits {
        scene.error("ops", span, "ops is ignored: it is for UDP and fwmark");
    }
    fits
}

fn ha_suspend(scene: &mut Scene<'_, '_>, raw: &RawService<'_>, core: &ServiceCore) -> bool {
    let Some(span) = raw.ha_suspend else { return false };
    match core.service {
        Service::Address { .. } => return true,
        Service::Fwmark(_) => {
            scene.error("ha_suspend", span, "ha_suspend is ignored: fwmark has no address");
        }
        Service::Group { .. } => {
            let text = "ha_suspend is ignored: a group has more than one address";
            scene.checker.out.warn("ha_suspend", span, text);
        }
    }
    false
}

/// A quorum that can be reached, and a hysteresis below it.
fn quorum(
    scene: &mut Scene<'_, '_>,
    raw: &RawService<'_>,
    core: &ServiceCore,
    servers: &[RealServer],
) -> (u32, u32) {
    let total: u64 = servers.iter().map(|server| u64::from(server.weight)).sum();
    let most = u32::try_from(total).unwrap_or(u32::MAX).max(1);
    let mut quorum = raw.quorum.map_or(1, |given| given.value);
    if quorum > most && total > 0 {
        let span = raw.quorum.map_or(core.span, |given| given.span);
        let text =
            format!("quorum {quorum} is above the weight of all servers, {total}: {most} is used");
        scene.error("quorum", span, text);
        quorum = most;
    }
    if total == 0 {
        let text = "all real servers have weight 0: the quorum is not reached";
        scene.error("quorum", core.span, text);
    }
    let mut hysteresis = raw.hysteresis.map_or(0, |given| given.value);
    if let Some(given) = raw.hysteresis.filter(|_| hysteresis >= quorum) {
        let text = format!(
            "hysteresis {hysteresis} is not below the quorum {quorum}: {} is used",
            quorum - 1
        );
        scene.error("hysteresis", given.span, text);
        hysteresis = quorum - 1;
    }
    (quorum, hysteresis)
}
