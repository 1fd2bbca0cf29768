//! Without a service manager: a daemon that dies is started again.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use crate::lab::{
    config, instance, kactl, millis, ours_only, stays, wait, AddressMonitor, Daemon, Host,
    Instance, Outcome, Segment, Skip, SOON,
};

const VIP: &str = "10.7.1.1";

fn router(priority: u8) -> Instance {
    instance("VI_1").priority(priority).every("1").vip("10.7.1.1/16")
}

/// The process in the pid file of a daemon in the background.
fn number(daemon: &Daemon) -> Option<Pid> {
    daemon.read("main.pid").trim().parse().ok().map(Pid::from_raw)
}

fn parent(pid: Pid) -> Pid {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let rest = text.rsplit_once(')').expect("its name").1;
    Pid::from_raw(rest.split_whitespace().nth(1).expect("its parent").parse().expect("a number"))
}

fn runs(pid: Pid) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// A daemon in the background that holds its address; its process and the one that waits.
fn started(a: &Host, text: &str, args: &[&str]) -> (Daemon, [Pid; 2]) {
    let mut daemon = a.start_detached(text, args);
    assert_eq!(daemon.wait_end().code(), Some(0));
    wait("it holds its address", SOON, || a.holds("eth0", VIP));
    let pid = number(&daemon).expect("a pid file");
    (daemon, [pid, parent(pid)])
}

/// The effective ones.
fn capabilities(pid: Pid) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

/// Kills the daemon, and waits for the next one.
fn killed(daemon: &Daemon, pid: Pid) -> Pid {
    kill(pid, Signal::SIGKILL).expect("it runs");
    let next = || number(daemon).filter(|next| *next != pid && runs(*next));
    wait("it is started again", SOON, || next().is_some());
    // One that is killed before that is the last one.
    let answers = || kactl(daemon).arg("status").output().is_ok_and(|o| o.status.success());
    wait("it is ready", SOON, answers);
    next().expect("it runs")
}

fn end(daemon: &Daemon, pid: Pid) {
    kill(pid, Signal::SIGTERM).expect("it runs");
    wait("it has stopped", SOON, || !daemon.file("main.pid").exists());
}

pub(crate) fn a_killed_daemon_is_started_again() -> Outcome {
    ours_only()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let (daemon, [first, waits]) = started(&a, &config(&[router(200)]), &[]);
    let all = capabilities(first);
    wait("no capability is effective", SOON, || capabilities(waits) == Some(0));
    let backup = b.start(&config(&[router(100)]));
    backup.wait_backup("VI_1");
    let (mark, mut monitor) = (backup.mark(), AddressMonitor::once_held(&a, "eth0", &[VIP]));
    let second = killed(&daemon, first);
    let third = killed(&daemon, second);
    assert_eq!(parent(third), waits);
    assert_eq!(capabilities(third), all);
    stays("it goes on", millis(1500), || runs(third));
    assert_eq!(backup.state_changes(mark), Vec::<String>::new());
    assert_eq!(monitor.events(), [], "addresses changed");
    // The process that waits has a pipe, and hardly any memory of its own.
    let mut open = std::fs::read_dir(format!("/proc/{waits}/fd")).expect("ours");
    let sockets = open.any(|fd| {
        let to = fd.and_then(|fd| std::fs::read_link(fd.path()));
        to.is_ok_and(|to| to.to_string_lossy().starts_with("socket:"))
    });
    assert!(!sockets, "it has sockets");
    let memory = std::fs::read_to_string(format!("/proc/{waits}/smaps_rollup")).expect("ours");
    let private = memory.lines().filter(|line| line.starts_with("Private_Dirty:"));
    let private: u32 =
        private.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u32>().ok()).sum();
    println!("the process that waits has {private} KiB of its own");
    assert!(private < 200, "{memory}");
    end(&daemon, third);
    wait("the other ends, too", SOON, || !runs(waits));
    assert!(!a.holds("eth0", VIP));
    Ok(())
}

pub(crate) fn after_three_deaths_nothing_is_left() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let routes = "virtual_routes {\n 10.99.0.0/16 via 10.7.0.9 dev eth0\n }";
    let text = config(&[
        router(200).line(routes),
        instance("VI_2").vrid(52).vip("10.7.1.2/16").line("use_vmac vrrp.52"),
    ]);
    let (daemon, [first, waits]) = started(&a, &text, &[]);
    let has_route = || a.output("ip", &["route", "show"]).contains("10.99.0.0/16");
    let has_link = || a.output("ip", &["link", "show"]).contains("vrrp.52");
    wait("it holds everything", SOON, || has_route() && has_link());
    let second = killed(&daemon, first);
    wait("it is ready", SOON, || a.holds("eth0", VIP) && has_route());
    let third = killed(&daemon, second);
    stays("it is ready", millis(500), || runs(third) && a.holds("eth0", VIP));
    // The last run has to do without.
    daemon.rewrite("vrrp_instance {");
    kill(third, Signal::SIGKILL).expect("it runs");
    wait("the other ends", SOON, || !runs(waits));
    assert!(!a.holds("eth0", VIP) && !has_route() && !has_link());
    for left in ["main.pid", "main.state", "main.in-force", "main.settings"] {
        assert!(!daemon.file(left).exists(), "{left}");
    }
    Ok(())
}

pub(crate) fn a_panic_causes_no_election() -> Outcome {
    ours_only()?;
    if !cfg!(debug_assertions) {
        return Err(Skip::new("defects on request are in builds with debug assertions only"));
    }
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let mut daemon = a.start_faulty(&config(&[router(200)]), "panic@stats", &["-G", "-D"]);
    assert_eq!(daemon.wait_end().code(), Some(0));
    let mut monitor = AddressMonitor::once_held(&a, "eth0", &[VIP]);
    let backup = b.start(&config(&[router(100)]));
    backup.wait_backup("VI_1");
    let mark = backup.mark();
    let first = number(&daemon).expect("a pid file");
    kill(first, Signal::SIGUSR2).expect("it runs");
    let next = || number(&daemon).filter(|next| *next != first && runs(*next));
    wait("it is started again", SOON, || next().is_some());
    let second = next().expect("it runs");
    stays("it goes on", millis(1500), || runs(second));
    assert_eq!(backup.state_changes(mark), Vec::<String>::new());
    assert_eq!(monitor.events(), [], "addresses changed");
    end(&daemon, second);
    Ok(())
}

pub(crate) fn signals_are_passed_on() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut daemon = a.start_with(&config(&[router(200)]), &["--respawn"]);
    daemon.wait_master("VI_1");
    let mark = daemon.mark();
    // In the foreground, the process that was started is the one that waits.
    daemon.reload();
    daemon.wait_log_since(mark, "Reload complete");
    // SIGRTMIN + 2, which has no name.
    let sent = std::process::Command::new("kill").args(["-36", &daemon.pid().to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()));
    wait("the JSON is written", SOON, || daemon.file("keepalived.json").exists());
    assert_ne!(number(&daemon), Some(daemon.pid()));
    assert!(daemon.stop().success());
    assert!(!a.holds("eth0", VIP) && !daemon.file("main.pid").exists());
    Ok(())
}

pub(crate) fn without_it_a_dead_daemon_stays_dead() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let (daemon, [first, _]) = started(&a, &config(&[router(200)]), &["--dont-respawn"]);
    kill(first, Signal::SIGKILL).expect("it runs");
    wait("it has ended", SOON, || !runs(first));
    stays("it stays so", millis(500), || number(&daemon) == Some(first));
    Ok(())
}
