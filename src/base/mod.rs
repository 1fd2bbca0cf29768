//! Words that every module may use. No input or output, no clock.

pub mod addr;
pub mod deadlines;
pub mod diag;
pub mod errno;
pub mod ids;
pub mod pattern;
pub mod piece;
pub mod ratelimit;
pub mod rng;
pub mod tally;
pub mod time;
pub mod tracked;
pub mod verdict;
