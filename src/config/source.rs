//! Files to document: what is read, in which order, and where each line comes from.
//!
//! [`read`] is the whole text half of the configuration reader. It knows files only through a
//! [`Loader`], and neither the environment nor chance except through [`ReadOptions`], so the same
//! input gives the same document. Hostile text is bounded by [`Limits`].

mod glob;
mod include;
mod memory;
mod reader;
pub(super) mod run;

use std::collections::BTreeMap;
use std::fmt;

use crate::base::diag::{Diagnostics, Sources};
use crate::config::document::Document;
pub use include::IncludeCheck;
pub use memory::MemoryLoader;
pub use run::Limits;

/// Where files come from.
pub trait Loader {
    /// The names in a directory, in any order; `None` if it cannot be listed. `""` is the working
    /// directory.
    fn list(&self, directory: &str) -> Option<Vec<String>>;

    /// Whether there is anything under this name.
    fn exists(&self, path: &str) -> bool;

    /// The content of a regular, readable file without execute permission, of at most `limit`
    /// bytes. Never waits for anything but the disk.
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Unusable>;

    /// The name of an existing file or directory as seen from anywhere, without links.
    fn absolute(&self, path: &str) -> String;

    /// Called every few hundred lines: whoever reads may have something urgent to do.
    fn breathe(&self) {}
}

/// Why a file is not read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unusable {
    Missing,
    Directory,
    /// A device, a pipe, a socket.
    NotRegular,
    /// Some execute permission is set: it may be a script named by mistake.
    Executable,
    TooLarge,
    /// The system's reason.
    Unreadable(String),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "no such file",
            Self::Directory => "it is a directory",
            Self::NotRegular => "it is not a regular file",
            Self::Executable => "it is executable",
            Self::TooLarge => "it is too large",
            Self::Unreadable(why) => why,
        })
    }
}

/// What reading depends on besides the files.
#[derive(Clone, Default, Debug)]
pub struct ReadOptions {
    /// What `@ID` is compared with, and `${_INSTANCE}`.
    pub config_id: String,
    /// The checks of plain `include` lines and of the main file, until `include_check` changes
    /// them. `-e` is [`IncludeCheck::ALL`].
    pub include_check: IncludeCheck,
    /// For `${_ENV NAME}`.
    pub env: BTreeMap<String, String>,
    /// For `${_RANDOM}`.
    pub random_seed: u64,
    pub limits: Limits,
}

/// Reads a configuration: the file, or the files in order if `path` is a pattern.
///
/// All complaints are made, each once. The document holds whatever could be understood.
pub fn read(
    loader: &dyn Loader,
    path: &str,
    options: &ReadOptions,
) -> (Document, Sources, Diagnostics) {
    reader::Reader::new(loader, options).read(path)
}

#[cfg(test)]
mod tests;
