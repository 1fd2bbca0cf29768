//! Probes against real sockets on the loopback interface, with a simulated clock.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};

use super::*;
use crate::base::time::Duration;
use crate::model::check::{Dns as DnsConfig, Protocol, Record, Schedule, Smtp as SmtpConfig};
use crate::model::check::{Udp as UdpConfig, UdpReply, Url, STATUS_DEFAULT};

const ID: CheckId = CheckId(7);

struct Bench {
    probes: Probes,
    poll: Poll<Owner>,
    now: Instant,
    turns: u32,
}

impl Bench {
    fn new() -> Self {
        Self {
            probes: Probes::new(1),
            poll: Poll::new().unwrap(),
            now: Instant::from_millis(1),
            turns: 0,
        }
    }

    fn begin(&mut self, kind: Kind) {
        self.begin_every(Duration::from_secs(10), kind);
    }

    fn begin_every(&mut self, delay_loop: Duration, kind: Kind) {
        let schedule = Schedule { delay_loop, ..Schedule::default() };
        let config = Check { kind, schedule, alpha: false, log_all_failures: false };
        let begun = self.probes.begin(ID, &config, 0, self.now, &mut self.poll);
        assert_eq!(begun, Begun::Probing);
    }

    /// Waits for events and serves them; each call advances the clock of the probes a little.
    fn turn(&mut self) {
        self.turns += 1;
        assert!(self.turns < 2_000, "nothing happens");
        let mut ready = Vec::new();
        let until = self.now + Duration::from_millis(20);
        self.poll.wait(self.now, Some(until), true, &mut ready).unwrap();
        self.now += Duration::from_micros(10);
        for owner in ready {
            let Owner::Check(check) = owner else { continue };
            self.probes.on_ready(check, self.now, &mut self.poll);
        }
        while self.probes.on_unread(self.now, &mut self.poll) {}
    }

    /// Begins a probe of a server that sends more than one read returns.
    fn begin_large(&mut self, id: CheckId) -> TcpStream {
        let (listener, addr) = listener();
        let schedule = Schedule::default();
        let config = Check { kind: http(addr), schedule, alpha: false, log_all_failures: false };
        let _ = self.probes.begin(id, &config, 0, self.now, &mut self.poll);
        let mut server = listener.accept().unwrap().0;
        request(&mut server);
        server.write_all(b"HTTP/1.0 200 OK\r\n\r\n").unwrap();
        server.set_nonblocking(true).unwrap();
        while server.write(&[b'x'; 65_536]).is_ok() {}
        self.probes.on_ready(id, self.now, &mut self.poll);
        server
    }

    /// Runs turns until a probe makes a step.
    fn step(&mut self) {
        let before = self.probes.steps();
        while self.probes.steps() == before {
            self.turn();
        }
    }

    fn outcome(&mut self) -> String {
        loop {
            if let Some(finished) = self.probes.finished().first() {
                return shown(finished);
            }
            self.turn();
        }
    }
}

fn shown(finished: &Finished) -> String {
    match finished {
        Finished { verdict: Verdict::Up(_), .. } => "up".to_owned(),
        Finished { verdict: Verdict::Down(Reason::Unmade(why)), .. } => format!("unmade: {why}"),
        Finished { verdict: Verdict::Down(reason), .. } => reason.to_string(),
    }
}

fn to(addr: SocketAddr) -> Connect {
    Connect::to(addr.ip(), addr.port())
}

fn http(addr: SocketAddr) -> Kind {
    let url = Url {
        path: "/".into(),
        status_codes: vec![STATUS_DEFAULT],
        digest: None,
        regex: None,
        virtualhost: None,
        sni_name: None,
        tls_compliant: false,
    };
    let urls = vec![url];
    let http = Http { tls: false, protocol: Protocol::V1_0, urls, fast_recovery: false };
    Kind::Http(to(addr), http)
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    (listener, addr)
}

/// An address without a listener.
fn nobody() -> SocketAddr {
    listener().1
}

/// Reads a request to its end.
fn request(stream: &mut TcpStream) -> String {
    let (mut text, mut bytes) = (String::new(), [0; 512]);
    while !text.ends_with("\r\n\r\n") {
        let n = stream.read(&mut bytes).unwrap();
        assert!(n > 0, "{text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..n]));
    }
    text
}

#[test]
fn a_connection_is_enough_for_a_tcp_check() {
    let (_listener, addr) = listener();
    let mut bench = Bench::new();
    bench.begin(Kind::Tcp(to(addr)));
    assert_eq!(bench.outcome(), "up");
    assert_eq!(bench.probes.next_deadline(), None);
}

#[test]
fn a_refused_connection_is_a_failure_with_the_words_of_the_system() {
    let mut bench = Bench::new();
    bench.begin(Kind::Tcp(to(nobody())));
    assert_eq!(bench.outcome(), "Connection refused while connecting");
}

#[test]
fn what_this_host_lacks_is_named_as_its_own_fault() {
    let mut bench = Bench::new();
    let elsewhere = Some("192.0.2.77".parse().unwrap());
    bench.begin(Kind::Tcp(Connect { bind_addr: elsewhere, ..to(nobody()) }));
    let outcome = bench.outcome();
    let words = ["unmade: Cannot assign requested address", "unmade: Address not available"];
    assert!(words.contains(&outcome.as_str()), "glibc or musl: {outcome}");
    let device = Some("nosuchlink0".to_owned());
    bench.begin(Kind::Tcp(Connect { bind_if: device, ..to(nobody()) }));
    assert!(bench.outcome().starts_with("unmade: "));
}

#[test]
fn a_page_is_fetched_and_timed() {
    let (listener, addr) = listener();
    let mut bench = Bench::new();
    bench.begin(http(addr));
    let mut server = listener.accept().unwrap().0;
    bench.turn();
    assert!(request(&mut server).starts_with("GET / HTTP/1.0\r\n"));
    bench.now += Duration::from_millis(3);
    server.write_all(b"HTTP/1.0 503 No\r\n\r\nsorry").unwrap();
    drop(server);
    loop {
        bench.turn();
        let finished = bench.probes.finished();
        let Some(Finished { check, verdict, timings }) = finished.first() else { continue };
        assert_eq!(*check, ID);
        let Verdict::Down(reason) = verdict else { panic!("{verdict:?}") };
        assert_eq!(reason.to_string(), "status 503, expected 200-299");
        assert!(timings.connect < timings.first_byte, "{timings:?}");
        assert!(timings.first_byte <= Some(timings.total), "{timings:?}");
        break;
    }
}

#[test]
fn every_step_has_its_time_and_the_outcome_names_the_step() {
    let (listener, addr) = listener();
    let mut bench = Bench::new();
    bench.begin(http(addr));
    let mut server = listener.accept().unwrap().0;
    bench.turn();
    request(&mut server);
    let first = bench.probes.next_deadline().unwrap();
    bench.now = first - Duration::from_secs(1);
    server.write_all(b"HTTP/1.0 200 OK\r\n").unwrap();
    while bench.probes.next_deadline() == Some(first) {
        bench.turn();
    }
    bench.now = bench.probes.next_deadline().unwrap();
    assert!(bench.now > first, "it made progress");
    assert!(bench.probes.on_deadline(bench.now, &mut bench.poll));
    assert_eq!(bench.outcome(), "timeout while waiting for the header");
    assert!(!bench.probes.on_deadline(bench.now, &mut bench.poll));
}

#[test]
fn what_came_while_we_slept_counts() {
    let (listener, addr) = listener();
    let mut bench = Bench::new();
    bench.begin(http(addr));
    let mut server = listener.accept().unwrap().0;
    bench.turn();
    request(&mut server);
    server.write_all(b"HTTP/1.0 200 OK\r\n\r\nfine").unwrap();
    drop(server);
    bench.now += Duration::from_secs(600);
    assert!(bench.probes.on_deadline(bench.now, &mut bench.poll));
    assert_eq!(bench.outcome(), "up");
}

#[test]
fn a_large_page_does_not_keep_others_waiting() {
    let mut bench = Bench::new();
    let _server = bench.begin_large(ID);
    assert_eq!(bench.probes.unread(), 1);
    assert_eq!(bench.probes.finished(), []);
    assert!(!bench.probes.abort(ID, &mut bench.poll));
    assert_eq!(bench.probes.unread(), 0);
    assert_eq!(bench.probes.next_deadline(), None);
}

#[test]
fn large_pages_are_read_in_turns() {
    let mut bench = Bench::new();
    let ids = [1, 2, 3].map(CheckId);
    let servers: Vec<_> = ids.into_iter().map(|id| bench.begin_large(id)).collect();
    assert_eq!(bench.probes.unread(), 3);
    let mut served = Vec::new();
    for _ in 0..6 {
        assert!(bench.probes.on_unread(bench.now, &mut bench.poll));
        served.push(bench.probes.last_unread.0);
    }
    assert_eq!(served, [1, 2, 3, 1, 2, 3]);
    drop(servers);
}

#[test]
fn a_mail_server_greets_and_answers() {
    let (listener, addr) = listener();
    let mut bench = Bench::new();
    bench.begin(Kind::Smtp(to(addr), SmtpConfig { helo_name: "me".into() }));
    let mut server = listener.accept().unwrap().0;
    server.write_all(b"220 hello\r\n250 me\r\n221 bye\r\n").unwrap();
    assert_eq!(bench.outcome(), "up");
}

#[test]
fn silence_of_a_udp_port_is_fine_and_a_closed_one_is_not() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = server.local_addr().unwrap();
    let mut bench = Bench::new();
    let udp = || UdpConfig { payload: b"x".to_vec(), reply: None };
    bench.begin(Kind::Udp(to(addr), udp()));
    bench.now = bench.probes.next_deadline().unwrap();
    assert!(bench.probes.on_deadline(bench.now, &mut bench.poll));
    assert_eq!(bench.outcome(), "up");
    drop(server);
    bench.begin(Kind::Udp(to(addr), udp()));
    assert_eq!(bench.outcome(), "Connection refused while waiting for a reply");
}

#[test]
fn the_longest_answer_is_read_whole() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = server.local_addr().unwrap();
    let mut bench = Bench::new();
    let reply = UdpReply { pattern: Vec::new(), min_len: 65_507, max_len: 65_507 };
    bench.begin(Kind::Udp(to(addr), UdpConfig { payload: b"x".to_vec(), reply: Some(reply) }));
    let client = server.recv_from(&mut [0; 512]).unwrap().1;
    server.send_to(&[0; 65_507], client).unwrap();
    assert_eq!(bench.outcome(), "up");
}

#[test]
fn an_echo_is_answered() {
    let mut bench = Bench::new();
    bench.begin(Kind::Ping(Connect::to("127.0.0.1".parse().unwrap(), 0)));
    match bench.outcome().as_str() {
        "unmade: Permission denied" | "unmade: Operation not permitted" => {
            eprintln!("SKIPPED: ping is not permitted here");
        }
        outcome => assert_eq!(outcome, "up"),
    }
}

#[test]
fn strangers_do_not_answer_for_a_name_server() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = server.local_addr().unwrap();
    let mut bench = Bench::new();
    bench.begin(Kind::Dns(to(addr), DnsConfig { record: Record::Soa, name: String::new() }));
    let mut bytes = [0; 512];
    let (n, client) = server.recv_from(&mut bytes).unwrap();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    bytes[2] |= 0x80;
    stranger.send_to(&bytes[..n], client).unwrap();
    server.send_to(b"?", client).unwrap();
    bench.turn();
    assert_eq!(bench.probes.finished(), []);
    server.send_to(&bytes[..n], client).unwrap();
    assert_eq!(bench.outcome(), "up");
}

#[test]
fn a_server_that_sends_a_byte_now_and_then_is_found_out() {
    // Six steps of five seconds, or the time until the next probe.
    for (delay, all) in [(10, 30), (60, 60)] {
        let (listener, addr) = listener();
        let mut bench = Bench::new();
        let begun = bench.now;
        bench.begin_every(
            Duration::from_secs(delay),
            Kind::Smtp(to(addr), SmtpConfig { helo_name: "me".into() }),
        );
        let mut server = listener.accept().unwrap().0;
        bench.step();
        while let Some(deadline) = bench.probes.next_deadline() {
            bench.now = deadline - Duration::from_millis(10);
            server.write_all(b"2").unwrap();
            bench.step();
            if bench.probes.next_deadline() == Some(deadline) {
                bench.now = deadline;
                assert!(bench.probes.on_deadline(bench.now, &mut bench.poll));
            }
        }
        assert_eq!(bench.outcome(), "timeout while waiting for the greeting");
        assert_eq!(bench.now.since(begun), Duration::from_secs(all));
    }
}

#[test]
fn a_flood_of_strange_answers_wins_no_time() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = server.local_addr().unwrap();
    let mut bench = Bench::new();
    bench.begin(Kind::Dns(to(addr), DnsConfig { record: Record::Soa, name: String::new() }));
    let deadline = bench.probes.next_deadline().unwrap();
    let client = server.recv_from(&mut [0; 512]).unwrap().1;
    for now in [deadline - Duration::from_secs(1), deadline] {
        (0..20).for_each(|_| assert_eq!(server.send_to(b"?", client).unwrap(), 1));
        bench.now = now;
        bench.probes.on_ready(ID, now, &mut bench.poll);
        assert_eq!(bench.probes.next_deadline(), Some(deadline));
    }
    assert!(bench.probes.on_deadline(deadline, &mut bench.poll));
    assert_eq!(bench.outcome(), "timeout while waiting for a reply");
}

#[test]
fn a_long_page_that_came_while_we_slept_is_read_to_its_end() {
    let mut bench = Bench::new();
    drop(bench.begin_large(ID));
    bench.now += Duration::from_secs(600);
    assert!(bench.probes.on_deadline(bench.now, &mut bench.poll));
    assert_eq!(bench.probes.unread(), 1, "it used up its share");
    assert_eq!(bench.outcome(), "up");
}

#[test]
fn thousands_of_failures_leave_nothing_behind() {
    let (listener, addr) = listener();
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut bench = Bench::new();
    let elsewhere = Some("192.0.2.77".parse().unwrap());
    for round in 0..1_000 {
        bench.turns = 0;
        bench.begin(Kind::Tcp(to(nobody())));
        bench.outcome();
        bench.begin(Kind::Tcp(Connect { bind_addr: elsewhere, ..to(addr) }));
        bench.outcome();
        bench.begin(Kind::Udp(to(silent), UdpConfig { payload: b"x".to_vec(), reply: None }));
        bench.outcome();
        bench.begin(http(addr));
        drop(listener.accept().unwrap());
        bench.outcome();
        bench.begin(http(addr));
        let _server = listener.accept().unwrap();
        if round % 2 == 0 {
            bench.now = bench.probes.next_deadline().unwrap();
            while bench.probes.on_deadline(bench.now, &mut bench.poll) {}
            bench.outcome();
        } else {
            assert!(!bench.probes.abort(ID, &mut bench.poll));
        }
    }
    let probes = &bench.probes;
    let left = (probes.jobs.len(), probes.unread.len(), probes.scripts.count());
    assert_eq!((left, probes.next_deadline()), ((0, 0, 0), None));
    let (watched, slots) = bench.poll.watched();
    assert_eq!(watched, 0);
    assert!(slots < 10, "{slots} slots for one probe at a time");
}

#[test]
fn one_socket_after_the_other_in_the_same_descriptor() {
    let (_listener, addr) = listener();
    let mut bench = Bench::new();
    for _ in 0..100 {
        bench.begin(Kind::Tcp(to(addr)));
        assert_eq!(bench.outcome(), "up");
    }
    bench.begin(Kind::Tcp(to(nobody())));
    assert_eq!(bench.outcome(), "Connection refused while connecting");
}
