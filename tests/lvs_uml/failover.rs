//! Two directors with one address, two web servers, and a client.

use std::time::Duration;

use crate::farm::{lines, page, table, wait_table, Web, PATIENCE};
use crate::lab::{now, wait, Daemon, Host, Outcome, Segment};

const VIP: &str = "10.1.38.15";
const SERVICE: &str = "10.1.38.15:80";
/// Maximum time from the failure of a server to its removal: a delay of 1 s, three retries 1 s
/// apart, and a second for each connection on a busy machine.
const REMOVAL: Duration = Duration::from_secs(8);

/// The clients' network with both directors; the real servers are in it, or behind the directors.
struct Site {
    _segments: Vec<Segment>,
    client: Host,
    directors: [Host; 2],
    servers: [Host; 2],
}

fn vrrp(priority: u8, inner: &str) -> String {
    lines(&format!(
        "vrrp_sync_group G {{ group {{ VI_1; {} }} }} \
         vrrp_instance VI_1 {{ state BACKUP; interface eth0; version 3; virtual_router_id 51; priority {priority}; \
         advert_int 0.2; virtual_ipaddress {{ {VIP}/16 }} }} {inner}",
        if inner.is_empty() { "" } else { "VI_2; " },
    ))
}

fn virtual_server(kind: &str, servers: [&str; 2]) -> String {
    let [http, tcp] = servers;
    lines(&format!(
        "virtual_server {VIP} 80 {{ delay_loop 1; lb_algo rr; lb_kind {kind}; protocol TCP; sorry_server 127.0.0.1 80; sorry_server_lvs_method DR; \
         real_server {http} 80 {{ weight 1; HTTP_GET {{ url {{ path /; status_code 200 }} connect_timeout 1; \
         retry 3; delay_before_retry 1 }} }} \
         real_server {tcp} 80 {{ weight 1; TCP_CHECK {{ connect_timeout 1; retry 3; delay_before_retry 1 }} }} }} ",
    ))
}

/// Rows of the table for the web servers and the sorry server.
struct Rows {
    first: String,
    second: String,
    sorry: String,
}

impl Rows {
    fn new(method: &str, servers: [&str; 2]) -> Self {
        let row = |server, method| format!("-a -t {SERVICE} -r {server}:80 {method} -w 1");
        // The kernel does not translate to loopback addresses.
        let sorry = row("127.0.0.1", "-g");
        Self { first: row(servers[0], method), second: row(servers[1], method), sorry }
    }

    #[track_caller]
    fn wait(&self, host: &Host, servers: &[&str]) {
        let service = format!("-A -t {SERVICE} -s rr");
        wait_table(host, &[&[service.as_str()], servers].concat());
    }

    #[track_caller]
    fn wait_both(&self, host: &Host) {
        self.wait(host, &[&self.first, &self.second]);
    }
}

fn served(client: &Host, count: usize) -> Vec<String> {
    let got = |_| page(client, SERVICE).unwrap_or_else(|| "nothing".to_owned());
    let mut pages: Vec<String> = (0..count).map(got).collect();
    pages.sort();
    pages
}

/// Waits until the client is served by both servers alternately.
#[track_caller]
fn wait_in_turn(client: &Host) {
    wait("the first answer", PATIENCE, || page(client, SERVICE).is_some());
    assert_eq!(served(client, 4), ["first", "first", "second", "second"]);
}

fn start_webs(servers: &[Host; 2]) -> [Web; 2] {
    [
        Web::start(&servers[0], "0.0.0.0:80", |_| (200, "first")),
        Web::start(&servers[1], "0.0.0.0:80", |_| (200, "second")),
    ]
}

/// The whole scenario, which is the same for every forwarding method.
fn play(site: &Site, rows: &Rows, configs: [String; 2]) {
    let Site { client, directors: [a, b], servers, .. } = site;
    let [first, second] = start_webs(servers);
    let sorry = [a, b].map(|host| Web::start(host, "0.0.0.0:80", |_| (200, "sorry")));
    let mut daemons = [a.start(&configs[0]), b.start(&configs[1])];
    daemons[0].wait_master("VI_1");
    daemons[1].wait_backup("VI_1");
    for (daemon, host) in daemons.iter().zip([a, b]) {
        wait_checked(daemon);
        rows.wait_both(host);
    }
    wait_in_turn(client);

    let mark = daemons[1].mark();
    assert!(daemons[0].stop().success());
    assert_eq!(table(a), [""; 0], "a stopped director leaves nothing behind");
    wait("the other is master", PATIENCE, || {
        daemons[1].logged_since(mark, "(VI_1) Entering MASTER STATE")
    });
    wait_in_turn(client);

    let died = now();
    drop(first);
    rows.wait(b, &[&rows.second]);
    let took = now().saturating_sub(died);
    assert!(took < REMOVAL, "a dead server was removed after {took:?}");
    assert_eq!(served(client, 2), ["second", "second"]);
    drop(second);
    rows.wait(b, &[&rows.sorry]);
    wait("the sorry server answers", PATIENCE, || served(client, 1) == ["sorry"]);

    let webs = start_webs(servers);
    rows.wait_both(b);
    wait_in_turn(client);
    assert!(daemons[1].stop().success());
    assert_eq!(table(b), [""; 0], "a stopped director leaves nothing behind");
    drop((webs, sorry));
}

/// Retries apply only after a first success.
#[track_caller]
fn wait_checked(daemon: &Daemon) {
    for line in ["Remote Web server", "TCP connection to"] {
        wait(&format!("{} logs '{line}'", daemon.name), PATIENCE, || {
            daemon.log().iter().any(|l| l.starts_with(line))
        });
    }
}

fn plug(segment: &Segment, host: &Host, interface: &str, address: &str) {
    segment.plug(host, interface);
    host.ip(&format!("addr add {address}/16 dev {interface}"));
}

/// Real servers reply to clients directly: they have the address, but do not announce it.
pub(crate) fn direct_routing_alternates_between_servers() -> Outcome {
    let segment = Segment::new(1);
    let [client, a, b, first, second] = ["client", "a", "b", "first", "second"].map(Host::new);
    for (host, address) in [(&client, "10.1.0.9"), (&a, "10.1.38.11"), (&b, "10.1.38.12")] {
        plug(&segment, host, "eth0", address);
    }
    let servers = ["10.1.38.13", "10.1.38.14"];
    for (host, address) in [&first, &second].into_iter().zip(servers) {
        plug(&segment, host, "eth0", address);
        host.sysctl("net/ipv4/conf/all/arp_ignore", "1");
        host.sysctl("net/ipv4/conf/all/arp_announce", "2");
        host.ip(&format!("addr add {VIP}/32 dev lo"));
    }
    let site =
        Site { _segments: vec![segment], client, directors: [a, b], servers: [first, second] };
    let config = |priority| vrrp(priority, "") + &virtual_server("DR", servers);
    play(&site, &Rows::new("-g", servers), [config(110), config(100)]);
    Ok(())
}

/// Real servers are behind the director, whose virtual address is their gateway.
pub(crate) fn address_translation_alternates_between_servers() -> Outcome {
    let (outer, inner) = (Segment::new(1), Segment::new(2));
    let [client, a, b, first, second] = ["client", "a", "b", "first", "second"].map(Host::new);
    for (host, n) in [(&a, 11), (&b, 12)] {
        plug(&outer, host, "eth0", &format!("10.1.38.{n}"));
        plug(&inner, host, "eth1", &format!("10.2.0.{n}"));
        host.sysctl("net/ipv4/ip_forward", "1");
    }
    plug(&outer, &client, "eth0", "10.1.0.9");
    let servers = ["10.2.0.13", "10.2.0.14"];
    for (host, address) in [&first, &second].into_iter().zip(servers) {
        plug(&inner, host, "eth0", address);
        host.ip("route add default via 10.2.0.1");
    }
    let site =
        Site { _segments: vec![outer, inner], client, directors: [a, b], servers: [first, second] };
    let gateway = |priority| {
        format!(
            "vrrp_instance VI_2 {{ state BACKUP; interface eth1; version 3; virtual_router_id 52; priority {priority}; \
             advert_int 0.2; virtual_ipaddress {{ 10.2.0.1/16 }} }} "
        )
    };
    let config = |priority| vrrp(priority, &gateway(priority)) + &virtual_server("NAT", servers);
    play(&site, &Rows::new("-m", servers), [config(110), config(100)]);
    Ok(())
}
