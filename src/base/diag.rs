//! Diagnostics about the configuration: collected first, printed later.
//!
//! A diagnostic records its source position; its format (`(FILE: Line N) text`, the line itself, a
//! caret under the word) is determined in one place, [`Diagnostics::render`].

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::sync::OnceLock;

/// Severity of a diagnostic. Ordered: the worst one determines the exit status of `-t`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Informational; the configuration is used as written.
    Note,
    /// Suspicious but accepted, as in keepalived; for example, words that are ignored.
    Warning,
    /// Invalid: the item was left out or corrected. The daemon would run.
    Error,
    /// Invalid, and the daemon would not start.
    Fatal,
    /// An include fails the checks it requests. The daemon would not start.
    Security,
    /// A command that users other than root can change, or that is not checked because
    /// `enable_script_security` is missing. The daemon runs; `-t` reports it.
    Insecure,
}

/// A range within one line of a source file. Lines and columns start at 1; columns are characters.
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
    /// Sorted after all diagnostics up to this position: a possible consequence of an error in a
    /// block.
    pub after: Option<Span>,
    pub message: String,
    /// Printed on a separate line below: `did you mean 'priority'?`
    pub hint: Option<String>,
}

/// All diagnostics of one configuration, in the order they were found.
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

    /// Adds a hint to the last diagnostic.
    pub fn hint(&mut self, hint: impl Into<String>) {
        if let Some(last) = self.list.last_mut() {
            last.hint = Some(hint.into());
        }
    }

    /// True if a diagnostic that matters to the daemon has this severity or a worse one.
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

    /// Sorts diagnostics by source position, those without one last.
    pub fn sort(&mut self) {
        let place = |d: &Diagnostic| match (d.after, d.span) {
            // Of blocks that end together, the inner one comes first.
            (Some(end), Some(s)) => (0, end.file, end.line, u32::MAX, Reverse(s.line)),
            (_, Some(s)) => (0, s.file, s.line, s.column, Reverse(0)),
            (_, None) => (1, 0, 0, 0, Reverse(0)),
        };
        self.list.sort_by_key(place);
    }

    /// Moves diagnostics after the position that `after` gives for theirs, except for the first
    /// `kept`.
    pub fn put_after(&mut self, kept: usize, after: impl Fn(Span) -> Option<Span>) {
        let consequences = |d: &&mut Diagnostic| d.severity > Severity::Note;
        for d in self.list.iter_mut().skip(kept).filter(consequences) {
            d.after = d.span.and_then(&after);
        }
    }

    /// The source positions of the diagnostics.
    pub fn spans(&self) -> impl Iterator<Item = Span> + '_ {
        self.list.iter().filter_map(|d| d.span)
    }

    /// The diagnostics as text, one or more lines each.
    ///
    /// The first line of each has the format that scripts match: `(FILE: Line N) text`.
    pub fn render(&self, sources: &Sources) -> String {
        let mut out = String::new();
        for d in &self.list {
            d.render(sources, &mut out);
        }
        out
    }
}

/// The texts of a diagnostic without what is secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShownDiagnostic {
    pub message: String,
    pub hint: Option<String>,
}

impl Diagnostic {
    /// Its texts, which may be shown to others than the author of the source.
    pub fn shown(&self, sources: &Sources) -> ShownDiagnostic {
        let line = self.span.and_then(|s| Some((s, sources.line(s)?)));
        let veil = |text: &str| line.and_then(|(s, line)| sources.veil(text, line, s));
        let plain = |text: &str| veil(text).unwrap_or_else(|| text.to_owned());
        ShownDiagnostic { message: plain(&self.message), hint: self.hint.as_deref().map(plain) }
    }

    pub fn render(&self, sources: &Sources, out: &mut String) {
        let line = self.span.and_then(|s| Some((s, sources.line(s)?)));
        let veil = |text: &str| line.and_then(|(s, line)| sources.veil(text, line, s));
        let (veiled, hint) = (veil(&self.message), self.hint.as_deref());
        let message = veiled.as_deref().unwrap_or(&self.message);
        // Writing to a string cannot fail.
        let _ = match self.span {
            None => writeln!(out, "{message}"),
            Some(s) => writeln!(out, "({}: Line {}) {message}", sources.name(s.file), s.line),
        };
        if let Some((s, line)) = line.filter(|(s, _)| s.column > 0 && veiled.is_none()) {
            show(line, s, out);
        }
        if let Some(hint) = hint {
            let _ = writeln!(out, "    {}", veil(hint).as_deref().unwrap_or(hint));
        }
    }
}

/// Shows a line with carets under a span; a long line is cut to the part around the span.
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

/// Redacts a text about a line, given that line and the last non-empty line before it. `None` if
/// nothing is secret and the line itself may be shown.
pub type Veil = fn(text: &str, line: &str, before: &str) -> Option<String>;

/// The source texts that spans refer to.
#[derive(Clone, Default, Debug)]
pub struct Sources {
    files: Vec<SourceFile>,
    veil: Option<Veil>,
}

/// Limit on the search for a non-empty line above another.
const MOST_ABOVE: usize = 100;

#[derive(Clone, Debug)]
struct SourceFile {
    name: String,
    text: String,
    /// Offsets of its lines; computed when the first line is shown.
    starts: OnceLock<Vec<usize>>,
}

impl Sources {
    /// Sources that may contain secrets.
    pub fn veiled(veil: Veil) -> Self {
        Self { files: Vec::new(), veil: Some(veil) }
    }

    /// True if no source was read.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Adds a file and returns the number by which spans refer to it.
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

    /// Takes the text of a file out, for reading while other files are added.
    pub fn take(&mut self, file: u32) -> String {
        self.files.get_mut(file as usize).map_or_else(String::new, |f| std::mem::take(&mut f.text))
    }

    /// Puts back the text from [`Sources::take`], or sets the text of a file.
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
    fn a_long_line_is_cut_around_the_word() {
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
    fn carets_mark_the_word() {
        let mut sources = Sources::default();
        let file = sources.add("k.conf", "vrrp_instance V {\n  prioritty 5\n}\n");
        let mut d = Diagnostics::default();
        d.error(Span { file, line: 2, column: 3, len: 9 }, "Unknown keyword 'prioritty'");
        d.hint("did you mean 'priority'?");
        assert_eq!(
            d.render(&sources),
            "(k.conf: Line 2) Unknown keyword 'prioritty'\n      prioritty 5\n      ^^^^^^^^^\n    did you mean 'priority'?\n"
        );
        assert_eq!(d.worst(), Some(Severity::Error));
    }

    #[test]
    fn insecure_commands_rank_worst_but_do_not_prevent_a_start() {
        let mut d = Diagnostics::default();
        d.push(Severity::Insecure, None, "unsafe");
        assert_eq!(d.worst(), Some(Severity::Insecure));
        assert!(!d.reaches(Severity::Note));
        d.push(Severity::Error, None, "wrong");
        assert!(d.reaches(Severity::Error) && !d.reaches(Severity::Fatal));
    }
}
