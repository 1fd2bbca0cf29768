//! The connection of `genhash`: one socket, and a loop that ends with it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::os::fd::AsRawFd;

use mio::unix::SourceFd;
use mio::{Events, Interest, Token};
use socket2::{Domain, Protocol, Socket, Type};

use super::options::Options;
use super::render::{render, Text};
use super::Outcome;
use crate::base::verdict::ProbeStep;
use crate::check::http::fetch::{Fetch, Record};
use crate::check::probe::Stream;
use crate::check::talk::Talk;
use crate::check::tls::{Client, Filter, Material};
use crate::check::{Reason, Verdict};
use crate::cli::exit::Status;
use crate::sys::clock::Clock;
use crate::sys::reason;

/// Fetches the page, and says what it was like.
pub(super) fn fetch(options: &Options) -> Outcome {
    let clock = Clock::new();
    let start = clock.now();
    let opened = look_up(options).and_then(|server| Ok((server, stream(options, server)?)));
    let (verdict, record) = match opened {
        Err(reason) => (Verdict::Down(reason), Record::default()),
        Ok((server, mut stream)) => {
            if let Err(error) = converse(options, server, &mut stream) {
                stream.failed(reason(&error));
            }
            let record = match stream.talk() {
                Talk::Fetch(fetch) => fetch.record().clone(),
                _ => Record::default(),
            };
            (stream.outcome().cloned().unwrap_or(Verdict::UP), record)
        }
    };
    let Text { out, err } = render(options, &record, &verdict, clock.now().since(start));
    let status = if verdict.is_up() { Status::Ok } else { Status::Failure };
    Outcome { stdout: out, stderr: err, status }
}

/// The first address of the server.
fn look_up(options: &Options) -> Result<SocketAddr, Reason> {
    let unknown = |why: String| Reason::Failed(ProbeStep::Connecting, why);
    if let Ok(address) = options.server.parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, options.port));
    }
    let mut found = (options.server.as_str(), options.port)
        .to_socket_addrs()
        .map_err(|error| unknown(reason(&error)))?;
    found.next().ok_or_else(|| unknown("the name has no address".to_owned()))
}

fn stream(options: &Options, server: SocketAddr) -> Result<Stream, Reason> {
    let host = options.virtualhost.clone().unwrap_or_else(|| server.to_string());
    let fetch = Fetch::new(&options.path, options.protocol, &host, options.verbose);
    let talk = Talk::Fetch(Box::new(fetch));
    if !options.tls {
        return Ok(Stream::new(talk));
    }
    let client = Client::new(&Material::default()).map_err(|e| Reason::Tls(e.to_string()))?;
    let name = options.virtualhost.as_deref().filter(|_| options.sni);
    Ok(Stream::over_tls(talk, Filter::new(&client, name, server)?))
}

fn connect(options: &Options, server: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(server), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    if options.fwmark != 0 {
        socket.set_mark(options.fwmark)?;
    }
    match socket.connect(&server.into()) {
        Err(e) if e.raw_os_error() != Some(libc::EINPROGRESS) => Err(e),
        _ => Ok(socket),
    }
}

/// Carries bytes until there is an outcome. Every wait has the whole timeout.
fn converse(options: &Options, server: SocketAddr, stream: &mut Stream) -> io::Result<()> {
    let mut socket = connect(options, server)?;
    let mut poll = mio::Poll::new()?;
    let mut events = Events::with_capacity(4);
    let interest = Interest::READABLE | Interest::WRITABLE;
    poll.registry().register(&mut SourceFd(&socket.as_raw_fd()), Token(0), interest)?;
    let mut is_connected = false;
    while stream.outcome().is_none() {
        match poll.poll(&mut events, Some(options.timeout)) {
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            other => other?,
        }
        if events.is_empty() {
            stream.timed_out();
            break;
        }
        if !is_connected {
            if let Some(error) = socket.take_error()? {
                return Err(error);
            }
            if socket.peer_addr().is_err() {
                continue;
            }
            is_connected = true;
            stream.start();
        }
        exchange(stream, &mut socket)?;
    }
    // TLS says good-bye, if the server still listens.
    let _ = write(stream, &mut socket);
    Ok(())
}

/// Reads and writes until both would block.
fn exchange(stream: &mut Stream, socket: &mut Socket) -> io::Result<()> {
    let mut bytes = [0; 16 * 1024];
    write(stream, socket)?;
    while stream.outcome().is_none() {
        match socket.read(&mut bytes) {
            Ok(0) => stream.closed(),
            Ok(n) => stream.received(&bytes[..n]),
            Err(e) if e.kind() == ErrorKind::WouldBlock => break,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            // As much as there was is judged like a page that ended there.
            Err(_) => stream.closed(),
        }
        write(stream, socket)?;
    }
    Ok(())
}

fn write(stream: &mut Stream, socket: &mut Socket) -> io::Result<()> {
    while !stream.pending_output().is_empty() {
        match socket.write(stream.pending_output()) {
            Ok(n) => stream.sent(n),
            Err(e) if e.kind() == ErrorKind::WouldBlock => break,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            // What the server said before it closed is still to be read.
            Err(e) if matches!(e.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
                break
            }
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
