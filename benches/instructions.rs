//! Instructions that the hot paths execute, counted by valgrind, so that a slow machine counts as
//! many as a fast one.
//!
//! `cargo bench --bench instructions` compares each count with the recorded one in
//! `benches/instructions.txt` and fails if it is more than 5 % above. `UPDATE=1` records the counts.
//! A path runs in a process of its own, a few times and many times: the difference is without its
//! preparation. Counts of another compiler are shown, but not compared.
//!
//! Not made with iai-callgrind: it needs a second program of the same version, and keeps its records
//! outside of the tree.
#![expect(clippy::disallowed_methods, reason = "a benchmark runs programs and reads files")]

#[path = "instructions/paths.rs"]
mod paths;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{exit, Command};

const RECORD: &str = "benches/instructions.txt";
/// A count may be above the recorded one by so many percent.
const SLACK: u64 = 5;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [word, name, times] = words.as_slice() {
        if word == "--path" {
            let path = paths::ALL.iter().find(|path| path.name == name).expect("a path");
            (path.run)(times.parse().expect("a number"));
            return;
        }
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        assert!(std::env::var_os("REQUIRE_ALL").is_none(), "valgrind is missing");
        println!("instructions: skipped, for valgrind is missing");
        return;
    }
    let filter = words.iter().find(|word| !word.starts_with('-'));
    let counts = paths::ALL
        .iter()
        .filter(|path| filter.is_none_or(|filter| path.name.contains(filter.as_str())))
        .map(|path| (path.name, per_run(path)))
        .collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(root.join(RECORD), record(&counts)).expect("the record can be written");
    }
    let record = std::fs::read_to_string(root.join(RECORD)).unwrap_or_default();
    if !is_within(&counts, &record) {
        println!(
            "\nA path executes over {SLACK} % more instructions than recorded. If that is the price of \
             something, record it with UPDATE=1 and say so in the commit."
        );
        exit(1);
    }
}

/// Instructions of one run.
fn per_run(path: &paths::Path) -> u64 {
    let [few, many] = [path.times, 5 * path.times].map(|times| instructions(path.name, times));
    (many - few) / (4 * u64::from(path.times))
}

fn instructions(name: &str, times: u32) -> u64 {
    let program = std::env::current_exe().expect("a program has a path");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["--path", name, &times.to_string()])
        .output()
        .expect("valgrind runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {text}");
    let line = text.lines().find_map(|line| line.split("Collected : ").nth(1));
    let count = line.and_then(|count| count.trim().parse().ok());
    count.unwrap_or_else(|| panic!("{name}: valgrind says {text}"))
}

fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output().expect("rustc runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn record(counts: &BTreeMap<&str, u64>) -> String {
    let mut text = format!("compiler: {}\n", compiler());
    for (name, count) in counts {
        let _ = writeln!(text, "{name}: {count}");
    }
    text
}

/// Shows the counts beside the recorded ones.
fn is_within(counts: &BTreeMap<&str, u64>, record: &str) -> bool {
    let recorded: BTreeMap<&str, &str> =
        record.lines().filter_map(|line| line.split_once(": ")).collect();
    let is_same = recorded.get("compiler").is_some_and(|name| **name == compiler());
    if !is_same {
        println!("recorded with another compiler, so these counts are not compared:");
    }
    let mut is_within = true;
    for (name, count) in counts {
        let before: Option<u64> = recorded.get(name).and_then(|count| count.parse().ok());
        let Some(before) = before else {
            println!("{name:28} {count:>10}   not recorded");
            is_within &= !is_same;
            continue;
        };
        let change = 100.0 * (*count as f64 / before as f64 - 1.0);
        println!("{name:28} {count:>10}   recorded {before:>10}   {change:+.1} %");
        is_within &= !is_same || *count * 100 <= before * (100 + SLACK);
    }
    is_within
}
