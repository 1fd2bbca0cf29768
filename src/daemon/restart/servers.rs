//! Virtual and real servers in the snapshot.

use std::collections::BTreeMap;

use super::router::{since_zero, time};
use crate::base::recalled::{RecalledCheck, RecalledServer, RecalledService};
use crate::daemon::lvs::Past;
use crate::daemon::runtime::Runtime;
use crate::lvs::{self, ServerOrder};
use crate::model::lvs::{RealServer, VirtualServer};
use crate::snapshot::{Check, Server, Service, Weight};

impl Runtime {
    pub(super) fn services(&self) -> Vec<Service> {
        self.lvs.services().map(|service| self.service(service)).collect()
    }

    fn service(&self, service: &lvs::Service) -> Service {
        let config = service.config();
        let server = |(server, state): (&RealServer, &lvs::Server)| Server {
            name: config.server_name(server).to_string(),
            order: state.order().map(|order| order.to_string()),
            is_up: state.is_up(),
            since: since_zero(state.since()),
            checks: state.checks().iter().map(|slot| self.check(slot)).collect(),
        };
        Service {
            name: config.to_string(),
            is_met: service.is_up(),
            since: since_zero(service.since()),
            servers: service.servers().map(server).collect(),
        }
    }

    fn check(&self, slot: &lvs::Slot) -> Option<Check> {
        let check = self.lvs.pool.recall(slot.id(), self.now)?;
        Some(Check {
            is_up: check.was_up,
            weight: match check.weight {
                lvs::Weight::Unchanged => Weight::Unchanged,
                lvs::Weight::Instead(weight) => Weight::Instead(weight),
                lvs::Weight::Plus(weight) => Weight::Plus(weight),
            },
            retries: check.retries,
            due: check.due.map(since_zero),
        })
    }
}

/// What is known of this virtual server.
pub(super) fn past(service: &Service, config: &VirtualServer) -> Past {
    let known: BTreeMap<&str, &Server> =
        service.servers.iter().map(|server| (server.name.as_str(), server)).collect();
    let server = |server| known.get(config.server_name(server).to_string().as_str()).copied();
    let before: Vec<Option<&Server>> = config.servers.iter().map(server).collect();
    let order = |(place, server): (usize, &Option<&Server>)| {
        Some((place, ServerOrder::parse(server.as_ref()?.order.as_ref()?)?))
    };
    let orders = before.iter().enumerate().filter_map(order).collect();
    let servers = before.iter().map(|server| server.map(recalled).unwrap_or_default()).collect();
    let quorum = Some((service.is_met, time(service.since)));
    Past { recalled: RecalledService { quorum, servers }, orders }
}

fn recalled(server: &Server) -> RecalledServer {
    let check = |check: &Check| RecalledCheck {
        was_up: check.is_up,
        weight: match check.weight {
            Weight::Unchanged => lvs::Weight::Unchanged,
            Weight::Instead(weight) => lvs::Weight::Instead(weight),
            Weight::Plus(weight) => lvs::Weight::Plus(weight),
        },
        retries: check.retries,
        due: check.due.map(time),
    };
    RecalledServer {
        was_up: Some(server.is_up),
        since: Some(time(server.since)),
        checks: server.checks.iter().map(|known| known.as_ref().map(check)).collect(),
    }
}
