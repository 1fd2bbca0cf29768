//! Virtual servers, real servers and checks.

use crate::check::Pool;
use crate::daemon::journal::{Journal, Subject};
use crate::daemon::view::View;
use crate::lvs;
use crate::model::lvs::RealServer;
use crate::model::probed::Probed;
use crate::status::{Check, ObjectKind, Server, Service, Tally, Time};

pub(in crate::daemon) fn service(
    view: &View<'_>,
    journal: &Journal,
    service: &lvs::Service,
) -> Service {
    let (config, tally) = (service.config(), service.tally());
    let name = config.to_string();
    let last = journal.last_state(&Subject::new(ObjectKind::Service, name.as_str()));
    Service {
        name,
        up: service.is_up(),
        since: Time(view.wall_at(service.since())),
        why: last.and_then(|entry| entry.why.text()),
        tally: Tally {
            servers: tally.servers,
            up: tally.live,
            weight: tally.weight,
            quorum: tally.quorum,
            hysteresis: tally.hysteresis,
        },
        suspended: service.is_suspended(),
        sorry_server: config.sorry_server.as_ref().map(|s| config.sorry_name(s).to_string()),
        sorry_in_use: service.is_sorry(),
        traffic: None,
    }
}

/// One real server of a virtual server.
pub(in crate::daemon) fn server(
    view: &View<'_>,
    journal: &Journal,
    pool: &Pool,
    of: &lvs::Service,
    index: usize,
) -> Option<Server> {
    let figures = server_figures(view, of, index)?;
    let (_, server) = of.server(index)?;
    let last = journal.last_state(&Subject::server(&figures.service, &figures.name));
    let checks: Vec<_> = server.checks().iter().map(|slot| check(view, pool, slot)).collect();
    // What keeps it down counts more than what brought it down.
    let failed = checks.iter().find(|c| c.up == Some(false));
    let failed = failed.and_then(|c| c.last_result.clone()).filter(|_| !server.is_up());
    let disabled = (server.order() == Some(lvs::ServerOrder::Disable))
        .then(|| "disable by command of an operator".to_owned());
    Some(Server {
        why: disabled.or(failed).or_else(|| last.and_then(|entry| entry.why.text())),
        checks,
        ..figures
    })
}

/// The figures of one: what can be had for thousands of them a second. Reasons and checks are left
/// out.
pub(in crate::daemon) fn server_figures(
    view: &View<'_>,
    of: &lvs::Service,
    index: usize,
) -> Option<Server> {
    let (config, server): (&RealServer, &lvs::Server) = of.server(index)?;
    Some(Server {
        service: of.config().to_string(),
        name: of.config().server_name(config).to_string(),
        up: server.is_up(),
        since: Time(view.wall_at(server.since())),
        weight: config.weight,
        held_weight: of.held_weight(index).filter(|_| view.has_ipvs),
        effective_weight: server.weight(),
        order: server.order().map(|order| order.to_string()),
        ..Server::default()
    })
}

fn check(view: &View<'_>, pool: &Pool, slot: &lvs::CheckSlot) -> Check {
    let entry = pool.check(slot.id());
    let last = entry.and_then(|entry| entry.last_words());
    Check {
        name: Probed { config: slot.config(), page: 0 }.to_string(),
        up: slot.has_run().then_some(slot.is_up()),
        suspended: entry.is_some_and(|entry| entry.is_suspended()),
        last_run: last.as_ref().map(|(_, at)| Time(view.wall_at(*at))),
        last_result: last.map(|(words, _)| words),
    }
}
