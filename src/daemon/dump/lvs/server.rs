//! A real server.

use super::super::text::{decimal, stamp, yes};
use super::super::track::with_user;
use super::{followed, method, on, service, ListedServer, Text, View};
use crate::lvs::Server;
use crate::model::shown::ShownSchedule;

pub(super) fn server(view: &View<'_>, place: &ListedServer<'_>, server: &Server, out: &mut Text) {
    let ListedServer { service: of, n, config } = *place;
    let (outer, weight) = (of.config(), server.weight());
    out.inner_section("Real server");
    let (addr, port) = (config.addr, config.port);
    out.pair(
        "RIP",
        format_args!("{addr}, RPORT = {port}, WEIGHT = {weight} EFF WEIGHT = {weight}"),
    );
    out.pair("forwarding method", method(config.forwarding));
    out.line(format_args!("Alpha is {}", on(config.alpha)));
    let shown = config.shown.or(&outer.shown);
    let timeout = shown.connect_timeout.unwrap_or(ShownSchedule::CONNECT_TIMEOUT);
    out.pair("connection timeout", decimal(timeout));
    let (low, high) = (config.lower_threshold, config.upper_threshold);
    out.pair("connection limit range", format_args!("{low} -> {high}"));
    out.pair("Delay loop", decimal(shown.delay_loop.unwrap_or(outer.delay_loop)));
    service::retries(&shown, out);
    out.line(format_args!("Inhibit on failure is {}", on(config.inhibit_on_failure)));
    for (way, script) in [("up", &config.notify_up), ("down", &config.notify_down)] {
        if let Some(script) = script {
            out.pair(&format!("RS {way} notify script"), with_user(script));
        }
    }
    // One that it inherits is shown with the virtual server.
    let own = config.virtualhost.as_ref().filter(|own| outer.virtualhost.as_ref() != Some(*own));
    if let Some(name) = own {
        out.line(format_args!(" VirtualHost = '{name}'"));
    }
    if let Some(name) = &config.snmp_name {
        out.pair("SNMP name", name);
    }
    out.pair("Using smtp notification", yes(config.mail));
    out.pair("initial weight", config.weight);
    out.pair("effective weight", weight);
    // Only during a reload.
    out.pair("previous effective_weight", 0);
    out.pair("alive", u8::from(server.is_up()));
    let failed = server.checks().iter().filter(|slot| !slot.is_up()).count();
    out.pair("num failed checkers", failed);
    out.pair("RS set", u8::from(of.held_weight(n).is_some()));
    out.pair("reloaded", 0);
    followed::by_server(config, out);
    beyond(view, server, out);
}

/// Lines that keepalived does not have.
fn beyond(view: &View<'_>, server: &Server, out: &mut Text) {
    out.pair("State", if server.is_up() { "UP" } else { "DOWN" });
    out.pair("Last transition", stamp(view, view.wall_at(server.since())));
    if let Some(order) = server.order() {
        out.pair("Ordered", order);
    }
}
