//! Virtual servers that follow virtual routers.

use crate::farm::{lines, table, wait_table, PATIENCE};
use crate::lab::{config_with, instance, secs, stays, wait, Host, Outcome, Segment};

pub(crate) fn checks_are_suspended_without_the_address() -> Outcome {
    let (_segment, [a, _]) = Segment::with_hosts(["a", "s"]);
    let mut daemon = a.start(&lines(
        "virtual_server 10.7.1.1 80 { delay_loop 1; lvs_sched rr; lvs_method DR; protocol TCP; ha_suspend; \
         real_server 10.7.0.2 80 { weight 1; TCP_CHECK { retry 0 } } } ",
    ));
    let [service, server] = ["-A -t 10.7.1.1:80 -s rr", "-a -t 10.7.1.1:80 -r 10.7.0.2:80 -g -w 1"];
    wait_table(&a, &[service, server]);
    stays("no check runs", secs(3), || table(&a) == [service, server]);
    a.ip("addr add 10.7.1.1/32 dev lo");
    wait_table(&a, &[service]);
    a.ip("addr del 10.7.1.1/32 dev lo");
    stays("no check runs, the last results hold", secs(2), || table(&a) == [service]);
    assert!(daemon.stop().success());
    Ok(())
}

fn sync_daemons(host: &Host) -> String {
    host.output("ipvsadm", &["-L", "--daemon"])
}

pub(crate) fn the_sync_daemon_follows_the_instance() -> Outcome {
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let config = |priority| {
        let block = instance("VI_1").priority(priority).vip("10.7.1.1/16");
        config_with("lvs_sync_daemon eth0 VI_1 id 5", &[block])
            + &lines(
                "virtual_server 10.7.1.1 80 { delay_loop 1; lvs_sched rr; lvs_method DR; protocol TCP; \
                 real_server 10.7.0.9 80 { weight 1 } } ",
            )
    };
    let mut first = a.start(&config(110));
    first.wait_master("VI_1");
    let mut second = b.start(&config(100));
    let has = |host: &Host, role: &str| {
        sync_daemons(host).contains(&format!("{role} sync daemon (mcast=eth0, syncid=5"))
    };
    wait("the first sends", PATIENCE, || has(&a, "master"));
    wait("the second listens", PATIENCE, || has(&b, "backup"));
    assert!(first.stop().success());
    assert_eq!(sync_daemons(&a).trim(), "", "a stopped director leaves no daemon behind");
    wait("the second sends", PATIENCE, || has(&b, "master"));
    assert!(second.stop().success());
    assert_eq!(sync_daemons(&b).trim(), "");
    Ok(())
}
