//! Everything that can go into the BFD core.

use std::net::IpAddr;
use std::rc::Rc;

use super::resume::Memory;
use crate::base::ids::SessionId;
use crate::base::time::Instant;
use crate::model::bfd::BfdInstance;

/// One fact.
#[derive(Debug)]
pub enum Input<'a> {
    /// A new session, which starts at once. The id is one of `Domain::vacant_id`.
    Add { id: SessionId, config: Rc<BfdInstance> },
    /// A session of the program before this one, which goes on. The id is one of
    /// `Domain::vacant_id`.
    Resume { id: SessionId, config: Rc<BfdInstance>, memory: Memory },
    /// The same session (neighbour, source and port) with other attributes. It stays up; the
    /// neighbour hears of changed intervals in a poll sequence.
    Adjust { id: SessionId, config: Rc<BfdInstance> },
    /// A session that is no longer configured. Its neighbour hears of it; [`super::Action::Gone`]
    /// follows, at once or some packets later.
    Remove { id: SessionId },
    /// A datagram that arrived on one of the two ports.
    Packet(Received<'a>),
    /// Time has passed, and every packet that arrived is read.
    Deadline,
    /// Time has passed, and there are unread packets; those that arrived before `read_to` are read.
    /// Only what we owe others is served, and the silence that ended before.
    DeadlineAmid { read_to: Instant },
    /// The daemon ends: every neighbour hears of it.
    Stop,
}

/// A datagram as a socket delivered it.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    pub source: IpAddr,
    /// The interface that it arrived on, of a link-local source only.
    pub interface: Option<&'a str>,
    /// `None` if the kernel did not say.
    pub destination: Option<IpAddr>,
    /// TTL or hop limit; `None` if the kernel did not say.
    pub ttl: Option<u8>,
    /// It arrived on port 4784, and not on 3784.
    pub multihop: bool,
    /// When the kernel received it.
    pub arrived: Instant,
    pub payload: &'a [u8],
}
