//! A netlink socket for many requests, sent in batches, with answers matched to their owners.
//!
//! The kernel executes a batch of requests while it is being sent, so the answers are available
//! when `flush` returns: many requests take one system call to send and one or two to receive.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use netlink_packet_core::NLM_F_ACK;
use netlink_sys::{Socket, SocketAddr};
use socket2::SockRef;

use super::filter;
use crate::base::errno::KernelReply;
use crate::model::global::ReceiveBuffer;
use crate::wire::netlink::{errno, messages, refusal_text, Writer, HEADER_LEN, NLMSG_ERROR};

/// Requests in one send: few enough that the kernel is done in about a millisecond.
const BATCH: usize = 32;

/// Where it is in a header.
const SEQUENCE: usize = 8;
/// Has no effect.
const NLMSG_NOOP: u16 = 1;

/// Pending requests with their owners.
pub(super) struct Pipeline<T> {
    socket: Socket,
    /// Size of the receive buffer that the system gave it.
    usual: usize,
    sequence: u32,
    /// The messages, of which those before `sent` have been sent.
    bytes: Vec<u8>,
    sent: usize,
    /// Length and owner of each unsent message.
    waiting: VecDeque<(usize, T)>,
    /// Some waiting message takes the kernel long, so they are sent one by one.
    is_slow: bool,
    /// Buffer for sending, and then for receiving.
    packet: Vec<u8>,
}

impl<T> Pipeline<T> {
    pub(super) fn open(protocol: isize) -> io::Result<Self> {
        let mut socket = Socket::new(protocol)?;
        socket.bind_auto()?;
        // A refusal need not bring the whole request back. Old kernels do not know this.
        let _ = socket.set_cap_ack(true);
        // The reason for one is more than its number.
        let _ = socket.set_ext_ack(true);
        limit_waiting(&socket)?;
        // The kernel reports twice what it was asked for (socket(7)).
        let usual = SockRef::from(&socket).recv_buffer_size()? / 2;
        Ok(Self {
            socket,
            usual,
            sequence: 0,
            bytes: Vec::new(),
            sent: 0,
            waiting: VecDeque::new(),
            is_slow: false,
            packet: Vec::new(),
        })
    }

    /// # Errors
    /// The kernel refuses the size.
    pub(super) fn set_receive_buffer(&self, buffer: ReceiveBuffer) -> io::Result<()> {
        filter::set_receive_buffer(self.socket.as_raw_fd(), buffer, self.usual)
    }

    /// For queries, during which no request is pending, since `flush` waits for all answers.
    pub(super) const fn socket(&self) -> &Socket {
        &self.socket
    }

    /// The port number the kernel names as the origin of what this socket changes.
    pub(super) fn port(&self) -> io::Result<u32> {
        let mut addr = SocketAddr::new(0, 0);
        self.socket.get_address(&mut addr)?;
        Ok(addr.port_number())
    }

    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Appends the one message that `emit` writes.
    pub(super) fn queue(&mut self, asker: T, emit: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        emit(&mut self.bytes);
        self.waiting.push_back((self.bytes.len() - start, asker));
    }

    /// Sends one batch and appends the kernel's answers: the owner, and whether it was done.
    pub(super) fn flush<A: From<KernelReply>>(
        &mut self,
        answers: &mut Vec<(T, A)>,
    ) -> io::Result<()> {
        let count = self.waiting.len().min(if self.is_slow { 1 } else { BATCH });
        if count == 0 {
            return Ok(());
        }
        let first = self.sequence.wrapping_add(1);
        let len: usize = self.waiting.iter().take(count).map(|(len, _)| len).sum();
        let packet = &mut self.packet;
        packet.clear();
        packet.extend_from_slice(&self.bytes[self.sent..self.sent + len]);
        // Refusals always come back. Success need not be acknowledged: the kernel works in order,
        // and acknowledges a no-op message when all before it are done. It cannot be the last
        // request: one that was interrupted (a sync daemon stopped before it ran) is never
        // answered. With a body: QEMU passes a bare header at the end on as it is, whatever the order of
        // its bytes.
        let mut noop = Writer::begin(packet, NLMSG_NOOP, NLM_F_ACK);
        noop.raw(&[0; 4]);
        noop.finish();
        let mut at = 0;
        for len in self.waiting.iter().take(count).map(|(len, _)| *len).chain([HEADER_LEN]) {
            self.sequence = self.sequence.wrapping_add(1);
            packet[at + SEQUENCE..at + SEQUENCE + 4].copy_from_slice(&self.sequence.to_ne_bytes());
            at += len;
        }
        self.socket.send(packet, 0)?;
        let result = self.collect(first, count, answers);
        if self.is_idle() {
            self.clear();
        }
        result
    }

    /// Answers all waiting requests with this errno, when none can be sent.
    pub(super) fn give_up<A: From<KernelReply>>(&mut self, errno: i32, answers: &mut Vec<(T, A)>) {
        let waiting = self.waiting.drain(..);
        answers.extend(waiting.map(|(_, asker)| (asker, KernelReply::from_errno(errno).into())));
        self.clear();
    }

    /// A waiting message takes the kernel long.
    pub(super) fn slow_down(&mut self) {
        self.is_slow = true;
    }

    fn clear(&mut self) {
        /// What stays allocated for the next time.
        const KEPT: usize = 64 << 10;
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
        self.waiting.shrink_to(BATCH);
        self.sent = 0;
        self.is_slow = false;
    }

    fn collect<A: From<KernelReply>>(
        &mut self,
        first: u32,
        count: usize,
        answers: &mut Vec<(T, A)>,
    ) -> io::Result<()> {
        let mut answered = 0;
        loop {
            receive(&self.socket, &mut self.packet)?;
            for (header, body) in messages(&self.packet) {
                let at = usize::try_from(header.sequence.wrapping_sub(first)).unwrap_or(usize::MAX);
                if header.kind != NLMSG_ERROR || at > count {
                    continue;
                }
                let Ok(errno) = errno(body) else { continue };
                // Everything up to a refusal, or to the acknowledged end, went well.
                while answered <= at && answered < count {
                    let Some((len, asker)) = self.waiting.pop_front() else { break };
                    self.sent += len;
                    let reply = match answered == at && errno != 0 {
                        true => KernelReply { errno, text: reason_text(header.flags, body) },
                        false => KernelReply::DONE,
                    };
                    answers.push((asker, reply.into()));
                    answered += 1;
                }
                if at == count {
                    return Ok(());
                }
            }
        }
    }
}

/// The kernel's words about a refusal, if there are any.
fn reason_text(flags: u16, body: &[u8]) -> Option<Box<str>> {
    /// Characters; the kernel uses no more than 80.
    const MOST: usize = 200;
    let text = String::from_utf8_lossy(refusal_text(flags, body)?);
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = text.chars().map(printable).take(MOST).collect();
    (!text.trim().is_empty()).then(|| text.trim().into())
}

/// The kernel answers while it takes a request in: an answer that takes longer was lost, and waiting
/// for it would never end.
pub(super) fn limit_waiting(socket: &Socket) -> io::Result<()> {
    SockRef::from(socket).set_read_timeout(Some(Duration::from_secs(2)))
}

/// Repeats a dump until nothing changed while it was read: a list that changed lacks entries.
/// `attempt` returns `None` in that case; `what` names the list.
pub(super) fn whole<T>(
    what: &str,
    mut attempt: impl FnMut() -> io::Result<Option<T>>,
) -> io::Result<T> {
    const MOST_TRIES: usize = 10;
    for _ in 0..MOST_TRIES {
        if let Some(list) = attempt()? {
            return Ok(list);
        }
    }
    Err(io::Error::other(format!("{what} change faster than they can be listed")))
}

/// One datagram in place of what `buffer` held.
pub(super) fn receive(socket: &Socket, buffer: &mut Vec<u8>) -> io::Result<()> {
    /// The most that the kernel puts into one datagram of a dump.
    const ROOM: usize = 32 << 10;
    loop {
        buffer.clear();
        buffer.reserve(ROOM);
        match socket.recv(buffer, 0) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other.map(|_| ()),
        }
    }
}

#[cfg(test)]
mod tests {
    use netlink_sys::protocols::NETLINK_GENERIC;

    use super::*;
    use crate::wire::netlink::genl;

    const ENOENT: i32 = 2;

    fn asks(pipeline: &mut Pipeline<usize>, refused: &[bool]) {
        for (n, refused) in refused.iter().enumerate() {
            pipeline.queue(n, |out| match refused {
                true => genl::emit_resolve("no-such-family", out),
                false => Writer::begin(out, NLMSG_NOOP, 0).finish(),
            });
        }
    }

    #[test]
    fn every_asker_hears_its_own_answer() {
        let mut pipeline = Pipeline::open(NETLINK_GENERIC).expect("a socket");
        for pattern in [1, 2, 3, 7, 40] {
            let refused: Vec<_> = (1..=3 * BATCH + 1).map(|n| n % pattern == 0).collect();
            asks(&mut pipeline, &refused);
            let (mut answers, mut sends) = (Vec::new(), 0);
            while !pipeline.is_idle() {
                pipeline.flush(&mut answers).expect("answers");
                sends += 1;
            }
            assert_eq!(sends, 4);
            let errno = |refused: &bool| if *refused { ENOENT } else { 0 };
            let expected: Vec<_> = refused.iter().map(errno).enumerate().collect();
            assert_eq!(answers, expected, "every {pattern}th refused");
        }
    }

    #[test]
    fn giving_up_answers_what_is_left() {
        let mut pipeline = Pipeline::open(NETLINK_GENERIC).expect("a socket");
        asks(&mut pipeline, &[false; BATCH + 2]);
        let mut answers = Vec::new();
        pipeline.flush(&mut answers).expect("answers");
        assert_eq!(answers.len(), BATCH);
        pipeline.give_up(5, &mut answers);
        assert_eq!(answers[BATCH..], [(BATCH, 5), (BATCH + 1, 5)]);
        assert!(pipeline.is_idle());
        answers.clear();
        asks(&mut pipeline, &[true]);
        pipeline.flush(&mut answers).expect("answers");
        assert_eq!(answers, [(0, ENOENT)]);
    }

    #[test]
    fn slow_requests_go_one_by_one() {
        let mut pipeline = Pipeline::open(NETLINK_GENERIC).expect("a socket");
        asks(&mut pipeline, &[false; 3]);
        pipeline.slow_down();
        let (mut answers, mut sends) = (Vec::<(usize, i32)>::new(), 0);
        while !pipeline.is_idle() {
            pipeline.flush(&mut answers).expect("answers");
            sends += 1;
        }
        assert_eq!((sends, answers.len()), (3, 3));
        asks(&mut pipeline, &[false; 3]);
        pipeline.flush(&mut answers).expect("answers");
        assert!(pipeline.is_idle(), "the next ones go together again");
    }
}
