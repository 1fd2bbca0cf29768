//! The data dumps of the reference and of this program, made from the same configuration in equal
//! namespaces, with what the kernel of a build machine lacks; and what exporters find in the dumps.

use crate::exporters;
use crate::farm::{certificate, lines};
use crate::lab::dumps::{agree, unlike, Unlike};
use crate::lab::{Daemon, Host, Outcome, Program, Segment, Skip, Workshop};

/// The reference is keepalived 2.2.7, and this program follows 2.4.3.
const GLOBAL: &[Unlike] = &[
    unlike("libnftnl version", None, "no library is used"),
    unlike("SNMP socket", None, "there is no SNMP agent"),
    unlike("DBus service name", None, "there is no D-Bus"),
    unlike("VRRP realtime limit = 10000", Some("VRRP realtime limit = 0"), LIMIT),
    unlike("Checker realtime limit = 10000", Some("Checker realtime limit = 0"), LIMIT),
    unlike("BFD realtime limit = 10000", Some("BFD realtime limit = 0"), LIMIT),
];
const LIMIT: &str = "by default, there is none";

const SERVERS: &[Unlike] = &[
    unlike("LVS TCP timeout = 30", Some("LVS UDP timeout = 30"), "it is that of UDP"),
    unlike("Gratuitous ARP lower priority", Some("Gratuitous ARP lower priority"), "the default"),
    unlike("alive = 1", Some("VS alive = 1|alive = 1"), "of a virtual server, the words of 2.4.3"),
    unlike("SNMP name", None, "there is no SNMP agent"),
    unlike("RS up notify script", Some("RS up notify script"), "the indentation of 2.4.3"),
    unlike("RS down notify script", Some("RS down notify script"), "the indentation of 2.4.3"),
    unlike("Retries iterations", Some("Retries iterations"), "what is down is not counted on"),
    unlike("Regex ref count", None, "how often it is in memory"),
    unlike(
        "Payload specified = no",
        Some("Payload specified = no|Payload len = 3"),
        "2.4.3 has it",
    ),
];

const LINKS: &[Unlike] = &[
    unlike(
        "Number of interface and track script faults",
        Some("Number of tracker faults"),
        "the words of 2.4.3",
    ),
    unlike("rp_filter 0", None, "it is shown where it was changed"),
    unlike("IPv6 address = (none)", Some("IPv6 address = "), "an ipvlan keeps its own"),
];

/// A host of its own with this configuration for each program.
struct Pair {
    theirs: Daemon,
    ours: Daemon,
    _hosts: [Host; 2],
    _segments: [Segment; 4],
}

impl Pair {
    fn start(text: &str, prepare: impl Fn(&Host)) -> Result<Self, Skip> {
        let reference = Program::reference()?;
        let (first, [theirs]) = Segment::with_hosts(["theirs"]);
        let (second, [ours]) = Segment::with_hosts(["ours"]);
        let segments = [first, second, Segment::new(8), Segment::new(8)];
        segments[2].attach(&theirs, "eth1", 1);
        segments[3].attach(&ours, "eth1", 1);
        prepare(&theirs);
        prepare(&ours);
        Ok(Self {
            theirs: theirs.start_program(&reference, text),
            ours: ours.start(text),
            _hosts: [theirs, ours],
            _segments: segments,
        })
    }

    fn each(&self, check: impl Fn(&Daemon)) {
        [&self.theirs, &self.ours].into_iter().for_each(check);
    }
}

fn with(more: &'static [Unlike]) -> Vec<Unlike> {
    let all = GLOBAL.iter().chain(more);
    all.map(|u| unlike(u.theirs, u.ours, u.why)).collect()
}

pub(crate) fn groups_servers_and_every_check() -> Outcome {
    let shop = Workshop::new();
    let (cert, key) = certificate(&shop, "client");
    shop.write("tf", "1\n");
    let text = include_str!("dumped/servers.conf");
    let text =
        text.replace("@CERT@", &cert).replace("@KEY@", &key).replace("@FILE@", &shop.path("tf"));
    let pair = Pair::start(&text, |_| {})?;
    pair.each(|daemon| daemon.wait_log("Startup complete"));
    agree(&pair.theirs, &pair.ours, "keepalived_check.data", &with(SERVERS));
    Ok(())
}

pub(crate) fn routers_on_an_ipvlan_and_in_a_vrf() -> Outcome {
    let pair = Pair::start(include_str!("dumped/ipvlan.conf"), |host| {
        host.ip("link add vrf7 type vrf table 7\nlink set vrf7 up\nlink set eth0 master vrf7");
    })?;
    pair.each(|daemon| ["IPVLAN", "VRF"].iter().for_each(|name| daemon.wait_master(name)));
    agree(&pair.theirs, &pair.ours, "keepalived.data", &with(LINKS));
    Ok(())
}

pub(crate) fn exporters_find_everything_beside_virtual_servers() -> Outcome {
    exporters::they_find_everything(&lines(
        "virtual_server_group G { 10.7.1.101 80; 10.7.1.102-103 80 } \
         virtual_server group G { delay_loop 1; lvs_sched wlc; lvs_method DR; protocol TCP; \
         real_server 10.7.0.1 80 { TCP_CHECK { connect_timeout 1 } } ; \
         real_server 10.7.0.2 80 { } } \
         virtual_server fwmark 9 { delay_loop 1; lvs_sched rr; lvs_method NAT; \
         real_server 10.7.0.1 80 { MISC_CHECK { misc_path /bin/true } } } ",
    ))
}
