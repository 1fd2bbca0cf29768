//! From files to a model.

use super::host::Host;
use super::loader::Loader;
use super::lower::lower;
use super::source::{self, ReadOptions};
use crate::base::diag::{Diagnostics, Sources};
use crate::model::Config;

/// A model and its diagnostics.
#[derive(Debug)]
pub struct Loaded {
    pub config: Config,
    pub sources: Sources,
    /// In the order of the text. A fatal one means that the model must not be run.
    pub diagnostics: Diagnostics,
}

/// Reads a configuration and makes a model of it.
pub fn load(loader: &dyn Loader, path: &str, options: &ReadOptions, host: &dyn Host) -> Loaded {
    let (document, sources, mut diagnostics) = source::read(loader, path, options);
    let config = lower(&document, &sources, host, &mut diagnostics);
    Loaded { config, sources, diagnostics }
}
