//! The listening socket of metrics and the status page: of the network, or in the file system.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;

use socket2::{Domain, Socket, Type};

use super::control::{self, Connection, Error};
use crate::model::control::MetricsListen;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 128;

/// A bound socket.
#[derive(Debug)]
pub enum Listener {
    Network(TcpListener),
    Unix(control::Listener),
}

impl Listener {
    /// Makes the socket; `None` if none is wanted. One in the file system is for its owner, and for
    /// a group.
    ///
    /// # Errors
    /// Another process serves it, something else has its name, or the system refuses.
    pub fn bind(wanted: &MetricsListen, group: Option<u32>) -> Result<Option<Self>, Error> {
        match wanted {
            MetricsListen::Off => Ok(None),
            MetricsListen::Network(address) => Ok(Some(Self::Network(bound(address)?))),
            MetricsListen::Unix(path) => {
                Ok(Some(Self::Unix(control::Listener::bind(Path::new(path), group)?)))
            }
        }
    }

    /// False if another program removed or replaced its file.
    pub fn is_in_place(&self) -> bool {
        match self {
            Self::Network(_) => true,
            Self::Unix(listener) => listener.is_in_place(),
        }
    }

    /// The next client; `None` if no other waits.
    pub fn accept(&self) -> io::Result<Option<Connection>> {
        let listener = match self {
            Self::Network(listener) => listener,
            Self::Unix(listener) => return listener.accept(),
        };
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(true)?;
                    return Ok(Some(Connection::from(Socket::from(stream))));
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(None),
                // That one is gone, but others may wait.
                Err(e) if e.kind() == ErrorKind::ConnectionAborted => {}
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }
}

impl AsRawFd for Listener {
    fn as_raw_fd(&self) -> RawFd {
        match self {
            Self::Network(listener) => listener.as_raw_fd(),
            Self::Unix(listener) => listener.as_raw_fd(),
        }
    }
}

fn bound(address: &SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(*address), Type::STREAM.nonblocking(), None)?;
    // Connections of an earlier run may linger.
    socket.set_reuse_address(true)?;
    socket.bind(&(*address).into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_an_error_and_one_that_was_left_is_not() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = taken.local_addr().expect("bound");
        let wanted = MetricsListen::Network(address);
        let refused = Listener::bind(&wanted, None).expect_err("it is taken");
        assert!(refused.to_string().contains("in use"), "{refused}");
        drop(taken);
        let listener = Listener::bind(&wanted, None).expect("free again").expect("one is wanted");
        assert!(matches!(listener.accept(), Ok(None)));
        let client = std::net::TcpStream::connect(address).expect("connects");
        let served = listener.accept().expect("accepts").expect("a client");
        // With a connection that the listener leaves behind.
        drop((served, listener));
        assert!(Listener::bind(&wanted, None).is_ok());
        drop(client);
        assert!(matches!(Listener::bind(&MetricsListen::Off, None), Ok(None)));
    }
}
