//! Log lines compared with keepalived's.

use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use super::*;
use crate::base::time::{Duration, Instant};
use crate::base::tracked::Finding;
use crate::base::verdict::ProbeStep;
use crate::check::Timings;
use crate::lvs::Input;
use crate::model::check::{
    Connect, Dns, Http, Misc, Protocol, Record, Schedule, Smtp, Udp, STATUS_DEFAULT,
};
use crate::model::lvs::tests::{real_server, virtual_server};
use crate::model::lvs::{self, Forwarding, RealServer, SorryServer};
use crate::model::script::{Script, User};

const SERVER: Connect = Connect::to(IpAddr::V4(Ipv4Addr::new(10, 3, 0, 11)), 25);

fn server(kind: Kind, retry: u32) -> RealServer {
    let mut rs = real_server([10, 3, 0, 11], 53);
    let schedule = Schedule { retry, ..Schedule::default() };
    let check = Check { kind, schedule, alpha: false, log_all_failures: true };
    rs.checks.push(Rc::new(check));
    rs
}

fn virtual_servers() -> VirtualServer {
    let mut vs = virtual_server([10, 3, 0, 102], 53);
    vs.protocol = Some(lvs::Protocol::Udp);
    vs
}

fn started(vs: VirtualServer) -> (Domain, Vec<Action>) {
    let (mut domain, mut out) = (Domain::default(), Vec::new());
    let id = domain.vacant_id();
    domain.handle(
        Input::Add {
            id,
            config: Rc::new(vs),
            recalled: crate::base::recalled::RecalledService::default(),
        },
        Instant::ZERO,
        &mut out,
    );
    let start = Input::Start { init_notifies: false };
    domain.handle(start, Instant::ZERO, &mut out);
    (domain, out)
}

fn lines(actions: &[Action]) -> Vec<String> {
    let mut lines = Vec::new();
    actions.iter().for_each(|a| lines_of_lvs(a, &mut |line| lines.push(line.to_string())));
    lines
}

#[test]
fn a_lost_quorum_reads_as_with_keepalived() {
    let mut vs = virtual_servers();
    vs.servers.push(server(Kind::Bfd("x".into()), 0));
    vs.sorry_server = Some(SorryServer {
        addr: [10, 3, 0, 9].into(),
        port: 53,
        forwarding: Forwarding::Nat,
        inhibit: false,
    });
    let (mut domain, out) = started(vs);
    assert_eq!(lines(&out), ["Gained quorum 1+0=1 <= 1 for VS [10.3.0.102]:udp:53"]);
    let mut tell = |up| {
        let mut out = Vec::new();
        let check = CheckId(0);
        let down = Verdict::Down(Reason::SessionDown(Finding::NoSession));
        let verdict = if up { Verdict::UP } else { down };
        let input = Input::Verdict { check, page: 0, verdict };
        domain.handle(input, Instant::ZERO, &mut out);
        lines(&out)
    };
    assert_eq!(
        tell(false),
        [
            "Removing service [10.3.0.11]:udp:53 from VS [10.3.0.102]:udp:53",
            "service [10.3.0.11]:udp:53 of VS [10.3.0.102]:udp:53 because: BFD_CHECK x: session is down: no session yet",
            "Lost quorum 1-0=1 > 0 for VS [10.3.0.102]:udp:53",
            "VS [10.3.0.102]:udp:53 because: 0 of 1 up, [10.3.0.11]:udp:53 is down: BFD_CHECK x: session is down: no session yet",
            "Adding sorry server [10.3.0.9]:udp:53 to VS [10.3.0.102]:udp:53",
            "Removing alive servers from the pool for VS [10.3.0.102]:udp:53",
        ]
    );
    assert_eq!(
        tell(true),
        [
            "Adding service [10.3.0.11]:udp:53 to VS [10.3.0.102]:udp:53",
            "service [10.3.0.11]:udp:53 of VS [10.3.0.102]:udp:53 because: BFD_CHECK x: success",
            "Gained quorum 1+0=1 <= 1 for VS [10.3.0.102]:udp:53",
            "VS [10.3.0.102]:udp:53 because: 1 of 1 up, [10.3.0.11]:udp:53 is up: BFD_CHECK x: success",
            "Removing sorry server [10.3.0.9]:udp:53 from VS [10.3.0.102]:udp:53",
            "Adding alive servers to the pool for VS [10.3.0.102]:udp:53",
        ]
    );
}

#[test]
fn lines_of_a_group_that_go_and_come_are_told() {
    let mut vs = virtual_servers();
    vs.service = Service::Group { name: "G".into(), index: 0 };
    let range = |from, to, port| GroupEntry::Range {
        first: [10, 1, 1, from].into(),
        last: [10, 1, 1, to].into(),
        port,
    };
    let mark = |mark| GroupEntry::Fwmark { mark, family: None };
    let old = [range(1, 1, 80), range(2, 4, 80), mark(5), mark(6)];
    let new = [range(1, 1, 80), range(3, 4, 80), range(7, 7, 81), mark(6)];
    let mut lines = Vec::new();
    lines_of_group(&vs, &old, &new, &mut |line| lines.push(line));
    assert_eq!(
        lines,
        [
            "VS [[10.1.1.2]:udp:80-10.1.1.4] in group G no longer exists",
            "VS [5] in group G no longer exists",
            "VS [[10.1.1.3]:udp:80-10.1.1.4] added into group G",
            "VS [[10.1.1.7]:udp:81] added into group G",
        ]
    );
}

#[test]
fn alpha_begins_with_the_quorum_down() {
    let mut vs = virtual_servers();
    vs.servers.push(server(Kind::Bfd("x".into()), 0));
    let check = Rc::make_mut(&mut vs.servers[0].checks[0]);
    (check.alpha, check.kind) = (true, Kind::Tcp(SERVER));
    (vs.quorum, vs.hysteresis) = (2, 1);
    assert_eq!(
        lines(&started(vs).1),
        [
            "Starting with quorum down 2-1=3 > 0 for VS [10.3.0.102]:udp:53",
            "Activating healthchecker for service [10.3.0.11]:udp:53 for VS [10.3.0.102]:udp:53",
        ]
    );
}

/// Lines logged when a check goes down immediately and comes up again.
fn told(kind: Kind, retry: u32, reason: Reason) -> Vec<String> {
    let mut vs = virtual_servers();
    vs.servers.push(server(kind, retry));
    let (domain, actions) = started(vs);
    let mut pool = Pool::new(1, 1);
    let (mut now, mut out, mut lines) = (Instant::ZERO, Vec::new(), Vec::new());
    for action in actions {
        if let Action::CheckAdded { check, config, up, .. } = action {
            let input = pool::Input::Add { check, config, up, suspended: false, recalled: None };
            pool.handle(input, now, &mut out);
        }
    }
    let results = [Verdict::UP, Verdict::Down(reason.clone()), Verdict::Down(reason), Verdict::UP];
    for verdict in results {
        now += Duration::from_secs(300);
        pool.handle(pool::Input::Deadline, now, &mut out);
        let check = CheckId(0);
        let timings = Timings::default();
        pool.handle(pool::Input::Done { check, verdict, timings }, now, &mut out);
        for action in out.drain(..) {
            lines_of_check(&action, &pool, &domain, &mut |line| lines.push(line));
        }
    }
    lines
}

#[test]
fn results_read_as_with_keepalived_and_say_why() {
    assert_eq!(
        told(Kind::Tcp(SERVER), 0, Reason::TimedOut(ProbeStep::Connecting)),
        [
            "TCP connection to [10.3.0.11]:udp:53 success.",
            "TCP_CHECK on service [10.3.0.11]:udp:53 failed.",
            "TCP_CHECK 10.3.0.11:25: timeout while connecting (total 0.0 ms)",
            "TCP connection to [10.3.0.11]:udp:53 success.",
        ]
    );
    let udp = Udp { payload: Vec::new(), reply: None };
    assert_eq!(
        told(Kind::Udp(SERVER, udp), 1, Reason::TimedOut(ProbeStep::Reply))[1..],
        [
            "UDP_CHECK on service [10.3.0.11]:udp:53 failed.",
            "UDP_CHECK 10.3.0.11:25: timeout while waiting for a reply (total 0.0 ms)",
            "UDP_CHECK on service [10.3.0.11]:udp:53 failed after 1 retries.",
            "UDP_CHECK 10.3.0.11:25: timeout while waiting for a reply (total 0.0 ms)",
            "UDP connection to [10.3.0.11]:udp:53 success.",
        ]
    );
    assert_eq!(
        told(Kind::Ping(SERVER), 1, Reason::TimedOut(ProbeStep::Reply))[3],
        "ICMP CHECK on service [10.3.0.11]:udp:53 of [10.3.0.102]:udp:53 failed after 1 retries."
    );
}

#[test]
fn protocols_say_what_went_wrong() {
    let smtp = Smtp { helo_name: "x".into() };
    let reason = Reason::Answer { step: ProbeStep::Greeting, found: Vec::new(), expected: 220 };
    assert_eq!(
        told(Kind::Smtp(SERVER, smtp), 0, reason)[1],
        "SMTP_CHECK Bad greeting banner from server [10.3.0.11]:25"
    );
    let dns = Dns { record: Record::Soa, name: String::new() };
    let lines = told(Kind::Dns(SERVER, dns), 1, Reason::Rcode(2));
    assert_eq!(
        lines[2],
        "DNS_CHECK ([10.3.0.11]:udp:53) read error occurred. (rcode = 2) after 1 retries"
    );
    assert_eq!(lines.len(), 4, "no line for being up");
}

#[test]
fn pages_of_a_server_that_is_down_are_named_with_what_was_right() {
    let url = |path: &str, digest| Url {
        path: path.into(),
        status_codes: vec![STATUS_DEFAULT],
        digest,
        regex: None,
        virtualhost: None,
        sni_name: None,
        tls_compliant: false,
    };
    let (tls, protocol, fast_recovery) = (false, Protocol::V1_0, false);
    let urls = vec![url("/a", Some([0; 16]))];
    let http = Http { tls, protocol, urls, fast_recovery };
    assert_eq!(
        told(Kind::Http(SERVER, http), 0, Reason::TimedOut(ProbeStep::Header)),
        [
            "Remote Web server [10.3.0.11]:udp:53 succeed on service.",
            "HTTP_CHECK on service [10.3.0.11]:udp:53 failed.",
            "HTTP_GET 10.3.0.11:25 /a: timeout while waiting for the header (total 0.0 ms)",
            "MD5 digest success to [10.3.0.11]:udp:53 url(/a)",
            "Remote Web server [10.3.0.11]:udp:53 succeed on service.",
        ]
    );
    let urls = vec![url("/a", None), url("/b", None)];
    let http = Http { tls, protocol, urls, fast_recovery };
    assert_eq!(
        told(Kind::Http(SERVER, http), 0, Reason::TimedOut(ProbeStep::Header))[2..],
        ["HTTP status code success to [10.3.0.11]:udp:53 url(/b)"],
        "the page that failed, and then all from the first"
    );
}

#[test]
fn scripts_are_named_with_their_retries() {
    let misc = |_: ()| {
        Kind::Misc(Misc {
            script: Script {
                path: "/c".into(),
                argv: vec!["/c".into(), "a".into()],
                user: User::ROOT,
                by_shell: false,
            },
            timeout: Duration::from_secs(1),
            dynamic: false,
        })
    };
    let of = "Misc check for [[10.3.0.11]:udp:53 VS [10.3.0.102]:udp:53] by [/c a]";
    let lines = told(misc(()), 0, Reason::Exit(3));
    assert_eq!(lines[0], format!("{of} succeeded."));
    assert_eq!(lines[1], format!("{of} failed with retry disabled (exited with status 3)."));
    let lines = told(misc(()), 1, Reason::Overran);
    assert_eq!(lines[1], format!("{of} timed out, will do 1 retries."));
    assert_eq!(lines[3], format!("{of} timed out after 1 retries."));
}
