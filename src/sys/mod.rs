//! Thin adapters over system calls. No policy: whoever calls decides.

mod cmsg;
pub mod filter;
mod mmsg;
pub mod netlink;
pub mod packet;
pub mod poll;
pub mod raw;
