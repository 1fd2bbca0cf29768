//! Composition: the only code that uses both the cores and `sys`.
//!
//! `start` builds the `runtime`, `turn` is one iteration of the loop, `inbox` carries out actions
//! of the cores and delivers the results to them.

mod bfd;
mod commands;
mod config;
mod continuity;
mod control;
mod cores;
mod dump;
mod inbox;
mod journal;
mod lateness;
mod lvs;
mod network;
pub mod outlets;
mod pace;
mod restart;
mod retries;
mod runtime;
mod signals;
mod start;
mod status;
mod tables;
mod tokens;
mod turn;
mod view;

pub use restart::TRIAL;
pub use start::entry::run;
pub use start::takeover::try_snapshot;
