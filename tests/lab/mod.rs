//! A network laboratory: hosts in network namespaces, daemons in them, captures, injected frames.
//!
//! Namespaces are anonymous: they exist only while the test holds them, so nothing is left behind
//! even if the test crashes. Needs root or user namespaces; a test with a missing prerequisite is
//! reported as skipped, and fails if `REQUIRE_ALL=1` is set.
#![allow(dead_code, unused_imports, reason = "each of the test programs uses its own part")]
#![expect(clippy::disallowed_methods, reason = "tests wait, run programs and read the clock")]

mod capture;
mod client;
mod conf;
mod daemon;
pub(crate) mod dumps;
mod fakeipvs;
mod frames;
mod guest;
pub(crate) mod http;
mod inject;
mod kactl;
mod monitor;
mod namespace;
mod restarts;
mod ruleset;
mod runner;
mod runs;
mod segment;
mod workshop;

use std::time::{Duration, Instant, SystemTime};

pub(crate) use capture::{Capture, Frame};
pub(crate) use client::{neighbour, pings, NeighbourWatch, Pinger};
pub(crate) use conf::{config, config_with, instance, Instance};
pub(crate) use daemon::{Daemon, Program};
pub(crate) use fakeipvs::with_fake_ipvs;
pub(crate) use frames::{gaps, Advert, Announcement};
pub(crate) use guest::{say, Guest, Part};
pub(crate) use inject::{Flooded, FrameBuilder, Injector};
pub(crate) use kactl::{kactl, kactl_says, socket};
pub(crate) use monitor::{AddressEvent, AddressMonitor, FibMonitor};
pub(crate) use namespace::Namespace;
pub(crate) use restarts::{restart, restarts_unnoticed};
pub(crate) use ruleset::ruleset_lines;
pub(crate) use runner::{
    main, ours_only, require_macvlan, require_program, test, test_alone, Outcome, Skip,
};
pub(crate) use runs::Runs;
pub(crate) use segment::{Host, Segment};
pub(crate) use workshop::Workshop;

/// Timeout for an expected event, on a machine that is busy with other tests.
pub(crate) const SOON: Duration = Duration::from_secs(10);

pub(crate) const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub(crate) const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Time since 1970, by the clock of the kernel's time stamps.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock is past 1970")
}

/// Lets time pass, for tests that verify that nothing happens meanwhile.
pub(crate) fn pass(time: Duration) {
    std::thread::sleep(time);
}

/// Waits until `condition` holds; false if it did not within `limit`.
pub(crate) fn eventually(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(millis(5));
    }
}

/// Waits until `condition` holds; fails the test if it does not within `limit`.
#[track_caller]
pub(crate) fn wait(what: &str, limit: Duration, condition: impl FnMut() -> bool) {
    assert!(eventually(limit, condition), "not within {limit:?}: {what}");
}

/// Verifies that `condition` keeps holding.
#[track_caller]
pub(crate) fn stays(what: &str, time: Duration, mut condition: impl FnMut() -> bool) {
    assert!(!eventually(time, || !condition()), "no longer: {what}");
}

/// Runs a program to completion: exit code and output.
pub(crate) fn output_of(command: &mut std::process::Command) -> (Option<i32>, String) {
    let done = command.output().unwrap_or_else(|e| panic!("cannot run {command:?}: {e}"));
    let said = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8_lossy(&said).into_owned())
}
