//! State of one run of reading: its diagnostics, each once, and its remaining limits.

use crate::base::diag::{Diagnostics, Severity, Span};
use crate::base::sorted::SortedSet;

/// Bounds for hostile text: exceeding them is reported, and never hangs or exhausts memory.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes in all files together, those read twice counted twice.
    pub file_bytes: u64,
    /// Bytes of one line, as it is written and as it becomes.
    pub line: usize,
    /// Files opened.
    pub files: u32,
    /// Files that include each other.
    pub include_depth: usize,
    /// Bytes that definitions and sequences generate.
    pub generated: u64,
    /// Turns of one `~SEQ`.
    pub sequence: u64,
    pub statements: usize,
    pub words: usize,
    /// Blocks in each other.
    pub block_depth: usize,
    pub complaints: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 64 << 20,
            line: 64 << 10,
            files: 200_000,
            include_depth: 64,
            generated: 64 << 20,
            sequence: 1_000_000,
            statements: 1_000_000,
            words: 4_000_000,
            block_depth: 64,
            complaints: 10_000,
        }
    }
}

/// Cost of a generated line besides its bytes, so that even empty ones are bounded.
const LINE_COST: u64 = 16;

pub(in crate::config) struct Run {
    pub(in crate::config) limits: Limits,
    pub(in crate::config) diagnostics: Diagnostics,
    seen: SortedSet<(Option<Span>, String)>,
    generated: u64,
    statements: usize,
    words: usize,
    stopped: bool,
}

impl Run {
    pub(in crate::config) fn new(limits: Limits) -> Self {
        Self {
            limits,
            diagnostics: Diagnostics::default(),
            seen: SortedSet::new(),
            generated: 0,
            statements: 0,
            words: 0,
            stopped: false,
        }
    }

    /// Nothing more is to be read.
    pub(in crate::config) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Reports a diagnostic, unless the same was reported at the same position: a file may be
    /// included twice, and a line generated a thousand times.
    pub(in crate::config) fn complain(
        &mut self,
        severity: Severity,
        span: Option<Span>,
        message: String,
        hint: Option<String>,
    ) {
        if self.seen.len() > self.limits.complaints || !self.seen.insert((span, message.clone())) {
            return;
        }
        if self.seen.len() > self.limits.complaints {
            let what = "there are more complaints than are shown";
            self.diagnostics.push(Severity::Error, None, what);
            return;
        }
        self.diagnostics.push(severity, span, message);
        if let Some(hint) = hint {
            self.diagnostics.hint(hint);
        }
    }

    pub(in crate::config) fn error(&mut self, span: Span, message: String) {
        self.complain(Severity::Error, Some(span), message, None);
    }

    /// Ends the reading. The text read so far is incomplete and must not be used.
    pub(in crate::config) fn stop(&mut self, span: Option<Span>, message: String) {
        if !self.stopped {
            self.stopped = true;
            self.diagnostics.push(Severity::Fatal, span, message);
            self.diagnostics.hint("nothing is read after this");
        }
    }

    /// Counts text generated for what stands at `span`; false if there is too much.
    pub(in crate::config) fn charge(&mut self, bytes: usize, span: impl FnOnce() -> Span) -> bool {
        self.generated += bytes as u64 + LINE_COST;
        if self.generated > self.limits.generated {
            let most = self.limits.generated >> 10;
            let what = format!("definitions and sequences generate more than {most} KiB of text");
            self.stop(Some(span()), what);
        }
        !self.stopped
    }

    /// Counts a statement; false if there are too many.
    pub(in crate::config) fn statement(&mut self, words: usize, span: Span) -> bool {
        self.statements += 1;
        self.words += words;
        if self.statements > self.limits.statements || self.words > self.limits.words {
            let (statements, words) = (self.limits.statements, self.limits.words);
            let what = format!("more than {statements} statements, or {words} words in them");
            self.stop(Some(span), what);
        }
        !self.stopped
    }
}
