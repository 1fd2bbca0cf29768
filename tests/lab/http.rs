//! A client of HTTP, which shows what a server really sends.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::{Namespace, SOON};

/// One reply.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// With the names of the fields as they came.
    pub(crate) head: String,
    /// Without the marks of its chunks.
    pub(crate) body: String,
}

impl Reply {
    /// Reads the whole of it; fails if something is missing or follows.
    pub(crate) fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
        let status = head.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("a status");
        let body = if head.contains("Transfer-Encoding: chunked") {
            unchunked(body)
        } else {
            body.to_owned()
        };
        Self { status, head: head.to_owned(), body }
    }

    /// The value of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.filter(|(own, _)| *own == name).map(|(_, value)| value).next()
    }
}

fn unchunked(mut rest: &str) -> String {
    let mut body = String::new();
    loop {
        let (length, more) = rest.split_once("\r\n").expect("the length of a chunk");
        let length = usize::from_str_radix(length, 16).expect("a length");
        let (chunk, more) = more.split_at(length);
        rest = more.strip_prefix("\r\n").expect("the end of a chunk");
        if length == 0 {
            assert_eq!(rest, "", "after the last chunk");
            return body;
        }
        body.push_str(chunk);
    }
}

/// Connects to a server in a namespace.
pub(crate) fn connect(host: &Namespace, address: &str) -> io::Result<TcpStream> {
    let address: SocketAddr = address.parse().expect("an address with a port");
    let _inside = host.enter();
    let stream = TcpStream::connect_timeout(&address, SOON)?;
    stream.set_read_timeout(Some(SOON))?;
    stream.set_write_timeout(Some(SOON))?;
    Ok(stream)
}

/// Sends a request and reads until the server closes the connection.
pub(crate) fn ask(stream: &mut (impl Read + Write), request: &[u8]) -> Reply {
    stream.write_all(request).expect("the server reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("a reply of text, and an end");
    Reply::parse(&text)
}

pub(crate) fn get(host: &Namespace, address: &str, path: &str) -> Reply {
    let mut stream = connect(host, address).expect("the port is served");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    ask(&mut stream, request.as_bytes())
}
