//! Web servers, clients, one-line configurations, and tables as shown by `ipvsadm`.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::socket::{shutdown, Shutdown as How};

use crate::lab::{
    eventually, millis, output_of, pass, wait, Daemon, Host, Namespace, Outcome, Program, Segment,
    Skip, Workshop, SOON,
};

/// Generous, since all tests share a guest with one processor.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// For a program to start: one that is interpreted loads for long while other tests run.
const STARTING: Duration = Duration::from_secs(90);

/// Expands a one-line configuration: blocks and `;` become lines.
pub(crate) fn lines(text: &str) -> String {
    text.replace("{ ", "{\n").replace("; ", "\n").replace(" }", "\n}\n")
}

/// Response for the path of a request: status and page.
pub(crate) type Pages = fn(&str) -> (u16, &'static str);

/// A web server in a thread. It stops when dropped.
pub(crate) struct Web {
    listener: Arc<TcpListener>,
    thread: Option<JoinHandle<()>>,
}

impl Web {
    #[track_caller]
    pub(crate) fn start(host: &Namespace, address: &str, pages: Pages) -> Self {
        let listener = {
            let _inside = host.enter();
            TcpListener::bind(address).unwrap_or_else(|e| panic!("cannot listen at {address}: {e}"))
        };
        let listener = Arc::new(listener);
        let theirs = Arc::clone(&listener);
        #[expect(clippy::disallowed_methods, reason = "a server beside the test")]
        let thread = std::thread::spawn(move || {
            while let Ok((stream, _)) = theirs.accept() {
                answer(stream, pages);
            }
        });
        Self { listener, thread: Some(thread) }
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        // Wakes up accept, which then fails.
        let _ = shutdown(self.listener.as_raw_fd(), How::Both);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// `None` if the client disconnected.
fn answer(mut stream: TcpStream, pages: Pages) -> Option<()> {
    stream.set_read_timeout(Some(SOON)).ok()?;
    let (mut head, mut buffer) = (String::new(), [0; 1024]);
    while !head.contains("\r\n\r\n") {
        match stream.read(&mut buffer).ok()? {
            0 => return None,
            n => head.push_str(&String::from_utf8_lossy(&buffer[..n])),
        }
    }
    let (status, page) = pages(head.split(' ').nth(1).unwrap_or_default());
    let length = page.len();
    let text = format!("HTTP/1.1 {status} It\r\nContent-Length: {length}\r\n\r\n{page}");
    stream.write_all(text.as_bytes()).ok()?;
    stream.shutdown(Shutdown::Write).ok()
}

/// The page that a client gets from an address and port, if any.
pub(crate) fn page(client: &Namespace, address: &str) -> Option<String> {
    let _inside = client.enter();
    let address: SocketAddr = address.parse().expect("an address with a port");
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    text.split_once("\r\n\r\n").map(|(_, page)| page.to_owned())
}

/// `ipvsadm -Sn`, sorted.
pub(crate) fn table(host: &Namespace) -> Vec<String> {
    let said = host.output("ipvsadm", &["-Sn"]);
    let mut lines: Vec<_> = said.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.sort();
    lines
}

/// Waits for a table, given as sorted lines without the key of the virtual server.
#[track_caller]
pub(crate) fn wait_table(host: &Namespace, expected: &[&str]) {
    let mut seen = Vec::new();
    let done = eventually(PATIENCE, || {
        seen = table(host);
        seen == expected || {
            pass(millis(150));
            false
        }
    });
    assert!(done, "the table is {seen:#?} instead of {expected:#?}");
}

/// A client, a director at 10.1.0.1 and 10.2.0.1, and a web server at 10.2.0.3 behind it.
pub(crate) struct Street {
    pub(crate) client: Host,
    pub(crate) director: Host,
    pub(crate) server: Host,
    _segments: [Segment; 2],
}

impl Street {
    pub(crate) fn new() -> Self {
        let segments = [Segment::new(1), Segment::new(2)];
        let [outer, inner] = &segments;
        let [client, director, server] = ["client", "director", "server"].map(Host::new);
        let plug = |segment: &Segment, host: &Host, interface: &str, address: &str| {
            segment.plug(host, interface);
            host.ip(&format!("addr add {address}/16 dev {interface}"));
        };
        plug(outer, &client, "eth0", "10.1.0.9");
        plug(outer, &director, "eth0", "10.1.0.1");
        plug(inner, &director, "eth1", "10.2.0.1");
        plug(inner, &server, "eth0", "10.2.0.3");
        server.ip("route add default via 10.2.0.1");
        director.sysctl("net/ipv4/ip_forward", "1");
        Self { client, director, server, _segments: segments }
    }
}

/// kactl in a guest: its status and its output.
pub(crate) fn kactl_says(daemon: &Daemon, words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(&Program::under_test().path);
    output_of(command.arg0("kactl").arg("--socket").arg(daemon.file("main.sock")).args(words))
}

/// The output of a command that succeeds.
#[track_caller]
pub(crate) fn ok(daemon: &Daemon, words: &[&str]) -> String {
    let (status, text) = kactl_says(daemon, words);
    assert_eq!(status, Some(0), "kactl {words:?}: {text}");
    text
}

/// Connections, packets and bytes, by service and destination; of the service itself without one.
pub(crate) type Statistics = BTreeMap<(String, String), [u64; 5]>;

/// Connections, packets and bytes of every service and destination, from `ipvsadm --stats`; with
/// further arguments, of one service.
pub(crate) fn statistics(host: &Namespace, of: &[&str]) -> Statistics {
    let said = host.output("ipvsadm", &[&["-Ln", "--stats", "--exact"], of].concat());
    let (mut service, mut all) = (String::new(), BTreeMap::new());
    for line in said.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let [kind, name, numbers @ ..] = &words[..] else { continue };
        let numbers: Vec<u64> = numbers.iter().filter_map(|number| number.parse().ok()).collect();
        let Ok(numbers) = <[u64; 5]>::try_from(numbers) else { continue };
        let mut server = String::new();
        match *kind {
            "->" => server = (*name).to_owned(),
            _ => service = (*name).to_owned(),
        }
        // What changes meanwhile may be listed twice.
        all.insert((service.clone(), server), numbers);
    }
    all
}

/// A program on a host; it is stopped when dropped.
pub(crate) struct Server(Child);

impl Server {
    pub(crate) fn start(host: &Namespace, command: &[&str]) -> Self {
        let _inside = host.enter();
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .args(command)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the runner has seen that setpriv is there");
        Self(child)
    }

    /// Waits until the program accepts connections at this address of its host.
    #[track_caller]
    pub(crate) fn listens(self, host: &Namespace, address: &str) -> Self {
        let _inside = host.enter();
        let address: SocketAddr = address.parse().expect("an address with a port");
        let listens = || {
            TcpStream::connect_timeout(&address, SOON).is_ok() || {
                pass(millis(150));
                false
            }
        };
        wait(&format!("a server listens at {address}"), STARTING, listens);
        self
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn succeeds(program: &str, args: &[&str]) -> bool {
    let started = Command::new(program).args(args).stderr(Stdio::null()).spawn();
    started.and_then(|mut child| child.wait()).is_ok_and(|status| status.success())
}

pub(crate) fn require_aiosmtpd() -> Outcome {
    if succeeds("/usr/bin/python3", &["-c", "import aiosmtpd"]) {
        return Ok(());
    }
    Err(Skip::new("aiosmtpd is missing: apt-get install python3-aiosmtpd"))
}

/// Creates a self-signed certificate for this name; returns its file and that of its key.
pub(crate) fn certificate(shop: &Workshop, name: &str) -> (String, String) {
    let files = (shop.path(&format!("{name}.crt")), shop.path(&format!("{name}.key")));
    let made = format!(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN={name} -keyout {} -out {} 2>/dev/null",
        files.1, files.0
    );
    assert!(succeeds("sh", &["-c", &made]), "no certificate");
    files
}
