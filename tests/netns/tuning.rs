//! Settings of the process, its sockets and its host.

#![expect(clippy::disallowed_methods, reason = "tests read files of the kernel")]

use std::fs;

use crate::lab::{
    config, config_with, instance, millis, ours_only, pass, secs, stays, wait, Daemon, Host,
    Instance, Outcome, Segment, Workshop, SOON,
};

fn router() -> Instance {
    instance("VI_1").vip("10.7.1.1/16")
}

fn one(global: &str) -> (Segment, Host, Daemon) {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&config_with(global, &[router()]));
    daemon.wait_master("VI_1");
    (segment, a, daemon)
}

pub(crate) fn instances_share_a_receive_buffer() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let second = instance("VI_2").vrid(52).vip("10.7.1.2/16").line("kernel_rx_buf_size 5000");
    let text = |global: &str| config_with(global, &[router(), second.clone()]);
    let daemon = a.start(&text("vrrp_rx_bufs_policy MTU\nvrrp_rx_bufs_multiplier 2"));
    // The kernel doubles it for its own overhead.
    daemon.wait_log_part(0, "224.0.0.18: 16000 bytes to receive");
    let mark = daemon.mark();
    daemon.rewrite(&text("vrrp_rx_bufs_policy 20000"));
    daemon.reload();
    daemon.wait_log_part(mark, "224.0.0.18: 50000 bytes to receive");
    let mark = daemon.mark();
    daemon.rewrite(&config(&[router()]));
    daemon.reload();
    daemon.wait_log_part(mark, "224.0.0.18: 2097152 bytes to receive");
    Ok(())
}

fn status(pid: &str, key: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    line.unwrap_or_default().trim().to_owned()
}

pub(crate) fn the_process_has_the_processors_and_the_name_of_its_configuration() -> Outcome {
    ours_only()?;
    let shop = Workshop::new();
    let seen = shop.path("seen");
    let text =
        format!("vrrp_script w {{\n script \"/bin/sh -c 'cp /proc/self/status {seen}'\"\n}}\n");
    let before = status("self", "Cpus_allowed_list");
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let tracked = router().line("track_script {\n w\n }");
    let global =
        "vrrp_cpu_affinity 0\nchecker_cpu_affinity 1\nprocess_name ka_test\nvrrp_priority -3";
    let daemon = a.start(&(config_with(global, &[]) + &text + &tracked.to_string()));
    daemon.wait_master("VI_1");
    let pid = daemon.pid().to_string();
    assert_eq!(status(&pid, "Name"), "ka_test");
    assert_eq!(status(&pid, "Cpus_allowed_list"), "0");
    wait("a command has run", SOON, || shop.exists("seen"));
    let of_command = || {
        let text = shop.read("seen");
        let line = text.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        line.unwrap_or_default().trim().to_owned()
    };
    wait("a command may use all", SOON, || of_command() == before);
    daemon.rewrite(&(config_with("", &[]) + &text + &tracked.to_string()));
    daemon.reload();
    wait("the daemon may use all again", SOON, || status(&pid, "Cpus_allowed_list") == before);
    wait("it has its own name again", SOON, || status(&pid, "Name") == "keepalived");
    Ok(())
}

pub(crate) fn each_stall_raises_the_priority() -> Outcome {
    ours_only()?;
    let (_segment, _a, daemon) = one("max_auto_priority 2\nmin_auto_priority_delay 300000");
    for raised in 1..=3 {
        let mark = daemon.mark();
        daemon.freeze();
        pass(millis(600));
        daemon.thaw();
        if raised == 3 {
            stays("no priority above the limit", secs(1), || {
                !daemon.logged_since(mark, "Set realtime priority 3")
            });
        } else {
            daemon.wait_log_since(mark, &format!("Set realtime priority {raised}"));
        }
    }
    Ok(())
}

pub(crate) fn local_igmp_is_disabled_and_restored() -> Outcome {
    const SETTING: &str = "net/ipv4/igmp_link_local_mcast_reports";
    let (_segment, a, mut daemon) = one("disable_local_igmp");
    assert_eq!(a.read_sysctl(SETTING), "0");
    if ours_only().is_ok() {
        daemon.rewrite(&config(&[router()]));
        daemon.reload();
        wait("it is restored", SOON, || a.read_sysctl(SETTING) == "1");
        daemon.rewrite(&config_with("disable_local_igmp", &[router()]));
        daemon.reload();
        wait("it is disabled again", SOON, || a.read_sysctl(SETTING) == "0");
    }
    daemon.stop();
    assert_eq!(a.read_sysctl(SETTING), "1");
    if ours_only().is_ok() {
        let shop = Workshop::new();
        let pid_file = shop.path("main.pid");
        let text = config_with("disable_local_igmp", &[router()]);
        let mut daemon = a.start_with(&text, &["-p", &pid_file]);
        wait("the original is noted", SOON, || shop.read("main.settings").contains("igmp"));
        daemon.crash();
        assert_eq!(a.read_sysctl(SETTING), "0", "a crash leaves it");
        let mut daemon = a.start_with(&text, &["-p", &pid_file]);
        daemon.wait_master("VI_1");
        assert_eq!(a.read_sysctl(SETTING), "0");
        daemon.stop();
        assert_eq!(a.read_sysctl(SETTING), "1");
    }
    Ok(())
}
