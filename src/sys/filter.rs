//! Classic BPF programs for socket filters, and a few socket options that no library wraps.

use std::io;
use std::os::fd::RawFd;

use crate::model::global::ReceiveBuffer;

const LD_W_ABS: u16 = 0x20;
const LD_H_ABS: u16 = 0x28;
const LD_B_ABS: u16 = 0x30;
const JEQ: u16 = 0x15;
const RET: u16 = 0x06;
const ALL: u32 = u32::MAX;

/// A filter program under construction. Loads are in network byte order, whatever the data.
#[derive(Default, Clone)]
pub struct Program {
    code: Vec<libc::sock_filter>,
}

impl Program {
    pub(super) fn load_word(&mut self, offset: u32) {
        self.push(LD_W_ABS, 0, 0, offset);
    }

    pub(super) fn load_half(&mut self, offset: u32) {
        self.push(LD_H_ABS, 0, 0, offset);
    }

    pub(super) fn load_byte(&mut self, offset: u32) {
        self.push(LD_B_ABS, 0, 0, offset);
    }

    /// Number of instructions, of a short program.
    pub(super) fn len(&self) -> u8 {
        u8::try_from(self.code.len()).unwrap_or(u8::MAX)
    }

    pub(super) fn append(&mut self, other: Self) {
        self.code.extend(other.code);
    }

    /// Goes on with the next `count` instructions only if the value loaded is `value`.
    pub(super) fn only_if(&mut self, value: u32, count: u8) {
        self.push(JEQ, 0, count, value);
    }

    /// Accepts the whole datagram if the value loaded is `value`.
    pub(super) fn accept_if(&mut self, value: u32) {
        self.push(JEQ, 0, 1, value);
        self.accept_all();
    }

    /// Drops the datagram if the value loaded is `value`.
    pub(super) fn drop_if(&mut self, value: u32) {
        self.push(JEQ, 0, 1, value);
        self.drop_all();
    }

    pub(super) fn accept_all(&mut self) {
        self.push(RET, 0, 0, ALL);
    }

    pub(super) fn drop_all(&mut self) {
        self.push(RET, 0, 0, 0);
    }

    pub(super) fn push(&mut self, code: u16, jt: u8, jf: u8, k: u32) {
        self.code.push(libc::sock_filter { code, jt, jf, k });
    }
}

/// Replaces the filter of the socket.
pub fn attach(fd: RawFd, program: &Program) -> io::Result<()> {
    let len = u16::try_from(program.code.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let fprog = libc::sock_fprog { len, filter: program.code.as_ptr().cast_mut() };
    set_option(fd, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &fprog)
}

/// Requests a receive buffer, beyond the system's limit if permitted. A failure only means less
/// room.
pub(super) fn force_receive_buffer(fd: RawFd, bytes: usize) {
    let bytes = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
    if set_option(fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &bytes).is_err() {
        let _ = set_option(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, &bytes);
    }
}

/// Requests the time of arrival with each packet. Where there is none, as in emulators of system calls,
/// a packet counts as having arrived when it is read.
pub(super) fn ask_for_stamps(fd: RawFd) {
    let on: libc::c_int = 1;
    let _ = set_option(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &on);
}

/// Requests the configured receive buffer, or `usual` bytes as far as permitted.
///
/// # Errors
/// The kernel refuses the configured size.
pub(super) fn set_receive_buffer(fd: RawFd, buffer: ReceiveBuffer, usual: usize) -> io::Result<()> {
    let Some(bytes) = buffer.bytes else {
        force_receive_buffer(fd, usual);
        return Ok(());
    };
    let bytes = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
    let name = if buffer.force { libc::SO_RCVBUFFORCE } else { libc::SO_RCVBUF };
    set_option(fd, libc::SOL_SOCKET, name, &bytes)
}

/// `setsockopt` with a plain value.
pub(super) fn set_option<T: Copy>(
    fd: RawFd,
    level: libc::c_int,
    name: libc::c_int,
    value: &T,
) -> io::Result<()> {
    let len = libc::socklen_t::try_from(size_of::<T>()).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: `value` points to `len` readable bytes for the duration of the call; the kernel
    // checks the rest. A filter program is copied by the kernel before it returns.
    let rc = unsafe { libc::setsockopt(fd, level, name, std::ptr::from_ref(value).cast(), len) };
    if rc == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
