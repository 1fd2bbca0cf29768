//! `vrrp_script`: results of scripts affect the election; misbehaving scripts disturb nothing.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::time::Duration;

use crate::lab::{
    config, config_with, gaps, instance, millis, ours_only, pass, secs, stays, wait, Capture,
    Daemon, Host, Outcome, Segment, Skip, Workshop, SOON,
};

const VIP: &str = "10.7.1.1";
const TRUSTING: &str = "    script_user root\n    enable_script_security";

/// A `vrrp_script` block named `check`.
fn check(script: &str, more: &str) -> String {
    format!("vrrp_script check {{\n script \"{script}\"\n interval 0.1\n {more}\n}}\n")
}

fn tracking(priority: u8) -> String {
    instance("VI_1")
        .priority(priority)
        .line("track_script {\n check\n }")
        .vip("10.7.1.1/16")
        .to_string()
}

struct Pair {
    _segment: Segment,
    hosts: [Host; 2],
    high: Daemon,
    low: Daemon,
}

/// The first router tracks a script; the second has a priority lower by 4.
fn pair(script: &str, more: &str) -> Pair {
    let (segment, hosts) = Segment::with_hosts(["a", "b"]);
    let text = config_with(TRUSTING, &[]) + &check(script, more) + &tracking(100);
    let high = hosts[0].start(&text);
    high.wait_master("VI_1");
    let low = hosts[1].start(&config(&[instance("VI_1").priority(96).vip("10.7.1.1/16")]));
    low.wait_backup("VI_1");
    Pair { _segment: segment, hosts, high, low }
}

impl Pair {
    #[track_caller]
    fn held_by(&self, n: usize) {
        wait(&format!("the address is on {} alone", self.hosts[n].name), SOON, || {
            self.hosts[n].holds("eth0", VIP) && !self.hosts[1 - n].holds("eth0", VIP)
        });
    }
}

pub(crate) fn a_weight_lowers_the_priority_while_it_fails() -> Outcome {
    let shop = Workshop::new();
    shop.write("good", "");
    let pair = pair(&shop.script("check.sh", "test -e $HERE/good"), "weight -5");
    pair.held_by(0);
    shop.remove("good");
    pair.high.wait_log("VRRP_Script(check) failed (exited with status 1)");
    pair.high.wait_log_part(0, "(VI_1) Changing effective priority from 100 to 95");
    pair.low.wait_log("(VI_1) Entering MASTER STATE");
    pair.held_by(1);
    shop.write("good", "");
    pair.high.wait_log_part(0, "(VI_1) Changing effective priority from 95 to 100");
    pair.held_by(0);
    Ok(())
}

pub(crate) fn without_a_weight_a_failure_causes_fault() -> Outcome {
    let shop = Workshop::new();
    shop.write("good", "");
    let pair = pair(&shop.script("check.sh", "test -e $HERE/good"), "");
    pair.held_by(0);
    shop.remove("good");
    pair.high.wait_log("(VI_1) Entering FAULT STATE");
    pair.held_by(1);
    let mark = pair.high.mark();
    shop.write("good", "");
    pair.high.wait_log_since(mark, "(VI_1) Entering BACKUP STATE");
    pair.held_by(0);
    Ok(())
}

pub(crate) fn rise_and_fall_are_counted() -> Outcome {
    let shop = Workshop::new();
    shop.write("state", "0");
    let script =
        shop.script("check.sh", "read -r code <$HERE/state; echo $code >>$HERE/runs; exit $code");
    let pair = pair(&script, "fall 3\n rise 2\n weight -5");
    pair.held_by(0);
    shop.write("state", "7");
    pair.held_by(1);
    let failures = || shop.lines("runs").iter().filter(|l| *l == "7").count();
    assert!(failures() >= 3, "it fell after {} failures", failures());
    pair.high.wait_log("VRRP_Script(check) failed (exited with status 7)");
    let before = shop.lines("runs").len();
    shop.write("state", "0");
    pair.held_by(0);
    assert!(shop.lines("runs").len() >= before + 2);
    Ok(())
}

pub(crate) fn it_is_not_master_before_the_first_result() -> Outcome {
    let shop = Workshop::new();
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let script = shop.script("check.sh", "while ! test -e $HERE/go; do sleep 0.05; done");
    let text = config_with(TRUSTING, &[]) + &check(&script, "timeout 60") + &tracking(100);
    let daemon = a.start(&text);
    daemon.wait_log("Startup complete");
    stays("it waits for the script", secs(1), || !a.holds("eth0", VIP));
    shop.write("go", "");
    daemon.wait_master("VI_1");
    Ok(())
}

pub(crate) fn a_process_tree_that_ignores_sigterm_is_killed() -> Outcome {
    let shop = Workshop::new();
    let script = shop.script(
        "stubborn.sh",
        "trap '' TERM\necho $$ >>$HERE/pids\n\
         (trap '' TERM; echo $(exec sh -c 'echo $PPID') >>$HERE/pids; while :; do sleep 0.1; done) &\n\
         while :; do sleep 0.1; done",
    );
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let text = config_with(TRUSTING, &[])
        + &check(&script, "interval 60\n timeout 0.3\n weight -5")
        + &tracking(100);
    let daemon = a.start(&text);
    daemon.wait_master("VI_1");
    wait("the tree runs", SOON, || shop.lines("pids").len() == 2);
    let pids = shop.lines("pids");
    let alive = |pid: &String| std::path::Path::new(&format!("/proc/{pid}")).exists();
    wait("all of the tree is gone", SOON, || !pids.iter().any(alive));
    daemon.wait_log("VRRP_Script(check) timed_out");
    Ok(())
}

pub(crate) fn misbehaving_scripts_disturb_nothing() -> Outcome {
    ours_only()?;
    let shop = Workshop::new();
    let scripts = [
        shop.script("flood.sh", "head -c 100000000 /dev/zero; head -c 100000000 /dev/zero >&2"),
        shop.script("fork.sh", "for i in 1 2 3 4 5 6 7 8; do sleep 0.2 & done"),
        shop.script("vanish.sh", "exit 0"),
        shop.script("hang.sh", "sleep 100"),
    ];
    let mut text = config_with(TRUSTING, &[]);
    let mut tracked = String::from("track_script {\n");
    for (i, script) in scripts.iter().enumerate() {
        text +=
            &format!("vrrp_script s{i} {{\n script \"{script}\"\n interval 0.2\n weight -2\n}}\n");
        tracked += &format!("s{i}\n");
    }
    text += &instance("VI_1").line(&(tracked + "}")).vip("10.7.1.1/16").to_string();
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let mut capture = segment.capture();
    let mut daemon = a.start(&text);
    daemon.wait_master("VI_1");
    shop.remove("vanish.sh");
    daemon.wait_log_part(0, "VRRP_Script(s2) failed");
    capture.clear();
    pass(secs(3));
    let adverts = capture.adverts_of(51);
    let worst = gaps(&adverts).into_iter().max().unwrap_or_default();
    assert!(adverts.len() > 25, "{} adverts in 3 s", adverts.len());
    assert!(worst < millis(140), "an advertisement came after {worst:?}");
    assert_eq!(zombies(&daemon), Vec::<String>::new());
    assert_eq!(daemon.stop().code(), Some(0));
    Ok(())
}

/// Children of the daemon that exited and were not reaped promptly.
fn zombies(daemon: &Daemon) -> Vec<String> {
    let list = || {
        let path = format!("/proc/{0}/task/{0}/children", daemon.pid());
        let children = std::fs::read_to_string(path).unwrap_or_default();
        let state =
            |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let dead =
            |stat: &String| stat.rsplit(')').next().is_some_and(|s| s.trim().starts_with('Z'));
        children.split_whitespace().map(state).filter(dead).collect::<Vec<_>>()
    };
    let first = list();
    if first.is_empty() {
        return first;
    }
    // Seen twice: not just about to be reaped.
    pass(millis(300));
    let second = list();
    first.into_iter().filter(|z| second.contains(z)).collect()
}

/// Two hundred scripts per second and 64 routers that advertise ten times per second, while both
/// processors are busy otherwise.
pub(crate) fn two_hundred_scripts_delay_no_advert() -> Outcome {
    ours_only()?;
    let shop = Workshop::new();
    let script = shop.script("check.sh", "exit 0");
    let mut text = config_with(&format!("{TRUSTING}\n    vrrp_rt_priority 50"), &[]);
    for i in 0..200 {
        text += &format!("vrrp_script s{i} {{\n script \"{script}\"\n interval 1\n weight 1\n}}\n");
    }
    for vrid in 1..=64_u8 {
        let mut tracked = String::from("track_script {\n");
        for i in (usize::from(vrid) - 1..200).step_by(64) {
            tracked += &format!("s{i} weight 0\n");
        }
        text += &instance(&format!("VI_{vrid}"))
            .vrid(vrid)
            .line(&(tracked + "}"))
            .vip(&format!("10.7.1.{vrid}/16"))
            .to_string();
    }
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&text);
    for vrid in 1..=64 {
        daemon.wait_master(&format!("VI_{vrid}"));
    }
    let _load: Vec<_> = (0..2).map(|_| Busy::start()).collect();
    // Captured where they leave the host: delays in the bridge do not count. The machine itself may
    // stall for a moment, but not every time.
    let mut capture = a.capture("eth0");
    let late = |gap: &Duration| gap.saturating_sub(millis(100));
    let mut gaps = Vec::new();
    while gaps.len() < 5 && gaps.last().is_none_or(|gap| late(gap) >= millis(20)) {
        gaps.push(worst_gap(&mut capture));
    }
    let best = gaps.iter().map(late).min().unwrap_or_default();
    assert!(best < millis(20), "an advertisement was {best:?} late");
    assert!(!daemon.log().iter().any(|l| l.contains("failed") || l.contains("skipping")));
    Ok(())
}

/// The longest interval between two advertisements of any of 64 routers, within 5 s.
fn worst_gap(capture: &mut Capture) -> Duration {
    capture.clear();
    pass(secs(5));
    let mut worst = Duration::ZERO;
    for vrid in 1..=64_u8 {
        let adverts = capture.adverts_of(vrid);
        assert!(adverts.len() >= 40, "router {vrid} advertised {} times in 5 s", adverts.len());
        worst = gaps(&adverts).into_iter().fold(worst, Duration::max);
    }
    worst
}

/// A process that only burns CPU time.
struct Busy(std::process::Child);

impl Busy {
    fn start() -> Self {
        let child = std::process::Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "timeout", "60", "sh", "-c", "while :; do :; done"])
            .spawn()
            .expect("the runner has seen that setpriv is there");
        Self(child)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(i32::try_from(self.0.id()).expect("a process id")),
            nix::sys::signal::Signal::SIGTERM,
        );
        let _ = self.0.wait();
    }
}

/// A web server of a node; all share a process namespace, so each is identified by its pid file.
struct Nginx {
    child: std::process::Child,
}

impl Nginx {
    fn start(host: &Host, shop: &Workshop) -> Result<Self, Skip> {
        if !std::path::Path::new("/usr/sbin/nginx").exists() {
            return Err(Skip::new("nginx is missing: apt-get install nginx-light"));
        }
        let here = shop.path("");
        shop.write(
            "nginx.conf",
            &format!(
                "daemon off;\nworker_processes 1;\npid {here}nginx.pid;\nerror_log {here}error.log;\nevents {{}}\n\
                 http {{ access_log off; client_body_temp_path {here}b; proxy_temp_path {here}p;\n\
                 fastcgi_temp_path {here}f; uwsgi_temp_path {here}u; scgi_temp_path {here}s;\n\
                 server {{ listen 80; location / {{ return 200 \"{}\\n\"; }} }} }}\n",
                host.name
            ),
        );
        let _inside = host.enter();
        let child = std::process::Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "/usr/sbin/nginx", "-c", &shop.path("nginx.conf")])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("the runner has seen that setpriv is there");
        Ok(Self { child })
    }
}

impl Drop for Nginx {
    /// The master process terminates its workers.
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"));
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

pub(crate) fn the_address_follows_nginx() -> Outcome {
    let (_segment, hosts) = Segment::with_hosts(["node0", "node1"]);
    let shops = [Workshop::new(), Workshop::new()];
    let mut servers = Vec::new();
    for (host, shop) in hosts.iter().zip(&shops) {
        servers.push(Some(Nginx::start(host, shop)?));
        shop.wait_written("nginx.pid");
    }
    let daemons: Vec<_> = (0..2)
        .map(|n| {
            let shop = &shops[n];
            let check = shop.script("check.sh", "read -r pid <$HERE/nginx.pid && kill -0 $pid");
            let notify = shop.script("notify.sh", "echo $1 >>$HERE/notified");
            let block = instance("VI_1")
                .v2_pass("x1er44q")
                .priority(if n == 0 { 100 } else { 96 })
                .line("track_script {\n check_ngx\n }")
                .line(&format!("notify_master \"{notify} master\""))
                .line(&format!("notify_backup \"{notify} backup\""))
                .line(&format!("notify_fault \"{notify} fault\""))
                .vip("10.7.1.1/16");
            let script = format!(
                "vrrp_script check_ngx {{\n script \"{check}\"\n interval 1\n weight -5\n}}\n"
            );
            let text = config_with(TRUSTING, &[]) + &script + &block.to_string();
            let daemon = hosts[n].start(&text);
            // The other one starts later, so that this one takes the address first.
            daemon.wait_log("Startup complete");
            daemon
        })
        .collect();
    let served_by = |n: usize| {
        wait(&format!("{} alone has the address", hosts[n].name), secs(15), || {
            hosts[n].holds("eth0", VIP) && !hosts[1 - n].holds("eth0", VIP)
        });
    };
    served_by(0);
    drop(servers[0].take());
    daemons[0].wait_log("VRRP_Script(check_ngx) failed (exited with status 2)");
    served_by(1);
    servers[0] = Some(Nginx::start(&hosts[0], &shops[0])?);
    served_by(0);
    shops[0].wait_lines("notified", &["backup", "master", "backup", "master"]);
    shops[1].wait_lines("notified", &["backup", "master", "backup"]);
    Ok(())
}
