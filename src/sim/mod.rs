//! Simulated routers without a kernel: the cores of the daemon, on segments that lose, delay,
//! duplicate and partition, with a clock that jumps from event to event. A run is determined by its
//! seed.
//!
//! Simulated: sockets of limited size, daemons that stall and crash, links that fail. Not
//! simulated: time spent in the kernel, and unrelated traffic.

mod network;
mod router;
mod segment;
pub mod words;

pub use crate::base::rng::Rng;
pub use network::{Network, Turn};
pub use router::{Life, Router};
pub use segment::Segment;
