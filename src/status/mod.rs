//! What the daemon shows of itself, as plain data: filled in by `daemon::status`, sent as JSON, and
//! read by `kactl`.
//!
//! Every field has a default, so that a program reads what a daemon of another version sends.
//! Nothing in here is secret: passwords and keys have no field.

mod daemon;
mod event;
pub mod explain;
mod instance;
mod order;
mod service;
mod time;
mod track;

pub use daemon::{CheckResults, Complaint, Configuration, Daemon, Lateness, Queues, Reload, Spans};
pub use event::{Change, Event};
pub use instance::{
    sender, Address, Counters, Group, Heard, Instance, Part, Priority, Refusal, State,
};
pub use order::{Handover, Heir, Order};
pub use service::{Check, Connections, Server, Service, Tally, Traffic};
pub use time::Time;
pub use track::{Holding, ObjectKind, Presence, Session, Track, Weighed};
