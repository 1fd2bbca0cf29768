//! keepalived in Rust: VRRP and health-checked IPVS in one process with one thread.

pub mod base;
pub mod cli;
pub mod config;
pub mod holdings;
pub mod model;
pub mod sys;
pub mod vrrp;
pub mod wire;
