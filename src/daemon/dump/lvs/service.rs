//! A virtual server.

use super::super::text::{decimal, enabled, stamp, yes};
use super::super::track::with_user;
use super::{method, on, Text, View};
use crate::base::addr::Family;
use crate::lvs::Service;
use crate::model::lvs::{self as model, Granularity, Scheduler, VirtualServer};
use crate::model::shown::ShownSchedule;

pub(super) fn service(view: &View<'_>, service: &Service, out: &mut Text) {
    let config = service.config();
    out.subsection("Virtual server");
    identity(config, out);
    let shown = &config.shown;
    let timeout = shown.connect_timeout.unwrap_or(ShownSchedule::CONNECT_TIMEOUT);
    out.pair("connection timeout", decimal(timeout));
    out.pair("delay_loop", decimal(config.delay_loop));
    scheduling(config, out);
    let protocol = config.protocol.map(|protocol| protocol.name().to_uppercase());
    out.pair("protocol", protocol.as_deref().unwrap_or("none"));
    out.line(format_args!("alpha is {}", on(config.alpha)));
    out.line(format_args!("omega is {}", on(config.omega)));
    retries(shown, out);
    out.line(format_args!("Inhibit on failure is {}", on(shown.inhibit)));
    out.pair("quorum", format_args!("{}, hysteresis = {}", config.quorum, config.hysteresis));
    for (way, script) in [("up", &config.quorum_up), ("down", &config.quorum_down)] {
        if let Some(script) = script {
            out.pair(&format!("Quorum {way} notify script"), with_user(script));
        }
    }
    if config.ha_suspend {
        out.line("Using HA suspend");
    }
    out.pair("Using smtp notification", yes(config.mail));
    out.pair("default forwarding method", method(config.forwarding));
    sorry(service, out);
    // It is in IPVS, or about to be, for as long as the daemon has it.
    out.pair("VS alive", 1);
    out.pair("quorum_state_up", u8::from(service.is_up()));
    out.pair("reloaded", 0);
    beyond(view, service, out);
}

/// What is given of it.
pub(super) fn retries(shown: &ShownSchedule, out: &mut Text) {
    if let Some(count) = shown.retry {
        out.pair("Retry count", count);
    }
    for (key, span) in [("Retry delay", shown.delay_before_retry), ("Warmup", shown.warmup)] {
        if let Some(span) = span {
            out.pair(key, decimal(span));
        }
    }
}

fn identity(config: &VirtualServer, out: &mut Text) {
    match &config.service {
        model::Service::Address { addr, port } => {
            out.top("VS VIP", format_args!("{addr}, VPORT = {port}"));
        }
        model::Service::Fwmark(mark) => out.top("VS FWMARK", mark),
        model::Service::Group { .. } => out.top("VS GROUP", config),
    }
    if let Some(name) = &config.virtualhost {
        out.pair("VirtualHost", name);
    }
    if let Some(name) = &config.snmp_name {
        out.pair("SNMP name", format_args!("'{name}'"));
    }
    let family = match config.family {
        Family::V4 => "inet",
        Family::V6 => "inet6",
    };
    out.pair("Address family", family);
}

fn scheduling(config: &VirtualServer, out: &mut Text) {
    out.pair("lvs_sched", config.scheduler.name());
    // A flag of the kernel's own.
    out.pair("Hashed", enabled(false));
    let flags = config.scheduler_flags;
    let prefix = match config.scheduler {
        Scheduler::Sh => Some("sh"),
        Scheduler::Mh => Some("mh"),
        _ => None,
    };
    match prefix {
        Some(name) => {
            out.pair(&format!("{name}-port"), enabled(flags.second));
            out.pair(&format!("{name}-fallback"), enabled(flags.first));
        }
        None => {
            out.pair("flag-1", enabled(flags.first));
            out.pair("flag-2", enabled(flags.second));
            out.pair("flag-3", enabled(flags.third));
        }
    }
    out.pair("One packet scheduling", enabled(config.one_packet));
    if let Some(persistence) = &config.persistence {
        out.pair("persistence timeout", persistence.timeout);
        match persistence.granularity {
            None => {}
            Some(Granularity::Mask(mask)) => out.pair("persistence granularity", mask),
            Some(Granularity::Prefix(length)) => out.pair("persistence granularity", length),
        }
    }
}

fn sorry(service: &Service, out: &mut Text) {
    let config = service.config();
    let Some(sorry) = &config.sorry_server else { return };
    let is_twin = |s: &model::RealServer| s.addr == sorry.addr && s.port == sorry.port;
    let twin = if config.servers.iter().any(is_twin) { " (duplicates rs)" } else { "" };
    out.pair(&format!("sorry server{twin}"), config.sorry_name(sorry));
    out.pair_of_item("forwarding method", method(sorry.forwarding));
    out.item(format_args!("Inhibit on failure is {}", on(sorry.inhibit)));
    out.pair_of_item("set", u8::from(service.is_sorry() || sorry.inhibit));
    out.pair_of_item("alive", u8::from(service.is_sorry()));
}

/// Lines that keepalived does not have.
fn beyond(view: &View<'_>, service: &Service, out: &mut Text) {
    let config = service.config();
    out.pair("State", if service.is_up() { "UP" } else { "DOWN" });
    out.pair("Last transition", stamp(view, view.wall_at(service.since())));
    if let Some(engine) = &config.persistence_engine {
        out.pair("persistence engine", engine);
    }
    if let Some(mark) = config.mark {
        out.pair("fwmark", mark);
    }
    out.pair("Weight of live servers", service.tally().weight);
    if config.ha_suspend {
        out.pair("Suspended", yes(service.is_suspended()));
    }
    let up = service.servers().filter(|(_, s)| s.is_up()).count();
    out.pair("Real servers up", format_args!("{up} of {}", config.servers.len()));
}
