//! The protocol of the control socket: a JSON object a line in both directions. Pure.
//!
//! A client sends a [`Request`] and receives [`Reply`]s, the last of which is `Done` or `Error`. It
//! may then send the next one. `framing` finds the lines in what was read, `session` has the limits
//! of size and time.

mod framing;
mod reply;
mod request;
pub mod session;

pub use framing::{Lines, TooLong};
pub use reply::{Code, Failure, Reply};
pub use request::{Command, Request, ServerCommand, Topic, VERSION};
