//! Regular expressions as the configuration writes them, compiled.
//!
//! The language is that of PCRE2 as far as the crate `regex` has it. It matches in a time that is
//! linear in the text and in the size of the pattern, and both are bounded, so a server's page
//! cannot stall the loop; look-around and back references are the price.
//! What differs in writing only is put into the other spelling (`translate`); what differs in
//! meaning is refused when the configuration is read.

mod translate;

use std::fmt;
use std::sync::Arc;

use regex::bytes::{Regex, RegexBuilder};

/// What a compiled pattern may take, in bytes.
const SIZE_MAX: usize = 128 << 10;
/// The same for one about characters, not bytes: its classes are large, but cheap to match.
const UTF_SIZE_MAX: usize = 1 << 20;

/// A compiled regular expression. Equal to another when it was written the same.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    options: Vec<String>,
    first_line: bool,
    /// Shared, since a clone of it would have a cache of its own, made anew for every page.
    regex: Arc<Regex>,
}

/// Why a regular expression cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unusable(String);

/// `regex_options`, as far as they change what matches.
#[derive(Default)]
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
    /// The other options of PCRE2 are about speed, about features that are refused anyway, or
    /// about captures, which nobody reads.
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
    pub fn compile<S: AsRef<str>>(source: &str, options: &[S]) -> Result<Self, Unusable> {
        let unusable = |why: String| Unusable(format!("cannot use regex '{source}': {why}"));
        let set = Options::from_names(options);
        if set.ucp && !set.utf {
            return Err(unusable("regex_options ucp needs utf here, add it".to_owned()));
        }
        let translated = translate::translate(source, &set).map_err(unusable)?;
        let regex = RegexBuilder::new(&translated)
            .unicode(set.utf)
            .case_insensitive(set.caseless)
            .multi_line(set.multiline)
            .dot_matches_new_line(set.dotall)
            .ignore_whitespace(set.extended)
            .swap_greed(set.ungreedy)
            .size_limit(if set.utf { UTF_SIZE_MAX } else { SIZE_MAX })
            .build()
            .map_err(|e| unusable(in_short(&e)))?;
        let options = options.iter().map(|o| o.as_ref().to_owned()).collect();
        Ok(Self {
            source: source.to_owned(),
            options,
            first_line: set.first_line,
            regex: Arc::new(regex),
        })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    pub fn options(&self) -> &[String] {
        &self.options
    }

    /// `firstline`: a match has to begin in the first line. Left to the caller, who may see only
    /// a part of the text at a time.
    pub fn is_first_line(&self) -> bool {
        self.first_line
    }

    /// Where the first match at or after `from` begins and ends. What is before `from` still
    /// counts as context.
    pub fn find(&self, text: &[u8], from: usize) -> Option<(usize, usize)> {
        if from > text.len() {
            return None;
        }
        self.regex.find_at(text, from).map(|found| (found.start(), found.end()))
    }
}

/// The crate draws the pattern with a marker, on several lines; the last one has the reason.
fn in_short(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(limit) => {
            format!("it takes more than {limit} bytes when compiled, make it smaller")
        }
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
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

#[cfg(test)]
mod tests;
