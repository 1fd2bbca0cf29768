//! Complaints of the later stages, bounded: one mistake made ten thousand times, by a sequence or
//! a generator, is reported a few times and then counted.

use super::document::Word;
use crate::base::diag::{Diagnostics, Severity, Span};
use crate::base::sorted::SortedMap;

/// Limit of reports of one mistake about one subject.
const LIMIT: u32 = 20;

pub(super) struct Complaints<'a> {
    list: &'a mut Diagnostics,
    counts: SortedMap<(Severity, String), u32>,
    /// `(VI_1) `: put before each text.
    scope: String,
}

impl<'a> Complaints<'a> {
    pub(super) fn new(list: &'a mut Diagnostics) -> Self {
        Self { list, counts: SortedMap::new(), scope: String::new() }
    }

    /// Names the item that is examined now; `None` at its end.
    pub(super) fn set_scope(&mut self, name: Option<&str>) {
        self.scope.clear();
        if let Some(name) = name {
            self.scope.push('(');
            self.scope.push_str(name);
            self.scope.push_str(") ");
        }
    }

    /// Reports something, unless there were too many reports about `about`; true if it is reported.
    pub(super) fn report(
        &mut self,
        severity: Severity,
        about: &str,
        span: Option<Span>,
        text: impl AsRef<str>,
    ) -> bool {
        let count = match self.counts.get_mut(&(severity, about.to_owned())) {
            Some(count) => {
                *count += 1;
                *count
            }
            None => {
                self.counts.insert((severity, about.to_owned()), 1);
                1
            }
        };
        if count <= LIMIT {
            self.list.push(severity, span, format!("{}{}", self.scope, text.as_ref()));
        }
        count <= LIMIT
    }

    pub(super) fn error(&mut self, about: &str, span: Span, text: impl AsRef<str>) -> bool {
        self.report(Severity::Error, about, Some(span), text)
    }

    /// An error whose text scripts match: it does not name its item.
    pub(super) fn unknown(&mut self, word: Word<'_>, text: impl AsRef<str>) -> bool {
        let scope = std::mem::take(&mut self.scope);
        let reported = self.error(word.text, word.span, text);
        self.scope = scope;
        reported
    }

    pub(super) fn warn(&mut self, about: &str, span: Span, text: impl AsRef<str>) -> bool {
        self.report(Severity::Warning, about, Some(span), text)
    }

    /// The daemon would not start with this.
    pub(super) fn refuse(&mut self, about: &str, span: Span, text: impl AsRef<str>) -> bool {
        self.report(Severity::Fatal, about, Some(span), text)
    }

    /// A note does not belong to the item it was first found in.
    pub(super) fn note(&mut self, span: Span, text: impl Into<String>) {
        self.list.note(span, text);
    }

    /// Adds a line below what was reported last.
    pub(super) fn hint(&mut self, text: impl Into<String>) {
        self.list.hint(text);
    }

    /// Reports the number of suppressed diagnostics.
    pub(super) fn finish(self) {
        for ((severity, about), count) in self.counts {
            if let Some(more) = count.checked_sub(LIMIT).filter(|&more| more > 0) {
                self.list.push(severity, None, format!("{more} more complaints about '{about}'"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_repeated_is_counted_not_told() {
        let span = Span { file: 0, line: 1, column: 1, len: 1 };
        let mut list = Diagnostics::default();
        let mut c = Complaints::new(&mut list);
        for _ in 0..20_000 {
            c.error("priority", span, "priority 'x' is no number");
        }
        c.error("state", span, "another thing");
        c.finish();
        let texts: Vec<_> = list.iter().map(|d| d.message.as_str()).collect();
        assert_eq!(texts.len(), 22);
        assert_eq!(texts[20], "another thing");
        assert_eq!(texts[21], "19980 more complaints about 'priority'");
    }
}
