//! The matching itself.
//!
//! Without the crate's search for several literals at once, which would be nearly a third of its machine code.

use std::sync::Arc;

use regex_automata::meta::{BuildError, Config, Regex};
use regex_automata::util::syntax;
use regex_automata::Input;

use super::Options;

/// Size limit of a compiled pattern, in bytes.
const SIZE_MAX: usize = 128 << 10;
/// Size limit of a pattern over characters instead of bytes: its classes are large, but cheap to
/// match.
const UTF_SIZE_MAX: usize = 1 << 20;

/// Shared: a clone would have a separate cache, which would be rebuilt for every page.
#[derive(Clone)]
pub(super) struct Engine(Arc<Regex>);

impl Engine {
    /// # Errors
    /// The reason why the pattern cannot be compiled.
    pub(super) fn compile(pattern: &str, options: &Options) -> Result<Self, String> {
        let limit = if options.utf { UTF_SIZE_MAX } else { SIZE_MAX };
        let syntax = syntax::Config::new()
            .utf8(false)
            .unicode(options.utf)
            .case_insensitive(options.caseless)
            .multi_line(options.multiline)
            .dot_matches_new_line(options.dotall)
            .ignore_whitespace(options.extended)
            .swap_greed(options.ungreedy);
        let config = Config::new().utf8_empty(false).nfa_size_limit(Some(limit));
        let regex = Regex::builder().configure(config).syntax(syntax).build(pattern);
        regex.map(|regex| Self(Arc::new(regex))).map_err(|e| in_short(&e))
    }

    pub(super) fn find(&self, text: &[u8], from: usize) -> Option<(usize, usize)> {
        let found = self.0.search(&Input::new(text).range(from..))?;
        Some((found.start(), found.end()))
    }
}

/// The last line of an error, which has the reason; the lines before it only show the pattern.
fn in_short(error: &BuildError) -> String {
    if let Some(limit) = error.size_limit() {
        return format!("it takes more than {limit} bytes when compiled, make it smaller");
    }
    let text = error.syntax_error().map_or_else(|| error.to_string(), ToString::to_string);
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}
