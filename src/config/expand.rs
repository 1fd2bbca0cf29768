//! `$definitions` and `@conditions`: from the line as written to the effective line.
//!
//! Transforms lines without interpreting them. Values are kept as they were written and expanded at
//! each use, so a later change of a nested name takes effect.

pub(super) mod builtin;
pub(super) mod sequence;

use std::rc::Rc;

use crate::base::diag::{Severity, Span};
use crate::base::sorted::SortedMap;
use crate::config::lex::text::{By, LinePlace, Text, Traced};
use crate::config::lex::{self, Quotes};
use crate::config::run::Run;
use builtin::{Answer, Builtins};

/// Nesting limit of definitions.
const MAX_NESTING: usize = 64;

/// The lines of a value; the first may be empty.
pub(super) type Value = Rc<[String]>;

/// All definitions in force.
#[derive(Default)]
pub(super) struct Definitions {
    map: SortedMap<String, Value>,
}

impl Definitions {
    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.map.insert(name.to_owned(), value.into());
    }
}

/// A line whose uses were replaced.
pub(super) struct Expansion {
    pub(super) line: Traced,
    /// The definitions used at its end that have more lines, in the order they are to be read.
    pub(super) tails: Vec<Tail>,
}

/// The lines after the first of a definition.
pub(super) struct Tail {
    pub(super) value: Value,
    /// The use that they stand for.
    pub(super) span: Span,
    /// The byte of the physical line where it starts.
    from: usize,
}

/// The name and the position of the value, if a text is a definition: `$NAME=value`.
pub(super) fn definition(text: &str) -> Option<(&str, usize)> {
    let rest = text.strip_prefix('$')?;
    let name = name_at(rest)?;
    rest[name.len()..].starts_with('=').then_some((name, name.len() + 2))
}

/// A condition at the start of a line.
pub(super) struct Condition<'a> {
    pub(super) id: &'a str,
    pub(super) negated: bool,
    /// Start of the guarded text.
    pub(super) rest: usize,
}

impl<'a> Condition<'a> {
    /// Reads `@ID rest` or `@^ID rest`. The id ends at the first blank and is not substituted.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let after = text.strip_prefix('@')?;
        let (negated, id) = match after.strip_prefix('^') {
            Some(id) => (true, id),
            None => (false, after),
        };
        let len = id.bytes().position(lex::is_blank).unwrap_or(id.len());
        Some(Self { id: &id[..len], negated, rest: text.len() - id.len() + len })
    }

    pub(super) fn holds(&self, config_id: &str) -> bool {
        (self.id == config_id) != self.negated
    }
}

/// One use of a definition, `$NAME` or `${NAME}` or `${NAME PARAMETERS}`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Use<'a> {
    name: &'a str,
    parameters: &'a str,
    start: usize,
    end: usize,
    braced: bool,
}

impl<'a> Use<'a> {
    /// Reads the use at `start`.
    fn read(text: &'a str, start: usize) -> Option<Self> {
        let after = text[start..].strip_prefix('$')?;
        if let Some(inner) = after.strip_prefix('{') {
            let name = name_at(inner)?;
            let is_param =
                |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b' ' || b == b'\t';
            let len = inner.bytes().take_while(|&b| is_param(b)).count();
            let parameters = &inner[name.len()..len];
            let end = start + 2 + len + 1;
            return (inner.as_bytes().get(len) == Some(&b'}')).then_some(Self {
                name,
                parameters,
                start,
                end,
                braced: true,
            });
        }
        let name = name_at(after)?;
        let ends = |&b: &u8| lex::is_blank(b) || b == b',' || b == b')';
        let end = start + 1 + name.len();
        let braced = false;
        text.as_bytes().get(end).is_none_or(ends).then_some(Self {
            name,
            parameters: "",
            start,
            end,
            braced,
        })
    }

    /// The first use in a text at or after `from`.
    fn next(text: &'a str, from: usize) -> Option<Self> {
        let mut at = from;
        while let Some(found) = text[at..].find('$') {
            if let Some(used) = Self::read(text, at + found) {
                return Some(used);
            }
            at += found + 1;
        }
        None
    }
}

/// Where the text `${...}` at `start` ends, if it reads like the use of a definition.
///
/// Such a text is left of an undefined name, and its braces are none of a block.
pub(super) fn unresolved(text: &str, start: usize) -> Option<usize> {
    Use::read(text, start).filter(|u| u.braced).map(|u| u.end)
}

/// The name that a text starts with.
fn name_at(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let starts = bytes.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
    let len = bytes.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    starts.then(|| &text[..len])
}

pub(super) fn is_name(text: &str) -> bool {
    name_at(text) == Some(text) && !text.is_empty()
}

/// The line was abandoned and reported.
#[derive(Debug)]
pub(super) struct Dropped;

/// Replaces the uses in one line.
pub(super) struct Expander<'e, 't> {
    pub(super) definitions: &'e Definitions,
    pub(super) builtins: &'e mut Builtins<'t>,
    pub(super) run: &'e mut Run,
    pub(super) place: &'e LinePlace<'e>,
    /// The directory of the file being read.
    pub(super) dir: &'e str,
}

/// Value of a use.
enum Found {
    Definition(Value),
    Builtin(String),
    /// It stays as it is; an error has been reported.
    Nothing,
}

/// State during the expansion of one line.
#[derive(Default)]
struct Progress {
    out: Traced,
    tails: Vec<Tail>,
    active: Vec<String>,
    changed: bool,
}

impl Expander<'_, '_> {
    /// The line with every use replaced, those in the values included, up to a comment that a
    /// value starts.
    ///
    /// Goes over the line again until nothing changes: `$A${B}` uses `$A` only if the value of
    /// `B` is empty.
    pub(super) fn expand(&mut self, text: Text<'_>) -> Result<Expansion, Dropped> {
        let mut line = Traced::default();
        let mut tails = Vec::new();
        for pass in 0..MAX_NESTING {
            let mut progress = Progress::default();
            self.walk(if pass == 0 { text } else { line.text() }, true, &mut progress)?;
            let changed = progress.changed;
            line = progress.out;
            progress.tails.append(&mut tails);
            tails = progress.tails;
            self.cut_comment(&mut line, &mut tails);
            if !changed || !line.text().text.contains('$') {
                return Ok(Expansion { line, tails });
            }
        }
        let what = "the definitions used here use each other without end".to_owned();
        self.run.error(text.whole(self.place), what);
        Err(Dropped)
    }

    /// Ends a line where substitution started a comment.
    fn cut_comment(&mut self, line: &mut Traced, tails: &mut Vec<Tail>) {
        let text = line.text();
        let Some(at) = inserted_comment(text) else { return };
        let (from, _, by) = text.origin(at);
        let starts_line = lex::trim(&text.text[..at]).1.is_empty();
        // That of a built-in definition is meant.
        if by == By::Definition && !starts_line {
            let span = Some(text.span(self.place, at, at + 1));
            let what = "the value contains a '#' or '!', which starts a comment here".to_owned();
            let hint = Some("double quotes around it make it part of the value".to_owned());
            self.run.complain(Severity::Warning, span, what, hint);
        }
        tails.retain(|tail| tail.from == from);
        let kept = text.text[..at].trim_end().len();
        line.truncate(kept);
    }

    /// The line with the use at its start replaced by a value as it was written, as long as that
    /// takes to bring a condition or a sequence to the front; `None` if it brings none.
    ///
    /// A sequence must not be expanded before its variable is set.
    pub(super) fn evaluated_head(&mut self, text: Text<'_>) -> Result<Option<Expansion>, Dropped> {
        let mut tails = Vec::new();
        let mut line = Traced::default();
        if text.text.starts_with('$') {
            line.copy(text);
        }
        for _ in 0..MAX_NESTING {
            let now = line.text();
            let Some(used) = Use::read(now.text, 0) else { break };
            let Some(value) = self.definitions.map.get(used.name) else { break };
            let at_end = used.end == now.text.len();
            if value.len() > 1 && !at_end || !used.parameters.is_empty() {
                break;
            }
            self.charge(value[0].len(), now, &used)?;
            let (from, to) = use_bytes(now, &used);
            let mut next = Traced::default();
            next.insert(&value[0], from, to, By::Definition);
            next.copy(now.sub(used.end, now.text.len()));
            if value.len() > 1 {
                let span = now.span(self.place, 0, used.end);
                tails.insert(0, Tail { value: Rc::clone(value), span, from });
            }
            line = next;
            let head = line.text().text;
            if head.starts_with('@') || sequence::SequenceKind::of(head).is_some() {
                return Ok(Some(Expansion { line, tails }));
            }
            if line.len() > self.run.limits.line {
                break;
            }
        }
        Ok(None)
    }

    fn walk(&mut self, text: Text<'_>, at_end: bool, p: &mut Progress) -> Result<(), Dropped> {
        let mut quotes = None;
        let mut copied = 0;
        let mut at = 0;
        while let Some(used) = Use::next(text.text, at) {
            if !text.is_of_one_piece(used.start, used.end) {
                at = used.start + 1;
                continue;
            }
            at = used.end;
            let ends = at_end && used.end == text.text.len();
            let (from, to) = use_bytes(text, &used);
            let before = text.sub(copied, used.start);
            match self.look_up(text, &used, ends, p, &mut quotes)? {
                Found::Definition(value) => {
                    p.out.copy(before);
                    let inserted = Traced::inserted(&value[0], from, to);
                    p.active.push(used.name.to_owned());
                    self.walk(inserted.text(), ends, p)?;
                    p.active.pop();
                    if value.len() > 1 {
                        let span = text.span(self.place, used.start, used.end);
                        p.tails.push(Tail { value, span, from });
                    }
                }
                Found::Builtin(value) => {
                    p.out.copy(before);
                    p.out.insert(&value, from, to, By::Builtin);
                }
                Found::Nothing => {
                    // The outer of two nested forms stays, but the inner one counts.
                    at = used.start + 1;
                    continue;
                }
            }
            copied = used.end;
            p.changed = true;
        }
        p.out.copy(text.sub(copied, text.text.len()));
        let most = self.run.limits.line;
        if p.out.len() > most {
            let span = text.whole(self.place);
            self.run.error(span, format!("the line becomes longer than {most} bytes"));
            return Err(Dropped);
        }
        Ok(())
    }

    /// What a use stands for.
    fn look_up(
        &mut self,
        text: Text<'_>,
        used: &Use<'_>,
        ends: bool,
        p: &Progress,
        quotes: &mut Option<Quotes>,
    ) -> Result<Found, Dropped> {
        if used.parameters.trim().is_empty() {
            if let Some(value) = self.definitions.map.get(used.name) {
                return self.definition(text, used, value, ends, p);
            }
        }
        let span = text.span(self.place, used.start, used.end);
        match self.builtins.value(used.name, used.parameters, self.dir) {
            Answer::Value(value) => {
                self.charge(value.len(), text, used)?;
                return Ok(Found::Builtin(value));
            }
            Answer::Corrected(value, why) => {
                self.run.error(span, why);
                return Ok(Found::Builtin(value));
            }
            Answer::Wrong(why) => self.run.error(span, why),
            Answer::Unknown => self.undefined(text, used, quotes),
        }
        Ok(Found::Nothing)
    }

    /// The value of a definition, if it can be used here.
    fn definition(
        &mut self,
        text: Text<'_>,
        used: &Use<'_>,
        value: &Value,
        ends: bool,
        p: &Progress,
    ) -> Result<Found, Dropped> {
        self.charge(value[0].len(), text, used)?;
        let span = text.span(self.place, used.start, used.end);
        let name = used.name;
        if p.active.iter().any(|a| a == name) {
            self.run.error(span, format!("the definition '{name}' uses itself"));
            return Err(Dropped);
        }
        if p.active.len() >= MAX_NESTING {
            self.run.error(span, format!("more than {MAX_NESTING} definitions use each other"));
            return Err(Dropped);
        }
        if value.len() > 1 && !ends {
            let what = "has several lines and can only stand at the end of a line";
            self.run.error(span, format!("'{name}' {what}"));
            return Ok(Found::Nothing);
        }
        Ok(Found::Definition(Rc::clone(value)))
    }

    /// Says that a name is not defined, where it looks like one that should be.
    fn undefined(&mut self, text: Text<'_>, used: &Use<'_>, quotes: &mut Option<Quotes>) {
        let quoted = quotes
            .get_or_insert_with(|| Quotes::find(text.text, lex::flags(text.text)))
            .protect(used.start);
        let starts_word = used.start == 0 || lex::is_blank(text.text.as_bytes()[used.start - 1]);
        let severity = match (used.braced, quoted) {
            (true, false) => Severity::Error,
            // In a script it may be a shell variable.
            (true, true) => Severity::Note,
            (false, false) if starts_word => Severity::Note,
            (false, _) => return,
        };
        let span = text.span(self.place, used.start, used.end);
        let what = format!("'{}' is not defined and stays as it is", used.name);
        self.run.complain(severity, Some(span), what, None);
    }

    /// Counts a value towards the bound for all that is generated.
    fn charge(&mut self, bytes: usize, text: Text<'_>, used: &Use<'_>) -> Result<(), Dropped> {
        let span = || text.span(self.place, used.start, used.end);
        if self.run.charge(bytes, span) {
            Ok(())
        } else {
            Err(Dropped)
        }
    }
}

fn use_bytes(text: Text<'_>, used: &Use<'_>) -> (usize, usize) {
    let (from, first_end, _) = text.origin(used.start);
    let (_, to, _) = text.origin(used.end - 1);
    (from, to.max(first_end))
}

/// Start of a comment made by substitution. Comments written in the line were handled before.
fn inserted_comment(text: Text<'_>) -> Option<usize> {
    let flags = lex::flags(text.text);
    if flags & lex::COMMENT == 0 {
        return None;
    }
    let quotes = Quotes::find(text.text, flags);
    let end = quotes.unterminated.unwrap_or(text.text.len());
    let starts = |at: &usize| matches!(text.text.as_bytes()[*at], b'#' | b'!');
    (0..end).filter(starts).find(|&at| !quotes.protect(at) && text.origin(at).2 != By::Written)
}
