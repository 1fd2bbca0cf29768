//! The daemon as a process: signals, dump files, pid files, start and stop.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use nix::sys::signal::Signal;

use crate::lab::{
    config, config_with, instance, millis, now, ours_only, secs, stays, wait, Instance, Outcome,
    Program, Segment, Workshop, SOON,
};

fn router() -> Instance {
    instance("VI_1").vip("10.7.1.1/16")
}

pub(crate) fn sigusr1_writes_the_data() -> Outcome {
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&config(&[router()]));
    daemon.wait_master("VI_1");
    daemon.signal(Signal::SIGUSR1);
    wait("the file mentions the instance", SOON, || {
        daemon.read("keepalived.data").contains("VRRP Instance = VI_1")
    });
    let data = daemon.read("keepalived.data");
    assert!(data.contains("MASTER") && data.contains("10.7.1.1"), "{data}");
    assert_eq!(mode(&daemon.file("keepalived.data")), 0o600);
    Ok(())
}

pub(crate) fn sigusr2_writes_the_statistics() -> Outcome {
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&config(&[router()]));
    daemon.wait_master("VI_1");
    daemon.signal(Signal::SIGUSR2);
    wait("the file mentions the instance", SOON, || {
        daemon.read("keepalived.stats").contains("VRRP Instance: VI_1")
    });
    assert!(
        daemon.read("keepalived.stats").contains("Became master: 1"),
        "{}",
        daemon.read("keepalived.stats")
    );
    assert_eq!(mode(&daemon.file("keepalived.stats")), 0o600);
    Ok(())
}

fn mode(path: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).expect("the file is there").permissions().mode() & 0o777
}

pub(crate) fn the_pid_file_is_there_while_it_runs() -> Outcome {
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut daemon = a.start(&config(&[router()]));
    daemon.wait_master("VI_1");
    assert_eq!(daemon.read("main.pid"), format!("{}\n", daemon.pid()));
    assert_eq!(daemon.stop().code(), Some(0));
    assert!(!daemon.file("main.pid").exists() && !daemon.file("vrrp.pid").exists());
    Ok(())
}

pub(crate) fn sigint_stops_it_too() -> Outcome {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let mut capture = segment.capture();
    let mut daemon = a.start(&config(&[router()]));
    daemon.wait_master("VI_1");
    daemon.signal(Signal::SIGINT);
    assert_eq!(daemon.wait_end().code(), Some(0));
    assert!(!a.holds("eth0", "10.7.1.1"));
    capture.wait_advert("priority 0", SOON, |a| a.priority == 0);
    Ok(())
}

pub(crate) fn a_startup_delay_keeps_it_quiet() -> Outcome {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let mut capture = segment.capture();
    let started = now();
    let daemon = a.start(&config_with("vrrp_startup_delay 2", &[router()]));
    daemon.wait_master("VI_1");
    let first = capture.wait_advert("an advert", SOON, |a| a.vrid == 51);
    let quiet = first.at - started;
    assert!((secs(2)..secs(4)).contains(&quiet), "quiet for {quiet:?}");
    Ok(())
}

pub(crate) fn released_addresses_can_be_kept() -> Outcome {
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let mut capture = segment.capture();
    let mut daemon = a.start_with(&config(&[router()]), &["--dont-release-vrrp"]);
    daemon.wait_master("VI_1");
    wait("it holds the address", SOON, || a.holds("eth0", "10.7.1.1"));
    assert_eq!(daemon.stop().code(), Some(0));
    assert!(a.holds("eth0", "10.7.1.1"));
    assert!(capture.adverts().iter().all(|a| a.priority == 100), "no farewell either");
    Ok(())
}

pub(crate) fn a_configuration_that_cannot_run_ends_with_2() -> Outcome {
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut daemon = a.start(&config(&[router().on("nowhere0")]));
    assert_eq!(daemon.wait_end().code(), Some(2));
    Ok(())
}

/// The daemon has no other processes or threads to synchronise with.
pub(crate) fn it_is_one_process_with_one_thread() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&config(&[router()]));
    daemon.wait_master("VI_1");
    let tasks = std::fs::read_dir(format!("/proc/{}/task", daemon.pid())).expect("it runs").count();
    assert_eq!(tasks, 1);
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", daemon.pid()))
        .expect("it runs");
    assert_eq!(children, "");
    Ok(())
}

pub(crate) fn no_configuration_file_ends_with_6() -> Outcome {
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut daemon = a.start_with(&config(&[router()]), &["-f", "/nowhere/keepalived.conf"]);
    assert_eq!(daemon.wait_end().code(), Some(6));
    Ok(())
}

pub(crate) fn an_idle_configuration_runs_on() -> Outcome {
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut daemon = a.start("global_defs {\n router_id lab\n}\n");
    daemon.wait_log_part(0, "has no configuration to run");
    stays("it runs", millis(500), || daemon.is_running());
    assert_eq!(daemon.stop().code(), Some(0));
    Ok(())
}

pub(crate) fn a_second_copy_with_the_same_pid_file_ends_at_once() -> Outcome {
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut first = a.start(&config(&[router()]));
    first.wait_master("VI_1");
    let main = first.file("main.pid");
    let main = main.to_str().expect("plain");
    let mut second = a.start_with(&config(&[router()]), &["-p", main]);
    assert_eq!(second.wait_end().code(), Some(0));
    second.wait_log("daemon is already running");
    assert_eq!(
        first.read("main.pid"),
        format!("{}\n", first.pid()),
        "the first one's file is left alone"
    );
    assert!(first.is_running() && a.holds("eth0", "10.7.1.1"));
    Ok(())
}

/// A lock of another program is not taken for a running daemon.
pub(crate) fn a_pid_file_that_another_program_has_locked_is_a_failure() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let path = std::env::temp_dir().join(format!("keepalived-lock.{}.pid", std::process::id()));
    let file = std::fs::File::create(&path).expect("a folder for all");
    let _lock = nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_SETLK(&whole_file()));
    let mut daemon = a.start_with(&config(&[router()]), &["-p", path.to_str().expect("plain")]);
    assert_eq!(daemon.wait_end().code(), Some(1));
    daemon.wait_log_part(0, "which is not keepalived");
    std::fs::remove_file(&path).expect("it is there");
    Ok(())
}

fn whole_file() -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

/// Other users may write to the directory: the target of a link must not be overwritten.
pub(crate) fn dumps_are_not_written_through_a_link() -> Outcome {
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&config(&[router()]));
    daemon.wait_master("VI_1");
    let victim = daemon.file("victim");
    std::fs::write(&victim, "precious").expect("the folder is there");
    for name in ["keepalived.data", "keepalived.stats"] {
        std::os::unix::fs::symlink(&victim, daemon.file(name)).expect("a fresh name");
    }
    daemon.signal(Signal::SIGUSR1);
    daemon.signal(Signal::SIGUSR2);
    stays("the file is untouched", millis(700), || daemon.read("victim") == "precious");
    Ok(())
}

pub(crate) fn without_n_it_goes_to_the_background() -> Outcome {
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut starter = a.start_in_background(&config(&[router()]));
    assert_eq!(starter.wait_end().code(), Some(0), "the starter ends");
    wait("it holds the address", SOON, || a.holds("eth0", "10.7.1.1"));
    let pid: i32 = starter.read("main.pid").trim().parse().expect("its pid file");
    let pid = nix::unistd::Pid::from_raw(pid);
    nix::sys::signal::kill(pid, Signal::SIGTERM).expect("it runs");
    wait("it ends", SOON, || !starter.file("main.pid").exists());
    assert!(!a.holds("eth0", "10.7.1.1"));
    Ok(())
}

/// A configuration that takes time to read.
fn long(text: String) -> String {
    (0..300_000).fold(text, |text, n| text + "$NAME=an unused value #" + &n.to_string() + "\n")
}

pub(crate) fn a_signal_during_startup_is_handled() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut crashed = a.start(&config(&[router()]));
    crashed.wait_master("VI_1");
    wait("it holds the address", SOON, || a.holds("eth0", "10.7.1.1"));
    crashed.crash();
    let mut daemon = a.start(&long(config(&[router()])));
    daemon.wait_log_part(0, "Configuration file ");
    daemon.signal(Signal::SIGHUP);
    daemon.signal(Signal::SIGTERM);
    assert!(!daemon.log().iter().any(|l| l == "Startup complete"), "too short a text");
    assert_eq!(daemon.wait_end().code(), Some(0), "not killed by the signal");
    assert!(!a.holds("eth0", "10.7.1.1"), "what the crash left is gone");
    Ok(())
}

pub(crate) fn memory_is_locked_although_the_limit_is_unchanged() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    let wrapped = shop.script(
        "keepalived",
        &format!(
            "exec prlimit --memlock=65536:65536 setpriv --bounding-set=-sys_resource \
             --inh-caps=-sys_resource {} \"$@\"",
            Program::under_test().path.display()
        ),
    );
    let program = Program { path: wrapped.into(), ours: true };
    let daemon = a.start_program(&program, &config_with("vrrp_no_swap", &[router()]));
    daemon.wait_master("VI_1");
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("it runs");
    let locked = status.lines().find_map(|l| l.strip_prefix("VmLck:")).map(str::trim);
    assert!(locked.is_some_and(|l| l != "0 kB"), "{locked:?}");
    assert!(!daemon.log().iter().any(|l| l.contains("memory")), "and nothing to complain about");
    Ok(())
}

pub(crate) fn a_fault_ends_when_descriptors_are_available() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let second = instance("VI_2").vrid(52).on("eth1").vip("10.8.1.1/16");
    let daemon = a.start(&config_with("dynamic_interfaces", &[router(), second]));
    daemon.wait_master("VI_1");
    let allow = |descriptors: &str| {
        let pid = daemon.pid().to_string();
        a.output("prlimit", &["--pid", &pid, &format!("--nofile={descriptors}:")]);
    };
    allow("3");
    let other = Segment::new(8);
    other.attach(&a, "eth1", 1);
    daemon.wait_log_part(0, "(VI_2) cannot open a raw socket: Too many open files; it is retried");
    allow("1024");
    daemon.wait_master("VI_2");
    wait("it holds the address", SOON, || a.holds("eth1", "10.8.1.1"));
    Ok(())
}
