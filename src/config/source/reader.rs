//! Reads files in order, with checks of what may be read.

mod line;

use std::cell::Cell;

use super::glob;
use super::{IncludeCheck, ReadOptions};
use crate::base::diag::{Diagnostics, Severity, Sources, Span};
use crate::base::sorted::SortedMap;
use crate::config::document::Document;
use crate::config::expand::builtin::{Builtins, Random};
use crate::config::expand::Definitions;
use crate::config::lex;
use crate::config::lex::text::{LinePlace, Text};
use crate::config::loader::{Loader, Unusable};
use crate::config::parse::Parser;
use crate::config::run::Run;
use crate::config::secrets;
use line::Collecting;

/// Nesting limit of generated lines and files.
const MAX_DEPTH: usize = 100;

/// A file being read.
struct Frame {
    absolute: String,
    directory: String,
}

/// A file that was read: its number, and where it was not UTF-8.
#[derive(Clone)]
struct Loaded {
    file: u32,
    invalid: Vec<usize>,
}

pub(super) struct Reader<'t> {
    loader: &'t dyn Loader,
    config_id: &'t str,
    run: Run,
    sources: Sources,
    parser: Parser,
    definitions: Definitions,
    builtins: Builtins<'t>,
    collecting: Option<Collecting>,
    /// The checks of plain `include` lines.
    check: IncludeCheck,
    stack: Vec<Frame>,
    loaded: SortedMap<String, Loaded>,
    files: u32,
    bytes: u64,
    depth: usize,
    /// Bytes taken in since the last breath, of whatever origin.
    breath: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(loader: &'t dyn Loader, options: &'t ReadOptions) -> Self {
        let builtins = Builtins {
            loader,
            config_id: &options.config_id,
            env: &options.env,
            random: Random(options.random_seed),
        };
        Self {
            loader,
            config_id: &options.config_id,
            run: Run::new(options.limits.clone()),
            sources: Sources::veiled(secrets::veiled),
            parser: Parser::new(),
            definitions: Definitions::default(),
            builtins,
            collecting: None,
            check: options.include_check,
            stack: Vec::new(),
            loaded: SortedMap::new(),
            files: 0,
            bytes: 0,
            depth: 0,
            breath: 0,
        }
    }

    /// Reads the main file, or all files that match.
    pub(super) fn read(mut self, path: &str) -> (Document, Sources, Diagnostics) {
        let severity = if self.check.read { Severity::Security } else { Severity::Error };
        let paths: Vec<String> = glob::expand(self.loader, "", path)
            .map(|all| all.into_iter().flat_map(|a| a.paths).collect())
            .unwrap_or_default();
        if paths.is_empty() {
            let what = format!(
                "cannot read the configuration '{path}': no such file; \
                 begin with a copy of /etc/keepalived/keepalived.conf.sample"
            );
            self.run.complain(severity, None, what, None);
        }
        if paths.len() > 1 {
            let what = format!("{} files match '{path}'; all are read, in order", paths.len());
            self.run.complain(Severity::Warning, None, what, None);
        }
        for path in paths {
            self.file(&path, None, severity);
        }
        let mut document = self.parser.finish(&mut self.run);
        if self.run.is_stopped() {
            // It is incomplete, and checking a million statements takes time.
            document = Document::default();
        }
        (document, self.sources, self.run.diagnostics)
    }

    /// Reads one file; `severity` applies if it cannot be read.
    fn file(&mut self, path: &str, span: Option<Span>, severity: Severity) {
        self.breathe(0);
        if self.run.is_stopped() || !self.may_include(path, span) {
            return;
        }
        let absolute = self.loader.absolute(path);
        if self.stack.iter().any(|f| f.absolute == absolute) {
            let chain: Vec<&str> = self.stack.iter().map(|f| f.absolute.as_str()).collect();
            let what = format!("'{path}' includes itself: {} -> {absolute}", chain.join(" -> "));
            self.run.complain(Severity::Error, span, what, None);
            return;
        }
        let (loaded, text) = match self.load(path, &absolute) {
            Ok(loaded) => loaded,
            Err(Unusable::TooLarge) => {
                let most = self.run.limits.file_bytes >> 10;
                let what = format!("with '{path}' there are more than {most} KiB to read");
                self.run.stop(span, what);
                return;
            }
            Err(why) => {
                let what = format!("cannot read '{path}': {why}");
                self.run.complain(severity, span, what, None);
                return;
            }
        };
        let directory = glob::directory(path).to_owned();
        self.stack.push(Frame { absolute, directory });
        let (check, collecting) = (self.check, self.collecting.take());
        self.depth += 1;
        self.lines(&loaded, &text);
        self.depth -= 1;
        self.end_definition();
        (self.check, self.collecting) = (check, collecting);
        self.stack.pop();
        self.sources.put(loaded.file, text);
    }

    fn may_include(&mut self, path: &str, span: Option<Span>) -> bool {
        self.files += 1;
        if self.files > self.run.limits.files {
            self.run.stop(span, format!("'{path}' is one file too many"));
        } else if self.stack.len() >= self.run.limits.include_depth || self.depth >= MAX_DEPTH {
            let what = format!("'{path}' is included too deep, by {} files", self.stack.len());
            self.run.complain(Severity::Error, span, what, None);
            return false;
        }
        !self.run.is_stopped()
    }

    /// The text of a file, from the disk or from memory.
    fn load(&mut self, path: &str, absolute: &str) -> Result<(Loaded, String), Unusable> {
        let left = self.run.limits.file_bytes.saturating_sub(self.bytes);
        if let Some(loaded) = self.loaded.get(absolute) {
            let text = self.sources.take(loaded.file);
            self.bytes += text.len() as u64;
            if text.len() as u64 > left {
                self.sources.put(loaded.file, text);
                return Err(Unusable::TooLarge);
            }
            return Ok((loaded.clone(), text));
        }
        let bytes = self.loader.read(path, left)?;
        self.bytes += bytes.len() as u64;
        let (text, invalid) = decode(bytes);
        let file = self.sources.add(path, String::new());
        let loaded = Loaded { file, invalid };
        self.loaded.insert(absolute.to_owned(), loaded.clone());
        Ok((loaded, text))
    }

    /// Takes in the lines of a file.
    fn lines(&mut self, loaded: &Loaded, text: &str) {
        let bytes = text.as_bytes();
        let mut words = Vec::new();
        let mut start = 0;
        let mut line = 0;
        while start < bytes.len() && !self.run.is_stopped() {
            line += 1;
            let lex::Line { first, end, flags } = lex::scan_line(bytes, start);
            let source = &text[start..end];
            let ascii = flags & lex::WIDE == 0;
            let place = LinePlace {
                file: loaded.file,
                line,
                source,
                ascii,
                fixed: None,
                counted: Cell::default(),
            };
            if !ascii && !loaded.invalid.is_empty() {
                self.check_utf8(&loaded.invalid, start, &place, flags);
            }
            let indent = first - start;
            start = end + 1;
            if source.len() > self.run.limits.line {
                self.breathe(source.len());
                let what = format!("a line of {} bytes; it is left out", source.len());
                self.run.error(place.span(0, 1), what);
                continue;
            }
            self.line(&place, indent, flags, &mut words);
        }
    }

    /// Reads the files that match a pattern.
    fn include(&mut self, check: Option<IncludeCheck>, pattern: Text<'_>, place: &LinePlace<'_>) {
        let check = check.unwrap_or(self.check);
        let span = pattern.whole(place);
        let directory = self.stack.last().map_or("", |f| &f.directory);
        let Ok(alternatives) = glob::expand(self.loader, directory, pattern.text) else {
            let what = format!("'{}' leads to too many names", shorten(pattern.text));
            let hint = format!("at most {} are looked at: name the directory", glob::MAX_NAMES);
            self.run.complain(Severity::Error, Some(span), what, Some(hint));
            return;
        };
        let is_braced = alternatives.len() > 1;
        for missing in alternatives.iter().filter(|a| a.paths.is_empty()) {
            let (is_wrong, is_silent) = match (is_braced, missing.is_wild) {
                (true, wild) => (check.brace_match, wild),
                (false, true) => (check.wildcard_match, true),
                (false, false) => (check.plain_match, false),
            };
            if is_wrong || !is_silent {
                let severity = if is_wrong { Severity::Security } else { Severity::Note };
                let what = format!("there is no file '{}' to include", missing.pattern);
                let is_quoted = missing.pattern.starts_with(['"', '\'']);
                let hint = is_quoted.then(|| "quotes are part of the name here".to_owned());
                self.run.complain(severity, Some(span), what, hint);
            }
        }
        let severity = if check.read { Severity::Security } else { Severity::Note };
        for path in alternatives.iter().flat_map(|a| &a.paths) {
            self.file(path, Some(span), severity);
        }
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}

/// The text of a file, and in each line the position of the first character that was no UTF-8.
///
/// Such a file is most likely Latin-1, and is decoded as such so that it can be shown.
fn decode(mut bytes: Vec<u8>) -> (String, Vec<usize>) {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return (text, Vec::new()),
        Err(error) => error.into_bytes(),
    };
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    let mut invalid = Vec::new();
    // One complaint for each line is enough.
    let mut reported = false;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        reported &= !chunk.valid().contains('\n');
        for &b in chunk.invalid() {
            if !std::mem::replace(&mut reported, true) {
                invalid.push(text.len());
            }
            text.push(char::from(b));
        }
    }
    (text, invalid)
}
