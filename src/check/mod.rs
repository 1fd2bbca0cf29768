//! Health checks: what one probe says to a server, and what it makes of the answer.
//!
//! A *check* is configured; a *probe* is one run of it. A probe never sees a socket, a clock or a
//! process: bytes go in, bytes come out, and at the end there is a [`Verdict`]. [`probe`] is the
//! contract; a file for each kind keeps it. When probes run and what their
//! results mean is decided by the [`pool`]; the owner of the sockets runs them.

pub mod bfd;
pub mod digest;
pub mod dns;
pub mod end;
pub mod file;
pub mod http;
pub mod ping;
pub mod pool;
pub mod probe;
pub mod schedule;
pub mod script;
pub mod search;
pub mod smtp;
pub mod talk;
pub mod tcp;
pub mod timings;
pub mod tls;
pub mod udp;

pub use crate::base::verdict::{Reason, Verdict, Weight};
pub use pool::Pool;
pub use timings::Timings;
