//! Compatibility of servers with their virtual server, and their ports.

use std::collections::HashSet;
use std::net::IpAddr;

use super::lvs::ServiceCore;
use super::server::ServerDraft;
use super::Scene;
use crate::base::addr::Family;
use crate::base::diag::Span;
use crate::config::keywords::RawService;
use crate::model::lvs::{Forwarding, RealServer, Service, SorryServer};

/// The real servers compatible with the virtual server, with their ports.
pub(super) fn servers(
    scene: &mut Scene<'_, '_>,
    core: &ServiceCore,
    drafts: Vec<ServerDraft>,
) -> Vec<RealServer> {
    let mut seen = HashSet::with_capacity(drafts.len());
    let mut servers = Vec::with_capacity(drafts.len());
    for ServerDraft { mut server, span } in drafts {
        if !is_reachable(scene, core, "real_server", server.addr, server.forwarding, span) {
            continue;
        }
        server.port =
            usable_port(scene, core, "real_server", (server.port, server.forwarding), span);
        if seen.insert((server.addr, server.port)) {
            servers.push(server);
        } else {
            let text = format!(
                "real_server {} {} is there already: this one is left out",
                server.addr, server.port
            );
            scene.error("real_server", span, text);
        }
    }
    servers
}

/// Only a tunnel leads to another family.
fn is_reachable(
    scene: &mut Scene<'_, '_>,
    core: &ServiceCore,
    what: &str,
    addr: IpAddr,
    forwarding: Forwarding,
    span: Span,
) -> bool {
    let tunnel = matches!(forwarding, Forwarding::Tunnel(_));
    let fits = tunnel || Family::of(&addr) == core.family;
    if !fits {
        let text = format!(
            "{what} {addr} is left out: the virtual server is {}, and only TUN goes between families",
            core.family
        );
        core.report(scene, what, span, &text);
    }
    fits
}

/// The port of a server: only NAT can change it.
fn usable_port(
    scene: &mut Scene<'_, '_>,
    core: &ServiceCore,
    what: &str,
    (port, forwarding): (u16, Forwarding),
    span: Span,
) -> u16 {
    if port == 0 {
        return core.port;
    }
    if forwarding == Forwarding::Nat || port == core.port {
        return port;
    }
    match core.service {
        // Every entry has its own.
        Service::Group { .. } => port,
        Service::Fwmark(_) => {
            let text = format!("port {port} of {what} is ignored: with fwmark only NAT has one");
            scene.error(what, span, text);
            0
        }
        Service::Address { .. } => {
            let text = format!(
                "port {port} of {what} is ignored: only NAT changes it, {} is used",
                core.port
            );
            scene.error(what, span, text);
            core.port
        }
    }
}

pub(super) fn sorry_server(
    scene: &mut Scene<'_, '_>,
    raw: &RawService<'_>,
    core: &ServiceCore,
    servers: &[RealServer],
) -> Option<SorryServer> {
    const NAME: &str = "sorry_server";
    let sorry = raw.sorry.as_ref()?;
    let forwarding = sorry.forwarding.unwrap_or(core.forwarding);
    if !is_reachable(scene, core, NAME, sorry.addr, forwarding, sorry.span) {
        return None;
    }
    let port = usable_port(scene, core, NAME, (sorry.port, forwarding), sorry.span);
    let twin = servers.iter().find(|s| s.addr == sorry.addr && s.port == port);
    let mut inhibit = sorry.inhibit;
    if let Some(twin) = twin.filter(|twin| twin.inhibit_on_failure != inhibit) {
        inhibit = twin.inhibit_on_failure;
        let name = if inhibit { "inhibit_on_failure" } else { "no inhibit_on_failure" };
        let text = format!("sorry_server is a real_server with {name}: so it is here as well");
        scene.error(NAME, sorry.span, text);
    }
    Some(SorryServer { addr: sorry.addr, port, forwarding, inhibit })
}
