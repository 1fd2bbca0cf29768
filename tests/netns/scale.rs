//! As many routers as one link can have.

use crate::lab::{config_with, instance, secs, wait, Outcome, Segment};

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
    // Several rounds without one that is missing.
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
