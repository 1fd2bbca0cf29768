//! Everything that can come out of the core of virtual servers, in the order it must be done.

use std::rc::Rc;

use crate::base::ids::{CheckId, ServiceId};
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

/// Why the state of a real server is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// It begins (`rs_init_notifies`). Nothing was changed.
    Initial,
    /// The first result of a check, which is what was assumed. Nothing was changed.
    Confirmed,
    /// A check that turned.
    Check(CheckId),
    /// A reload left it without failed checks.
    Reload,
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
    /// The daemon ends, and a server goes with its virtual server: nobody is told of each.
    Flushed,
}

/// The weight of the live servers against the quorum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tally {
    pub quorum: u32,
    pub hysteresis: u32,
    /// What the weight was compared with.
    pub threshold: u64,
    /// Of the live servers together.
    pub weight: u64,
}

/// One thing to do or to tell.
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

    /// A real server goes up or down, or that it is so is told.
    ServerChanged {
        server: ServerRef,
        up: bool,
        why: Why,
    },
    /// The effective weight of a real server changed. It only matters while the server is up.
    WeightChanged {
        server: ServerRef,
        from: u32,
        to: u32,
        up: bool,
    },
    /// After everything that a check which turned has caused.
    CheckTurned {
        check: CheckId,
        server: ServerRef,
        up: bool,
        /// The server went up or down with it.
        server_changed: bool,
    },
    /// The quorum is lost or gained; at the start, both are told.
    QuorumChanged {
        service: ServiceRef,
        up: bool,
        starting: bool,
        /// Outside the log. What is down from the start without a sorry server is not.
        told: bool,
        tally: Tally,
    },
    /// The sorry server takes over, or is relieved.
    SorryServer {
        service: ServiceRef,
        on: bool,
    },
    /// The live servers go back into the pool, or make room for the sorry server.
    AliveServers {
        service: ServiceRef,
        on: bool,
    },

    /// A virtual server is no longer in the configuration; its real servers follow.
    ServiceLeaving(ServiceRef),
    /// A real server goes; if it was up, notifications are told so where `told` says it.
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
