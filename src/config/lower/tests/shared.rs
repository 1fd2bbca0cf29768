//! Services that several virtual servers share, and groups of both families.

use super::*;
use crate::model::lvs::{Forwarding, Granularity, GroupEntry, Scheduler};

fn read(text: &str) -> (Config, Vec<String>) {
    let (config, told) = lowered(text);
    (config, without_place(told))
}

/// A virtual server of the group `g`, with the lines of both.
fn group(entries: &str, lines: &str) -> (Config, Vec<String>) {
    read(&format!(
        "virtual_server_group g {{\n{entries}\n}}\n\
         virtual_server group g {{\nlvs_sched rr\n{lines}\n}}"
    ))
}

#[test]
fn one_service_twice_has_the_servers_of_both_and_the_settings_of_the_first() {
    let (config, told) = read(
        "virtual_server 192.0.2.1 80 {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\nquorum 2\n\
         real_server 192.0.2.10 80 {\nweight 1\nTCP_CHECK {\n}\n}\n\
         real_server 192.0.2.11 80 {\n}\n}\n\
         virtual_server 192.0.2.1 80 {\nlvs_sched wlc\nlvs_method DR\nprotocol TCP\n\
         persistence_timeout 60\nsorry_server 192.0.2.12 80\n\
         real_server 192.0.2.10 80 {\nweight 7\nTCP_CHECK {\n}\nPING_CHECK {\n}\n}\n\
         real_server 192.0.2.12 80 {\nweight 2\ninhibit_on_failure\n}\n}\n\
         virtual_server 192.0.2.1 80 {\nlvs_sched wlc\nlvs_method DR\nprotocol UDP\n\
         real_server 192.0.2.10 80 {\n}\n}",
    );
    assert_eq!(
        told,
        [
            "Error (192.0.2.1 80) sorry_server is a real_server with inhibit_on_failure: so it is \
             here as well",
            "Warning (192.0.2.1 80) there is such a virtual_server already: it gets these real \
             servers as well, and its own settings count | it begins in line 1",
            "Warning (192.0.2.1 80) real_server 192.0.2.10 80 is in both: the first one counts, \
             with the checks of both",
        ]
    );
    let [vs, udp] = config.virtual_servers.as_slice() else { panic!("one of each protocol") };
    assert_eq!((vs.scheduler, vs.forwarding), (Scheduler::Rr, Forwarding::Nat));
    assert_eq!((vs.quorum, vs.persistence), (2, None));
    let shown =
        vs.servers.iter().map(|s| (s.addr.to_string(), s.weight, s.forwarding, s.checks.len()));
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            ("192.0.2.10".to_owned(), 1, Forwarding::Nat, 2),
            ("192.0.2.11".to_owned(), 1, Forwarding::Nat, 0),
            ("192.0.2.12".to_owned(), 2, Forwarding::Direct, 0),
        ]
    );
    assert_eq!(
        vs.sorry_server.as_ref().map(|s| (s.addr.to_string(), s.inhibit)),
        Some(("192.0.2.12".to_owned(), true))
    );
    assert_eq!(udp.servers.len(), 1);
}

#[test]
fn one_group_twice_has_one_service_and_one_number() {
    let server = |n| format!("lvs_method NAT\nprotocol TCP\nreal_server 192.0.2.1{n} 80 {{\n}}");
    let again =
        format!("{}\n}}\nvirtual_server group g {{\nlvs_sched rr\n{}", server(0), server(1));
    let (config, told) = group("192.0.2.1 80", &again);
    assert_eq!(told.len(), 1, "{told:?}");
    let shown = config.virtual_servers.iter().map(|vs| (vs.to_string(), vs.servers.len()));
    assert_eq!(shown.collect::<Vec<_>>(), [("[g]:0".to_owned(), 2)]);
}

/// Two tunnels.
const TUNNELS: &str =
    "lvs_method TUN\nreal_server 192.0.2.10 80 {\n}\nreal_server 2001:db8::10 80 {\n}\n";

#[test]
fn a_group_has_both_families_if_all_its_servers_are_tunnels() {
    for (entries, protocol, services) in [
        ("192.0.2.1 80\n2001:db8::1-2 80", "protocol TCP\n", 3),
        ("2001:db8::1 80\n192.0.2.1 80\nfwmark 5 inet\nfwmark 5 inet6", "protocol TCP\n", 4),
        ("192.0.2.1 80\nfwmark 6 inet6", "protocol TCP\n", 2),
        ("fwmark 6 inet6\nfwmark 6 inet", "", 2),
    ] {
        let (config, told) = group(entries, &format!("{protocol}{TUNNELS}"));
        assert!(told.is_empty(), "{entries}: {told:?}");
        let [vs] = config.virtual_servers.as_slice() else { panic!("{entries}: lost") };
        assert_eq!((vs.family, vs.servers.len()), (Family::V4, 2), "in any order");
        let [group] = config.address_groups.as_slice() else { panic!("{entries}: lost") };
        let made = group.entries.iter().flat_map(GroupEntry::services);
        assert_eq!(made.count(), services, "{entries}");
    }
}

#[test]
fn a_granularity_is_for_the_services_of_its_family() {
    for (granularity, kept) in [
        ("255.255.255.0", Granularity::Mask([255, 255, 255, 0].into())),
        ("64", Granularity::Prefix(64)),
    ] {
        let lines = format!("protocol TCP\npersistence_granularity {granularity}\n{TUNNELS}");
        let (config, told) = group("192.0.2.1 80\n2001:db8::1 80", &lines);
        assert!(told.is_empty(), "{told:?}");
        let persistence = config.virtual_servers[0].persistence;
        assert_eq!(persistence.and_then(|p| p.granularity), Some(kept));
    }
}

#[test]
fn a_group_of_both_families_that_cannot_be_is_an_error() {
    let tunnel =
        "Error (group g) the group has IPv4 and IPv6, which takes lvs_method TUN for every \
                  real_server and the sorry_server: the virtual server is left out";
    let mark =
        "Error (group g) the group has IPv4 and IPv6, so each fwmark needs 'inet' or 'inet6': \
                the virtual server is left out";
    let both = "192.0.2.1 80\n2001:db8::1 80";
    let server = "lvs_method DR\nprotocol TCP\nreal_server 192.0.2.10 80 {\n}";
    let sorry =
        format!("protocol TCP\nsorry_server 192.0.2.9 80\nsorry_server_lvs_method DR\n{TUNNELS}");
    for (entries, lines, text) in [
        (both, server, tunnel),
        ("192.0.2.1 80\nfwmark 5 inet6", server, tunnel),
        (both, &sorry, tunnel),
        (&format!("{both}\nfwmark 5"), &format!("protocol TCP\n{TUNNELS}"), mark),
    ] {
        let (config, told) = group(entries, lines);
        assert!(config.virtual_servers.is_empty() && config.address_groups.is_empty(), "{entries}");
        assert_eq!(told, [text], "{entries}");
    }
    let (config, told) = group(both, &format!("ip_family inet6\nprotocol TCP\n{TUNNELS}"));
    assert_eq!(told, ["Error (group g) ip_family is ignored: the addresses are IPv4 and IPv6"]);
    assert_eq!(config.virtual_servers.len(), 1);
}
