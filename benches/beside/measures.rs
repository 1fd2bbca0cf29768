//! The measurements. Each starts what it needs in fresh namespaces.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::lab::{
    config_with, eventually, gaps, instance, millis, pass, secs, wait, Daemon, Host, Instance,
    Program, Segment,
};
use crate::usage::{cpu, memory, wakeups};

pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) figures: &'static [&'static str],
    pub(crate) take: fn(&Program) -> Vec<f64>,
}

const LONG: Duration = secs(120);
const GLOBAL: &str = "vrrp_garp_master_repeat 1";

pub(crate) const ALL: &[Measure] = &[
    Measure::new(
        "master killed, `advert_int` 100 ms",
        &["first gratuitous ARP after the master-down time, ms"],
        takeover,
    ),
    Measure::new(
        "255 masters at 10 ms",
        &["share of due advertisements sent, %", "CPU per advertisement, µs"],
        busy_master,
    ),
    Measure::new("16 masters at 10 ms", &["99th percentile of the timing error, ms"], regularity),
    Measure::new(
        "1,000 instances",
        &[
            "start to the last address, s",
            "anonymous memory, KiB",
            "CPU per advertisement heard, µs",
            "SIGTERM to exit, s",
        ],
        thousand,
    ),
    Measure::new(
        "reload of an unchanged file, 250 masters at 1 s",
        &["CPU, ms", "longest interval between two advertisements, % of `advert_int`"],
        reload,
    ),
    Measure::new(
        "one instance",
        &["anonymous memory, KiB", "wake-ups per second", "CPU of 2,000 foreign routes, ms"],
        small,
    ),
    Measure::new("5,000 instances", &["`-t`, s"], test_of_a_configuration),
];

fn router(n: usize, priority: u8, every: &str) -> Instance {
    let vrid = u8::try_from(n % 250 + 1).expect("small");
    let block = instance(&format!("VI_{n}")).on(&format!("eth{}", n / 250)).vrid(vrid);
    block.priority(priority).every(every).vip(&format!("10.{}.1.{vrid}/32", n / 250 + 7))
}

fn routers(count: usize, priority: u8, every: &str) -> String {
    let all: Vec<_> = (0..count).map(|n| router(n, priority, every)).collect();
    config_with(GLOBAL, &all)
}

/// Two hosts with an interface for each 250 routers.
fn hosts(routers: usize) -> (Vec<Segment>, [Host; 2]) {
    let hosts = ["a", "b"].map(Host::new);
    let mut segments = Vec::new();
    for n in 0..u8::try_from(routers.div_ceil(250)).expect("small") {
        let segment = Segment::new(n + 7);
        for (id, host) in (1..).zip(&hosts) {
            segment.attach(host, &format!("eth{n}"), id);
        }
        segments.push(segment);
    }
    (segments, hosts)
}

fn held(host: &Host) -> usize {
    let addresses = host.addresses();
    let all = addresses.values().flatten().map(ToString::to_string);
    all.filter(|address| address.split('.').nth(2) == Some("1")).count()
}

/// Until a host holds all addresses.
fn wait_held(host: &Host, count: usize) {
    wait("every address is held", LONG, || held(host) == count);
}

fn seconds(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64()
}

/// Packets that an interface has sent.
fn sent(host: &Host, interface: &str) -> f64 {
    let text = host.output("ip", &["-s", "link", "show", interface]);
    let line = text.lines().skip_while(|line| !line.trim().starts_with("TX:")).nth(1);
    let word = line.and_then(|line| line.split_whitespace().nth(1));
    word.and_then(|word| word.parse().ok()).unwrap_or(0.0)
}

fn takeover(program: &Program) -> Vec<f64> {
    let (segments, [a, b]) = hosts(1);
    let mut master = a.start_program(program, &routers(1, 200, "0.1"));
    wait_held(&a, 1);
    let _backup = b.start_program(program, &routers(1, 100, "0.1"));
    pass(secs(1));
    let mut capture = segments[0].capture();
    capture.wait_advert("the master advertises", secs(5), |advert| advert.priority == 200);
    master.crash();
    let mut first = None;
    wait("the backup announces the address", secs(5), || {
        first = capture.announcements().first().map(|announcement| announcement.at);
        first.is_some()
    });
    let last = capture.adverts().into_iter().rfind(|advert| advert.priority == 200);
    let last = last.expect("it has advertised").at;
    // RFC 9568: 3 * advert_int + ((256 - priority) * advert_int) / 256.
    let down = 0.1f64.mul_add(3.0, 156.0 * 0.1 / 256.0);
    vec![(first.expect("waited for").saturating_sub(last).as_secs_f64() - down) * 1_000.0]
}

fn busy_master(program: &Program) -> Vec<f64> {
    let (_segments, [a, _]) = hosts(250);
    let all: Vec<_> = (0..255)
        .map(|n| {
            let vrid = u8::try_from(n + 1).expect("small");
            let block = instance(&format!("VI_{n}")).vrid(vrid).priority(200).every("0.01");
            block.vip(&format!("10.7.1.{vrid}/32"))
        })
        .collect();
    let daemon = a.start_program(program, &config_with(GLOBAL, &all));
    wait_held(&a, 255);
    pass(secs(1));
    let (begin, before, used) = (Instant::now(), sent(&a, "eth0"), cpu(&daemon));
    pass(secs(4));
    let adverts = sent(&a, "eth0") - before;
    let (span, used) = (seconds(begin), cpu(&daemon) - used);
    vec![adverts / (span * 25_500.0) * 100.0, used * 1_000.0 / adverts]
}

fn regularity(program: &Program) -> Vec<f64> {
    let (segments, [a, _]) = hosts(16);
    let daemon = a.start_program(program, &routers(16, 200, "0.01"));
    wait_held(&a, 16);
    pass(secs(1));
    let mut capture = segments[0].capture();
    let begin = Instant::now();
    while begin.elapsed() < secs(4) {
        let _ = capture.frames();
        pass(millis(5));
    }
    drop(daemon);
    let mut errors: Vec<f64> = (1..=16)
        .flat_map(|vrid| gaps(&capture.adverts_of(vrid)))
        .map(|gap| (gap.as_secs_f64() - 0.01).abs() * 1_000.0)
        .collect();
    errors.sort_by(f64::total_cmp);
    vec![errors[errors.len() * 99 / 100]]
}

fn thousand(program: &Program) -> Vec<f64> {
    let (_segments, [a, b]) = hosts(1_000);
    let begin = Instant::now();
    let mut master = a.start_program(program, &routers(1_000, 200, "0.1"));
    wait_held(&a, 1_000);
    let start = seconds(begin);
    let backup = b.start_program(program, &routers(1_000, 100, "0.1"));
    pass(secs(2));
    let (before, used) = ((0..4).map(|n| sent(&a, &format!("eth{n}"))).sum::<f64>(), cpu(&backup));
    pass(secs(3));
    let heard = (0..4).map(|n| sent(&a, &format!("eth{n}"))).sum::<f64>() - before;
    let each = (cpu(&backup) - used) * 1_000.0 / heard;
    let anonymous = memory(&master);
    drop(backup);
    let begin = Instant::now();
    master.stop();
    vec![start, anonymous, each, seconds(begin)]
}

fn reload(program: &Program) -> Vec<f64> {
    let (segments, [a, _]) = hosts(250);
    let daemon = a.start_program(program, &routers(250, 200, "1"));
    wait_held(&a, 250);
    pass(secs(7));
    let mut capture = segments[0].capture();
    let watch = |capture: &mut crate::lab::Capture, span: Duration| {
        let begin = Instant::now();
        while begin.elapsed() < span {
            let _ = capture.frames();
            pass(millis(5));
        }
    };
    watch(&mut capture, millis(1_500));
    let used = cpu(&daemon);
    daemon.signal(Signal::SIGHUP);
    watch(&mut capture, secs(3));
    let used = cpu(&daemon) - used;
    let longest = (1..=250).flat_map(|vrid| gaps(&capture.adverts_of(vrid))).max();
    vec![used, longest.unwrap_or_default().as_secs_f64() * 100.0]
}

fn small(program: &Program) -> Vec<f64> {
    let (_segments, [a, _]) = hosts(1);
    let daemon = a.start_program(program, &routers(1, 200, "1"));
    wait_held(&a, 1);
    pass(secs(2));
    let (anonymous, before) = (memory(&daemon), wakeups(&daemon));
    pass(secs(5));
    let woken = (wakeups(&daemon) - before) / 5.0;
    vec![anonymous, woken, storm(&a, &daemon)]
}

/// A thousand routes come and go.
fn storm(host: &Host, daemon: &Daemon) -> f64 {
    let lines = |verb: &str| {
        let line =
            |n: u32| format!("route {verb} 10.{}.{}.0/24 dev eth0\n", 100 + n / 250, n % 250);
        (0..1_000).map(line).collect::<String>()
    };
    let before = cpu(daemon);
    host.ip(&lines("add"));
    host.ip(&lines("del"));
    let mut last = cpu(daemon);
    // Until it has read what it wants to read.
    let _ = eventually(secs(5), || {
        pass(millis(200));
        let now = cpu(daemon);
        let is_calm = now - last < 0.5;
        last = now;
        is_calm
    });
    last - before
}

fn test_of_a_configuration(program: &Program) -> Vec<f64> {
    let folder = std::env::temp_dir().join(format!("keepalived-bench.{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a new folder");
    let path = folder.join("keepalived.conf");
    let all: Vec<_> = (0..5_000).map(|n| router(n, 100, "1").on("lo")).collect();
    std::fs::write(&path, config_with(GLOBAL, &all)).expect("the folder is ours");
    let begin = Instant::now();
    let _ = Command::new(&program.path)
        .args(["-t", "-l", "-f"])
        .arg(&path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the program starts");
    let span = seconds(begin);
    let _ = std::fs::remove_dir_all(folder);
    vec![span]
}
