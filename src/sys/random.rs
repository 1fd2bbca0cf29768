//! Randomness from the kernel.

use std::io;
use std::path::Path;

use super::open;

/// A seed that cannot be foreseen; zero if the kernel gives none.
pub fn seed() -> u64 {
    let bytes = open::kernel_read_head(Path::new("/dev/urandom"), 8).ok();
    bytes.and_then(|b| b.first_chunk().copied()).map_or(0, u64::from_ne_bytes)
}

/// Bytes that cannot be foreseen.
///
/// # Errors
/// There is no `/dev/urandom`.
pub fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let bytes = open::kernel_read_head(Path::new("/dev/urandom"), N as u64)?;
    bytes.first_chunk().copied().ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}
