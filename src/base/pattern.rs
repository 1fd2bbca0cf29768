//! Compiled regular expressions of the configuration.
//!
//! The syntax is that of PCRE2 as far as the crate `regex-automata` supports it. Matching time is linear in
//! the text and in the size of the pattern, and both are bounded, so a server's page cannot stall
//! the loop; the cost is the lack of look-around and back references.
//! Differences in spelling are translated (`translate`); differences in meaning are refused when
//! the configuration is read. In a build without the feature `regex`, every pattern is.

#[cfg(not(feature = "regex"))]
mod absent;
#[cfg(feature = "regex")]
mod engine;
mod translate;

use std::fmt;

#[cfg(not(feature = "regex"))]
use absent::Engine;
#[cfg(feature = "regex")]
use engine::Engine;

/// A compiled regular expression. Two are equal if their source and options are equal.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    options: Vec<String>,
    first_line: bool,
    engine: Engine,
}

/// Why a regular expression cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PatternError(String);

/// The `regex_options` that change what matches.
#[derive(Default)]
#[cfg_attr(not(feature = "regex"), expect(dead_code, reason = "of the engine"))]
struct Options {
    caseless: bool,
    multiline: bool,
    dotall: bool,
    extended: bool,
    ungreedy: bool,
    utf: bool,
    ucp: bool,
    first_line: bool,
    dollar_endonly: bool,
    allow_empty_class: bool,
}

impl Options {
    /// The other options of PCRE2 concern speed, features that are refused anyway, or captures,
    /// which are unused.
    fn from_names<S: AsRef<str>>(names: &[S]) -> Self {
        let has = |name: &str| names.iter().any(|n| n.as_ref() == name);
        Self {
            caseless: has("caseless"),
            multiline: has("multiline"),
            dotall: has("dotall"),
            extended: has("extended"),
            ungreedy: has("ungreedy"),
            utf: has("utf"),
            ucp: has("ucp"),
            first_line: has("firstline"),
            dollar_endonly: has("dollar_endonly"),
            allow_empty_class: has("allow_empty_class"),
        }
    }
}

impl Pattern {
    /// Compiles `source`; `options` have the names of `regex_options`.
    pub fn compile<S: AsRef<str>>(source: &str, options: &[S]) -> Result<Self, PatternError> {
        let unusable = |why: String| PatternError(format!("cannot use regex '{source}': {why}"));
        let set = Options::from_names(options);
        if set.ucp && !set.utf {
            return Err(unusable("regex_options ucp needs utf here, add it".to_owned()));
        }
        let translated = translate::translate(source, &set).map_err(unusable)?;
        let engine = Engine::compile(&translated, &set).map_err(unusable)?;
        let options = options.iter().map(|o| o.as_ref().to_owned()).collect();
        Ok(Self { source: source.to_owned(), options, first_line: set.first_line, engine })
    }

    /// The pattern as written in the configuration.
    pub fn source(&self) -> &str {
        &self.source
    }

    pub fn options(&self) -> &[String] {
        &self.options
    }

    /// `firstline`: a match has to begin in the first line. Enforced by the caller, because only a
    /// part of the text may be available at a time.
    pub fn is_first_line(&self) -> bool {
        self.first_line
    }

    /// Start and end of the first match at or after `from`. Text before `from` still counts as
    /// context.
    pub fn find(&self, text: &[u8], from: usize) -> Option<(usize, usize)> {
        if from > text.len() {
            return None;
        }
        self.engine.find(text, from)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.options == other.options
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?}, {:?})", self.source, self.options)
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PatternError {}

#[cfg(all(test, feature = "regex"))]
mod tests;
