//! Short changes of links that are held back, and links that are polled.

use crate::lab::{
    config, instance, millis, ours_only, pass, secs, stays, wait, Daemon, Host, Instance, Outcome,
    Segment, SOON,
};

const VIP: &str = "10.7.1.1";

fn router() -> Instance {
    instance("VI_1").every("1").line("down_timer_adverts 5").vip("10.7.1.1/16")
}

/// One master, with these blocks before its instance.
fn master(blocks: &str) -> (Segment, Host, Daemon) {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&(blocks.to_owned() + &config(&[router()])));
    daemon.wait_master("VI_1");
    wait("it holds the address", SOON, || a.holds("eth0", VIP));
    (segment, a, daemon)
}

pub(crate) fn a_short_outage_is_not_noticed_and_a_long_one_is() -> Outcome {
    let (segment, a, daemon) = master("interface_up_down_delays {\n eth0 1.5 0\n}\n");
    let mark = daemon.mark();
    for _ in 0..3 {
        segment.pull_cable(&a, "eth0");
        pass(millis(300));
        segment.plug_cable(&a, "eth0");
        pass(millis(300));
    }
    assert_eq!(daemon.state_changes(mark), Vec::<String>::new());
    segment.pull_cable(&a, "eth0");
    stays("it is master", secs(1), || a.holds("eth0", VIP));
    daemon.wait_log_since(mark, "(VI_1) Entering FAULT STATE");
    wait("no address in FAULT", SOON, || !a.holds("eth0", VIP));
    segment.plug_cable(&a, "eth0");
    daemon.wait_log_since(mark, "(VI_1) Entering BACKUP STATE");
    Ok(())
}

pub(crate) fn a_reload_without_the_delays_ends_them() -> Outcome {
    ours_only()?;
    let (segment, a, daemon) = master("interface_up_down_delays {\n eth0 3 3\n}\n");
    segment.pull_cable(&a, "eth0");
    stays("it is master", millis(500), || a.holds("eth0", VIP));
    let mark = daemon.mark();
    daemon.rewrite(&config(&[router()]));
    daemon.reload();
    daemon.wait_log_since(mark, "(VI_1) Entering FAULT STATE");
    assert!(!daemon.logged_since(mark, "Delay timer for eth0 cancelled"));
    segment.plug_cable(&a, "eth0");
    daemon.wait_log_since(mark, "(VI_1) Entering BACKUP STATE");
    Ok(())
}

pub(crate) fn a_polled_link_is_followed() -> Outcome {
    ours_only()?;
    let (segment, a, daemon) = master("linkbeat_interfaces {\n eth0 MII\n}\n");
    // No transceiver is behind a virtual interface.
    daemon.wait_log("(eth0): Configured linkbeat type MII not supported, using ETHTOOL");
    let mark = daemon.mark();
    segment.pull_cable(&a, "eth0");
    daemon.wait_log_since(mark, "(VI_1) Entering FAULT STATE");
    segment.plug_cable(&a, "eth0");
    daemon.wait_log_since(mark, "(VI_1) Entering BACKUP STATE");
    daemon.wait_log_since(mark, "(VI_1) Entering MASTER STATE");
    Ok(())
}
