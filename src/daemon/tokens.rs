//! Owners of poll tokens, and of commands.

use crate::base::ids::{CheckId, ScriptId};
use crate::daemon::bfd::Port;
use crate::notify::{RunId, Which};

/// One pair of VRRP sockets, by its place in the table of endpoints.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct SocketId(pub(super) u32);

/// Owner of a token of the poll.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Owner {
    VrrpSocket(SocketId),
    /// Packets for BFD sessions.
    Bfd(Port),
    Monitor,
    /// Notifications of nf_tables.
    Tables,
    /// The same, in the network namespace of IPVS.
    Marks,
    Signals,
    /// Watch on tracked files.
    Files,
    /// `reload_time_file`.
    Schedule,
    /// A FIFO that is writable again or has a new reader.
    Fifos,
    /// Process events.
    Processes,
    Mail,
    /// The control socket.
    Control,
    /// The socket of the web.
    Web,
    /// A client of either, by its place in the table of clients.
    Client(u32),
    /// Last, so that all checks form one range.
    Check(CheckId),
}

/// Owner of a running command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Asker {
    Track(ScriptId),
    Notify(RunId),
    FifoScript(Which),
    Check(CheckId),
    /// The packet filter.
    Filter,
    /// The trial of a restart.
    Trial,
}
