//! The BFD core: scenarios, and pairs of simulated neighbours.
//!
//! Every `NAME.scenario` in this directory lists timed inputs and, after `>`, the expected decisions
//! of the core. `UPDATE=1 cargo test --test bfd` rewrites the decisions; review the difference.
//! `story.rs` documents the syntax.
//!
//! `SEEDS=A..B cargo test --test bfd pairs` simulates other pairs than usual.

mod pair;
#[path = "../scenario/mod.rs"]
mod scenario;
#[path = "../scenario/seeds.rs"]
mod seeds;
mod story;
#[path = "../scenario/time.rs"]
mod time;

use libtest_mimic::Arguments;

const PAIRS: u64 = 400;
/// Pairs per test.
const CHUNK: u64 = 50;

fn main() {
    let mut trials = scenario::trials::<story::Story>("bfd");
    trials.extend(seeds::trials("pairs", PAIRS, CHUNK, |mut seeds| seeds.try_for_each(pair::run)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
