//! Composition: the only code that uses both the cores and `sys`.
//!
//! `start` builds the `runtime`, `turn` is one iteration of the loop, `inbox` carries out actions
//! of the cores and delivers the results to them.

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
mod tables;
mod tokens;
mod turn;

pub use start::startup::run;
