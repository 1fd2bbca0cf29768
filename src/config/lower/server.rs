//! One `real_server`, with what it has from its virtual server.

use std::rc::Rc;

use super::check::{self, Around, Known};
use super::forwarding;
use super::inherit::{is_on, Inherited};
use super::service::{port, RawServer};
use super::Scene;
use crate::base::diag::Span;
use crate::config::keywords;
use crate::config::value::Value;
use crate::model::lvs::{Forwarding, RealServer};

/// What a real server sees of its virtual server.
pub(super) struct Outer<'a> {
    pub inherited: Inherited,
    /// Of the virtual server; 0: it has none.
    pub port: u16,
    pub weight: u32,
    pub inhibit: bool,
    pub virtualhost: Option<&'a str>,
    /// `lvs_method` as it is at the end of the virtual server.
    pub forwarding: Forwarding,
    pub known: &'a Known<'a>,
}

/// A real server before it is seen whether it fits to its virtual server.
pub(super) struct Draft {
    /// With port 0 where none was given.
    pub server: RealServer,
    pub span: Span,
}

/// Reads a real server.
pub(super) fn read(
    scene: &mut Scene<'_, '_>,
    raw: &RawServer<'_>,
    outer: &Outer<'_>,
) -> Option<Draft> {
    let node = raw.node;
    // Of a bad port was told: the block is skipped.
    let port = port(node)?;
    let mut server = fresh(scene, raw, port, outer);
    let mut inherited = Inherited::default();
    let (mut up, mut down) = (None, None);
    let mut lower = None;
    let mut checks = Vec::new();
    scene.checker.block(node.children(), &keywords::REAL_SERVER, &mut |checker, s| {
        if inherited.take(s.keyword.name, s.value) {
            return;
        }
        let count = |n: i64| u32::try_from(n).unwrap_or(0);
        match (s.keyword.name, s.value) {
            ("weight", Value::Int(n)) => server.weight = count(n),
            ("uthreshold", Value::Int(n)) => server.upper_threshold = count(n),
            ("lthreshold", Value::Int(n)) => {
                server.lower_threshold = count(n);
                lower = Some(s.node.keyword().span);
            }
            ("lvs_method", _) => server.forwarding = forwarding::read(checker, s.node),
            ("inhibit_on_failure", value) => server.inhibit_on_failure = is_on(value),
            ("smtp_alert", value) => server.mail = is_on(value),
            ("virtualhost", Value::Text(name)) => server.virtualhost = Some(name.to_owned()),
            ("snmp_name", Value::Text(name)) => server.snmp_name = Some(name.to_owned()),
            ("notify_up", _) => up = Some(s.node),
            ("notify_down", _) => down = Some(s.node),
            _ => checks.push(s),
        }
    });
    if server.lower_threshold > server.upper_threshold {
        let text = format!(
            "lthreshold {} is ignored: the kernel wants it not above uthreshold, {}",
            server.lower_threshold, server.upper_threshold
        );
        scene.checker.out.warn("lthreshold", lower.unwrap_or_else(|| node.keyword().span), text);
        server.lower_threshold = 0;
    }
    server.notify_up = up.and_then(|node| scene.notify_script(node)).map(Box::new);
    server.notify_down = down.and_then(|node| scene.notify_script(node)).map(Box::new);
    let inherited = inherited.or(outer.inherited);
    server.alpha = inherited.alpha.unwrap_or(false);
    let virtualhost = server.virtualhost.take();
    let around = Around {
        addr: raw.addr,
        port: if port == 0 { outer.port } else { port },
        inherited,
        delay_loop: outer.inherited.delay_loop(),
        virtualhost: virtualhost.as_deref(),
        service_virtualhost: outer.virtualhost,
        known: outer.known,
    };
    server.checks = Vec::with_capacity(checks.len());
    for s in checks {
        server
            .checks
            .extend(check::read(scene, s.keyword, s.node, &around).into_iter().map(Rc::new));
    }
    server.virtualhost = virtualhost;
    Some(Draft { server, span: node.keyword().span })
}

/// A real server that says nothing itself.
fn fresh(scene: &Scene<'_, '_>, raw: &RawServer<'_>, port: u16, outer: &Outer<'_>) -> RealServer {
    RealServer {
        addr: raw.addr,
        port,
        weight: outer.weight,
        forwarding: raw.method.unwrap_or(outer.forwarding),
        upper_threshold: 0,
        lower_threshold: 0,
        inhibit_on_failure: outer.inhibit,
        notify_up: None,
        notify_down: None,
        alpha: false,
        mail: scene.defaults.checks.mail.unwrap_or(true),
        virtualhost: outer.virtualhost.map(str::to_owned),
        snmp_name: None,
        checks: Vec::new(),
    }
}
