//! The handler of signals that indicate a defect. It may come between any two instructions, so it
//! makes system calls, reads atomics and does nothing else.

use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicUsize, Ordering};

use super::{Message, WORDS};
use crate::sys::{check, statefile};

static SOCKET: AtomicI32 = AtomicI32::new(-1);
static TABLE: AtomicPtr<Message> = AtomicPtr::new(std::ptr::null_mut());
static COUNT: AtomicUsize = AtomicUsize::new(0);
static SYSLOG: AtomicBool = AtomicBool::new(false);

/// A stack that overflowed has no room for a handler.
const STACK: usize = 64 << 10;

/// Each signal with its log line.
const FATAL: [(libc::c_int, &[u8]); 5] = [
    (libc::SIGABRT, b"SIGABRT (out of memory, or a defect) ends the daemon"),
    (libc::SIGSEGV, b"SIGSEGV (stack overflow, or a defect) ends the daemon"),
    (libc::SIGBUS, b"SIGBUS (a page that could not be read) ends the daemon"),
    (libc::SIGILL, b"SIGILL (a defect) ends the daemon"),
    (libc::SIGFPE, b"SIGFPE (a defect) ends the daemon"),
];

/// Messages of the handler from now on, and the socket to send them through. They must live until
/// the next call.
pub(super) fn publish(socket: RawFd, messages: &[Message]) {
    // Never more than the table at hand has, whenever the signal comes.
    COUNT.store(0, Ordering::SeqCst);
    SOCKET.store(socket, Ordering::SeqCst);
    TABLE.store(messages.as_ptr().cast_mut(), Ordering::SeqCst);
    COUNT.store(messages.len(), Ordering::SeqCst);
}

/// Catches the signals, on a stack of their own.
pub(super) fn install(syslog: bool) -> io::Result<()> {
    SYSLOG.store(syslog, Ordering::SeqCst);
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping, at an address of the kernel's choice. It is never unmapped.
    let stack = unsafe { libc::mmap(std::ptr::null_mut(), STACK, protection, flags, -1, 0) };
    if stack == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    let stack = libc::stack_t { ss_sp: stack, ss_flags: 0, ss_size: STACK };
    // SAFETY: the stack is mapped for good, and used for nothing else.
    check(unsafe { libc::sigaltstack(&raw const stack, std::ptr::null_mut()) })?;
    for (signal, _) in FATAL {
        catch(signal)?;
    }
    Ok(())
}

fn catch(signal: libc::c_int) -> io::Result<()> {
    // SAFETY: plain data, for which zero is valid.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = on_fatal as *const () as libc::sighandler_t;
    // A second failure, in the handler, is the end.
    action.sa_flags = libc::SA_ONSTACK | libc::SA_RESETHAND | libc::SA_SIGINFO;
    // SAFETY: `action` lives, and its handler keeps to what a handler may do.
    unsafe {
        libc::sigfillset(&raw mut action.sa_mask);
        check(libc::sigaction(signal, &raw const action, std::ptr::null_mut()))?;
    }
    Ok(())
}

extern "C" fn on_fatal(
    signal: libc::c_int,
    info: *const libc::siginfo_t,
    _context: *const libc::c_void,
) {
    // SAFETY: the kernel passes an address with this signal.
    if signal == libc::SIGBUS && statefile::replace_lost(unsafe { (*info).si_addr() } as usize) {
        tell(b"The state file was truncated: a restart after a crash will need an election", b"");
        let _ = catch(signal);
        return;
    }
    let (table, count) = (TABLE.load(Ordering::SeqCst), COUNT.load(Ordering::SeqCst));
    if !table.is_null() {
        // SAFETY: `publish` was given as many messages, which live until it is called again; the
        // one thread there is does not go on before this returns.
        send(SOCKET.load(Ordering::SeqCst), unsafe { std::slice::from_raw_parts(table, count) });
    }
    if let Some((_, line)) = FATAL.iter().find(|(number, _)| *number == signal) {
        let is_armed = SOCKET.load(Ordering::SeqCst) != -1;
        tell(line, if is_armed { b"; its virtual addresses were removed" } else { b"" });
    }
    // SAFETY: numbers only. The action is the default again; the signal comes as soon as this
    // returns, and a core dump shows what was going on.
    unsafe { libc::raise(signal) };
}

/// Sends the messages one by one. The kernel is done with each when the call returns.
pub(super) fn send(socket: RawFd, messages: &[Message]) {
    for message in messages {
        let words = message.words();
        let bytes = bytes(&words);
        if !bytes.is_empty() {
            // SAFETY: `bytes` lives. Refusals arrive at a socket that is never read.
            unsafe {
                libc::send(socket, bytes.as_ptr().cast(), bytes.len(), libc::MSG_DONTWAIT);
            }
        }
    }
}

/// The message in its memory: empty where there is none.
pub(super) fn bytes(words: &[u32; WORDS]) -> &[u8] {
    let len = usize::try_from(words[0]).unwrap_or(0);
    // SAFETY: the bytes of the array, all of them initialised; no more than it has.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), len.min(size_of_val(words))) }
}

/// One line to standard error and to syslog. Waits for neither.
fn tell(line: &[u8], rest: &[u8]) {
    let mut error = libc::pollfd { fd: libc::STDERR_FILENO, events: libc::POLLOUT, revents: 0 };
    // SAFETY: one pollfd, which lives; buffers that live, with their lengths.
    unsafe {
        if libc::poll(&raw mut error, 1, 0) == 1 && error.revents & libc::POLLOUT != 0 {
            libc::write(error.fd, line.as_ptr().cast(), line.len());
            libc::write(error.fd, rest.as_ptr().cast(), rest.len());
            libc::write(error.fd, b"\n".as_ptr().cast(), 1);
        }
    }
    if SYSLOG.load(Ordering::SeqCst) {
        tell_syslog(line, rest);
    }
}

fn tell_syslog(line: &[u8], rest: &[u8]) {
    const LISTENER: &[u8] = b"/dev/log";
    // Facility daemon, severity critical (RFC 3164 §4.1.1).
    const HEAD: &[u8] = b"<26>Keepalived: ";
    // SAFETY: plain data, for which zero is valid.
    let mut to: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    to.sun_family = libc::AF_UNIX as libc::sa_family_t;
    for (to, from) in to.sun_path.iter_mut().zip(LISTENER) {
        *to = libc::c_char::from_ne_bytes([*from]);
    }
    let part = |bytes: &[u8]| libc::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    let mut parts = [part(HEAD), part(line), part(rest)];
    // SAFETY: plain data, for which zero is valid.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_name = (&raw mut to).cast();
    message.msg_namelen = size_of_val(&to) as libc::socklen_t;
    message.msg_iov = parts.as_mut_ptr();
    message.msg_iovlen = parts.len() as _;
    // SAFETY: the address, the parts and what they point to live; nothing waits.
    unsafe {
        let socket = libc::socket(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        libc::sendmsg(socket, &raw const message, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL);
    }
}
