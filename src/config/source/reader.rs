//! The walk through files and lines: the order in which the rules apply to each line.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::glob;
use super::include;
use super::run::Run;
use super::{IncludeCheck, Loader, ReadOptions, Unusable};
use crate::base::diag::{Diagnostics, Severity, Sources, Span};
use crate::config::document::{Document, Word};
use crate::config::expand::builtin::{Builtins, Random};
use crate::config::expand::sequence::{Generator, Head, Kind};
use crate::config::expand::{self, Condition, Definitions, Dropped, Expander, Expansion, Tail};
use crate::config::lex;
use crate::config::lex::text::{By, Place, Text, Traced};
use crate::config::parse::{Parser, Segment, Segments};

/// How deep generated lines and files may lie in each other.
const MAX_DEPTH: usize = 100;

/// A file being read.
struct Frame {
    absolute: String,
    directory: String,
}

/// A definition whose lines are being read; without a name, one that a condition left out.
struct Collecting {
    name: Option<String>,
    lines: Vec<String>,
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
    loaded: BTreeMap<String, Loaded>,
    files: u32,
    bytes: u64,
    depth: usize,
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
            sources: Sources::default(),
            parser: Parser::new(),
            definitions: Definitions::default(),
            builtins,
            collecting: None,
            check: options.include_check,
            stack: Vec::new(),
            loaded: BTreeMap::new(),
            files: 0,
            bytes: 0,
            depth: 0,
        }
    }

    /// Reads the main file, or all files that match.
    pub(super) fn read(mut self, path: &str) -> (Document, Sources, Diagnostics) {
        let severity = if self.check.read { Severity::Security } else { Severity::Error };
        let paths: Vec<String> = glob::expand(self.loader, "", path)
            .map(|all| all.into_iter().flat_map(|a| a.paths).collect())
            .unwrap_or_default();
        if paths.is_empty() {
            let what = format!("cannot read the configuration '{path}': no such file");
            self.run.complain(severity, None, what, None);
        }
        if paths.len() > 1 {
            let what = format!("{} files match '{path}'; all are read, in order", paths.len());
            self.run.complain(Severity::Warning, None, what, None);
        }
        for path in paths {
            self.file(&path, None, severity);
        }
        let document = self.parser.finish(&mut self.run);
        (document, self.sources, self.run.diagnostics)
    }

    /// Reads one file; `severity` is how bad it is if it cannot be read.
    fn file(&mut self, path: &str, span: Option<Span>, severity: Severity) {
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
                self.run.stop(span, format!("'{path}' makes the configuration too large"));
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

    /// The text of a file, from the disk or as it was read before.
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
            let (end, flags) = lex::scan_line(bytes, start);
            let source = &text[start..end];
            let ascii = flags & lex::WIDE == 0;
            let place = Place {
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
            start = end + 1;
            if source.len() > self.run.limits.line {
                let what = format!("a line of {} bytes; it is left out", source.len());
                self.run.error(place.span(0, 1), what);
                continue;
            }
            self.line(&place, flags, &mut words);
        }
    }

    /// Complains about a line that is not UTF-8, unless only its comment is not.
    fn check_utf8(&mut self, invalid: &[usize], start: usize, place: &Place<'_>, flags: u8) {
        let (end, _) = lex::strip(place.source, flags);
        let first = invalid.partition_point(|&at| at < start);
        if let Some(at) = invalid.get(first).map(|at| at - start).filter(|&at| at < end) {
            let len = place.source[at..].chars().next().map_or(1, char::len_utf8);
            self.run.error(place.span(at, at + len), "this is not UTF-8".to_owned());
        }
    }

    /// Takes in one physical line.
    fn line<'f>(&mut self, place: &Place<'f>, flags: u8, words: &mut Vec<Word<'f>>) {
        if flags & lex::NUL != 0 {
            let at = place.source.find('\0').unwrap_or(0);
            let what = "a NUL byte; the line is left out".to_owned();
            self.run.error(place.span(at, at + 1), what);
            return;
        }
        let (end, escapes) = lex::strip(place.source, flags);
        let text = Text::written(&place.source[..end], 0);
        if escapes {
            let unescaped = Traced::without(text, &lex::escapes(text.text));
            self.stripped_line(unescaped.text().trimmed(), place, flags, &mut Vec::new());
        } else {
            self.stripped_line(text.trimmed(), place, flags, words);
        }
    }

    /// Takes in a line without its comment.
    fn stripped_line<'f>(
        &mut self,
        text: Text<'f>,
        place: &Place<'_>,
        flags: u8,
        words: &mut Vec<Word<'f>>,
    ) {
        if let Some(collecting) = &mut self.collecting {
            let (line, goes_on) = continued(text.text);
            if !text.text.is_empty() {
                collecting.lines.push(line.to_owned());
            }
            if !goes_on {
                self.end_definition();
            }
        } else if !text.text.is_empty() {
            if flags & lex::DOLLAR == 0 && !matches!(text.text.as_bytes()[0], b'@' | b'~') {
                self.statements(text, place, flags, words);
            } else {
                self.process(text, place);
            }
        }
    }

    /// Ends the definition that was being read, if any.
    fn end_definition(&mut self) {
        if let Some(Collecting { name: Some(name), lines }) = self.collecting.take() {
            self.definitions.set(&name, lines);
        }
    }

    /// Takes in a line, physical or generated, that may be more than statements.
    fn process(&mut self, text: Text<'_>, place: &Place<'_>) {
        if self.run.is_stopped() {
            return;
        }
        if self.depth >= MAX_DEPTH {
            let what = "definitions and sequences lie too deep in each other".to_owned();
            self.run.error(text.whole(place), what);
            return;
        }
        self.depth += 1;
        // A line given up is complained about by whoever gave it up.
        let _: Result<(), Dropped> = self.process_line(text, place);
        self.depth -= 1;
    }

    fn process_line(&mut self, text: Text<'_>, place: &Place<'_>) -> Result<(), Dropped> {
        let Some(text) = self.condition(text, place) else { return Ok(()) };
        if let Some((name, value)) = expand::definition(text.text) {
            let (first, goes_on) = continued(lex::trim(&text.text[value..]).1);
            self.define(Some(name), first, goes_on);
            return Ok(());
        }
        if let Some(kind) = Kind::of(text.text) {
            return self.sequence(kind, text, place);
        }
        if !text.text.contains('$') {
            self.statements(text, place, lex::flags(text.text), &mut Vec::new());
            return Ok(());
        }
        if let Some(head) = self.expander(place).evaluated_head(text)? {
            self.process(head.line.text().trimmed(), place);
            self.tails(&head.tails, place);
            return Ok(());
        }
        let expansion = self.expander(place).expand(text)?;
        self.expanded(&expansion, place);
        self.tails(&expansion.tails, place);
        Ok(())
    }

    /// What the conditions at the start of a line leave of it.
    fn condition<'f>(&mut self, mut text: Text<'f>, place: &Place<'_>) -> Option<Text<'f>> {
        while let Some(condition) = Condition::read(text.text) {
            let rest = text.sub(condition.rest, text.text.len()).trimmed();
            if condition.id.contains('$') && condition.id != self.config_id {
                let span = text.span(place, 0, condition.rest);
                let what = "definitions are not replaced in a condition";
                self.run.complain(Severity::Warning, Some(span), what.to_owned(), None);
            }
            if !condition.holds(self.config_id) {
                self.left_out(rest.text, place);
                return None;
            }
            text = rest;
        }
        (!text.text.is_empty()).then_some(text)
    }

    /// Looks at what a condition leaves out: it may reach beyond its line.
    fn left_out(&mut self, text: &str, place: &Place<'_>) {
        if let Some((_, value)) = expand::definition(text) {
            let (first, goes_on) = continued(lex::trim(&text[value..]).1);
            if goes_on {
                self.define(None, first, true);
            }
        } else if text.contains('{') && !text.contains('}') {
            self.parser.dropped_brace(place.line);
        }
    }

    fn define(&mut self, name: Option<&str>, first: &str, goes_on: bool) {
        let lines = vec![first.to_owned()];
        if goes_on {
            self.collecting = Some(Collecting { name: name.map(str::to_owned), lines });
        } else if let Some(name) = name {
            self.definitions.set(name, lines);
        }
    }

    fn expander<'e>(&'e mut self, place: &'e Place<'e>) -> Expander<'e, 't> {
        Expander {
            definitions: &self.definitions,
            builtins: &mut self.builtins,
            run: &mut self.run,
            place,
            dir: self.stack.last().map_or("", |f| &f.directory),
        }
    }

    /// Runs the line after `~SEQ(...)` or `~LST(...)` once for each turn.
    fn sequence(&mut self, kind: Kind, text: Text<'_>, place: &Place<'_>) -> Result<(), Dropped> {
        let wrong = |reader: &mut Self, end: usize, what: String| {
            reader.run.error(text.span(place, 0, end), what);
            Dropped
        };
        let end = text.text.len();
        let head = Head::read(kind, text.text).map_err(|what| wrong(self, end, what))?;
        let arguments = text.sub(head.arguments.0, head.arguments.1);
        let expansion;
        let mut values = arguments.text;
        if head.kind != Kind::List && values.contains('$') {
            expansion = self.expander(place).expand(arguments)?;
            values = expansion.line.text().text;
        }
        let generator =
            Generator::read(kind, values).map_err(|what| wrong(self, head.rest, what))?;
        let (turns, most) = (generator.turns(), self.run.limits.sequence);
        if turns > most {
            let what = format!("a sequence of {turns} turns; {most} is the most");
            return Err(wrong(self, head.rest, what));
        }
        let rest = text.sub(head.rest, end).trimmed();
        let span = text.span(place, 0, head.rest);
        for n in 0..turns {
            if !self.run.charge(rest.text.len(), || span) {
                return Err(Dropped);
            }
            for (name, value) in generator.turn(n) {
                self.definitions.set(name, [value]);
            }
            self.process(rest, place);
        }
        Ok(())
    }

    /// Takes in a line after substitution.
    fn expanded(&mut self, expansion: &Expansion, place: &Place<'_>) {
        let text = expansion.line.text();
        let kept = match expand::inserted_comment(text) {
            None => text,
            Some((at, by)) => {
                let starts_line = lex::trim(&text.text[..at]).1.is_empty();
                if by == By::Definition && !starts_line {
                    let what = "the value contains a '#' or '!', which starts a comment here";
                    let hint = "double quotes around it make it part of the value";
                    let span = text.span(place, at, at + 1);
                    self.run.complain(
                        Severity::Warning,
                        Some(span),
                        what.to_owned(),
                        Some(hint.to_owned()),
                    );
                }
                text.sub(0, at)
            }
        }
        .trimmed();
        self.statements(kept, place, lex::flags(kept.text), &mut Vec::new());
    }

    /// Takes in the further lines of definitions used in a line. They all point at the use.
    fn tails(&mut self, tails: &[Tail], place: &Place<'_>) {
        for Tail { value, span } in tails {
            let place = Place { fixed: Some(*span), ..place.clone() };
            for line in &value[1..] {
                if !self.run.charge(line.len(), || *span) {
                    return;
                }
                self.process(Text::written(line, 0), &place);
            }
        }
    }

    /// Takes in what is left of a line when nothing in it stands for something else.
    fn statements<'f>(
        &mut self,
        text: Text<'f>,
        place: &Place<'_>,
        flags: u8,
        words: &mut Vec<Word<'f>>,
    ) {
        let text = if flags & lex::BACKSLASH == 0 { text } else { self.continuation(text, place) };
        let mut segments = Segments::new(text.text, flags);
        while let Some(segment) = segments.next() {
            match segment {
                Segment::Statement(from, to) => {
                    let statement = text.sub(from, to);
                    if let Some((check, start)) = include::statement(&text.text[from..]) {
                        let pattern = text.sub(from + start, text.text.len());
                        let pattern = pattern.sub(0, include::pattern_end(pattern.text));
                        if !lex::trim(pattern.text).1.is_empty() {
                            segments.skip_to(from + start + pattern.text.len());
                            self.include(check, pattern.trimmed(), place);
                            continue;
                        }
                    }
                    self.parser.statement(statement, place, words, &mut self.run);
                    if statement.text.starts_with("include_check") {
                        self.include_check(words);
                    }
                }
                Segment::Unterminated(from, to, quote) => {
                    let statement = text.sub(from, to);
                    self.parser.unterminated(statement, quote - from, place, &mut self.run);
                }
                Segment::Open(at) => self.parser.open(text.span(place, at, at + 1), &mut self.run),
                Segment::Close(at) => {
                    self.parser.close(text.span(place, at, at + 1), &mut self.run)
                }
            }
        }
    }

    /// Complains about a `\` that looks as if it should continue the line.
    fn continuation<'f>(&mut self, text: Text<'f>, place: &Place<'_>) -> Text<'f> {
        let (before, goes_on) = continued(text.text);
        let end = text.text.len();
        if !goes_on || before.len() + 1 == end && !before.is_empty() {
            return text;
        }
        let what = "a '\\' continues definitions only; it is left out".to_owned();
        self.run.error(text.span(place, end - 1, end), what);
        text.sub(0, before.len())
    }

    /// Obeys `include_check` in `global_defs`.
    fn include_check(&mut self, words: &[Word<'_>]) {
        if self.parser.inside() != ("global_defs", 1) || words[0].text != "include_check" {
            return;
        }
        let arguments = &words[1..];
        for (n, what) in self.check.apply(arguments.iter().map(|w| w.text)) {
            self.run.complain(Severity::Warning, Some(arguments[n].span), what, None);
        }
    }

    /// Reads the files that match a pattern.
    fn include(&mut self, check: Option<IncludeCheck>, pattern: Text<'_>, place: &Place<'_>) {
        let check = check.unwrap_or(self.check);
        let span = pattern.whole(place);
        let directory = self.stack.last().map_or("", |f| &f.directory);
        let Ok(alternatives) = glob::expand(self.loader, directory, pattern.text) else {
            let what = format!("'{}' matches too much", shorten(pattern.text));
            self.run.error(span, what);
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
                self.run.complain(severity, Some(span), what, None);
            }
        }
        let severity = if check.read { Severity::Security } else { Severity::Note };
        for path in alternatives.iter().flat_map(|a| &a.paths) {
            self.file(path, Some(span), severity);
        }
    }
}

/// The line without a `\` at its end and the blanks before that, and whether there was one.
fn continued(line: &str) -> (&str, bool) {
    match line.strip_suffix('\\') {
        Some(before) => (before.trim_end_matches([' ', '\t']), true),
        None => (line, false),
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}

/// The text of a file, and the positions in it of characters that were no UTF-8.
///
/// Such a file is most likely Latin-1, and read as that it can at least be shown.
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
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for &b in chunk.invalid() {
            invalid.push(text.len());
            text.push(char::from(b));
        }
    }
    (text, invalid)
}
