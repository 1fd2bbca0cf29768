//! The data dump of virtual servers: their real servers, and the last results of checks.

use super::text::{or_none, stamp, Seconds, Text};
use super::View;
use crate::check::Pool;
use crate::lvs::{Server, Service, Slot};
use crate::model::lvs::{self as config, Forwarding, GroupEntry, Protocol, RealServer};
use crate::model::probed::Probed;
use crate::model::Config;

/// `services` in the order to be shown, and the results of their checks in `pool`.
pub(super) fn render<'a>(
    view: &View<'_>,
    services: impl Iterator<Item = &'a Service> + Clone,
    pool: &Pool,
) -> String {
    let mut out = Text::default();
    topology(view, services.clone(), pool, &mut out);
    groups(view, &mut out);
    for service in services {
        out.section("Virtual server");
        virtual_server(view, service, &mut out);
        for (config, server) in service.servers() {
            out.section("Real server");
            real_server(view, service, config, server, &mut out);
            if !server.checks().is_empty() {
                out.section("Health checkers");
            }
            for slot in server.checks() {
                check(view, slot, pool, &mut out);
            }
        }
    }
    out.finish()
}

fn topology<'a>(
    view: &View<'_>,
    services: impl Iterator<Item = &'a Service> + Clone,
    pool: &Pool,
    out: &mut Text,
) {
    let lvs = &view.config.lvs;
    out.section("LVS Topology");
    out.top("Virtual servers", services.clone().count());
    out.top("Virtual servers up", services.clone().filter(|s| s.is_up()).count());
    let servers: Vec<_> = services.flat_map(Service::servers).collect();
    out.top("Real servers", servers.len());
    out.top("Real servers up", servers.iter().filter(|(_, s)| s.is_up()).count());
    let (running, waiting) = pool.load();
    out.top("Checks under way", running);
    out.top("Checks that wait for others", waiting);
    let timeouts =
        [("TCP", lvs.timeouts.tcp), ("TCP FIN", lvs.timeouts.tcp_fin), ("UDP", lvs.timeouts.udp)];
    for (name, seconds) in timeouts {
        if let Some(seconds) = seconds {
            out.top(&format!("LVS {name} timeout"), seconds);
        }
    }
    if let Some(marking) = &view.config.global.firewall.marking {
        out.top("ipvs nftables table name", &marking.table);
        out.top("ipvs nftables base chain priority", marking.priority);
        out.top("ipvs nftables start fwmark", marking.first_mark);
    }
    if let Some(daemon) = &lvs.sync_daemon {
        out.top("LVS sync daemon interface", &daemon.interface);
        out.top("LVS sync daemon VRRP instance", or_none(daemon.instance.as_ref()));
        out.top("LVS sync daemon id", daemon.id);
    }
}

fn groups(view: &View<'_>, out: &mut Text) {
    for group in &view.config.address_groups {
        out.section("Virtual server group");
        out.top("Virtual server group", &group.name);
        if let Some(marks) = marks(view.config, &group.name) {
            out.line(marks);
        }
        for entry in &group.entries {
            match *entry {
                GroupEntry::Range { first, last, port } if first == last => {
                    out.item(format_args!("[{first}]:{port}"));
                }
                GroupEntry::Range { first, last, port } => {
                    out.item(format_args!("[{first}-{last}]:{port}"));
                }
                GroupEntry::Fwmark { mark, .. } => out.item(format_args!("FWM {mark}")),
            }
        }
    }
}

/// The marks of packets to the addresses of a group, as keepalived shows them: 0 is none.
fn marks(config: &Config, group: &str) -> Option<String> {
    let servers = config
        .virtual_servers
        .iter()
        .filter(|vs| matches!(&vs.service, config::Service::Group { name, .. } if name == group));
    servers.clone().any(|vs| vs.mark.is_some()).then(|| {
        let marks = Protocol::ALL.map(|protocol| {
            let mark =
                servers.clone().find(|vs| vs.protocol == Some(protocol)).and_then(|vs| vs.mark);
            format!("{}: {}", protocol.name().to_uppercase(), mark.unwrap_or(0))
        });
        format!("Fwmark {}", marks.join(" "))
    })
}

fn virtual_server(view: &View<'_>, service: &Service, out: &mut Text) {
    let config = service.config();
    out.top("Virtual server", config);
    out.pair("State", word(service.is_up()));
    out.pair("Last transition", stamp(view, view.wall_at(service.since())));
    out.pair("Protocol", or_none(config.protocol.map(|p| p.name().to_uppercase())));
    if let Some(mark) = config.mark {
        out.pair("fwmark", mark);
    }
    out.pair("lvs_sched", config.scheduler.name());
    out.pair("lvs_method", method(&config.forwarding));
    if let Some(persistence) = &config.persistence {
        out.pair("Persistence timeout", persistence.timeout);
    }
    out.pair("delay_loop", Seconds(config.delay_loop));
    let tally = service.tally();
    out.pair("Quorum", tally.quorum);
    out.pair("Hysteresis", tally.hysteresis);
    out.pair("Weight of live servers", tally.weight);
    out.pair("alpha", switch(config.alpha));
    out.pair("omega", switch(config.omega));
    out.pair("ha_suspend", switch(config.ha_suspend));
    if config.ha_suspend {
        out.pair("Suspended", service.is_suspended());
    }
    if let Some(sorry) = &config.sorry_server {
        out.pair("Sorry server", config.sorry_name(sorry));
        out.pair("Sorry server in use", service.is_sorry());
    }
    let up = service.servers().filter(|(_, s)| s.is_up()).count();
    out.pair("Real servers up", format_args!("{up} of {}", config.servers.len()));
}

fn real_server(
    view: &View<'_>,
    service: &Service,
    config: &RealServer,
    server: &Server,
    out: &mut Text,
) {
    out.top("Real server", service.config().server_name(config));
    out.pair("State", word(server.is_up()));
    out.pair("Last transition", stamp(view, view.wall_at(server.since())));
    out.pair("Weight", config.weight);
    out.pair("Effective weight", server.weight());
    out.pair("lvs_method", method(&config.forwarding));
    out.pair("Inhibit on failure", switch(config.inhibit_on_failure));
    out.pair("Upper threshold", config.upper_threshold);
    out.pair("Lower threshold", config.lower_threshold);
    out.pair("alpha", switch(config.alpha));
    let failed = server.checks().iter().filter(|slot| !slot.is_up()).count();
    out.pair("Failed checkers", format_args!("{failed} of {}", server.checks().len()));
}

fn check(view: &View<'_>, slot: &Slot, pool: &Pool, out: &mut Text) {
    let config = slot.config();
    out.top("Checker", Probed { config, page: 0 });
    out.pair("State", if slot.has_run() { word(slot.is_up()) } else { "not yet run" });
    out.pair("alpha", switch(config.alpha));
    out.pair("delay_loop", Seconds(config.schedule.delay_loop));
    out.pair("retry", config.schedule.retry);
    out.pair("delay_before_retry", Seconds(config.schedule.delay_before_retry));
    out.pair("warmup", Seconds(config.schedule.warmup));
    if let Some(connect) = config.kind.connect() {
        out.pair("Connection timeout", Seconds(connect.timeout));
    }
    let Some(entry) = pool.check(slot.id()) else { return };
    out.pair("Suspended", entry.is_suspended());
    if let Some((told, at)) = entry.last_words() {
        out.pair("Last run", stamp(view, view.wall_at(at)));
        out.pair("Last result", told);
    }
}

const fn word(up: bool) -> &'static str {
    if up {
        "UP"
    } else {
        "DOWN"
    }
}

const fn switch(on: bool) -> &'static str {
    if on {
        "ON"
    } else {
        "OFF"
    }
}

const fn method(forwarding: &Forwarding) -> &'static str {
    match forwarding {
        Forwarding::Nat => "NAT",
        Forwarding::Direct => "DR",
        Forwarding::Tunnel(_) => "TUN",
    }
}
