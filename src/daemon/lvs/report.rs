//! The log lines of virtual servers and checks. Those that operators search for are byte-compatible
//! with keepalived; the result and duration of a check follow on a line of their own.

use std::fmt::{self, Write as _};

use crate::base::ids::CheckId;
use crate::check::{pool, Pool, Reason, Verdict};
use crate::daemon::outlets::report::HeldBack;
use crate::lvs::{Action, Domain, Leaving, QuorumCause, ServerCause, ServerRef, SorryCause};
use crate::model::check::{Check, Kind, Url};
use crate::model::diff;
use crate::model::lvs::{GroupEntry, ServerName, Service, VirtualServer};
use crate::model::probed::Probed;
use crate::model::Config;
use crate::notify::complaint;

pub(super) fn lvs(action: &Action) {
    lines_of_lvs(action, &mut |line| log::info!("{line}"));
}

pub(super) fn check(action: &pool::Action, pool: &Pool, domain: &Domain) {
    lines_of_check(action, pool, domain, &mut |line| log::info!("{line}"));
}

/// Logs entries of this virtual server's group that a reload adds or removes.
pub(super) fn group(vs: &VirtualServer, old: &Config, new: &Config) {
    let entries = |config| diff::group_of(config, vs).map_or(&[][..], |group| &group.entries);
    lines_of_group(vs, entries(old), entries(new), &mut |line| log::info!("{line}"));
}

/// Logs a probe that could not be made for a local reason, whether or not it counts yet.
pub(super) fn unmade(check: CheckId, reason: &Reason, held_back: u32, pool: &Pool) {
    let Some(entry) = pool.check(check) else { return };
    let page = entry.life().page();
    let probed = Probed { config: entry.config(), page };
    log::warn!("{probed}: {reason}{}", HeldBack(held_back));
}

fn lines_of_lvs(action: &Action, say: &mut impl FnMut(fmt::Arguments<'_>)) {
    fn pair(server: &ServerRef) -> (ServerName<'_>, &VirtualServer) {
        (server.name(), &server.service.config)
    }
    match action {
        Action::CheckAdded { config, server, suspended, .. } => {
            let (rs, vs) = pair(server);
            match (&config.kind, suspended) {
                (Kind::Bfd(_), _) => {}
                (_, true) => {
                    say(format_args!("Deactivating healthchecker for service {rs} for VS {vs}"))
                }
                (_, false) => {
                    say(format_args!("Activating healthchecker for service {rs} for VS {vs}"))
                }
            }
        }
        Action::CheckSuspended { server, .. } => {
            let (rs, vs) = pair(server);
            say(format_args!("Suspending healthchecker for service {rs} for VS {vs}"));
        }
        Action::CheckResumed { server, .. } => {
            let (rs, vs) = pair(server);
            say(format_args!("Activating healthchecker for service {rs} for VS {vs}"));
        }
        Action::ServerChanged {
            cause: ServerCause::Initial | ServerCause::Confirmed(_), ..
        } => {}
        Action::ServerChanged { server, up, cause } => {
            let (rs, vs) = pair(server);
            match (server.config().inhibit_on_failure, up) {
                (true, true) => say(format_args!("Enabling service {rs} of VS {vs}")),
                (true, false) => say(format_args!("Disabling service {rs} of VS {vs}")),
                (false, true) => say(format_args!("Adding service {rs} to VS {vs}")),
                (false, false) => say(format_args!("Removing service {rs} from VS {vs}")),
            }
            say(format_args!("service {rs} of VS {vs} because: {cause}"));
        }
        Action::WeightChanged { server, from, to, up, cause } => {
            let (rs, vs) = pair(server);
            let state = if *up { "active" } else { "inactive" };
            say(format_args!(
                "Changing weight from {from} to {to} for {state} service {rs} of VS {vs}"
            ));
            say(format_args!("service {rs} of VS {vs} because: {cause}"));
        }
        Action::QuorumChanged { service, up, starting, tally, cause, .. } => {
            let (q, h, w) = (tally.quorum, tally.hysteresis, tally.weight);
            let (t, vs) = (tally.threshold, &service.config);
            match (up, starting) {
                (true, _) => say(format_args!("Gained quorum {q}+{h}={t} <= {w} for VS {vs}")),
                (false, false) => say(format_args!("Lost quorum {q}-{h}={t} > {w} for VS {vs}")),
                // keepalived prints a minus sign, although the result is a sum.
                (false, true) => {
                    say(format_args!("Starting with quorum down {q}-{h}={t} > {w} for VS {vs}"));
                }
            }
            if **cause != QuorumCause::Started {
                say(format_args!("VS {vs} because: {tally}, {cause}"));
            }
        }
        Action::SorryServer { service, on, cause } => {
            lines_of_sorry(&service.config, *on, say);
            // Otherwise the line of the quorum contains it.
            if *cause == SorryCause::Reload {
                say(format_args!("VS {} because: {cause}", service.config));
            }
        }
        Action::AliveServers { service, on } => {
            let vs = &service.config;
            match on {
                true => say(format_args!("Adding alive servers to the pool for VS {vs}")),
                false => say(format_args!("Removing alive servers from the pool for VS {vs}")),
            }
        }
        Action::ServiceLeaving(service) => match &service.config.service {
            Service::Group { name, .. } => {
                say(format_args!("Removing Virtual Server Group [{name}]"));
            }
            Service::Address { .. } | Service::Fwmark(_) => {
                say(format_args!("Removing Virtual Server {}", service.config));
            }
        },
        Action::ServerGone { server, leaving, .. } => {
            let (rs, vs) = pair(server);
            match leaving {
                Leaving::Removed => {
                    say(format_args!("service {rs} no longer exist"));
                    say(format_args!("Removing service {rs} from VS {vs}"));
                }
                Leaving::WithService => say(format_args!("Removing service {rs} from VS {vs}")),
                Leaving::Shutdown => say(format_args!("Shutting down service {rs} from VS {vs}")),
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

fn lines_of_sorry(vs: &VirtualServer, on: bool, say: &mut impl FnMut(fmt::Arguments<'_>)) {
    let Some(sorry) = &vs.sorry_server else { return };
    let name = vs.sorry_name(sorry);
    match (sorry.inhibit, on) {
        (true, true) => say(format_args!("Enabling sorry server {name} to VS {vs}")),
        (true, false) => say(format_args!("Disabling sorry server {name} from VS {vs}")),
        (false, true) => say(format_args!("Adding sorry server {name} to VS {vs}")),
        (false, false) => say(format_args!("Removing sorry server {name} from VS {vs}")),
    }
}

fn lines_of_group(
    vs: &VirtualServer,
    old: &[GroupEntry],
    new: &[GroupEntry],
    say: &mut impl FnMut(String),
) {
    let Service::Group { name, .. } = &vs.service else { return };
    let shown = |entry: &GroupEntry| match entry {
        GroupEntry::Fwmark { mark, .. } => mark.to_string(),
        GroupEntry::Range { first: addr, last, port } => {
            let first = ServerName { addr, protocol: vs.protocol, port: *port };
            let last = if addr == last { String::new() } else { format!("-{last}") };
            format!("{first}{last}")
        }
    };
    for entry in old.iter().filter(|entry| !new.contains(entry)) {
        say(format!("VS [{}] in group {name} no longer exists", shown(entry)));
    }
    for entry in new.iter().filter(|entry| !old.contains(entry)) {
        say(format!("VS [{}] added into group {name}", shown(entry)));
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
        | pool::Action::GoOn { .. }
        | pool::Action::Abort(_) => return,
        pool::Action::PageUp { check, .. } => (*check, Tail::Up),
        pool::Action::Retrying { check, nth, of } => {
            (*check, Tail::Retry { done: nth.saturating_sub(1), of: *of })
        }
        pool::Action::Result { check, verdict: Verdict::Up(_), .. } => (*check, Tail::Up),
        pool::Action::Result { check, retries, .. } => (*check, Tail::Down { retries: *retries }),
    };
    let (Some(entry), Some(server)) = (pool.check(check), domain.server_of(check)) else { return };
    let Some((last, _)) = entry.last() else { return };
    let config = entry.config();
    // keepalived logs a line for each page, but only while the server is down.
    let was_down = match action {
        pool::Action::Result { verdict, turned, .. } => verdict.is_up() && *turned,
        _ => !entry.life().is_up(),
    };
    if let (Kind::Http(_, http), true, Verdict::Up(_)) = (&config.kind, was_down, last.verdict) {
        if let Some(url) = http.urls.get(last.probed.page) {
            say(page_up(url, &server));
        }
    }
    match (action, last.verdict) {
        (pool::Action::PageUp { .. }, _) => {}
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

/// State of the retries.
#[derive(Clone, Copy)]
enum Tail {
    Up,
    Retry { done: u32, of: u32 },
    Down { retries: u32 },
}

/// Names the last property that was checked.
fn page_up(url: &Url, server: &ServerRef) -> String {
    let what = match (&url.regex, url.digest) {
        (Some(_), _) => "Regex match",
        (None, Some(_)) => "MD5 digest",
        (None, None) => "HTTP status code",
    };
    format!("{what} success to {} url({})", server.name(), url.path)
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
mod tests;
