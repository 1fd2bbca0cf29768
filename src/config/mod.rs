//! Text to model; no knowledge of the running daemon.

pub mod document;
