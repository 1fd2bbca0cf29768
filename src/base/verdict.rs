//! What a check found: up, or down for a reason. It goes with the reason from the probe to the log
//! line and the mail.

use std::fmt;
use std::ops::RangeInclusive;

use super::tracked::Finding;

/// What a probe, a file or a session says of a server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    Up(Weight),
    Down(Reason),
}

impl Verdict {
    /// Up, and nothing to say about the weight.
    pub const UP: Self = Self::Up(Weight::Unchanged);

    pub const fn is_up(&self) -> bool {
        matches!(self, Self::Up(_))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Up(_) => f.write_str("success"),
            Self::Down(reason) => fmt::Display::fmt(reason, f),
        }
    }
}

/// The digest of a page: MD5, since that is what configurations have in them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Digest(pub [u8; 16]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a check says about the weight of its server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Weight {
    /// Nothing: the configured one counts.
    #[default]
    Unchanged,
    /// In place of the configured one (`misc_dynamic`).
    Instead(i64),
    /// On top of it (`FILE_CHECK`).
    Plus(i64),
}

/// How far a probe has come. Displays as "while waiting for the header".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ProbeStep {
    Connecting,
    Handshake,
    /// Our request is not sent completely.
    Request,
    Header,
    Body,
    Greeting,
    Helo,
    Quit,
    /// The answer to a datagram.
    Reply,
}

impl fmt::Display for ProbeStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connecting => "while connecting",
            Self::Handshake => "in the TLS handshake",
            Self::Request => "while sending the request",
            Self::Header => "while waiting for the header",
            Self::Body => "while reading the body",
            Self::Greeting => "while waiting for the greeting",
            Self::Helo => "while waiting for the answer to HELO",
            Self::Quit => "while waiting for the answer to QUIT",
            Self::Reply => "while waiting for a reply",
        })
    }
}

/// Why a server is down. Displays as `status 503, expected 200-299`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The system refused, with its own words.
    Failed(ProbeStep, String),
    TimedOut(ProbeStep),
    Closed(ProbeStep),
    /// More bytes than are waited for.
    TooLong(ProbeStep),
    /// What TLS complains about.
    Tls(String),
    /// A first line without a status.
    NoStatus(Vec<u8>),
    Status {
        found: u16,
        expected: Vec<RangeInclusive<u16>>,
    },
    Chunks,
    Digest {
        found: Digest,
        expected: Digest,
    },
    /// The body does not match this pattern.
    NoMatch(String),
    /// The body matches this pattern, and must not.
    Match(String),
    /// A line of a mail server, and the status it should have had.
    Answer {
        step: ProbeStep,
        found: Vec<u8>,
        expected: u16,
    },
    /// A response code of a name server.
    Rcode(u8),
    /// No query can be made for the name.
    Name(String),
    Length {
        found: usize,
        expected: RangeInclusive<u16>,
    },
    /// The first byte of a reply that differs.
    Content {
        at: usize,
        found: u8,
    },
    Exit(u8),
    Signal(i32),
    /// The script could not be executed, in the words of the system.
    NotStarted(String),
    /// The script ran too long.
    Overran,
    /// A tracked file has this value.
    Value(i64),
    /// A BFD session is not up, for this reason.
    SessionDown(Finding),
    /// This host lacks something, and there was no probe.
    Unmade(String),
}

impl Reason {
    /// The server is not to blame.
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::Unmade(_))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(step, why) => write!(f, "{why} {step}"),
            Self::TimedOut(step) => write!(f, "timeout {step}"),
            Self::Closed(step) => write!(f, "connection closed {step}"),
            Self::TooLong(step) => write!(f, "too much data {step}"),
            Self::Tls(why) => write!(f, "TLS: {why}"),
            Self::NoStatus(line) => write!(f, "no status in '{}'", Excerpt(line)),
            Self::Status { found, expected } => {
                write!(f, "status {found}, expected {}", Ranges(expected))
            }
            Self::Chunks => f.write_str("chunked body is broken"),
            Self::Digest { found, expected } => write!(f, "digest {found}, expected {expected}"),
            Self::NoMatch(pattern) => write!(f, "no match for regex '{pattern}'"),
            Self::Match(pattern) => write!(f, "unwanted match for regex '{pattern}'"),
            Self::Answer { found, expected, .. } => {
                write!(f, "answer '{}', expected {expected}", Excerpt(found))
            }
            Self::Rcode(rcode) => write!(f, "rcode {rcode} ({})", rcode_name(*rcode)),
            Self::Name(name) => write!(f, "'{name}' is no domain name"),
            Self::Length { found, expected } => {
                let (low, high) = expected.clone().into_inner();
                write!(f, "reply of {found} bytes, expected {low} to {high}")
            }
            Self::Content { at, found } => {
                write!(f, "byte {at} of the reply is 0x{found:02x}, which is not expected")
            }
            Self::Exit(status) => write!(f, "exited with status {status}"),
            Self::Signal(number) => write!(f, "killed by signal {number}"),
            Self::NotStarted(why) => write!(f, "cannot be started: {why}"),
            Self::Overran => f.write_str("timed out"),
            Self::Value(value) => write!(f, "value {value}"),
            Self::SessionDown(why) => write!(f, "session is down: {why}"),
            Self::Unmade(why) => write!(f, "this host could not make the check: {why}"),
        }
    }
}

/// The beginning of what a server said, fit for a log.
struct Excerpt<'a>(&'a [u8]);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 40;
        write!(f, "{}", self.0[..self.0.len().min(SHOWN)].escape_ascii())?;
        f.write_str(if self.0.len() > SHOWN { "..." } else { "" })
    }
}

struct Ranges<'a>(&'a [RangeInclusive<u16>]);

impl fmt::Display for Ranges<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, range) in self.0.iter().enumerate() {
            f.write_str(if n > 0 { ", " } else { "" })?;
            match (range.start(), range.end()) {
                (low, high) if low == high => write!(f, "{low}")?,
                (low, high) => write!(f, "{low}-{high}")?,
            }
        }
        Ok(())
    }
}

/// What people call a response code (RFC 1035 §4.1.1, RFC 2136 §2.2).
const fn rcode_name(rcode: u8) -> &'static str {
    match rcode {
        0 => "NOERROR",
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        6 => "YXDOMAIN",
        7 => "YXRRSET",
        8 => "NXRRSET",
        9 => "NOTAUTH",
        10 => "NOTZONE",
        _ => "unassigned",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_read_as_an_operator_would_say_them() {
        let cases = [
            (Reason::TimedOut(ProbeStep::Header), "timeout while waiting for the header"),
            (
                Reason::Failed(ProbeStep::Connecting, "Connection refused".into()),
                "Connection refused while connecting",
            ),
            (
                Reason::Closed(ProbeStep::Greeting),
                "connection closed while waiting for the greeting",
            ),
            (
                Reason::Status { found: 503, expected: vec![200..=200, 300..=302] },
                "status 503, expected 200, 300-302",
            ),
            (
                Reason::Answer {
                    step: ProbeStep::Greeting,
                    found: b"421 \x1b[31mbusy".to_vec(),
                    expected: 220,
                },
                "answer '421 \\x1b[31mbusy', expected 220",
            ),
            (Reason::Rcode(2), "rcode 2 (SERVFAIL)"),
            (Reason::Length { found: 3, expected: 4..=9 }, "reply of 3 bytes, expected 4 to 9"),
            (Reason::Exit(1), "exited with status 1"),
            (
                Reason::Unmade("Too many open files".into()),
                "this host could not make the check: Too many open files",
            ),
        ];
        for (reason, text) in cases {
            assert_eq!(reason.to_string(), text);
        }
        let long = Reason::NoStatus(vec![b'\''; 100]).to_string();
        assert!(long.len() < 120 && long.ends_with("...'"), "{long}");
    }
}
