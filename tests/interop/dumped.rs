//! The data dumps of the reference and of this program, made from the same configuration in equal
//! namespaces.

use crate::lab::dumps::{agree, unlike, Unlike};
use crate::lab::{require_macvlan, Daemon, Host, Outcome, Program, Segment, Workshop};

/// Words that differ in every file. The reference is keepalived 2.2.7, and this program follows 2.4.3.
const EVERYWHERE: &[Unlike] = &[
    unlike("libnftnl version", None, "no library is used"),
    unlike("SNMP socket", None, "there is no SNMP agent"),
    unlike("DBus service name", None, "there is no D-Bus"),
    unlike("VRRP realtime limit = 10000", Some("VRRP realtime limit = 0"), LIMIT),
    unlike("Checker realtime limit = 10000", Some("Checker realtime limit = 0"), LIMIT),
    unlike("BFD realtime limit = 10000", Some("BFD realtime limit = 0"), LIMIT),
];
const LIMIT: &str = "by default, there is none";

/// Of instances.
const FAULTS: Unlike = unlike(
    "Number of interface and track script faults",
    Some("Number of tracker faults"),
    "the words of 2.4.3",
);
const ROUTERS: &[Unlike] = &[
    FAULTS,
    unlike("------< GARP delay group 1", Some("------< GARP delay group"), "the words of 2.4.3"),
    unlike("GARP interval = 0.1", Some("GARP interval = 0.100000"), "the form of 2.4.3"),
    unlike("GNA interval = 0.2", Some("GNA interval = 0.200000"), "the form of 2.4.3"),
    unlike("GARP next time", None, "the announcer has no such time"),
    unlike("GNA next time", None, "the announcer has no such time"),
    unlike("Gratuitous ARP aggregation group", None, "2.4.3 has no number for it"),
    unlike("10.7.5.6 dev eth1 scope global track_group TG", Some("10.7.5.6 dev eth1"), GROUP),
    unlike("prepend 10.10.0.0/16 dev eth1 proto 18 metric 5 track", Some("prepend 10.10"), GROUP),
    unlike("from all to 10.7.5.6 priority 101", Some("from all to 10.7.5.6 priority 101"), GROUP),
    unlike("Password = secret", Some("Password = ********"), "as in 2.4.3"),
    unlike("Master down timer = 1 usecs", Some("Master down timer"), "an owner needs no timer"),
    unlike("Original arp_ignore", Some("Original arp_ignore"), SETTINGS),
    unlike("Original arp_filter", Some("Original arp_filter"), SETTINGS),
    unlike("Original promote_secondaries", Some("Original promote_secondaries"), SETTINGS),
    unlike("rp_filter 0", None, "it is shown where it was changed"),
    unlike("Not IPv6 forwarding", None, "it is asked for as the kernel reports it"),
];
const GROUP: &str = "a track_group is shown with its section";
const SETTINGS: &str = "the reference shows what it has set them to";

const KINDS: &[Unlike] = &[
    FAULTS,
    unlike("Original arp_ignore", Some("Original arp_ignore"), SETTINGS),
    unlike("Original arp_filter", Some("Original arp_filter"), SETTINGS),
    unlike("Original promote_secondaries", Some("Original promote_secondaries"), SETTINGS),
    unlike("rp_filter 0", None, "it is shown where it was changed"),
    unlike("Not IPv6 forwarding", None, "it is asked for as the kernel reports it"),
    unlike("V6, weight 255", None, "its own interface, which it does not track"),
];

const ROUTES: &[Unlike] = &[
    FAULTS,
    unlike("prepend 10.31.0.0/16 encap mpls", Some("prepend 10.31.0.0/16 encap mpls"), "labels"),
    unlike(
        "prepend fd06::/64 from fd07::",
        Some("prepend fd06::/64 from fd07::"),
        "a number of 2.2.7",
    ),
    unlike(
        "from all to 10.7.1.2 priority 111",
        Some("from all to 10.7.1.2 priority 111"),
        "protocol",
    ),
];

const SESSIONS: &[Unlike] = &[
    unlike("Gratuitous ARP lower priority", Some("Gratuitous ARP lower priority"), "the default"),
    unlike("thread_", None, "an address in memory"),
    unlike("local discriminator", Some("local discriminator"), "it is random"),
    unlike("send error", None, "it is logged"),
];

/// A host of its own with this configuration for each program.
struct Pair {
    theirs: Daemon,
    ours: Daemon,
    _hosts: [Host; 2],
    _segments: [Segment; 4],
}

impl Pair {
    fn start(text: &str) -> Result<Self, crate::lab::Skip> {
        let reference = Program::reference()?;
        let (first, [theirs]) = Segment::with_hosts(["theirs"]);
        let (second, [ours]) = Segment::with_hosts(["ours"]);
        let segments = [first, second, Segment::new(8), Segment::new(8)];
        segments[2].attach(&theirs, "eth1", 1);
        segments[3].attach(&ours, "eth1", 1);
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

/// Both lists.
fn with(more: &'static [Unlike]) -> Vec<Unlike> {
    let all = EVERYWHERE.iter().chain(more);
    all.map(|u| unlike(u.theirs, u.ours, u.why)).collect()
}

pub(crate) fn routers_with_all_that_they_track() -> Outcome {
    require_macvlan()?;
    let shop = Workshop::new();
    shop.write("tf", "3\n");
    shop.write("tf2", "0\n");
    let text = include_str!("dumped/routers.conf").replace("@HERE@", &shop.path(""));
    let pair = Pair::start(&text)?;
    pair.each(|daemon| ["A", "B", "C", "D", "E"].iter().for_each(|name| daemon.wait_master(name)));
    agree(&pair.theirs, &pair.ours, "keepalived.data", &with(ROUTERS));
    Ok(())
}

/// Every way to be an instance.
pub(crate) fn routers_of_each_kind() -> Outcome {
    require_macvlan()?;
    let pair = Pair::start(include_str!("dumped/kinds.conf"))?;
    pair.each(|daemon| {
        ["V6", "UNI6", "VMAC", "XMIT"].iter().for_each(|name| daemon.wait_master(name))
    });
    agree(&pair.theirs, &pair.ours, "keepalived.data", &with(KINDS));
    Ok(())
}

pub(crate) fn routes_and_rules() -> Outcome {
    let pair = Pair::start(include_str!("dumped/routes.conf"))?;
    pair.each(|daemon| daemon.wait_master("A"));
    agree(&pair.theirs, &pair.ours, "keepalived.data", &with(ROUTES));
    Ok(())
}

pub(crate) fn bfd_sessions() -> Outcome {
    let pair = Pair::start(include_str!("dumped/bfd.conf"))?;
    pair.each(|daemon| daemon.wait_log("Startup complete"));
    agree(&pair.theirs, &pair.ours, "keepalived_bfd.data", &with(SESSIONS));
    Ok(())
}
