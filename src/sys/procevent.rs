//! The kernel's connector for processes: events for processes that start, change their name or end.
//!
//! It exists only in the initial namespaces of network and process ids, and requires CAP_NET_ADMIN.
//! Without it the caller scans `/proc` from time to time ([`super::procscan`]).

use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, RawFd};

use netlink_sys::{Socket, SocketAddr};

use super::filter::{attach, force_receive_buffer, set_receive_buffer, Program};
use super::reason;
use crate::model::global::ReceiveBuffer;
pub use crate::wire::netlink::procevent::ProcessEvent;
use crate::wire::netlink::procevent::{
    parse, subscribe, Subscription, ACK, CN_IDX_PROC, COMM, DATA_OFFSET, EXEC, EXIT, FORK,
    KIND_OFFSET,
};

const NETLINK_CONNECTOR: isize = 11;
/// Room for a burst of some ten thousand; the kernel allocates it only when it is used.
const ROOM: usize = 4 << 20;
/// An event has less than a hundred bytes.
const DATAGRAM: usize = 1024;

/// Reason why process events are unavailable.
#[derive(Debug)]
pub enum Error {
    /// The kernel has no connector, or not here.
    Open(io::Error),
    /// Permission was denied.
    Refused(io::Error),
    /// It did not answer, as in a namespace of process ids.
    Silent,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot follow processes by the kernel's connector: ")?;
        match self {
            Self::Open(e) | Self::Refused(e) => f.write_str(&reason(e)),
            Self::Silent => f.write_str("it does not answer, as in a container"),
        }
    }
}

impl std::error::Error for Error {}

/// Result of one attempt to receive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Got {
    /// There may be more.
    Events,
    /// Events were lost; all processes have to be scanned again.
    Lost,
    Nothing,
}

/// A subscription to all processes of the host.
#[derive(Debug)]
pub struct ProcessMonitor {
    socket: Socket,
    buffer: Vec<u8>,
}

impl ProcessMonitor {
    /// Subscribes. To be called before a network namespace is entered.
    ///
    /// # Errors
    /// It is unavailable here.
    pub fn open() -> Result<Self, Error> {
        let mut socket = Socket::new(NETLINK_CONNECTOR).map_err(Error::Open)?;
        force_receive_buffer(socket.as_raw_fd(), ROOM);
        // Filtered events cause no wake-up; without a filter they are skipped.
        let _ = attach(socket.as_raw_fd(), &filter());
        socket.bind(&SocketAddr::new(0, CN_IDX_PROC)).map_err(Error::Open)?;
        socket.set_non_blocking(true).map_err(Error::Open)?;
        let request = subscribe(Subscription::Listen);
        socket.send_to(&request, &SocketAddr::new(0, 0), 0).map_err(Error::Refused)?;
        let mut monitor = Self { socket, buffer: Vec::with_capacity(DATAGRAM) };
        monitor.await_ack()?;
        Ok(monitor)
    }

    /// # Errors
    /// The kernel refuses the size.
    pub fn set_receive_buffer(&self, buffer: ReceiveBuffer) -> io::Result<()> {
        set_receive_buffer(self.socket.as_raw_fd(), buffer, ROOM)
    }

    /// The kernel answers before it returns from the request, if it does; events of others may come
    /// first.
    fn await_ack(&mut self) -> Result<(), Error> {
        let mut answer = None;
        while answer.is_none() {
            let got = self.receive(|event| {
                if let ProcessEvent::Ack(code) = event {
                    answer = Some(code);
                }
            });
            match got {
                Ok(Got::Events) => {}
                // Events were lost, so there are some.
                Ok(Got::Lost) => return Ok(()),
                Ok(Got::Nothing) => return Err(Error::Silent),
                Err(e) => return Err(Error::Refused(e)),
            }
        }
        match answer.and_then(|code| i32::try_from(code).ok()) {
            Some(0) | None => Ok(()),
            Some(errno) => Err(Error::Refused(io::Error::from_raw_os_error(errno))),
        }
    }

    /// Receives once and passes the events on. Threads count only when they end, and when they give
    /// themselves a name: then `pid` is not `leader`.
    ///
    /// # Errors
    /// The kernel fails, which is not expected.
    pub fn receive(&mut self, mut each: impl FnMut(ProcessEvent<'_>)) -> io::Result<Got> {
        self.buffer.clear();
        self.buffer.reserve(DATAGRAM);
        let from = match self.socket.recv_from(&mut self.buffer, 0) {
            Ok((_, from)) => from,
            Err(e) => {
                return match e.raw_os_error() {
                    Some(libc::EAGAIN) => Ok(Got::Nothing),
                    Some(libc::EINTR) => Ok(Got::Events),
                    Some(libc::ENOBUFS) => Ok(Got::Lost),
                    _ => Err(e),
                };
            }
        };
        // Processes can send to us too.
        if from.port_number() != 0 {
            return Ok(Got::Events);
        }
        for event in parse(&self.buffer) {
            match event {
                Ok(ProcessEvent::Fork { pid, leader }) if pid != leader => {}
                Ok(ProcessEvent::Exec { pid, leader }) if pid != leader => {}
                Ok(event) => each(event),
                Err(e) => log::debug!("an event of a process: {e}"),
            }
        }
        Ok(Got::Events)
    }
}

impl Drop for ProcessMonitor {
    /// The kernel makes events as long as it counts a listener.
    fn drop(&mut self) {
        let request = subscribe(Subscription::Ignore);
        let _ = self.socket.send_to(&request, &SocketAddr::new(0, 0), 0);
    }
}

impl AsRawFd for ProcessMonitor {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

/// Accepts only known kinds and no new threads, of which busy hosts have thousands a second.
fn filter() -> Program {
    const TAX: u16 = 0x07;
    const JEQ_X: u16 = 0x1d;
    let at = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    let mut program = Program::default();
    program.load_word(at(KIND_OFFSET));
    for kind in [ACK, EXEC, COMM, EXIT] {
        // Numbers are in the order of the machine, loads in that of the network.
        program.accept_if(kind.to_be());
    }
    program.only_if(FORK.to_be(), 5);
    program.load_word(at(DATA_OFFSET + 8));
    program.push(TAX, 0, 0, 0);
    program.load_word(at(DATA_OFFSET + 12));
    program.push(JEQ_X, 0, 1, 0);
    program.accept_all();
    program.drop_all();
    program
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::script::Script;
    use crate::sys::children::{bury, ended, Manner, Starter};
    use crate::sys::sched::Inherited;
    use crate::sys::tests::{alone_with_children, wait};
    use crate::sys::users;

    #[test]
    fn a_process_is_seen_from_its_beginning_to_its_end() {
        let _alone = alone_with_children();
        let mut monitor = match ProcessMonitor::open() {
            Ok(monitor) => monitor,
            Err(e) => return eprintln!("SKIPPED: {e}"),
        };
        let argv = ["sh", "-c", "exec sleep 0"].map(str::to_owned).into();
        let user = users::own();
        let script = Script { path: "/bin/sh".into(), argv, user, by_shell: false };
        let mut starter = Starter::new(Inherited::read().expect("reads"));
        let child = starter.start(&script, &[], Manner::Borrow).expect("starts");
        let wanted = u32::try_from(child.pid().number()).expect("positive");
        let mut seen = Vec::new();
        wait(|| {
            let got = monitor.receive(|event| match event {
                ProcessEvent::Fork { pid, .. } if pid == wanted => seen.push("fork"),
                ProcessEvent::Exec { pid, .. } if pid == wanted => seen.push("exec"),
                ProcessEvent::Exit { pid, .. } if pid == wanted => seen.push("exit"),
                _ => {}
            });
            got.expect("receives");
            seen.contains(&"exit").then_some(())
        });
        assert_eq!(seen, ["fork", "exec", "exec", "exit"]);
        wait(|| ended().expect("looks"));
        bury(child.pid());
    }

    #[test]
    fn threads_count_by_their_names_only() {
        let mut monitor = match ProcessMonitor::open() {
            Ok(monitor) => monitor,
            Err(e) => return eprintln!("SKIPPED: {e}"),
        };
        #[expect(clippy::disallowed_methods, reason = "the test is about threads")]
        let thread = std::thread::spawn(|| {
            nix::sys::prctl::set_name(c"kp-thread").expect("a short name");
            u32::try_from(nix::unistd::gettid().as_raw())
        });
        let thread = thread.join().expect("ends").expect("positive");
        let mut seen = Vec::new();
        wait(|| {
            let got = monitor.receive(|event| match event {
                ProcessEvent::Comm { pid, leader, name } if pid == thread => {
                    assert_eq!(leader, std::process::id());
                    seen.push(String::from_utf8_lossy(name).into_owned());
                }
                ProcessEvent::Exit { pid, .. } if pid == thread => seen.push("exit".into()),
                ProcessEvent::Fork { pid, .. } if pid == thread => seen.push("fork".into()),
                _ => {}
            });
            got.expect("receives");
            seen.contains(&"exit".to_owned()).then_some(())
        });
        assert_eq!(seen.last_chunk(), Some(&["kp-thread".to_owned(), "exit".to_owned()]));
        assert!(!seen.contains(&"fork".to_owned()));
    }
}
