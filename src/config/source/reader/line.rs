//! The order in which the rules apply to one line.
//!
//! Comment, lines of a definition, condition, definition, sequence, substitution, include, braces,
//! words. What a definition or a sequence generates goes through the same steps again.

use super::{Reader, MAX_DEPTH};
use crate::base::diag::Severity;
use crate::config::document::Word;
use crate::config::expand::sequence::{Generator, Head, SequenceKind};
use crate::config::expand::{self, Condition, Dropped, Expander, Tail};
use crate::config::lex;
use crate::config::lex::text::{LinePlace, Text, Traced};
use crate::config::parse::{Segment, Segments};
use crate::config::source::include;

/// Bytes to be read in one breath: a fraction of a millisecond.
const BREATH: usize = 16 << 10;
/// What a line or a file costs besides its bytes.
const COST: usize = 32;

/// A definition whose lines are being read; without a name, one that a condition left out.
pub(super) struct Collecting {
    name: Option<String>,
    lines: Vec<String>,
}

impl<'t> Reader<'t> {
    /// Complains about a line that is not UTF-8, unless only its comment is not.
    pub(super) fn check_utf8(
        &mut self,
        invalid: &[usize],
        start: usize,
        place: &LinePlace<'_>,
        flags: u8,
    ) {
        let (end, _) = lex::strip(place.source, flags);
        let first = invalid.partition_point(|&at| at < start);
        if let Some(at) = invalid.get(first).map(|at| at - start).filter(|&at| at < end) {
            let len = place.source[at..].chars().next().map_or(1, char::len_utf8);
            self.run.error(place.span(at, at + len), "this is not UTF-8".to_owned());
        }
    }

    /// Takes in one physical line.
    pub(super) fn line<'f>(
        &mut self,
        place: &LinePlace<'f>,
        indent: usize,
        flags: u8,
        words: &mut Vec<Word<'f>>,
    ) {
        if flags & lex::NUL != 0 {
            let at = place.source.find('\0').unwrap_or(0);
            let what = "a NUL byte; the line is left out".to_owned();
            self.run.error(place.span(at, at + 1), what);
            return;
        }
        let (end, escapes) = lex::strip(place.source, flags);
        // What starts a comment is no blank, so the indent is before it.
        let text = Text::written(&place.source[indent..end], indent);
        if escapes {
            let unescaped = Traced::without(text, &lex::escapes(text.text));
            self.stripped_line(unescaped.text().trimmed(), place, flags, &mut Vec::new());
        } else {
            self.stripped_line(text.trimmed_end(), place, flags, words);
        }
    }

    /// Takes in a line without its comment.
    fn stripped_line<'f>(
        &mut self,
        text: Text<'f>,
        place: &LinePlace<'_>,
        flags: u8,
        words: &mut Vec<Word<'f>>,
    ) {
        self.breathe(text.text.len());
        if let Some(collecting) = &mut self.collecting {
            let (line, goes_on) = continued(text.text);
            if !text.text.is_empty() {
                collecting.lines.push(line.to_owned());
            }
            if !goes_on {
                self.end_definition();
            }
        } else if !text.text.is_empty() {
            let first = text.text.as_bytes()[0];
            if flags & !(lex::COMMENT | lex::WIDE | lex::BLANK) == 0 && !b"@~i".contains(&first) {
                self.parser.statement(text, place, words, &mut self.run);
            } else if flags & lex::DOLLAR == 0 && first != b'@' && first != b'~' {
                self.statements(text, place, flags, words);
            } else {
                self.process(text, place);
            }
        }
    }

    /// Ends the definition that was being read, if any.
    pub(super) fn end_definition(&mut self) {
        if let Some(Collecting { name: Some(name), lines }) = self.collecting.take() {
            self.definitions.set(&name, lines);
        }
    }

    /// Lets other work be done, now and then.
    pub(super) fn breathe(&mut self, bytes: usize) {
        self.breath += COST + bytes;
        if self.breath >= BREATH {
            self.breath = 0;
            self.loader.breathe();
        }
    }

    /// Takes in a line, physical or generated, that may be more than statements.
    fn process(&mut self, text: Text<'_>, place: &LinePlace<'_>) {
        self.breathe(text.text.len());
        if self.run.is_stopped() {
            return;
        }
        if self.depth >= MAX_DEPTH {
            let what = "definitions and sequences lie too deep in each other".to_owned();
            self.run.error(text.whole(place), what);
            return;
        }
        self.depth += 1;
        // The place that gives a line up complains about it.
        let _: Result<(), Dropped> = self.process_line(text, place);
        self.depth -= 1;
    }

    fn process_line(&mut self, text: Text<'_>, place: &LinePlace<'_>) -> Result<(), Dropped> {
        let Some(text) = self.condition(text, place) else { return Ok(()) };
        if let Some((name, value)) = expand::definition(text.text) {
            let (first, goes_on) = continued(lex::trim(&text.text[value..]).1);
            self.define(Some(name), first, goes_on);
            return Ok(());
        }
        if let Some(kind) = SequenceKind::of(text.text) {
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
        let kept = expansion.line.text().trimmed();
        self.statements(kept, place, lex::flags(kept.text), &mut Vec::new());
        self.tails(&expansion.tails, place);
        Ok(())
    }

    /// What the conditions at the start of a line leave of it.
    fn condition<'f>(&mut self, mut text: Text<'f>, place: &LinePlace<'_>) -> Option<Text<'f>> {
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
    fn left_out(&mut self, text: &str, place: &LinePlace<'_>) {
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

    fn expander<'e>(&'e mut self, place: &'e LinePlace<'e>) -> Expander<'e, 't> {
        Expander {
            definitions: &self.definitions,
            builtins: &mut self.builtins,
            run: &mut self.run,
            place,
            dir: self.stack.last().map_or("", |f| &f.directory),
        }
    }

    /// Runs the line after `~SEQ(...)` or `~LST(...)` once for each turn.
    fn sequence(
        &mut self,
        kind: SequenceKind,
        text: Text<'_>,
        place: &LinePlace<'_>,
    ) -> Result<(), Dropped> {
        let wrong = |reader: &mut Self, end: usize, what: String| {
            reader.run.error(text.span(place, 0, end), what);
            Dropped
        };
        let end = text.text.len();
        let head = Head::read(kind, text.text).map_err(|what| wrong(self, end, what))?;
        let arguments = text.sub(head.arguments.0, head.arguments.1);
        let expansion;
        let mut values = arguments.text;
        if head.kind != SequenceKind::List && values.contains('$') {
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

    /// Takes in the further lines of definitions used in a line. They all point at the use.
    fn tails(&mut self, tails: &[Tail], place: &LinePlace<'_>) {
        for Tail { value, span, .. } in tails {
            let place = LinePlace { fixed: Some(*span), ..place.clone() };
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
        place: &LinePlace<'_>,
        flags: u8,
        words: &mut Vec<Word<'f>>,
    ) {
        let text = if flags & lex::BACKSLASH == 0 { text } else { self.continuation(text, place) };
        let mut segments = Segments::new(text.text, flags);
        while let Some(segment) = segments.next() {
            match segment {
                Segment::Statement(from, to) => {
                    let statement = text.sub(from, to);
                    let may_include = statement.text.as_bytes().starts_with(b"inc");
                    let include =
                        if may_include { include::statement(&text.text[from..]) } else { None };
                    if let Some((check, start)) = include {
                        let pattern = text.sub(from + start, text.text.len());
                        let pattern = pattern.sub(0, include::pattern_end(pattern.text));
                        if !lex::trim(pattern.text).1.is_empty() {
                            segments.skip_to(from + start + pattern.text.len());
                            self.include(check, pattern.trimmed(), place);
                            continue;
                        }
                    }
                    self.parser.statement(statement, place, words, &mut self.run);
                    if may_include {
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
    fn continuation<'f>(&mut self, text: Text<'f>, place: &LinePlace<'_>) -> Text<'f> {
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
        let Some((keyword, arguments)) = words.split_first() else { return };
        if keyword.text != "include_check" || self.parser.inside() != ("global_defs", 1) {
            return;
        }
        for (n, what) in self.check.apply(arguments.iter().map(|w| w.text)) {
            self.run.complain(Severity::Warning, Some(arguments[n].span), what, None);
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
