//! Everything that can come out of the core of virtual servers, in the order it must be done.

use std::rc::Rc;

use super::cause::{Found, QuorumCause, ServerCause, SorryCause};
use crate::base::ids::{CheckId, ServiceId};
use crate::base::recalled::RecalledCheck;
use crate::base::tally::Tally;
use crate::model::check::Check;
use crate::model::lvs::{RealServer, ServerName, VirtualServer};

/// A virtual server as it was when the action was decided: it may be gone since.
#[derive(Clone, PartialEq, Debug)]
pub struct ServiceRef {
    pub id: ServiceId,
    pub config: Rc<VirtualServer>,
}

/// A real server as it was when the action was decided.
#[derive(Clone, PartialEq, Debug)]
pub struct ServerRef {
    pub service: ServiceRef,
    /// Its place among the real servers of its virtual server.
    pub index: usize,
}

impl ServerRef {
    pub fn config(&self) -> &RealServer {
        &self.service.config.servers[self.index]
    }

    /// `[ADDR]:PROTOCOL:PORT`.
    pub fn name(&self) -> ServerName<'_> {
        self.service.config.server_name(self.config())
    }
}

/// How a server leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaving {
    /// It is no longer in the configuration.
    Removed,
    /// Its virtual server is no longer in the configuration.
    WithService,
    /// The daemon ends.
    Shutdown,
    /// The daemon ends, and a server goes with its virtual server: no notification for each.
    Flushed,
}

/// One thing to do or to report.
#[derive(Clone, PartialEq, Debug)]
#[must_use]
pub enum Action {
    /// Hold all that the virtual server wants: `Service::wanted` says what.
    Want(ServiceId),
    /// Hold one of its real servers, with this weight.
    Put {
        server: ServerRef,
        weight: u32,
    },
    /// Let go of one of its real servers.
    Withdraw(ServerRef),
    /// Let go of everything held for the virtual server.
    Release(ServiceId),

    /// A check begins. While it is suspended it is not probed.
    CheckAdded {
        check: CheckId,
        config: Rc<Check>,
        server: ServerRef,
        up: bool,
        suspended: bool,
        /// From before the program was replaced.
        recalled: Option<RecalledCheck>,
    },
    /// The same check with another schedule.
    CheckAdjusted {
        check: CheckId,
        config: Rc<Check>,
    },
    CheckRemoved(CheckId),
    CheckSuspended {
        check: CheckId,
        server: ServerRef,
    },
    CheckResumed {
        check: CheckId,
        server: ServerRef,
    },

    /// A real server goes up or down, or is reported as it is.
    ServerChanged {
        server: ServerRef,
        up: bool,
        cause: ServerCause,
    },
    /// The effective weight of a real server changed. It only matters while the server is up.
    WeightChanged {
        server: ServerRef,
        from: u32,
        to: u32,
        up: bool,
        cause: ServerCause,
    },
    /// After everything that a check which turned has caused.
    CheckTurned {
        server: ServerRef,
        found: Rc<Found>,
        /// The server went up or down with it.
        server_changed: bool,
    },
    /// The quorum is lost or gained; at the start, either is reported.
    QuorumChanged {
        service: ServiceRef,
        up: bool,
        starting: bool,
        /// To notifications. What is down from the start without a sorry server is not.
        told: bool,
        tally: Tally,
        cause: Rc<QuorumCause>,
    },
    /// The sorry server takes over, or is relieved.
    SorryServer {
        service: ServiceRef,
        on: bool,
        cause: SorryCause,
    },
    /// The live servers go back into the pool, or make room for the sorry server.
    AliveServers {
        service: ServiceRef,
        on: bool,
    },

    /// A virtual server is no longer in the configuration; its real servers follow.
    ServiceLeaving(ServiceRef),
    /// A real server goes. `told`: as going down to notifications.
    ServerGone {
        server: ServerRef,
        was_up: bool,
        leaving: Leaving,
        told: bool,
    },
    /// A virtual server goes, after its real servers. `told`: to notifications, as going down.
    ServiceGone {
        service: ServiceRef,
        leaving: Leaving,
        told: bool,
    },
}
