//! Document to model, one file per section.
//!
//! Everything is read before anything is checked: `global_defs` first, regardless of its position,
//! because it has the defaults of the rest; then the blocks in the order of the text; then the
//! checks that need all of them ([`crossref`]). No diagnostic ends the reading.

mod address;
mod address_group;
mod auth;
mod bfd;
mod check;
mod define;
mod delivery;
mod family;
mod fifo;
mod fit;
mod fixed;
mod global;
mod group;
mod instance;
mod ipvs;
mod link;
mod lvs;
mod mail;
mod marking;
mod merge;
mod notify;
mod page;
mod probe;
mod route;
mod routing;
mod rule;
mod script;
mod server;
mod strict;
mod track;
mod vlink;

pub(super) use instance::seconds;

use std::cell::RefCell;
use std::collections::HashSet;
use std::net::IpAddr;
use std::rc::Rc;

use self::routing::Routing;
use super::complaints::Complaints;
use super::crossref;
use super::document::{Document, Node, Word};
use super::host::Host;
use super::keywords::{
    RawGroup, RawInstance, TopLevel, SSL, TOP_LEVEL, VRRP_INSTANCE, VRRP_SYNC_GROUP,
};
use super::mend::mend;
use super::statement::Checker;
use super::suggest;
use crate::base::batches::Batches;
use crate::base::diag::{Diagnostics, Severity, Sources, Span};
use crate::base::name::SharedNames;
use crate::model::check::Tls;
use crate::model::lvs::Namespace;
use crate::model::notify::Notify;
use crate::model::route::VirtualRule;
use crate::model::track::Object;
use crate::model::vrrp::Garp;
use crate::model::{vrrp, Config};

/// Makes a model of a document.
///
/// Errors are reported in `diags`, and the statements omitted or corrected; with a diagnostic of
/// [`Severity::Fatal`] the model must not be run.
pub fn lower(
    doc: &Document,
    sources: &Sources,
    host: &dyn Host,
    diags: &mut Diagnostics,
) -> Config {
    // Only a text with such an error can have a brace too few.
    let parsed = diags.len();
    let broken = diags.worst() >= Some(Severity::Error);
    let mut out = Complaints::new(diags);
    let mended = if broken { mend(doc, &mut out, host) } else { None };
    let doc = mended.as_ref().unwrap_or(doc);
    let mut checker = Checker::new(out, host);
    let global::Globals { mut global, defaults, directories, lvs, sync, outlets } =
        global::lower(doc, host, &mut checker);
    let (defaults, routing) = (&defaults, &Routing::new(directories, sources));
    let shared = &Shared::default();
    let none = &vlink::Names::default();
    let mut scene = Scene { checker: &mut checker, host, defaults, routing, shared, made: none };
    outlets.resolve(&mut scene, &mut global);
    let mut config = Config { global, ..Config::default() };
    let mut reading = Gathered {
        config: &mut config,
        services: lvs::Pending::new(lvs, sync),
        instances: Batches::default(),
        groups: Vec::new(),
        fixed: fixed::Fixed::default(),
        links: link::LinkLists::default(),
        definitions: track::Definitions::new(doc),
    };
    checker.block(doc.roots(), &TOP_LEVEL.block, &mut |checker, s| {
        let mut top = None;
        TOP_LEVEL.set(&mut top, checker, s);
        let mut scene = Scene { checker, host, defaults, routing, shared, made: none };
        if let Some(top) = top {
            reading.take(&mut scene, top);
        }
    });
    let Gathered { services, instances, groups, fixed, links, definitions, .. } = reading;
    let mut scene = Scene { checker: &mut checker, host, defaults, routing, shared, made: none };
    let raws: Vec<_> = instances.iter().map(|read| &read.raw).collect();
    let (plans, made) = vlink::plan(&mut scene, &raws);
    let mut scene = Scene { checker: &mut checker, host, defaults, routing, shared, made: &made };
    let mut instances = instance::lower_all(&mut scene, instances, plans);
    fixed.resolve(&mut scene, &mut instances, &mut config);
    config.groups = group::lower_all(&mut scene, groups, &mut instances);
    links.resolve(&mut scene, &instances.list, &mut config);
    vlink::conflicts(&mut scene, &mut instances, &config.groups);
    definitions.finish(&mut scene, &mut instances, &mut config);
    crossref::routers(&mut scene.checker.out, &instances.list);
    crossref::addresses(&mut scene.checker.out, &instances.list);
    // Not in the memory of the longer list.
    config.instances = instances.list.iter().map(|i| Rc::clone(&i.instance)).collect();
    drop(instances);
    services.lower(&mut scene, &mut config);
    defaults.scripts.finish(scene.checker);
    mail::check(&mut checker.out, &config);
    checker.out.finish();
    causes_first(doc, diags, parsed);
    diags.sort();
    config
}

/// A complaint about a block as a whole comes after those about its lines: a line may be missing
/// because it is misspelt.
fn causes_first(doc: &Document, diags: &mut Diagnostics, parsed: usize) {
    let lines = diags.spans().map(|s| (s.file, s.line)).collect();
    let ends = doc.ends_of_blocks(&lines);
    // Errors in braces are causes themselves.
    diags.put_after(parsed, |span| ends.get(&(span.file, span.line)).copied());
}

/// An instance that is not lowered yet: it may depend on later ones.
struct ReadInstance<'d> {
    raw: RawInstance<'d>,
    tracked: Vec<track::TrackedEntry<'d>>,
    rules: Vec<Rc<VirtualRule>>,
}

/// Parts of the top level read so far.
struct Gathered<'c, 'd> {
    config: &'c mut Config,
    services: lvs::Pending<'d>,
    instances: Batches<ReadInstance<'d>>,
    groups: Vec<(RawGroup<'d>, Vec<track::TrackedEntry<'d>>)>,
    fixed: fixed::Fixed<'d>,
    links: link::LinkLists<'d>,
    definitions: track::Definitions<'d>,
}

impl<'d> Gathered<'_, 'd> {
    fn take(&mut self, scene: &mut Scene<'_, '_>, top: TopLevel<'d>) {
        let global = &mut self.config.global;
        let lvs = &mut self.services.lvs;
        match top {
            TopLevel::GlobalDefs => {}
            TopLevel::NetNamespace(name) => global.net_namespace = Some(name.to_owned()),
            TopLevel::UsePidDir => global.use_pid_dir = true,
            TopLevel::InstanceName(name) => {
                global.instance_name = Some(name.to_owned());
                global.use_pid_dir = true;
            }
            TopLevel::IpvsNamespace(None) => lvs.namespace = Namespace::Initial,
            TopLevel::IpvsNamespace(Some(name)) => {
                lvs.namespace = Namespace::Named(name.to_owned())
            }
            TopLevel::Tls(node) => {
                lvs.tls = Tls::default();
                scene.checker.fill(node.children(), &SSL, &mut lvs.tls);
            }
            TopLevel::Instance(node) => self.instance(scene, node),
            TopLevel::SyncGroup(node) => self.group(scene, node),
            TopLevel::VirtualServer(statement) => self.services.servers.push(statement),
            TopLevel::AddressGroup(node) => self.services.groups.push(node),
            TopLevel::StaticAddresses(node) => self.fixed.addresses(scene.checker, node),
            TopLevel::StaticRoutes(node) => self.fixed.routes(scene, node),
            TopLevel::StaticRules(node) => self.fixed.rules(scene, node),
            TopLevel::TrackGroup(node) => self.fixed.group(scene.checker, node),
            TopLevel::GarpGroup(node) => self.links.group(scene.checker, node),
            TopLevel::PollLinks => self.links.poll_all(),
            TopLevel::PolledLinks(node) => self.links.polled(scene.checker, node),
            TopLevel::LinkDelays(node) => self.links.delays(scene.checker, node),
            TopLevel::Script(node) => self.definitions.define(scene, Object::Script, node),
            TopLevel::File(node) => self.definitions.define(scene, Object::File, node),
            TopLevel::Process(node) => self.definitions.define(scene, Object::Process, node),
            TopLevel::Bfd(node) => self.definitions.define(scene, Object::Bfd, node),
        }
    }

    fn instance(&mut self, scene: &mut Scene<'_, '_>, node: Node<'d>) {
        scene.host.breathe();
        let name = name_word(node);
        let mut raw = RawInstance { name, ..RawInstance::default() };
        scene.checker.out.set_scope(Some(name.text));
        scene.checker.fill(node.children(), &VRRP_INSTANCE, &mut raw);
        let tracked = self.definitions.read_lists(scene.checker, &raw.tracked);
        if raw.poll_link {
            self.links.poll(raw.interface);
        }
        if let Some(interface) = raw.sync_interface {
            ipvs::follow(&mut self.services.sync, scene.checker, interface, name.text);
        }
        let rules = raw.rules.iter().filter_map(|raw| rule::lower(scene, raw)).collect();
        scene.checker.out.set_scope(None);
        self.instances.push(ReadInstance { raw, tracked, rules });
    }

    fn group(&mut self, scene: &mut Scene<'_, '_>, node: Node<'d>) {
        let name = name_word(node);
        let mut raw = RawGroup { name, ..RawGroup::default() };
        scene.checker.out.set_scope(Some(name.text));
        scene.checker.fill(node.children(), &VRRP_SYNC_GROUP, &mut raw);
        let tracked = self.definitions.read_lists(scene.checker, &raw.tracked);
        scene.checker.out.set_scope(None);
        self.groups.push((raw, tracked));
    }
}

/// Inputs of the rules.
struct Scene<'s, 'a> {
    checker: &'s mut Checker<'a>,
    host: &'s dyn Host,
    defaults: &'s global::Defaults,
    routing: &'s Routing<'s>,
    shared: &'s Shared,
    /// Virtual interfaces of instances; none while the text is read.
    made: &'s vlink::Names,
}

impl Scene<'_, '_> {
    fn error(&mut self, about: &str, span: Span, text: impl AsRef<str>) {
        self.checker.out.error(about, span, text);
    }

    fn refuse(&mut self, about: &str, span: Span, text: impl AsRef<str>) {
        self.checker.out.refuse(about, span, text);
    }

    /// Complains if there is no such interface and there has to be one.
    fn check_link(&mut self, name: &str, span: Span) {
        let exists = self.host.link(name).is_some() || self.made.contains(name);
        if self.defaults.dynamic_interfaces || exists {
            return;
        }
        let text = format!("interface '{name}' does not exist");
        if self.checker.out.refuse(name, span, text) {
            let names = suggest::link(name, &self.host.link_names());
            self.checker.out.hint(format!(
                "{names}'dynamic_interfaces' in global_defs allows interfaces that come later"
            ));
        }
    }
}

/// What many instances have in common.
#[derive(Default)]
struct Shared {
    /// Names of interfaces.
    names: SharedNames,
    notify: Latest<Notify>,
    garp: Latest<Garp>,
}

/// A value that is shared with the one before if they are equal.
struct Latest<T>(RefCell<Option<Rc<T>>>);

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(RefCell::new(None))
    }
}

impl<T: PartialEq> Latest<T> {
    fn of(&self, value: T) -> Rc<T> {
        let mut latest = self.0.borrow_mut();
        match &*latest {
            Some(latest) if **latest == value => Rc::clone(latest),
            _ => Rc::clone(latest.insert(Rc::new(value))),
        }
    }
}

/// An instance, with positions for reports of conflicts with others.
pub(super) struct LoweredInstance {
    pub instance: Rc<vrrp::Instance>,
    pub name: Span,
    pub vrid: Span,
    /// Positions of its addresses in both lists.
    pub addresses: Vec<(IpAddr, Span)>,
    /// It has its own setting for reports of priority changes.
    pub priority_changes_given: bool,
}

/// All instances, and the names of those that were left out.
#[derive(Default)]
struct Instances {
    list: Vec<LoweredInstance>,
    left_out: HashSet<String>,
}

/// The name of a block, or else its keyword.
fn name_word(node: Node<'_>) -> Word<'_> {
    node.arg(0).unwrap_or_else(|| node.keyword())
}

/// The name of a block; its presence was checked.
fn name_of(node: Node<'_>) -> &str {
    node.arg(0).map_or("", |w| w.text)
}

#[cfg(test)]
mod tests;
