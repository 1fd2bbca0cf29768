//! The wording of FIFO lines and of mails, which is the reference's to the byte. Behind its text, a
//! mail has a line of ours with the cause.

use super::complaint::complaint;
use super::input::{Because, ServerNews, ServiceEvent, State};
use crate::base::verdict::{Reason, Verdict};
use crate::model::check::Kind;

/// One instance or a whole group: the two have different texts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scope {
    Instance,
    Group,
}

impl Scope {
    /// The word of FIFO lines and of the generic script.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Instance => "INSTANCE",
            Self::Group => "GROUP",
        }
    }

    pub(super) fn line(self, name: &str, state: State, priority: u8) -> String {
        format!("{} \"{name}\" {} {priority}\n", self.word(), state.word())
    }

    pub(super) fn subject(self, router: &str, name: &str, state: State) -> String {
        let kind = match self {
            Self::Instance => "Instance",
            Self::Group => "Group",
        };
        let what = match state {
            State::Master => "Entering MASTER state",
            State::Backup => "Entering BACKUP state",
            State::Fault => "Entering FAULT state",
            State::Stop => "Stopping",
            State::Deleted => "Deleted",
        };
        format!("[{router}] VRRP {kind} {name} - {what}")
    }

    pub(super) fn text(self, state: State, because: Because<'_>) -> String {
        let text = match (self, state) {
            (Self::Instance, State::Master) => "VRRP Instance is now owning VRRP VIPs",
            (Self::Instance, State::Backup | State::Fault) => {
                "VRRP Instance is no longer owning VRRP VIPs"
            }
            (Self::Instance, State::Stop) => "VRRP Instance stopping",
            (Self::Group, State::Master) => "All VRRP group instances are now in MASTER state",
            (Self::Group, State::Backup) => "All VRRP group instances are now in BACKUP state",
            (Self::Group, State::Fault) => "All VRRP group instances are now in FAULT state",
            (Self::Group, State::Stop) => "All VRRP group instances are now stopping",
            (_, State::Deleted) => "VRRP Deleted at reload",
        };
        with_cause(arrows(text), because)
    }
}

pub(super) fn lower_priority_line(name: &str, priority: u8) -> String {
    format!("INSTANCE \"{name}\" MASTER_RX_LOWER_PRI {priority}\n")
}

pub(super) fn priority_line(name: &str, master: bool, priority: u8) -> String {
    let state = if master { "MASTER" } else { "BACKUP" };
    format!("INSTANCE \"{name}\" {state}_PRIORITY {priority}\n")
}

pub(super) const fn up_down(up: bool) -> &'static str {
    if up {
        "UP"
    } else {
        "DOWN"
    }
}

pub(super) fn service_line(name: &str, up: bool) -> String {
    format!("VS {name} {}\n", up_down(up))
}

pub(super) fn server_line(service: &str, name: &str, up: bool) -> String {
    format!("RS {name} {service} {}\n", up_down(up))
}

pub(super) fn service_subject(router: &str, name: &str, up: bool) -> String {
    format!("[{router}] Virtualserver {name} - {}", up_down(up))
}

pub(super) fn service_text(up: bool, event: ServiceEvent, because: Because<'_>) -> String {
    let (what, tally) = match event {
        ServiceEvent::Starting(tally) if up => ("Starting with quorum up", tally),
        ServiceEvent::Starting(tally) => ("Starting with quorum down", tally),
        ServiceEvent::Quorum(tally) if up => ("Gained quorum", tally),
        ServiceEvent::Quorum(tally) => ("Lost quorum", tally),
        ServiceEvent::Removing => return arrows("Removing"),
        ServiceEvent::ShuttingDown => return arrows("Shutting down"),
    };
    // The signs are the same for a gain and a loss, as in the reference.
    let (quorum, hysteresis) = (tally.quorum, tally.hysteresis);
    let (threshold, weight) = (tally.threshold, tally.weight);
    let text = arrows(&format!("{what} {quorum}+{hysteresis}={threshold} <= {weight}"));
    with_cause(text, because)
}

pub(super) fn server_subject(router: &str, service: &str, name: &str, up: bool) -> String {
    format!("[{router}] Realserver {name} of virtual server {service} - {}", up_down(up))
}

pub(super) fn server_text(news: ServerNews<'_>) -> String {
    match news {
        ServerNews::Check { probed, verdict } => {
            let text = arrows(&check_text(&probed.config.kind, verdict));
            match verdict {
                Verdict::Up(_) => text,
                Verdict::Down(reason) => format!("{text}\nbecause: {probed}: {reason}"),
            }
        }
        ServerNews::Removing => arrows("Removing"),
        ServerNews::ShuttingDown => arrows("Shutting down"),
    }
}

fn check_text(kind: &Kind, verdict: &Verdict) -> String {
    let (plain, past) = match verdict {
        Verdict::Up(_) => ("succeed", "succeeded"),
        Verdict::Down(_) => ("failed", "failed"),
    };
    match (kind, verdict) {
        (Kind::Tcp(_), _) => format!("TCP CHECK {plain} on service"),
        (Kind::Http(..) | Kind::Smtp(..), Verdict::Up(_)) => format!("CHECK {plain} on service"),
        (Kind::Http(..), Verdict::Down(_)) => {
            "CHECK failed on service : HTTP/SSL request failed".to_owned()
        }
        (Kind::Smtp(..), Verdict::Down(reason)) => {
            let complaint = complaint(kind, reason).unwrap_or_default();
            format!("CHECK failed on service : {complaint}")
        }
        (Kind::Misc(_), Verdict::Down(Reason::Overran)) => {
            "MISC CHECK timed out on service".to_owned()
        }
        (Kind::Misc(_), _) => format!("MISC CHECK {past} on service"),
        (Kind::Dns(..), _) => format!("DNS_CHECK: {plain} on service"),
        (Kind::Udp(..), _) => format!("UDP CHECK {plain} on service"),
        (Kind::Ping(_), _) => format!("ICMP CHECK {plain} on service"),
        (Kind::File(_), _) => format!("FILE CHECK {past} on service"),
        (Kind::Bfd(name), _) => format!("BFD CHECK {name} {past} on service"),
    }
}

/// The reference's text, and behind it a line of our own.
fn with_cause(text: String, because: Because<'_>) -> String {
    match because.0 {
        Some(cause) => format!("{text}\nbecause: {cause}"),
        None => text,
    }
}

fn arrows(text: &str) -> String {
    format!("=> {text} <=")
}
