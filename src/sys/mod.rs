//! Thin adapters over system calls. No policy: the caller decides.

mod batch;
pub mod bfd;
pub mod capability;
pub mod children;
pub mod clock;
mod cmsg;
pub mod confine;
pub mod control;
pub mod datagram;
pub mod dumpfile;
pub mod fifo;
pub mod files;
pub mod filter;
mod genl;
pub mod inotify;
pub mod ipvs;
mod legacy;
pub mod linkpoll;
pub mod log;
pub mod lookup;
pub mod memory;
mod mmsg;
pub mod netlink;
pub mod netns;
pub mod nft;
pub mod open;
pub mod originals;
pub mod packet;
pub mod pidfile;
mod pipeline;
pub mod poll;
pub mod process;
pub mod procevent;
pub mod procscan;
pub mod random;
pub mod raw;
pub mod rescue;
pub mod sched;
pub mod scriptfacts;
pub mod signals;
pub mod statefile;
pub mod stream;
pub mod supervise;
pub mod sysctl;
pub mod systemd;
pub mod takeover;
pub mod users;
mod via;
pub mod web;

use std::io;
use std::os::fd::OwnedFd;

use nix::fcntl::OFlag;

pub use crate::base::errno::reason;

/// The outcome of a system call that reports failure as -1.
fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// A pipe: the end to read from, the end to write to. Closed on exec.
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(nix::unistd::pipe2(OFlag::O_CLOEXEC)?)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use std::time::Duration;

    use super::clock::Clock;
    use crate::base::time::Instant;

    /// Waiting for children covers the whole process, so only one test may do it at a time.
    pub(crate) fn alone_with_children() -> MutexGuard<'static, ()> {
        static ONE: Mutex<()> = Mutex::new(());
        ONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Polls until there is a result, with a deadline.
    pub(crate) fn wait<T>(mut look: impl FnMut() -> Option<T>) -> T {
        let clock = Clock::new();
        while clock.now().since(Instant::ZERO) < Duration::from_secs(20) {
            if let Some(found) = look() {
                return found;
            }
            #[expect(clippy::disallowed_methods, reason = "between two looks; the limit is above")]
            std::thread::sleep(Duration::from_millis(2));
        }
        panic!("waited in vain");
    }

    /// A directory for one test, removed with it.
    pub(crate) struct TempDir(PathBuf);

    impl TempDir {
        pub(crate) fn new(name: &str) -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let n = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir()
                .join(format!("keepalived-test-{}-{n}-{name}", std::process::id()));
            std::fs::create_dir(&path).expect("a fresh directory");
            Self(path)
        }

        pub(crate) fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for TempDir {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
