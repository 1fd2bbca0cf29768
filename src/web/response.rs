//! Replies: status, header fields, and the form of the body.

use std::fmt::Write as _;

use super::page;
use super::Method;

/// What a body is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContentType {
    Metrics,
    Page,
    Json,
    Text,
}

/// Why a request is not served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    Malformed,
    Path,
    Method,
    Slow,
    TooLarge,
    Busy,
    Version,
}

/// How the end of a body is marked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Body {
    /// The client does not want it.
    None,
    Chunks,
    /// By the end of the connection. Nothing shows that something is missing.
    Rest,
}

impl ContentType {
    const fn content_type(self) -> &'static str {
        match self {
            Self::Metrics => "text/plain; version=0.0.4; charset=utf-8",
            Self::Page => "text/html; charset=utf-8",
            Self::Json => "application/json",
            Self::Text => "text/plain; charset=utf-8",
        }
    }
}

impl Refusal {
    const fn status(self) -> &'static str {
        match self {
            Self::Malformed => "400 Bad Request",
            Self::Path => "404 Not Found",
            Self::Method => "405 Method Not Allowed",
            Self::Slow => "408 Request Timeout",
            Self::TooLarge => "431 Request Header Fields Too Large",
            Self::Busy => "503 Service Unavailable",
            Self::Version => "505 HTTP Version Not Supported",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Malformed => "This is not a request of HTTP/1.1.\n",
            Self::Path => "There are: /, /metrics, /status.json and /healthz.\n",
            Self::Method => "Only GET and HEAD are served: nothing can be changed here.\n",
            Self::Slow => "No request came in time.\n",
            Self::TooLarge => "A request has at most 8 KiB and 64 header fields.\n",
            Self::Busy => "There are too many clients: try again.\n",
            Self::Version => "Only HTTP/1.1 and HTTP/1.0 are served.\n",
        }
    }

    /// The whole reply.
    pub fn reply(self, method: Method) -> String {
        let more = match self {
            Self::Method => "Allow: GET, HEAD\r\n",
            Self::Busy => "Retry-After: 1\r\n",
            _ => "",
        };
        short(self.status(), more, self.text(), method)
    }
}

/// Whether the daemon is well, as a line. `ailment`: why it is not.
pub fn health(ailment: Option<&str>, method: Method) -> String {
    match ailment {
        None => short("200 OK", "", "ok\n", method),
        Some(ailment) => short("503 Service Unavailable", "", &format!("{ailment}\n"), method),
    }
}

/// A reply whose length is known.
fn short(status: &str, more: &str, text: &str, method: Method) -> String {
    let mut out = head(status, ContentType::Text);
    let _ = write!(out, "{more}Content-Length: {}\r\n\r\n", text.len());
    if method == Method::Get {
        out.push_str(text);
    }
    out
}

/// The beginning of every reply.
fn head(status: &str, kind: ContentType) -> String {
    let mut out = format!("HTTP/1.1 {status}\r\nContent-Type: {}\r\n", kind.content_type());
    let _ = write!(out, "Content-Security-Policy: {}\r\n", page::POLICY);
    out.push_str(
        "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n",
    );
    out
}

impl Body {
    /// For a client that asks so.
    pub const fn of(method: Method, takes_chunks: bool) -> Self {
        match (method, takes_chunks) {
            (Method::Head, _) => Self::None,
            (Method::Get, true) => Self::Chunks,
            (Method::Get, false) => Self::Rest,
        }
    }

    /// The head of a reply whose body comes in pieces.
    pub fn head(self, kind: ContentType) -> String {
        let mut out = head("200 OK", kind);
        out.push_str(if self == Self::Chunks {
            "Transfer-Encoding: chunked\r\n\r\n"
        } else {
            "\r\n"
        });
        out
    }

    /// One piece of the body (RFC 9112 §7.1).
    pub fn piece(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Self::None => {}
            Self::Rest => out.extend_from_slice(text.as_bytes()),
            // An empty one would be the end.
            Self::Chunks if text.is_empty() => {}
            Self::Chunks => {
                out.extend_from_slice(format!("{:x}\r\n", text.len()).as_bytes());
                out.extend_from_slice(text.as_bytes());
                out.extend_from_slice(b"\r\n");
            }
        }
    }

    pub fn end(self, out: &mut Vec<u8>) {
        if self == Self::Chunks {
            out.extend_from_slice(b"0\r\n\r\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_complete_and_says_what_is_served() {
        let reply = Refusal::Method.reply(Method::Get);
        let (head, body) = reply.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{head}");
        assert!(head.contains(&format!("\r\nContent-Length: {}", body.len())), "{head}");
        assert!(head.contains("\r\nAllow: GET, HEAD\r\n") && body.contains("GET"), "{reply}");
        assert!(Refusal::Path.reply(Method::Head).ends_with("\r\n\r\n"));
        assert!(health(None, Method::Get).ends_with("\r\n\r\nok\n"));
        assert!(health(Some("ill"), Method::Get).starts_with("HTTP/1.1 503 "));
    }

    #[test]
    fn the_form_of_the_body_is_that_of_the_client() {
        let all = |body: Body| {
            let mut out = body.head(ContentType::Metrics).into_bytes();
            for piece in ["one\n", "", "two\n"] {
                body.piece(piece, &mut out);
            }
            body.end(&mut out);
            String::from_utf8(out).expect("text")
        };
        let chunks = all(Body::of(Method::Get, true));
        assert!(
            chunks.ends_with("chunked\r\n\r\n4\r\none\n\r\n4\r\ntwo\n\r\n0\r\n\r\n"),
            "{chunks}"
        );
        let rest = all(Body::of(Method::Get, false));
        assert!(rest.ends_with("\r\n\r\none\ntwo\n") && !rest.contains("Transfer"), "{rest}");
        let none = all(Body::of(Method::Head, true));
        assert!(none.ends_with("Connection: close\r\n\r\n"), "{none}");
    }
}
