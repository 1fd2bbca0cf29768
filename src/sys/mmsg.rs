//! Many small packets with one system call (`sendmmsg`), shared by the raw and the packet socket.
//!
//! A queue owns copies of its packets, which are a few dozen bytes each: packets that the kernel
//! does not accept wait for the next call without borrowing the caller's buffers.

use std::io;
use std::os::fd::RawFd;

use super::cmsg::Control;

/// Packets per call, at most.
const CHUNK: usize = 256;
/// Packets for which a queue keeps room.
const KEPT: usize = 16;

/// A socket address of one of the families we send to.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) union Address {
    pub(super) v4: libc::sockaddr_in,
    pub(super) v6: libc::sockaddr_in6,
    pub(super) link: libc::sockaddr_ll,
}

#[derive(Clone, Copy)]
struct Item<T> {
    tag: T,
    start: usize,
    len: usize,
    address: Address,
    address_len: libc::socklen_t,
    /// Index into the control list.
    control: Option<usize>,
}

/// Packets that wait to be sent through one socket, each with a tag of the caller's.
pub struct SendQueue<T> {
    items: Vec<Item<T>>,
    bytes: Vec<u8>,
    controls: Vec<Control>,
    /// Number of items already sent.
    done: usize,
}

impl<T> Default for SendQueue<T> {
    fn default() -> Self {
        Self { items: Vec::new(), bytes: Vec::new(), controls: Vec::new(), done: 0 }
    }
}

impl<T: Copy> SendQueue<T> {
    pub fn is_empty(&self) -> bool {
        self.done == self.items.len()
    }

    /// Discards outdated packets.
    pub fn clear(&mut self) {
        self.items.clear();
        self.bytes.clear();
        // A burst of hundreds is over; the next one is a second or more away.
        self.items.shrink_to(KEPT);
        self.bytes.shrink_to(KEPT * 64);
        self.controls.clear();
        self.done = 0;
    }

    pub(super) fn push(
        &mut self,
        tag: T,
        (address, address_len): (Address, libc::socklen_t),
        control: Option<Control>,
        packet: &[u8],
    ) {
        let control = control.map(|control| {
            self.controls.push(control);
            self.controls.len() - 1
        });
        let (start, len) = (self.bytes.len(), packet.len());
        self.bytes.extend_from_slice(packet);
        self.items.push(Item { tag, start, len, address, address_len, control });
    }

    /// Sends waiting packets and reports the outcome of each to `done`, in order.
    ///
    /// False if the kernel has no room now; then the rest is kept. Any other failure concerns one
    /// packet, which is given up.
    pub(super) fn flush(
        &mut self,
        fd: RawFd,
        flags: libc::c_int,
        scratch: &mut Scratch,
        mut done: impl FnMut(T, io::Result<()>),
    ) -> bool {
        while !self.is_empty() {
            let end = self.items.len().min(self.done + CHUNK);
            let mut messages =
                scratch.prepare(&self.items[self.done..end], &self.bytes, &self.controls);
            while self.done < end {
                let waiting = &self.items[self.done..end];
                match messages.send(fd, flags) {
                    Ok(n) => {
                        waiting.iter().take(n).for_each(|item| done(item.tag, Ok(())));
                        self.done += n;
                    }
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(e) if is_full(&e) => return false,
                    Err(e) => {
                        done(waiting[0].tag, Err(e));
                        messages.skip();
                        self.done += 1;
                    }
                }
            }
        }
        self.clear();
        true
    }
}

fn is_full(e: &io::Error) -> bool {
    e.kind() == io::ErrorKind::WouldBlock
        || matches!(e.raw_os_error(), Some(libc::ENOBUFS | libc::ENOMEM))
}

/// Arguments of `sendmmsg`: one set for the whole process, grown to the largest batch so far.
#[derive(Default)]
pub struct Scratch {
    headers: Vec<libc::mmsghdr>,
    iovecs: Vec<libc::iovec>,
}

impl Scratch {
    /// Lays out messages that point into the queue, which stays borrowed for as long.
    fn prepare<'a, T>(
        &'a mut self,
        items: &'a [Item<T>],
        bytes: &'a [u8],
        controls: &'a [Control],
    ) -> Messages<'a> {
        self.iovecs.clear();
        self.iovecs.extend(items.iter().map(|item| libc::iovec {
            iov_base: bytes[item.start..item.start + item.len].as_ptr().cast_mut().cast(),
            iov_len: item.len,
        }));
        self.headers.clear();
        for (item, iovec) in items.iter().zip(&mut self.iovecs) {
            // SAFETY: all zero is a valid `mmsghdr`: null pointers with lengths of zero. It must
            // be zero, since some C libraries have padding where the kernel has length bits.
            let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
            header.msg_hdr.msg_name = std::ptr::from_ref(&item.address).cast_mut().cast();
            header.msg_hdr.msg_namelen = item.address_len;
            header.msg_hdr.msg_iov = iovec;
            header.msg_hdr.msg_iovlen = 1;
            if let Some(control) = item.control.and_then(|index| controls.get(index)) {
                header.msg_hdr.msg_control = control.bytes().as_ptr().cast_mut().cast();
                header.msg_hdr.msg_controllen = control.bytes().len() as _;
            }
            self.headers.push(header);
        }
        Messages { left: &mut self.headers }
    }
}

/// Messages whose pointers are valid for `'a`.
struct Messages<'a> {
    left: &'a mut [libc::mmsghdr],
}

impl Messages<'_> {
    /// Sends as many as the kernel takes, at least one, or says why it does not take the first.
    fn send(&mut self, fd: RawFd, flags: libc::c_int) -> io::Result<usize> {
        let count = libc::c_uint::try_from(self.left.len()).unwrap_or(0);
        // Not `libc::sendmmsg`: musl's makes one system call per message.
        // SAFETY: every pointer in the messages refers to data borrowed for longer than this
        // call, with the length beside it; the kernel writes to `msg_len` alone.
        let sent =
            unsafe { libc::syscall(libc::SYS_sendmmsg, fd, self.left.as_mut_ptr(), count, flags) };
        let sent = usize::try_from(sent).map_err(|_| io::Error::last_os_error())?;
        self.advance(sent);
        Ok(sent)
    }

    fn skip(&mut self) {
        self.advance(1);
    }

    fn advance(&mut self, count: usize) {
        let left = std::mem::take(&mut self.left);
        self.left = left.get_mut(count..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixDatagram;

    use super::*;

    /// Connected sockets need no address.
    const NOWHERE: (Address, libc::socklen_t) = (
        Address {
            link: libc::sockaddr_ll {
                sll_family: 0,
                sll_protocol: 0,
                sll_ifindex: 0,
                sll_hatype: 0,
                sll_pkttype: 0,
                sll_halen: 0,
                sll_addr: [0; 8],
            },
        },
        0,
    );

    fn pair() -> (UnixDatagram, UnixDatagram) {
        let (from, to) = UnixDatagram::pair().unwrap();
        to.set_nonblocking(true).unwrap();
        (from, to)
    }

    /// Every packet that has arrived, as the number it holds.
    fn arrived(to: &UnixDatagram) -> Vec<u32> {
        let mut buffer = [0; 4];
        std::iter::from_fn(|| to.recv(&mut buffer).ok().map(|_| u32::from_be_bytes(buffer)))
            .collect()
    }

    #[test]
    fn what_the_kernel_has_no_room_for_waits_in_order() {
        let (from, to) = pair();
        let (mut queue, mut scratch) = (SendQueue::default(), Scratch::default());
        let count: u32 = 1000;
        for n in 0..count {
            queue.push(n, NOWHERE, None, &n.to_be_bytes());
        }
        let (mut told, mut got, mut calls) = (Vec::new(), Vec::new(), 0);
        let flags = libc::MSG_DONTWAIT;
        while !queue.flush(from.as_raw_fd(), flags, &mut scratch, |n, result| {
            result.unwrap();
            told.push(n);
        }) {
            assert_eq!(queue.items.len() - queue.done, count as usize - told.len());
            got.extend(arrived(&to));
            calls += 1;
        }
        got.extend(arrived(&to));
        let all: Vec<u32> = (0..count).collect();
        assert!(calls > 0, "the socket took everything at once");
        assert!(queue.is_empty());
        assert_eq!((told, got), (all.clone(), all));
    }

    #[test]
    fn a_packet_that_cannot_be_sent_does_not_hold_up_the_others() {
        let (from, to) = pair();
        let mut queue = SendQueue::default();
        let endless = vec![0; 1 << 24];
        queue.push(1, NOWHERE, None, &1u32.to_be_bytes());
        queue.push(2, NOWHERE, None, &endless);
        queue.push(3, NOWHERE, None, &3u32.to_be_bytes());
        let mut told = Vec::new();
        let done = queue.flush(
            from.as_raw_fd(),
            libc::MSG_DONTWAIT,
            &mut Scratch::default(),
            |n, result| told.push((n, result.err().and_then(|e| e.raw_os_error()))),
        );
        assert!(done);
        assert_eq!(told, [(1, None), (2, Some(libc::EMSGSIZE)), (3, None)]);
        assert_eq!(arrived(&to), [1, 3]);
    }

    #[test]
    fn a_cleared_queue_sends_nothing() {
        let (from, to) = pair();
        let mut queue = SendQueue::default();
        queue.push((), NOWHERE, None, &[1, 2, 3, 4]);
        queue.clear();
        let flags = libc::MSG_DONTWAIT;
        assert!(queue.flush(from.as_raw_fd(), flags, &mut Scratch::default(), |(), _| {}));
        assert_eq!(arrived(&to), [0; 0]);
    }
}
