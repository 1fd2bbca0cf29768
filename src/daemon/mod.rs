//! Composition: the only code that sees cores and `sys` together.
//!
//! `startup` builds the `runtime`, `turn` is one round of the loop, `dispatch` brings facts to
//! the cores, `execute` carries out what they decide.

mod commands;
mod config;
mod dispatch;
mod dump;
mod lateness;
mod lvs;
mod network;
pub mod outlets;
mod retries;
mod runtime;
mod start;
mod turn;

pub use start::startup::run;
