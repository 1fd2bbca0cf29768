//! Two network namespaces and a wire. They are anonymous, and exist only as descriptors of the
//! test.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::process::Command;
use std::time::Duration;

use keepalived::sys::raw::Socket;
use libtest_mimic::Failed;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

/// Longer than any step takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Segment {
    pub(crate) a: Side,
    pub(crate) b: Side,
}

/// One end of the wire; its interface is called `wire0`.
pub(crate) struct Side {
    namespace: File,
    index: u32,
    pub(crate) v4: IpAddr,
    pub(crate) v6: IpAddr,
    pub(crate) link_local: IpAddr,
}

/// The reason why namespaces are unavailable, if they are.
pub(crate) fn impossible() -> Option<String> {
    // SAFETY: takes no pointers.
    let root = unsafe { libc::geteuid() } == 0;
    if !root {
        return Some("not root".to_owned());
    }
    in_thread(|| Namespace::fresh().map(drop)).err().map(|e| format!("no namespaces: {e}"))
}

/// Runs a test with its own segment in its own thread: a namespace belongs to a thread.
pub(crate) fn run(test: fn(&Segment) -> Result<(), Failed>) -> Result<(), Failed> {
    in_thread(move || test(&Segment::make().map_err(|e| e.to_string())?).map_err(message))
        .map_err(Failed::from)
}

fn message(failed: Failed) -> String {
    failed.message().unwrap_or("failed").to_owned()
}

#[expect(clippy::disallowed_methods, reason = "a namespace belongs to a thread")]
fn in_thread<E: ToString>(
    body: impl FnOnce() -> Result<(), E> + Send + 'static,
) -> Result<(), String> {
    std::thread::spawn(move || body().map_err(|e| e.to_string()))
        .join()
        .unwrap_or_else(|_| Err("panicked".to_owned()))
}

struct Namespace;

impl Namespace {
    /// Moves the thread into a new namespace.
    fn fresh() -> std::io::Result<File> {
        // SAFETY: no pointers; affects this thread alone.
        if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
            return Err(std::io::Error::last_os_error());
        }
        File::open("/proc/thread-self/ns/net")
    }
}

impl Segment {
    fn make() -> Result<Self, Box<dyn std::error::Error>> {
        let a = Side::new(Namespace::fresh()?, 1)?;
        let b = Side::new(Namespace::fresh()?, 2)?;
        let other = format!("/proc/{}/fd/{}", std::process::id(), a.namespace.as_raw_fd());
        b.ip(&["link", "add", "wire0", "type", "veth", "peer", "name", "wire0", "netns", &other])?;
        let mut segment = Self { a, b };
        for side in [&mut segment.a, &mut segment.b] {
            side.configure()?;
        }
        for side in [&segment.a, &segment.b] {
            side.wait_until_up()?;
        }
        Ok(segment)
    }
}

impl Side {
    fn new(namespace: File, host: u8) -> Result<Self, Box<dyn std::error::Error>> {
        Ok(Self {
            namespace,
            index: 0,
            v4: format!("10.9.0.{host}").parse()?,
            v6: format!("fd09::{host}").parse()?,
            link_local: format!("fe80::{host}").parse()?,
        })
    }

    fn configure(&mut self) -> Result<(), String> {
        self.ip(&["link", "set", "wire0", "addrgenmode", "none"])?;
        self.ip(&["link", "set", "wire0", "up"])?;
        self.ip(&["address", "add", &format!("{}/24", self.v4), "dev", "wire0"])?;
        for address in [self.v6, self.link_local] {
            self.ip(&["address", "add", &format!("{address}/64"), "dev", "wire0", "nodad"])?;
        }
        let shown = self.ip(&["-o", "link", "show", "wire0"])?;
        let index = shown.split(':').next().and_then(|index| index.trim().parse().ok());
        self.index = index.ok_or("an index")?;
        Ok(())
    }

    /// The kernel detects a carrier with up to a second of delay, and drops packets until then.
    #[expect(clippy::disallowed_methods, reason = "a test may watch the clock and wait")]
    fn wait_until_up(&self) -> Result<(), String> {
        let started = std::time::Instant::now();
        while !self.ip(&["-o", "link", "show", "wire0"])?.contains("state UP") {
            if started.elapsed() > PATIENCE {
                return Err("wire0 does not come up".to_owned());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    pub(crate) fn link(&self) -> (u32, String) {
        (self.index, "wire0".to_owned())
    }

    /// Runs a function inside the namespace. The thread stays there; callers that mind move it
    /// back.
    pub(crate) fn inside<T>(&self, body: impl FnOnce() -> T) -> T {
        // SAFETY: no pointers; affects this thread alone.
        let rc = unsafe { libc::setns(self.namespace.as_raw_fd(), libc::CLONE_NEWNET) };
        assert_eq!(rc, 0, "setns: {}", std::io::Error::last_os_error());
        body()
    }

    /// `ip ARGUMENTS` inside.
    #[expect(clippy::disallowed_methods, reason = "a test may wait for a command")]
    pub(crate) fn ip(&self, arguments: &[&str]) -> Result<String, String> {
        let output = self.inside(|| Command::new("ip").args(arguments).output());
        let output = output.map_err(|e| format!("ip: {e}"))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(format!("ip {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)))
        }
    }

    /// A sniffer for every frame from now on.
    pub(crate) fn sniffer(&self) -> std::io::Result<Sniffer> {
        const ALL: u16 = 3;
        let protocol = socket2::Protocol::from(i32::from(ALL.to_be()));
        let open =
            || socket2::Socket::new(socket2::Domain::PACKET, socket2::Type::RAW, Some(protocol));
        let socket = self.inside(open)?;
        socket.set_nonblocking(true)?;
        Ok(Sniffer(socket))
    }
}

pub(crate) struct Sniffer(socket2::Socket);

impl Sniffer {
    /// The next Ethernet frame for which `wanted` holds.
    pub(crate) fn next_frame(&self, wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>, Failed> {
        let mut buffer = [0; 2048];
        loop {
            let len = match (&self.0).read(&mut buffer) {
                Ok(len) => len,
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {
                    wait(self.0.as_raw_fd())?;
                    continue;
                }
                Err(e) => return Err(e.into()),
            };
            if len > 40 && wanted(&buffer[..len]) {
                return Ok(buffer[..len].to_vec());
            }
        }
    }
}

pub(crate) fn wait_readable(socket: &Socket) -> Result<(), Failed> {
    wait(socket.rx_fd())
}

pub(crate) fn wait(fd: RawFd) -> Result<(), Failed> {
    let mut poll = Poll::new()?;
    poll.registry().register(&mut SourceFd(&fd), Token(0), Interest::READABLE)?;
    let mut events = Events::with_capacity(1);
    poll.poll(&mut events, Some(PATIENCE))?;
    if events.is_empty() {
        return Err("nothing arrived".into());
    }
    Ok(())
}
