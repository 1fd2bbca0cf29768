//! VRRP sockets: one to receive and one to send, per family, interface and group or local address.
//!
//! Two, because own packets must not be received, a sending socket must not queue packets of
//! others, and the receiving one is bound to an address that need not exist.

mod open;
mod select;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use socket2::SockRef;

use super::batch::Shape;
use super::cmsg::Control;
use super::filter;
use super::mmsg::Address;
use crate::base::addr::Family;
use crate::wire::ah;
use crate::wire::vrrp::PROTOCOL;

pub use super::batch::{Batch, Datagram, Flaw};
pub use super::mmsg::{Scratch, SendQueue};
pub use open::OpenError;

/// Room for the advertisements that arrive while the process is not running.
const DEFAULT_BUFFER: usize = 1 << 20;

/// Key of a socket; instances with equal keys share one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Endpoint {
    pub family: Family,
    /// Index and name of the interface. Multicast needs one.
    pub link: Option<(u32, String)>,
    pub kind: EndpointKind,
    /// With an authentication header: another protocol of IP.
    pub has_header: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EndpointKind {
    Multicast {
        group: IpAddr,
        /// Index of another interface on which the group is joined, for switches that follow reports
        /// of membership: those of a VMAC may be dropped.
        base: Option<u32>,
    },
    Unicast {
        local: IpAddr,
    },
}

impl Endpoint {
    fn index(&self) -> u32 {
        self.link.as_ref().map_or(0, |&(index, _)| index)
    }

    /// The group, or the local address.
    pub const fn address(&self) -> IpAddr {
        match self.kind {
            EndpointKind::Multicast { group, .. } => group,
            EndpointKind::Unicast { local } => local,
        }
    }

    /// The protocol of IP.
    const fn protocol(&self) -> u8 {
        if self.has_header {
            ah::PROTOCOL
        } else {
            PROTOCOL
        }
    }

    const fn is_multicast(&self) -> bool {
        matches!(self.kind, EndpointKind::Multicast { .. })
    }
}

/// One packet to send.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    pub source: IpAddr,
    pub destination: IpAddr,
    /// The hop limit, for IPv6 only; over IPv4 it is in the packet.
    pub hops: Option<u8>,
    /// Output of `vrrp::advert::emit`.
    pub packet: &'a [u8],
}

/// A pair of sockets for one [`Endpoint`].
#[derive(Debug)]
pub struct Socket {
    endpoint: Endpoint,
    rx: OwnedFd,
    tx: OwnedFd,
}

impl Socket {
    /// Opens both sockets and joins the group. Nothing is received before [`Self::set_filter`].
    ///
    /// The receive buffer has the daemon's own size.
    pub fn open(endpoint: &Endpoint) -> Result<Self, OpenError> {
        Ok(Self {
            endpoint: endpoint.clone(),
            rx: open::receiver(endpoint, DEFAULT_BUFFER)?,
            tx: open::sender(endpoint)?,
        })
    }

    /// Changes the receive buffer to so many bytes, or to the daemon's own size. The kernel doubles
    /// it for its own overhead (socket(7)). Returns the size that it has then.
    ///
    /// # Errors
    /// None are expected.
    pub fn set_receive_buffer(&self, bytes: Option<usize>) -> io::Result<usize> {
        filter::force_receive_buffer(self.rx_fd(), bytes.unwrap_or(DEFAULT_BUFFER));
        SockRef::from(&self.rx).recv_buffer_size()
    }

    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Readable when there are packets.
    pub fn rx_fd(&self) -> RawFd {
        self.rx.as_raw_fd()
    }

    /// Never readable; writable again after [`Self::send`] returned false.
    pub fn tx_fd(&self) -> RawFd {
        self.tx.as_raw_fd()
    }

    /// Lets through only these virtual routers, or everything: `log_unknown_vrids`.
    ///
    /// On a segment with many virtual routers, this avoids wake-ups for advertisements of others.
    /// Packets already in the socket are not filtered again.
    pub fn set_filter(&self, vrids: &[u8], pass_all: bool) -> io::Result<()> {
        filter::attach(self.rx_fd(), &select::program(&self.endpoint, vrids, pass_all))
    }

    /// Receives waiting packets, up to [`Batch::CAPACITY`]. Fewer than that means that the socket
    /// is empty.
    pub fn receive(&self, batch: &mut Batch) -> io::Result<usize> {
        let shape = match self.endpoint.family {
            Family::V4 => Shape::HeaderV4,
            Family::V6 => Shape::V6,
        };
        batch.receive(self.rx_fd(), shape)
    }

    /// Puts a packet into the queue. The tag comes back with the outcome.
    pub fn queue<T: Copy>(&self, queue: &mut SendQueue<T>, tag: T, packet: &Outgoing<'_>) {
        let index = self.endpoint.index();
        let control = match packet.source {
            // In the packet.
            IpAddr::V4(_) => None,
            IpAddr::V6(source) => Some(control_v6(source, index, packet.hops)),
        };
        queue.push(tag, socket_address(packet.destination, index), control, packet.packet);
    }

    /// Sends the queue with as few system calls as possible and reports the outcome of each packet.
    ///
    /// False if the kernel has no room: the rest stays queued for another call.
    pub fn send<T: Copy>(
        &self,
        queue: &mut SendQueue<T>,
        scratch: &mut Scratch,
        done: impl FnMut(T, io::Result<()>),
    ) -> bool {
        // A group is on the link by definition; a peer may be behind a router.
        let route = if self.endpoint.is_multicast() { libc::MSG_DONTROUTE } else { 0 };
        queue.flush(self.tx_fd(), libc::MSG_DONTWAIT | route, scratch, done)
    }
}

/// As in keepalived's log.
impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rx, tx) = (self.rx_fd(), self.tx_fd());
        let how = if self.endpoint.is_multicast() { "multicast" } else { ", unicast" };
        write!(
            f,
            "[ifindex({:3}), family({}), proto({}), fd({rx},{tx}) {how}, address({})]",
            self.endpoint.index(),
            self.endpoint.family,
            self.endpoint.protocol(),
            self.endpoint.address(),
        )
    }
}

const fn in_addr(address: Ipv4Addr) -> libc::in_addr {
    libc::in_addr { s_addr: u32::from_ne_bytes(address.octets()) }
}

const fn in6_addr(address: Ipv6Addr) -> libc::in6_addr {
    libc::in6_addr { s6_addr: address.octets() }
}

fn socket_address(address: IpAddr, index: u32) -> (Address, libc::socklen_t) {
    match address {
        IpAddr::V4(a) => {
            let v4 = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: 0,
                sin_addr: in_addr(a),
                sin_zero: [0; 8],
            };
            (Address { v4 }, size_of::<libc::sockaddr_in>() as libc::socklen_t)
        }
        IpAddr::V6(a) => {
            let v6 = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: 0,
                sin6_flowinfo: 0,
                sin6_addr: in6_addr(a),
                sin6_scope_id: index,
            };
            (Address { v6 }, size_of::<libc::sockaddr_in6>() as libc::socklen_t)
        }
    }
}

/// Source address and interface, and the hop limit if it is not the socket's (RFC 3542 §6).
fn control_v6(source: Ipv6Addr, index: u32, hops: Option<u8>) -> Control {
    let mut info = [0; 20];
    info[..16].copy_from_slice(&source.octets());
    info[16..].copy_from_slice(&index.to_ne_bytes());
    let mut control = Control::new();
    control.push(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &info);
    if let Some(hops) = hops {
        let hops = libc::c_int::from(hops).to_ne_bytes();
        control.push(libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT, &hops);
    }
    control
}
