//! Restarts by command of ours, with the reference as the backup that listens.

use crate::lab::{
    config, instance, kactl_says, ours_only, AddressMonitor, Outcome, Program, Segment,
};

const VIP: &str = "10.7.1.1";
/// The shortest one. The reference gives up after 36 ms without an advertisement.
const INTERVAL: &str = "0.01";
/// A busy host may suspend either daemon for longer than that.
const ATTEMPTS: usize = 6;
const RESTARTS: usize = 100;

pub(crate) fn the_reference_does_not_notice_a_hundred_restarts() -> Outcome {
    ours_only()?;
    let reference = Program::reference()?;
    let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let router = |priority| {
        let block = instance("VI_1").priority(priority).every(INTERVAL);
        config(&[block.vip(&format!("{VIP}/16"))])
    };
    let mut ours = a.start(&router(200));
    ours.wait_master("VI_1");
    let theirs = b.start_program(&reference, &router(100));
    theirs.wait_backup("VI_1");
    let mut here = AddressMonitor::once_held(&a, "eth0", &[VIP]);
    let is_calm = (0..ATTEMPTS).any(|_| {
        let (mark, mut capture) = (theirs.mark(), segment.capture());
        let mut there = AddressMonitor::new(&b);
        for n in 1..=RESTARTS {
            let said = kactl_says(&ours, &["restart"]);
            assert!(said.contains("has taken over"), "restart {n}: {said}");
        }
        let (adverts, changes) = (capture.adverts(), theirs.state_changes(mark));
        let gaps = adverts.windows(2).map(|pair| pair[1].at.saturating_sub(pair[0].at));
        let longest = gaps.max().unwrap_or_default();
        println!("{} advertisements, at most {longest:?} apart; {changes:?}", adverts.len());
        assert!(adverts.len() > RESTARTS, "the capture has {} advertisements", adverts.len());
        changes.is_empty() && there.events().is_empty()
    });
    assert!(is_calm, "each time, the reference became master");
    assert_eq!(here.events(), [], "addresses changed");
    let (mark, mut there) = (theirs.mark(), AddressMonitor::new(&b));
    // It was listening.
    assert!(ours.stop().success());
    theirs.wait_log_since(mark, "(VI_1) Entering MASTER STATE");
    assert!(!there.events().is_empty());
    Ok(())
}
