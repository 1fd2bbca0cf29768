//! Opens VRRP sockets and sets their options in the right order.

use std::fmt;
use std::io::{self, Read as _};
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsRawFd as _, OwnedFd};

use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};

use super::super::filter::{self, set_option, Program};
use super::super::reason;
use super::{Endpoint, EndpointKind};
use crate::base::addr::Family;
use crate::wire::vrrp::{CHECKSUM_OFFSET, TRAFFIC_CLASS};

const SEND_BUFFER: libc::c_int = 1 << 20;

/// A socket could not be opened.
#[derive(Debug)]
pub struct OpenError {
    /// What was attempted: `join 224.0.0.18 on eth0`.
    what: String,
    source: io::Error,
}

impl OpenError {
    pub(in crate::sys) const fn new(what: String, source: io::Error) -> Self {
        Self { what, source }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}", self.what)
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl From<OpenError> for io::Error {
    fn from(e: OpenError) -> Self {
        Self::new(e.source.kind(), format!("{e}: {}", reason(&e.source)))
    }
}

pub(super) fn receiver(endpoint: &Endpoint, buffer: usize) -> Result<OwnedFd, OpenError> {
    let socket = open_raw(endpoint)?;
    let fd = socket.as_raw_fd();
    filter::force_receive_buffer(fd, buffer);
    let on: libc::c_int = 1;
    let options: &[_] = match endpoint.family {
        Family::V4 => &[],
        Family::V6 => &[
            (libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT, on, "ask for hop limits"),
            (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, on, "ask for destinations"),
        ],
    };
    for &(level, name, value, what) in options {
        set_option(fd, level, name, &value).map_err(|e| error(what, e))?;
    }
    filter::ask_for_stamps(fd);
    match endpoint.kind {
        EndpointKind::Multicast { group, base } => {
            join(&socket, group, endpoint.index()).map_err(|source| {
                let link = endpoint.link.as_ref().map_or("no interface", |(_, name)| name);
                OpenError { what: format!("join {group} on {link}"), source }
            })?;
            if let Some(base) = base {
                join(&socket, group, base).map_err(|e| error("join the group on the base", e))?;
            }
        }
        EndpointKind::Unicast { .. } => {
            // The address may be added and removed; the instance knows when it exists.
            let (level, name) = match endpoint.family {
                Family::V4 => (libc::IPPROTO_IP, libc::IP_FREEBIND),
                Family::V6 => (libc::IPPROTO_IPV6, libc::IPV6_FREEBIND),
            };
            set_option(fd, level, name, &on).map_err(|e| error("bind freely", e))?;
        }
    }
    bind(&socket, endpoint)?;
    // Packets received between `socket` and the filter may be for any virtual router.
    drain(&socket);
    Ok(socket.into())
}

pub(super) fn sender(endpoint: &Endpoint) -> Result<OwnedFd, OpenError> {
    const HOPS: libc::c_int = 255;
    let socket = open_raw(endpoint)?;
    let fd = socket.as_raw_fd();
    let class = libc::c_int::from(TRAFFIC_CLASS);
    let index = libc::c_int::try_from(endpoint.index()).unwrap_or(0);
    let mreqn = libc::ip_mreqn {
        imr_multiaddr: libc::in_addr { s_addr: 0 },
        imr_address: libc::in_addr { s_addr: 0 },
        imr_ifindex: index,
    };
    // Every virtual router of a segment may be due at once: the system's default has room for 255
    // small advertisements, not for long ones. Without permission for more, further packets wait
    // in the queue.
    let _ = set_option(fd, libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, &SEND_BUFFER);
    // The smallest buffer there is; the filter lets nothing in anyway.
    set_option(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, &0).map_err(|e| error("set a buffer", e))?;
    let options: &[_] = match endpoint.family {
        Family::V4 => &[
            (libc::IPPROTO_IP, libc::IP_HDRINCL, 1, "send IP headers"),
            (libc::IPPROTO_IP, libc::IP_TOS, class, "set the type of service"),
            (libc::IPPROTO_IP, libc::IP_MULTICAST_LOOP, 0, "stop multicast from looping"),
        ],
        Family::V6 => &[
            (libc::IPPROTO_IPV6, libc::IPV6_TCLASS, class, "set the traffic class"),
            (libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_HOPS, HOPS, "set the hop limit"),
            (libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_LOOP, 0, "stop multicast from looping"),
            (libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_IF, index, "set the multicast interface"),
        ],
    };
    for &(level, name, value, what) in options {
        set_option(fd, level, name, &value).map_err(|e| error(what, e))?;
    }
    if endpoint.family == Family::V4 && endpoint.is_multicast() {
        set_option(fd, libc::IPPROTO_IP, libc::IP_MULTICAST_IF, &mreqn)
            .map_err(|e| error("set the multicast interface", e))?;
    }
    Ok(socket.into())
}

/// A non-blocking raw socket that receives nothing yet, bound to the interface if there is one.
fn open_raw(endpoint: &Endpoint) -> Result<Socket, OpenError> {
    let domain = match endpoint.family {
        Family::V4 => Domain::IPV4,
        Family::V6 => Domain::IPV6,
    };
    let kind = Type::RAW.nonblocking().cloexec();
    let socket =
        Socket::new(domain, kind, Some(Protocol::from(libc::c_int::from(endpoint.protocol()))))
            .map_err(|e| error("open a raw socket", e))?;
    let fd = socket.as_raw_fd();
    let mut deaf = Program::default();
    deaf.drop_all();
    filter::attach(fd, &deaf).map_err(|e| error("attach a socket filter", e))?;
    // Groups joined by other sockets are not of interest. Old kernels lack the option for IPv6, and
    // the socket is bound to the group anyway.
    let (level, all) = match endpoint.family {
        Family::V4 => (libc::IPPROTO_IP, libc::IP_MULTICAST_ALL),
        Family::V6 => (libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_ALL),
    };
    let _ = set_option(fd, level, all, &0);
    if endpoint.family == Family::V6 {
        let offset = CHECKSUM_OFFSET as libc::c_int;
        set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_CHECKSUM, &offset)
            .map_err(|e| error("have checksums computed", e))?;
    }
    if let Some((index, name)) = &endpoint.link {
        bind_to_link(&socket, *index, name)
            .map_err(|source| OpenError { what: format!("bind to {name}"), source })?;
    }
    Ok(socket)
}

fn error(what: &str, source: io::Error) -> OpenError {
    OpenError { what: what.to_owned(), source }
}

/// By index where the kernel can (Linux 5.0): a name may have changed hands meanwhile.
fn bind_to_link(socket: &Socket, index: u32, name: &str) -> io::Result<()> {
    match set_option(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_BINDTOIFINDEX, &index) {
        Err(e) if e.raw_os_error() == Some(libc::ENOPROTOOPT) => {
            socket.bind_device(Some(name.as_bytes()))
        }
        result => result,
    }
}

fn join(socket: &Socket, group: IpAddr, index: u32) -> io::Result<()> {
    match group {
        IpAddr::V4(group) => {
            socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(index))
        }
        IpAddr::V6(group) => socket.join_multicast_v6(&group, index),
    }
}

fn bind(socket: &Socket, endpoint: &Endpoint) -> Result<(), OpenError> {
    let address = match endpoint.address() {
        IpAddr::V4(address) => SocketAddr::new(address.into(), 0),
        IpAddr::V6(address) => SocketAddrV6::new(address, 0, 0, endpoint.index()).into(),
    };
    socket
        .bind(&address.into())
        .map_err(|source| OpenError { what: format!("bind to {}", endpoint.address()), source })
}

/// Discards waiting packets.
fn drain(mut socket: &Socket) {
    while socket.read(&mut [0]).is_ok() {}
}
