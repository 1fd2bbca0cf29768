//! What an operator orders of a real server. An order is in force until it is taken back, or until
//! the server is no longer configured; a reload leaves it in force.

use std::fmt;

use super::action::Action;
use super::cause::{QuorumCause, ServerCause};
use super::service::Service;
use super::Domain;
use crate::base::ids::ServiceId;
use crate::base::time::Instant;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ServerOrder {
    /// Weight 0: connections go on, and no new ones come.
    Drain,
    /// Down, as if a check had failed.
    Disable,
    /// This weight, whatever the configuration and the checks say.
    Weight(u32),
}

impl fmt::Display for ServerOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drain => f.write_str("drain"),
            Self::Disable => f.write_str("disable"),
            Self::Weight(weight) => write!(f, "weight {weight}"),
        }
    }
}

impl ServerOrder {
    /// The order in the words of its display.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(' ') {
            None if text == "drain" => Some(Self::Drain),
            None if text == "disable" => Some(Self::Disable),
            Some(("weight", weight)) => weight.parse().ok().map(Self::Weight),
            _ => None,
        }
    }
}

impl Domain {
    /// `order`: `None` takes it back.
    pub(super) fn on_order(
        &mut self,
        id: ServiceId,
        index: usize,
        order: Option<ServerOrder>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        if let Some(service) = self.service_mut(id) {
            service.on_order(index, order, now, out);
        }
    }
}

impl Service {
    fn on_order(
        &mut self,
        n: usize,
        order: Option<ServerOrder>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let (start, before) = (out.len(), (self.is_sorry(), self.held_weight(n)));
        let Some(server) = self.servers.get_mut(n) else { return };
        server.order = order;
        if !self.started {
            // It was given before the daemon was started.
            server.begin_with(&self.config.servers[n]);
            return;
        }
        let cause = ServerCause::Ordered(order);
        // Both before the quorum: from one order to another, it must not be gained in between.
        let weighed = self.follow_weight(n, cause.clone(), out);
        let turned = self.follow_checks(n, cause, now, out);
        if let Some(shift) = turned.or(weighed) {
            self.follow_quorum(QuorumCause::Server(shift), now, out);
        }
        if let Some(action) = self.hold(n, before) {
            out.insert(start, action);
        }
    }
}
