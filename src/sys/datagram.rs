//! One datagram out and one back, without blocking: connected UDP sockets, and echo requests.
//!
//! The kernel lets a process ping without privilege only if its group is in
//! `net.ipv4.ping_group_range`, and root is no exception. Otherwise a raw socket is used.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};

use socket2::{Protocol, Socket, Type};

use super::filter::set_option;
pub use super::via::{Fault, Received, Via};
use crate::wire::checksum;

/// A connected socket: only datagrams of the peer are received, and ICMP errors about it are
/// reported.
#[derive(Debug)]
pub struct Datagram {
    socket: Socket,
    framing: Framing,
}

/// The part of a datagram that the daemon has to write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Framing {
    /// The payload alone: the kernel writes the headers.
    Plain,
    /// Echo requests on a raw socket, with this identifier.
    Raw { v4: bool, identifier: [u8; 2] },
}

/// The type, behind which the checksum and the identifier are (RFC 792, RFC 4443 §4.1).
const ECHO_HEADER: usize = 8;
const ECHO_REPLY_V4: u32 = 0;
const ECHO_REPLY_V6: usize = 129;
/// `ICMP_FILTER` of `linux/icmp.h` and `ICMPV6_FILTER` of `linux/icmpv6.h`.
const ICMP_FILTER: libc::c_int = 1;
const ICMPV6_FILTER: libc::c_int = 1;

impl Datagram {
    /// A UDP socket for one peer.
    ///
    /// # Errors
    /// No route, no such interface or address here, not allowed, no descriptor left.
    pub fn udp(to: SocketAddr, via: &Via<'_>) -> Result<Self, Fault> {
        let socket = via.socket(to, Type::DGRAM, Some(Protocol::UDP)).map_err(Fault::Ours)?;
        Self::connected(socket, Framing::Plain, to)
    }

    /// A socket for echo requests and their replies, both without the IP header. The identifier and
    /// the checksum of requests are filled in; only replies with that identifier are received. The
    /// port of `to` is ignored.
    ///
    /// # Errors
    /// As for UDP.
    pub fn ping(to: SocketAddr, via: &Via<'_>) -> Result<Self, Fault> {
        let mut to = to;
        to.set_port(0);
        let (socket, framing) = echo_socket(to, via).map_err(Fault::Ours)?;
        Self::connected(socket, framing, to)
    }

    fn connected(socket: Socket, framing: Framing, to: SocketAddr) -> Result<Self, Fault> {
        hear_of_icmp(&socket, to.is_ipv4()).map_err(Fault::Ours)?;
        socket.connect(&to.into()).map_err(Fault::of)?;
        Ok(Self { socket, framing })
    }

    /// Sends one datagram; false if there is no room now. Poll reports when there is.
    ///
    /// # Errors
    /// The kernel cannot send it, or ICMP reported an error for an earlier one.
    pub fn send(&mut self, datagram: &[u8]) -> io::Result<bool> {
        let sent = match self.framing {
            Framing::Plain => (&self.socket).write(datagram),
            Framing::Raw { v4, identifier } => {
                (&self.socket).write(&identified(datagram, identifier, v4))
            }
        };
        match sent {
            Ok(_) => Ok(true),
            Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Receives one datagram, truncated to the buffer. Unrelated ones are returned empty.
    ///
    /// # Errors
    /// ICMP reported that a datagram did not arrive.
    pub fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Received> {
        let count = loop {
            match (&self.socket).read(buffer) {
                Ok(count) => break count,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(Received::Nothing),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        };
        let Framing::Raw { v4, identifier } = self.framing else {
            return Ok(Received::Bytes(count));
        };
        // Replies to other programs arrive here too, and could keep this loop running for ever.
        Ok(Received::Bytes(unwrap(buffer, count, identifier, v4).unwrap_or(0)))
    }
}

impl AsRawFd for Datagram {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

/// A socket for echo requests, not yet connected; a raw one if the kernel permits no other.
fn echo_socket(to: SocketAddr, via: &Via<'_>) -> io::Result<(Socket, Framing)> {
    let v4 = to.is_ipv4();
    let via = Via { port: None, ..*via };
    let protocol = if v4 { Protocol::ICMPV4 } else { Protocol::ICMPV6 };
    match via.socket(to, Type::DGRAM, Some(protocol)) {
        Err(e) if e.kind() == ErrorKind::PermissionDenied => {
            let socket = via.socket(to, Type::RAW, Some(protocol))?;
            only_replies(&socket, v4)?;
            // Distinct among the daemon's sockets, and usually from other programs'.
            let number = std::process::id().wrapping_mul(31) ^ socket.as_raw_fd().unsigned_abs();
            let [.., a, b] = number.to_be_bytes();
            Ok((socket, Framing::Raw { v4, identifier: [a, b] }))
        }
        other => Ok((other?, Framing::Plain)),
    }
}

/// Without this, the kernel reports only closed ports, and no unreachable hosts or networks.
fn hear_of_icmp(socket: &Socket, v4: bool) -> io::Result<()> {
    let (level, name) = match v4 {
        true => (libc::IPPROTO_IP, libc::IP_RECVERR),
        false => (libc::IPPROTO_IPV6, libc::IPV6_RECVERR),
    };
    let on: libc::c_int = 1;
    set_option(socket.as_raw_fd(), level, name, &on)
}

/// Has a raw socket receive only echo replies.
fn only_replies(socket: &Socket, v4: bool) -> io::Result<()> {
    let fd = socket.as_raw_fd();
    if v4 {
        return set_option(fd, libc::SOL_RAW, ICMP_FILTER, &!(1u32 << ECHO_REPLY_V4));
    }
    // A bit for each type, set if it is not wanted.
    let mut blocked = [u32::MAX; 8];
    blocked[ECHO_REPLY_V6 / 32] &= !(1 << (ECHO_REPLY_V6 % 32));
    set_option(fd, libc::SOL_ICMPV6, ICMPV6_FILTER, &blocked)
}

/// The request with its identifier, and for IPv4 the checksum; the kernel adds that of ICMPv6.
fn identified(request: &[u8], identifier: [u8; 2], v4: bool) -> Vec<u8> {
    let mut request = request.to_vec();
    if request.len() >= ECHO_HEADER {
        request[2..4].fill(0);
        request[4..6].copy_from_slice(&identifier);
        if v4 {
            let sum = checksum::Sum::new().bytes(&request).checksum();
            request[2..4].copy_from_slice(&sum.to_be_bytes());
        }
    }
    request
}

/// Moves a reply to our identifier to the start of the buffer; gives its length.
fn unwrap(buffer: &mut [u8], count: usize, identifier: [u8; 2], v4: bool) -> Option<usize> {
    let packet = buffer.get(..count)?;
    // Of IPv4, a raw socket delivers the header too; its length is in its first byte (RFC 791 §3.1).
    let header = if v4 { usize::from(packet.first()? & 0xf) * 4 } else { 0 };
    if packet.get(header + 4..header + 6)? != identifier {
        return None;
    }
    buffer.copy_within(header..count, 0);
    Some(count - header)
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;
    use crate::base::addr::Family;
    use crate::sys::tests::wait;
    use crate::wire::icmp::{echo_request, parse_echo_reply};

    fn reply(socket: &mut Datagram, buffer: &mut [u8]) -> io::Result<usize> {
        wait(|| match socket.receive(buffer) {
            Ok(Received::Bytes(count @ 1..)) => Some(Ok(count)),
            Ok(_) => None,
            Err(e) => Some(Err(e)),
        })
    }

    #[test]
    fn udp_hears_its_peer_only() {
        let server = UdpSocket::bind("127.0.0.1:0").expect("binds");
        let stranger = UdpSocket::bind("127.0.0.1:0").expect("binds");
        let to = server.local_addr().expect("is bound");
        let mut socket = Datagram::udp(to, &Via::default()).expect("a socket");
        let mut buffer = [0; 16];
        assert_eq!(socket.receive(&mut buffer).expect("no error"), Received::Nothing);
        assert!(socket.send(b"question").expect("sends"));
        let (count, from) = server.recv_from(&mut buffer).expect("receives");
        assert_eq!(&buffer[..count], b"question");
        stranger.send_to(b"intruder", from).expect("sends");
        server.send_to(b"answer", from).expect("sends");
        let count = reply(&mut socket, &mut buffer).expect("receives");
        assert_eq!(&buffer[..count], b"answer");
    }

    #[test]
    fn a_closed_port_is_an_error() {
        let to = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut socket = Datagram::udp(to, &Via::default()).expect("a socket");
        assert!(socket.send(b"question").expect("sends"));
        let error = reply(&mut socket, &mut [0; 16]).expect_err("is refused");
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }

    #[test]
    fn echo_requests_are_answered() {
        for (address, family) in [("127.0.0.1", Family::V4), ("::1", Family::V6)] {
            let to = SocketAddr::new(address.parse().expect("an address"), 7);
            let mut socket = match Datagram::ping(to, &Via::default()) {
                Ok(socket) => socket,
                Err(Fault::Ours(e)) if e.kind() == ErrorKind::PermissionDenied => {
                    eprintln!("SKIPPED: may not ping here");
                    return;
                }
                Err(e) => panic!("{address}: {e:?}"),
            };
            let mut other = Datagram::ping(to, &Via::default()).expect("another");
            assert!(other.send(&echo_request(family, 8, b"other")).expect("sends"));
            assert!(socket.send(&echo_request(family, 7, b"payload")).expect("sends"));
            let mut buffer = [0; 64];
            let count = reply(&mut socket, &mut buffer).expect("receives");
            assert_eq!(parse_echo_reply(family, &buffer[..count]), Ok(7));
            assert_eq!(&buffer[8..count], b"payload");
            assert_eq!(socket.receive(&mut buffer).expect("no error"), Received::Nothing);
        }
    }

    #[test]
    fn what_is_no_reply_of_ours_is_not_unwrapped() {
        let mut packet = [0; 28];
        packet[0] = 0x45;
        packet[24..26].copy_from_slice(&[1, 2]);
        for count in 0..26 {
            assert_eq!(unwrap(&mut packet.clone(), count, [1, 2], true), None, "{count} bytes");
        }
        assert_eq!(unwrap(&mut packet.clone(), 28, [1, 3], true), None);
        assert_eq!(unwrap(&mut packet, 28, [1, 2], true), Some(8));
    }
}
