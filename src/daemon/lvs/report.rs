//! The log lines of virtual servers and checks. Those that operators search for are
//! byte-compatible with keepalived; what we add, what was found and how long it took, is a line of
//! its own behind them.

use std::fmt::Write as _;

use super::told::complaint;
use crate::base::ids::CheckId;
use crate::check::{pool, Pool, Reason, Verdict};
use crate::daemon::report::HeldBack;
use crate::lvs::{Action, Domain, Leaving, ServerRef, Why};
use crate::model::check::{Check, Kind};
use crate::model::lvs::Service;

pub(super) fn lvs(action: &Action) {
    lines_of_lvs(action, &mut |line| log::info!("{line}"));
}

pub(super) fn check(action: &pool::Action, pool: &Pool, domain: &Domain) {
    lines_of_check(action, pool, domain, &mut |line| log::info!("{line}"));
}

/// A probe that could not be made for reasons of our own.
pub(super) fn unmade(check: CheckId, why: &str, held_back: u32, pool: &Pool) {
    let Some(entry) = pool.check(check) else { return };
    let delay = entry.config().schedule.delay_loop.as_secs_f64();
    let probed = crate::check::timings::Probed { config: entry.config(), page: 0 };
    log::warn!(
        "{probed}: the check could not be made: {why}. Rescheduling in {delay} s{}",
        HeldBack(held_back)
    );
}

fn lines_of_lvs(action: &Action, say: &mut impl FnMut(String)) {
    let pair = |server: &ServerRef| (server.name().to_string(), server.service.config.to_string());
    match action {
        Action::CheckAdded { config, server, suspended, .. } => {
            let (rs, vs) = pair(server);
            match (&config.kind, suspended) {
                (Kind::Bfd(_), _) => {}
                (_, true) => {
                    say(format!("Deactivating healthchecker for service {rs} for VS {vs}"))
                }
                (_, false) => say(format!("Activating healthchecker for service {rs} for VS {vs}")),
            }
        }
        Action::CheckSuspended { server, .. } => {
            let (rs, vs) = pair(server);
            say(format!("Suspending healthchecker for service {rs} for VS {vs}"));
        }
        Action::CheckResumed { server, .. } => {
            let (rs, vs) = pair(server);
            say(format!("Activating healthchecker for service {rs} for VS {vs}"));
        }
        Action::ServerChanged { why: Why::Initial | Why::Confirmed, .. } => {}
        Action::ServerChanged { server, up, .. } => {
            let (rs, vs) = pair(server);
            say(match (server.config().inhibit_on_failure, up) {
                (true, true) => format!("Enabling service {rs} of VS {vs}"),
                (true, false) => format!("Disabling service {rs} of VS {vs}"),
                (false, true) => format!("Adding service {rs} to VS {vs}"),
                (false, false) => format!("Removing service {rs} from VS {vs}"),
            });
        }
        Action::WeightChanged { server, from, to, up } => {
            let (rs, vs) = pair(server);
            let state = if *up { "active" } else { "inactive" };
            say(format!("Changing weight from {from} to {to} for {state} service {rs} of VS {vs}"));
        }
        Action::QuorumChanged { service, up, starting, tally } => {
            let (q, h, w) = (tally.quorum, tally.hysteresis, tally.weight);
            let (t, vs) = (tally.threshold, &service.config);
            say(match (up, starting) {
                (true, _) => format!("Gained quorum {q}+{h}={t} <= {w} for VS {vs}"),
                (false, false) => format!("Lost quorum {q}-{h}={t} > {w} for VS {vs}"),
                // Thus in keepalived, although the sum is one.
                (false, true) => format!("Starting with quorum down {q}-{h}={t} > {w} for VS {vs}"),
            });
        }
        Action::SorryServer { service, on } => {
            let vs = &service.config;
            let Some(sorry) = &vs.sorry_server else { return };
            let name = vs.sorry_name(sorry);
            say(match (sorry.inhibit, on) {
                (true, true) => format!("Enabling sorry server {name} to VS {vs}"),
                (true, false) => format!("Disabling sorry server {name} from VS {vs}"),
                (false, true) => format!("Adding sorry server {name} to VS {vs}"),
                (false, false) => format!("Removing sorry server {name} from VS {vs}"),
            });
        }
        Action::AliveServers { service, on } => {
            let vs = &service.config;
            say(match on {
                true => format!("Adding alive servers to the pool for VS {vs}"),
                false => format!("Removing alive servers from the pool for VS {vs}"),
            });
        }
        Action::ServiceLeaving(service) => say(match &service.config.service {
            Service::Group { name, .. } => format!("Removing Virtual Server Group [{name}]"),
            Service::Address { .. } | Service::Fwmark(_) => {
                format!("Removing Virtual Server {}", service.config)
            }
        }),
        Action::ServerGone { server, leaving, .. } => {
            let (rs, vs) = pair(server);
            match leaving {
                Leaving::Removed => {
                    say(format!("service {rs} no longer exist"));
                    say(format!("Removing service {rs} from VS {vs}"));
                }
                Leaving::WithService => say(format!("Removing service {rs} from VS {vs}")),
                Leaving::Shutdown => say(format!("Shutting down service {rs} from VS {vs}")),
                Leaving::Flushed => {}
            }
        }
        Action::Want(_)
        | Action::Put { .. }
        | Action::Withdraw(_)
        | Action::Release(_)
        | Action::CheckAdjusted { .. }
        | Action::CheckRemoved(_)
        | Action::CheckTurned { .. }
        | Action::ServiceGone { .. } => {}
    }
}

fn lines_of_check(
    action: &pool::Action,
    pool: &Pool,
    domain: &Domain,
    say: &mut impl FnMut(String),
) {
    let (check, tail) = match action {
        pool::Action::Result { turned: false, first: false, .. }
        | pool::Action::Begin { .. }
        | pool::Action::Abort(_) => return,
        pool::Action::PageUp { check, .. } => (*check, Tail::Up),
        pool::Action::Retrying { check, nth, of } => {
            (*check, Tail::Retry { done: nth.saturating_sub(1), of: *of })
        }
        pool::Action::Result { check, up: true, .. } => (*check, Tail::Up),
        pool::Action::Result { check, retries, .. } => (*check, Tail::Down { retries: *retries }),
    };
    let (Some(entry), Some(server)) = (pool.check(check), domain.server_of(check)) else { return };
    let Some((last, _)) = entry.last() else { return };
    let config = entry.config();
    match (action, last.verdict) {
        (pool::Action::PageUp { page, .. }, _) => {
            // keepalived has a line for each, but only while the server is down.
            if let (Kind::Http(_, http), false) = (&config.kind, entry.life().is_up()) {
                let path = http.urls.get(*page).map_or("", |url| url.path.as_str());
                say(format!("HTTP status code success to {} url({path})", server.name()));
            }
        }
        (pool::Action::Retrying { .. }, _) if !config.log_all_failures => {}
        (_, Verdict::Down(reason)) => {
            say(down(config, reason, tail, &server));
            if !matches!(config.kind, Kind::File(_) | Kind::Bfd(_)) {
                say(last.to_string());
            }
        }
        (_, Verdict::Up(_)) => {
            if let Some(line) = up(&config.kind, &server) {
                say(line);
            }
        }
    }
}

/// How far it has come with its retries.
#[derive(Clone, Copy)]
enum Tail {
    Up,
    Retry { done: u32, of: u32 },
    Down { retries: u32 },
}

fn up(kind: &Kind, server: &ServerRef) -> Option<String> {
    let (rs, vs) = (server.name(), &server.service.config);
    Some(match kind {
        Kind::Tcp(_) => format!("TCP connection to {rs} success."),
        Kind::Http(..) => format!("Remote Web server {rs} succeed on service."),
        Kind::Smtp(..) => format!("Remote SMTP server {rs} succeed on service."),
        Kind::Udp(..) => format!("UDP connection to {rs} success."),
        Kind::Ping(_) => format!("ICMP connection to {rs} success."),
        Kind::Misc(misc) => {
            let script = misc.script.shown();
            format!("Misc check for [{rs} VS {vs}] by [{script}] succeeded.")
        }
        Kind::Bfd(name) => format!("BFD check of [{name}] RS({rs}) is UP"),
        Kind::File(file) => format!("File check of [{}] RS({rs}) is UP", file.name),
        Kind::Dns(..) => return None,
    })
}

fn down(config: &Check, reason: &Reason, tail: Tail, server: &ServerRef) -> String {
    let kind = &config.kind;
    let (rs, vs) = (server.name(), &server.service.config);
    let after = match tail {
        Tail::Down { retries } if retries > 0 => format!(" after {retries} retries"),
        _ => String::new(),
    };
    let complaint = complaint(kind, reason).unwrap_or_default();
    let retry = config.schedule.retry;
    match kind {
        Kind::Tcp(_) => format!("TCP_CHECK on service {rs} failed{after}."),
        Kind::Http(_, http) => {
            let name = if http.tls { "SSL" } else { "HTTP" };
            format!("{name}_CHECK on service {rs} failed{after}.")
        }
        Kind::Udp(..) => format!("UDP_CHECK on service {rs} failed{after}."),
        Kind::Ping(_) => format!("ICMP CHECK on service {rs} of {vs} failed{after}."),
        Kind::Smtp(..) => format!("SMTP_CHECK {complaint}"),
        Kind::Dns(..) => format!("DNS_CHECK ({rs}) {complaint}{after}"),
        Kind::Misc(misc) => {
            let script = misc.script.shown();
            let mut line = format!("Misc check for [{rs} VS {vs}] by [{script}]");
            let timed_out = *reason == Reason::Overran;
            line += if timed_out { " timed out" } else { " failed" };
            match tail {
                Tail::Retry { done: 0, of } => _ = write!(line, ", will do {of} retries"),
                Tail::Retry { done, of } => _ = write!(line, " on retry {done}/{of}"),
                Tail::Down { .. } if retry == 0 => line += " with retry disabled",
                Tail::Down { .. } | Tail::Up => line += &after,
            }
            if !timed_out {
                _ = write!(line, " ({reason})");
            }
            line + "."
        }
        Kind::Bfd(name) => format!("BFD check of [{name}] RS({rs}) is DOWN"),
        Kind::File(file) => {
            format!("File check of [{}] RS({rs}) is DOWN ({reason})", file.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::rc::Rc;

    use super::*;
    use crate::base::time::{Duration, Instant};
    use crate::check::verdict::Phase;
    use crate::check::Timings;
    use crate::lvs::{Input, Weight};
    use crate::model::check::{Connect, Dns, Misc, Record, Schedule, Smtp, Udp};
    use crate::model::lvs::tests::{real_server, virtual_server};
    use crate::model::lvs::{Forwarding, Protocol, RealServer, SorryServer, VirtualServer};
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
        vs.protocol = Some(Protocol::Udp);
        vs
    }

    fn started(vs: VirtualServer) -> (Domain, Vec<Action>) {
        let (mut domain, mut out) = (Domain::default(), Vec::new());
        let id = domain.vacant_id();
        domain.handle(Input::Add { id, config: Rc::new(vs) }, Instant::ZERO, &mut out);
        let start = Input::Start { init_notifies: false };
        domain.handle(start, Instant::ZERO, &mut out);
        (domain, out)
    }

    fn lines(actions: &[Action]) -> Vec<String> {
        let mut lines = Vec::new();
        actions.iter().for_each(|a| lines_of_lvs(a, &mut |line| lines.push(line)));
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
            let input = Input::Verdict { check, up, weight: Weight::Unchanged };
            domain.handle(input, Instant::ZERO, &mut out);
            lines(&out)
        };
        assert_eq!(
            tell(false),
            [
                "Removing service [10.3.0.11]:udp:53 from VS [10.3.0.102]:udp:53",
                "Lost quorum 1-0=1 > 0 for VS [10.3.0.102]:udp:53",
                "Adding sorry server [10.3.0.9]:udp:53 to VS [10.3.0.102]:udp:53",
                "Removing alive servers from the pool for VS [10.3.0.102]:udp:53",
            ]
        );
        assert_eq!(
            tell(true),
            [
                "Adding service [10.3.0.11]:udp:53 to VS [10.3.0.102]:udp:53",
                "Gained quorum 1+0=1 <= 1 for VS [10.3.0.102]:udp:53",
                "Removing sorry server [10.3.0.9]:udp:53 from VS [10.3.0.102]:udp:53",
                "Adding alive servers to the pool for VS [10.3.0.102]:udp:53",
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

    /// What is logged when a check is down at once, and when it is up again.
    fn told(kind: Kind, retry: u32, reason: Reason) -> Vec<String> {
        let mut vs = virtual_servers();
        vs.servers.push(server(kind, retry));
        let (domain, actions) = started(vs);
        let mut pool = Pool::new(1, 1);
        let (mut now, mut out, mut lines) = (Instant::ZERO, Vec::new(), Vec::new());
        for action in actions {
            if let Action::CheckAdded { check, config, up, .. } = action {
                let input = pool::Input::Add { check, config, up, suspended: false };
                pool.handle(input, now, &mut out);
            }
        }
        let results =
            [Verdict::UP, Verdict::Down(reason.clone()), Verdict::Down(reason), Verdict::UP];
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
            told(Kind::Tcp(SERVER), 0, Reason::TimedOut(Phase::Connecting)),
            [
                "TCP connection to [10.3.0.11]:udp:53 success.",
                "TCP_CHECK on service [10.3.0.11]:udp:53 failed.",
                "TCP_CHECK 10.3.0.11:25: timeout while connecting (total 0.0 ms)",
                "TCP connection to [10.3.0.11]:udp:53 success.",
            ]
        );
        let udp = Udp { payload: Vec::new(), reply: None };
        assert_eq!(
            told(Kind::Udp(SERVER, udp), 1, Reason::TimedOut(Phase::Reply))[1..],
            [
                "UDP_CHECK on service [10.3.0.11]:udp:53 failed.",
                "UDP_CHECK 10.3.0.11:25: timeout while waiting for a reply (total 0.0 ms)",
                "UDP_CHECK on service [10.3.0.11]:udp:53 failed after 1 retries.",
                "UDP_CHECK 10.3.0.11:25: timeout while waiting for a reply (total 0.0 ms)",
                "UDP connection to [10.3.0.11]:udp:53 success.",
            ]
        );
        assert_eq!(
            told(Kind::Ping(SERVER), 1, Reason::TimedOut(Phase::Reply))[3],
            "ICMP CHECK on service [10.3.0.11]:udp:53 of [10.3.0.102]:udp:53 failed after 1 retries."
        );
    }

    #[test]
    fn protocols_say_what_went_wrong() {
        let smtp = Smtp { helo_name: "x".into() };
        let reason = Reason::Answer { phase: Phase::Greeting, found: Vec::new(), expected: 220 };
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
}
