//! Thin adapters over system calls. No policy: whoever calls decides.

pub mod filter;
pub mod netlink;
pub mod poll;
