//! From a letter to a mail: head, encoding, envelope (RFC 5322, RFC 2045, RFC 2047).
//!
//! We greet servers with HELO, as the reference does, so nothing but seven bits may be sent:
//! whatever else there is goes in encoded words and quoted-printable. An all-ASCII mail has no
//! trace of that.

use std::fmt::Write as _;

use super::action::Letter;
use super::input::Subject;
use crate::base::calendar;
use crate::base::time::WallTime;
use crate::model::notify::Mail;

/// Longest line of a mail, without its end (RFC 5322 §2.1.1 and RFC 5321 §4.5.3.1.6).
const LINE_MAX: usize = 998;
/// Longest text that is sent.
const TEXT_MAX: usize = 16 * 1024;
/// Bytes in one encoded word: with its wrapping and the longest name of a field it stays below the
/// 76 characters of RFC 2047 §2.
const WORD_BYTES: usize = 39;

/// A moment, and how far the clocks on the walls here are ahead of UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    pub wall: WallTime,
    pub offset_minutes: i32,
}

/// A mail, ready to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Of the envelope: the bare address.
    pub from: String,
    /// Of the envelope: bare addresses.
    pub to: Vec<String>,
    /// Head, empty line and text; every line ends with CRLF, none is too long.
    pub bytes: Vec<u8>,
    pub subject: String,
    pub about: Subject,
}

/// Puts a letter into a mail. `serial` distinguishes mails of one microsecond.
pub fn compose(letter: &Letter, mail: &Mail, stamp: Stamp, serial: u64) -> Message {
    let from = Mailbox::parse(&mail.from);
    let to: Vec<_> = mail.recipients.iter().map(|r| Mailbox::parse(r)).collect();
    let to: Vec<_> = to.into_iter().filter(|m| !m.address.is_empty()).collect();
    let mut head = String::new();
    field(&mut head, "Date", &date(stamp));
    field(&mut head, "From", &from.header());
    field(&mut head, "Subject", &unstructured("Subject", &letter.subject));
    field(&mut head, "X-Mailer", "Keepalived");
    let list: Vec<_> = to.iter().map(Mailbox::header).collect();
    field(&mut head, "To", &list.join(",\r\n "));
    let host: String = mail.helo.chars().filter(|c| is_atom(*c) || *c == '.').collect();
    let id = format!("<keepalived.{}.{serial}@{host}>", stamp.wall.0);
    field(&mut head, "Message-ID", &id);
    let text: String = letter.text.chars().take(TEXT_MAX).collect();
    let body = if is_plain(&text) {
        text.lines().fold(String::new(), |body, line| body + line + "\r\n")
    } else {
        field(&mut head, "MIME-Version", "1.0");
        field(&mut head, "Content-Type", "text/plain; charset=utf-8");
        field(&mut head, "Content-Transfer-Encoding", "quoted-printable");
        quoted_printable(&text)
    };
    Message {
        from: from.address,
        to: to.into_iter().map(|m| m.address).collect(),
        // The empty line behind the text is the reference's.
        bytes: format!("{head}\r\n{body}\r\n").into_bytes(),
        subject: letter.subject.clone(),
        about: letter.about.clone(),
    }
}

fn field(head: &mut String, name: &str, value: &str) {
    // Writing to a string cannot fail.
    let _ = write!(head, "{name}: {value}\r\n");
}

/// `a@b` or `Name <a@b>`.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Mailbox {
    name: Option<String>,
    address: String,
}

impl Mailbox {
    fn parse(text: &str) -> Self {
        let (name, address) = match text.rsplit_once('<') {
            Some((name, rest)) => (name.trim(), rest.split('>').next().unwrap_or_default()),
            None => ("", text),
        };
        let name = name.strip_prefix('"').and_then(|n| n.strip_suffix('"')).unwrap_or(name);
        let name = printable(name);
        // What would end the address, the command or the line has no place in an address.
        let no_place = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>');
        Self {
            name: (!name.is_empty()).then_some(name),
            address: address.chars().filter(|c| !no_place(*c)).collect(),
        }
    }

    fn header(&self) -> String {
        let address = &self.address;
        match &self.name {
            None => address.clone(),
            Some(name) if !name.is_ascii() || name.len() > LINE_MAX / 2 => {
                format!("{} <{address}>", encoded_words(name))
            }
            Some(name) if name.chars().all(|c| is_atom(c) || c == ' ') => {
                format!("{name} <{address}>")
            }
            Some(name) => {
                let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
                format!("\"{quoted}\" <{address}>")
            }
        }
    }
}

/// What needs no quotes in a name (RFC 5322 §3.2.3).
fn is_atom(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
}

/// Text on one line: whatever could end it is a blank.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

fn unstructured(name: &str, text: &str) -> String {
    let text = printable(text);
    let fits = name.len() + 2 + text.len() <= LINE_MAX;
    // What looks like an encoded word must be one.
    if text.is_ascii() && fits && !text.contains("=?") {
        text
    } else {
        encoded_words(&text)
    }
}

/// RFC 2047 §2: encoded words of base64, one a line; decoders join them again.
fn encoded_words(text: &str) -> String {
    let mut words = Vec::new();
    let mut chunk = String::new();
    for c in text.chars() {
        if chunk.len() + c.len_utf8() > WORD_BYTES {
            words.push(std::mem::take(&mut chunk));
        }
        chunk.push(c);
    }
    words.push(chunk);
    let words: Vec<_> =
        words.iter().map(|w| format!("=?UTF-8?B?{}?=", base64(w.as_bytes()))).collect();
    words.join("\r\n ")
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let byte = |n: usize| u32::from(group.get(n).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for n in 0..4 {
            let sextet = (bits >> (18 - 6 * n)) & 0x3f;
            let padding = n > group.len();
            out.push(if padding { '=' } else { char::from(ALPHABET[sextet as usize]) });
        }
    }
    out
}

/// Nothing that has to be encoded.
fn is_plain(text: &str) -> bool {
    let plain = |c: char| matches!(c, ' '..='~' | '\t');
    text.lines().all(|line| line.len() <= LINE_MAX && line.chars().all(plain))
}

/// RFC 2045 §6.7: lines of at most 76 characters.
fn quoted_printable(text: &str) -> String {
    const MOST: usize = 76;
    let mut out = String::new();
    for line in text.lines() {
        let mut length = 0;
        let last = line.len().saturating_sub(1);
        for (at, byte) in line.bytes().enumerate() {
            let blank = matches!(byte, b' ' | b'\t');
            let literal = matches!(byte, b'!'..=b'<' | b'>'..=b'~') || (blank && at != last);
            let width = if literal { 1 } else { 3 };
            // Room for the "=" that says that the line goes on.
            if length + width > MOST - 1 {
                out.push_str("=\r\n");
                length = 0;
            }
            length += width;
            if literal {
                out.push(char::from(byte));
            } else {
                // Writing to a string cannot fail.
                let _ = write!(out, "={byte:02X}");
            }
        }
        out.push_str("\r\n");
    }
    out
}

/// RFC 5322 §3.3, in local time.
fn date(stamp: Stamp) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // A day is the most that any zone is away; the calendar ends where four digits do.
    let offset = i64::from(stamp.offset_minutes.clamp(-1439, 1439));
    let utc = i64::try_from(stamp.wall.0 / 1_000_000).unwrap_or(i64::MAX).min(253_402_000_000);
    let local = (utc + offset * 60).max(0);
    let (days, seconds) = (local / 86_400, local % 86_400);
    let (year, month, day) = calendar::date(days);
    let index = |n: i64| usize::try_from(n).unwrap_or(0);
    let sign = if offset < 0 { '-' } else { '+' };
    format!(
        "{}, {day:02} {} {year} {:02}:{:02}:{:02} {sign}{:02}{:02}",
        DAYS[index(days % 7)],
        MONTHS[index(month - 1)],
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        offset.abs() / 60,
        offset.abs() % 60,
    )
}

#[cfg(test)]
mod tests;
