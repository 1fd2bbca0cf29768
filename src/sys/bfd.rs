//! Sockets of BFD (RFC 5881 section 4): one per family and port to receive, one per session to send.

use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};

use socket2::{Domain, Protocol, Socket, Type};

use super::batch::Shape;
use super::filter::{self, set_option, Program};
use crate::base::addr::{is_link_local, Family};
use crate::base::sorted::SortedSet;
use crate::wire::bfd::{MULTIHOP_PORT, PORT, TRAFFIC_CLASS};

pub use super::batch::{Batch, Datagram};
pub use super::raw::OpenError;

/// Room for the packets that arrive while the process is not running.
const RECEIVE_BUFFER: usize = 1 << 20;
/// The source ports that section 4 allows.
const FIRST_PORT: u16 = 49_152;
const PORTS: u16 = 16_384;

const fn port(multihop: bool) -> u16 {
    if multihop {
        MULTIHOP_PORT
    } else {
        PORT
    }
}

/// Receives the packets of every session of one family and port.
#[derive(Debug)]
pub struct Receiver {
    socket: Socket,
    family: Family,
}

impl Receiver {
    pub fn open(family: Family, multihop: bool) -> Result<Self, OpenError> {
        let any = match family {
            Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
            Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
        };
        let port = port(multihop);
        let local = SocketAddr::new(any, port);
        let socket = udp(local)?;
        let fd = socket.as_raw_fd();
        filter::force_receive_buffer(fd, RECEIVE_BUFFER);
        let options = match family {
            Family::V4 => [
                (libc::IPPROTO_IP, libc::IP_RECVTTL, "ask for TTLs"),
                (libc::IPPROTO_IP, libc::IP_PKTINFO, "ask for destinations"),
            ],
            Family::V6 => [
                (libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT, "ask for hop limits"),
                (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, "ask for destinations"),
            ],
        };
        let on: libc::c_int = 1;
        for (level, name, what) in options {
            set_option(fd, level, name, &on).map_err(|e| error(what, e))?;
        }
        filter::ask_for_stamps(fd);
        if family == Family::V6 {
            socket.set_only_v6(true).map_err(|e| error("keep to IPv6", e))?;
        }
        // Not shared with another process, which would take half of the packets.
        bind(&socket, local)?;
        Ok(Self { socket, family })
    }

    /// One that the program before this one has opened, with the packets in it.
    pub fn inherited(family: Family, file: File) -> Self {
        Self { socket: OwnedFd::from(file).into(), family }
    }

    /// Readable when there are packets.
    pub fn fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// Receives waiting packets, up to [`Batch::CAPACITY`]. Fewer than that means that the socket
    /// is empty.
    pub fn receive(&self, batch: &mut Batch) -> io::Result<usize> {
        let shape = match self.family {
            Family::V4 => Shape::V4,
            Family::V6 => Shape::V6,
        };
        batch.receive(self.fd(), shape)
    }
}

/// The source ports in use: no two sessions share one.
#[derive(Debug)]
pub struct Ports {
    used: SortedSet<u16>,
    next: u16,
}

impl Ports {
    /// The first port depends on `seed`, which should differ from run to run: a packet that is
    /// still on its way then does not seem to be of the new session.
    pub const fn new(seed: u64) -> Self {
        Self { used: SortedSet::new(), next: (seed % PORTS as u64) as u16 }
    }

    /// Closes the socket; its port is free for others.
    pub fn close(&mut self, sender: Sender) {
        self.used.remove(&sender.port);
    }

    /// An inherited socket has this port.
    pub fn keep(&mut self, sender: &Sender) {
        self.used.insert(sender.port);
    }

    /// Every free port once.
    fn candidates(&mut self) -> impl Iterator<Item = u16> + '_ {
        (0..PORTS).filter_map(|_| {
            self.next = (self.next + 1) % PORTS;
            let port = FIRST_PORT + self.next;
            (!self.used.contains(&port)).then_some(port)
        })
    }
}

/// Where the packets of a session go.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    pub neighbor: IpAddr,
    /// The index of the interface of a link-local neighbour, or else zero.
    pub scope: u32,
    pub multihop: bool,
}

impl Peer {
    fn destination(self) -> SocketAddr {
        self.scoped(self.neighbor, port(self.multihop))
    }

    /// Its own address is on the same link.
    fn scoped(self, addr: IpAddr, port: u16) -> SocketAddr {
        match addr {
            IpAddr::V6(addr) if is_link_local(&addr.into()) => {
                SocketAddrV6::new(addr, port, 0, self.scope).into()
            }
            addr => SocketAddr::new(addr, port),
        }
    }
}

/// Sends the packets of one session, always from the same port.
#[derive(Debug)]
pub struct Sender {
    socket: Socket,
    destination: SocketAddr,
    /// The kernel keeps the route of a connected socket. One without a source address is not
    /// connected, since its source would never change again.
    is_connected: bool,
    port: u16,
    /// TTL or hop limit of the last packet.
    ttl: Option<u8>,
}

impl Sender {
    /// From `source`, or from the address that the kernel chooses for each packet.
    pub fn open(peer: Peer, source: Option<IpAddr>, ports: &mut Ports) -> Result<Self, OpenError> {
        let (neighbor, destination) = (peer.neighbor, peer.destination());
        let any = match neighbor {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let source = source.unwrap_or(any);
        let socket = udp(destination)?;
        set_up(&socket, neighbor)?;
        let mut last = None;
        let port = ports.candidates().find(|&port| {
            last = bind(&socket, peer.scoped(source, port)).err();
            !last.as_ref().is_some_and(is_in_use)
        });
        match (port, last) {
            (Some(port), None) => {
                ports.used.insert(port);
                let is_connected =
                    !source.is_unspecified() && socket.connect(&destination.into()).is_ok();
                Ok(Self { socket, destination, is_connected, port, ttl: None })
            }
            (_, Some(e)) => Err(e),
            (None, None) => Err(error("find a free port", io::ErrorKind::AddrInUse.into())),
        }
    }

    /// The one of the same session in the program before this one: the source port stays.
    pub fn inherited(peer: Peer, file: File) -> io::Result<Self> {
        let socket = Socket::from(OwnedFd::from(file));
        let local = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::InvalidInput)?;
        let destination = peer.destination();
        let is_connected = socket.peer_addr().is_ok();
        Ok(Self { socket, destination, is_connected, port: local.port(), ttl: None })
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether packets still go there: an interface of the same name has another index.
    pub fn is_to(&self, peer: Peer) -> bool {
        self.destination == peer.destination()
    }

    pub fn fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// Sends one packet with this TTL or hop limit, or says why the kernel does not take it.
    pub fn send(&mut self, packet: &[u8], ttl: u8) -> io::Result<()> {
        if self.ttl != Some(ttl) {
            match self.destination {
                SocketAddr::V4(_) => self.socket.set_ttl_v4(ttl.into())?,
                SocketAddr::V6(_) => self.socket.set_unicast_hops_v6(ttl.into())?,
            }
            self.ttl = Some(ttl);
        }
        if !self.is_connected {
            return self.socket.send_to(packet, &self.destination.into()).map(drop);
        }
        match self.socket.send(packet) {
            // About an earlier packet: the neighbour has no BFD daemon now. This one was not sent.
            Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => self.socket.send(packet),
            outcome => outcome,
        }
        .map(drop)
    }
}

fn is_in_use(error: &OpenError) -> bool {
    let source = std::error::Error::source(error).and_then(|e| e.downcast_ref::<io::Error>());
    source.is_some_and(|e| e.kind() == io::ErrorKind::AddrInUse)
}

fn udp(address: SocketAddr) -> Result<Socket, OpenError> {
    let kind = Type::DGRAM.nonblocking().cloexec();
    Socket::new(Domain::for_address(address), kind, Some(Protocol::UDP))
        .map_err(|e| error("open a UDP socket", e))
}

/// Nothing is received here, and packets are not fragmented.
fn set_up(socket: &Socket, neighbor: IpAddr) -> Result<(), OpenError> {
    let fd = socket.as_raw_fd();
    let mut deaf = Program::default();
    deaf.drop_all();
    filter::attach(fd, &deaf).map_err(|e| error("attach a socket filter", e))?;
    let class = libc::c_int::from(TRAFFIC_CLASS);
    let options = match neighbor {
        IpAddr::V4(_) => [
            (libc::IPPROTO_IP, libc::IP_TOS, class, "set the type of service"),
            (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_DO, "prevent fragments"),
        ],
        IpAddr::V6(_) => [
            (libc::IPPROTO_IPV6, libc::IPV6_TCLASS, class, "set the traffic class"),
            (
                libc::IPPROTO_IPV6,
                libc::IPV6_MTU_DISCOVER,
                libc::IPV6_PMTUDISC_DO,
                "prevent fragments",
            ),
        ],
    };
    options.into_iter().try_for_each(|(level, name, value, what)| {
        set_option(fd, level, name, &value).map_err(|e| error(what, e))
    })
}

fn bind(socket: &Socket, local: SocketAddr) -> Result<(), OpenError> {
    socket.bind(&local.into()).map_err(|e| OpenError::new(format!("bind to {local}"), e))
}

fn error(what: &str, source: io::Error) -> OpenError {
    OpenError::new(what.to_owned(), source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_ports_are_free_and_in_the_range() {
        for seed in [0, 5, 16_383, u64::MAX] {
            let mut ports = Ports::new(seed);
            ports.used.extend([49_152, 49_160, 65_535]);
            let all: Vec<_> = ports.candidates().collect();
            let distinct: SortedSet<_> = all.iter().copied().collect();
            assert_eq!((all.len(), distinct.len()), (16_381, 16_381));
            assert!(distinct.range(..49_152).next().is_none() && !distinct.contains(&49_160));
        }
    }
}
