//! Addresses that are not accepted, protected by commands of iptables and ipset.

use nix::sys::signal::Signal;

use crate::firewall::Client;
use crate::lab::{
    config_with, gaps, instance, millis, ours_only, require_program, stays, wait, Host, Outcome,
    Segment, Skip, Workshop, SOON,
};

const VIP: &str = "10.7.1.1";
const SETS: &str = "vrrp_iptables";
const RULES: &str = "vrrp_iptables\nvrrp_ipsets";

fn needed() -> Outcome {
    ours_only()?;
    require_program("iptables-restore", "iptables")?;
    require_program("ipset", "ipset")?;
    let host = Host::new("a");
    host.output("ipset", &["create", "one", "hash:ip"]);
    host.output("iptables", &["-A", "INPUT", "-m", "set", "--match-set", "one", "dst"]);
    if host.output("iptables-save", &[]).contains("--match-set one") {
        Ok(())
    } else {
        Err(Skip::new("the kernel has no iptables, or no ipset"))
    }
}

fn router(global: &str, accept: &str) -> String {
    config_with(global, &[instance("VI_1").line(accept).vip("10.7.1.1/16")])
}

/// Rules and sets.
fn saved(host: &Host) -> String {
    let rules = ["iptables-save", "ip6tables-save"].map(|program| host.output(program, &[]));
    let rules = rules.iter().flat_map(|text| text.lines()).filter(|line| line.starts_with("-A"));
    rules.collect::<Vec<_>>().join("\n") + &host.output("ipset", &["save"])
}

fn shields(host: &Host, addr: &str) -> bool {
    let text = saved(host);
    let one = [format!("add keepalived {addr}"), format!("-d {addr}/32 -j DROP")];
    one.iter().any(|line| text.contains(line.as_str()))
}

fn is_protected(host: &Host) -> bool {
    host.holds("eth0", VIP) && shields(host, VIP)
}

pub(crate) fn rules_follow_the_master() -> Outcome {
    needed()?;
    for global in [SETS, RULES] {
        let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
        a.output("iptables", &["-A", "INPUT", "-p", "tcp", "-j", "ACCEPT"]);
        let foreign = saved(&a);
        assert!(foreign.contains("-p tcp"), "{foreign}");
        let mut first = a.start(&router(global, "no_accept\npriority 200"));
        first.wait_master("VI_1");
        wait("it is protected", SOON, || is_protected(&a));
        let second = b.start(&router(global, "no_accept\npriority 100"));
        second.wait_backup("VI_1");
        assert!(!shields(&b, VIP));
        first.rewrite(&router(global, "accept\npriority 200"));
        assert_eq!(first.reload_and_wait().0, Some(0));
        wait("it is accepted", SOON, || a.holds("eth0", VIP) && !shields(&a, VIP));
        first.rewrite(&router(global, "no_accept\npriority 200"));
        assert_eq!(first.reload_and_wait().0, Some(0));
        wait("it is protected again", SOON, || is_protected(&a));
        assert!(first.stop().success());
        assert_eq!(saved(&a), foreign, "nothing is left after a stop");
        second.wait_master("VI_1");
        wait("the second one protects it", SOON, || is_protected(&b));
    }
    Ok(())
}

pub(crate) fn an_address_waits_for_its_rules() -> Outcome {
    needed()?;
    let (_segment, [a, c]) = Segment::with_hosts(["a", "c"]);
    let client = Client::start(&c, &a, VIP);
    for global in [SETS, RULES, SETS] {
        let mut daemon = a.start(&router(global, "no_accept"));
        wait("it is protected", SOON, || is_protected(&a));
        // The other way to filter takes over before this one ends.
        for other in ["nftables", global] {
            daemon.rewrite(&router(other, "no_accept"));
            assert_eq!(daemon.reload_and_wait().0, Some(0));
            wait("it has taken over", SOON, || shields(&a, VIP) == (other == global));
        }
        stays("it is there", millis(50), || is_protected(&a));
        assert!(daemon.stop().success());
        assert_eq!(saved(&a), "");
    }
    let (count, heard) = client.end();
    assert_eq!(heard, [""; 0], "{count} attempts");
    assert!(count > 50, "{count}");
    Ok(())
}

pub(crate) fn a_crash_leaves_no_rule_twice_and_none_for_ever() -> Outcome {
    needed()?;
    for global in [SETS, RULES] {
        let (_segment, [a]) = Segment::with_hosts(["a"]);
        let mut daemon = a.start(&router(global, "no_accept"));
        wait("it is protected", SOON, || is_protected(&a));
        let before = saved(&a);
        daemon.crash();
        let mut daemon = a.start(&router(global, "no_accept"));
        daemon.wait_master("VI_1");
        wait("it is protected", SOON, || is_protected(&a));
        assert_eq!(saved(&a).lines().count(), before.lines().count(), "{}", saved(&a));
        daemon.crash();
        let mut daemon = a.start(&router(global, "accept"));
        daemon.wait_master("VI_1");
        wait("it is accepted", SOON, || a.holds("eth0", VIP) && !shields(&a, VIP));
        assert!(daemon.stop().success());
        assert_eq!(saved(&a), "");
    }
    Ok(())
}

pub(crate) fn a_panic_leaves_no_rule_behind() -> Outcome {
    needed()?;
    if !cfg!(debug_assertions) {
        return Err(Skip::new("defects on request are in builds with debug assertions only"));
    }
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let text = router(SETS, "no_accept");
    let mut daemon = a.start_faulty(&text, "panic@stats", &["-n", "-l", "-G", "-D"]);
    wait("it is protected", SOON, || is_protected(&a));
    daemon.signal(Signal::SIGUSR2);
    assert_eq!(daemon.wait_end().code(), Some(70));
    assert!(!a.holds("eth0", VIP));
    assert_eq!(saved(&a), "");
    Ok(())
}

pub(crate) fn a_command_that_hangs_delays_nothing_for_long() -> Outcome {
    needed()?;
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    for program in ["iptables-save", "ip6tables-save"] {
        shop.script(program, "exec sleep 100");
    }
    let mut capture = segment.capture();
    let other = instance("VI_2").vrid(52).every("0.1").vip("10.7.1.2/16");
    let shielded = instance("VI_1").line("no_accept").vip("10.7.1.1/16");
    let daemon = a.start_finding(&shop.path(""), &config_with(SETS, &[shielded, other]));
    daemon.wait_master("VI_1");
    daemon.wait_log_part(0, "are added before they are protected");
    wait("both addresses are there", SOON, || a.holds("eth0", VIP) && a.holds("eth0", "10.7.1.2"));
    daemon.wait_log_part(0, "iptables-save: it was terminated after 10 s; trying again in");
    let worst = gaps(&capture.adverts_of(52)).into_iter().max().expect("several");
    assert!(worst < millis(200), "{worst:?}");
    for program in ["iptables-save", "ip6tables-save"] {
        shop.remove(program);
    }
    wait("it is protected", SOON + SOON, || is_protected(&a));
    daemon.wait_log("iptables: the packet filter is complete again");
    Ok(())
}

pub(crate) fn what_a_command_complains_of_is_logged() -> Outcome {
    needed()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&router("vrrp_iptables NONE", "no_accept"));
    daemon.wait_master("VI_1");
    daemon.wait_log_part(0, "may be unprotected: iptables-restore: ");
    wait("it has the address nevertheless", SOON, || a.holds("eth0", VIP));
    let shop = Workshop::new();
    shop.script("ipset", "echo no sets here >&2; exit 1");
    let (_segment, [b]) = Segment::with_hosts(["b"]);
    let daemon = b.start_finding(&shop.path(""), &router(SETS, "no_accept"));
    daemon.wait_log("Not using ipsets, but a rule for each address: no sets here");
    wait("it is protected", SOON, || is_protected(&b));
    Ok(())
}

pub(crate) fn an_instance_begins_with_its_vmac() -> Outcome {
    needed()?;
    for global in [SETS, RULES] {
        let (_segment, [a]) = Segment::with_hosts(["a"]);
        let of = |name, vrid: u8| instance(name).vrid(vrid).line(&format!("use_vmac v{vrid}"));
        let first = of("VI_1", 51).vip("10.7.1.1/16");
        let mut daemon = a.start(&config_with(global, std::slice::from_ref(&first)));
        daemon.wait_master("VI_1");
        let second = of("VI_2", 52).vip("10.7.1.2/16");
        daemon.rewrite(&config_with(global, &[first, second]));
        assert_eq!(daemon.reload_and_wait().0, Some(0));
        daemon.wait_master("VI_2");
        let log = daemon.log();
        assert!(!log.iter().any(|line| line.contains("FAULT")), "{log:?}");
        assert!(daemon.stop().success());
    }
    Ok(())
}
