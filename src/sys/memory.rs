//! Memory that the daemon no longer needs goes back to the system.
//!
//! Only the allocator of glibc needs help; that of musl does so by itself.

/// Blocks of this size and more are mapped one by one, and unmapped when they are freed. Left to
/// itself, glibc raises the limit to the size of the largest block freed so far, as after a large
/// configuration; from then on, each table that grows leaves its former places behind as holes.
#[cfg(target_env = "gnu")]
const MAPPED: libc::c_int = 128 << 10;

/// For the start of the process.
pub fn set_up() {
    #[cfg(target_env = "gnu")]
    // SAFETY: numbers only; no other thread allocates.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED);
    }
}

/// Returns free pages. It takes some milliseconds with thousands of instances.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: a number; it touches free memory alone.
    unsafe {
        libc::malloc_trim(0);
    }
}
