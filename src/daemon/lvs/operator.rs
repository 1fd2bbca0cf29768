//! Orders of an operator to real servers.

use super::{LoopContext, Lvs};
use crate::base::ids::ServiceId;
use crate::check::pool;
use crate::lvs::{Input, ServerOrder};

/// A real server by its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::daemon) struct ServerPlace {
    pub(in crate::daemon) id: ServiceId,
    pub(in crate::daemon) index: usize,
}

impl Lvs {
    /// The place of a real server, by the names that the status shows.
    pub(in crate::daemon) fn place_of(&self, service: &str, server: &str) -> Option<ServerPlace> {
        let named = |id: &ServiceId| {
            let found = self.domain.service(*id)?;
            (found.config().to_string() == service).then_some((*id, found))
        };
        let (id, found) = self.ids.iter().find_map(named)?;
        let config = found.config();
        let index =
            config.servers.iter().position(|rs| config.server_name(rs).to_string() == server)?;
        Some(ServerPlace { id, index })
    }

    /// `order`: `None` takes it back.
    pub(in crate::daemon) fn order(
        &mut self,
        place: ServerPlace,
        order: Option<ServerOrder>,
        context: &mut LoopContext<'_>,
    ) {
        let ServerPlace { id, index } = place;
        self.hand(Input::Order { id, index, order }, context);
        self.serve_kernel(context);
    }

    /// Lets the checks of a server begin at once. Returns how many there are.
    pub(in crate::daemon) fn hurry(
        &mut self,
        place: ServerPlace,
        context: &mut LoopContext<'_>,
    ) -> usize {
        let service = self.domain.service(place.id);
        let server = service.and_then(|service| service.server(place.index));
        let checks: Vec<_> =
            server.iter().flat_map(|(_, server)| server.checks()).map(|slot| slot.id()).collect();
        let now = context.clock.recent();
        for check in &checks {
            self.pool.handle(pool::Input::Hurry(*check), now, &mut self.pool_actions);
        }
        self.drain(context);
        checks.len()
    }
}
