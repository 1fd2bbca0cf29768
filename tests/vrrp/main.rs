//! Scenarios for the VRRP core. Every `NAME.scenario` in this directory lists timed inputs and,
//! after `>`, the expected decisions of the core.
//!
//! `UPDATE=1 cargo test --test vrrp` rewrites the decisions; review the difference.
//! `conf.rs` documents the syntax of configurations, `story.rs` that of inputs.

mod conf;
#[path = "../scenario/mod.rs"]
mod scenario;
mod story;
#[path = "../scenario/time.rs"]
mod time;

use libtest_mimic::Arguments;

fn main() {
    let trials = scenario::trials::<story::Story>("vrrp");
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
