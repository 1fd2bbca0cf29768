//! Rights of the daemon after its start, and those of its commands.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::control::told;
use crate::lab::{
    config, config_with, instance, kactl_says, ours_only, wait, Daemon, Instance, Outcome, Segment,
    Workshop, SOON,
};

const NET_ADMIN: u64 = 1 << 12;
const NET_RAW: u64 = 1 << 13;
const SYS_MODULE: u64 = 1 << 16;
const SYS_ADMIN: u64 = 1 << 21;
/// A user without rights.
const USER: u32 = 65_534;

fn router() -> Instance {
    instance("VI_1").vip("10.7.1.1/16")
}

/// A line of a status file of `/proc`, as a number.
fn bits(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect(name);
    u64::from_str_radix(line.trim_start_matches(':').trim(), 16).expect(line)
}

fn status(pid: Pid) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs")
}

/// An instance whose command writes down its rights.
fn witness(shop: &Workshop) -> Instance {
    let (new, file) = (shop.path("new"), shop.path("rights"));
    let text =
        format!("[ \"$3\" != MASTER ] || {{ cat /proc/self/status >{new}; mv {new} {file}; }}\n");
    router().line(&format!("notify {}", shop.script("notify", &text)))
}

#[track_caller]
fn assert_reduced(daemon: &Daemon) {
    let own = status(daemon.pid());
    let (effective, permitted) = (bits(&own, "CapEff"), bits(&own, "CapPrm"));
    assert_eq!(effective & (NET_ADMIN | NET_RAW), NET_ADMIN | NET_RAW, "{own}");
    assert_eq!(effective & (SYS_MODULE | SYS_ADMIN), 0, "{own}");
    assert_eq!(permitted, effective, "{own}");
}

pub(crate) fn what_is_not_needed_is_given_up_and_commands_have_all() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    let mut daemon = a.start(&config(&[witness(&shop)]));
    daemon.wait_master("VI_1");
    daemon.wait_log_part(0, "Capabilities given up: ");
    assert_reduced(&daemon);
    let all = bits(&status(Pid::this()), "CapEff");
    assert_eq!(bits(&shop.wait_written("rights"), "CapEff"), all);
    // The program that takes over begins with all, and gives up the same.
    let mark = daemon.mark();
    kactl_says(&daemon, &["restart"]);
    daemon.wait_log_part(mark, "Capabilities given up: ");
    assert_reduced(&daemon);
    assert_eq!(daemon.stop().code(), Some(0));
    assert!(!a.holds("eth0", "10.7.1.1"));
    Ok(())
}

/// Real-time scheduling, locked memory, commands of other users and their timeouts, FIFOs for other
/// users, files that only others may read.
pub(crate) fn a_reload_may_ask_for_what_was_not_configured() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    let daemon = a.start(&config(&[router()]));
    daemon.wait_master("VI_1");
    daemon.wait_log_part(0, "Capabilities given up: ");
    assert_reduced(&daemon);
    let hang =
        shop.script("hang", &format!("echo $(id -u) $$ >{}\nexec sleep 1000\n", shop.path("user")));
    shop.write("user", "");
    shop.write("watched", "0\n");
    for name in ["user", "watched"] {
        std::os::unix::fs::chown(shop.path(name), Some(USER), Some(USER)).expect("ours");
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(shop.path(name), mode).expect("ours");
    }
    let global = format!(
        "vrrp_rt_priority 20\nvrrp_no_swap\nvrrp_rlimit_rttime 500000\nvrrp_notify_fifo {} {USER}\n",
        shop.path("fifo")
    );
    let tracked = router().line("track_script {\n hang\n}\ntrack_file {\n watched weight 2\n}");
    let text = format!(
        "track_file watched {{\n file {}\n}}\n\
         vrrp_script hang {{\n script {hang}\n user {USER}\n timeout 1\n interval 2\n weight 1\n}}\n{}",
        shop.path("watched"),
        config_with(&global, &[tracked])
    );
    daemon.rewrite(&text);
    let mark = daemon.mark();
    let (code, said) = told(&daemon, &["reload"]);
    assert_eq!(code, Some(0), "{said}");
    let user = format!("{USER} ");
    wait("it runs as its user", SOON, || shop.read("user").starts_with(&user));
    let said = shop.read("user");
    let number: i32 = said[user.len()..].trim().parse().expect("a number");
    daemon.wait_log_since(mark, "VRRP_Script(hang) timed_out");
    let number = Pid::from_raw(number);
    wait("it is terminated", SOON, || nix::sys::signal::kill(number, None).is_err());
    assert_eq!(std::fs::metadata(shop.path("fifo")).expect("it is there").uid(), USER);
    let log = daemon.log()[mark..].join("\n");
    assert!(!log.to_lowercase().contains("cannot"), "{log}");
    // The scheduling policy, as proc(5) has it, and the locked memory.
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", daemon.pid())).expect("it runs");
    let fields: Vec<_> = stat.rsplit(')').next().expect("the rest").split_whitespace().collect();
    assert_eq!(fields.get(38), Some(&"2"), "{stat}");
    assert!(!status(daemon.pid()).contains("VmLck:\t       0 kB"));
    Ok(())
}

/// `no_new_privs`: a command would not get back what the daemon has given up.
pub(crate) fn without_new_rights_commands_still_have_all() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    let mut daemon = a.start_confined(&["--no-new-privs"], None, &config(&[witness(&shop)]), &[]);
    daemon.wait_master("VI_1");
    daemon.wait_log_part(0, "Capabilities given up: ");
    let all = bits(&status(Pid::this()), "CapEff");
    let own = status(daemon.pid());
    assert_eq!((bits(&own, "CapEff") & SYS_MODULE, bits(&own, "CapPrm")), (0, all), "{own}");
    assert_eq!(bits(&shop.wait_written("rights"), "CapEff"), all);
    let mark = daemon.mark();
    kactl_says(&daemon, &["restart"]);
    daemon.wait_log_part(mark, "Capabilities given up: ");
    assert_eq!(daemon.stop().code(), Some(0));
    Ok(())
}

pub(crate) fn everything_may_be_kept() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let by_text = (config_with("sandbox off", &[router()]), &[][..]);
    let by_option = (config(&[router()]), &["--sandbox", "off"][..]);
    for (text, args) in [by_text, by_option] {
        let mut daemon = a.start_with(&text, args);
        daemon.wait_master("VI_1");
        let all = bits(&status(Pid::this()), "CapEff");
        assert_eq!(bits(&status(daemon.pid()), "CapEff"), all);
        daemon.rewrite(&config_with("sandbox on", &[router()]));
        let (code, said) = told(&daemon, &["reload"]);
        // An option counts whatever the file says.
        let refused = args.is_empty();
        assert_eq!(code, Some(if refused { 2 } else { 0 }), "{said}");
        assert_eq!(said.contains("Cannot change sandbox at a reload"), refused, "{said}");
        assert_eq!(daemon.stop().code(), Some(0));
    }
    Ok(())
}

/// A daemon after a crash is a copy of the process that waits, which has kept all.
pub(crate) fn the_next_daemon_has_what_it_needs() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut daemon = a.start_with(&config(&[router()]), &["--respawn"]);
    daemon.wait_master("VI_1");
    let number = || daemon.read("main.pid").trim().parse().ok().map(Pid::from_raw);
    wait("its number is written", SOON, || number().is_some());
    let first = number().expect("a number");
    let mark = daemon.mark();
    nix::sys::signal::kill(first, Signal::SIGKILL).expect("it runs");
    daemon.wait_log_part(mark, "Capabilities given up: ");
    daemon.wait_log_part(mark, "(VI_1) Entering MASTER STATE");
    wait("the next number is written", SOON, || number().is_some_and(|now| now != first));
    let own = status(number().expect("a number"));
    assert_eq!(bits(&own, "CapEff") & SYS_MODULE, 0, "{own}");
    assert_eq!(daemon.stop().code(), Some(0));
    assert!(!a.holds("eth0", "10.7.1.1"));
    Ok(())
}

/// As `conf/keepalived-nonroot.service` has it.
pub(crate) fn another_user_with_ambient_capabilities_serves() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    let few = "+net_admin,+net_raw,+net_bind_service,+sys_nice,+ipc_lock";
    let (inherited, ambient) = (format!("--inh-caps={few}"), format!("--ambient-caps={few}"));
    let rights = [
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--no-new-privs",
        &inherited,
        &ambient,
    ];
    let script = shop.script("notify", "exit 0\n");
    let text = config_with(
        "vrrp_rt_priority 10\nvrrp_no_swap",
        &[router().line(&format!("notify {script}"))],
    );
    let mut daemon = a.start_confined(&rights, Some(USER), &text, &[]);
    daemon.wait_master("VI_1");
    wait("the address is there", SOON, || a.holds("eth0", "10.7.1.1"));
    let own = status(daemon.pid());
    assert!(own.contains(&format!("\nUid:\t{USER}\t{USER}\t{USER}\t{USER}\n")), "{own}");
    assert_reduced(&daemon);
    assert!(kactl_says(&daemon, &["status"]).contains("MASTER"));
    kactl_says(&daemon, &["reload"]);
    let mark = daemon.mark();
    kactl_says(&daemon, &["restart"]);
    daemon.wait_log_part(mark, "Startup complete");
    assert!(a.holds("eth0", "10.7.1.1"));
    assert_reduced(&daemon);
    daemon.signal(Signal::SIGUSR1);
    wait("the dump is written", SOON, || daemon.read("keepalived.data").contains("= VI_1"));
    let log = daemon.log().join("\n");
    assert!(!log.to_lowercase().contains("cannot"), "{log}");
    assert_eq!(daemon.stop().code(), Some(0));
    assert!(!a.holds("eth0", "10.7.1.1"));
    assert!(!daemon.file("main.pid").exists());
    Ok(())
}
