//! Routers without a kernel: what the cores decide, on a clock that jumps.

pub mod words;
