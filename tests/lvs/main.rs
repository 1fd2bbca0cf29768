//! Scenarios for the virtual server core. Every `NAME.scenario` in this directory lists timed
//! inputs and, after `>`, the expected decisions of the core.
//!
//! `UPDATE=1 cargo test --test lvs` rewrites the decisions; review the difference.
//! `conf.rs` documents the syntax of virtual servers, `story.rs` that of inputs.

mod conf;
#[path = "../scenario/mod.rs"]
mod scenario;
mod story;
mod words;

use libtest_mimic::Arguments;

fn main() {
    let trials = scenario::trials::<story::Story>("lvs");
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
