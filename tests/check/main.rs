//! Scenarios for the check pool. Every `NAME.scenario` in this directory lists timed inputs and,
//! after `>`, the expected decisions of the core.
//!
//! `UPDATE=1 cargo test --test check` rewrites the decisions; review the difference.
//! `story.rs` documents the syntax of checks and inputs.

#[path = "../scenario/mod.rs"]
mod scenario;
mod story;
#[path = "../scenario/time.rs"]
mod time;

use libtest_mimic::Arguments;

fn main() {
    let trials = scenario::trials::<story::Story>("check");
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
