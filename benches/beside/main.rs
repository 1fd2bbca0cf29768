//! This program beside keepalived, in the same run: `make bench`.
//!
//! `BENCH_OURS` (the release build) and `BENCH_THEIRS` (keepalived from PATH) name the programs;
//! `BENCH_RUNS` says how often each measurement is made with each of them, in turn (3). The results go
//! to `bench/RESULTS.md`. A word on the command line selects measurements by their names.
#![expect(clippy::disallowed_methods, reason = "a benchmark waits, runs programs, reads clocks")]

#[path = "../../tests/lab/mod.rs"]
mod lab;

mod measures;
mod usage;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use lab::{pass, Program};
use measures::{Measure, ALL};

fn main() -> ExitCode {
    let filter = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let ours = program("BENCH_OURS", true, "target/release/keepalived");
    let theirs = program("BENCH_THEIRS", false, "/usr/sbin/keepalived");
    let runs = std::env::var("BENCH_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let mut text = notes(&ours, &theirs, runs);
    for measure in ALL {
        if filter.as_ref().is_some_and(|filter| !measure.name.contains(filter.as_str())) {
            continue;
        }
        eprintln!("{}", measure.name);
        let (mut own, mut other) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            own.push((measure.take)(&ours));
            other.push((measure.take)(&theirs));
        }
        for (n, figure) in measure.figures.iter().enumerate() {
            let [theirs, ours] = [&other, &own].map(|all| spread(all.iter().map(|row| row[n])));
            let _ = writeln!(text, "| {} | {figure} | {theirs} | {ours} |", measure.name);
        }
    }
    if filter.is_none() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/RESULTS.md");
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("the tree is writable");
        std::fs::write(&path, &text).expect("the tree is writable");
    }
    println!("{text}");
    ExitCode::SUCCESS
}

fn program(variable: &str, ours: bool, usual: &str) -> Program {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join(usual);
    let path = std::env::var_os(variable).map_or(usual, PathBuf::from);
    assert!(path.exists(), "{} is missing: build it, or set {variable}", path.display());
    Program { path, ours }
}

/// The median, and the range if there is any.
fn spread(values: impl Iterator<Item = f64>) -> String {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (first, last) = (values[0], values[values.len() - 1]);
    let [median, first, last] = [values[values.len() / 2], first, last].map(short);
    if first == last {
        median
    } else {
        format!("{median} ({first} to {last})")
    }
}

/// Three digits.
fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        magnitude if magnitude >= 100.0 => format!("{value:.0}"),
        magnitude if magnitude >= 10.0 => format!("{value:.1}"),
        magnitude if magnitude >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// What the figures depend on, and the head of the table.
fn notes(ours: &Program, theirs: &Program, runs: u32) -> String {
    let first = |program: &Program| {
        let version = program.version();
        let line = version.lines().find(|line| line.contains(" v")).unwrap_or_default();
        line.trim().to_owned()
    };
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("");
    let cores = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    let [kernel, day] = [("uname", "-r"), ("date", "-I")].map(|(program, word)| {
        let output = Command::new(program).arg(word).output().expect("it is there");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    });
    let [median, worst] = lateness();
    let own = ours.version();
    let own = own.lines().find(|line| line.contains("in Rust")).unwrap_or_default().trim();
    format!(
        "# Beside keepalived\n\n\
         Made by `make bench`. Median of {runs} runs of each program, in turn; the range is in \
         parentheses. The figures of a busy or a virtual machine are good for ratios only.\n\n\
         * {}\n* {own}\n* {cores} processors, {}; Linux {kernel}; {day}\n\
         * a sleeping process was woken {median} ms late in the median, {worst} ms at worst\n\n\
         | | | keepalived | this program |\n| --- | --- | --- | --- |\n",
        first(theirs),
        model.trim_start_matches(['\t', ' ', ':']),
    )
}

/// How late a process is woken that sleeps for 1 ms, in ms.
fn lateness() -> [String; 2] {
    let late = (0..500).map(|_| {
        let begin = Instant::now();
        pass(Duration::from_millis(1));
        begin.elapsed().as_secs_f64() * 1_000.0 - 1.0
    });
    let mut late: Vec<f64> = late.collect();
    late.sort_by(f64::total_cmp);
    [late[250], late[499]].map(short)
}

impl Measure {
    /// With these figures.
    const fn new(
        name: &'static str,
        figures: &'static [&'static str],
        take: fn(&Program) -> Vec<f64>,
    ) -> Self {
        Self { name, figures, take }
    }
}
