//! Real files for the configuration reader.

use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::open::{self, Unfit};
use crate::config::{Loader, Unusable};

/// Mode of files created here, restricted by the umask.
const MODE: u32 = 0o666;

/// Reads from the file system; relative names are relative to the working directory.
#[derive(Clone, Copy, Default, Debug)]
pub struct DiskLoader;

impl Loader for DiskLoader {
    fn list(&self, directory: &str) -> Option<Vec<String>> {
        let entries = fs::read_dir(here(directory)).ok()?;
        let name = |entry: io::Result<fs::DirEntry>| Some(entry.ok()?.file_name());
        Some(entries.filter_map(name).map(|n| n.to_string_lossy().into_owned()).collect())
    }

    fn exists(&self, path: &str) -> bool {
        here(path).symlink_metadata().is_ok()
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Unusable> {
        read(path, limit, &|| {})
    }

    fn absolute(&self, path: &str) -> String {
        let path = here(path);
        let absolute = fs::canonicalize(path).or_else(|_| std::path::absolute(path));
        absolute.unwrap_or_else(|_| PathBuf::from(path)).to_string_lossy().into_owned()
    }
}

/// Names in a directory, in any order; not all of very many.
pub fn some_names(directory: &str) -> Vec<String> {
    const MOST: usize = 1000;
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let name = |entry: io::Result<fs::DirEntry>| entry.ok()?.file_name().into_string().ok();
    entries.take(MOST).filter_map(name).collect()
}

/// As [`Loader::read`], with `meanwhile` between any two pieces of the file.
///
/// # Errors
/// The file cannot be used.
pub fn read(path: &str, limit: u64, meanwhile: &dyn Fn()) -> Result<Vec<u8>, Unusable> {
    let (file, metadata) = open::reader(here(path))?;
    if metadata.mode() & 0o111 != 0 {
        return Err(Unusable::Executable);
    }
    Ok(open::whole(file, &metadata, limit, meanwhile)?)
}

impl From<Unfit> for Unusable {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Missing => Self::Missing,
            Unfit::Directory => Self::Directory,
            Unfit::NotRegular(_) => Self::NotRegular,
            Unfit::TooLarge(_) => Self::TooLarge,
            other => Self::Unreadable(other.to_string()),
        }
    }
}

fn here(path: &str) -> &Path {
    Path::new(if path.is_empty() { "." } else { path })
}

/// Writes a number as a file of its own; one that is there stays unless it is to be overwritten.
///
/// # Errors
/// The file cannot be made or written, or its name leads to another.
pub fn write_number(path: &Path, number: i64, overwrite: bool) -> Result<(), Unfit> {
    let opened = if overwrite { open::overwrite(path, MODE) } else { open::create_new(path, MODE) };
    match opened {
        Ok(mut file) => Ok(writeln!(file, "{number}")?),
        Err(Unfit::System(e)) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e),
    }
}

/// Removes a file.
///
/// # Errors
/// It is not there, or its directory is not writable.
pub fn remove(path: &str) -> io::Result<()> {
    fs::remove_file(path)
}

/// Makes a folder for its owner alone, unless it is there.
///
/// # Errors
/// It cannot be made.
pub fn make_private_folder(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files they need")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::sys::tests::TempDir;

    fn path(dir: &TempDir, name: &str) -> String {
        dir.path().join(name).to_str().unwrap().to_owned()
    }

    #[test]
    fn only_regular_files_without_execute_permission_are_read() {
        let dir = TempDir::new("files");
        let plain = path(&dir, "plain");
        fs::write(&plain, "text").unwrap();
        assert_eq!(DiskLoader.read(&plain, 4), Ok(b"text".to_vec()));
        fs::set_permissions(&plain, fs::Permissions::from_mode(0o610)).unwrap();
        assert_eq!(DiskLoader.read(&plain, 4), Err(Unusable::Executable));
        assert_eq!(DiskLoader.read(&path(&dir, "nosuch"), 4), Err(Unusable::Missing));
        assert_eq!(DiskLoader.read(&path(&dir, ""), 4), Err(Unusable::Directory));
        assert_eq!(DiskLoader.read("/dev/null", 4), Err(Unusable::NotRegular));
    }

    #[test]
    fn a_pipe_is_refused_without_waiting_for_a_writer() {
        let dir = TempDir::new("pipe");
        let pipe = path(&dir, "pipe");
        nix::unistd::mkfifo(pipe.as_str(), nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
        assert_eq!(DiskLoader.read(&pipe, 4), Err(Unusable::NotRegular));
    }

    #[test]
    fn the_limit_holds_for_files_without_a_size_too() {
        let dir = TempDir::new("limit");
        let file = path(&dir, "f");
        fs::write(&file, "12345").unwrap();
        assert_eq!(DiskLoader.read(&file, 4), Err(Unusable::TooLarge));
        assert_eq!(DiskLoader.read("/proc/self/status", 4), Err(Unusable::TooLarge));
    }

    #[test]
    fn includes_are_found_beside_the_file_and_not_in_the_working_directory() {
        let dir = TempDir::new("include");
        fs::create_dir(dir.path().join("d")).unwrap();
        fs::write(dir.path().join("k.conf"), "include d/*.conf\n").unwrap();
        fs::write(dir.path().join("d/a.conf"), "include b.inc\nmark ${_PWD}\n").unwrap();
        fs::write(dir.path().join("d/b.inc"), "inner\n").unwrap();
        std::os::unix::fs::symlink("d", dir.path().join("link")).unwrap();
        let main = path(&dir, "k.conf");
        let options = crate::config::ReadOptions::default();
        let (document, _, diagnostics) = crate::config::read(&DiskLoader, &main, &options);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let nodes: Vec<_> = document.roots().collect();
        assert_eq!(nodes[0].keyword().text, "inner");
        let inside = fs::canonicalize(dir.path().join("d")).unwrap();
        assert_eq!(nodes[1].raw(), inside.to_str().unwrap());
        assert_eq!(DiskLoader.absolute(&path(&dir, "link")), inside.to_str().unwrap());
    }

    /// 20,000 instances as an operator's generator writes them: about 240,000 lines, 6 MB.
    fn instances() -> String {
        let mut text = String::new();
        for n in 0..20_000 {
            let (a, b) = (n / 250, n % 250);
            text += &format!(
                "vrrp_instance VI_{n} {{\n    state BACKUP\n    interface eth{a}\n    \
                 virtual_router_id {b}\n    priority 100\n    advert_int 1\n    nopreempt\n    \
                 virtual_ipaddress {{\n        10.{a}.{b}.1/24 dev eth{a}\n        \
                 10.{a}.{b}.2/24 dev eth{a} label eth{a}:1\n    }}\n    \
                 notify_master \"/usr/local/bin/notify.sh master\" # why\n}}\n"
            );
        }
        text
    }

    /// Run with `cargo test --release --lib sys::files -- --ignored --nocapture`.
    #[test]
    #[ignore = "measures; needs a release build and a quiet machine"]
    fn twenty_thousand_instances_are_read_in_fifty_milliseconds() {
        let content = instances();
        let dir = TempDir::new("speed");
        let main = path(&dir, "k.conf");
        fs::write(&main, &content).unwrap();
        let clock = crate::sys::clock::Clock::new();
        let mut best = std::time::Duration::MAX;
        for _ in 0..10 {
            let start = clock.now();
            let options = crate::config::ReadOptions::default();
            let (document, _, diagnostics) = crate::config::read(&DiskLoader, &main, &options);
            best = best.min(clock.now().since(start));
            assert!(diagnostics.is_empty());
            assert_eq!(document.roots().count(), 20_000);
        }
        println!("{} bytes, {} lines: {best:?}", content.len(), content.lines().count());
        assert!(best < std::time::Duration::from_millis(50), "{best:?}");
    }
}
