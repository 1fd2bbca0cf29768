//! Receiving many packets with one system call, into buffers that one process has once. For raw
//! sockets and those of BFD.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::RawFd;

use super::cmsg::Items;
use crate::base::time::WallTime;
use crate::wire::ah::AuthHeader;
use crate::wire::ip::Ipv4Packet;

/// Room per packet at first. Longer ones are rare: 112 IPv4 addresses fit, or 31 of IPv6.
const FIRST_ROOM: usize = 512;
/// Enough for 255 IPv6 addresses (4088 bytes), and for 255 of IPv4 with all options of IP.
const LAST_ROOM: usize = 4096;
/// Timestamp, destination with interface, hop limit.
const CONTROL_ROOM: usize = 128;

/// Reason for not using a packet's payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// There was no room for all of it; there will be for the next.
    Truncated,
    /// The IP header or the authentication header contradicts itself or the length.
    Header,
}

/// Where the source of a packet is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// In the IPv4 header, which precedes the payload: raw sockets.
    HeaderV4,
    /// Beside the payload.
    V4,
    V6,
}

/// One received packet.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    pub source: IpAddr,
    /// The index of the interface that it arrived on, of a link-local source beside the payload.
    pub scope: Option<u32>,
    pub destination: Option<IpAddr>,
    /// TTL or hop limit.
    pub ttl: Option<u8>,
    /// When the kernel received it.
    pub stamp: Option<WallTime>,
    /// The authentication header of IPv4 packets that have one.
    pub header: Option<AuthHeader<'a>>,
    /// What follows the IP header and the authentication header, up to the IP total length. Empty if
    /// there is a flaw.
    pub payload: &'a [u8],
    pub flaw: Option<Flaw>,
}

#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct ControlRoom([u8; CONTROL_ROOM]);

/// Buffers for up to [`Self::CAPACITY`] packets, and the packets received last.
pub struct Batch {
    headers: Vec<libc::mmsghdr>,
    iovecs: Vec<libc::iovec>,
    sources: Vec<libc::sockaddr_in6>,
    controls: Vec<ControlRoom>,
    buffers: Vec<u8>,
    /// Bytes per packet in `buffers`.
    room: usize,
    /// Bytes per packet that the last call found to be needed.
    wanted: usize,
    shape: Shape,
    received: usize,
    /// Messages that the kernel has written to since they were laid out.
    used: usize,
}

impl Default for Batch {
    fn default() -> Self {
        // SAFETY: these are plain C structs for which all zero is valid; null pointers come with
        // lengths of zero.
        let (header, iovec, source) =
            unsafe { (std::mem::zeroed(), std::mem::zeroed(), std::mem::zeroed()) };
        Self {
            headers: vec![header; Self::CAPACITY],
            iovecs: vec![iovec; Self::CAPACITY],
            sources: vec![source; Self::CAPACITY],
            controls: vec![ControlRoom([0; CONTROL_ROOM]); Self::CAPACITY],
            buffers: Vec::new(),
            room: 0,
            wanted: FIRST_ROOM,
            shape: Shape::HeaderV4,
            received: 0,
            used: Self::CAPACITY,
        }
    }
}

impl Batch {
    pub const CAPACITY: usize = 64;

    /// Makes room for packets of this length. Without it, the first longer one is lost.
    fn reserve(&mut self, len: usize) {
        self.wanted = self.wanted.max(len.min(LAST_ROOM));
    }

    /// The packets received last, in the order of arrival.
    pub fn packets(&self) -> impl Iterator<Item = Datagram<'_>> {
        (0..self.received).filter_map(|index| self.packet(index))
    }

    pub(super) fn receive(&mut self, fd: RawFd, shape: Shape) -> io::Result<usize> {
        self.received = 0;
        self.shape = shape;
        if self.wanted > self.room {
            self.room = self.wanted.next_power_of_two();
            // Fresh zeroed memory costs nothing until a packet is written to it.
            self.buffers = vec![0; self.room * Self::CAPACITY];
            self.used = Self::CAPACITY;
        }
        self.point();
        let count = libc::c_uint::try_from(self.headers.len()).unwrap_or(0);
        // With MSG_TRUNC a length may exceed the room: that is how to know.
        let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
        let no_timeout = std::ptr::null_mut::<libc::timespec>();
        // SAFETY: every header describes memory that `self` owns, which is not moved while a header
        // points there, and not touched until the call returns; the kernel keeps within the lengths
        // given there, which `point` has restored.
        let received = unsafe {
            libc::syscall(
                libc::SYS_recvmmsg,
                fd,
                self.headers.as_mut_ptr(),
                count,
                flags,
                no_timeout,
            )
        };
        let Ok(received) = usize::try_from(received) else {
            let e = io::Error::last_os_error();
            return match e.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(0),
                _ => Err(e),
            };
        };
        (self.received, self.used) = (received, received);
        let longest = self.headers.iter().take(received).map(|h| h.msg_len).max().unwrap_or(0);
        self.reserve(usize::try_from(longest).unwrap_or(0));
        Ok(received)
    }

    /// Lays out anew the messages whose lengths the kernel has overwritten.
    fn point(&mut self) {
        let rooms = self.buffers.chunks_exact_mut(self.room).take(self.used);
        let headers = self.headers.iter_mut().zip(&mut self.iovecs);
        let parts = self.sources.iter_mut().zip(&mut self.controls).zip(rooms);
        for ((header, iovec), ((source, control), room)) in headers.zip(parts) {
            iovec.iov_base = room.as_mut_ptr().cast();
            iovec.iov_len = room.len();
            let header = &mut header.msg_hdr;
            header.msg_name = std::ptr::from_mut(source).cast();
            header.msg_namelen = size_of::<libc::sockaddr_in6>() as libc::socklen_t;
            header.msg_iov = iovec;
            header.msg_iovlen = 1;
            header.msg_control = control.0.as_mut_ptr().cast();
            header.msg_controllen = CONTROL_ROOM as _;
        }
    }

    fn packet(&self, index: usize) -> Option<Datagram<'_>> {
        let header = self.headers.get(index)?;
        let control = self.controls.get(index)?;
        let len = usize::try_from(header.msg_len).ok()?;
        let data = self.buffers.get(index * self.room..)?.get(..len.min(self.room))?;
        let control_len = length(header.msg_hdr.msg_controllen);
        let control = control.0.get(..control_len).unwrap_or(&control.0);
        let source = self.sources.get(index)?;
        let mut datagram = match self.shape {
            Shape::HeaderV4 => datagram_v4(data),
            // A `sockaddr_in` has its address where this one has the flow label.
            Shape::V4 => datagram(Ipv4Addr::from(source.sin6_flowinfo.to_ne_bytes()).into(), data),
            Shape::V6 => datagram(Ipv6Addr::from(source.sin6_addr.s6_addr).into(), data),
        };
        if self.shape == Shape::V6 {
            datagram.scope = Some(source.sin6_scope_id).filter(|scope| *scope != 0);
        }
        if len > self.room {
            (datagram.header, datagram.payload) = (None, &[]);
            datagram.flaw = Some(Flaw::Truncated);
        }
        annotate(&mut datagram, Items::new(control));
        Some(datagram)
    }
}

/// A length in whichever type the C library has for it.
fn length(n: impl TryInto<usize>) -> usize {
    n.try_into().unwrap_or(0)
}

fn datagram_v4(data: &[u8]) -> Datagram<'_> {
    let parsed = Ipv4Packet::parse(data);
    match parsed.and_then(|packet| Ok((packet, AuthHeader::split(&packet)?))) {
        Ok((packet, (header, payload))) => Datagram {
            source: packet.source().into(),
            scope: None,
            destination: Some(packet.destination().into()),
            ttl: Some(packet.ttl()),
            stamp: None,
            header,
            payload,
            flaw: None,
        },
        Err(_) => Datagram {
            source: Ipv4Addr::UNSPECIFIED.into(),
            scope: None,
            destination: None,
            ttl: None,
            stamp: None,
            header: None,
            payload: &[],
            flaw: Some(Flaw::Header),
        },
    }
}

const fn datagram(source: IpAddr, payload: &[u8]) -> Datagram<'_> {
    Datagram {
        source,
        scope: None,
        destination: None,
        ttl: None,
        stamp: None,
        header: None,
        payload,
        flaw: None,
    }
}

/// Adds what the kernel says beside the packet.
fn annotate(datagram: &mut Datagram<'_>, items: Items<'_>) {
    for (level, kind, data) in items {
        match (level, kind) {
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => datagram.stamp = wall_time(data),
            (libc::IPPROTO_IP, libc::IP_TTL) | (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
                let hops = data.first_chunk().map(|hops| libc::c_int::from_ne_bytes(*hops));
                datagram.ttl = hops.and_then(|hops| u8::try_from(hops).ok());
            }
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                // Index, local address, destination.
                let address = data.get(8..).and_then(|rest| rest.first_chunk::<4>());
                datagram.destination = address.map(|a| Ipv4Addr::from(*a).into());
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                let address = data.first_chunk::<16>().map(|a| Ipv6Addr::from(*a));
                datagram.destination = address.map(IpAddr::V6);
            }
            _ => {}
        }
    }
}

/// Seconds and nanoseconds, each four or eight bytes, as the system's `timespec` has it.
fn wall_time(data: &[u8]) -> Option<WallTime> {
    let (seconds, nanos) = match *data {
        [a, b, c, d, e, f, g, h] => (
            i64::from(i32::from_ne_bytes([a, b, c, d])),
            i64::from(i32::from_ne_bytes([e, f, g, h])),
        ),
        _ => {
            let (seconds, rest) = data.split_first_chunk()?;
            (i64::from_ne_bytes(*seconds), i64::from_ne_bytes(*rest.first_chunk()?))
        }
    };
    let micros = seconds.checked_mul(1_000_000)?.checked_add(nanos / 1000)?;
    u64::try_from(micros).ok().map(WallTime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_of_either_width() {
        let mut wide = [0; 16];
        wide[..8].copy_from_slice(&1_800_000_000i64.to_ne_bytes());
        wide[8..].copy_from_slice(&123_456_789i64.to_ne_bytes());
        assert_eq!(wall_time(&wide), Some(WallTime(1_800_000_000_123_456)));
        let mut narrow = [0; 8];
        narrow[..4].copy_from_slice(&1_800_000_000i32.to_ne_bytes());
        narrow[4..].copy_from_slice(&123_456_789i32.to_ne_bytes());
        assert_eq!(wall_time(&narrow), Some(WallTime(1_800_000_000_123_456)));
        assert_eq!(wall_time(&[0; 12]), None);
    }
}
