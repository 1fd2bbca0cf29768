//! Bytes ↔ values of everything that travels. No input or output, no policy.
//!
//! Each protocol has a *view*, which borrows the bytes and whose `parse` proves that no accessor
//! can fail, and a small *value* with `emit`. Nothing in here panics, whatever the bytes are.

pub mod arp;
pub mod checksum;
pub mod dns;
pub mod ether;
pub mod http;
pub mod icmp;
pub mod ip;
pub mod ndisc;
pub mod netlink;
pub mod smtp;
pub mod vrrp;

/// Too few bytes, or bytes that contradict each other.
///
/// Carries nothing on purpose: who drops the packet knows where it came from and counts it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("malformed packet")
    }
}

impl std::error::Error for Malformed {}
