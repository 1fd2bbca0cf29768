//! `track_file` and `track_process`: numbers in files, and running processes.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::lab::{
    config_with, instance, millis, ours_only, pass, secs, wait, Daemon, Host, Outcome, Segment,
    Workshop, SOON,
};

const VIP: &str = "10.7.1.1";

/// One router with these blocks and tracked objects.
fn one(blocks: &str, tracked: &str) -> (Segment, [Host; 1], Daemon) {
    let (segment, hosts) = Segment::with_hosts(["a"]);
    let block = instance("VI_1").line(tracked).vip("10.7.1.1/16");
    let daemon = hosts[0].start(&(config_with("", &[]) + blocks + &block.to_string()));
    (segment, hosts, daemon)
}

#[track_caller]
fn wait_priority(daemon: &Daemon, mark: usize, from: u8, to: u8) {
    daemon.wait_log_part(mark, &format!("(VI_1) Changing effective priority from {from} to {to}"));
}

fn file_block(path: &str, more: &str) -> String {
    format!("track_file watched {{\n file {path}\n {more}\n}}\n")
}

const TRACK_FILE: &str = "track_file {\n watched\n }";

pub(crate) fn the_number_in_a_file_is_added() -> Outcome {
    let shop = Workshop::new();
    shop.write("number", "0\n");
    let (_segment, _hosts, daemon) = one(&file_block(&shop.path("number"), "weight 1"), TRACK_FILE);
    daemon.wait_master("VI_1");
    let mark = daemon.mark();
    shop.write("number", "10");
    wait_priority(&daemon, mark, 100, 110);
    shop.write("number", "-20\nand more\n");
    wait_priority(&daemon, mark, 110, 80);
    shop.remove("number");
    wait_priority(&daemon, mark, 80, 100);
    shop.write("draft", "7");
    std::fs::rename(shop.path("draft"), shop.path("number")).expect("one folder");
    wait_priority(&daemon, mark, 100, 107);
    std::fs::rename(shop.path("number"), shop.path("elsewhere")).expect("one folder");
    wait_priority(&daemon, mark, 107, 100);
    Ok(())
}

pub(crate) fn a_file_without_weight_causes_fault_unless_zero() -> Outcome {
    let shop = Workshop::new();
    shop.write("number", "0");
    let (_segment, [a], daemon) = one(&file_block(&shop.path("number"), "weight 0"), TRACK_FILE);
    daemon.wait_master("VI_1");
    shop.write("number", "1");
    daemon.wait_log("(VI_1) Entering FAULT STATE");
    wait("no address in FAULT", SOON, || !a.holds("eth0", VIP));
    shop.write("number", "0");
    wait("the address is back", SOON, || a.holds("eth0", VIP));
    Ok(())
}

pub(crate) fn garbage_in_a_file_is_zero() -> Outcome {
    ours_only()?;
    let shop = Workshop::new();
    shop.write("number", "20");
    let (_segment, _hosts, daemon) = one(&file_block(&shop.path("number"), "weight 1"), TRACK_FILE);
    daemon.wait_master("VI_1");
    let mut at = 120;
    let texts: [&[u8]; 5] = [b"\xff\xfe\x00", b"", b"many", &[b'9'; 70_000], b"- 5"];
    for garbage in texts {
        let mark = daemon.mark();
        std::fs::write(shop.path("number"), garbage).expect("the folder is ours");
        if at == 120 {
            daemon.wait_log_part(mark, "(VI_1) Changing effective priority from 120 to ");
        }
        pass(millis(50));
        let mark = daemon.mark();
        shop.write("number", "20");
        daemon.wait_log_part(mark, " to 120");
        at = 120;
    }
    // A path that is not a regular file blocks nothing.
    shop.remove("number");
    nix::unistd::mkfifo(shop.path("number").as_str(), nix::sys::stat::Mode::S_IRWXU)
        .expect("the name is free");
    let mark = daemon.mark();
    shop.remove("number");
    shop.write("number", "5");
    daemon.wait_log_part(mark, " to 105");
    Ok(())
}

pub(crate) fn init_file_creates_the_file() -> Outcome {
    let shop = Workshop::new();
    let (_segment, _hosts, daemon) =
        one(&file_block(&shop.path("number"), "init_file 5\n weight 2"), TRACK_FILE);
    daemon.wait_master("VI_1");
    assert_eq!(shop.read("number").trim(), "5");
    shop.write("number", "6");
    wait_priority(&daemon, 0, 110, 112);
    Ok(())
}

/// The directory of the file is created and removed.
pub(crate) fn the_directory_of_a_file_may_appear_later() -> Outcome {
    ours_only()?;
    let shop = Workshop::new();
    let folder = shop.path("folder");
    let (_segment, _hosts, daemon) =
        one(&file_block(&format!("{folder}/number"), "weight 1"), TRACK_FILE);
    daemon.wait_master("VI_1");
    std::fs::create_dir(&folder).expect("a new folder");
    shop.write("folder/number", "3");
    wait_priority(&daemon, 0, 100, 103);
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
    wait_priority(&daemon, 0, 103, 100);
    std::fs::create_dir(&folder).expect("a new folder");
    shop.write("folder/number", "4");
    wait_priority(&daemon, 0, 100, 104);
    Ok(())
}

/// A process with a given name.
struct Named(Child);

impl Named {
    fn start(shop: &Workshop, name: &str, words: &[&str]) -> Self {
        let path = shop.path(name);
        if !shop.exists(name) {
            std::fs::copy("/bin/sleep", &path).expect("there is /bin/sleep");
        }
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(path)
            .args(words)
            .stdin(Stdio::null())
            .spawn()
            .expect("the runner has seen that setpriv is there");
        Self(child)
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The process connector is unavailable in a network namespace: this tests the fallback.
pub(crate) fn a_process_that_ends_lowers_the_priority() -> Outcome {
    ours_only()?;
    let shop = Workshop::new();
    // At most fifteen characters, as stored by the kernel.
    let name = format!("ka{}", std::process::id());
    let first = Named::start(&shop, &name, &["100"]);
    let block = format!("vrrp_track_process p {{\n process {name}\n weight 10\n}}\n");
    let (_segment, _hosts, daemon) = one(&block, "track_process {\n p\n }");
    daemon.wait_master("VI_1");
    let mark = daemon.mark();
    drop(first);
    wait_priority(&daemon, mark, 110, 100);
    let mark = daemon.mark();
    let _second = Named::start(&shop, &name, &["100"]);
    wait_priority(&daemon, mark, 100, 110);
    Ok(())
}

pub(crate) fn a_quorum_of_processes_is_counted() -> Outcome {
    ours_only()?;
    let shop = Workshop::new();
    let name = format!("kq{}", std::process::id());
    let mut running = vec![Named::start(&shop, &name, &["100"])];
    let block = format!(
        "vrrp_track_process p {{\n process {name}\n quorum 2\n quorum_max 3\n weight 10\n}}\n"
    );
    let (_segment, _hosts, daemon) = one(&block, "track_process {\n p\n }");
    daemon.wait_master("VI_1");
    let mark = daemon.mark();
    running.push(Named::start(&shop, &name, &["101"]));
    wait_priority(&daemon, mark, 100, 110);
    running.push(Named::start(&shop, &name, &["102"]));
    running.push(Named::start(&shop, &name, &["103"]));
    let mark = daemon.mark();
    wait_priority(&daemon, mark.saturating_sub(1), 110, 100);
    let mark = daemon.mark();
    running.pop();
    wait_priority(&daemon, mark, 100, 110);
    Ok(())
}

/// CPU time of a process in hundredths of a second.
fn ticks(daemon: &Daemon) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", daemon.pid())).expect("it runs");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("a name").split(' ').collect();
    [11, 12].map(|n| fields[n].parse::<u64>().expect("a number")).iter().sum()
}

pub(crate) fn a_flood_of_untracked_files_costs_little() -> Outcome {
    ours_only()?;
    let shop = Workshop::new();
    let mut blocks = String::new();
    let mut tracked = "track_file {\n".to_owned();
    for n in 0..200 {
        shop.write(&format!("n{n}"), "0\n");
        let path = shop.path(&format!("n{n}"));
        blocks.push_str(&format!("track_file f{n} {{\n file {path}\n weight 1\n}}\n"));
        tracked.push_str(&format!(" f{n}\n"));
    }
    let (_segment, _hosts, daemon) = one(&blocks, &(tracked + " }"));
    daemon.wait_master("VI_1");
    let (stop, files) = (AtomicBool::new(false), AtomicU64::new(0));
    let used = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let n = files.fetch_add(1, Ordering::Relaxed);
                let path = shop.path(&format!("beside{}", n % 100));
                // Empty files: only the directory and its watchers are affected.
                File::options().append(true).create(true).open(path).expect("is ours");
            }
        });
        pass(secs(1));
        let before = ticks(&daemon);
        let mark = daemon.mark();
        shop.write("n7", "10");
        wait_priority(&daemon, mark, 100, 110);
        pass(secs(2));
        stop.store(true, Ordering::Relaxed);
        ticks(&daemon) - before
    });
    let files = files.into_inner();
    println!("{files} files in about 3 s, {used} ticks of 10 ms in 2 s");
    assert!(files > 5000, "no flood: {files}");
    assert!(used < 60, "{used} ticks for {files} files");
    Ok(())
}
