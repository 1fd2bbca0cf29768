//! Settings that checks inherit. The model has them with each check, so what is shown of servers is
//! what applies to their checks.

use crate::base::time::Duration;
use crate::model::check::{Check, Kind};
use crate::model::lvs::{RealServer, VirtualServer};

/// `connect_timeout` unless it is configured.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Of the first check that makes a connection.
pub(super) fn connect_timeout<'a>(servers: impl IntoIterator<Item = &'a RealServer>) -> Duration {
    let mut checks = servers.into_iter().flat_map(|server| &server.checks);
    let found = checks.find_map(|check| Some(check.kind.connect()?.timeout));
    found.unwrap_or(CONNECT_TIMEOUT)
}

/// Of the first check with a schedule, else that of the virtual server.
pub(super) fn delay_loop(service: &VirtualServer, server: &RealServer) -> Duration {
    let found = server.checks.iter().find(|check| has_schedule(check));
    found.map_or(service.delay_loop, |check| check.schedule.delay_loop)
}

/// Files and BFD sessions are followed, not probed.
pub(super) fn has_schedule(check: &Check) -> bool {
    !matches!(check.kind, Kind::File(_) | Kind::Bfd(_))
}
