//! Document to model, one file per section.
//!
//! Everything is read before anything is judged: `global_defs` first, wherever it stands, because
//! it has the defaults of the rest; then the blocks in the order of the text; then what needs all
//! of them ([`crossref`](super::crossref)). No complaint ends the reading.

mod address;
mod address_group;
mod check;
mod define;
mod delivery;
mod family;
mod fifo;
mod fit;
mod fixed;
mod forwarding;
mod global;
mod group;
mod inherit;
mod instance;
mod ipvs;
mod lvs;
mod mail;
mod merge;
mod notify;
mod page;
mod script;
mod server;
mod service;
mod settle;
mod strict;
mod track;

pub(super) use instance::number;
pub(super) use settle::seconds;

use std::collections::HashSet;
use std::net::IpAddr;
use std::rc::Rc;

use super::complaints::Complaints;
use super::document::{Document, Node};
use super::host::Host;
use super::keywords;
use super::mend::mend;
use super::statement::{Checker, Statement};
use super::suggest;
use super::{crossref, value::Value};
use crate::base::diag::{Diagnostics, Severity, Span};
use crate::model::{vrrp, Config};

/// Makes a model of what the operator wrote.
///
/// Whatever is wrong is told in `diags` and left out or corrected; with a complaint of
/// [`Severity::Fatal`](crate::base::diag::Severity::Fatal) the model must not be run.
pub fn lower(doc: &Document, host: &dyn Host, diags: &mut Diagnostics) -> Config {
    // Only a text with such an error can have a brace too few.
    let parsed = diags.len();
    let broken = diags.worst() >= Some(Severity::Error);
    let mut out = Complaints::new(diags);
    let mended = if broken { mend(doc, &mut out, host) } else { None };
    let doc = mended.as_ref().unwrap_or(doc);
    let mut checker = Checker::new(out, host);
    let global::Globals { mut global, defaults, ipvs, fifos } =
        global::lower(doc, host, &mut checker);
    let mut scene = Scene { checker: &mut checker, host, defaults: &defaults };
    fifos.settle(&mut scene, &mut global);
    let mut config = Config { global, ..Config::default() };
    let mut services = lvs::Pending::new(ipvs);
    let mut instances = Instances::default();
    let mut groups = Vec::new();
    let mut fixed = fixed::Fixed::default();
    let mut objects = track::Objects::new(doc);
    checker.block(doc.roots(), &keywords::ROOT, &mut |checker, s| match s.keyword.name {
        "vrrp_instance" => {
            host.breathe();
            let read = instance::read(checker, &objects, s.node);
            checker.out.set_scope(Some(read.name));
            if let Some(interface) = read.sync_interface {
                services.ipvs.follow(checker, interface, read.name);
            }
            let mut scene = Scene { checker, host, defaults: &defaults };
            let settled = settle::settle(&mut scene, read);
            checker.out.set_scope(None);
            match settled {
                Some(settled) => instances.list.push(settled),
                None => {
                    instances.left_out.insert(name_of(s.node).to_owned());
                }
            }
        }
        "vrrp_sync_group" => groups.push(group::read(checker, &objects, s.node)),
        "virtual_server" => services.servers.push(s),
        "virtual_server_group" => services.groups.push(s.node),
        "net_namespace_ipvs" => services.ipvs.lvs.namespace = ipvs::namespace(s.value),
        "SSL" => services.ipvs.lvs.tls = ipvs::tls(checker, s.node),
        name => {
            let mut scene = Scene { checker, host, defaults: &defaults };
            let known = objects.define(&mut scene, &s) || fixed.read(scene.checker, &s);
            if !known {
                top_level(&mut config, name, s);
            }
        }
    });
    let mut scene = Scene { checker: &mut checker, host, defaults: &defaults };
    fixed.settle(&mut scene, &mut instances, &mut config);
    config.groups = group::settle(&mut scene, groups, &mut instances);
    objects.finish(&mut scene, &mut instances, &mut config);
    crossref::routers(&mut scene.checker.out, &instances.list);
    crossref::addresses(&mut scene.checker.out, &instances.list);
    config.global.rx_buffer = defaults.rx_buffer.bytes(host, &instances.list);
    config.instances = instances.list.into_iter().map(|i| i.instance).collect();
    services.lower(&mut scene, doc, &mut config);
    defaults.scripts.finish(scene.checker);
    mail::check(&mut checker.out, &config);
    checker.out.finish();
    causes_first(doc, diags, parsed);
    diags.sort();
    config
}

/// What is told of a block as a whole comes after what is told of its lines: that a line is missing
/// may follow from a misspelt one.
fn causes_first(doc: &Document, diags: &mut Diagnostics, parsed: usize) {
    let lines = diags.spans().map(|s| (s.file, s.line)).collect();
    let ends = doc.ends_of_blocks(&lines);
    // What was wrong with the braces is a cause itself.
    diags.put_after(parsed, |span| ends.get(&(span.file, span.line)).copied());
}

/// The bare keywords of the top level.
fn top_level(config: &mut Config, name: &str, s: Statement<'_>) {
    let global = &mut config.global;
    match (name, s.value) {
        ("net_namespace", Value::Text(name)) => global.net_namespace = Some(name.to_owned()),
        ("instance", Value::Text(name)) => {
            global.instance_name = Some(name.to_owned());
            global.use_pid_dir = true;
        }
        ("use_pid_dir", _) => global.use_pid_dir = true,
        // Read before everything else.
        ("global_defs", _) => {}
        _ => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
    }
}

/// Everything a rule may look at.
struct Scene<'s, 'a> {
    checker: &'s mut Checker<'a>,
    host: &'s dyn Host,
    defaults: &'s global::Defaults,
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
        if self.defaults.dynamic_interfaces || self.host.link(name).is_some() {
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

/// An instance, and where to point when it does not get on with another.
pub(super) struct Settled {
    pub instance: Rc<vrrp::Instance>,
    pub name: Span,
    pub vrid: Span,
    /// Where its addresses stand, those of both lists.
    pub addresses: Vec<(IpAddr, Span)>,
    /// It says itself whether changes of its priority are told.
    pub priority_changes_given: bool,
}

/// All instances, and the names of those that were left out.
#[derive(Default)]
struct Instances {
    list: Vec<Settled>,
    left_out: HashSet<String>,
}

/// The name of a block; its presence was checked.
fn name_of(node: Node<'_>) -> &str {
    node.arg(0).map_or("", |w| w.text)
}

#[cfg(test)]
mod tests;
