//! The advertised addresses of a virtual router, for comparing them with those of a packet.
//!
//! Routers need not list them in the same order, and a hostile neighbour can send 255 of them as
//! fast as it likes: comparing must cost no more than reading them once.

use std::net::IpAddr;

use crate::base::sorted::SortedSet;
use crate::model::vrrp::Instance;

/// How many there are, and a digest that does not depend on their order. Computed when the
/// configuration changes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct AddressSet {
    pub(super) count: usize,
    digest: u64,
}

impl AddressSet {
    pub fn of(config: &Instance) -> Self {
        Self { count: config.addresses.len(), digest: digest(ours(config)) }
    }

    /// The same addresses, in whatever order, as far as a digest goes: one made to fit would
    /// spare its maker a remark in the log, and change nothing else.
    pub(super) fn is(&self, theirs: impl Iterator<Item = IpAddr>) -> bool {
        self.digest == digest(theirs)
    }
}

/// The first of ours that is not among theirs. For the few packets that are logged.
pub(super) fn missing(config: &Instance, theirs: impl Iterator<Item = IpAddr>) -> Option<IpAddr> {
    let theirs: SortedSet<_> = theirs.inspect(|_| work::count()).collect();
    ours(config).inspect(|_| work::count()).find(|a| !theirs.contains(a))
}

fn ours(config: &Instance) -> impl Iterator<Item = IpAddr> + '_ {
    config.addresses.iter().map(|a| a.prefix.addr)
}

/// A sum, so that the order is of no account and one address twice is not two addresses.
fn digest(addresses: impl Iterator<Item = IpAddr>) -> u64 {
    addresses.inspect(|_| work::count()).fold(0, |sum, a| sum.wrapping_add(scrambled(a)))
}

fn scrambled(addr: IpAddr) -> u64 {
    match addr {
        IpAddr::V4(a) => mix(u64::from(u32::from(a))),
        IpAddr::V6(a) => {
            let bits = u128::from(a);
            // Both halves, each in full.
            mix(mix((bits >> 64) as u64) ^ bits as u64)
        }
    }
}

/// The finalizer of splitmix64: every bit of the input matters to every bit of the output.
const fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ n >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ n >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ n >> 31
}

/// Addresses looked at, for tests: work does not depend on the machine as time does.
#[cfg(test)]
pub(in crate::vrrp) mod work {
    use std::cell::Cell;

    thread_local!(static VISITS: Cell<u64> = const { Cell::new(0) });

    pub(in crate::vrrp) fn count() {
        VISITS.set(VISITS.get() + 1);
    }

    pub(in crate::vrrp) fn take() -> u64 {
        VISITS.take()
    }
}

#[cfg(not(test))]
mod work {
    pub(super) const fn count() {}
}
