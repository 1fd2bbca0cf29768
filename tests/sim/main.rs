//! Simulation of several routers: thousands of fault schedules, each generated from a seed, with
//! the invariants of `watch.rs` checked after every step.
//!
//! `SEEDS=N` runs the first N schedules, `SEEDS=A..B` those from A to below B. A failed schedule is
//! reported with the last lines of its trace; `SEEDS=A..A+1` replays it, `TRACE=1` shows all of it.

#[path = "../vrrp/conf.rs"]
#[expect(dead_code, reason = "shared with the scenarios, which need more of it")]
mod conf;
#[path = "../scenario/seeds.rs"]
mod seeds;
mod trouble;
mod watch;
mod world;

use std::ops::Range;

use libtest_mimic::{Arguments, Failed};
use world::World;

const SCHEDULES: u64 = 10_000;
/// Schedules per test.
const CHUNK: u64 = 250;
/// One in this many schedules is run twice.
const TWICE: u64 = 20;
/// Number of trace lines shown.
const SHOWN: usize = 120;

fn main() {
    let trials = seeds::trials("schedules", SCHEDULES, CHUNK, run);
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn run(seeds: Range<u64>) -> Result<(), Failed> {
    for seed in seeds {
        let traced = std::env::var_os("TRACE").is_some();
        let twice = seed % TWICE == 0;
        let first = attempt(seed, traced || twice)?;
        if traced {
            eprintln!("{}", first.join("\n"));
        }
        if twice && attempt(seed, true)? != first {
            return Err(format!("schedule {seed} went another way the second time").into());
        }
    }
    Ok(())
}

/// Runs one schedule; returns its trace, if requested.
fn attempt(seed: u64, traced: bool) -> Result<Vec<String>, Failed> {
    let mut world = World::new(seed, traced);
    let result = world.run();
    let why = match result {
        Ok(()) => return Ok(world.trace),
        Err(why) if !traced => {
            // Run again to get the trace.
            let mut again = World::new(seed, true);
            let _ = again.run();
            world.trace = again.trace;
            why
        }
        Err(why) => why,
    };
    let skipped = world.trace.len().saturating_sub(SHOWN);
    let head = world.describe();
    let tail = world.trace[skipped..].join("\n");
    let next = seed + 1;
    Err(format!(
        "schedule {seed}: {why}\nSEEDS={seed}..{next} TRACE=1 cargo test --test sim\n\n{head}\n({skipped} lines)\n{tail}\n\n{why}"
    )
    .into())
}
