//! The maximum number of routers on one link.

use crate::lab::{
    config_with, gaps, instance, ours_only, require_program, secs, wait, Outcome, Segment, SOON,
};

pub(crate) fn all_255_router_ids_on_one_link() -> Outcome {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let mut capture = segment.capture();
    let block = |vrid: u8| {
        instance(&format!("VI_{vrid}"))
            .vrid(vrid)
            .version(2)
            .every("1")
            .vip(&format!("10.7.1.{vrid}/32"))
    };
    let blocks: Vec<_> = (1..=255).map(block).collect();
    let mut daemon = a.start(&config_with("vrrp_garp_master_repeat 1", &blocks));
    wait("every instance is master", secs(30), || {
        let log = daemon.log();
        (1..=255).all(|n| log.contains(&format!("(VI_{n}) Entering MASTER STATE")))
    });
    wait("every address is there", secs(10), || {
        let held = a.addresses().remove("eth0").unwrap_or_default();
        (1..=255).all(|n| held.contains(&format!("10.7.1.{n}").parse().expect("an address")))
    });
    // Several rounds without a missing advertisement.
    capture.clear();
    let from = daemon.mark();
    wait("everybody advertises three times", secs(10), || {
        let adverts = capture.adverts();
        (1..=255).all(|vrid| adverts.iter().filter(|a| a.vrid == vrid).count() >= 3)
    });
    assert_eq!(daemon.state_changes(from), Vec::<String>::new());
    assert_eq!(daemon.stop().code(), Some(0));
    let left = a.addresses().remove("eth0").unwrap_or_default();
    assert_eq!(left.iter().filter(|a| a.to_string().starts_with("10.7.1.")).count(), 0);
    let farewells = capture.adverts().into_iter().filter(|a| a.priority == 0).count();
    assert_eq!(farewells, 255);
    Ok(())
}

/// Thousands of unrelated changes do not hide relevant ones.
pub(crate) fn a_storm_of_netlink_messages() -> Outcome {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    a.ip("link add other type veth peer name other2\nlink set other up\nlink set other2 up");
    let mut daemon = a.start(&config_with("", &[instance("VI_1").every("0.5").vip("10.7.1.1/16")]));
    daemon.wait_master("VI_1");
    wait("it holds the address", SOON, || a.holds("eth0", "10.7.1.1"));
    let mark = daemon.mark();
    let mut capture = segment.capture();
    let lines = |verb: &str| {
        let line =
            |n: u32| format!("addr {verb} 192.168.{}.{}/32 dev other\n", n / 250, n % 250 + 1);
        (0..4000).map(line).collect::<String>()
    };
    a.ip(&lines("add"));
    a.ip(&lines("del"));
    let gaps = gaps(&capture.adverts());
    assert!(gaps.iter().all(|gap| *gap < secs(1)), "an advert was late: {gaps:?}");
    assert_eq!(daemon.state_changes(mark), Vec::<String>::new());
    a.ip("link set eth0 down");
    daemon.wait_log_since(mark, "(VI_1) Entering FAULT STATE");
    a.ip("link set eth0 up");
    daemon.wait_log_since(mark, "(VI_1) Entering MASTER STATE");
    assert!(daemon.is_running());
    Ok(())
}

pub(crate) fn a_thousand_addresses_of_one_instance() -> Outcome {
    are_added_and_removed("accept", "");
    Ok(())
}

/// Each entry of the packet filter stays until its address is gone.
pub(crate) fn a_thousand_protected_addresses_of_one_instance() -> Outcome {
    ours_only()?;
    require_program("nft", "nftables")?;
    are_added_and_removed("no_accept", "nftables");
    Ok(())
}

fn are_added_and_removed(accept: &str, global: &str) {
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let list: String =
        (0..1000).map(|n| format!("        10.7.{}.{}/32\n", 10 + n / 250, n % 250 + 1)).collect();
    let block = instance("VI_1")
        .vip("10.7.1.1/16")
        .line(accept)
        .line(&format!("virtual_ipaddress_excluded {{\n{list}    }}"));
    let global = format!("vrrp_garp_master_repeat 1\n{global}");
    let mut daemon = a.start(&config_with(&global, &[block]));
    let held = || a.addresses().remove("eth0").unwrap_or_default().len();
    let own = held();
    wait("all are there", secs(20), || held() >= own + 1001);
    assert_eq!(daemon.stop().code(), Some(0));
    assert_eq!(held(), own);
}
