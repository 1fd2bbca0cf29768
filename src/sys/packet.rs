//! Frames put on a link as they are: gratuitous ARP and neighbour advertisements.

use std::io;
use std::os::fd::{AsRawFd as _, RawFd};

use socket2::{Domain, Protocol, Socket, Type};

use super::filter::{self, Program};
use super::mmsg::Address;

pub use super::mmsg::{Scratch, SendQueue};

/// A packet socket that only sends. One serves every link.
#[derive(Debug)]
pub struct LinkSocket {
    socket: Socket,
}

impl LinkSocket {
    pub fn open() -> io::Result<Self> {
        let kind = Type::RAW.nonblocking().cloexec();
        // Protocol 0: the kernel delivers no packets.
        let socket = Socket::new(Domain::PACKET, kind, Some(Protocol::from(0)))?;
        let mut deaf = Program::default();
        deaf.drop_all();
        filter::attach(socket.as_raw_fd(), &deaf)?;
        Ok(Self { socket })
    }

    pub fn fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// Puts an Ethernet frame for the link of that index into the queue. The tag comes back with
    /// the outcome.
    pub fn queue<T: Copy>(&self, queue: &mut SendQueue<T>, tag: T, index: u32, frame: &[u8]) {
        queue.push(tag, link_address(index, frame), None, frame);
    }

    /// As `raw::Socket::send`.
    pub fn send<T: Copy>(
        &self,
        queue: &mut SendQueue<T>,
        scratch: &mut Scratch,
        done: impl FnMut(T, io::Result<()>),
    ) -> bool {
        queue.flush(self.fd(), libc::MSG_DONTWAIT, scratch, done)
    }
}

fn link_address(index: u32, frame: &[u8]) -> (Address, libc::socklen_t) {
    const MAC_LEN: u8 = 6;
    const TYPE: usize = 12;
    let mut to = [0; 8];
    if let Some(mac) = frame.first_chunk::<{ MAC_LEN as usize }>() {
        to[..mac.len()].copy_from_slice(mac);
    }
    let protocol = frame.get(TYPE..).and_then(|rest| rest.first_chunk()).copied();
    let link = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as libc::c_ushort,
        sll_protocol: u16::from_ne_bytes(protocol.unwrap_or_default()),
        sll_ifindex: libc::c_int::try_from(index).unwrap_or(0),
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: MAC_LEN,
        sll_addr: to,
    };
    (Address { link }, size_of::<libc::sockaddr_ll>() as libc::socklen_t)
}
