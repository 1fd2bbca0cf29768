//! The command line of `keepalived`: what may be given, what it means, what is printed about it.
//!
//! Decides nothing about the daemon: text goes in, an [`options::Request`] comes out.

pub mod exit;
pub mod flags;
pub mod help;
pub mod options;
mod scan;
