//! Requests: the part of HTTP/1.1 (RFC 9112) that a reader of a page needs.

use super::response::Refusal;

/// Header fields of a request; browsers send about twenty.
const MOST_FIELDS: usize = 64;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    Get,
    /// Without the body of the reply.
    Head,
}

/// One request. A body is not read: none of these methods has a use for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    pub method: Method,
    /// Without what follows a question mark.
    pub path: String,
    /// It is of HTTP/1.1, and understands a body in chunks.
    pub takes_chunks: bool,
}

impl Request {
    /// Reads what was received; `None` until it is complete.
    ///
    /// # Errors
    /// It is no request, or not one that is served.
    pub fn parse(received: &[u8]) -> Result<Option<Self>, Refusal> {
        let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut parsed = httparse::Request::new(&mut fields);
        match parsed.parse(received) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return Err(Refusal::TooLarge),
            Err(httparse::Error::Version) => return Err(Refusal::Version),
            Err(_) => return Err(Refusal::Malformed),
        }
        let takes_chunks = parsed.version == Some(1);
        let hosts = parsed.headers.iter().filter(|field| field.name.eq_ignore_ascii_case("host"));
        // RFC 9112 §3.2
        if !matches!((hosts.count(), takes_chunks), (1, _) | (0, false)) {
            return Err(Refusal::Malformed);
        }
        let method = match parsed.method {
            Some("GET") => Method::Get,
            Some("HEAD") => Method::Head,
            _ => return Err(Refusal::Method),
        };
        let path = path(parsed.path.unwrap_or_default()).ok_or(Refusal::Malformed)?;
        Ok(Some(Self { method, path: path.to_owned(), takes_chunks }))
    }
}

/// The path of a target, which a proxy may send with a scheme and a host (RFC 9112 §3.2.2).
fn path(target: &str) -> Option<&str> {
    let path = match target.split_once("://") {
        Some((_, rest)) if !target.starts_with('/') => rest.find('/').map_or("/", |at| &rest[at..]),
        _ => target,
    };
    let path = path.split(['?', '#']).next()?;
    path.starts_with('/').then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Rng;

    fn read(text: &str) -> Result<Option<Request>, Refusal> {
        Request::parse(text.as_bytes())
    }

    #[test]
    fn requests_of_usual_clients() {
        for (text, method, path, takes_chunks) in [
            ("GET /metrics HTTP/1.1\r\nHost: a:9650\r\n\r\n", Method::Get, "/metrics", true),
            ("GET /?x=1#y HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\n", Method::Get, "/", true),
            ("HEAD / HTTP/1.0\r\n\r\n", Method::Head, "/", false),
            (
                "\r\nGET http://a/status.json HTTP/1.1\nHost: a\n\n",
                Method::Get,
                "/status.json",
                true,
            ),
            ("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", Method::Get, "/", true),
        ] {
            let expected = Request { method, path: path.to_owned(), takes_chunks };
            assert_eq!(read(text), Ok(Some(expected)), "{text}");
        }
    }

    #[test]
    fn what_is_not_served_is_refused() {
        let many = "a: b\r\n".repeat(MOST_FIELDS + 1);
        let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n");
        for (text, refusal) in [
            ("POST / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::Method),
            ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::Method),
            ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::Malformed),
            ("GET / HTTP/1.1\r\n\r\n", Refusal::Malformed),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", Refusal::Malformed),
            ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", Refusal::Version),
            ("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", Refusal::Malformed),
            ("G\u{0}T", Refusal::Malformed),
            ("\u{16}\u{3}\u{1}\u{2}", Refusal::Malformed),
            (many.as_str(), Refusal::TooLarge),
        ] {
            assert_eq!(read(text), Err(refusal), "{text:?}");
        }
        for part in ["", "GET", "GET / HTTP/1.1\r\nHost: a\r\n"] {
            assert_eq!(read(part), Ok(None), "{part:?}");
        }
    }

    /// What is seen of the beginning of a request does not change with what follows.
    #[test]
    fn a_request_is_the_same_however_it_arrives() {
        const PARTS: [&str; 9] = [
            "GET ",
            "/metrics",
            " HTTP/1.1",
            "\r\n",
            "\n",
            "Host: a",
            "X: \u{7f}",
            "HTTP/1.0",
            "POST /",
        ];
        let mut rng = Rng::new(5);
        for _ in 0..20_000 {
            let text: String = (0..rng.between(0, 12)).map(|_| *rng.pick(&PARTS)).collect();
            let early = (0..=text.len()).map(|end| Request::parse(&text.as_bytes()[..end]));
            let first = early.into_iter().find(|result| *result != Ok(None)).unwrap_or(Ok(None));
            assert_eq!(read(&text), first, "{text:?}");
        }
    }
}
