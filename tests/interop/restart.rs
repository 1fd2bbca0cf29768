//! Restarts by command of ours, with the reference as the backup that listens.

use crate::lab::{
    config, instance, ours_only, restarts_unnoticed, AddressMonitor, Outcome, Program, Segment,
};

const VIP: &str = "10.7.1.1";
/// The shortest one. The reference gives up after 36 ms without an advertisement.
const INTERVAL: &str = "0.01";

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
    let is_calm = restarts_unnoticed(&segment, &ours, (&b, &theirs));
    assert!(is_calm, "each time, the reference became master");
    assert_eq!(here.events(), [], "addresses changed");
    let (mark, mut there) = (theirs.mark(), AddressMonitor::new(&b));
    // It was listening.
    assert!(ours.stop().success());
    theirs.wait_log_since(mark, "(VI_1) Entering MASTER STATE");
    assert!(!there.events().is_empty());
    Ok(())
}
