//! Everything that can come out of the BFD core, in the order it must be done.

use std::net::IpAddr;

use super::cause::Cause;
use super::refusal::Refusal;
use super::timing::Timing;
use crate::base::ids::SessionId;
use crate::base::time::{Duration, Instant};
use crate::wire::bfd::{Diag, Encoded, SessionState};

/// One thing to do or to report.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub enum Action {
    /// Send a packet through the socket of the session, with this TTL or hop limit.
    Send { id: SessionId, packet: Encoded, ttl: u8 },
    /// The state changed, and both diagnostics as they are now.
    Changed {
        id: SessionId,
        from: SessionState,
        to: SessionState,
        cause: Cause,
        local: Diag,
        remote: Diag,
    },
    /// The intervals in force changed, or what either end offers.
    Negotiated { id: SessionId, now: Timing, before: Timing },
    /// A packet was refused. `id`: of the session it would have belonged to. So many like it were
    /// held back.
    Refused { id: Option<SessionId>, from: IpAddr, reason: Refusal, held_back: u32 },
    /// Worth a line in the log, changes nothing. So many like it were held back.
    Noted { id: SessionId, note: Note, held_back: u32 },
    /// The last packet of a removed session is sent: close its socket. The id is vacant.
    Gone(SessionId),
}

/// What is worth a line in the log and is no transition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Note {
    /// Packets ask the neighbour to confirm changed parameters.
    PollStarted,
    /// The neighbour confirmed them.
    PollEnded,
    /// The detection time passed, but we were asleep: the neighbour gets a second chance.
    Stalled { late: Duration, until: Instant },
    /// The neighbour wants no periodic packets: it demands silence, or its Required Min RX Interval
    /// is zero.
    Silenced,
    /// It wants them again.
    Unsilenced,
}
