//! The paths: each runs as often as it is asked to.

#[path = "../../tests/config/memory.rs"]
mod memory;

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;

use keepalived::base::ids::{CheckId, InstanceId, SessionId};
use keepalived::base::time::{Duration, Instant, WallTime};
use keepalived::base::verdict::Verdict;
use keepalived::bfd::{self, SessionState};
use keepalived::check::end::End;
use keepalived::check::http::Page;
use keepalived::check::pool::{self, Pool};
use keepalived::check::timings::Timings;
use keepalived::config::{self, LinkFacts, ReadOptions};
use keepalived::control::Request;
use keepalived::model::{self, bfd::BfdInstance, check::Kind, Config};
use keepalived::vrrp::receive::Received;
use keepalived::vrrp::{advert, Domain, Input, LinkState};
use keepalived::wire::bfd::{ControlPacket, Diag};
use keepalived::wire::ip::V4_HEADER_LEN;
use memory::{MemoryHost, MemoryLoader};

pub(crate) struct Path {
    pub name: &'static str,
    /// Runs of the shorter of the two processes.
    pub times: u32,
    pub run: fn(u32),
}

const fn path(name: &'static str, times: u32, run: fn(u32)) -> Path {
    Path { name, times, run }
}

pub(crate) const ALL: &[Path] = &[
    path("advert-heard", 500, |times| adverts_heard(times, "version 3\n")),
    path("advert-heard-with-password", 500, |times| {
        adverts_heard(times, "version 2\nauthentication {\nauth_type PASS\nauth_pass secret\n}\n");
    }),
    path("advert-sent", 500, adverts_sent),
    path("advert-sent-by-one-of-1000", 500, deadlines),
    path("bfd-packet-heard", 500, bfd_packets),
    path("check-done-by-one-of-1000", 500, checks),
    path("page-of-2000-bytes-read", 200, pages),
    path("configuration-of-100", 2, configurations),
    path("request-of-kactl-read", 500, requests),
];

/// A configuration on a host with one interface.
fn load(text: String) -> Config {
    let loader = MemoryLoader::with("/k.conf", text);
    let host = MemoryHost::default().and_link("eth0", LinkFacts::plain(2));
    let loaded = config::load(&loader, "/k.conf", &ReadOptions::default(), &host);
    assert!(!loaded
        .diagnostics
        .iter()
        .any(|d| d.severity == keepalived::base::diag::Severity::Error));
    loaded.config
}

fn instances(count: u32, lines: &str) -> String {
    let block = |n: u32| {
        let (third, fourth, vrid) = (n / 250, n % 250 + 1, n % 250 + 1);
        format!(
            "vrrp_instance V{n} {{\ninterface eth0\nvirtual_router_id {vrid}\n{lines}\
             virtual_ipaddress {{\n10.9.{third}.{fourth}/16\n}}\n}}\n"
        )
    };
    (0..count).map(block).collect()
}

/// Virtual routers that have begun.
fn begun(text: String) -> Domain {
    let config = load(text);
    let (mut domain, mut out, now) = (Domain::new(Duration::ZERO), Vec::new(), Instant::ZERO);
    for instance in &config.instances {
        let id = domain.vacant_id();
        domain.handle(Input::Add { id, config: Rc::clone(instance) }, now, &mut out);
        domain.handle(Input::Link { name: "eth0", state: LinkState::Up }, now, &mut out);
        let source = Some(IpAddr::from([10, 9, 255, 1]));
        domain.handle(Input::Source { id, source }, now, &mut out);
    }
    domain.handle(Input::Start, now, &mut out);
    domain
}

fn adverts_heard(times: u32, lines: &str) {
    let mut domain = begun(instances(1, lines));
    let id = InstanceId(0);
    let config = Rc::clone(domain.instance(id).expect("it has begun").config());
    let group = IpAddr::from([224, 0, 0, 18]);
    let source = IpAddr::from([10, 9, 255, 2]);
    let mut bytes = Vec::new();
    advert::emit(&config, 200, source, group, &mut bytes);
    let mut out = Vec::new();
    for n in 1..=times {
        let now = Instant::from_millis(u64::from(n) * 1_000);
        let packet = Received {
            source,
            destination: Some(group),
            ttl: Some(255),
            arrived: now,
            wall: WallTime(0),
            header: None,
            pdu: &bytes[V4_HEADER_LEN..],
        };
        domain.handle(Input::Packet { id, packet }, now, &mut out);
        out.clear();
    }
    let counters = domain.instance(id).expect("it has begun").counters();
    assert_eq!(counters.advert_rcvd, u64::from(times), "all are accepted");
}

/// As many deadlines as it takes for so many advertisements.
fn adverts_sent(times: u32) {
    let mut domain = begun(instances(1, "version 3\npriority 255\n"));
    let (mut out, mut bytes) = (Vec::new(), Vec::new());
    let config = Rc::clone(domain.instance(InstanceId(0)).expect("it has begun").config());
    for _ in 0..times {
        let now = domain.next_deadline().expect("a master advertises");
        domain.handle(Input::Deadline, now, &mut out);
        bytes.clear();
        let (from, to) = (IpAddr::from([10, 9, 255, 1]), IpAddr::from([224, 0, 0, 18]));
        advert::emit(&config, 255, from, to, &mut bytes);
        black_box((&out, &bytes));
        out.clear();
    }
}

fn deadlines(times: u32) {
    let mut domain = begun(instances(1_000, "version 3\npriority 255\n"));
    let mut out = Vec::new();
    let mut sent = 0;
    let mut now = Instant::ZERO;
    while sent < times as usize {
        now = domain.next_deadline().expect("masters advertise").max(now);
        domain.handle(Input::Deadline, now, &mut out);
        sent += out.len();
        out.clear();
    }
}

fn bfd_packets(times: u32) {
    let id = SessionId(0);
    let neighbor = IpAddr::from([10, 0, 0, 2]);
    let mut domain = bfd::Domain::new([7; 16]);
    let (mut out, mut now) = (Vec::new(), Instant::from_millis(1));
    let config = Rc::new(BfdInstance::new("b", neighbor));
    domain.handle(bfd::Input::Add { id, config }, now, &mut out);
    let discriminator = domain.session(id).expect("it was added").discriminator();
    for n in 0..times {
        now += Duration::from_millis(10);
        // Of a neighbour that has the same settings.
        let payload = ControlPacket {
            diag: Diag::NONE,
            state: if n == 0 { SessionState::Init } else { SessionState::Up },
            poll: false,
            final_: false,
            independent: false,
            demand: false,
            multipoint: false,
            multiplier: 5,
            my_discriminator: 9,
            your_discriminator: discriminator,
            min_tx: 10_000,
            min_rx: 10_000,
            min_echo_rx: 0,
        }
        .emit(None);
        let received = bfd::Received {
            source: neighbor,
            interface: None,
            destination: Some(IpAddr::from([10, 0, 0, 1])),
            ttl: Some(255),
            multihop: false,
            arrived: now,
            payload: &payload,
        };
        domain.handle(bfd::Input::Packet(received), now, &mut out);
        domain.handle(bfd::Input::Deadline, now, &mut out);
        out.clear();
    }
    assert_eq!(domain.session(id).map(|session| session.state()), Some(SessionState::Up));
}

const SERVICE: &str = "virtual_server 10.0.0.1 80 {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\n\
    real_server 10.0.0.2 80 {\nHTTP_GET {\nurl {\npath /\nstatus_code 200\n}\n}\n}\n}\n";

fn checks(times: u32) {
    let config = load(SERVICE.to_owned());
    let check = Rc::clone(&config.virtual_servers[0].servers[0].checks[0]);
    let mut pool = Pool::new(1_000, 1);
    let (mut out, mut now) = (Vec::new(), Instant::ZERO);
    for n in 0..1_000 {
        let (check, config) = (CheckId(n), Rc::clone(&check));
        let input = pool::Input::Add { check, config, up: true, suspended: false, recalled: None };
        pool.handle(input, now, &mut out);
    }
    let mut done = 0;
    while done < times {
        now = pool.next_deadline().expect("checks are made").max(now);
        pool.handle(pool::Input::Deadline, now, &mut out);
        for action in std::mem::take(&mut out) {
            let pool::Action::Begin { check, .. } = action else { continue };
            let (verdict, timings) = (Verdict::UP, Timings::default());
            pool.handle(pool::Input::Done { check, verdict, timings }, now, &mut out);
            done += 1;
        }
        out.clear();
    }
}

fn pages(times: u32) {
    let config = load(SERVICE.to_owned());
    let check = Rc::clone(&config.virtual_servers[0].servers[0].checks[0]);
    let Kind::Http(_, http) = &check.kind else { panic!("the check is HTTP_GET") };
    let reply = format!(
        "HTTP/1.1 200 OK\r\nServer: s\r\nContent-Length: 2000\r\nContent-Type: text/html\r\n\r\n{}",
        "x".repeat(2_000)
    );
    for _ in 0..times {
        let mut page = Page::new(http, &http.urls[0], SocketAddr::from((Ipv4Addr::LOCALHOST, 80)));
        page.start();
        page.sent(page.pending_output().len());
        page.received(reply.as_bytes());
        page.closed(End::Cut);
        assert_eq!(page.outcome(), Some(&Verdict::UP));
    }
}

fn configurations(times: u32) {
    let text = instances(100, "priority 150\n");
    for _ in 0..times {
        black_box(load(text.clone()));
    }
}

const REQUEST: &[u8] = br#"{"version":1,"do":{"show":{"topic":"instance","name":"VI_1"}}}"#;

fn requests(times: u32) {
    for _ in 0..times {
        assert!(black_box(Request::parse(black_box(REQUEST))).is_ok());
    }
}
