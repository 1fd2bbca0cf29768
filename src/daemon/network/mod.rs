//! Packets, interfaces, addresses: VRRP on the wire, and the kernel.

pub(super) mod announcer;
pub(super) mod endpoints;
pub(super) mod execute;
