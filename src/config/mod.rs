//! Text to model; no knowledge of the running daemon.

mod complaints;
mod crossref;
pub mod document;
mod entry;
mod expand;
mod host;
pub mod keyword;
pub mod keywords;
pub mod lex;
mod load;
mod lower;
pub mod manual;
mod mend;
mod parse;
mod print;
mod secrets;
pub mod source;
mod statement;
mod suggest;
mod table;
#[cfg(test)]
mod testing;
mod value;

pub use host::{resolve, CommandFacts, Form, Host, LinkFacts, Look, MemoryHost, PathPart};
pub use load::{load, Loaded};
pub use lower::lower;
pub use print::{changes, print, Secrets};
pub use source::{read, IncludeCheck, Limits, Loader, MemoryLoader, ReadOptions, Unusable};
