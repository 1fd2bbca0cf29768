//! Rules of the routing policy. They name interfaces, which need not exist.

mod text;

use super::addr::{Family, Prefix, PROTOCOL_KEEPALIVED};

/// A rule, with what the kernel stores of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Rule {
    pub family: Family,
    /// The lowest is asked first.
    pub priority: u32,
    pub action: RuleAction,
    /// Applies to packets that do not match.
    pub invert: bool,
    pub from: Option<Prefix>,
    pub to: Option<Prefix>,
    pub tos: u8,
    /// Firewall mark and its mask.
    pub mark: Option<(u32, u32)>,
    /// Input interface.
    pub iif: Option<String>,
    /// Output interface, of packets of sockets bound to it.
    pub oif: Option<String>,
    /// Realm of the source and of the destination, 16 bits each.
    pub realms: Option<u32>,
    /// A route with a prefix of this length or shorter is rejected.
    pub suppress_prefix_len: Option<u32>,
    /// A route through an interface of this group is rejected.
    pub suppress_group: Option<u32>,
    /// Identifier of the tunnel.
    pub tunnel: Option<u64>,
    /// First and last user of the socket.
    pub users: Option<(u32, u32)>,
    /// FRA_PROTOCOL: who added the rule.
    pub protocol: Option<u8>,
    /// TCP, UDP and so on.
    pub ip_protocol: Option<u8>,
    pub source_ports: Option<(u16, u16)>,
    pub destination_ports: Option<(u16, u16)>,
}

impl Rule {
    /// A rule of keepalived without selectors.
    pub const fn plain(family: Family, priority: u32, action: RuleAction) -> Self {
        Self {
            family,
            priority,
            action,
            invert: false,
            from: None,
            to: None,
            tos: 0,
            mark: None,
            iif: None,
            oif: None,
            realms: None,
            suppress_prefix_len: None,
            suppress_group: None,
            tunnel: None,
            users: None,
            protocol: Some(PROTOCOL_KEEPALIVED),
            ip_protocol: None,
            source_ports: None,
            destination_ports: None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RuleAction {
    /// The route is looked up in this table.
    Table(u32),
    /// The route is looked up in the table of the VRF of the packet's interface.
    L3mdev,
    /// Goes on with the rule of this priority.
    Goto(u32),
    Nop,
    /// Drops the packet without an answer.
    Blackhole,
    Unreachable,
    Prohibit,
}
