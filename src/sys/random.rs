//! Randomness from the kernel.

use std::path::Path;

use super::open;

/// A seed that cannot be foreseen; zero if the kernel gives none.
pub fn seed() -> u64 {
    let bytes = open::kernel_read_head(Path::new("/dev/urandom"), 8).ok();
    bytes.and_then(|b| b.first_chunk().copied()).map_or(0, u64::from_ne_bytes)
}
