//! The tests that run in the guest, one function each.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;
use std::time::Instant as Watch;

use keepalived::base::addr::Family;
use keepalived::base::ids::ServiceId;
use keepalived::base::time::Instant;
use keepalived::holdings::ipvs::{Action, Domain, Input};
use keepalived::sys::ipvs::Ipvs;
use keepalived::wire::netlink::ipvs::{
    Daemon, Destination, DestinationKey, Encapsulation, Forwarding, Name, Protocol, Request, Role,
    Service, ServiceFlags, ServiceKey, Timeouts, Tunnel,
};

use super::lab::{output_of, say};

const ENOENT: i32 = 2;

fn run(command: &str) -> String {
    let (code, said) = output_of(Command::new("sh").args(["-c", command]));
    assert_eq!(code, Some(0), "{command}: {said}");
    said
}

/// The lines of `ipvsadm -Sn`.
fn saved() -> Vec<String> {
    run("ipvsadm -Sn").lines().map(|line| line.trim_end().to_owned()).collect()
}

fn open() -> Ipvs<Request> {
    Ipvs::open(None).expect("IPVS")
}

/// An empty table.
fn fresh() -> Ipvs<Request> {
    let mut ipvs = open();
    assert_eq!(ask(&mut ipvs, &[Request::Flush]), [0]);
    ipvs
}

/// Sends all requests and returns the replies, which must be in order.
fn ask(ipvs: &mut Ipvs<Request>, requests: &[Request]) -> Vec<i32> {
    for request in requests {
        ipvs.queue(request, *request);
    }
    let mut answers = Vec::new();
    while !ipvs.is_idle() {
        ipvs.flush(&mut answers).expect("answers");
    }
    assert!(answers.iter().map(|(asker, _)| asker).eq(requests));
    answers.into_iter().map(|(_, errno)| errno).collect()
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn tcp(addr: &str, port: u16) -> ServiceKey {
    ServiceKey::Address { protocol: Protocol::Tcp, addr: ip(addr), port }
}

fn udp(addr: &str, port: u16) -> ServiceKey {
    ServiceKey::Address { protocol: Protocol::Udp, addr: ip(addr), port }
}

fn mark(family: Family, mark: u32) -> ServiceKey {
    ServiceKey::FwMark { family, mark }
}

fn destination(addr: &str, port: u16, forwarding: Forwarding) -> Destination {
    let key = DestinationKey { addr: ip(addr), port };
    Destination { key, forwarding, weight: 1, upper_threshold: 0, lower_threshold: 0 }
}

fn unload() {
    run("for m in $(lsmod | grep -o '^ip_vs_[a-z]*'); do rmmod $m; done; rmmod ip_vs");
}

pub(crate) fn the_module_is_loaded_when_it_is_needed() {
    unload();
    assert!(!Path::new("/proc/net/ip_vs").exists());
    let ipvs = open();
    assert!(Path::new("/proc/net/ip_vs").exists());
    let version = ipvs.info().expect("information").version;
    assert!((0x1_02_01..0x2_00_00).contains(&version), "{version:#x}");
}

pub(crate) fn a_missing_module_is_reported() {
    unload();
    let program = run("cat /proc/sys/kernel/modprobe");
    run("echo /bin/false >/proc/sys/kernel/modprobe");
    let e = Ipvs::<()>::open(None).err().expect("there is none");
    run(&format!("echo {} >/proc/sys/kernel/modprobe", program.trim()));
    assert_eq!(e.kind(), std::io::ErrorKind::NotFound);
    assert!(e.to_string().contains("modprobe ip_vs"), "{e}");
    let e = Ipvs::<()>::open(Some(Path::new("/run/netns/none"))).err().expect("there is none");
    assert!(e.to_string().contains("/run/netns/none"), "{e}");
}

pub(crate) fn every_scheduler() {
    let mut ipvs = fresh();
    let schedulers =
        ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "mh", "dh", "fo", "ovf", "sed", "nq"];
    for (port, scheduler) in (1..).zip(schedulers) {
        let service = Service::new(tcp("10.0.0.1", port), name(scheduler));
        let d = destination("10.9.0.1", port, Forwarding::Masq);
        let asked = [Request::AddService(service), Request::AddDestination(service.key, d)];
        assert_eq!(ask(&mut ipvs, &asked), [0, 0], "{scheduler}");
        let lines = saved();
        assert!(lines.contains(&format!("-A -t 10.0.0.1:{port} -s {scheduler}")), "{lines:?}");
    }
    // Not available in every kernel.
    let twos = Service::new(tcp("10.0.0.2", 1), name("twos"));
    match ask(&mut ipvs, &[Request::AddService(twos)])[..] {
        [0] => say(super::TWOS, "ok"),
        [ENOENT] => {}
        ref other => panic!("{other:?}"),
    }
    // The same again, as changes.
    for scheduler in schedulers {
        let service = Service::new(tcp("10.0.0.1", 1), name(scheduler));
        assert_eq!(ask(&mut ipvs, &[Request::ChangeService(service)]), [0], "{scheduler}");
        let lines = saved();
        assert!(lines.contains(&format!("-A -t 10.0.0.1:1 -s {scheduler}")), "{lines:?}");
        assert!(lines.contains(&"-a -t 10.0.0.1:1 -r 10.9.0.1:1 -m -w 1".to_owned()), "{lines:?}");
    }
}

/// Adds the services, and verifies them with a dump.
fn add_services(ipvs: &mut Ipvs<Request>, services: &[Service]) {
    let requests: Vec<_> = services.iter().map(|s| Request::AddService(*s)).collect();
    assert_eq!(ask(ipvs, &requests), vec![0; requests.len()]);
    let seen = ipvs.services().expect("a dump");
    assert_eq!(seen.len(), services.len());
    for service in services {
        let found = seen.iter().find(|s| s.service.key == service.key).expect("in the dump");
        assert!(service.is_held_as(&found.service), "{service:?} became {found:?}");
    }
}

pub(crate) fn services_match_the_output_of_ipvsadm() {
    let mut ipvs = fresh();
    let sctp = ServiceKey::Address { protocol: Protocol::Sctp, addr: ip("10.0.0.3"), port: 3 };
    let persistent = |key, timeout, netmask| Service {
        flags: ServiceFlags::PERSISTENT,
        timeout,
        netmask,
        ..Service::new(key, name("wlc"))
    };
    let flags =
        |key, scheduler: &str, flags| Service { flags, ..Service::new(key, name(scheduler)) };
    let both = ServiceFlags::SCHEDULER_1.with(ServiceFlags::SCHEDULER_2);
    let services = [
        Service::new(tcp("10.0.0.1", 80), name("rr")),
        Service::new(udp("10.0.0.1", 80), name("rr")),
        Service::new(sctp, name("wrr")),
        Service::new(tcp("2001:db8::1", 443), name("wlc")),
        Service::new(mark(Family::V4, 7), name("lc")),
        Service::new(mark(Family::V6, 7), name("sed")),
        persistent(tcp("10.0.0.2", 0), 360, u32::MAX),
        persistent(tcp("10.0.0.4", 80), 50, 0xffff_ff00),
        persistent(tcp("2001:db8::2", 80), 60, 64),
        flags(udp("10.0.0.5", 53), "rr", ServiceFlags::ONE_PACKET),
        flags(tcp("10.0.0.6", 80), "sh", both),
        flags(tcp("10.0.0.7", 80), "mh", ServiceFlags::SCHEDULER_2),
    ];
    add_services(&mut ipvs, &services);
    let expected: BTreeSet<_> = [
        "-A -t 10.0.0.1:80 -s rr",
        "-A -u 10.0.0.1:80 -s rr",
        "-A --sctp-service 10.0.0.3:3 -s wrr",
        "-A -t [2001:db8::1]:443 -s wlc",
        "-A -f 7 -s lc",
        "-A -f 7 -6 -s sed",
        "-A -t 10.0.0.2:0 -s wlc -p 360",
        "-A -t 10.0.0.4:80 -s wlc -p 50 -M 255.255.255.0",
        "-A -t [2001:db8::2]:80 -s wlc -p 60 -M 64",
        "-A -u 10.0.0.5:53 -s rr -o",
        "-A -t 10.0.0.6:80 -s sh -b sh-fallback,sh-port",
        "-A -t 10.0.0.7:80 -s mh -b mh-port",
    ]
    .map(str::to_owned)
    .into();
    assert_eq!(saved().into_iter().collect::<BTreeSet<_>>(), expected);
    let gone: Vec<_> = services.iter().map(|s| Request::RemoveService(s.key)).collect();
    assert_eq!(ask(&mut ipvs, &gone), vec![0; gone.len()]);
    assert!(saved().is_empty());
}

pub(crate) fn destinations_match_the_output_of_ipvsadm() {
    let mut ipvs = fresh();
    let tunnel =
        |encapsulation, port, flags| Forwarding::Tunnel(Tunnel { encapsulation, port, flags });
    let v4 = tcp("10.0.0.1", 80);
    let v6 = tcp("2001:db8::1", 80);
    add_services(&mut ipvs, &[v4, v6].map(|key| Service::new(key, name("wlc"))));
    let list = [
        (v4, destination("10.9.0.1", 8080, Forwarding::Masq)),
        (v4, destination("10.9.0.2", 80, Forwarding::Route)),
        (v4, destination("10.9.0.3", 80, Forwarding::Tunnel(Tunnel::IPIP))),
        (v4, destination("10.9.0.4", 80, tunnel(Encapsulation::Gue, 6080, 0))),
        (v4, destination("10.9.0.5", 80, tunnel(Encapsulation::Gue, 6080, Tunnel::CHECKSUM))),
        (v4, destination("10.9.0.6", 80, tunnel(Encapsulation::Gue, 1, Tunnel::REMOTE_CHECKSUM))),
        (v4, destination("10.9.0.7", 80, tunnel(Encapsulation::Gre, 0, 0))),
        (v4, destination("10.9.0.8", 80, tunnel(Encapsulation::Gre, 0, Tunnel::CHECKSUM))),
        (v4, destination("2001:db8::9", 80, Forwarding::Tunnel(Tunnel::IPIP))),
        (v6, destination("2001:db8::8", 80, Forwarding::Route)),
        (v6, destination("2001:db8::7", 8080, Forwarding::Masq)),
    ];
    let asked: Vec<_> = list.iter().map(|(key, d)| Request::AddDestination(*key, *d)).collect();
    assert_eq!(ask(&mut ipvs, &asked), vec![0; asked.len()]);
    let mut seen = BTreeSet::new();
    for (service, destinations) in ipvs.dump(&mut || {}).expect("a dump") {
        seen.extend(destinations.iter().map(|d| format!("{:?} {d:?}", service.key)));
    }
    assert_eq!(seen, list.iter().map(|(key, d)| format!("{key:?} {d:?}")).collect());
    let expected: BTreeSet<_> = [
        "-a -t 10.0.0.1:80 -r 10.9.0.1:8080 -m -w 1",
        "-a -t 10.0.0.1:80 -r 10.9.0.2:80 -g -w 1",
        "-a -t 10.0.0.1:80 -r 10.9.0.3:80 -i -w 1 --tun-type ipip",
        "-a -t 10.0.0.1:80 -r 10.9.0.4:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum",
        "-a -t 10.0.0.1:80 -r 10.9.0.5:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum",
        "-a -t 10.0.0.1:80 -r 10.9.0.6:80 -i -w 1 --tun-type gue --tun-port 1 --tun-remcsum",
        "-a -t 10.0.0.1:80 -r 10.9.0.7:80 -i -w 1 --tun-type gre --tun-nocsum",
        "-a -t 10.0.0.1:80 -r 10.9.0.8:80 -i -w 1 --tun-type gre --tun-csum",
        "-a -t 10.0.0.1:80 -r [2001:db8::9]:80 -i -w 1 --tun-type ipip",
        "-a -t [2001:db8::1]:80 -r [2001:db8::8]:80 -g -w 1",
        "-a -t [2001:db8::1]:80 -r [2001:db8::7]:8080 -m -w 1",
    ]
    .map(str::to_owned)
    .into();
    let lines: BTreeSet<_> = saved().into_iter().filter(|l| l.starts_with("-a")).collect();
    assert_eq!(lines, expected);
}

pub(crate) fn weights_and_thresholds_change_in_place() {
    let mut ipvs = fresh();
    let key = tcp("10.0.0.1", 80);
    add_services(&mut ipvs, &[Service::new(key, name("wlc"))]);
    let first = destination("10.9.0.1", 80, Forwarding::Masq);
    let mut changed = first;
    changed.weight = i32::MAX;
    changed.upper_threshold = 500;
    changed.lower_threshold = 100;
    let asked = [Request::AddDestination(key, first), Request::ChangeDestination(key, changed)];
    assert_eq!(ask(&mut ipvs, &asked), [0, 0]);
    let line = "-a -t 10.0.0.1:80 -r 10.9.0.1:80 -m -w 2147483647";
    assert!(saved().contains(&line.to_owned()), "{:?}", saved());
    let said = run("ipvsadm -Ln --thresholds");
    let thresholds = said.lines().find(|line| line.contains("10.9.0.1:80")).expect("a line");
    assert_eq!(thresholds.split_whitespace().collect::<Vec<_>>()[2..4], ["500", "100"], "{said}");
    let seen = ipvs.destinations(&key).expect("a dump");
    assert_eq!(seen.iter().map(|s| s.destination).collect::<Vec<_>>(), [changed]);
    let quiet = Destination { weight: 0, ..first };
    assert_eq!(ask(&mut ipvs, &[Request::ChangeDestination(key, quiet)]), [0]);
    assert!(saved().contains(&"-a -t 10.0.0.1:80 -r 10.9.0.1:80 -m -w 0".to_owned()));
}

pub(crate) fn refusals_are_distinguished() {
    const ESRCH: i32 = 3;
    const EEXIST: i32 = 17;
    let mut ipvs = fresh();
    let service = Service::new(tcp("10.0.0.1", 80), name("wlc"));
    let none = Service::new(tcp("10.0.0.2", 80), name("no-scheduler"));
    let d = destination("10.9.0.1", 80, Forwarding::Masq);
    let asked = [
        (Request::ChangeService(service), ESRCH),
        (Request::RemoveService(service.key), ESRCH),
        (Request::AddDestination(service.key, d), ESRCH),
        (Request::AddService(none), ENOENT),
        (Request::AddService(service), 0),
        (Request::AddService(service), EEXIST),
        (Request::ChangeService(Service { key: service.key, ..none }), ENOENT),
        (Request::ChangeDestination(service.key, d), ENOENT),
        (Request::RemoveDestination(service.key, d.key), ENOENT),
        (Request::AddDestination(service.key, d), 0),
        (Request::AddDestination(service.key, d), EEXIST),
        (Request::RemoveDestination(service.key, d.key), 0),
        (Request::RemoveService(service.key), 0),
    ];
    let answers = ask(&mut ipvs, &asked.map(|(request, _)| request));
    assert_eq!(answers, asked.map(|(_, errno)| errno));
}

pub(crate) fn timeouts_are_set_one_by_one() {
    let mut ipvs = open();
    let before = ipvs.timeouts().expect("timeouts");
    assert_eq!(before, Timeouts { tcp: 900, tcp_fin: 120, udp: 300 });
    let only = Timeouts { tcp: 0, tcp_fin: 33, udp: 0 };
    assert_eq!(ask(&mut ipvs, &[Request::SetTimeouts(only)]), [0]);
    assert_eq!(ipvs.timeouts().expect("timeouts"), Timeouts { tcp_fin: 33, ..before });
    let said = run("ipvsadm -L --timeout");
    assert!(said.contains("900 33 300"), "{said}");
    assert_eq!(ask(&mut ipvs, &[Request::SetTimeouts(before)]), [0]);
    assert_eq!(ipvs.timeouts().expect("timeouts"), before);
}

pub(crate) fn sync_daemons_come_and_go() {
    let mut ipvs = open();
    run(
        "ip link add sync0 type dummy && ip addr add 10.7.0.1/24 dev sync0 && ip link set sync0 up",
    );
    let plain = |role| Daemon {
        role,
        interface: name("sync0"),
        id: 3,
        max_len: None,
        port: None,
        ttl: None,
        group: None,
    };
    let asked = [Role::Master, Role::Backup].map(|role| Request::StartDaemon(plain(role)));
    assert_eq!(ask(&mut ipvs, &asked), [0, 0]);
    let said = run("ipvsadm -L --daemon");
    assert!(said.contains("master sync daemon (mcast=sync0, syncid=3"), "{said}");
    assert!(said.contains("backup sync daemon (mcast=sync0, syncid=3"), "{said}");
    let seen = ipvs.daemons().expect("a dump");
    assert_eq!(seen.iter().map(|d| d.role).collect::<Vec<_>>(), [Role::Master, Role::Backup]);
    assert_eq!((seen[0].port, seen[0].ttl), (Some(8848), Some(1)));
    assert_eq!(seen[0].group, Some(ip("224.0.0.81")));
    let stops = [Role::Master, Role::Backup].map(Request::StopDaemon);
    assert_eq!(ask(&mut ipvs, &stops), [0, 0]);
    let full = Daemon {
        max_len: Some(1400),
        port: Some(9999),
        ttl: Some(7),
        group: Some(ip("224.0.0.99")),
        ..plain(Role::Master)
    };
    assert_eq!(ask(&mut ipvs, &[Request::StartDaemon(full)]), [0]);
    assert_eq!(ipvs.daemons().expect("a dump"), [full]);
    assert_eq!(ask(&mut ipvs, &[Request::StopDaemon(Role::Master)]), [0]);
    let v6 = Daemon { group: Some(ip("ff02::99")), ..full };
    run("ip -6 addr add fe80::7/64 dev sync0 nodad");
    assert_eq!(ask(&mut ipvs, &[Request::StartDaemon(v6)]), [0]);
    assert_eq!(ipvs.daemons().expect("a dump"), [v6]);
    assert_eq!(ask(&mut ipvs, &[Request::StopDaemon(Role::Master)]), [0]);
    assert_eq!(ipvs.daemons().expect("a dump"), []);
}

pub(crate) fn daemons_and_timeouts_are_held_and_restored() {
    let mut held = Held::new();
    let original = held.ipvs.timeouts().expect("timeouts");
    let of = |role, port| Daemon {
        role,
        interface: name("lo"),
        id: 5,
        max_len: None,
        port,
        ttl: None,
        group: Some(ip("224.0.0.81")),
    };
    // Left over from another program.
    run("ipvsadm --start-daemon backup --mcast-interface lo --syncid 5 --mcast-port 7777");
    let seen = held.ipvs.daemons().expect("a dump");
    let _ = held.on(Input::SeenDaemons { daemons: &seen });
    let _ = held.on(Input::SeenTimeouts { timeouts: original });
    let wanted = [of(Role::Master, None), of(Role::Backup, None)];
    let _ = held.on(Input::WantDaemons { daemons: &wanted });
    let timeouts = Timeouts { tcp: 77, tcp_fin: 0, udp: 0 };
    let _ = held.on(Input::WantTimeouts { timeouts });
    assert_eq!(held.settle(Vec::new()), (4, vec![]));
    let seen = held.ipvs.daemons().expect("a dump");
    assert!(wanted.iter().zip(&seen).all(|(w, s)| w.is_held_as(s)), "{seen:?}");
    assert_eq!(seen.len(), 2);
    let changed = Timeouts { tcp: 77, ..original };
    assert_eq!(held.ipvs.timeouts().expect("timeouts"), changed);
    // A second copy finds nothing to change.
    let mut again = Held { domain: Domain::default(), ipvs: open(), now: Instant::ZERO };
    let _ = again.on(Input::SeenDaemons { daemons: &seen });
    let _ = again.on(Input::WantDaemons { daemons: &wanted });
    assert_eq!(again.settle(Vec::new()), (0, vec![]));
    let actions = held.on(Input::ReleaseAll { flush: false });
    assert_eq!(held.settle(actions), (3, vec![]));
    assert_eq!(held.ipvs.daemons().expect("a dump"), []);
    assert_eq!(held.ipvs.timeouts().expect("timeouts"), original);
}

pub(crate) fn another_namespace_has_its_own_table() {
    run("ip netns add blue");
    let home = std::fs::read_link("/proc/thread-self/ns/net").expect("a namespace");
    let mut here = fresh();
    let mut there = Ipvs::open(Some(Path::new("/run/netns/blue"))).expect("IPVS there");
    assert_eq!(std::fs::read_link("/proc/thread-self/ns/net").expect("a namespace"), home);
    let service = Service::new(tcp("10.0.0.1", 80), name("wlc"));
    assert_eq!(ask(&mut there, &[Request::AddService(service)]), [0]);
    assert_eq!(here.services().expect("a dump"), []);
    assert_eq!(run("ip netns exec blue ipvsadm -Sn").trim(), "-A -t 10.0.0.1:80 -s wlc");
    assert_eq!(ask(&mut here, &[Request::RemoveService(service.key)]), [3]);
    run("ip netns del blue");
}

/// Holdings connected to the kernel.
struct Held {
    domain: Domain,
    ipvs: Ipvs<Request>,
    now: Instant,
}

impl Held {
    fn new() -> Self {
        let mut held = Self { domain: Domain::default(), ipvs: fresh(), now: Instant::ZERO };
        assert_eq!(held.look(), []);
        held
    }

    fn on(&mut self, input: Input<'_>) -> Vec<Action> {
        let mut out = Vec::new();
        self.domain.handle(input, self.now, &mut out);
        out
    }

    fn look(&mut self) -> Vec<Action> {
        let dump = self.ipvs.dump(&mut || {}).expect("a dump");
        self.on(Input::Dumped { services: &dump })
    }

    /// Carries out the due requests. Returns their number, and the reported actions.
    fn settle(&mut self, first: Vec<Action>) -> (usize, Vec<Action>) {
        let (mut count, mut reported, mut actions) = (0, Vec::new(), first);
        loop {
            for action in std::mem::take(&mut actions) {
                match action {
                    Action::Ask(request) => self.ipvs.queue(&request, request),
                    other => reported.push(other),
                }
            }
            let mut answers = Vec::new();
            while !self.ipvs.is_idle() {
                self.ipvs.flush(&mut answers).expect("answers");
            }
            count += answers.len();
            for (request, errno) in answers {
                actions.extend(self.on(Input::Answer { request: &request, errno }));
            }
            if self.domain.next_deadline().is_some_and(|when| when <= self.now) {
                actions.extend(self.on(Input::Deadline));
            } else if actions.is_empty() {
                return (count, reported);
            }
        }
    }
}

pub(crate) fn external_changes_are_repaired() {
    run("ipvsadm -C; ipvsadm -A -t 10.0.0.9:9 -s rr; ipvsadm -a -t 10.0.0.9:9 -r 10.9.0.9");
    let mut held = Held { domain: Domain::default(), ipvs: open(), now: Instant::ZERO };
    let _ = held.look();
    let services = [tcp("10.0.0.1", 80), mark(Family::V4, 5)].map(|k| Service::new(k, name("wlc")));
    let destinations = [1, 2].map(|n| destination(&format!("10.9.0.{n}"), 80, Forwarding::Route));
    let owner = ServiceId(1);
    let _ = held.on(Input::Want { owner, services: &services, destinations: &destinations });
    assert_eq!(held.settle(Vec::new()), (6, vec![]));
    let whole = saved();
    assert_eq!(whole.len(), 8, "{whole:?}");
    assert!(whole.contains(&"-a -f 5 -r 10.9.0.2:0 -g -w 1".to_owned()), "{whole:?}");
    run("ipvsadm -D -t 10.0.0.1:80; ipvsadm -d -f 5 -r 10.9.0.1");
    run("ipvsadm -a -f 5 -r 10.9.0.7 -g; ipvsadm -e -f 5 -r 10.9.0.2 -g -w 9");
    let reported = held.look();
    assert_eq!(reported.len(), 2, "{reported:?}");
    assert_eq!(held.settle(reported).0, 6);
    assert_eq!(
        saved().into_iter().collect::<BTreeSet<_>>(),
        whole.into_iter().collect::<BTreeSet<_>>()
    );
    let actions = held.on(Input::ReleaseAll { flush: false });
    assert_eq!(held.settle(actions), (2, vec![]));
    assert_eq!(saved(), ["-A -t 10.0.0.9:9 -s rr", "-a -t 10.0.0.9:9 -r 10.9.0.9:9 -g -w 1"]);
}

pub(crate) fn many_destinations_in_little_time() {
    const SERVICES: u16 = 2000;
    const EACH: u16 = 18;
    let mut held = Held::new();
    let wants: Vec<_> = (0..SERVICES)
        .map(|n| {
            let service = Service::new(tcp("10.0.0.1", n + 1), name("wlc"));
            let list: Vec<_> = (0..EACH)
                .map(|d| {
                    let addr = format!("10.9.{}.{}", n % 250, d + 1);
                    destination(&addr, n + 1, Forwarding::Masq)
                })
                .collect();
            (ServiceId(n.into()), [service], list)
        })
        .collect();
    let want = |held: &mut Held| {
        for (owner, services, destinations) in &wants {
            let _ = held.on(Input::Want { owner: *owner, services, destinations });
        }
    };
    #[expect(clippy::disallowed_methods, reason = "measures")]
    let watch = Watch::now();
    want(&mut held);
    let (count, reported) = held.settle(Vec::new());
    println!("{count} requests in {:?}", watch.elapsed());
    assert_eq!(reported.first(), None);
    assert_eq!(count, usize::from(SERVICES) * usize::from(EACH + 1));
    assert_eq!(saved().len(), count);
    // A second copy finds nothing to change.
    let mut again = Held { domain: Domain::default(), ipvs: open(), now: Instant::ZERO };
    #[expect(clippy::disallowed_methods, reason = "measures")]
    let watch = Watch::now();
    let _ = again.look();
    println!("dump of {count} in {:?}", watch.elapsed());
    want(&mut again);
    assert_eq!(again.settle(Vec::new()), (0, vec![]));
    #[expect(clippy::disallowed_methods, reason = "measures")]
    let watch = Watch::now();
    let actions = again.on(Input::ReleaseAll { flush: false });
    assert_eq!(again.settle(actions), (usize::from(SERVICES), vec![]));
    println!("released in {:?}", watch.elapsed());
    assert!(saved().is_empty());
}
