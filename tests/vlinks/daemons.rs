//! Whole daemons with interfaces of kinds that only the guest's kernel has.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::lab::{
    config, instance, neighbour, pings, secs, wait, Daemon, Host, Instance, Outcome, Segment, SOON,
};

fn index(host: &Host, name: &str) -> Option<usize> {
    host.link(name).map(|link| link.ifindex())
}

/// Two routers and a client. The instance of each is made from its number.
struct Pair {
    segment: Segment,
    hosts: [Host; 3],
    texts: [String; 2],
    /// The made interface, the one with the address, and the address.
    made: &'static str,
    carrier: &'static str,
    vip: &'static str,
}

impl Pair {
    fn new(block: impl Fn(u8) -> Instance, [made, carrier, vip]: [&'static str; 3]) -> Self {
        let (segment, hosts) = Segment::with_hosts(["a", "b", "c"]);
        let texts = [config(&[block(1).priority(150)]), config(&[block(2)])];
        Self { segment, hosts, texts, made, carrier, vip }
    }

    fn start(&self, n: usize) -> Daemon {
        self.hosts[n].start(&self.texts[n])
    }

    fn holds(&self, n: usize) -> bool {
        self.hosts[n].holds(self.carrier, self.vip)
    }

    #[track_caller]
    fn served_by(&self, n: usize) {
        wait("one has the address", SOON, || self.holds(n) && !self.holds(1 - n));
        wait("the client reaches it", SOON, || pings(&self.hosts[2], self.vip));
    }

    #[track_caller]
    fn is_clean(&self, n: usize) {
        assert_eq!(index(&self.hosts[n], self.made), None, "the interface is left");
        assert!(!self.holds(n), "the address is left");
    }

    /// Failover, a stop that leaves nothing, a crash after which the interface is adopted.
    fn play(&self) {
        let mut first = self.start(0);
        self.served_by(0);
        let mut second = self.start(1);
        // It begins in FAULT if the kernel is late with the IPv6 address of a new interface.
        second.wait_log_part(0, "(VI_1) Entering BACKUP STATE");
        second.wait_log_part(0, "(VI_1) master set to ");
        assert_eq!(first.stop().code(), Some(0));
        self.is_clean(0);
        self.served_by(1);
        let mut first = self.start(0);
        self.served_by(0);
        let left = index(&self.hosts[0], self.made);
        first.crash();
        assert!(left.is_some() && index(&self.hosts[0], self.made) == left, "a crash leaves it");
        let mut first = self.start(0);
        first.wait_master("VI_1");
        self.served_by(0);
        assert_eq!(index(&self.hosts[0], self.made), left, "it is adopted");
        self.hosts[0].ip(&format!("link del {}", self.made));
        wait("it returns", SOON, || {
            index(&self.hosts[0], self.made).is_some_and(|i| Some(i) != left)
        });
        self.served_by(0);
        assert_eq!(first.stop().code(), Some(0));
        self.is_clean(0);
        self.served_by(1);
        assert_eq!(second.stop().code(), Some(0));
        self.is_clean(1);
    }
}

pub(crate) fn ipvlans_over_ipv4() -> Outcome {
    let block = |n| {
        let line = format!("use_ipvlan ipv.51 10.7.0.1{n}/16");
        instance("VI_1").line(&line).vip("10.7.1.1/16")
    };
    let pair = Pair::new(block, ["ipv.51", "eth0", "10.7.1.1"]);
    let mut capture = pair.segment.capture();
    pair.play();
    let sources: BTreeSet<_> = capture.adverts().iter().map(|advert| advert.source).collect();
    let expected = ["10.7.0.11", "10.7.0.12"].map(|a| a.parse::<IpAddr>().expect("an address"));
    assert_eq!(sources, BTreeSet::from(expected), "adverts have the addresses of the ipvlans");
    Ok(())
}

pub(crate) fn ipvlans_over_ipv6() -> Outcome {
    let block =
        |_| instance("VI_1").line("use_ipvlan private ipv.51").vip("fe80::51").vip("fd07::1:1/64");
    Pair::new(block, ["ipv.51", "eth0", "fd07::1:1"]).play();
    Ok(())
}

const RED: &str = "link add red type vrf table 9\nlink set red up\nlink set eth0 master red";

/// The master of an interface.
fn master(host: &Host, name: &str) -> String {
    let shown = host.output("ip", &["-o", "link", "show", "dev", name]);
    let mut words = shown.split_whitespace().skip_while(|word| *word != "master");
    words.nth(1).unwrap_or_default().to_owned()
}

pub(crate) fn vmacs_in_a_vrf() -> Outcome {
    let block = |_| instance("VI_1").line("use_vmac").vip("10.7.1.1/16");
    let pair = Pair::new(block, ["vrrp.51", "vrrp.51", "10.7.1.1"]);
    let [a, b, client] = &pair.hosts;
    a.ip(RED);
    b.ip(RED);
    pair.play();
    assert_eq!(neighbour(client, "10.7.1.1").as_deref(), Some("00:00:5e:00:01:33"));
    // The VMAC follows its base.
    let mut daemon = pair.start(0);
    pair.served_by(0);
    assert_eq!(master(a, "vrrp.51"), "red");
    a.ip("link set eth0 nomaster");
    wait("the VMAC has left the VRF, too", SOON, || master(a, "vrrp.51").is_empty());
    pair.served_by(0);
    a.ip("link set eth0 master red");
    wait("it is back", SOON, || master(a, "vrrp.51") == "red");
    pair.served_by(0);
    assert_eq!(daemon.stop().code(), Some(0));
    Ok(())
}

/// `vrf` instead of `interface`: unicast through the routing table of the VRF.
pub(crate) fn unicast_in_a_vrf() -> Outcome {
    let (_segment, [a, b, client]) = Segment::with_hosts(["a", "b", "c"]);
    let text = |own: u8, peer: u8, priority| {
        let block = instance("VI_1")
            .priority(priority)
            .line("vrf red")
            .line(&format!("unicast_src_ip 10.7.0.{own}"))
            .line(&format!("unicast_peer {{\n 10.7.0.{peer}\n }}"))
            .vip("10.7.1.1/16 dev eth0");
        config(&[block]).replace("    interface eth0\n", "")
    };
    a.ip(RED);
    b.ip(RED);
    let mut first = a.start(&text(1, 2, 150));
    first.wait_master("VI_1");
    let second = b.start(&text(2, 1, 100));
    second.wait_backup("VI_1");
    let served = |by: &Host, other: &Host| {
        wait("one has the address", SOON, || {
            by.holds("eth0", "10.7.1.1") && !other.holds("eth0", "10.7.1.1")
        });
        wait("the client reaches it", SOON, || pings(&client, "10.7.1.1"));
    };
    served(&a, &b);
    assert_eq!(second.state_changes(0).len(), 1, "the backup hears the master");
    assert_eq!(first.stop().code(), Some(0));
    served(&b, &a);
    let mut first = a.start(&text(1, 2, 150));
    served(&a, &b);
    first.crash();
    second.wait_log_part(second.mark(), "Entering MASTER STATE");
    let first = a.start(&text(1, 2, 150));
    first.wait_master("VI_1");
    served(&a, &b);
    Ok(())
}

pub(crate) fn a_vlan_as_the_base() -> Outcome {
    let block = |_| instance("VI_1").on("eth0.7").line("use_vmac").vip("10.8.1.1/16");
    let pair = Pair::new(block, ["vrrp.51", "vrrp.51", "10.8.1.1"]);
    let make = |n: usize| {
        pair.hosts[n].ip(&format!(
            "link add link eth0 name eth0.7 type vlan id 7\nlink set eth0.7 up\n\
             addr add 10.8.0.{}/16 dev eth0.7",
            n + 1
        ));
    };
    (0..3).for_each(make);
    pair.play();
    let mut daemon = pair.start(0);
    pair.served_by(0);
    let second = pair.start(1);
    second.wait_backup("VI_1");
    for (down, up) in [("link del eth0.7", None), ("link set eth0 down", Some("link set eth0 up"))]
    {
        let mark = daemon.mark();
        pair.hosts[0].ip(down);
        daemon.wait_log_part(mark, "(VI_1) Entering FAULT STATE");
        pair.served_by(1);
        match up {
            Some(up) => pair.hosts[0].ip(up),
            None => make(0),
        }
        pair.served_by(0);
    }
    assert_eq!(daemon.stop().code(), Some(0));
    pair.is_clean(0);
    Ok(())
}

pub(crate) fn a_bond_as_the_base() -> Outcome {
    let (segment, [client]) = Segment::with_hosts(["c"]);
    let a = Host::new("a");
    a.ip("link add bond0 type bond mode active-backup miimon 20");
    for port in ["eth0", "eth1"] {
        segment.plug(&a, port);
        a.ip(&format!("link set {port} down\nlink set {port} master bond0"));
    }
    a.ip("link set bond0 up\naddr add 10.7.0.9/16 dev bond0");
    let block = instance("VI_1").on("bond0").line("use_vmac").vip("10.7.1.1/16");
    let mut daemon = a.start(&config(&[block]));
    daemon.wait_master("VI_1");
    let served = || {
        wait("it has the address", SOON, || a.holds("vrrp.51", "10.7.1.1"));
        wait("the client reaches it", SOON, || pings(&client, "10.7.1.1"));
    };
    served();
    let mark = daemon.mark();
    segment.pull_cable(&a, "eth0");
    served();
    segment.plug_cable(&a, "eth0");
    segment.pull_cable(&a, "eth1");
    served();
    assert_eq!(daemon.state_changes(mark), Vec::<String>::new());
    segment.pull_cable(&a, "eth0");
    daemon.wait_log_part(mark, "(VI_1) Entering FAULT STATE");
    segment.plug_cable(&a, "eth1");
    served();
    assert_eq!(daemon.stop().code(), Some(0));
    assert_eq!(index(&a, "vrrp.51"), None);
    Ok(())
}

/// The kernel allows a macvlan or a bond on an interface, not both.
pub(crate) fn a_port_of_a_bond_is_a_fault() -> Outcome {
    let (_segment, [a, client]) = Segment::with_hosts(["a", "c"]);
    a.ip("link add bond0 type bond mode active-backup miimon 20\nlink set eth0 down\n\
          link set eth0 master bond0\nlink set bond0 up");
    let mut daemon = a.start(&config(&[instance("VI_1").line("use_vmac").vip("10.7.1.1/16")]));
    daemon.wait_fault("VI_1");
    a.ip("link set eth0 nomaster\nlink set eth0 up");
    wait("it has the address", SOON, || a.holds("vrrp.51", "10.7.1.1"));
    wait("the client reaches it", SOON, || pings(&client, "10.7.1.1"));
    let mark = daemon.mark();
    a.ip("link set eth0 down");
    assert!(!a.try_ip("link set eth0 master bond0"), "the kernel refuses to move the base");
    daemon.wait_log_part(mark, "(VI_1) Entering FAULT STATE");
    a.ip("link set eth0 up");
    wait("it has the address again", secs(10), || a.holds("vrrp.51", "10.7.1.1"));
    assert_eq!(daemon.stop().code(), Some(0));
    assert_eq!(index(&a, "vrrp.51"), None);
    Ok(())
}
