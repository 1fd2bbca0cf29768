//! `keepalived_check.data`: virtual servers, their real servers, and the last results of checks.

mod checker;
mod followed;
mod group;
mod kind;
mod server;
mod service;

use super::text::Text;
use super::{global, View};
use crate::check::Pool;
use crate::lvs::Service;
use crate::model::lvs::{Forwarding, RealServer, Tunnel, TunnelChecksum};

/// `all`: in the order to be shown. `pool`: the results of their checks.
pub(super) fn render(view: &View<'_>, all: &[&Service], pool: &Pool) -> String {
    let mut out = Text::default();
    global::render(view, &mut out);
    tls(view, &mut out);
    if !all.is_empty() {
        out.section("LVS Topology");
        out.fact("System is compiled with LVS v1.2.1");
        group::groups(view, all, &mut out);
    }
    for service in all {
        service::service(view, service, &mut out);
        for (n, (config, server)) in service.servers().enumerate() {
            server::server(view, &ListedServer { service, n, config }, server, &mut out);
        }
    }
    checkers(view, all, pool, &mut out);
    followed::sections(view, all, &mut out);
    load(all, pool, &mut out);
    out.finish()
}

/// A real server of a virtual server.
struct ListedServer<'a> {
    service: &'a Service,
    /// Its index.
    n: usize,
    config: &'a RealServer,
}

fn tls(view: &View<'_>, out: &mut Text) {
    let tls = &view.config.lvs.tls;
    let files =
        [("CA-file", &tls.ca), ("Certificate file", &tls.certificate), ("Key file", &tls.key)];
    if tls.password.is_none() && files.iter().all(|(_, path)| path.is_none()) {
        return;
    }
    out.section("SSL definitions");
    if tls.password.is_some() {
        out.fact("Password : ********");
    }
    for (name, path) in files {
        if let Some(path) = path {
            out.fact(format_args!("{name} : {path}"));
        }
    }
}

fn checkers(view: &View<'_>, all: &[&Service], pool: &Pool, out: &mut Text) {
    let mut has_title = false;
    for service in all {
        for (config, server) in service.servers() {
            if server.checks().is_empty() {
                continue;
            }
            if !std::mem::replace(&mut has_title, true) {
                out.section("Health checkers");
            }
            let pair = format!("{} -> {}", service.config(), service.config().server_name(config));
            for slot in server.checks() {
                checker::checker(view, &pair, service, slot, pool, out);
            }
        }
    }
}

/// Totals, which keepalived does not have.
fn load(all: &[&Service], pool: &Pool, out: &mut Text) {
    let servers = || all.iter().flat_map(|service| service.servers());
    let (running, waiting) = pool.load();
    out.section("Load");
    out.top("Virtual servers", all.len());
    out.top("Virtual servers up", all.iter().filter(|service| service.is_up()).count());
    out.top("Real servers", servers().count());
    out.top("Real servers up", servers().filter(|(_, server)| server.is_up()).count());
    out.top("Checks under way", running);
    out.top("Checks that wait for others", waiting);
}

const fn on(is_on: bool) -> &'static str {
    if is_on {
        "ON"
    } else {
        "OFF"
    }
}

/// `NAT`; `TUN, type = GUE, port = 6080, checksum`
fn method(forwarding: Forwarding) -> String {
    match forwarding {
        Forwarding::Nat => "NAT".to_owned(),
        Forwarding::Direct => "DR".to_owned(),
        Forwarding::Tunnel(Tunnel::Ipip) => "TUN, type = IPIP".to_owned(),
        Forwarding::Tunnel(Tunnel::Gue { port, checksum }) => {
            let checksum = match checksum {
                TunnelChecksum::None => "no checksum",
                TunnelChecksum::Plain => "checksum",
                TunnelChecksum::Remote => "remote checksum",
            };
            format!("TUN, type = GUE, port = {port}, {checksum}")
        }
        Forwarding::Tunnel(Tunnel::Gre { checksum }) => {
            let checksum = if checksum { "checksum" } else { "no checksum" };
            format!("TUN, type = GRE, {checksum}")
        }
    }
}
