//! Network namespaces by name, as `ip netns` keeps them.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use nix::sched::{setns, CloneFlags};

use super::open;

/// Where `ip netns` mounts them.
const DIRECTORY: &str = "/run/netns";

/// The file of a namespace.
///
/// # Errors
/// The name would lead elsewhere.
pub fn path(name: &str) -> io::Result<PathBuf> {
    if name.is_empty() || name.contains(['/', '\0']) || name == "." || name == ".." {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not the name of a namespace"));
    }
    Ok(Path::new(DIRECTORY).join(name))
}

/// The namespace this process is in.
///
/// # Errors
/// `/proc` is not there.
pub fn home() -> io::Result<File> {
    Ok(open::handle(Path::new("/proc/thread-self/ns/net"))?)
}

/// Moves the process into an open namespace. Sockets made before stay where they are.
///
/// # Errors
/// The process may not enter it.
pub fn go(to: &File) -> io::Result<()> {
    Ok(setns(to, CloneFlags::CLONE_NEWNET)?)
}

/// Does something inside another network namespace, and comes back.
///
/// Sockets made there stay there.
///
/// # Errors
/// There is no such namespace, the process may not enter it, or it could not come back: then it is
/// not where it was, and has to end.
pub fn within<T>(path: &Path, work: impl FnOnce() -> T) -> io::Result<T> {
    let home = home()?;
    let there = open::handle(path)?;
    setns(there, CloneFlags::CLONE_NEWNET)?;
    let result = work();
    setns(home, CloneFlags::CLONE_NEWNET)?;
    Ok(result)
}

/// Moves the process into a network namespace. Sockets made before stay where they are.
///
/// # Errors
/// There is no such namespace, or the process may not enter it.
pub fn enter(name: &str) -> io::Result<()> {
    let file = open::handle(&path(name)?)?;
    Ok(setns(file, CloneFlags::CLONE_NEWNET)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_in_its_directory() {
        assert_eq!(path("blue").expect("a name"), Path::new("/run/netns/blue"));
        for bad in ["", ".", "..", "../x", "a/b", "a\0"] {
            assert!(path(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_missing_namespace_is_an_error() {
        let e = enter(&format!("none-{}", std::process::id())).expect_err("is missing");
        assert_eq!(e.kind(), io::ErrorKind::NotFound);
    }
}
