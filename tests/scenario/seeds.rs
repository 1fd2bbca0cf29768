//! Tests of many seeds. `SEEDS=N` runs the first N, `SEEDS=A..B` those from A to below B.

use std::ops::Range;

use libtest_mimic::{Failed, Trial};

/// Tests of `chunk` seeds each, so that several run in parallel; of `usual` seeds without `SEEDS`.
pub(crate) fn trials(
    what: &str,
    usual: u64,
    chunk: u64,
    run: fn(Range<u64>) -> Result<(), Failed>,
) -> Vec<Trial> {
    let mut seeds = seeds(usual).expect("SEEDS is a number or two with .. between");
    let mut trials = Vec::new();
    while !seeds.is_empty() {
        let these = seeds.start..seeds.end.min(seeds.start + chunk);
        seeds.start = these.end;
        let name = format!("{what} {} to {}", these.start, these.end - 1);
        trials.push(Trial::test(name, move || run(these)));
    }
    trials
}

fn seeds(usual: u64) -> Option<Range<u64>> {
    let Ok(text) = std::env::var("SEEDS") else { return Some(0..usual) };
    match text.split_once("..") {
        Some((from, to)) => Some(from.parse().ok()?..to.parse().ok()?),
        None => Some(0..text.parse().ok()?),
    }
}
