//! From files to a document: reads files in order and keeps the origin of each line.
//!
//! [`read`] is the whole text half of the configuration reader. It knows files only through a
//! [`Loader`], and neither the environment nor chance except through [`ReadOptions`], so the same
//! input gives the same document. Hostile text is bounded by [`Limits`].

mod glob;
mod include;
mod reader;

use super::loader::Loader;
use super::run::Limits;
use crate::base::diag::{Diagnostics, Sources};
use crate::base::sorted::SortedMap;
use crate::config::document::Document;
pub use include::IncludeCheck;

/// Inputs of reading besides the files.
#[derive(Clone, Default, Debug)]
pub struct ReadOptions {
    /// Value compared with `@ID`, and of `${_INSTANCE}`.
    pub config_id: String,
    /// The checks of plain `include` lines and of the main file, until `include_check` changes
    /// them. `-e` is [`IncludeCheck::ALL`].
    pub include_check: IncludeCheck,
    /// For `${_ENV NAME}`.
    pub env: SortedMap<String, String>,
    /// For `${_RANDOM}`.
    pub random_seed: u64,
    pub limits: Limits,
}

/// Reads a configuration: the file, or the files in order if `path` is a pattern.
///
/// Each diagnostic is reported once. The document holds everything that could be parsed.
pub fn read(
    loader: &dyn Loader,
    path: &str,
    options: &ReadOptions,
) -> (Document, Sources, Diagnostics) {
    reader::Reader::new(loader, options).read(path)
}

#[cfg(test)]
mod tests;
