//! Parsing and emitting of all wire formats. No I/O, no policy.
//!
//! Each protocol has a *view*, which borrows the bytes and whose `parse` ensures that no accessor
//! can fail, and a small *value* with `emit`. Nothing in here panics on any input.

pub mod ah;
pub mod arp;
pub mod bfd;
pub mod checksum;
pub mod dns;
pub mod ether;
pub mod http;
pub mod icmp;
pub mod ip;
pub mod ndisc;
pub mod netlink;
pub mod smtp;
pub mod statefile;
pub mod vrrp;

/// Truncated or inconsistent data.
///
/// Has no details on purpose: the caller that drops the packet knows its source and counts it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("malformed packet")
    }
}

impl std::error::Error for Malformed {}
