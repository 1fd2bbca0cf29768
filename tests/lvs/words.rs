//! Text form of the actions of the virtual server core.

use std::fmt;

use keepalived::lvs::{
    Action, Domain, Leaving, QuorumCause, ServerCause, ServerRef, ServiceRef, SorryCause, Tally,
    Wanted,
};

/// One action on one line, with the wanted state of the kernel at that time.
pub(crate) struct Words<'a>(pub(crate) &'a Action, pub(crate) &'a Domain);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Action::Want(id) => {
                let Some(service) = self.1.service(*id) else { return f.write_str("want what?") };
                write!(f, "{} wants", service.config())?;
                for wanted in service.wanted() {
                    match wanted {
                        Wanted::Server(rs, weight) => write!(f, " {} w{weight}", rs.addr)?,
                        Wanted::Sorry(rs, weight) => write!(f, " sorry {} w{weight}", rs.addr)?,
                    }
                }
                Ok(())
            }
            Action::Put { server, weight } => write!(f, "put {} w{weight}", Rs(server)),
            Action::Withdraw(server) => write!(f, "withdraw {}", Rs(server)),
            Action::Release(_) => f.write_str("release"),
            Action::CheckAdded { check, server, up, suspended, .. } => {
                let rests = if *suspended { ", suspended" } else { "" };
                let up = if *up { "up" } else { "down" };
                write!(f, "check {check} of {} begins {up}{rests}", Rs(server))
            }
            Action::CheckAdjusted { check, config } => {
                let delay = config.schedule.delay_loop.as_secs();
                write!(f, "check {check} every {delay} s")
            }
            Action::CheckRemoved(check) => write!(f, "check {check} ends"),
            Action::CheckSuspended { check, .. } => write!(f, "check {check} rests"),
            Action::CheckResumed { check, .. } => write!(f, "check {check} goes on"),
            Action::ServerChanged { server, up, cause } => {
                let why = match cause {
                    ServerCause::Initial => "initial".to_owned(),
                    ServerCause::Confirmed(_) => "confirmed".to_owned(),
                    ServerCause::Check(found) => format!("check {}", found.check),
                    cause @ ServerCause::Ordered(_) => cause.to_string(),
                    ServerCause::Reload => "reload".to_owned(),
                };
                write!(f, "{} {} ({why})", Rs(server), up_down(*up))
            }
            Action::WeightChanged { server, from, to, up, .. } => {
                let state = if *up { "" } else { ", while it is down" };
                write!(f, "{} weight {from} -> {to}{state}", Rs(server))
            }
            Action::CheckTurned { found, server_changed, .. } => {
                let alone = if *server_changed { "" } else { ", the server did not" };
                write!(f, "check {} went {}{alone}", found.check, up_down(found.verdict.is_up()))
            }
            Action::QuorumChanged { service, up, starting, told, tally, cause } => {
                let starting = if *starting { " from the start" } else { "" };
                let told = if *told { "" } else { ", not told" };
                write!(f, "{} {}{starting}{told}: {}", Vs(service), up_down(*up), Sum(tally))?;
                match **cause {
                    QuorumCause::Started => Ok(()),
                    ref cause => write!(f, " ({tally}, {cause})"),
                }
            }
            Action::SorryServer { service, on, cause } => {
                let name = service.config.sorry_server.as_ref().map(|s| s.addr.to_string());
                write!(f, "sorry server {} {}", name.unwrap_or_default(), on_off(*on))?;
                f.write_str(if *cause == SorryCause::Reload { " (reload)" } else { "" })
            }
            Action::AliveServers { on, .. } => write!(f, "live servers {}", on_off(*on)),
            Action::ServiceLeaving(service) => write!(f, "{} is removed", Vs(service)),
            Action::ServerGone { server, was_up, leaving, told } => {
                write!(f, "{} gone, was {}", Rs(server), up_down(*was_up))?;
                gone(*leaving, *told, f)
            }
            Action::ServiceGone { service, leaving, told } => {
                write!(f, "{} gone", Vs(service))?;
                gone(*leaving, *told, f)
            }
        }
    }
}

fn gone(leaving: Leaving, told: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let how = match leaving {
        Leaving::Removed => "removed",
        Leaving::WithService => "with its virtual server",
        Leaving::Shutdown => "shutdown",
        Leaving::Flushed => "flushed",
    };
    write!(f, " ({how}{})", if told { ", told" } else { "" })
}

const fn up_down(up: bool) -> &'static str {
    if up {
        "UP"
    } else {
        "DOWN"
    }
}

const fn on_off(on: bool) -> &'static str {
    if on {
        "in"
    } else {
        "out"
    }
}

struct Rs<'a>(&'a ServerRef);

impl fmt::Display for Rs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.name().fmt(f)
    }
}

struct Vs<'a>(&'a ServiceRef);

impl fmt::Display for Vs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.config.fmt(f)
    }
}

struct Sum<'a>(&'a Tally);

impl fmt::Display for Sum<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "weight {} against {}", self.0.weight, self.0.threshold)
    }
}
