//! Randomness from the kernel.

use std::fs::File;
use std::io::Read;

/// A seed nobody can foresee; zero if the kernel gives none.
pub fn seed() -> u64 {
    let mut bytes = [0; 8];
    let read = File::open("/dev/urandom").and_then(|mut f| f.read_exact(&mut bytes));
    if read.is_err() {
        return 0;
    }
    u64::from_ne_bytes(bytes)
}
