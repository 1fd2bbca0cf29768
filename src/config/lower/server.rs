//! One `real_server`, with settings inherited from its virtual server.

use std::rc::Rc;

use super::check;
use super::probe::{Around, Files, Sessions};
use super::Scene;
use crate::base::diag::Span;
use crate::config::keywords::{port, Inherited, RawServer, UnreadServer, REAL_SERVER};
use crate::model::lvs::{Forwarding, RealServer};
use crate::model::shown::OwnSchedule;

/// Settings of the virtual server that a real server needs.
pub(super) struct Outer<'a> {
    pub inherited: Inherited,
    /// Of the virtual server; 0: it has none.
    pub port: u16,
    pub weight: u32,
    pub inhibit: bool,
    pub virtualhost: Option<&'a str>,
    /// `lvs_method` as it is at the end of the virtual server.
    pub forwarding: Forwarding,
    pub files: &'a Files<'a>,
    pub sessions: &'a Sessions<'a>,
}

/// A real server before its compatibility with the virtual server is checked.
pub(super) struct ServerDraft {
    /// With port 0 where none was given.
    pub server: RealServer,
    pub span: Span,
}

/// Reads a real server.
pub(super) fn read(
    scene: &mut Scene<'_, '_>,
    unread: &UnreadServer<'_>,
    outer: &Outer<'_>,
) -> Option<ServerDraft> {
    let UnreadServer { node, addr, method } = *unread;
    // A bad port was reported: the block is skipped.
    let port = port(node)?;
    let mut raw = RawServer::default();
    scene.checker.fill(node.children(), &REAL_SERVER, &mut raw);
    let upper_threshold = raw.upper_threshold;
    let mut lower_threshold = raw.lower_threshold.map_or(0, |given| given.value);
    if let Some(given) = raw.lower_threshold.filter(|given| given.value > upper_threshold) {
        let text = format!(
            "lthreshold {lower_threshold} is ignored: the kernel wants it not above uthreshold, \
             {upper_threshold}"
        );
        scene.checker.out.warn("lthreshold", given.span, text);
        lower_threshold = 0;
    }
    let notify_up = raw.notify_up.and_then(|node| scene.notify_script(node)).map(Box::new);
    let notify_down = raw.notify_down.and_then(|node| scene.notify_script(node)).map(Box::new);
    let inherited = raw.inherited.or(outer.inherited);
    let around = Around {
        addr,
        port: if port == 0 { outer.port } else { port },
        inherited,
        delay_loop: outer.inherited.delay_loop(),
        virtualhost: raw.virtualhost.or(outer.virtualhost),
        service_virtualhost: outer.virtualhost,
        files: outer.files,
        sessions: outer.sessions,
    };
    let mut checks = Vec::with_capacity(raw.checks.len());
    for raw in &raw.checks {
        checks.extend(check::checks(scene, raw, &around).into_iter().map(Rc::new));
    }
    let server = RealServer {
        addr,
        port,
        weight: raw.weight.unwrap_or(outer.weight),
        forwarding: raw.forwarding.or(method).unwrap_or(outer.forwarding),
        upper_threshold,
        lower_threshold,
        inhibit_on_failure: raw.inhibit.unwrap_or(outer.inhibit),
        notify_up,
        notify_down,
        alpha: inherited.alpha.unwrap_or(false),
        mail: raw.mail.or(scene.defaults.checks.mail).unwrap_or(true),
        virtualhost: around.virtualhost.map(str::to_owned),
        snmp_name: None,
        shown: OwnSchedule(raw.inherited.is_given().then(|| Box::new(raw.inherited.shown()))),
        checks,
    };
    Some(ServerDraft { server, span: node.keyword().span })
}
