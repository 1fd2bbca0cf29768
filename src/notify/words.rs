//! The wording of FIFO lines and of mails, which is the reference's to the byte.

use super::input::{ServiceEvent, State, Verdict};

/// What is told of: the two have different texts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Instance,
    Group,
}

impl Kind {
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

    pub(super) fn text(self, state: State) -> String {
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
        arrows(text)
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

pub(super) fn service_text(up: bool, event: ServiceEvent) -> String {
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
    arrows(&format!("{what} {quorum}+{hysteresis}={threshold} <= {weight}"))
}

pub(super) fn server_subject(router: &str, service: &str, name: &str, up: bool) -> String {
    format!("[{router}] Realserver {name} of virtual server {service} - {}", up_down(up))
}

pub(super) fn check_text(up: bool, verdict: Verdict<'_>) -> String {
    let plain = |name: &str| {
        let result = if up { "succeed" } else { "failed" };
        arrows(&format!("{name} {result} on service"))
    };
    let past = |name: &str| {
        let result = if up { "succeeded" } else { "failed" };
        arrows(&format!("{name} {result} on service"))
    };
    match verdict {
        Verdict::Tcp => plain("TCP CHECK"),
        Verdict::Http | Verdict::Smtp(_) if up => plain("CHECK"),
        Verdict::Http => arrows("CHECK failed on service : HTTP/SSL request failed"),
        Verdict::Smtp(reason) => arrows(&format!("CHECK failed on service : {reason}")),
        Verdict::Misc => past("MISC CHECK"),
        Verdict::MiscTimedOut => arrows("MISC CHECK timed out on service"),
        Verdict::Dns => plain("DNS_CHECK:"),
        Verdict::Udp => plain("UDP CHECK"),
        Verdict::Ping => plain("ICMP CHECK"),
        Verdict::File => past("FILE CHECK"),
        Verdict::Bfd(name) => past(&format!("BFD CHECK {name}")),
        Verdict::Removing => arrows("Removing"),
        Verdict::ShuttingDown => arrows("Shutting down"),
    }
}

fn arrows(text: &str) -> String {
    format!("=> {text} <=")
}
