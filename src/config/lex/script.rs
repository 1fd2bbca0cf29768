//! The words of script keywords, which have quotes and escapes of their own.
//!
//! `notify_master "/bin/x 'a b'" user group` is split twice. [`line_words`] splits the statement;
//! its first word is the command, the others are the user and the group. [`command_words`] splits
//! the command into the arguments of the program. [`script_words`] does both for the command.

use std::fmt;

/// Error in a script statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuoteError {
    pub kind: QuoteErrorKind,
    /// The byte of the text where it is: the quote, the backslash, the start of the word.
    pub offset: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QuoteErrorKind {
    /// Nothing closes this quote.
    Unmatched(char),
    /// An escape gives a byte that no argument can hold.
    Nul,
    /// The escapes of a word are not UTF-8 together.
    NotUtf8,
}

impl fmt::Display for QuoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            QuoteErrorKind::Unmatched(q) => write!(f, "nothing closes this {q}"),
            QuoteErrorKind::Nul => f.write_str("an argument cannot hold a NUL byte"),
            QuoteErrorKind::NotUtf8 => f.write_str("the escapes of this word are not UTF-8"),
        }
    }
}

impl std::error::Error for QuoteError {}

/// Splits the text of a statement after its keyword: step one.
///
/// Blanks separate. `"..."` and `'...'` group, may be glued to other text and may hold the other
/// quote. A backslash protects the next character and stays, for step two.
pub fn line_words(raw: &str) -> Result<Vec<String>, QuoteError> {
    split(raw, Backslash::Stays)
}

/// Splits a command into its arguments: step two.
///
/// Quotes as in step one. A backslash makes `\a \b \E \f \n \r \t \v`, `\cX`, `\ooo` (octal) and
/// `\xHH` what they are in a shell's `$'...'`; before anything else it only protects.
/// `regex` takes its text through this step alone.
pub fn command_words(command: &str) -> Result<Vec<String>, QuoteError> {
    split(command, Backslash::Escapes)
}

/// The arguments of the command that a statement names; empty if it names none.
pub fn script_words(raw: &str) -> Result<Vec<String>, QuoteError> {
    match line_words(raw)?.first() {
        Some(command) => command_words(command),
        None => Ok(Vec::new()),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Backslash {
    Stays,
    Escapes,
}

fn split(text: &str, backslash: Backslash) -> Result<Vec<String>, QuoteError> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        while at < bytes.len() && super::is_blank(bytes[at]) {
            at += 1;
        }
        if at == bytes.len() {
            return Ok(out);
        }
        let start = at;
        let mut word = Vec::new();
        at = one_word(bytes, at, backslash, &mut word)?;
        let not_utf8 = |_| QuoteError { kind: QuoteErrorKind::NotUtf8, offset: start };
        out.push(String::from_utf8(word).map_err(not_utf8)?);
    }
}

/// Reads the word at `at` and gives the position after it.
fn one_word(
    bytes: &[u8],
    mut at: usize,
    backslash: Backslash,
    word: &mut Vec<u8>,
) -> Result<usize, QuoteError> {
    let mut quote: Option<(u8, usize)> = None;
    while let Some(&b) = bytes.get(at) {
        match (b, quote) {
            (b'\\', _) if at + 1 < bytes.len() => {
                at = match backslash {
                    Backslash::Stays => {
                        word.extend_from_slice(&bytes[at..at + 2]);
                        at + 2
                    }
                    Backslash::Escapes => escape(bytes, at, word)?,
                };
                continue;
            }
            (b'"' | b'\'', None) => quote = Some((b, at)),
            (_, Some((q, _))) if b == q => quote = None,
            (_, None) if super::is_blank(b) => break,
            _ => word.push(b),
        }
        at += 1;
    }
    match quote {
        Some((q, offset)) => {
            Err(QuoteError { kind: QuoteErrorKind::Unmatched(char::from(q)), offset })
        }
        None => Ok(at),
    }
}

/// Resolves the escape at `at`, which has a byte after the backslash.
fn escape(bytes: &[u8], at: usize, word: &mut Vec<u8>) -> Result<usize, QuoteError> {
    let (byte, next) = match bytes[at + 1] {
        b'a' => (0x07, at + 2),
        b'b' => (0x08, at + 2),
        b'E' => (0x1b, at + 2),
        b'f' => (0x0c, at + 2),
        b'n' => (b'\n', at + 2),
        b'r' => (b'\r', at + 2),
        b't' => (b'\t', at + 2),
        b'v' => (0x0b, at + 2),
        b'c' if bytes.get(at + 2).is_some_and(u8::is_ascii) => (bytes[at + 2] & 0x1f, at + 3),
        b'0'..=b'7' => number(bytes, at + 1, 3, 8),
        b'x' if bytes.get(at + 2).is_some_and(u8::is_ascii_hexdigit) => {
            number(bytes, at + 2, 2, 16)
        }
        other => (other, at + 2),
    };
    if byte == 0 {
        return Err(QuoteError { kind: QuoteErrorKind::Nul, offset: at });
    }
    word.push(byte);
    Ok(next)
}

/// Up to `most` digits as one byte; of three octal digits the lowest eight bits, as in a shell.
fn number(bytes: &[u8], from: usize, most: usize, radix: u32) -> (u8, usize) {
    let digit = |at: usize| bytes.get(at).and_then(|&b| char::from(b).to_digit(radix));
    let mut value = 0;
    let mut at = from;
    while let Some(d) = digit(at).filter(|_| at < from + most) {
        value = value * radix + d;
        at += 1;
    }
    (value.to_le_bytes()[0], at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(raw: &str) -> Vec<String> {
        line_words(raw).unwrap()
    }

    fn command(raw: &str) -> Vec<String> {
        command_words(raw).unwrap()
    }

    #[test]
    fn quotes_group_and_may_be_glued() {
        assert_eq!(line(r#"a"b c"d e"#), ["ab cd", "e"]);
        assert_eq!(line("'x y' z"), ["x y", "z"]);
        assert_eq!(line(r#""" a"#), ["", "a"]);
    }

    #[test]
    fn a_quote_may_hold_the_other() {
        assert_eq!(line(r#""/bin/x 'a b'" user group"#), ["/bin/x 'a b'", "user", "group"]);
        assert_eq!(line(r#"'say "hi"'"#), [r#"say "hi""#]);
    }

    #[test]
    fn step_one_keeps_the_backslash_and_protects_what_follows() {
        assert_eq!(line(r"a\ b c"), [r"a\ b", "c"]);
        assert_eq!(line(r#""a \"b\" c""#), [r#"a \"b\" c"#]);
        assert_eq!(line(r"a\"), [r"a\"]);
    }

    #[test]
    fn an_unmatched_quote_is_an_error_with_its_place() {
        let error = |text| line_words(text).unwrap_err();
        let unmatched = |q, offset| QuoteError { kind: QuoteErrorKind::Unmatched(q), offset };
        assert_eq!(error("a 'b"), unmatched('\'', 2));
        assert_eq!(error("\"a 'b'"), unmatched('"', 0));
        assert_eq!(script_words("\"/bin/x 'a\"").unwrap_err(), unmatched('\'', 7));
    }

    #[test]
    fn step_two_resolves_escapes() {
        assert_eq!(command(r"\a\b\E\f\n\r\t\v"), ["\x07\x08\x1b\x0c\n\r\t\x0b"]);
        assert_eq!(command(r"\cA \cz"), ["\x01", "\x1a"]);
        assert_eq!(command(r"\101\1018 \x41g \x4"), ["AA8", "Ag", "\x04"]);
        assert_eq!(command(r"\q\\ \xg a\ b"), [r"q\", "xg", "a b"]);
        assert_eq!(command(r"\303\251"), ["é"]);
        assert_eq!(command(r"\501\x"), ["Ax"]);
    }

    #[test]
    fn bytes_that_no_argument_can_hold_are_refused() {
        let kind = |text| command_words(text).unwrap_err().kind;
        assert_eq!(kind(r"a\0b"), QuoteErrorKind::Nul);
        assert_eq!(kind(r"\xff"), QuoteErrorKind::NotUtf8);
        assert_eq!(kind(r"a \c@"), QuoteErrorKind::Nul);
    }

    #[test]
    fn only_the_first_word_is_the_command() {
        assert_eq!(script_words(r#""/bin/x 'a b' c" user"#).unwrap(), ["/bin/x", "a b", "c"]);
        assert_eq!(script_words("/bin/x arg").unwrap(), ["/bin/x"]);
        assert!(script_words("  ").unwrap().is_empty());
    }
}
