//! Many restarts by command, with a backup that listens.

use super::{kactl_says, AddressMonitor, Daemon, Host, Segment};

/// Restarts it, and waits until it is in order again.
#[track_caller]
pub(crate) fn restart(daemon: &Daemon) {
    let said = kactl_says(daemon, &["restart"]);
    assert!(said.contains("has taken over"), "{said}");
}

/// True if a backup on another host noticed none of a hundred restarts of the master. There are six
/// attempts: a busy host may suspend either daemon for longer than the backup waits for an
/// advertisement.
pub(crate) fn restarts_unnoticed(
    segment: &Segment,
    master: &Daemon,
    (host, backup): (&Host, &Daemon),
) -> bool {
    (0..6).any(|_| {
        let (mark, mut capture) = (backup.mark(), segment.capture());
        let mut addresses = AddressMonitor::new(host);
        (0..100).for_each(|_| restart(master));
        let (adverts, changes) = (capture.adverts(), backup.state_changes(mark));
        let gaps = adverts.windows(2).map(|pair| pair[1].at.saturating_sub(pair[0].at));
        let longest = gaps.max().unwrap_or_default();
        println!("{} advertisements, at most {longest:?} apart; {changes:?}", adverts.len());
        assert!(adverts.len() > 100, "the capture has {} advertisements", adverts.len());
        changes.is_empty() && addresses.events().is_empty()
    })
}
