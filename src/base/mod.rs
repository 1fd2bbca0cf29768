//! Basic types shared by every module. No I/O, no clock.

pub mod absences;
pub mod addr;
pub mod appointment;
pub mod batches;
pub mod deadlines;
pub mod diag;
pub mod errno;
pub mod histogram;
pub mod hold;
pub mod ids;
pub mod link;
pub mod name;
pub mod pattern;
pub mod piece;
pub mod ratelimit;
pub mod recalled;
pub mod rng;
pub mod route;
pub mod rule;
pub mod seldom;
pub mod shield;
pub mod sorted;
pub mod tally;
pub mod time;
pub mod tracked;
pub mod verdict;
