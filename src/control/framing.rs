//! Lines in a stream of bytes, with a limit on their length.

/// A line is longer than the limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLong;

/// Bytes that were received and not yet taken as lines. Never more than the limit.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Lines {
    bytes: Vec<u8>,
    limit: usize,
}

impl Lines {
    /// `limit` is that of a line with its end.
    pub const fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit }
    }

    /// How many more bytes it takes.
    pub fn room(&self) -> usize {
        self.limit.saturating_sub(self.bytes.len())
    }

    /// Takes what was received, as far as there is room. Returns how much that is.
    pub fn push(&mut self, received: &[u8]) -> usize {
        let taken = received.len().min(self.room());
        self.bytes.extend_from_slice(&received[..taken]);
        taken
    }

    /// The next line without its end; `None` until it is complete.
    ///
    /// # Errors
    /// It can no longer become complete.
    pub fn next_line(&mut self) -> Result<Option<Vec<u8>>, TooLong> {
        let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') else {
            return if self.room() == 0 { Err(TooLong) } else { Ok(None) };
        };
        let rest = self.bytes.split_off(end + 1);
        let mut line = std::mem::replace(&mut self.bytes, rest);
        line.pop();
        Ok(Some(line))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(lines: &mut Lines) -> Option<String> {
        let line = lines.next_line().expect("not too long")?;
        Some(String::from_utf8(line).expect("text"))
    }

    #[test]
    fn lines_come_whole_however_they_arrive() {
        let mut lines = Lines::new(16);
        for byte in b"one\n\ntw" {
            assert_eq!(lines.push(&[*byte]), 1);
        }
        assert_eq!(line(&mut lines).as_deref(), Some("one"));
        assert_eq!(line(&mut lines).as_deref(), Some(""));
        assert_eq!(line(&mut lines), None);
        assert_eq!(lines.push(b"o\nthree"), 7);
        assert_eq!(line(&mut lines).as_deref(), Some("two"));
        assert_eq!(line(&mut lines), None);
        assert_eq!(lines.bytes(), b"three");
    }

    #[test]
    fn a_line_at_the_limit_is_taken_and_a_longer_one_is_an_error() {
        let mut lines = Lines::new(4);
        assert_eq!(lines.push(b"abc\ndef\n"), 4);
        assert_eq!(line(&mut lines).as_deref(), Some("abc"));
        assert_eq!(lines.push(b"abcdef"), 4);
        assert_eq!(lines.next_line(), Err(TooLong));
        assert_eq!(lines.room(), 0);
    }
}
