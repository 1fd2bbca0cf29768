//! Regular expressions as the configuration writes them, compiled.
//!
//! The language is that of PCRE2 as far as the crate `regex` has it. It matches in linear time,
//! so a server's page cannot stall the loop; look-around and back references are the price.

use std::fmt;

use regex::bytes::{Regex, RegexBuilder};

/// A compiled regular expression. Equal to another when it was written the same.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    options: Vec<String>,
    regex: Regex,
}

/// Why a regular expression cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unusable(String);

impl Pattern {
    /// Compiles `source`; `options` have the names of `regex_options`.
    pub fn compile<S: AsRef<str>>(source: &str, options: &[S]) -> Result<Self, Unusable> {
        let regex = RegexBuilder::new(source)
            .build()
            .map_err(|e| Unusable(format!("cannot use regex '{source}': {e}")))?;
        let options = options.iter().map(|o| o.as_ref().to_owned()).collect();
        Ok(Self { source: source.to_owned(), options, regex })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    pub fn options(&self) -> &[String] {
        &self.options
    }

    /// Where the first match at or after `from` is.
    pub fn find(&self, text: &[u8], from: usize) -> Option<(usize, usize)> {
        if from > text.len() {
            return None;
        }
        self.regex.find_at(text, from).map(|found| (found.start(), found.end()))
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

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}
