//! TCP connections that never block: connecting, a few bytes back and forth, closing. Timeouts are
//! left to the caller.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};

use socket2::{Protocol, Socket, Type};

pub use super::via::{Fault, Received, Via};

/// The side that sends first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum First {
    /// This side sends first, or closes: that confirms the connection to the other end, and saves a
    /// packet and a wake-up there.
    Us,
    Them,
}

/// A connection, or the attempt at one. Watch it for reading and writing.
///
/// Dropping it closes it in order in the background: written data is still sent.
#[derive(Debug)]
pub struct Stream {
    socket: Socket,
    to: SocketAddr,
    is_connected: bool,
}

impl Stream {
    /// Starts to connect, which often succeeds at once on the local host.
    ///
    /// # Errors
    /// It is impossible from the outset: no route, no such interface or address here, not allowed,
    /// no descriptor left. A refusal by the other end comes from [`Stream::is_connected`].
    pub fn connect(to: SocketAddr, via: &Via<'_>, first: First) -> Result<Self, Fault> {
        let socket = via.socket(to, Type::STREAM, Some(Protocol::TCP)).map_err(Fault::Ours)?;
        if first == First::Us {
            socket.set_tcp_quickack(false).map_err(Fault::Ours)?;
        }
        match socket.connect(&to.into()) {
            Ok(()) => {
                refuse_ourselves(&socket, to).map_err(Fault::of)?;
                Ok(Self { socket, to, is_connected: true })
            }
            Err(e) if e.raw_os_error() == Some(libc::EINPROGRESS) => {
                Ok(Self { socket, to, is_connected: false })
            }
            Err(e) => Err(Fault::of(e)),
        }
    }

    /// Sends what is written even while the other end has not acknowledged what was sent before:
    /// for callers that write twice without waiting for a reply.
    ///
    /// # Errors
    /// None are expected.
    pub fn send_at_once(&self) -> io::Result<()> {
        self.socket.set_tcp_nodelay(true)
    }

    /// True if the connection was made. To be called when poll reports readiness.
    ///
    /// # Errors
    /// It could not be made, or was lost immediately.
    pub fn is_connected(&mut self) -> io::Result<bool> {
        if !self.is_connected {
            match self.socket.peer_addr() {
                Ok(_) => {
                    refuse_ourselves(&self.socket, self.to)?;
                    self.is_connected = true;
                }
                Err(e) if e.kind() == ErrorKind::NotConnected => {
                    if let Some(error) = self.socket.take_error()? {
                        return Err(error);
                    }
                }
                Err(e) => return Err(e),
            }
        }
        Ok(self.is_connected)
    }

    /// Writes the first bytes as soon as the connection was made; gives how many, `None` as long as
    /// it was not. That spares the question [`Stream::is_connected`].
    ///
    /// # Errors
    /// The connection could not be made, or was lost before it was seen.
    pub fn open(&mut self, bytes: &[u8]) -> io::Result<Option<usize>> {
        let count = self.write(bytes)?;
        if count > 0 && !self.is_connected {
            refuse_ourselves(&self.socket, self.to)?;
            self.is_connected = true;
        }
        Ok((count > 0).then_some(count))
    }

    /// Reads available data. Must be repeated until [`Received::Nothing`], since poll reports
    /// readiness only once.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<Received> {
        loop {
            return match (&self.socket).read(buffer) {
                Ok(0) if !buffer.is_empty() => Ok(Received::End),
                Ok(count) => Ok(Received::Bytes(count)),
                Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(Received::Nothing),
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => Err(e),
            };
        }
    }

    /// Writes as much as there is room for, and returns the number of bytes. Poll reports when
    /// there is more room.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            return match (&self.socket).write(bytes) {
                Ok(count) => Ok(count),
                Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(0),
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => Err(e),
            };
        }
    }
}

/// If a local port has no listener, the kernel may choose that port for the local end, and TCP
/// connects the socket with itself (RFC 9293 §3.5).
fn refuse_ourselves(socket: &Socket, to: SocketAddr) -> io::Result<()> {
    /// The kernel chooses from higher ones.
    const CHOSEN: u16 = 1024;
    let end = |address: SocketAddr| (address.ip(), address.port());
    if to.port() >= CHOSEN && socket.local_addr()?.as_socket().map(end) == Some(end(to)) {
        return Err(io::Error::from_raw_os_error(libc::ECONNREFUSED));
    }
    Ok(())
}

impl AsRawFd for Stream {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv6Addr, Shutdown, TcpListener};

    use super::*;
    use crate::base::time::Instant;
    use crate::sys::poll::{Poll, Wants};
    use crate::sys::tests::wait;

    fn listener(address: &str) -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind((address, 0)).expect("binds");
        let to = listener.local_addr().expect("is bound");
        (listener, to)
    }

    fn local(stream: &Stream) -> Option<SocketAddr> {
        stream.socket.local_addr().expect("is bound").as_socket()
    }

    fn connect(to: SocketAddr, via: &Via<'_>) -> io::Result<Stream> {
        let mut stream = Stream::connect(to, via, First::Us)?;
        wait(|| stream.is_connected().map(|yes| yes.then_some(())).transpose())?;
        Ok(stream)
    }

    #[test]
    fn bytes_go_both_ways_and_the_end_is_seen() {
        for address in ["127.0.0.1", "::1"] {
            let (listener, to) = listener(address);
            let mut stream = connect(to, &Via::default()).expect("connects");
            let (mut other, _) = listener.accept().expect("accepts");
            let mut buffer = [0; 16];
            assert_eq!(stream.read(&mut buffer).expect("reads"), Received::Nothing);
            assert_eq!(stream.write(b"question").expect("writes"), 8);
            other.read_exact(&mut buffer[..8]).expect("reads");
            other.write_all(b"answer").expect("writes");
            other.shutdown(Shutdown::Write).expect("ends");
            let some = |r| (r != Received::Nothing).then_some(r);
            let first = wait(|| some(stream.read(&mut buffer).expect("reads")));
            assert_eq!((first, &buffer[..6]), (Received::Bytes(6), b"answer".as_slice()));
            let last = wait(|| some(stream.read(&mut buffer).expect("reads")));
            assert_eq!(last, Received::End);
        }
    }

    #[test]
    fn a_refusal_is_told_once_poll_says_so() {
        let (listener, to) = listener("127.0.0.1");
        drop(listener);
        let mut stream = Stream::connect(to, &Via::default(), First::Us).expect("begins");
        let mut poll = Poll::new().expect("polls");
        poll.watch(stream.as_raw_fd(), (), Wants::Both).expect("watches");
        let mut ready = Vec::new();
        wait(|| {
            poll.wait(Instant::ZERO, Some(Instant::ZERO), true, &mut ready).expect("waits");
            (!ready.is_empty()).then_some(())
        });
        let error = stream.is_connected().expect_err("is refused");
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }

    #[test]
    fn a_socket_is_not_connected_with_itself() {
        let (listener, to) = listener("127.0.0.1");
        drop(listener);
        let via = Via { address: Some(to.ip()), port: Some(to.port()), ..Via::default() };
        let error = connect(to, &via).expect_err("no listener");
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }

    #[test]
    fn the_first_bytes_tell_whether_there_is_a_connection() {
        let (listener, to) = listener("127.0.0.1");
        let mut stream = Stream::connect(to, &Via::default(), First::Us).expect("begins");
        let sent = wait(|| stream.open(b"question").transpose()).expect("connects");
        assert_eq!(sent, 8);
        assert!(stream.is_connected().expect("is known"));
        drop(listener);
        let ourselves = Via { address: Some(to.ip()), port: Some(to.port()), ..Via::default() };
        for via in [Via::default(), ourselves] {
            let mut stream = Stream::connect(to, &via, First::Us).expect("begins");
            let error = wait(|| stream.open(b"question").transpose()).expect_err("no listener");
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        }
    }

    #[test]
    fn a_full_window_takes_nothing_and_does_not_block() {
        let (listener, to) = listener("127.0.0.1");
        let mut stream = connect(to, &Via::default()).expect("connects");
        let (mut other, _) = listener.accept().expect("accepts");
        let block = [7; 65_536];
        let mut written = 0;
        while let Ok(count @ 1..) = stream.write(&block) {
            written += count;
        }
        assert_eq!(stream.write(&block).expect("no error"), 0);
        // Closing is at once, and what was written arrives.
        drop(stream);
        let mut all = Vec::new();
        other.read_to_end(&mut all).expect("reads");
        assert_eq!(all.len(), written);
    }

    #[test]
    fn it_leaves_from_where_it_is_told_to() {
        let (_listener, to) = listener("127.0.0.1");
        let address = "127.0.0.9".parse::<IpAddr>().ok();
        let stream = connect(to, &Via { address, ..Via::default() }).expect("connects");
        assert_eq!(local(&stream).map(|l| l.ip()), address);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let stream = connect(to, &Via { port: Some(port), ..Via::default() }).expect("connects");
        assert_eq!(local(&stream).map(|l| l.port()), Some(port));
        drop(stream);
        let via = Via { address: Some(Ipv6Addr::LOCALHOST.into()), ..Via::default() };
        assert!(connect(to, &via).is_err(), "from IPv6 to IPv4");
        let via = Via { interface: Some("nosuch0"), ..Via::default() };
        assert!(connect(to, &via).is_err(), "no such interface");
    }
}
