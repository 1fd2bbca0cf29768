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
mod loader;
mod lower;
mod mend;
mod names;
mod parse;
mod print;
mod run;
mod secrets;
pub mod source;
mod statement;
mod suggest;
mod table;
#[cfg(test)]
mod tests;
mod value;

pub use host::{resolve, CommandFacts, Form, Host, KeyFile, LinkFacts, Look, PathPart};
pub use load::{load, Loaded};
pub use loader::{Loader, Unusable};
pub use lower::lower;
pub use print::{changes, print, Secrets};
pub use run::Limits;
pub use source::{read, IncludeCheck, ReadOptions};
