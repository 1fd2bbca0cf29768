//! A daemon that is killed and started again goes on where it was, if no peer can have noticed.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::os::unix::fs::PermissionsExt as _;

use crate::lab::{
    config, instance, kactl, kactl_says, millis, now, ours_only, output_of, stays, wait,
    AddressMonitor, Daemon, Host, Instance, Outcome, Segment, Workshop, SOON,
};

const VIP: &str = "10.7.1.1";
const RESUMED: &str = "(VI_1) because: resumed: the run before advertised";

fn router(priority: u8) -> Instance {
    instance("VI_1").priority(priority).vip("10.7.1.1/16")
}

/// A master of priority 200 that advertises every second, and its backup.
fn pair(a: &Host, b: &Host) -> [Daemon; 2] {
    let master = a.start(&config(&[router(200).every("1")]));
    master.wait_master("VI_1");
    wait("the master holds the address", SOON, || a.holds("eth0", VIP));
    let backup = b.start(&config(&[router(100).every("1")]));
    backup.wait_backup("VI_1");
    [master, backup]
}

fn wait_resumed(daemon: &Daemon, mark: usize) {
    daemon.wait_log_part(mark, RESUMED);
}

pub(crate) fn a_killed_master_resumes_fifty_times() -> Outcome {
    ours_only()?;
    let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let [mut master, backup] = pair(&a, &b);
    let mut monitor = AddressMonitor::once_held(&a, "eth0", &[VIP]);
    let mut capture = segment.capture();
    let mark = backup.mark();
    for _ in 0..50 {
        master.crash();
        let mark = master.mark();
        master.start_again();
        wait_resumed(&master, mark);
        master.wait_log_since(mark, "Startup complete");
    }
    assert_eq!(backup.state_changes(mark), Vec::<String>::new());
    assert!(!monitor.removed(VIP) && a.holds("eth0", VIP) && !b.holds("eth0", VIP));
    let adverts = capture.adverts();
    assert!(adverts.iter().all(|advert| advert.priority == 200), "another router advertised");
    let gaps = adverts.windows(2).map(|pair| pair[1].at - pair[0].at);
    let longest = gaps.max().unwrap_or_default();
    println!("{} advertisements, at most {longest:?} apart", adverts.len());
    assert!(longest < millis(2900), "{longest:?}");
    Ok(())
}

pub(crate) fn after_an_election_it_follows_the_rules() -> Outcome {
    ours_only()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let text = config(&[router(200).line("nopreempt")]);
    let mut master = a.start(&text);
    master.wait_master("VI_1");
    let backup = b.start(&config(&[router(100)]));
    backup.wait_backup("VI_1");
    master.crash();
    backup.wait_master("VI_1");
    let mark = master.mark();
    master.start_again();
    master.wait_log_part(mark, "(VI_1) was MASTER before the restart, but advertised last");
    master.wait_log_since(mark, "(VI_1) Entering BACKUP STATE (init)");
    stays("the backup remains master", millis(600), || b.holds("eth0", VIP));
    assert!(!a.holds("eth0", VIP), "what the killed run held is gone");
    Ok(())
}

pub(crate) fn a_clean_end_is_not_resumed() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut master = a.start(&config(&[router(200).every("1")]));
    master.wait_master("VI_1");
    assert!(master.file("main.state").exists());
    assert!(master.stop().success());
    assert!(!master.file("main.state").exists());
    let mark = master.mark();
    master.start_again();
    master.wait_log_since(mark, "(VI_1) Entering BACKUP STATE (init)");
    Ok(())
}

pub(crate) fn an_unfit_state_file_is_refused() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut master = a.start(&config(&[router(200)]));
    master.wait_master("VI_1");
    let file = master.file("main.state");
    let write = |bytes: &[u8]| {
        std::fs::write(&file, bytes).expect("the folder is ours");
    };
    let good = || std::fs::read(&file).expect("it is there");
    let cases: [(&str, &dyn Fn()); 6] = [
        ("it is truncated", &|| write(&good()[..40])),
        ("it is no state file, or it is damaged", &|| write(&[0x5a; 4096])),
        ("it is a copy", &|| {
            let bytes = good();
            // The original stays, so that the copy cannot get its number.
            std::fs::rename(&file, file.with_extension("original")).expect("in one folder");
            std::fs::write(&file, &bytes).expect("the folder is ours");
            let mode = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(&file, mode).expect("ours");
        }),
        ("it is not ours, or others can read or write it", &|| {
            let mode = std::fs::Permissions::from_mode(0o644);
            std::fs::set_permissions(&file, mode).expect("ours");
        }),
        ("", &|| {
            std::fs::remove_file(&file).expect("it is there");
            std::os::unix::fs::symlink("/dev/zero", &file).expect("the folder is ours");
        }),
        ("it is from before the host was booted", &|| {
            // The boot id, with the checksum of the head as it then is.
            let mut bytes = good();
            bytes[8] ^= 1;
            let word = |n: usize| {
                u32::from_ne_bytes(bytes[4 * n..4 * n + 4].try_into().expect("four bytes"))
            };
            let sum =
                (0..10).fold(0x811c_9dc5_u32, |sum, n| (sum ^ word(n)).wrapping_mul(0x0100_0193));
            bytes[40..44].copy_from_slice(&sum.to_ne_bytes());
            use std::os::unix::fs::FileExt as _;
            let file = std::fs::OpenOptions::new().write(true).open(&file).expect("it is there");
            file.write_all_at(&bytes, 0).expect("it has room");
        }),
    ];
    for (why, spoil) in cases {
        master.crash();
        spoil();
        let mark = master.mark();
        master.start_again();
        let told = format!("State file {} is ignored: {why}", file.display());
        master.wait_log_part(mark, &told);
        master.wait_log_since(mark, "(VI_1) Entering BACKUP STATE (init)");
        master.wait_log_since(mark, "(VI_1) Entering MASTER STATE");
    }
    Ok(())
}

pub(crate) fn a_truncated_state_file_ends_nothing() -> Outcome {
    ours_only()?;
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let mut master = a.start(&config(&[router(200)]));
    master.wait_master("VI_1");
    let file = std::fs::File::options().write(true).open(master.file("main.state"));
    file.and_then(|file| file.set_len(0)).expect("it is there");
    let (mut capture, since) = (segment.capture(), now());
    capture.wait_advert("it goes on", SOON, |advert| advert.at > since + millis(300));
    master.wait_log_part(0, "The state file was truncated");
    assert!(master.stop().success());
    Ok(())
}

pub(crate) fn verdicts_of_scripts_are_kept() -> Outcome {
    ours_only()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let shop = Workshop::new();
    let good = shop.script("good.sh", "[ -e $HERE/slow ] && sleep 20; exit 0");
    let bad = shop.script("bad.sh", "[ -e $HERE/slow ] && sleep 20; exit 1");
    let script = |name, path| {
        format!("vrrp_script {name} {{\n script {path}\n interval 1\n timeout 30\n rise 2\n fall 2\n}}\n")
    };
    let blocks = [
        router(200).every("1").line("track_script {\n good\n }"),
        instance("VI_2").vrid(52).priority(200).vip("10.7.1.2/16").line("track_script {\n bad\n }"),
    ];
    let text = script("good", &good) + &script("bad", &bad) + &config(&blocks);
    let mut master = a.start(&text);
    master.wait_master("VI_1");
    master.wait_fault("VI_2");
    let backup = b.start(&config(&[router(100).every("1")]));
    backup.wait_backup("VI_1");
    shop.write("slow", "");
    master.crash();
    let (mark, marked) = (master.mark(), backup.mark());
    master.start_again();
    wait_resumed(&master, mark);
    master.wait_log_part(mark, "(VI_2) because: script bad failed (as before the restart)");
    assert_eq!(backup.state_changes(marked), Vec::<String>::new());
    Ok(())
}

pub(crate) fn orders_of_operators_are_kept() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let mut daemon = a.start(&config(&[router(200).every("0.1")]));
    daemon.wait_master("VI_1");
    kactl_says(&daemon, &["priority", "VI_1", "150"]);
    // No other router takes over, so it stays MASTER, and the order in force.
    output_of(kactl(&daemon).args(["maintenance", "on", "--for", "10m"]));
    for _ in 0..2 {
        let mark = daemon.mark();
        daemon.crash();
        daemon.start_again();
        daemon.wait_log_since(mark, "Startup complete");
        wait("the orders are in force", SOON, || {
            let status = output_of(kactl(&daemon).args(["status", "--json"])).1;
            ["\"base\": 150", "\"kind\": \"maintenance\""].iter().all(|p| status.contains(p))
        });
    }
    kactl_says(&daemon, &["maintenance", "off"]);
    kactl_says(&daemon, &["priority", "VI_1", "reset"]);
    let mark = daemon.mark();
    daemon.crash();
    daemon.start_again();
    daemon.wait_log_since(mark, "Startup complete");
    wait("no order is in force", SOON, || {
        let status = output_of(kactl(&daemon).args(["status", "--json"])).1;
        status.contains("\"base\": 200") && !status.contains("\"kind\": \"maintenance\"")
    });
    Ok(())
}
