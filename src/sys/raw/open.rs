//! Opening VRRP sockets: which options, in which order.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use super::super::filter::{self, set_option, Program};
use super::super::reason;
use super::{in6_addr, in_addr, socket_address, Endpoint, EndpointKind};
use crate::base::addr::Family;
use crate::wire::vrrp::{CHECKSUM_OFFSET, PROTOCOL, TRAFFIC_CLASS};

const SEND_BUFFER: libc::c_int = 1 << 20;

/// A socket could not be opened.
#[derive(Debug)]
pub struct OpenError {
    /// What was attempted: `join 224.0.0.18 on eth0`.
    what: String,
    source: io::Error,
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
    let stamps = (libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, on, "ask for timestamps");
    for &(level, name, value, what) in options.iter().chain([&stamps]) {
        set_option(fd, level, name, &value).map_err(|e| error(what, e))?;
    }
    match endpoint.kind {
        EndpointKind::Multicast { group } => {
            join(fd, group, endpoint.index()).map_err(|source| {
                let link = endpoint.link.as_ref().map_or("no interface", |(_, name)| name);
                OpenError { what: format!("join {group} on {link}"), source }
            })?;
        }
        EndpointKind::Unicast { .. } => {
            // The address may come and go; the instance knows when it is there.
            let (level, name) = match endpoint.family {
                Family::V4 => (libc::IPPROTO_IP, libc::IP_FREEBIND),
                Family::V6 => (libc::IPPROTO_IPV6, libc::IPV6_FREEBIND),
            };
            set_option(fd, level, name, &on).map_err(|e| error("bind freely", e))?;
        }
    }
    bind(fd, endpoint)?;
    // What came in between `socket` and the filter may be anybody's.
    drain(fd);
    Ok(socket)
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
    // small advertisements, not for long ones. Where we may not have more, the rest waits.
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
    Ok(socket)
}

/// A non-blocking raw socket, deaf, and bound to the interface if there is one.
fn open_raw(endpoint: &Endpoint) -> Result<OwnedFd, OpenError> {
    let domain = match endpoint.family {
        Family::V4 => libc::AF_INET,
        Family::V6 => libc::AF_INET6,
    };
    let kind = libc::SOCK_RAW | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: no pointers; the result is checked before it is owned.
    let fd = unsafe { libc::socket(domain, kind, libc::c_int::from(PROTOCOL)) };
    if fd < 0 {
        return Err(error("open a raw socket", io::Error::last_os_error()));
    }
    // SAFETY: `fd` was just opened and belongs to nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let mut deaf = Program::default();
    deaf.drop_all();
    filter::attach(fd, &deaf).map_err(|e| error("attach a socket filter", e))?;
    // Groups that others have joined are none of our business. Old kernels lack the option for
    // IPv6, and the socket is bound to the group anyway.
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
        bind_to_link(fd, *index, name)
            .map_err(|source| OpenError { what: format!("bind to {name}"), source })?;
    }
    Ok(socket)
}

fn error(what: &str, source: io::Error) -> OpenError {
    OpenError { what: what.to_owned(), source }
}

/// By index where the kernel can (Linux 5.0): a name may have changed hands meanwhile.
fn bind_to_link(fd: RawFd, index: u32, name: &str) -> io::Result<()> {
    match set_option(fd, libc::SOL_SOCKET, libc::SO_BINDTOIFINDEX, &index) {
        Err(e) if e.raw_os_error() == Some(libc::ENOPROTOOPT) => {}
        result => return result,
    }
    let mut padded = [0u8; libc::IFNAMSIZ];
    let room = padded.get_mut(..name.len()).filter(|room| room.len() < libc::IFNAMSIZ);
    room.ok_or(io::ErrorKind::InvalidInput)?.copy_from_slice(name.as_bytes());
    set_option(fd, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, &padded)
}

fn join(fd: RawFd, group: IpAddr, index: u32) -> io::Result<()> {
    match group {
        IpAddr::V4(group) => {
            let mreqn = libc::ip_mreqn {
                imr_multiaddr: in_addr(group),
                imr_address: in_addr(Ipv4Addr::UNSPECIFIED),
                imr_ifindex: libc::c_int::try_from(index).unwrap_or(0),
            };
            set_option(fd, libc::IPPROTO_IP, libc::IP_ADD_MEMBERSHIP, &mreqn)
        }
        IpAddr::V6(group) => {
            let mreq =
                libc::ipv6_mreq { ipv6mr_multiaddr: in6_addr(group), ipv6mr_interface: index };
            set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_ADD_MEMBERSHIP, &mreq)
        }
    }
}

fn bind(fd: RawFd, endpoint: &Endpoint) -> Result<(), OpenError> {
    let (address, len) = socket_address(endpoint.address(), endpoint.index());
    // SAFETY: `address` outlives the call and `len` is the length of its variant in use.
    let rc = unsafe { libc::bind(fd, std::ptr::from_ref(&address).cast(), len) };
    if rc == 0 {
        return Ok(());
    }
    let source = io::Error::last_os_error();
    Err(OpenError { what: format!("bind to {}", endpoint.address()), source })
}

/// Throws away what waits.
fn drain(fd: RawFd) {
    let mut byte = 0u8;
    loop {
        // SAFETY: `byte` is one writable byte, and the length says so.
        let rc =
            unsafe { libc::recv(fd, std::ptr::from_mut(&mut byte).cast(), 1, libc::MSG_DONTWAIT) };
        if rc < 0 {
            return;
        }
    }
}
