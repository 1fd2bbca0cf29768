//! DNS queries, and the header of responses, which shows whether the server works (RFC 1035 §4.1).

use super::Malformed;

/// Length of the header, and minimum length of a response.
const HEADER_LEN: usize = 12;

/// Recursion desired, everything else 0.
const QUERY_FLAGS: u16 = 0x0100;

const CLASS_IN: u16 = 1;

/// Maximum length of a name in a message, with its length bytes (RFC 1035 §3.1).
const NAME_MAX: usize = 255;

/// A question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Query<'a> {
    pub id: u16,
    /// With or without the final dot; empty: the root.
    pub name: &'a str,
    /// The number of the record type.
    pub record: u16,
}

impl Query<'_> {
    /// Fails if the name is invalid: a label empty or over 63 bytes, or more than 255 bytes in all.
    pub fn emit(&self) -> Result<Vec<u8>, Malformed> {
        let mut out = Vec::with_capacity(HEADER_LEN + self.name.len() + 6);
        for word in [self.id, QUERY_FLAGS, 1, 0, 0, 0] {
            out.extend_from_slice(&word.to_be_bytes());
        }
        let name = self.name.strip_suffix('.').unwrap_or(self.name);
        if !name.is_empty() {
            for label in name.split('.') {
                let len = u8::try_from(label.len()).map_err(|_| Malformed)?;
                if !(1..=63).contains(&len) {
                    return Err(Malformed);
                }
                out.push(len);
                out.extend_from_slice(label.as_bytes());
            }
        }
        out.push(0);
        if out.len() - HEADER_LEN > NAME_MAX {
            return Err(Malformed);
        }
        out.extend_from_slice(&self.record.to_be_bytes());
        out.extend_from_slice(&CLASS_IN.to_be_bytes());
        Ok(out)
    }
}

/// The header of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    pub id: u16,
    pub is_response: bool,
    pub rcode: u8,
}

impl Header {
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let [id1, id2, high, low, ..] = *bytes else { return Err(Malformed) };
        if bytes.len() < HEADER_LEN {
            return Err(Malformed);
        }
        let id = u16::from_be_bytes([id1, id2]);
        Ok(Self { id, is_response: high & 0x80 != 0, rcode: low & 0x0f })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(name: &str) -> Result<Vec<u8>, Malformed> {
        Query { id: 0x1234, name, record: 6 }.emit()
    }

    #[test]
    fn a_query_has_one_question_and_asks_for_recursion() {
        let root = b"\x12\x34\x01\x00\x00\x01\0\0\0\0\0\0\x00\x00\x06\x00\x01";
        assert_eq!(query("").as_deref(), Ok(&root[..]));
        assert_eq!(query("."), query(""));
        let name = b"\x12\x34\x01\x00\x00\x01\0\0\0\0\0\0\x01a\x03com\x00\x00\x06\x00\x01";
        assert_eq!(query("a.com").as_deref(), Ok(&name[..]));
        assert_eq!(query("a.com."), query("a.com"));
    }

    #[test]
    fn an_invalid_name_is_refused() {
        for name in ["a..b", ".a", "..", &"a".repeat(64), &"a".repeat(300), &"ab.".repeat(90)] {
            assert_eq!(query(name), Err(Malformed), "{name}");
        }
        assert!(query(&"a".repeat(63)).is_ok());
    }

    #[test]
    fn a_header_needs_twelve_bytes() {
        let answer = b"\x12\x34\x81\x82\0\x01\0\0\0\0\0\0";
        for len in 0..answer.len() {
            assert_eq!(Header::parse(&answer[..len]), Err(Malformed));
        }
        let header = Header { id: 0x1234, is_response: true, rcode: 2 };
        assert_eq!(Header::parse(answer), Ok(header));
    }
}
