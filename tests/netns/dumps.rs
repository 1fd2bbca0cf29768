//! Keywords about the files that a daemon writes for others.

use nix::sys::signal::Signal;

use crate::exporters::they_find_everything;
use crate::lab::{
    config_with, instance, ours_only, output_of, wait, Daemon, Instance, Outcome, Segment,
    Workshop, SOON,
};

fn router() -> Instance {
    instance("VI_1").vip("10.7.1.1/16")
}

/// The JSON signal of keepalived.
fn ask_for_json(daemon: &Daemon) {
    let pid = daemon.read("main.pid").trim().parse::<i32>().expect("a number");
    // SAFETY: numbers only; nix has no name for real-time signals.
    assert_eq!(unsafe { libc::kill(pid, 36) }, 0);
}

pub(crate) fn dump_files_are_where_the_configuration_says() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    let global = format!(
        "state_dump_file {}\n stats_dump_file sub/my.stats\n json_dump_file {}\n json_version 2",
        shop.path("my.state"),
        shop.path("my.json"),
    );
    let script =
        "vrrp_script ok {\n script /bin/true\n}\nvrrp_track_process p {\n process no_such_daemon\n}\n";
    let block = router().line("track_script {\n ok\n }").line("track_process {\n p\n }");
    let text = config_with(&global, &[]) + script + &block.to_string();
    let daemon = a.start(&text);
    daemon.wait_log_part(0, "Entering FAULT STATE");
    daemon.signal(Signal::SIGUSR1);
    wait("the state", SOON, || shop.read("my.state").contains("VRRP Instance = VI_1"));
    wait("its global part", SOON, || shop.read("my_parent.state").contains("Global definitions"));
    daemon.signal(Signal::SIGUSR2);
    wait("statistics", SOON, || daemon.read("my.stats").contains("VRRP Instance: VI_1"));
    ask_for_json(&daemon);
    wait("JSON", SOON, || shop.exists("my.json"));
    let json: serde_json::Value = serde_json::from_str(&shop.read("my.json")).expect("JSON");
    assert_eq!(json["vrrp"][0]["data"]["iname"], "VI_1");
    assert_eq!(json["track_process"][0]["process"], "no_such_daemon");
    assert_eq!(json["track_process"][0]["min_processes"], 1);
    assert_eq!(json["vrrp_script"][0]["name"], "ok");
    assert!(!daemon.file("keepalived.data").exists());
    Ok(())
}

pub(crate) fn exporters_find_everything() -> Outcome {
    they_find_everything("")
}

pub(crate) fn files_tell_of_a_reload() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    let global = format!(
        "config_save_dir {}\n reload_file {}\n reload_check_config {}",
        shop.path("saved"),
        shop.path("marker"),
        shop.path("complaints"),
    );
    let text = |line: &str| config_with(&global, &[router().line(line)]);
    let daemon = a.start(&text("garp_master_delay 7"));
    daemon.wait_master("VI_1");
    let pid = daemon.read("main.pid").trim().to_owned();
    let saved = |name: &str| shop.read(&format!("saved/{}", name.replace("PID", &pid)));
    assert!(saved("keepalived.conf.PID.0").contains("garp_master_delay 7"));

    daemon.rewrite(&text("garp_master_delay 8"));
    assert_eq!(daemon.reload_and_wait().0, Some(0));
    assert!(saved("keepalived.conf.PID.1").contains("garp_master_delay 8"));
    assert!(saved("keepalived_vrrp.PID.1.post").contains("Gratuitous ARP delay = 8"));
    assert!(saved("keepalived_vrrp.PID.1.pre").contains("Gratuitous ARP delay = 7"));
    assert_eq!(shop.read("complaints"), "");

    daemon.rewrite(&text("no_such_keyword"));
    let (status, said) = daemon.reload_and_wait();
    assert_eq!(status, Some(2), "{said}");
    assert!(shop.read("complaints").contains("Line 14) Unknown keyword 'no_such_keyword'"));
    assert!(!shop.exists("marker"));

    // It takes a while to read.
    let long: String = (0..300_000).map(|n| format!("$NAME=an unused value #{n}\n")).collect();
    daemon.rewrite(&(text("garp_master_delay 9") + &long));
    let mark = daemon.mark();
    daemon.reload();
    wait("the reload is marked", SOON, || shop.exists("marker"));
    daemon.wait_log_since(mark, "Reload complete");
    assert!(!shop.exists("marker"));
    Ok(())
}

/// The local time of so many seconds from now, as a file names it.
fn clock(format: &str, seconds: u32) -> String {
    let mut date = std::process::Command::new("date");
    let (_, said) = output_of(date.args(["-d", &format!("+{seconds} seconds"), format]));
    said.trim().to_owned()
}

pub(crate) fn a_file_names_the_time_of_a_reload() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    let text = |global: &str, delay: u8| {
        let global = format!("reload_time_file {}\n {global}", shop.path("time"));
        config_with(&global, &[router().line(&format!("garp_master_delay {delay}"))])
    };
    let daemon = a.start(&text("", 5));
    daemon.wait_master("VI_1");

    let mark = daemon.mark();
    shop.write("time", &(clock("+%Y-%m-%d %T", 3600) + "\n"));
    daemon.wait_log_part(mark, "Scheduling reload for ");
    shop.write("time", "12:00\n");
    daemon.wait_log_part(mark, "Reload time 12:00 format is incorrect - ignoring");
    daemon.wait_log_part(mark, "Cancelling reload scheduled for ");

    daemon.rewrite(&text("reload_repeat", 6));
    shop.write("time", &clock("+%Y-%m-%d %T", 2));
    daemon.wait_log_part(mark, "garp_master_delay changed from 5 to 6");
    wait("a time with a date is over", SOON, || !shop.exists("time"));

    let mark = daemon.mark();
    daemon.rewrite(&text("reload_repeat", 7));
    shop.write("time", &clock("+%T", 2));
    daemon.wait_log_part(mark, "garp_master_delay changed from 6 to 7");
    daemon.wait_log_part(mark, "Reload complete");
    let tomorrow = clock("+%Y-%m-%d", 86_400 - 60);
    daemon.wait_log_part(mark, &format!("Scheduling reload for {tomorrow} "));
    assert!(shop.exists("time"));
    Ok(())
}
