//! Failover by command to the reference.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::lab::{
    config, instance, ours_only, output_of, wait, Daemon, Instance, Outcome, Program, Segment, SOON,
};

#[track_caller]
fn ok(daemon: &Daemon, words: &[&str]) -> String {
    let mut command = Command::new(&Program::under_test().path);
    command.arg0("kactl").arg("--socket").arg(daemon.file("main.sock")).args(words);
    let (status, text) = output_of(&mut command);
    assert_eq!(status, Some(0), "kactl {words:?}: {text}");
    text
}

/// Ours has the higher priority, hands over, and comes back.
fn there_and_back(ours: &Instance, theirs: &Instance) -> Outcome {
    ours_only()?;
    let reference = Program::reference()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let theirs = b.start_program(&reference, &config(&[theirs.clone().priority(100)]));
    theirs.wait_master("VI_1");
    let ours = a.start(&config(&[ours.clone().priority(200)]));
    ours.wait_master("VI_1");
    wait("the reference has yielded", SOON, || !b.holds("eth0", "10.7.1.1"));
    let mark = theirs.mark();
    let text = ok(&ours, &["failover", "VI_1", "--for", "1h"]);
    assert!(text.contains(" took over with priority 100 after "), "{text}");
    theirs.wait_log_since(mark, "(VI_1) Entering MASTER STATE");
    wait("the address moves", SOON, || b.holds("eth0", "10.7.1.1") && !a.holds("eth0", "10.7.1.1"));
    ok(&ours, &["failover", "VI_1", "end"]);
    wait("the address comes back", SOON, || {
        a.holds("eth0", "10.7.1.1") && !b.holds("eth0", "10.7.1.1")
    });
    Ok(())
}

fn router() -> Instance {
    instance("VI_1").vip("10.7.1.1/16")
}

pub(crate) fn the_reference_takes_over_by_priority() -> Outcome {
    there_and_back(&router(), &router())
}

pub(crate) fn the_reference_takes_over_by_priority_in_version_2() -> Outcome {
    there_and_back(&router().v2_pass("tellno1"), &router().v2_pass("tellno1"))
}

pub(crate) fn the_reference_takes_over_after_a_goodbye() -> Outcome {
    there_and_back(&router(), &router().line("nopreempt"))
}
