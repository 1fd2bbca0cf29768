//! Text to model; no knowledge of the running daemon.

pub mod document;
mod expand;
pub mod lex;
mod parse;
pub mod source;

pub use source::{read, IncludeCheck, Limits, Loader, MemoryLoader, ReadOptions, Unusable};
