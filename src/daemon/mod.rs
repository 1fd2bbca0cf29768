//! Composition: the only code that sees cores and `sys` together.
//!
//! `start` builds the `runtime`, `turn` is one round of the loop, `inbox` carries out what the cores
//! decide, and brings them what that causes.

mod commands;
mod config;
mod cores;
mod dump;
mod inbox;
mod lateness;
mod lvs;
mod network;
pub mod outlets;
mod retries;
mod runtime;
mod signals;
mod start;
mod tokens;
mod turn;

pub use start::startup::run;
