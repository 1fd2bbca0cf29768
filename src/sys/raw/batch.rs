//! Receiving many packets with one system call, into buffers that one process has once.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::RawFd;

use super::super::cmsg::Items;
use crate::base::addr::Family;
use crate::base::time::WallTime;
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
    /// The IP header contradicts itself or the length.
    Header,
}

/// One received packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Datagram<'a> {
    pub source: IpAddr,
    pub destination: Option<IpAddr>,
    /// TTL or hop limit.
    pub ttl: Option<u8>,
    /// When the kernel received it.
    pub stamp: Option<WallTime>,
    /// What follows the IP header, up to the IP total length. Empty if there is a flaw.
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
    family: Family,
    received: usize,
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
            family: Family::V4,
            received: 0,
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

    pub(super) fn receive(&mut self, fd: RawFd, family: Family) -> io::Result<usize> {
        self.received = 0;
        self.family = family;
        if self.wanted > self.room {
            self.room = self.wanted.next_power_of_two();
            // Fresh zeroed memory costs nothing until a packet is written to it.
            self.buffers = vec![0; self.room * Self::CAPACITY];
        }
        self.point();
        let count = libc::c_uint::try_from(self.headers.len()).unwrap_or(0);
        // With MSG_TRUNC a length may exceed the room: that is how to know.
        let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
        let no_timeout = std::ptr::null_mut::<libc::timespec>();
        // SAFETY: `point` has just made every header describe memory that `self` owns and that is
        // not touched until the call returns; the kernel keeps within the lengths given there.
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
        self.received = received;
        let longest = self.headers.iter().take(received).map(|h| h.msg_len).max().unwrap_or(0);
        self.reserve(usize::try_from(longest).unwrap_or(0));
        Ok(received)
    }

    /// Lays the messages out anew: the kernel has overwritten the lengths.
    fn point(&mut self) {
        let rooms = self.buffers.chunks_exact_mut(self.room);
        let headers = self.headers.iter_mut().zip(&mut self.iovecs);
        let parts = self.sources.iter_mut().zip(&mut self.controls).zip(rooms);
        for ((header, iovec), ((source, control), room)) in headers.zip(parts) {
            iovec.iov_base = room.as_mut_ptr().cast();
            iovec.iov_len = room.len();
            let header = &mut header.msg_hdr;
            // Over IPv4, the source is in the packet.
            if self.family == Family::V6 {
                header.msg_name = std::ptr::from_mut(source).cast();
                header.msg_namelen = size_of::<libc::sockaddr_in6>() as libc::socklen_t;
            } else {
                header.msg_name = std::ptr::null_mut();
                header.msg_namelen = 0;
            }
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
        let mut datagram = match self.family {
            Family::V4 => datagram_v4(data),
            Family::V6 => {
                let source = Ipv6Addr::from(self.sources.get(index)?.sin6_addr.s6_addr);
                datagram_v6(source, data)
            }
        };
        if len > self.room {
            datagram.payload = &[];
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
    match Ipv4Packet::parse(data) {
        Ok(packet) => Datagram {
            source: packet.source().into(),
            destination: Some(packet.destination().into()),
            ttl: Some(packet.ttl()),
            stamp: None,
            payload: packet.payload(),
            flaw: None,
        },
        Err(_) => Datagram {
            source: Ipv4Addr::UNSPECIFIED.into(),
            destination: None,
            ttl: None,
            stamp: None,
            payload: &[],
            flaw: Some(Flaw::Header),
        },
    }
}

const fn datagram_v6(source: Ipv6Addr, payload: &[u8]) -> Datagram<'_> {
    let source = IpAddr::V6(source);
    Datagram { source, destination: None, ttl: None, stamp: None, payload, flaw: None }
}

/// Adds what the kernel says beside the packet.
fn annotate(datagram: &mut Datagram<'_>, items: Items<'_>) {
    for (level, kind, data) in items {
        match (level, kind) {
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => datagram.stamp = wall_time(data),
            (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
                let hops = data.first_chunk().map(|hops| libc::c_int::from_ne_bytes(*hops));
                datagram.ttl = hops.and_then(|hops| u8::try_from(hops).ok());
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
