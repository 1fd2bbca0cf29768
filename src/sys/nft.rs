//! nf_tables: transactions, existing tables, and changes by other programs.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;

use netlink_packet_core::NLM_F_DUMP_INTR;
use netlink_sys::{protocols::NETLINK_NETFILTER, Socket, SocketAddr};
use socket2::SockRef;

use super::filter::{attach, force_receive_buffer, set_option, Program};
use super::pipeline::{receive, whole};
use super::{open, reason};
use crate::base::addr::Family;
use crate::wire::netlink::nft::{parse_event, parse_table, Batch, Query, Refusal, TableEvent};
use crate::wire::netlink::{errno, messages, NLMSG_DONE, NLMSG_ERROR};

/// Room for a transaction beyond its bytes, which the kernel counts as well.
const OVERHEAD: usize = 4096;
/// Room for answers: one for each message at most.
const RECEIVE_BUFFER: usize = 1 << 20;
const NFNLGRP_NFTABLES: u32 = 7;

/// What to do when the kernel has no nf_tables.
pub const ABSENT: &str = "nf_tables is missing: load it with \"modprobe nf_tables\"";

/// True if the kernel has loaded nfnetlink, without which there is no table. A socket would load it.
pub fn is_loaded() -> bool {
    let Ok(list) = open::kernel_read(Path::new("/proc/net/netlink")) else { return true };
    let list = String::from_utf8_lossy(&list);
    // The protocol and the port; 0 is the kernel's own socket.
    list.lines().any(|line| {
        let mut columns = line.split_whitespace().skip(1);
        columns.next() == Some("12") && columns.next() == Some("0")
    })
}

fn bound() -> io::Result<(Socket, u32)> {
    let mut socket = Socket::new(NETLINK_NETFILTER)?;
    socket.bind_auto()?;
    socket.set_non_blocking(true)?;
    let mut addr = SocketAddr::new(0, 0);
    socket.get_address(&mut addr)?;
    Ok((socket, addr.port_number()))
}

/// A socket for transactions. Non-blocking: the kernel works on a transaction while it is sent.
pub struct Nft {
    socket: Socket,
    port: u32,
    sequence: u32,
    packet: Vec<u8>,
}

impl Nft {
    /// # Errors
    /// The text says what to do: there is no nfnetlink, or no permission.
    pub fn open() -> io::Result<Self> {
        let (socket, port) =
            bound().map_err(|e| io::Error::new(e.kind(), format!("{ABSENT} ({})", reason(&e))))?;
        // A refusal need not bring the whole message back. Old kernels do not know this.
        let _ = socket.set_cap_ack(true);
        force_receive_buffer(socket.as_raw_fd(), RECEIVE_BUFFER);
        Ok(Self { socket, port, sequence: 0, packet: Vec::new() })
    }

    /// The port number the kernel names as the origin of what this socket changes.
    pub const fn port(&self) -> u32 {
        self.port
    }

    /// Carries out a transaction: all of it, or nothing.
    ///
    /// # Errors
    /// The first refused message. An uncertain outcome is a refusal, too.
    pub fn commit(&mut self, batch: &Batch) -> Result<(), Refusal> {
        if batch.is_empty() {
            return Ok(());
        }
        let refused = |e: io::Error| Refusal::whole(e.raw_os_error().unwrap_or(libc::EIO));
        let first = self.sequence;
        let datagram = batch.datagram(first);
        let count = batch.next_number();
        self.sequence = first.wrapping_add(u32::try_from(count + 1).unwrap_or(1));
        self.make_room(datagram.len());
        self.socket.send(&datagram, 0).map_err(refused)?;
        let (mut refusal, mut is_done) = (None, false);
        loop {
            match receive(&self.socket, &mut self.packet) {
                Ok(()) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                // Answers were lost. Those that are left follow.
                Err(e) if e.raw_os_error() == Some(libc::ENOBUFS) => {
                    refusal.get_or_insert(Refusal::whole(libc::ENOBUFS));
                    continue;
                }
                Err(e) => return Err(refused(e)),
            }
            for (header, body) in messages(&self.packet).filter(|(h, _)| h.kind == NLMSG_ERROR) {
                let at = usize::try_from(header.sequence.wrapping_sub(first)).unwrap_or(usize::MAX);
                let Ok(errno) = errno(body) else { continue };
                if at < count && errno != 0 {
                    refusal.get_or_insert(Refusal { errno, at });
                }
                is_done |= at + 1 == count;
            }
        }
        match refusal {
            Some(refusal) => Err(refusal),
            None if is_done => Ok(()),
            None => Err(Refusal::whole(libc::ENOBUFS)),
        }
    }

    /// Raises the limit for one message, which the system's default may be too low for.
    fn make_room(&self, len: usize) {
        let wanted = len + OVERHEAD;
        let size = SockRef::from(&self.socket).send_buffer_size();
        if size.is_ok_and(|size| size < wanted) {
            let bytes = libc::c_int::try_from(wanted).unwrap_or(libc::c_int::MAX);
            let fd = self.socket.as_raw_fd();
            // A failure only means less room; the kernel refuses what is too long.
            let _ = set_option(fd, libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, &bytes);
        }
    }

    /// All tables of IPv4 and IPv6, by family and name.
    pub fn tables(&mut self) -> io::Result<Vec<(Family, String)>> {
        whole("tables", || {
            self.sequence = self.sequence.wrapping_add(1);
            let mut message = Vec::new();
            Query::Tables.emit(self.sequence, &mut message);
            self.socket.send(&message, 0)?;
            let (mut list, mut is_whole) = (Vec::new(), true);
            loop {
                receive(&self.socket, &mut self.packet)?;
                let awaited = messages(&self.packet).filter(|(h, _)| h.sequence == self.sequence);
                for (header, body) in awaited {
                    is_whole &= header.flags & NLM_F_DUMP_INTR == 0;
                    match header.kind {
                        NLMSG_ERROR | NLMSG_DONE => {
                            return match errno(body) {
                                Ok(errno) if errno != 0 => Err(io::Error::from_raw_os_error(errno)),
                                _ => Ok(is_whole.then_some(list)),
                            };
                        }
                        // A message that cannot be read (a newer kernel's) is skipped.
                        _ => list.extend(parse_table(body).ok().flatten()),
                    }
                }
            }
        })
    }
}

/// Receives notifications of tables that other programs change. Non-blocking.
pub struct Watch {
    socket: Socket,
    buffer: Vec<u8>,
}

impl Watch {
    /// `own`: the port number of the socket whose transactions are not reported.
    pub fn open(own: u32) -> io::Result<Self> {
        /// Where it is in the header of the first message. All of a datagram have the same.
        const PORT: u32 = 12;
        let (socket, _) = bound()?;
        let mut program = Program::default();
        program.load_word(PORT);
        program.drop_if(own.to_be());
        program.accept_all();
        attach(socket.as_raw_fd(), &program)?;
        force_receive_buffer(socket.as_raw_fd(), RECEIVE_BUFFER);
        socket.add_membership(NFNLGRP_NFTABLES)?;
        Ok(Self { socket, buffer: Vec::new() })
    }

    /// Appends the changes of one datagram. `Ok(false)`: there was none.
    ///
    /// # Errors
    /// `ENOBUFS`: notifications were lost; any table may have changed.
    pub fn receive(&mut self, events: &mut Vec<TableEvent>) -> io::Result<bool> {
        match receive(&self.socket, &mut self.buffer) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(e) => return Err(e),
        }
        let parsed = messages(&self.buffer).filter_map(|(h, body)| parse_event(h, body).ok());
        events.extend(parsed.flatten());
        Ok(true)
    }
}

impl AsRawFd for Watch {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}
