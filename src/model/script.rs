//! Commands run by the daemon.

/// User and group of a command.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
}

impl User {
    pub const ROOT: Self = Self { uid: 0, gid: 0 };

    /// True if user or group is root: the path of the command must then be secure.
    pub const fn is_root(self) -> bool {
        self.uid == 0 || self.gid == 0
    }
}

/// A command, validated when the configuration was read. All commands except those of checks
/// existed and were executable then.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Script {
    /// Path to execute: the resolved path, or the configured one with `use_symlink_paths`. Empty if
    /// the file was missing: starting the command then fails, even if an unchecked file has
    /// appeared since.
    pub path: String,
    /// The words as configured, including the first, which the command sees as its name.
    pub argv: Vec<String>,
    pub user: User,
    /// Executed by the shell, because it is neither a binary nor has a `#!` line.
    pub by_shell: bool,
}

impl Script {
    pub const fn missing(argv: Vec<String>, user: User) -> Self {
        Self { path: String::new(), argv, user, by_shell: false }
    }

    /// The command for display.
    pub fn shown(&self) -> String {
        self.argv.join(" ")
    }
}
