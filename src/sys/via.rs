//! Source address, interface and mark of an outgoing connection.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::AsRawFd as _;

use socket2::{Domain, Protocol, Socket, Type};

use super::filter::set_option;

/// Unset fields are chosen by the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Via<'a> {
    pub address: Option<IpAddr>,
    pub port: Option<u16>,
    pub interface: Option<&'a str>,
    pub mark: u32,
}

impl Via<'_> {
    /// A socket that does not block, bound as wanted, not yet connected.
    pub(super) fn socket(
        &self,
        to: SocketAddr,
        kind: Type,
        protocol: Option<Protocol>,
    ) -> io::Result<Socket> {
        let socket = Socket::new(Domain::for_address(to), kind.nonblocking().cloexec(), protocol)?;
        if let Some(interface) = self.interface {
            socket.bind_device(Some(interface.as_bytes()))?;
        }
        if self.mark != 0 {
            socket.set_mark(self.mark)?;
        }
        if self.address.is_some() || self.port.is_some() {
            let port = self.port.unwrap_or(0);
            if port == 0 {
                // One port serves connections to many servers. Without it, each takes one.
                let on: libc::c_int = 1;
                let name = libc::IP_BIND_ADDRESS_NO_PORT;
                let _ = set_option(socket.as_raw_fd(), libc::IPPROTO_IP, name, &on);
            } else {
                socket.set_reuse_address(true)?;
            }
            socket.bind(&self.source(to, port).into())?;
        }
        Ok(socket)
    }

    fn source(&self, to: SocketAddr, port: u16) -> SocketAddr {
        match (self.address, to) {
            // A link-local address needs its link, which is the destination's.
            (Some(IpAddr::V6(ip)), SocketAddr::V6(to)) if ip.is_unicast_link_local() => {
                SocketAddr::V6(SocketAddrV6::new(ip, port, 0, to.scope_id()))
            }
            (Some(ip), _) => SocketAddr::new(ip, port),
            (None, SocketAddr::V4(_)) => SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port),
            (None, SocketAddr::V6(_)) => SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port),
        }
    }
}

/// Reason why a connection cannot be attempted or a datagram cannot be sent.
#[derive(Debug)]
pub enum Fault {
    /// This host lacks something: a descriptor, memory, a port, an address or interface to leave
    /// by, a permission.
    Ours(io::Error),
    /// The other end is unreachable: no route, a prohibiting route, or a refusal.
    Theirs(io::Error),
}

impl Fault {
    /// An error of `connect` or `send` on a socket that could be made and bound.
    pub fn of(error: io::Error) -> Self {
        const OURS: [i32; 7] = [
            libc::EMFILE,
            libc::ENFILE,
            libc::ENOMEM,
            libc::ENOBUFS,
            libc::EADDRNOTAVAIL,
            libc::EADDRINUSE,
            libc::EAGAIN,
        ];
        match error.raw_os_error() {
            Some(code) if OURS.contains(&code) => Self::Ours(error),
            _ => Self::Theirs(error),
        }
    }
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Ours(error) | Fault::Theirs(error) => error,
        }
    }
}

/// Result of an attempt to receive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Received {
    /// This many bytes.
    Bytes(usize),
    /// Nothing yet.
    Nothing,
    /// The other end has closed; nothing will follow. Of streams only.
    End,
}
