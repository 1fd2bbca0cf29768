//! What happens to the interface below a VMAC.

use crate::lab::{
    config, instance, millis, ours_only, pings, require_macvlan, secs, stays, wait, Daemon, Host,
    Instance, Outcome, Segment, SOON,
};

fn router() -> Instance {
    instance("VI_1").vip("10.7.1.1/16").line("use_vmac")
}

fn served(host: &Host, client: &Host) {
    wait("the router has the address", SOON, || host.holds("vrrp.51", "10.7.1.1"));
    wait("the client reaches it", SOON, || pings(client, "10.7.1.1"));
}

fn ends_clean(daemon: &mut Daemon, host: &Host) {
    assert_eq!(daemon.stop().code(), Some(0));
    assert!(host.link("vrrp.51").is_none(), "nothing is left");
}

pub(crate) fn another_mtu_changes_nothing_else() -> Outcome {
    require_macvlan()?;
    let (segment, [a, client]) = Segment::with_hosts(["a", "c"]);
    let mut daemon = a.start(&config(&[router()]));
    daemon.wait_master("VI_1");
    served(&a, &client);
    let mark = daemon.mark();
    let mut capture = segment.capture();
    a.ip("link set eth0 mtu 1400");
    let shown = a.output("ip", &["link", "show", "dev", "vrrp.51"]);
    assert!(shown.contains("mtu 1400"), "{shown}");
    // The kernel lowers the MTU of a macvlan with that of its base, and does not raise it.
    a.ip("link set eth0 mtu 9000");
    capture.clear();
    wait("adverts go on", SOON, || capture.adverts_of(51).len() > 5);
    served(&a, &client);
    assert_eq!(daemon.state_changes(mark), Vec::<String>::new());
    ends_clean(&mut daemon, &a);
    Ok(())
}

/// The kernel allows a macvlan or a bridge on an interface, not both.
pub(crate) fn a_port_of_a_bridge_is_a_fault() -> Outcome {
    ours_only()?;
    require_macvlan()?;
    let (_segment, [a, client]) = Segment::with_hosts(["a", "c"]);
    a.ip("link add br0 type bridge\nlink set eth0 master br0");
    let mut daemon = a.start(&config(&[router()]));
    daemon.wait_fault("VI_1");
    daemon.wait_log(
        "cannot add interface vrrp.51 on eth0: Device or resource busy: it is a port of a bridge or \
         bond, or has a macvlan beside an ipvlan",
    );
    let mark = daemon.mark();
    a.ip("link set eth0 nomaster");
    daemon.wait_log_since(mark, "(VI_1) Entering MASTER STATE");
    served(&a, &client);
    let mark = daemon.mark();
    assert!(!a.try_ip("link set eth0 master br0"), "the kernel refuses to move the base");
    stays("it is still master", millis(300), || a.holds("vrrp.51", "10.7.1.1"));
    assert_eq!(daemon.state_changes(mark), Vec::<String>::new());
    ends_clean(&mut daemon, &a);
    Ok(())
}

/// Without a virtual interface, the instance ignores that its interface becomes a port.
pub(crate) fn a_plain_router_survives_a_bridge() -> Outcome {
    let (_segment, [a, client]) = Segment::with_hosts(["a", "c"]);
    let mut daemon = a.start(&config(&[instance("VI_1").vip("10.7.1.1/16")]));
    daemon.wait_master("VI_1");
    let mark = daemon.mark();
    a.ip("link add br0 type bridge\nlink set eth0 master br0");
    stays("it is still master", millis(500), || a.holds("eth0", "10.7.1.1"));
    a.ip("link set eth0 nomaster");
    wait("the client reaches it", SOON, || pings(&client, "10.7.1.1"));
    assert_eq!(daemon.state_changes(mark), Vec::<String>::new());
    assert_eq!(daemon.stop().code(), Some(0));
    assert!(!a.holds("eth0", "10.7.1.1"));
    Ok(())
}

pub(crate) fn a_bridge_as_the_base() -> Outcome {
    require_macvlan()?;
    let (segment, [client]) = Segment::with_hosts(["c"]);
    let a = Host::new("a");
    segment.plug(&a, "eth0");
    a.ip("link add br0 type bridge mcast_snooping 0 forward_delay 0\nlink set eth0 master br0\n\
          link set br0 up\naddr add 10.7.0.9/16 dev br0");
    let mut daemon = a.start(&config(&[router().on("br0")]));
    daemon.wait_master("VI_1");
    served(&a, &client);
    let mark = daemon.mark();
    segment.pull_cable(&a, "eth0");
    daemon.wait_log_part(mark, "(VI_1) Entering FAULT STATE");
    let mark = daemon.mark();
    segment.plug_cable(&a, "eth0");
    daemon.wait_log_since(mark, "(VI_1) Entering MASTER STATE");
    served(&a, &client);
    a.ip("link del br0");
    wait("it is gone with its base", secs(5), || a.link("vrrp.51").is_none());
    assert!(daemon.is_running());
    ends_clean(&mut daemon, &a);
    Ok(())
}
