//! Complaints about what the operator wrote: collected, never printed on the way.
//!
//! A complaint knows its place; how it is shown (`(FILE: Line N) text`, the line itself, a caret
//! under the word) is decided once, in [`Diagnostics::render`].

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::sync::OnceLock;

/// How bad it is. Ordered: the worst one decides the exit status of `-t`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Worth knowing; the configuration means what it says.
    Note,
    /// Suspicious, but it was accepted before and still is: words that are ignored, say.
    Warning,
    /// Wrong: the item was left out or corrected. The daemon would run.
    Error,
    /// So wrong that the daemon would not start with it.
    Fatal,
    /// An include violates the checks that were asked for. The daemon would not start.
    Security,
    /// A command that others than root can change, or that nobody asked to check. The daemon runs,
    /// `-t` tells.
    Insecure,
}

/// A stretch of one line of one source file. Line and column count from 1, columns in characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Span {
    pub file: u32,
    pub line: u32,
    pub column: u32,
    pub len: u32,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    pub severity: Severity,
    pub span: Option<Span>,
    /// Told after all that is told up to there: it may be the consequence of something in a block.
    pub after: Option<Span>,
    pub message: String,
    /// A line of its own below: `did you mean 'priority'?`
    pub hint: Option<String>,
}

/// All complaints about one configuration, in the order they were found.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    pub fn push(&mut self, severity: Severity, span: Option<Span>, message: impl Into<String>) {
        let message = message.into();
        self.list.push(Diagnostic { severity, span, after: None, message, hint: None });
    }

    pub fn note(&mut self, span: Span, message: impl Into<String>) {
        self.push(Severity::Note, Some(span), message);
    }

    pub fn warn(&mut self, span: Span, message: impl Into<String>) {
        self.push(Severity::Warning, Some(span), message);
    }

    pub fn error(&mut self, span: Span, message: impl Into<String>) {
        self.push(Severity::Error, Some(span), message);
    }

    /// Adds a hint to the complaint made last.
    pub fn hint(&mut self, hint: impl Into<String>) {
        if let Some(last) = self.list.last_mut() {
            last.hint = Some(hint.into());
        }
    }

    /// True if there is a complaint as bad as this, or worse, that a daemon must heed.
    pub fn reaches(&self, severity: Severity) -> bool {
        let heeded = self.list.iter().filter(|d| d.severity != Severity::Insecure);
        heeded.map(|d| d.severity).max() >= Some(severity)
    }

    pub fn worst(&self) -> Option<Severity> {
        self.list.iter().map(|d| d.severity).max()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub fn append(&mut self, mut other: Self) {
        self.list.append(&mut other.list);
    }

    /// Brings complaints into the order of the text, those without a place last.
    pub fn sort(&mut self) {
        let place = |d: &Diagnostic| match (d.after, d.span) {
            // Of blocks that end together, the inner one comes first.
            (Some(end), Some(s)) => (0, end.file, end.line, u32::MAX, Reverse(s.line)),
            (_, Some(s)) => (0, s.file, s.line, s.column, Reverse(0)),
            (_, None) => (1, 0, 0, 0, Reverse(0)),
        };
        self.list.sort_by_key(place);
    }

    /// Moves complaints behind the place that `after` names for theirs, except for the first `kept`.
    pub fn put_after(&mut self, kept: usize, after: impl Fn(Span) -> Option<Span>) {
        let consequences = |d: &&mut Diagnostic| d.severity > Severity::Note;
        for d in self.list.iter_mut().skip(kept).filter(consequences) {
            d.after = d.span.and_then(&after);
        }
    }

    /// The places of the complaints.
    pub fn spans(&self) -> impl Iterator<Item = Span> + '_ {
        self.list.iter().filter_map(|d| d.span)
    }

    /// The complaints as text, one or more lines each.
    ///
    /// The first line of each has the form scripts look for: `(FILE: Line N) text`, or
    /// `(Line N) text` where the configuration is one file.
    pub fn render(&self, sources: &Sources) -> String {
        let mut out = String::new();
        for d in &self.list {
            d.render(sources, &mut out);
        }
        out
    }
}

impl Diagnostic {
    pub fn render(&self, sources: &Sources, out: &mut String) {
        let line = self.span.and_then(|s| Some((s, sources.line(s)?)));
        let veil = |text: &str| line.and_then(|(s, line)| sources.veil(text, line, s));
        let (veiled, hint) = (veil(&self.message), self.hint.as_deref());
        let message = veiled.as_deref().unwrap_or(&self.message);
        // Writing to a string cannot fail.
        let _ = match self.span {
            None => writeln!(out, "{message}"),
            Some(s) if sources.files.len() > 1 => {
                writeln!(out, "({}: Line {}) {message}", sources.name(s.file), s.line)
            }
            Some(s) => writeln!(out, "(Line {}) {message}", s.line),
        };
        if let Some((s, line)) = line.filter(|(s, _)| s.column > 0 && veiled.is_none()) {
            show(line, s, out);
        }
        if let Some(hint) = hint {
            let _ = writeln!(out, "    {}", veil(hint).as_deref().unwrap_or(hint));
        }
    }
}

/// Shows a line with carets under a span; of a long line the part around it.
fn show(line: &str, span: Span, out: &mut String) {
    const WIDTH: usize = 200;
    let column = span.column as usize - 1;
    let skipped = column.saturating_sub(WIDTH / 2);
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let shown: String = line.chars().skip(skipped).map(printable).take(WIDTH).collect();
    let pad = " ".repeat(column - skipped);
    let carets = "^".repeat(span.len.clamp(1, 60) as usize);
    // Writing to a string cannot fail.
    let _ = writeln!(out, "    {}\n    {pad}{carets}", shown.trim_end());
}

/// What may be told of a text about a line, given the line and the one before it that is not empty;
/// `None` if there is nothing to be hidden, and the line itself may be shown.
pub type Veil = fn(text: &str, line: &str, before: &str) -> Option<String>;

/// The texts that spans point into.
#[derive(Clone, Default, Debug)]
pub struct Sources {
    files: Vec<SourceFile>,
    veil: Option<Veil>,
}

/// How many lines above another are looked at for one that is not empty.
const MOST_ABOVE: usize = 100;

#[derive(Clone, Debug)]
struct SourceFile {
    name: String,
    text: String,
    /// Where its lines start; made when the first of them is shown.
    starts: OnceLock<Vec<usize>>,
}

impl Sources {
    /// Texts in which something may be secret.
    pub fn veiled(veil: Veil) -> Self {
        Self { files: Vec::new(), veil: Some(veil) }
    }

    /// Nothing was read.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Takes a file in and gives the number that spans use for it.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> u32 {
        let starts = OnceLock::new();
        self.files.push(SourceFile { name: name.into(), text: text.into(), starts });
        u32::try_from(self.files.len() - 1).expect("fewer than 2^32 files")
    }

    pub fn name(&self, file: u32) -> &str {
        self.files.get(file as usize).map_or("?", |f| &f.name)
    }

    pub fn text(&self, file: u32) -> &str {
        self.files.get(file as usize).map_or("", |f| &f.text)
    }

    /// Lends the text of a file out, for reading while other files are added.
    pub fn take(&mut self, file: u32) -> String {
        self.files.get_mut(file as usize).map_or_else(String::new, |f| std::mem::take(&mut f.text))
    }

    /// Puts back what [`Sources::take`] gave, or gives a file its text.
    pub fn put(&mut self, file: u32, text: String) {
        if let Some(f) = self.files.get_mut(file as usize) {
            f.text = text;
            f.starts = OnceLock::new();
        }
    }

    fn veil(&self, text: &str, line: &str, span: Span) -> Option<String> {
        let above = (1..span.line).rev().map_while(|line| self.line(Span { line, ..span }));
        let is_code = |l: &&str| !l.trim().is_empty() && !l.trim().starts_with(['#', '!']);
        let before = above.take(MOST_ABOVE).find(is_code).unwrap_or_default();
        (self.veil?)(text, line, before)
    }

    fn line(&self, span: Span) -> Option<&str> {
        let file = self.files.get(span.file as usize)?;
        let starts = file.starts.get_or_init(|| {
            let ends = file.text.match_indices('\n');
            std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect()
        });
        let start = *starts.get(span.line.checked_sub(1)? as usize)?;
        file.text[start..].split('\n').next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_part_of_a_long_line_around_the_word() {
        let mut sources = Sources::default();
        let file = sources.add("k.conf", format!("{}bad{}", "x".repeat(1000), "y".repeat(1000)));
        let mut d = Diagnostics::default();
        d.error(Span { file, line: 1, column: 1001, len: 3 }, "no");
        let shown = d.render(&sources);
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[1].find("bad"), lines[2].find("^^^"));
        assert_eq!(lines[1].len(), 204);
    }

    #[test]
    fn points_at_the_word() {
        let mut sources = Sources::default();
        let file = sources.add("k.conf", "vrrp_instance V {\n  prioritty 5\n}\n");
        let mut d = Diagnostics::default();
        d.error(Span { file, line: 2, column: 3, len: 9 }, "Unknown keyword 'prioritty'");
        d.hint("did you mean 'priority'?");
        assert_eq!(
            d.render(&sources),
            "(Line 2) Unknown keyword 'prioritty'\n      prioritty 5\n      ^^^^^^^^^\n    did you mean 'priority'?\n"
        );
        assert_eq!(d.worst(), Some(Severity::Error));
    }

    #[test]
    fn an_insecure_command_is_the_worst_and_keeps_nobody_down() {
        let mut d = Diagnostics::default();
        d.push(Severity::Insecure, None, "unsafe");
        assert_eq!(d.worst(), Some(Severity::Insecure));
        assert!(!d.reaches(Severity::Note));
        d.push(Severity::Error, None, "wrong");
        assert!(d.reaches(Severity::Error) && !d.reaches(Severity::Fatal));
    }
}
