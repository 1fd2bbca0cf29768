//! Routers without a kernel: the same cores as the daemon's, on segments that lose, delay, double
//! and part, with a clock that jumps from event to event. Everything follows from the seed.
//!
//! What is simulated: sockets of limited size, daemons that sleep and crash, links that fail. What
//! is not: time that the kernel takes, and packets of anybody else.

mod network;
mod router;
mod segment;
pub mod words;

pub use crate::base::rng::Rng;
pub use network::{Network, Turn};
pub use router::{Life, Router};
pub use segment::Segment;
