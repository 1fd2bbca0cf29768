//! Rules of the routing policy as messages of the kernel (RTM_NEWRULE, RTM_DELRULE), and back.

use std::net::IpAddr;

use netlink_packet_route::route::RouteRealm;
use netlink_packet_route::rule::{
    RuleAction as Act, RuleAttribute, RuleFlags, RuleHeader, RuleMessage, RulePortRange,
    RuleUidRange,
};
use netlink_packet_route::AddressFamily;

use super::address_family;
use crate::base::addr::{Family, Prefix};
use crate::base::rule::{Rule, RuleAction};

/// The message that adds or removes a rule.
pub(super) fn message(rule: &Rule) -> RuleMessage {
    let (action, table) = match rule.action {
        RuleAction::Table(table) => (Act::ToTable, table),
        RuleAction::L3mdev => (Act::ToTable, 0),
        RuleAction::Goto(_) => (Act::Goto, 0),
        RuleAction::Nop => (Act::Nop, 0),
        RuleAction::Blackhole => (Act::Blackhole, 0),
        RuleAction::Unreachable => (Act::Unreachable, 0),
        RuleAction::Prohibit => (Act::Prohibit, 0),
    };
    let mut message = RuleMessage::default();
    message.header = RuleHeader {
        family: address_family(rule.family),
        dst_len: rule.to.map_or(0, |to| to.len),
        src_len: rule.from.map_or(0, |from| from.len),
        tos: rule.tos,
        table: u8::try_from(table).unwrap_or_default(),
        action,
        flags: if rule.invert { RuleFlags::Invert } else { RuleFlags::empty() },
    };
    let list = &mut message.attributes;
    if table > u8::MAX.into() {
        list.push(RuleAttribute::Table(table));
    }
    list.extend(rule.from.map(|from| RuleAttribute::Source(from.addr)));
    list.extend(rule.to.map(|to| RuleAttribute::Destination(to.addr)));
    list.push(RuleAttribute::Priority(rule.priority));
    if let Some((mark, mask)) = rule.mark {
        // Without a mask, mark 0 would stand for any.
        list.extend([RuleAttribute::FwMark(mark), RuleAttribute::FwMask(mask)]);
    }
    list.extend(rule.realms.map(|realms| {
        let [source, destination] = [realms >> 16, realms & 0xffff].map(|half| half as u16);
        RuleAttribute::Realm(RouteRealm { source, destination })
    }));
    list.extend(rule.suppress_prefix_len.map(RuleAttribute::SuppressPrefixLen));
    list.extend(rule.suppress_group.map(RuleAttribute::SuppressIfGroup));
    list.extend(rule.iif.clone().map(RuleAttribute::Iifname));
    list.extend(rule.oif.clone().map(RuleAttribute::Oifname));
    list.extend(rule.tunnel.map(RuleAttribute::TunId));
    list.extend(
        rule.users.map(|(start, end)| RuleAttribute::UidRange(RuleUidRange { start, end })),
    );
    if rule.action == RuleAction::L3mdev {
        list.push(RuleAttribute::L3MDev(true));
    }
    list.extend(rule.protocol.map(|protocol| RuleAttribute::Protocol(protocol.into())));
    list.extend(rule.ip_protocol.map(|protocol| RuleAttribute::IpProtocol(protocol.into())));
    let ports = |(start, end)| RulePortRange { start, end };
    list.extend(rule.source_ports.map(ports).map(RuleAttribute::SourcePortRange));
    list.extend(rule.destination_ports.map(ports).map(RuleAttribute::DestinationPortRange));
    if let RuleAction::Goto(target) = rule.action {
        list.push(RuleAttribute::Goto(target));
    }
    message
}

/// The rule of a message; `None` if it is not of IPv4 or IPv6, or does something unknown.
pub fn of(message: &RuleMessage) -> Option<Rule> {
    let header = &message.header;
    let family = match header.family {
        AddressFamily::Inet => Family::V4,
        AddressFamily::Inet6 => Family::V6,
        _ => return None,
    };
    let mut rule = Rule {
        invert: header.flags.contains(RuleFlags::Invert),
        tos: header.tos,
        protocol: None,
        ..Rule::plain(family, 0, RuleAction::Nop)
    };
    let (mut table, mut target, mut l3mdev) = (u32::from(header.table), 0, false);
    let (mut mark, mut mask) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            RuleAttribute::Table(number) => table = *number,
            RuleAttribute::Source(addr) => {
                rule.from = prefix(*addr, header.src_len);
            }
            RuleAttribute::Destination(addr) => {
                rule.to = prefix(*addr, header.dst_len);
            }
            RuleAttribute::Priority(priority) => rule.priority = *priority,
            RuleAttribute::FwMark(value) => mark = Some(*value),
            RuleAttribute::FwMask(value) => mask = Some(*value),
            RuleAttribute::Realm(RouteRealm { source, destination }) => {
                rule.realms = Some(u32::from(*source) << 16 | u32::from(*destination));
            }
            // The kernel reports all bits set for none.
            RuleAttribute::SuppressPrefixLen(len) => {
                rule.suppress_prefix_len = Some(*len).filter(|&len| len != u32::MAX);
            }
            RuleAttribute::SuppressIfGroup(group) => {
                rule.suppress_group = Some(*group).filter(|&group| group != u32::MAX);
            }
            RuleAttribute::Iifname(name) => rule.iif = Some(name.clone()),
            RuleAttribute::Oifname(name) => rule.oif = Some(name.clone()),
            RuleAttribute::TunId(id) => rule.tunnel = Some(*id).filter(|&id| id != 0),
            RuleAttribute::UidRange(RuleUidRange { start, end }) => {
                rule.users = Some((*start, *end));
            }
            RuleAttribute::L3MDev(on) => l3mdev = *on,
            RuleAttribute::Protocol(protocol) => {
                rule.protocol = Some(u8::from(*protocol)).filter(|&protocol| protocol != 0);
            }
            RuleAttribute::IpProtocol(protocol) => {
                rule.ip_protocol = Some(u8::from(*protocol)).filter(|&protocol| protocol != 0);
            }
            RuleAttribute::SourcePortRange(RulePortRange { start, end }) => {
                rule.source_ports = Some((*start, *end));
            }
            RuleAttribute::DestinationPortRange(RulePortRange { start, end }) => {
                rule.destination_ports = Some((*start, *end));
            }
            RuleAttribute::Goto(priority) => target = *priority,
            _ => {}
        }
    }
    if mark.is_some() || mask.is_some() {
        rule.mark = Some((mark.unwrap_or_default(), mask.unwrap_or(u32::MAX)));
    }
    rule.action = match header.action {
        Act::ToTable if l3mdev => RuleAction::L3mdev,
        Act::ToTable => RuleAction::Table(table),
        Act::Goto => RuleAction::Goto(target),
        Act::Nop => RuleAction::Nop,
        Act::Blackhole => RuleAction::Blackhole,
        Act::Unreachable => RuleAction::Unreachable,
        Act::Prohibit => RuleAction::Prohibit,
        _ => return None,
    };
    Some(rule)
}

/// `None` stands for every address.
fn prefix(addr: IpAddr, len: u8) -> Option<Prefix> {
    (len > 0).then_some(Prefix { addr, len })
}
