//! The live servers of a virtual server against its quorum.

use std::fmt;

/// What a quorum is decided on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tally {
    pub quorum: u32,
    pub hysteresis: u32,
    /// What the weight was compared with.
    pub threshold: u64,
    /// Of the live servers together.
    pub weight: u64,
    /// How many servers are live, and how many there are.
    pub live: usize,
    pub servers: usize,
}

/// `1 of 2 up`
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} up", self.live, self.servers)
    }
}
