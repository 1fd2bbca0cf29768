//! Virtual servers, their real servers, and address groups.
//!
//! Defaults are already resolved, and conflicting settings corrected or left out: a port required
//! by the forwarding method, a quorum that could never be reached, a server of the wrong family.

mod method;
mod settings;

use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use super::check::Check;
use super::script::Script;
use super::shown::{OwnSchedule, ShownSchedule};
use crate::base::addr::{address_of, number_of, Family};
use crate::base::piece::Piece;

pub use method::{
    Forwarding, Granularity, Persistence, Scheduler, SchedulerFlags, Tunnel, TunnelChecksum,
};
pub use settings::{FlushOnStop, Lvs, Namespace, SyncDaemon, Timeouts};

/// One `virtual_server`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VirtualServer {
    pub service: Service,
    /// The firewall mark that nf_tables gives to packets to the addresses of the group
    /// (`nftables_ipvs`). `None`: a service for every address.
    pub mark: Option<u32>,
    /// `protocol`; `None` for firewall marks. Default UDP.
    pub protocol: Option<Protocol>,
    /// Family of the address, else `ip_family`, else that of the real servers, else IPv4.
    pub family: Family,
    /// `lvs_sched`, default wlc.
    pub scheduler: Scheduler,
    pub scheduler_flags: SchedulerFlags,
    /// `lvs_method`, default NAT; every real server has its own.
    pub forwarding: Forwarding,
    pub persistence: Option<Persistence>,
    /// `persistence_engine`, at most 16 bytes.
    pub persistence_engine: Option<String>,
    /// `ops`: one-packet scheduling. Only UDP and firewall marks.
    pub one_packet: bool,
    /// `delay_loop`, default 60 s; every check has its resolved value.
    pub delay_loop: Duration,
    /// `alpha`: servers are down until checked; every real server has its own.
    pub alpha: bool,
    /// `omega`: servers removed on stop are notified as going down.
    pub omega: bool,
    /// `ha_suspend`: no checks while the address is not on this host. Only [`Service::Address`].
    pub ha_suspend: bool,
    /// `quorum`: minimum total weight of live servers; at least 1, and at most the total weight of
    /// all servers (unless that is 0).
    pub quorum: u32,
    /// `hysteresis`, less than `quorum`.
    pub hysteresis: u32,
    pub quorum_up: Option<Script>,
    pub quorum_down: Option<Script>,
    pub sorry_server: Option<SorryServer>,
    /// `smtp_alert`, default off.
    pub mail: bool,
    /// `virtualhost`; the checks have the resolved value.
    pub virtualhost: Option<String>,
    pub snmp_name: Option<String>,
    pub shown: ShownSchedule,
    /// At least one; address and port are unique.
    pub servers: Vec<RealServer>,
}

impl VirtualServer {
    /// Display name of a real server of this one: `[ADDR]:PROTOCOL:PORT`.
    pub const fn server_name<'a>(&self, server: &'a RealServer) -> ServerName<'a> {
        ServerName { addr: &server.addr, protocol: self.protocol, port: server.port }
    }

    /// Display name of the sorry server.
    pub const fn sorry_name<'a>(&self, server: &'a SorryServer) -> ServerName<'a> {
        ServerName { addr: &server.addr, protocol: self.protocol, port: server.port }
    }
}

/// `[ADDR]:PROTOCOL:PORT`, `FWM N`, or `[GROUP]:N`, as in logs, FIFOs and mail.
impl fmt::Display for VirtualServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.service {
            Service::Address { addr, port } => {
                ServerName { addr, protocol: self.protocol, port: *port }.fmt(f)
            }
            Service::Fwmark(mark) => write!(f, "FWM {mark}"),
            Service::Group { name, index } => write!(f, "[{name}]:{index}"),
        }
    }
}

/// An address as in logs, FIFOs and mail, with brackets for IPv4, too: `[10.1.2.3]:tcp:80`.
#[derive(Clone, Copy, Debug)]
pub struct ServerName<'a> {
    pub addr: &'a IpAddr,
    pub protocol: Option<Protocol>,
    pub port: u16,
}

impl fmt::Display for ServerName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Piece::default();
        text.push("[");
        text.address(self.addr);
        text.push("]:");
        text.push(self.protocol.map_or("none", Protocol::name));
        text.push(":");
        text.number(self.port);
        f.write_str(text.as_str())
    }
}

/// Service of a virtual server.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Service {
    /// Port 0: all ports, with persistence.
    Address { addr: IpAddr, port: u16 },
    /// `fwmark N`: packets with this firewall mark.
    Fwmark(u32),
    /// `group NAME`: a service for every entry of an [`AddressGroup`] that exists.
    Group {
        name: String,
        /// Index among the virtual servers of this group, from 0; for display only.
        index: u32,
    },
}

/// `protocol`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Protocol {
    Tcp,
    Udp,
    Sctp,
}

impl Protocol {
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Sctp];

    /// For display; the configuration accepts either case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }

    /// IANA protocol number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
        }
    }
}

/// `sorry_server`: used with weight 1 while the quorum is lost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SorryServer {
    pub addr: IpAddr,
    pub port: u16,
    /// `sorry_server_lvs_method`, default that of the virtual server.
    pub forwarding: Forwarding,
    /// `sorry_server_inhibit`: always present, with weight 0 while not needed.
    pub inhibit: bool,
}

/// One `real_server`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RealServer {
    pub addr: IpAddr,
    /// Port of the virtual server, unless the method is NAT and another port is configured.
    pub port: u16,
    /// `weight` 0..=2,147,483,647, default 1.
    pub weight: u32,
    pub forwarding: Forwarding,
    /// `uthreshold`: number of connections above which it is not chosen; 0: none.
    pub upper_threshold: u32,
    /// `lthreshold`: number of connections below which it is chosen again; 0: none.
    pub lower_threshold: u32,
    /// `inhibit_on_failure`: weight 0 instead of removal.
    pub inhibit_on_failure: bool,
    pub notify_up: Option<Box<Script>>,
    pub notify_down: Option<Box<Script>>,
    /// `alpha`: down until checked; every check has its resolved value.
    pub alpha: bool,
    /// `smtp_alert`, default on.
    pub mail: bool,
    /// `virtualhost`, default that of the virtual server; the checks have the resolved value.
    pub virtualhost: Option<String>,
    pub snmp_name: Option<String>,
    pub shown: OwnSchedule,
    /// Each shared with its checker.
    pub checks: Vec<Rc<Check>>,
}

/// One `virtual_server_group`; only groups that a virtual server uses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddressGroup {
    pub name: String,
    pub entries: Vec<GroupEntry>,
}

/// One line of a `virtual_server_group`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum GroupEntry {
    /// All addresses from `first` to `last`, which are of the same family and in order. Port 0: all
    /// ports.
    Range { first: IpAddr, last: IpAddr, port: u16 },
    /// `fwmark N [inet|inet6]`; `family` defaults to that of the virtual server.
    Fwmark { mark: u32, family: Option<Family> },
}

impl GroupEntry {
    /// The family given in the line itself.
    pub const fn family(&self) -> Option<Family> {
        match self {
            Self::Range { first, .. } => Some(Family::of(first)),
            Self::Fwmark { family, .. } => *family,
        }
    }

    /// The services of this entry, in the order of the addresses.
    pub fn services(&self) -> impl Iterator<Item = Service> {
        let (range, family, port, mark) = match *self {
            Self::Range { first, last, port } => {
                (number_of(first)..=number_of(last), Family::of(&first), port, None)
            }
            Self::Fwmark { mark, .. } => (0..=0, Family::V4, 0, Some(mark)),
        };
        range.map(move |n| match mark {
            Some(mark) => Service::Fwmark(mark),
            None => Service::Address { addr: address_of(n, family), port },
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    /// A virtual server with every default and no real server, for tests to change.
    pub(crate) fn virtual_server(addr: [u8; 4], port: u16) -> VirtualServer {
        VirtualServer {
            service: Service::Address { addr: addr.into(), port },
            mark: None,
            protocol: Some(Protocol::Tcp),
            family: Family::V4,
            scheduler: Scheduler::Wlc,
            scheduler_flags: SchedulerFlags::default(),
            forwarding: Forwarding::Nat,
            persistence: None,
            persistence_engine: None,
            one_packet: false,
            delay_loop: Duration::from_secs(60),
            alpha: false,
            omega: false,
            ha_suspend: false,
            quorum: 1,
            hysteresis: 0,
            quorum_up: None,
            quorum_down: None,
            sorry_server: None,
            mail: false,
            virtualhost: None,
            snmp_name: None,
            shown: ShownSchedule::default(),
            servers: Vec::new(),
        }
    }

    /// A real server with every default and no check.
    pub(crate) fn real_server(addr: [u8; 4], port: u16) -> RealServer {
        RealServer {
            addr: addr.into(),
            port,
            weight: 1,
            forwarding: Forwarding::Nat,
            upper_threshold: 0,
            lower_threshold: 0,
            inhibit_on_failure: false,
            notify_up: None,
            notify_down: None,
            alpha: false,
            mail: true,
            virtualhost: None,
            snmp_name: None,
            shown: OwnSchedule::default(),
            checks: Vec::new(),
        }
    }

    #[test]
    fn servers_of_either_family_are_shown_in_brackets() {
        let mut vs = virtual_server([10, 3, 0, 101], 80);
        assert_eq!(vs.to_string(), "[10.3.0.101]:tcp:80");
        let rs = real_server([10, 3, 0, 11], 8080);
        assert_eq!(vs.server_name(&rs).to_string(), "[10.3.0.11]:tcp:8080");
        vs.service = Service::Address { addr: Ipv6Addr::LOCALHOST.into(), port: 53 };
        vs.protocol = Some(Protocol::Udp);
        assert_eq!(vs.to_string(), "[::1]:udp:53");
        vs.service = Service::Group { name: "web".into(), index: 1 };
        assert_eq!(vs.to_string(), "[web]:1");
        vs.service = Service::Fwmark(7);
        vs.protocol = None;
        assert_eq!(vs.to_string(), "FWM 7");
        assert_eq!(vs.server_name(&rs).to_string(), "[10.3.0.11]:none:8080");
    }

    #[test]
    fn a_range_includes_both_ends() {
        let entry = |first: &str, last: &str| GroupEntry::Range {
            first: first.parse().unwrap(),
            last: last.parse().unwrap(),
            port: 80,
        };
        let shown = |e: GroupEntry| -> Vec<String> {
            let shown = e.services().map(|s| match s {
                Service::Address { addr, port } => format!("{addr} {port}"),
                other => format!("{other:?}"),
            });
            shown.collect()
        };
        assert_eq!(
            shown(entry("10.0.0.254", "10.0.1.0")).join(","),
            "10.0.0.254 80,10.0.0.255 80,10.0.1.0 80"
        );
        assert_eq!(shown(entry("::1", "::2")), ["::1 80", "::2 80"]);
        assert_eq!(shown(entry("255.255.255.255", "255.255.255.255")), ["255.255.255.255 80"]);
        assert_eq!(shown(GroupEntry::Fwmark { mark: 5, family: None }), ["Fwmark(5)"]);
    }
}
