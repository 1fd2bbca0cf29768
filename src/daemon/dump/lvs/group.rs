//! A `virtual_server_group`, and how many servers are behind each of its entries.

use super::super::text::yes;
use super::{Text, View};
use crate::base::addr::Family;
use crate::base::sorted::SortedMap;
use crate::lvs::Service;
use crate::model::lvs::{self as model, AddressGroup, GroupEntry, Protocol, VirtualServer};

/// A virtual server with the number of its servers in IPVS.
type User<'a> = (&'a VirtualServer, usize);

pub(super) fn groups(view: &View<'_>, all: &[&Service], out: &mut Text) {
    let mut users: SortedMap<&str, Vec<User<'_>>> = SortedMap::new();
    for service in all {
        if let model::Service::Group { name, .. } = &service.config().service {
            users.entry(name).or_default().push((service.config(), service.wanted().len()));
        }
    }
    for config in &view.config.address_groups {
        let users = users.get(&*config.name).map_or(&[][..], |list| &list[..]);
        group(config, users, out);
    }
}

fn group(group: &AddressGroup, users: &[User<'_>], out: &mut Text) {
    let has = |family| {
        let mut families = group.entries.iter().filter_map(GroupEntry::family).peekable();
        match families.peek() {
            Some(_) => families.any(|found| found == family),
            None => users.iter().any(|(config, _)| config.family == family),
        }
    };
    out.subsection("Virtual server group");
    let (v4, v6) = (yes(has(Family::V4)), yes(has(Family::V6)));
    out.top("Virtual Server Group", format_args!("{}, IPv4 = {v4}, IPv6 = {v6}", group.name));
    if let Some(marks) = marks(users) {
        out.fact(format_args!(" {marks}"));
    }
    // Firewall marks last.
    for marks in [false, true] {
        let is_mark = |entry: &&GroupEntry| matches!(entry, GroupEntry::Fwmark { .. });
        for entry in group.entries.iter().filter(|entry| is_mark(entry) == marks) {
            self::entry(entry, users, out);
            out.pair_of_item("reloaded", "False");
        }
    }
}

fn entry(entry: &GroupEntry, users: &[User<'_>], out: &mut Text) {
    let count = |is_it: &dyn Fn(&VirtualServer) -> bool| -> usize {
        users.iter().filter(|(config, _)| is_it(config)).map(|(_, servers)| servers).sum()
    };
    match *entry {
        GroupEntry::Range { first, last, port } => {
            if first == last {
                out.pair("VIP", format_args!("{first}, VPORT = {port}"));
            } else {
                out.pair("VIP Range", format_args!("{first}-{last}, VPORT = {port}"));
            }
            let [tcp, udp, sctp] =
                Protocol::ALL.map(|protocol| count(&|vs| vs.protocol == Some(protocol)));
            out.item(format_args!("Alive: {tcp} tcp, {udp} udp, {sctp} sctp"));
        }
        GroupEntry::Fwmark { mark, family } => {
            let word = match family {
                None => "",
                Some(Family::V4) => " IPv4",
                Some(Family::V6) => " IPv6",
            };
            out.pair("FWMARK", format_args!("{mark}{word}"));
            let of = |wanted| count(&|vs| vs.family == wanted);
            let (v4, v6) = (of(Family::V4), of(Family::V6));
            out.item(format_args!("Alive: {v4} IPv4, {v6} IPv6"));
        }
    }
}

/// The marks of packets to the addresses of a group, as keepalived shows them: 0 is none.
fn marks(users: &[User<'_>]) -> Option<String> {
    let configs = || users.iter().map(|(config, _)| *config);
    configs().any(|vs| vs.mark.is_some()).then(|| {
        let marks = Protocol::ALL.map(|protocol| {
            let mark = configs().find(|vs| vs.protocol == Some(protocol)).and_then(|vs| vs.mark);
            format!("{}: {}", protocol.name().to_uppercase(), mark.unwrap_or(0))
        });
        format!("Fwmark {}", marks.join(" "))
    })
}
