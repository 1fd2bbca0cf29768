//! Reads the state of a link from its transceiver, its driver or the flags of its interface.

use std::io;
use std::mem::size_of;
use std::os::fd::AsRawFd as _;

use socket2::{Domain, Socket, Type};

use super::check;
use crate::model::link::LinkQuery;

/// Register of the basic status (IEEE 802.3 clause 22.2.4).
const STATUS: u16 = 1;
/// The bit of it that is set while the link is up.
const LINK_UP: u16 = 1 << 2;
const ETHTOOL_GLINK: u32 = 10;
/// Size of the union in `struct ifreq`.
const ROOM: usize = size_of::<libc::ifreq>() - libc::IFNAMSIZ;

/// A request about an interface: its name, then as much as the kernel copies.
#[repr(C, align(8))]
struct Request {
    name: [u8; libc::IFNAMSIZ],
    data: [u8; ROOM],
}

/// `struct ethtool_value`.
#[repr(C)]
struct EthtoolValue {
    command: u32,
    data: u32,
}

/// A socket for requests about interfaces, in the current network namespace.
#[derive(Debug)]
pub struct LinkPoller {
    socket: Socket,
}

impl LinkPoller {
    /// # Errors
    /// A lack of descriptors or memory.
    pub fn open() -> io::Result<Self> {
        Ok(Self { socket: Socket::new(Domain::IPV4, Type::DGRAM.cloexec(), None)? })
    }

    /// True if the link is up.
    ///
    /// # Errors
    /// The interface does not exist, or does not answer this.
    pub fn ask(&self, name: &str, query: LinkQuery) -> io::Result<bool> {
        match query {
            LinkQuery::Mii => self.transceiver(name),
            LinkQuery::Ethtool => self.driver(name),
            LinkQuery::Flags => self.flags(name),
        }
    }

    fn transceiver(&self, name: &str) -> io::Result<bool> {
        let mut request = Request::about(name)?;
        self.request(libc::SIOCGMIIPHY, &mut request)?;
        // Number of the transceiver, of the register, and the value in and out.
        request.put(2, &STATUS.to_ne_bytes());
        // The bit is latched: the first read tells of an outage that is over.
        self.request(libc::SIOCGMIIREG, &mut request)?;
        request.put(2, &STATUS.to_ne_bytes());
        self.request(libc::SIOCGMIIREG, &mut request)?;
        Ok(request.half(6) & LINK_UP != 0)
    }

    fn driver(&self, name: &str) -> io::Result<bool> {
        let mut value = EthtoolValue { command: ETHTOOL_GLINK, data: 0 };
        let mut request = Request::about(name)?;
        let pointer = std::ptr::from_mut(&mut value).expose_provenance();
        request.put(0, &pointer.to_ne_bytes());
        self.request(libc::SIOCETHTOOL, &mut request)?;
        Ok(value.data != 0)
    }

    fn flags(&self, name: &str) -> io::Result<bool> {
        const UP: u16 = (libc::IFF_UP | libc::IFF_RUNNING) as u16;
        let mut request = Request::about(name)?;
        self.request(libc::SIOCGIFFLAGS, &mut request)?;
        Ok(request.half(0) & UP == UP)
    }

    fn request(&self, number: libc::c_ulong, request: &mut Request) -> io::Result<()> {
        let fd = self.socket.as_raw_fd();
        // SAFETY: `request` has the size of `struct ifreq` and lives; so does the value that it
        // points to in `driver`, which the kernel writes.
        check(unsafe { libc::ioctl(fd, number as _, std::ptr::from_mut(request)) })?;
        Ok(())
    }
}

impl Request {
    fn about(link: &str) -> io::Result<Self> {
        let mut name = [0; libc::IFNAMSIZ];
        // The last byte is zero.
        let room = name.get_mut(..link.len()).filter(|room| room.len() < libc::IFNAMSIZ);
        room.ok_or(io::ErrorKind::InvalidInput)?.copy_from_slice(link.as_bytes());
        Ok(Self { name, data: [0; ROOM] })
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.data[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn half(&self, at: usize) -> u16 {
        u16::from_ne_bytes([self.data[at], self.data[at + 1]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_is_up() {
        let poller = LinkPoller::open().expect("opens");
        assert!(poller.ask("lo", LinkQuery::Flags).expect("answers"));
        // It has no transceiver; not every kernel asks its driver.
        assert!(poller.ask("lo", LinkQuery::Mii).is_err());
        assert!(poller.ask("lo", LinkQuery::Ethtool).unwrap_or(true));
    }

    #[test]
    fn an_interface_that_is_not_there_does_not_answer() {
        let poller = LinkPoller::open().expect("opens");
        for name in ["kp-none", "a-name-longer-than-any", ""] {
            for query in LinkQuery::ALL {
                assert!(poller.ask(name, query).is_err(), "{name} {query:?}");
            }
        }
    }
}
