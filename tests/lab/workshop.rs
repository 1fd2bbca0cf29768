//! A directory with the scripts that a test gives to the daemon, and their output.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{wait, SOON};

/// Deleted when dropped.
pub(crate) struct Workshop {
    folder: PathBuf,
}

impl Workshop {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("keepalived-workshop.{}.{n}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).expect("a new folder");
        Self { folder }
    }

    /// The path of a file in the directory, for a configuration.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Creates an executable shell script, with `$HERE` set to the directory; returns its path.
    pub(crate) fn script(&self, name: &str, body: &str) -> String {
        let path = self.folder.join(name);
        // Written under another name: it must never be visible half-written, or open for writing.
        let draft = self.folder.join(format!("{name}.draft"));
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o755)
            .open(&draft)
            .expect("the folder is ours");
        writeln!(file, "#!/bin/sh\nHERE={}\n{body}", self.folder.display()).expect("room");
        drop(file);
        std::fs::rename(draft, &path).expect("the same folder");
        path.display().to_string()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(name), text).expect("the folder is ours");
    }

    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_file(self.folder.join(name)).expect("it was there");
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.folder.join(name).exists()
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        self.read(name).lines().map(str::to_owned).collect()
    }

    /// Waits until a file consists of exactly these lines.
    #[track_caller]
    pub(crate) fn wait_lines(&self, name: &str, expected: &[&str]) {
        let mut seen = Vec::new();
        let done = super::eventually(SOON, || {
            seen = self.lines(name);
            seen == expected
        });
        assert!(done, "{name} has {seen:#?} instead of {expected:#?}");
    }

    /// Waits until a file exists and is not empty.
    #[track_caller]
    pub(crate) fn wait_written(&self, name: &str) -> String {
        wait(&format!("{name} is written"), SOON, || !self.read(name).is_empty());
        self.read(name)
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
