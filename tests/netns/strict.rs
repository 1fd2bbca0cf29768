//! `sandbox strict`: a daemon that executes nothing does all the rest.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use nix::sys::signal::Signal;

use crate::control::told;
use crate::lab::{
    config, config_with, instance, kactl_says, ours_only, wait, Daemon, Host, Instance, Outcome,
    Program, Segment, Skip, Workshop, SOON,
};

const STRICT: &str = "sandbox strict";

fn router() -> Instance {
    instance("VI_1").vip("10.7.1.1/16")
}

/// A line of the status of the daemon's process.
fn line(daemon: &Daemon, name: &str) -> String {
    let path = format!("/proc/{}/status", daemon.pid());
    let text = std::fs::read_to_string(path).expect("it runs");
    let found = text.lines().find_map(|line| line.strip_prefix(name)).expect(name);
    found.trim_start_matches(':').trim().to_owned()
}

/// Starts it, and sees that it is confined.
fn start(host: &Host, text: &str, args: &[&str]) -> Result<Daemon, Skip> {
    ours_only()?;
    let daemon = host.start_with(text, args);
    daemon.wait_log_part(0, "no program can be executed");
    daemon.wait_log("Startup complete");
    assert_eq!(line(&daemon, "Seccomp"), "2", "there is a filter");
    assert_eq!(line(&daemon, "NoNewPrivs"), "1");
    assert_eq!(line(&daemon, "CapBnd"), line(&daemon, "CapEff"));
    Ok(daemon)
}

/// Lines of the log about what the system has refused.
#[track_caller]
fn assert_unhindered(daemon: &Daemon) {
    let refused = ["not implemented", "not permitted", "ermission denied", "annot "];
    let log = daemon.log();
    // Not every kernel has Landlock.
    let said = |line: &&String| !line.starts_with("sandbox strict: files are not protected");
    let log = log.iter().filter(said);
    let found: Vec<_> = log.filter(|line| refused.iter().any(|part| line.contains(part))).collect();
    assert!(found.is_empty(), "{found:#?}");
}

/// Virtual MACs, packet filters, routes, locked memory, files of all kinds, sockets, dumps, mail.
pub(crate) fn everything_else_is_done() -> Outcome {
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let shop = Workshop::new();
    shop.write("watched", "0\n");
    std::fs::create_dir(shop.path("saved")).expect("ours");
    let global = format!(
        "{STRICT}\nvrrp_rt_priority 10\nvrrp_no_swap\nvrrp_notify_fifo {}\nconfig_save_dir {}\n\
         metrics_listen unix:{}\nnotification_email {{\n a@b\n}}\nsmtp_alert_file {}\n",
        shop.path("fifo"),
        shop.path("saved"),
        shop.path("metrics"),
        shop.path("mail")
    );
    let second = instance("VI_2")
        .vip("10.7.1.2/16")
        .line("virtual_router_id 52\nuse_vmac\nsmtp_alert on\nno_accept")
        .line("virtual_routes {\n 198.51.100.0/24 dev eth0\n}")
        .line("track_file {\n watched weight 5\n}");
    let text = format!(
        "track_file watched {{\n file {}\n}}\n\
         bfd_instance N {{\n neighbor_ip 10.7.0.2\n source_ip 10.7.0.1\n}}\n{}",
        shop.path("watched"),
        config_with(&global, &[router(), second])
    );
    let mut daemon = start(&a, &text, &[])?;
    daemon.wait_master("VI_1");
    daemon.wait_master("VI_2");
    wait("the addresses are there", SOON, || a.holds("eth0", "10.7.1.1"));
    shop.write("watched", "3\n");
    daemon.wait_log_part(0, "because: file watched");
    for (signal, file) in
        [(Signal::SIGUSR1, "keepalived.data"), (Signal::SIGUSR2, "keepalived.stats")]
    {
        daemon.signal(signal);
        wait(file, SOON, || daemon.read(file).contains("VI_2"));
    }
    assert!(kactl_says(&daemon, &["status"]).contains("MASTER"));
    assert!(kactl_says(&daemon, &["metrics"]).contains("keepalived"));
    kactl_says(&daemon, &["priority", "VI_1", "50"]);
    daemon.rewrite(&text.replace("10.7.1.2/16", "10.7.1.3/16"));
    let (code, said) = told(&daemon, &["reload"]);
    assert_eq!(code, Some(0), "{said}");
    wait("the other address is there", SOON, || a.holds("vrrp.52", "10.7.1.3"));
    // Another router takes over, and gives back.
    let better = b.start(&config(&[router().priority(200)]));
    daemon.wait_log_part(0, "(VI_1) Entering BACKUP STATE");
    drop(better);
    wait("it is MASTER again", SOON, || a.holds("eth0", "10.7.1.1"));
    wait("there is mail", SOON, || shop.read("mail").contains("VI_2"));
    assert_unhindered(&daemon);
    assert_eq!(daemon.stop().code(), Some(0));
    assert!(!a.holds("eth0", "10.7.1.1") && !a.holds("vrrp.52", "10.7.1.3"));
    assert!(!daemon.file("main.pid").exists());
    assert_unhindered(&daemon);
    Ok(())
}

/// What would need a program is refused, where it is read or ordered, with what to do.
pub(crate) fn commands_are_refused_before_they_are_needed() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    let script = shop.script("notify", "exit 0\n");
    let with = router().line(&format!("notify {script}"));
    let mut refused = a.start(&config_with(STRICT, &[router().line(&format!("notify {script}"))]));
    assert_eq!(refused.wait_end().code(), Some(2));
    refused.wait_log_part(0, "sandbox strict forbids notify scripts of vrrp_instance VI_1");
    let daemon = start(&a, &config_with(STRICT, &[router()]), &[])?;
    daemon.wait_master("VI_1");
    daemon.rewrite(&config_with(STRICT, &[with]));
    let (code, said) = told(&daemon, &["reload"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("sandbox strict forbids notify scripts"), "{said}");
    let (code, said) = told(&daemon, &["restart"]);
    assert_ne!(code, Some(0), "{said}");
    assert!(said.contains("restart the service instead"), "{said}");
    daemon.rewrite(&config(&[router()]));
    let (code, said) = told(&daemon, &["reload"]);
    assert_eq!((code, said.contains("Cannot change sandbox")), (Some(2), true), "{said}");
    assert!(a.holds("eth0", "10.7.1.1"));
    Ok(())
}

/// After a crash, the next daemon is confined as well; after a panic no address is left.
pub(crate) fn a_crash_is_cleaned_up() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let text = config_with(STRICT, &[router()]);
    for signal in [Signal::SIGSEGV, Signal::SIGABRT] {
        let mut daemon = start(&a, &text, &[])?;
        daemon.wait_master("VI_1");
        wait("the address is there", SOON, || a.holds("eth0", "10.7.1.1"));
        daemon.signal(signal);
        assert_eq!(daemon.wait_end().code(), None, "it dies of the signal");
        wait("the address is gone", SOON, || !a.holds("eth0", "10.7.1.1"));
    }
    let mut daemon = a.start_with(&text, &["--respawn"]);
    daemon.wait_master("VI_1");
    let mark = daemon.mark();
    let number = daemon.read("main.pid").trim().parse().expect("a number");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(number), Signal::SIGKILL).expect("it runs");
    daemon.wait_log_part(mark, "no program can be executed");
    daemon.wait_log_part(mark, "(VI_1) because: resumed");
    assert_eq!(daemon.stop().code(), Some(0));
    assert!(!a.holds("eth0", "10.7.1.1"));
    Ok(())
}

/// Files elsewhere are left alone: a directory that a reload names, and that was not in use.
pub(crate) fn files_are_written_in_known_places_only() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    let daemon = start(&a, &config_with(STRICT, &[router()]), &[])?;
    daemon.wait_master("VI_1");
    if !daemon.log().iter().any(|line| line.starts_with("Files are written below")) {
        return Err(Skip::new("the kernel has no Landlock"));
    }
    let global = format!("{STRICT}\nconfig_save_dir {}", shop.path("saved"));
    std::fs::create_dir(shop.path("saved")).expect("ours");
    daemon.rewrite(&config_with(&global, &[router()]));
    let mark = daemon.mark();
    let (code, said) = told(&daemon, &["reload"]);
    assert_eq!(code, Some(0), "{said}");
    daemon.wait_log_part(mark, "ermission denied");
    assert_eq!(std::fs::read_dir(shop.path("saved")).expect("ours").count(), 0);
    assert!(a.holds("eth0", "10.7.1.1"));
    Ok(())
}

/// The option, for the program as it is started by a unit.
pub(crate) fn an_option_makes_it_strict() -> Outcome {
    ours_only()?;
    assert!(Program::under_test().ours);
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut daemon = start(&a, &config(&[router()]), &["--sandbox", "strict"])?;
    daemon.wait_master("VI_1");
    assert_eq!(daemon.stop().code(), Some(0));
    Ok(())
}
