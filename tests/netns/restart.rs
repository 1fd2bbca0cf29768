//! Restarts by command: another program takes over, and no peer notices.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::os::unix::fs::PermissionsExt as _;

use crate::control::told;
use crate::lab::{
    config, config_with, instance, kactl_says as ok, millis, ours_only, restart,
    restarts_unnoticed, stays, wait, AddressMonitor, Daemon, Instance, Outcome, Program, Segment,
    Workshop, SOON,
};

const VIP: &str = "10.7.1.1";

fn router(priority: u8) -> Instance {
    instance("VI_1").priority(priority).vip("10.7.1.1/16")
}

pub(crate) fn a_hundred_restarts_cause_no_election() -> Outcome {
    ours_only()?;
    let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let shop = Workshop::new();
    let track = shop.script("track.sh", "exit 0");
    let notify = shop.script("notify.sh", "echo \"$@\" >>$HERE/notified");
    let script = format!("vrrp_script track {{\n script {track}\n interval 1\n}}\n");
    let block = router(200)
        .every("0.01")
        .line("track_script {\n track\n }")
        .line(&format!("notify {notify}"));
    let mut master = a.start(&(script + &config(&[block])));
    master.wait_master("VI_1");
    let backup = b.start(&config(&[router(100).every("0.01")]));
    backup.wait_backup("VI_1");
    wait("the script has run", SOON, || shop.read("notified").contains("MASTER"));
    let pid = master.read("main.pid");
    let (notified, why) = (shop.read("notified"), ok(&master, &["explain", "VI_1"]));
    let mut monitor = AddressMonitor::once_held(&a, "eth0", &[VIP]);
    let is_calm = restarts_unnoticed(&segment, &master, (&b, &backup));
    assert!(is_calm, "each time, the backup became master");
    assert_eq!(monitor.events(), [], "addresses changed");
    assert_eq!(shop.read("notified"), notified, "no state is news");
    assert_eq!(master.read("main.pid"), pid);
    let because = |text: &str| text.lines().nth(1).map(str::to_owned);
    assert_eq!(because(&ok(&master, &["explain", "VI_1"])), because(&why));
    let events = ok(&master, &["events"]);
    assert!(events.contains("to restart"), "{events}");
    assert!(master.stop().success());
    assert!(!a.holds("eth0", VIP) && !master.file("main.pid").exists());
    Ok(())
}

pub(crate) fn a_program_that_refuses_does_not_take_over() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    let program = Program { path: shop.path("keepalived").into(), ours: true };
    let install = |from: &std::path::Path| {
        std::fs::copy(from, shop.path("new")).expect("the folder is ours");
        std::fs::rename(shop.path("new"), &program.path).expect("in one folder");
    };
    install(&Program::under_test().path);
    let daemon = a.start_program(&program, &config(&[router(200)]));
    daemon.wait_master("VI_1");
    let refused = |part: &str| {
        let (status, said) = told(&daemon, &["restart"]);
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains(part), "{said}");
    };
    let mut monitor = AddressMonitor::once_held(&a, "eth0", &[VIP]);
    // A configuration with an error that the running one does not have.
    daemon.rewrite(&config(&[router(200).line("no_such_keyword")]));
    refused("Unknown keyword 'no_such_keyword'");
    daemon.rewrite(&config(&[router(200)]));
    // An older program, which does not know of it; one that is broken; none.
    install(std::path::Path::new("/bin/false"));
    refused("refuses it (exit 1)");
    std::fs::write(shop.path("new"), "no program").expect("the folder is ours");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(shop.path("new"), mode).expect("ours");
    std::fs::rename(shop.path("new"), &program.path).expect("in one folder");
    refused("cannot execute it");
    std::fs::remove_file(&program.path).expect("it is there");
    refused("No such file or directory");
    stays("it holds its address", millis(300), || a.holds("eth0", VIP));
    install(&Program::under_test().path);
    restart(&daemon);
    assert_eq!(monitor.events(), [], "addresses changed");
    Ok(())
}

pub(crate) fn a_daemon_in_the_background_is_restarted() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut daemon = a.start_in_background(&config(&[router(200)]));
    daemon.wait_end();
    let pid = || daemon.read("main.pid");
    let (before, mut monitor) = (pid(), AddressMonitor::once_held(&a, "eth0", &[VIP]));
    ok(&daemon, &["priority", "VI_1", "150"]);
    ok(&daemon, &["log-level", "debug"]);
    // No other router takes over, so it stays MASTER, and the order in force.
    told(&daemon, &["maintenance", "on", "--for", "10m"]);
    restart(&daemon);
    restart(&daemon);
    assert_eq!((pid(), monitor.events()), (before, &[][..]));
    let status = ok(&daemon, &["status", "--json"]);
    for part in ["\"restarts\": 2", "\"log_filter\": \"debug\"", "\"kind\": \"maintenance\""] {
        assert!(status.contains(part), "{part}: {status}");
    }
    let pid = nix::unistd::Pid::from_raw(pid().trim().parse().expect("a number"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("it runs");
    wait("it has stopped", SOON, || !daemon.file("main.pid").exists());
    assert!(!a.holds("eth0", VIP));
    Ok(())
}

pub(crate) fn a_reader_of_a_fifo_goes_on() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    let reader = shop.script("reader.sh", "echo start >>$HERE/read; cat $1 >>$HERE/read");
    let fifo = shop.path("fifo");
    let global = format!("notify_fifo {fifo}\n notify_fifo_script {reader}");
    let daemon = a.start(&config_with(&global, &[router(200)]));
    daemon.wait_master("VI_1");
    wait("the reader knows", SOON, || shop.read("read").contains("\"VI_1\" MASTER"));
    let before = shop.read("read");
    restart(&daemon);
    restart(&daemon);
    stays("the reader gets nothing", millis(300), || shop.read("read") == before);
    let mark = daemon.mark();
    a.ip("link set eth0 down");
    daemon.wait_log_part(mark, "Entering FAULT STATE");
    wait("the reader goes on", SOON, || shop.read("read").contains("\"VI_1\" FAULT"));
    assert_eq!(shop.read("read").matches("start").count(), 1);
    Ok(())
}

pub(crate) fn a_virtual_mac_stays_at_a_restart() -> Outcome {
    ours_only()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let block = |priority| router(priority).every("0.05").line("use_vmac vrrp.51");
    let master = a.start(&config(&[block(200)]));
    master.wait_master("VI_1");
    let backup = b.start(&config(&[block(100)]));
    backup.wait_backup("VI_1");
    let links = || a.output("ip", &["-o", "link", "show", "vrrp.51"]);
    let mut monitor = AddressMonitor::once_held(&a, "vrrp.51", &[VIP]);
    let (before, mark) = (links(), backup.mark());
    for _ in 0..10 {
        restart(&master);
    }
    assert_eq!((links(), monitor.events()), (before, &[][..]));
    assert_eq!(backup.state_changes(mark), Vec::<String>::new());
    Ok(())
}

/// Two daemons with authenticated advertisements: each restart begins with new sequence numbers.
fn sequence_numbers_go_on(block: impl Fn(u8) -> Instance) {
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let mut master = a.start(&config(&[block(200)]));
    master.wait_master("VI_1");
    let backup = b.start(&config(&[block(100)]));
    backup.wait_backup("VI_1");
    let mark = backup.mark();
    for _ in 0..5 {
        restart(&master);
    }
    master.crash();
    let crashed = master.mark();
    master.start_again();
    master.wait_log_part(crashed, "resumed: the run before advertised");
    let again = master.mark();
    restart(&master);
    master.wait_log_since(again, "Startup complete");
    stays("it remains master", millis(300), || a.holds("eth0", VIP));
    let said: Vec<_> = backup.log().into_iter().skip(mark).collect();
    let refused = |line: &&String| line.contains("refused") || line.contains("replay");
    assert_eq!(said.iter().find(refused), None, "{said:#?}");
    assert_eq!(backup.state_changes(mark), Vec::<String>::new());
}

pub(crate) fn authenticated_routers_go_on() -> Outcome {
    ours_only()?;
    let key = "key 1 0123456789abcdef0123456789abcdef";
    sequence_numbers_go_on(|priority| {
        router(priority).every("0.2").signed(&[key, "active_key 1", "mode enforce"])
    });
    sequence_numbers_go_on(|priority| router(priority).v2_header("secret").every("1"));
    Ok(())
}

/// A notification script that runs, another that waits for it, a mail that cannot be sent, counters.
pub(crate) fn notifications_under_way_go_on() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    let body = "echo begin $3 >>$HERE/ran; [ $3 = BACKUP ] && while [ ! -e $HERE/go ]; do sleep 0.05; done; echo end $3 >>$HERE/ran";
    let notify = shop.script("notify.sh", body);
    let mail = "smtp_server 127.0.0.1 2525\n notification_email {\n root@lab\n }\n notification_email_from a@lab";
    let block = router(200).every("0.05").line(&format!("notify {notify}")).line("smtp_alert");
    let daemon = a.start(&config_with(mail, &[block]));
    daemon.wait_master("VI_1");
    wait("the first script runs", SOON, || shop.read("ran") == "begin BACKUP\n");
    let status = || -> serde_json::Value {
        serde_json::from_str(&ok(&daemon, &["status", "--json"])).expect("JSON")
    };
    let mails = || status()["daemon"]["queues"]["mails"].as_u64();
    wait("mails wait", SOON, || mails() == Some(2));
    let sent = || status()["instances"][0]["counters"]["advert_sent"].as_u64().expect("a number");
    let before = sent();
    restart(&daemon);
    restart(&daemon);
    let after = sent();
    assert!((before..before + 100).contains(&after), "{before} advertisements, then {after}");
    assert_eq!(mails(), Some(2));
    let transitions = &status()["instances"][0]["transitions"];
    assert_eq!(transitions.to_string(), "{\"silence\":1}");
    assert_eq!(shop.read("ran"), "begin BACKUP\n");
    shop.write("go", "");
    let all = "begin BACKUP\nend BACKUP\nbegin MASTER\nend MASTER\n";
    wait("the other one has run", SOON, || shop.read("ran") == all);
    Ok(())
}

pub(crate) fn a_tracked_script_under_way_goes_on() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    let track = shop.script("track.sh", "echo begin >>$HERE/ran; sleep 0.5; echo end >>$HERE/ran");
    let script = format!("vrrp_script track {{\n script {track}\n interval 1\n timeout 5\n}}\n");
    let block = router(200).every("0.05").line("track_script {\n track\n }");
    let daemon = a.start(&(script + &config(&[block])));
    daemon.wait_master("VI_1");
    let counts = || ["begin", "end"].map(|word| shop.read("ran").matches(word).count());
    for _ in 0..3 {
        wait("it runs", SOON, || {
            let [begun, ended] = counts();
            begun == ended + 1
        });
        let [begun, _] = counts();
        restart(&daemon);
        wait("it has ended", SOON, || counts()[1] == begun);
    }
    let status = ok(&daemon, &["status"]);
    assert!(status.contains("MASTER"), "{status}");
    let [begun, ended] = counts();
    assert!(begun <= ended + 1, "{begun} began, {ended} ended");
    Ok(())
}

/// Runs of a script that a restart may cut short or repeat.
fn runs(shop: &Workshop) -> [usize; 2] {
    ["begin", "end"].map(|word| shop.read("ran").matches(word).count())
}

pub(crate) fn a_check_under_way_goes_on_and_results_are_kept() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let shop = Workshop::new();
    let check = shop.script("check.sh", "echo begin >>$HERE/ran; sleep 0.5; echo end >>$HERE/ran");
    let services = format!(
        "virtual_server 10.7.3.1 80 {{\n lvs_method NAT\n protocol TCP\n delay_loop 1\n \
         real_server 10.7.0.9 80 {{\n MISC_CHECK {{\n misc_path {check}\n misc_timeout 9\n \
         warmup 0\n }}\n }}\n}}\n"
    );
    let daemon = a.start(&(services + &config(&[router(200)])));
    // The first time, it has no result.
    for nth in 0..4 {
        wait("it runs", SOON, || {
            let [begun, ended] = runs(&shop);
            begun == ended + 1
        });
        let [begun, _] = runs(&shop);
        restart(&daemon);
        let text = ok(&daemon, &["show", "server", "[10.7.0.9]:tcp:80"]);
        assert!(nth == 0 || text.contains("up (MISC_CHECK "), "the last result is kept: {text}");
        wait("it has ended", SOON, || runs(&shop)[1] == begun);
    }
    let metrics = ok(&daemon, &["metrics"]);
    let is_total =
        |line: &&str| line.starts_with("keepalived_checks_total") && line.contains("\"up\"");
    let total = metrics.lines().find(is_total).and_then(|line| line.rsplit(' ').next());
    let total: usize = total.and_then(|n| n.parse().ok()).unwrap_or_default();
    assert!(total >= 3, "{metrics}");
    Ok(())
}

pub(crate) fn refused_senders_are_known_after_a_restart() -> Outcome {
    ours_only()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let block = |priority, word| router(priority).v2_pass(word);
    let daemon = a.start(&config(&[block(200, "one")]));
    daemon.wait_master("VI_1");
    let peer = b.start(&config(&[block(100, "two")]));
    let refused = |daemon: &Daemon| {
        let text = ok(daemon, &["show", "instance", "VI_1"]);
        let line = text.lines().find(|line| line.contains(" from 10.7.0.2: "))?;
        line.split_once(", last ").map(|(what, _)| what.to_owned())
    };
    wait("it is refused", SOON, || refused(&daemon).is_some());
    drop(peer);
    let before = refused(&daemon);
    assert!(before.as_ref().is_some_and(|text| text.contains("password")), "{before:?}");
    restart(&daemon);
    assert_eq!(refused(&daemon), before);
    Ok(())
}
