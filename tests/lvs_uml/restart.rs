//! Restarts by command and reloads of a daemon with a large table, under traffic.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keepalived::wire::netlink::ipvs::FAMILY;
use keepalived::wire::netlink::{genl, messages};
use nix::sys::socket::{
    recvfrom, setsockopt, socket, sockopt, AddressFamily, LinkAddr, SockFlag, SockProtocol,
    SockType,
};

use crate::farm::{kactl_says, lines, ok, statistics, Statistics, Street, Web, PATIENCE};
use crate::lab::{millis, now, ours_only, pass, secs, wait, Daemon, Namespace, Outcome};

const SERVICES: u16 = 2000;
/// Commands of IPVS (linux/ip_vs.h) that change nothing: those that get services, destinations,
/// sync daemons, timeouts and the version.
const READING: [u8; 5] = [4, GET_DEST, 11, 13, 15];
const GET_DEST: u8 = 8;
/// linux/if_arp.h
const ARPHRD_NETLINK: u16 = 824;
/// Ports that clients use all the time.
const BUSY: [u16; 4] = [1, 700, 1400, SERVICES];

fn connect(port: u16) -> Result<TcpStream, String> {
    let address = SocketAddr::from(([10, 1, 0, 1], port));
    TcpStream::connect_timeout(&address, secs(20)).map_err(|e| format!("port {port}: {e}"))
}

/// What became of connections.
#[derive(Default)]
struct Visits {
    made: usize,
    failed: Vec<String>,
    slowest: Duration,
}

impl Visits {
    fn make(client: &Namespace, is_over: &AtomicBool) -> Self {
        let (_inside, mut visits) = (client.enter(), Self::default());
        while !is_over.load(Ordering::Relaxed) {
            for port in BUSY {
                let start = now();
                match connect(port) {
                    Ok(_) => visits.made += 1,
                    Err(e) => visits.failed.push(e),
                }
                visits.slowest = visits.slowest.max(now().saturating_sub(start));
            }
            pass(millis(20));
        }
        visits
    }
}

/// A socket for what passes the interfaces of a namespace, among them one for its netlink messages.
fn monitor(host: &Namespace) -> OwnedFd {
    host.ip("link add nlmon0 type nlmon\nlink set nlmon0 up");
    let _inside = host.enter();
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let all = SockProtocol::EthAll;
    let socket = socket(AddressFamily::Packet, SockType::Raw, flags, all).expect("a socket");
    setsockopt(&socket, sockopt::RcvBufForce, &(64 << 20)).expect("root may");
    socket
}

/// Requests to IPVS in a namespace: how many of each command.
#[derive(Default)]
struct Requests {
    family: Option<u16>,
    /// Requests to any family, by its number and the command.
    seen: BTreeMap<(u16, u8), usize>,
}

impl Requests {
    /// Reads along: a queue would not have room for the answers.
    fn watch(monitor: OwnedFd, is_over: &AtomicBool) -> BTreeMap<u8, usize> {
        let (mut requests, mut buffer) = (Self::default(), vec![0; 1 << 16]);
        loop {
            let was_over = is_over.load(Ordering::Relaxed);
            while let Ok((length, from)) = recvfrom::<LinkAddr>(monitor.as_raw_fd(), &mut buffer) {
                if from.is_some_and(|from| from.hatype() == ARPHRD_NETLINK) {
                    requests.take(&buffer[..length]);
                }
            }
            if was_over {
                return requests.of_ipvs();
            }
            pass(millis(2));
        }
    }

    fn take(&mut self, datagram: &[u8]) {
        /// NLM_F_REQUEST
        const REQUEST: u16 = 1;
        for (header, body) in messages(datagram) {
            if header.kind == genl::CONTROLLER {
                self.family = self.family.or_else(|| genl::parse_family(body, FAMILY).ok());
            }
            if let (true, Ok((command, _))) = (header.flags & REQUEST != 0, genl::parse(body)) {
                *self.seen.entry((header.kind, command)).or_default() += 1;
            }
        }
    }

    fn of_ipvs(self) -> BTreeMap<u8, usize> {
        let family = self.family.expect("the daemon asks for the number of IPVS");
        let seen = self.seen.into_iter();
        seen.filter(|((kind, _), _)| *kind == family).map(|((_, c), n)| (c, n)).collect()
    }
}

/// Five restarts and two reloads.
fn disturb(daemon: &Daemon) {
    let mut reloads = 0;
    for n in 1..=5 {
        let (status, said) = kactl_says(daemon, &["restart"]);
        assert!(status == Some(0) && said.contains("has taken over"), "restart {n}: {said}");
        if n % 2 == 0 {
            let mark = daemon.mark();
            daemon.reload();
            daemon.wait_log_part(mark, "Reload complete");
            reloads += 1;
        }
    }
    assert_eq!(reloads, 2);
}

/// The connections of every virtual server, as metrics.
fn metrics_show_all(daemon: &Daemon, statistics: &Statistics) {
    let text = ok(daemon, &["metrics"]);
    let shown = |port: u16| {
        let labels = format!("virtual_server=\"[10.1.0.1]:tcp:{port}\"");
        let start = format!("keepalived_virtual_server_connections_total{{{labels}}} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&start));
        value.unwrap_or_else(|| panic!("no {start}")).parse::<u64>().expect("a number")
    };
    for port in (1..=SERVICES).step_by(100).chain(BUSY) {
        let [connections, ..] = statistics[&(format!("10.1.0.1:{port}"), String::new())];
        assert!(shown(port) >= connections, "{port}: {} of {connections}", shown(port));
    }
    let of_services =
        |line: &&str| line.starts_with("keepalived_virtual_server_connections_total{");
    assert_eq!(text.lines().filter(of_services).count(), usize::from(SERVICES));
    let of_servers = |line: &&str| line.starts_with("keepalived_real_server_connections_total{");
    assert_eq!(text.lines().filter(of_servers).count(), usize::from(SERVICES));
}

pub(crate) fn no_connection_of_2000_services_fails_at_restarts() -> Outcome {
    ours_only()?;
    let Street { client, director, server, .. } = &Street::new();
    let _web = Web::start(server, "0.0.0.0:80", |_| (200, "it"));
    let service = |port| {
        lines(&format!(
            "virtual_server 10.1.0.1 {port} {{ lvs_sched rr; lvs_method NAT; protocol TCP; \
             real_server 10.2.0.3 80 {{ weight 1 }} }} "
        ))
    };
    let config: String = (1..=SERVICES).map(service).collect();
    let mut daemon = director.start(&config);
    let entries = 2 * usize::from(SERVICES);
    wait("the table is complete", PATIENCE, || statistics(director, &[]).len() == entries);
    {
        let _inside = client.enter();
        for port in 1..=SERVICES {
            connect(port).expect("each service is there");
        }
    }
    // The kernel adds up its counters every two seconds.
    let used = |[connections, ..]: &[u64; 5]| *connections >= 1;
    wait("each has its connection", PATIENCE, || statistics(director, &[]).values().all(used));
    let before = statistics(director, &[]);

    let (from, is_over): (&Namespace, _) = (client, AtomicBool::new(false));
    let monitor = monitor(director);
    let (visits, requests) = std::thread::scope(|scope| {
        let visits = scope.spawn(|| Visits::make(from, &is_over));
        let requests = scope.spawn(|| Requests::watch(monitor, &is_over));
        disturb(&daemon);
        is_over.store(true, Ordering::Relaxed);
        let done = (visits.join(), requests.join());
        (done.0.expect("the client lives"), done.1.expect("the monitor lives"))
    });
    println!("requests by command: {requests:?}");
    let reads = requests.get(&GET_DEST).copied().unwrap_or_default();
    assert!(reads >= 5 * usize::from(SERVICES), "some requests were missed: {requests:?}");
    let changes = requests.keys().find(|command| !READING.contains(command));
    assert_eq!(changes, None, "{requests:?}");
    println!("{} connections, at most {:?} long", visits.made, visits.slowest);
    assert_eq!(visits.failed, Vec::<String>::new());
    assert!(visits.made > 100, "{} connections", visits.made);
    for port in BUSY {
        let service = format!("10.1.0.1:{port}");
        wait("its connections are counted", PATIENCE, || {
            let now = statistics(director, &["-t", &service]);
            now.len() == 2 && now.iter().all(|(key, numbers)| numbers[0] > before[key][0])
        });
    }
    // A service that is added again begins at 0.
    let after = statistics(director, &[]);
    assert!(after.keys().eq(before.keys()), "the table is another one");
    for (key, [connections, ..]) in &after {
        assert!(*connections >= before[key][0], "{key:?} was removed meanwhile");
    }
    metrics_show_all(&daemon, &after);
    assert!(daemon.stop().success());
    Ok(())
}
