//! Whole daemons in network namespaces, against the real kernel.
//!
//! `KEEPALIVED=/usr/sbin/keepalived cargo test --test netns` runs the same tests with another
//! program, without those that only ours promises to pass.

#[path = "netns/failover.rs"]
mod failover;
#[path = "lab/mod.rs"]
mod lab;

use std::process::ExitCode;

/// A list of tests by their paths.
macro_rules! tests {
    ($($path:path),+ $(,)?) => { vec![$(lab::test(stringify!($path), $path)),+] };
}

fn main() -> ExitCode {
    lab::main(tests![
        failover::a_killed_master_is_replaced_after_the_down_time,
        failover::a_stopped_master_is_replaced_after_the_skew_time,
    ])
}
