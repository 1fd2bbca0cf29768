//! HTML: what comes from elsewhere is text, whatever it contains.

use std::fmt::{self, Display, Write};

/// A part of a page.
pub(super) struct Html<'a>(pub(super) &'a mut String);

impl Html<'_> {
    /// Markup of our own.
    pub(super) fn markup(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text, or the value of an attribute in double quotes.
    pub(super) fn text(&mut self, text: impl Display) -> &mut Self {
        // Writing to a string cannot fail.
        let _ = write!(Escaped(self.0), "{text}");
        self
    }

    /// A cell of a table, with the head of its column for narrow screens.
    pub(super) fn cell(&mut self, head: &'static str, text: impl Display) -> &mut Self {
        self.begin_cell(head).text(text).markup("</td>")
    }

    pub(super) fn begin_cell(&mut self, head: &'static str) -> &mut Self {
        self.markup("<td data-head=\"").markup(head).markup("\">")
    }
}

struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\n' | '\t' => self.0.push(c),
                // Not allowed in a document.
                c if c.is_control() => self.0.push(char::REPLACEMENT_CHARACTER),
                c => self.0.push(c),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup() {
        let mut out = String::new();
        Html(&mut out).cell("Name", "<script>alert('\"&\0\u{1b}\n')</script>");
        assert_eq!(
            out,
            "<td data-head=\"Name\">&lt;script&gt;alert(&#39;&quot;&amp;\u{fffd}\u{fffd}\n&#39;)\
             &lt;/script&gt;</td>"
        );
    }
}
