//! A word that a child can pass to its parent although they do not share their memory.

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU32;

/// Memory that stays shared across a fork. Freed here when dropped; the child's view ends with it.
#[derive(Debug)]
pub(super) struct SharedWord(NonNull<AtomicU32>);

impl SharedWord {
    /// Zero.
    pub(super) fn new() -> io::Result<Self> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping, at an address of the kernel's choice.
        let page = unsafe {
            libc::mmap(std::ptr::null_mut(), size_of::<AtomicU32>(), protection, flags, -1, 0)
        };
        if page == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        NonNull::new(page.cast()).map(Self).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
    }

    pub(super) const fn word(&self) -> &AtomicU32 {
        // SAFETY: the mapping is as large, aligned to a page, zero at first and lives as long as we
        // do. Zeros are a valid word.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for SharedWord {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and no reference outlives us.
        unsafe { libc::munmap(self.0.as_ptr().cast(), size_of::<AtomicU32>()) };
    }
}
