//! Replies of a mail server, line by line (RFC 5321 §4.2).

use super::Malformed;

/// Maximum length of a line. RFC 5321 §4.5.3.1.5 allows 512 bytes.
pub const LINE_MAX: usize = 2048;

/// One line of a reply, without its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line<'a>(&'a [u8]);

impl<'a> Line<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub const fn text(self) -> &'a [u8] {
        self.0
    }

    /// The status: three digits, then a blank or the end of the line.
    pub fn status(self) -> Result<u16, Malformed> {
        match self.0 {
            [a, b, c] | [a, b, c, b' ' | b'\t', ..] => digits([*a, *b, *c]),
            _ => Err(Malformed),
        }
    }

    /// True if more lines of the same reply follow: a `-` after the digits.
    pub fn is_continued(self) -> bool {
        matches!(self.0, [a, b, c, b'-', ..] if digits([*a, *b, *c]).is_ok())
    }
}

fn digits(code: [u8; 3]) -> Result<u16, Malformed> {
    if !code.iter().all(u8::is_ascii_digit) {
        return Err(Malformed);
    }
    Ok(code.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
}

/// Collects bytes until a line is complete.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lines {
    pending: Vec<u8>,
}

impl Lines {
    /// Takes bytes up to the end of the first line. Returns the number of bytes taken, and whether
    /// the line is complete. Fails if a line is longer than [`LINE_MAX`].
    pub fn take(&mut self, bytes: &[u8]) -> Result<(usize, bool), Malformed> {
        let end = bytes.iter().position(|b| *b == b'\n');
        let taken = end.map_or(bytes.len(), |at| at + 1);
        if self.pending.len() + taken > LINE_MAX {
            return Err(Malformed);
        }
        self.pending.extend_from_slice(&bytes[..taken]);
        Ok((taken, end.is_some()))
    }

    /// The collected line, without its end.
    pub fn line(&self) -> Line<'_> {
        let text = self.pending.strip_suffix(b"\n").unwrap_or(&self.pending);
        Line(text.strip_suffix(b"\r").unwrap_or(text))
    }

    pub fn clear(&mut self) {
        self.pending.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_ends_with_a_blank_or_the_line() {
        for (line, status) in [
            ("220 ready", Some(220)),
            ("220", Some(220)),
            ("220-ready", None),
            ("2200 x", None),
            ("22", None),
            ("abc d", None),
            (" 220 ", None),
            ("", None),
            ("\u{0}\u{1}\u{2}", None),
        ] {
            assert_eq!(Line::new(line.as_bytes()).status().ok(), status, "{line:?}");
        }
        assert!(Line::new(b"250-x").is_continued());
        assert!(!Line::new(b"250 x").is_continued());
        assert!(!Line::new(b"abc-x").is_continued());
    }

    #[test]
    fn lines_are_put_together_and_bounded() {
        let mut lines = Lines::default();
        for byte in b"220 a\r" {
            assert_eq!(lines.take(&[*byte]), Ok((1, false)));
        }
        assert_eq!(lines.take(b"\nnext"), Ok((1, true)));
        assert_eq!(lines.line().text(), b"220 a");
        lines.clear();
        assert_eq!(lines.take(&[b'x'; LINE_MAX]), Ok((LINE_MAX, false)));
        assert_eq!(lines.take(b"x"), Err(Malformed));
    }
}
